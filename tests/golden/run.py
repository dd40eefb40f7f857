#!/usr/bin/python3
"""Runs vmaffinity on machines and guests that are kept as text, and compares what it prints. TAP on stdout.

usage: [BUILD=DIR] [UPDATE=1] tests/golden/run.py [CASE...]

A case is a directory, cases/NAME:
  machine        the name of a machine in tests/fixtures/machines
  rules.ini      becomes the machine's /etc/vmaffinity.ini
  etc/           becomes the machine's /etc/, for vmaffinity.d
  domain.xml     or any other files, for the command
  command        arguments, redirections and pipes, in bash's words; default: plan --xml domain.xml
  setup          bash code that runs before the command, for what cannot be kept in a file; the machine is below $root
  needs-root     there if the case can run as root only
  expected       stdout; then stderr, each line with "! " in front; then "= " and the exit status
  expected.json  there if the command takes --json: the same for that, stdout laid out a line a member
  text-only      keeps UPDATE from making an expected.json
The command runs in a copy of the directory whose files are mode 644.

UPDATE=1 rewrites the expected files with what is printed now. Read the diff: they are what the program is held to.
"""
import difflib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.realpath(__file__))
REPO = os.path.dirname(os.path.dirname(HERE))
PROGRAM = os.path.join(REPO, os.environ.get("BUILD") or "build", "vmaffinity")
UPDATE = bool(os.environ.get("UPDATE"))
SHELL = re.compile(r"[|&;<>()$`\\\"'*?\[#~%{\n]")


def read(path):
    with open(path, "rb") as file:
        return file.read()


def stamps(root):
    """Every file of the machine below root but /etc, with the time of its last change."""
    found = {}
    for directory, names, files in os.walk(root):
        if directory == root:
            names.remove("etc")
        for name in names + files:
            path = os.path.join(directory, name)
            found[path] = os.lstat(path).st_mtime_ns
    return found


class Machines:
    """The machines that cases run on, each made once, when the first case asks for it."""

    def __init__(self, work):
        self.work = work
        self.made = {}

    def get(self, name):
        root = os.path.join(self.work, "machines", name)
        if name not in self.made:
            os.makedirs(root)
            subprocess.run([f"{REPO}/tests/fixtures/expand.sh", f"{REPO}/tests/fixtures/machines/{name}.txt", root],
                           check=True)
            os.makedirs(f"{root}/etc", exist_ok=True)
            self.made[name] = stamps(root)
        return root


def make_case(name, work, machines):
    """Copies a case and gives its machine the case's /etc. Returns its directory and its machine's."""
    case = os.path.join(work, "case")
    shutil.rmtree(case, ignore_errors=True)
    shutil.copytree(f"{HERE}/cases/{name}", case, symlinks=True)
    for directory, _, files in os.walk(case):
        os.chmod(directory, 0o755)
        for file in files:
            os.chmod(os.path.join(directory, file), 0o644)
    root = machines.get(read(f"{case}/machine").decode().strip())
    shutil.rmtree(f"{root}/etc")
    if os.path.isdir(f"{case}/etc"):
        shutil.copytree(f"{case}/etc", f"{root}/etc")
    else:
        os.mkdir(f"{root}/etc")
    if os.path.exists(f"{case}/rules.ini"):
        shutil.copyfile(f"{case}/rules.ini", f"{root}/etc/vmaffinity.ini")
        os.chmod(f"{root}/etc/vmaffinity.ini", 0o644)
    if os.path.exists(f"{case}/setup"):
        subprocess.run(["bash", "-c", ". ./setup"], cwd=case, env=os.environ | {"root": root}, check=True)
    return case, root


def compact(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("\x7f", "\\u007f")


def laid_out(data):
    """JSON with a line for each member of an object, and for each item of an array in it."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return b"(not UTF-8)\n" + data
    lines, decoder, at = [], json.JSONDecoder(), 0
    try:
        while text[at:].strip():
            at += len(text[at:]) - len(text[at:].lstrip())
            document, at = decoder.raw_decode(text, at)
            lines.append("{")
            for key, value in document.items():
                if isinstance(value, list) and value:
                    lines += [f"  {compact(key)}: ["] + [f"    {compact(item)}" for item in value] + ["  ]"]
                else:
                    lines.append(f"  {compact(key)}: {compact(value)}")
            lines.append("}")
    except (ValueError, AttributeError) as fault:
        lines.append(f"(not JSON: {fault})")
    return "".join(line + "\n" for line in lines).encode(errors="surrogateescape")


def run_case(case, root, command, *options):
    """Runs the case's command. Returns what it printed, in the form of the expected file, and its bare stdout."""
    fixed = [PROGRAM, "--sysroot", root, *options]
    if SHELL.search(command):
        arguments = ["bash", "-o", "pipefail", "-c", f"{shlex.join(fixed)} {command}"]
    else:
        arguments = fixed + command.split()
    done = subprocess.run(arguments, cwd=case, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    text = done.stdout
    if options:
        text = laid_out(text)
    elif text and not text.endswith(b"\n"):
        text += b"\n(no newline)\n"
    text += b"".join(b"! " + line for line in done.stderr.splitlines(keepends=True))
    text += b"= %d\n" % done.returncode
    # the parser's own words differ between its versions
    text = re.sub(rb"(the XML is not well-formed: )line [0-9]+: [^\"\n]*", rb"\1(Expat)", text)
    return text, done.stdout


class Report:
    """Prints a line of TAP for each comparison, and counts them."""

    def __init__(self):
        self.number = self.failed = 0

    def add(self, name, problem="", remark=""):
        self.number += 1
        print(f"{'not ok' if problem else 'ok'} {self.number} - golden {name}{remark}")
        if problem:
            self.failed += 1
            print("".join(f"# {line}\n" for line in problem.splitlines()), end="", flush=True)

    def compare(self, name, path, actual, rerun):
        expected = read(path) if os.path.exists(path) else b""
        if UPDATE and expected != actual:
            with open(path, "wb") as file:
                file.write(actual)
            expected = actual
        problem = ""
        if expected != actual:
            lines = [part.decode(errors="backslashreplace").splitlines() for part in (expected, actual)]
            problem = "\n".join(difflib.unified_diff(*lines, "expected", "actual", lineterm=""))
            problem += f"\nalone: tests/golden/run.py {rerun}"
        self.add(name, problem)


def test_case(name, work, machines, report):
    cases = f"{HERE}/cases/{name}"
    try:
        case, root = make_case(name, work, machines)
    except (OSError, subprocess.CalledProcessError) as fault:
        report.add(name, f"it cannot be set up: {fault}")
        return
    if os.path.exists(f"{case}/needs-root") and os.geteuid() != 0:
        report.add(name, remark=" # SKIP only root can do this")
        return
    command = read(f"{case}/command").decode().strip() if os.path.exists(f"{case}/command") else "plan --xml domain.xml"
    text, _ = run_case(case, root, command)
    report.compare(name, f"{cases}/expected", text, name)
    wanted = os.path.exists(f"{cases}/expected.json")
    if wanted or (UPDATE and not os.path.exists(f"{cases}/text-only")):
        text, stdout = run_case(case, root, command, "--json")
        if wanted or stdout:
            report.compare(f"{name}, JSON", f"{cases}/expected.json", text, name)


def main():
    os.chdir(REPO)
    os.umask(0o022)
    os.environ["LC_ALL"] = "C"
    if not os.access(PROGRAM, os.X_OK):
        print(f"Bail out! {PROGRAM} is not there; run make")
        return 1
    names = [os.path.basename(name.rstrip("/")) for name in sys.argv[1:]] or sorted(os.listdir(f"{HERE}/cases"))
    report = Report()
    with tempfile.TemporaryDirectory() as work:
        machines = Machines(work)
        for name in names:
            test_case(name, work, machines, report)
        # no command here may write anything into the machine
        for name, before in machines.made.items():
            after = stamps(f"{work}/machines/{name}")
            changed = [path for path in before.keys() | after.keys() if before.get(path) != after.get(path)]
            report.add(f"machine {name} is as it was", "\n".join(changed))
    print(f"1..{report.number}")
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
