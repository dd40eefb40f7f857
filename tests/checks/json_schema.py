#!/usr/bin/python3
"""Checks that standard input is one JSON document of that kind: a definition in conf/output.schema.json.

usage: tests/checks/json_schema.py plan|status|apply|check|map|doctor|failure
"""
import json
import os
import sys

import jsonschema

with open(f"{os.path.dirname(__file__)}/../../conf/output.schema.json", encoding="utf-8") as file:
    SCHEMA = json.load(file)
document = json.load(sys.stdin)
jsonschema.Draft202012Validator.check_schema(SCHEMA)
problems = []
for schema in (SCHEMA, {**SCHEMA, "anyOf": [{"$ref": f"#/$defs/{sys.argv[1]}"}]}):
    problems += [error.message for error in jsonschema.Draft202012Validator(schema).iter_errors(document)]
    for error in jsonschema.Draft202012Validator(schema).iter_errors(document):
        problems += [f"{list(part.absolute_path)}: {part.message}" for part in error.context or []]
print("".join(f"{problem[:300]}\n" for problem in problems), end="", file=sys.stderr)
sys.exit(bool(problems))
