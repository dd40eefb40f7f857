#!/usr/bin/python3
"""Runs vmaffinity on machines and guests that are kept as text, and compares what it prints. TAP on stdout.

usage: [BUILD=DIR] [UPDATE=1] tests/golden/run.py [--root] [CASE...]

A case whose outcome is an error of a few lines is a line of cases/errors.table, described there. Any other is a
directory, cases/NAME:
  machine        the name of a machine in tests/fixtures/machines
  rules.ini      becomes the machine's /etc/vmaffinity.ini
  etc/           becomes the machine's /etc/, for vmaffinity.d
  domain.xml     or any other files, for the command
  command        arguments, redirections and pipes, in bash's words; default: plan --xml domain.xml
  setup          bash code that runs before the command, for what cannot be kept in a file; the machine is below $root
  needs-root     there if the case can run as root only: such cases run with --root, and no others then
  expected       stdout; then stderr, each line with "! " in front; then "= " and the exit status
  expected.json  there if the form of --json is compared as well: the same for that, stdout laid out a line a member
The command runs in a copy of the directory whose files are mode 644.

A case of the command "check" that finds nothing but errors is run a second time as "plan", which must report the same.

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

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
REPO = os.path.dirname(os.path.dirname(HERE))
PROGRAM = os.path.join(REPO, os.environ.get("BUILD") or "build", "vmaffinity")
UPDATE = bool(os.environ.get("UPDATE"))
sys.path.insert(0, os.path.join(REPO, "tests/fixtures"))
import expand  # noqa: E402

# An error of the rules, of a guest by them or not: status 2. Any other is of what could not be looked at: 3.
ABOUT_RULES = re.compile(rb"error: |vmaffinity: [^:]+: /etc/vmaffinity")
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
            expand.expand(f"{REPO}/tests/fixtures/machines/{name}.txt", root)
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


def members(document, indent):
    """The lines of an object: one for each member, and for each item of an array in it; guests are laid out in the same way."""
    lines = [indent + "{"]
    for key, value in document.items():
        if key == "guests" and isinstance(value, list) and value:
            lines += [f"{indent}  {compact(key)}: ["]
            for guest in value:
                lines += members(guest, indent + "    ") if isinstance(guest, dict) else [indent + f"    {compact(guest)}"]
            lines += [f"{indent}  ]"]
        elif isinstance(value, list) and value:
            lines += [f"{indent}  {compact(key)}: ["] + [f"{indent}    {compact(item)}" for item in value] + [f"{indent}  ]"]
        else:
            lines.append(f"{indent}  {compact(key)}: {compact(value)}")
    return lines + [indent + "}"]


def laid_out(data):
    """The one JSON document that a command prints, with a line for each member."""
    try:
        lines = members(json.loads(data.decode()), "")
    except UnicodeDecodeError:
        return b"(not UTF-8)\n" + data
    except (ValueError, AttributeError) as fault:
        lines = [f"(not JSON: {fault})"]
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
    text = re.sub(rb"(the XML is not well-formed: )line [0-9]+: [^\"\n]*", rb"\1(libxml2)", text)
    return text, done.stdout


class Report:
    """Prints a line of TAP for each comparison, and counts them."""

    def __init__(self):
        self.number = self.failed = 0

    def add(self, name, problem=""):
        self.number += 1
        print(f"{'not ok' if problem else 'ok'} {self.number} - golden {name}")
        if problem:
            self.failed += 1
            print("".join(f"# {line}\n" for line in problem.splitlines()), end="", flush=True)

    def compare(self, name, path, actual, rerun):
        expected = read(path) if os.path.exists(path) else b""
        if UPDATE and expected != actual:
            with open(path, "wb") as file:
                file.write(actual)
            expected = actual
        self.match(name, expected, actual, rerun)

    def match(self, name, expected, actual, rerun):
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
    command = read(f"{case}/command").decode().strip() if os.path.exists(f"{case}/command") else "plan --xml domain.xml"
    text, _ = run_case(case, root, command)
    report.compare(name, f"{cases}/expected", text, name)
    if os.path.exists(f"{cases}/expected.json"):
        as_json, _ = run_case(case, root, command, "--json")
        report.compare(f"{name}, JSON", f"{cases}/expected.json", as_json, name)
    lines = [line for line in text.splitlines()[:-1] if not line.startswith(b"looked at ")]
    if command == "check" and lines and all(line.startswith(b"error: ") for line in lines):
        test_plan_reports(lines, name, (case, root), report)


def test_plan_reports(errors, name, place, report):
    """Runs plan on what check found these errors in: it reports the same ones, in any order, and ends with 2."""
    with open(f"{place[0]}/domain.xml", "wb") as file:
        file.write(GUEST)
    actual, _ = run_case(*place, "plan --xml domain.xml")
    *printed, status = actual.splitlines()
    wanted = [b"! " + line for line in sorted(errors)] + [b"= 2"]
    report.match(f"{name}, as plan reports it", b"\n".join(wanted), b"\n".join([*sorted(printed), status]), name)


GUEST = b"<domain type='kvm' id='1'><name>web</name><vcpu>4</vcpu><iothreads>2</iothreads></domain>\n"
ESCAPES = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"\\": b"\\"}


def unescape(field):
    """The bytes that a field of errors.table stands for."""
    return re.sub(rb"\\(n|t|r|\\|x[0-9a-f]{2})",
                  lambda found: ESCAPES.get(found[1]) or bytes([int(found[1][1:], 16)]), field)


def read_table():
    """The cases of errors.table: {name: (machine, rules or None, XML, what is expected)}."""
    rows, guests = {}, {}
    for line in read(f"{HERE}/cases/errors.table").splitlines():
        if line.startswith(b"@"):
            guest, _, xml = line[1:].partition(b" = ")
            guests[guest] = unescape(xml)
        elif line and not line.startswith(b"#"):
            name, machine, rules, xml, message = (field.strip() for field in line.split(b" | ", 4))
            expected = b"".join(b"! " + part + b"\n" for part in unescape(message).split(b"\n"))
            expected += b"= 2\n" if ABOUT_RULES.match(unescape(message)) else b"= 3\n"
            xml = guests[xml] if xml in guests else unescape(xml)
            rows[name.decode()] = (machine.decode(), None if rules == b"-" else unescape(rules), xml, expected)
    return rows


def test_row(name, row, work, machines, report):
    machine, rules, xml, expected = row
    case = os.path.join(work, "case")
    shutil.rmtree(case, ignore_errors=True)
    os.mkdir(case)
    root = machines.get(machine)
    shutil.rmtree(f"{root}/etc")
    os.mkdir(f"{root}/etc")
    for path, data in ((f"{root}/etc/vmaffinity.ini", rules), (f"{case}/domain.xml", xml)):
        if data is not None:
            with open(path, "wb") as file:
                file.write(data)
    actual, _ = run_case(case, root, "plan --xml domain.xml")
    if UPDATE and expected != actual:
        rewrite_row(name, actual)
        expected = actual
    report.match(name, expected, actual, name)


def rewrite_row(name, actual):
    """Gives the line of errors.table the message that was printed."""
    message = b"\n".join(line.removeprefix(b"! ") for line in actual.splitlines()[:-1]).replace(b"\\", b"\\\\")
    message = b"".join(b"\\n" if char == 10 else b"\\x%02x" % char if char < 32 or char > 126 else bytes([char])
                       for char in message)
    lines = read(f"{HERE}/cases/errors.table").splitlines(keepends=True)
    for at, line in enumerate(lines):
        if line.startswith(name.encode() + b" | "):
            lines[at] = b" | ".join([*line.split(b" | ", 4)[:4], message]) + b"\n"
    with open(f"{HERE}/cases/errors.table", "wb") as file:
        file.writelines(lines)


def main():
    os.chdir(REPO)
    os.umask(0o022)
    os.environ["LC_ALL"] = "C"
    if not os.access(PROGRAM, os.X_OK):
        print(f"Bail out! {PROGRAM} is not there; run make")
        return 1
    names, rows = [os.path.basename(name.rstrip("/")) for name in sys.argv[1:] if name != "--root"], read_table()
    if not names:
        directories = sorted(entry.name for entry in os.scandir(f"{HERE}/cases") if entry.is_dir())
        root_only = "--root" in sys.argv[1:]
        names = [name for name in directories if os.path.exists(f"{HERE}/cases/{name}/needs-root") == root_only]
        names += [] if root_only else rows
    report = Report()
    with tempfile.TemporaryDirectory() as work:
        machines = Machines(work)
        for name in names:
            if name in rows:
                test_row(name, rows[name], work, machines, report)
            else:
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
