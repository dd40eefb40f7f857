/* SPDX-License-Identifier: MIT */
/* Parses the text of one rules file. The only module that knows inih. */
#ifndef VMAFFINITY_RULES_PARSE_H
#define VMAFFINITY_RULES_PARSE_H

#include "rules/rules.h"

/*
 * Parses length bytes of text and adds its rules, sets and global keys to rules. file is the file's
 * name in messages; it must live as long as rules. Adds each error to messages. CPU sets are kept
 * as text; cpuset_expr.h reads them.
 */
void rules_parse(struct rules *rules, const char *file, const char *text, size_t length,
	struct messages *messages);

#endif
