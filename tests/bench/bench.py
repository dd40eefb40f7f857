"""The benchmark: what a guest's start costs with the hook, next to the least it could cost and to what people use.

usage: bench.py PROGRAMS [smoke|quick|full] [JSON-FILE], on a private libvirt host: see run.sh
"""
import os
import random
import re
import shutil
import subprocess
import sys
import time

import libvirt

import report
from guests import CPUS, Libvirt, StandIns, get, padded, put
from measure import Contender, Failure, Stopwatch, interleave

HERE = os.path.dirname(os.path.abspath(__file__))
GUARD = "/etc/libvirt/hooks/qemu"
WORKER = "/usr/sbin/vmaffinity-hook"
ADMIN = "/usr/sbin/vmaffinity"
RULES = "/etc/vmaffinity.ini"

# rounds; vCPUs of guests and of stand-ins; rules; KiB of XML; rounds of starts; rounds of restarts, and with how many
# guests; how many guests and how many stand-ins for apply
SIZES = {
    "smoke": (1, [1, 4, 16], [1, 8], [1, 10], [4, 64], 1, 1, 2, [1, 2], [1, 2]),
    "quick": (7, [1, 4, 16, 64], [1, 128, 1024], [1, 1000, 10000], [4, 256, 4096], 5, 2, 10, [1, 5, 20], [1, 20, 100]),
    "full": (
        30, [1, 4, 16, 64, 128], [1, 128, 256, 512, 1024], [1, 10, 100, 1000, 10000], [4, 64, 512, 4096], 30, 5, 50,
        [1, 10, 50, 100, 200], [1, 100, 250, 500],
    ),
}

# The names of the three states of libvirt's hook.
OURS, NOTHING, NONE = "with the hook", "with an empty program for a hook", "without a hook"


class Bench:
    def __init__(self, programs, size):
        self.programs, self.scratch = programs, os.environ["E2E_DIR"]
        self.rounds, *self.sizes = SIZES[size]
        self.rounds = int(os.environ.get("ROUNDS") or self.rounds)
        self.stopwatch = Stopwatch(f"{programs}/stopwatch")
        self.libvirt = Libvirt(self.scratch)
        self.stand_ins = StandIns(self.scratch, f"{programs}/standin")
        self.contenders, self.rules = [], None

    def set_rules(self, text):
        if text != self.rules:
            put(RULES, text)
            self.rules = text

    def add(self, section, name, words, **more):
        self.contenders.append(Contender(section, name, words, **more))

    def add_floor(self, section, guest, **more):
        words = [f"{self.programs}/floor", str(CPUS), str(guest.vcpus), str(guest.iothreads), guest.directory]
        self.add(section, "floor", words, stdin=guest.xml, prepare=guest.reset, verify=guest.is_pinned, **more)

    def add_ours(self, section, guest, rules=None, name="guard and worker", program=GUARD, **more):
        def prepare():
            self.set_rules(rules or guest.rule())
            guest.reset()

        words = [program, guest.name, "started", "begin", "-"]
        more = {"stdin": guest.xml, "prepare": prepare, "verify": guest.is_pinned} | more
        self.add(section, name, words, **more)

    def add_pinned(self, section, guest, **more):
        def prepare():
            self.set_rules(guest.rule())
            guest.pin()

        self.add_ours(section, guest, name="guard and worker, already pinned", prepare=prepare, **more)

    def add_people(self, section, guest, names=("bash", "python", "virsh", "libvirt", "taskset"), **more):
        """What people use instead."""
        masks, ini = f"{self.scratch}/{guest.name}.masks", f"{self.scratch}/{guest.name}.ini"
        put(masks, "".join(f"{group} {cpu}\n" for group, cpu in guest.masks.items()))
        put(ini, "[masks]\n" + "".join(f"{group} = {cpu}\n" for group, cpu in guest.masks.items()))
        hook = [guest.name, "started", "begin", "-", guest.directory]
        known = {
            "bash": ("bash hook with xmllint", [f"{HERE}/hook.bash", *hook, masks]),
            "python": ("Python hook", [f"{HERE}/hook.py", *hook, ini]),
            "virsh": ("virsh, a call for each group", [f"{HERE}/pin-virsh.bash", guest.name, masks]),
            "libvirt": ("one python3-libvirt process", [f"{HERE}/pin-libvirt.py", guest.name, masks]),
            "taskset": ("taskset -apc, one mask for all", ["/usr/bin/taskset", "-apc", "0", str(guest.pid)]),
        }
        for key in names:
            name, words = known[key]
            verify = (lambda: guest.is_on(0)) if key == "taskset" else guest.is_pinned
            self.add(section, name, words, stdin=guest.xml, prepare=guest.reset, verify=verify, **more)

    def add_one_guest(self, guest):
        section = f"{guest.vcpus} vCPUs"
        untouched = {"stdin": guest.xml, "verify": lambda: not guest.is_pinned()}

        def no_rule():
            self.set_rules("[*]\nvcpus = keep\n" + guest.rule("somebody-else"))
            guest.reset()

        self.add(section, "empty program", [f"{self.programs}/empty"])
        self.add(section, "empty program with the worker's libraries", [f"{self.programs}/empty-linked"])
        self.add_floor(section, guest)
        self.add(
            section, "guard, operation not ours", [GUARD, guest.name, "stopped", "end", "-"], prepare=no_rule, **untouched
        )
        self.add_ours(section, guest, name="guard and worker, no rule matches", prepare=no_rule, verify=untouched["verify"])
        self.add_pinned(section, guest)
        self.add_ours(section, guest, name="worker alone", program=WORKER)
        self.add_ours(section, guest)
        self.add_people(section, guest)

    def add_vcpus(self, section, guest):
        self.add_floor(section, guest, x=guest.vcpus)
        self.add_ours(section, guest, x=guest.vcpus)
        self.add_pinned(section, guest, x=guest.vcpus)
        self.add_people(section, guest, ("bash", "python"), x=guest.vcpus)

    def add_rules(self, guest, count):
        others = "".join(f"[guest-{n:05}]\nemulator = 0\nvcpus = 0-{CPUS - 1}\n" for n in range(count - 1))
        self.add_ours("rules", guest, others + guest.rule(), x=count)

    def add_xml(self, guest, kib):
        path = f"{self.scratch}/{guest.name}-{kib}.xml"
        put(path, padded(get(guest.xml), kib * 1024))
        self.add_ours("XML", guest, stdin=path, x=os.path.getsize(path))

    def add_largest(self, guest, count):
        others = "".join(f"[guest-{n:05}]\nemulator = 0\nvcpus = 0-{CPUS - 1}\n" for n in range(count - 1))
        self.add_ours("memory", guest, others + guest.rule(), x=guest.vcpus)

    def run_real(self):
        """Guests of libvirt."""
        first = len(self.contenders)
        vcpus, _, rules, xml, *_ = self.sizes
        real = {n: self.libvirt.start(f"bench-{n}", n, 1) for n in vcpus}
        self.add_one_guest(real[4])
        if 16 in real:
            self.add_floor("16 vCPUs", real[16])
            self.add_ours("16 vCPUs", real[16])
            self.add_people("16 vCPUs", real[16])
        for guest in real.values():
            self.add_vcpus("vCPUs", guest)
        for count in rules:
            self.add_rules(real[4], count)
        for kib in xml:
            self.add_xml(real[4], kib)
        self.interleave(first, "guests")
        self.libvirt.close()

    def run_wide(self):
        """Stand-ins for guests of more vCPUs; there is no end to what a machine holds of them."""
        first = len(self.contenders)
        _, vcpus, rules, *_ = self.sizes
        fake = [self.stand_ins.start(f"stand-in-{n}", n) for n in vcpus]
        for guest in fake:
            self.add_vcpus("vCPUs, stand-ins", guest)
        self.add_largest(fake[-1], rules[-1])
        self.interleave(first, "stand-ins")
        self.stand_ins.close()

    def interleave(self, first, what):
        interleave(self.contenders[first:], self.rounds, self.stopwatch, self.progress(what))

    # ---- what the user sees ----

    def host(self, function):
        script = f". {HERE}/../e2e/host-private.bash && {function}"
        subprocess.run(["bash", "-c", script], check=True, timeout=120, stdin=subprocess.DEVNULL)

    def set_hook(self, kind):
        """Puts a hook in place, or none, and makes the daemon notice."""
        ours, new = "/etc/libvirt/guard", "/etc/libvirt/new"
        if not os.path.exists(ours):
            shutil.copy(GUARD, ours)
        if kind != NONE:  # never half of one
            shutil.copy(ours if kind == OURS else f"{self.programs}/empty", new)
            os.replace(new, GUARD)
        elif os.path.exists(GUARD):
            os.remove(GUARD)

    def run_in_turns(self, section, kinds, rounds, measure, x=None):
        """Each kind of hook once a round, in another order each time."""
        taken = {kind: Contender(section, f"{section} {kind}", None, x=x) for kind in kinds}
        progress = self.progress(section)
        for number in range(rounds):
            progress(number)
            for kind in random.Random(number).sample(kinds, len(kinds)):
                taken[kind].ms.append(measure(kind))
        self.set_hook(OURS)
        self.host("host_reload")
        self.libvirt.close()
        self.contenders += taken.values()

    def run_starts(self, rounds):
        """virsh start; which of the hooks was measured the guest's masks tell."""
        guest = self.libvirt.start("bench-start", 4, 1)
        self.set_rules(guest.rule())

        def measure(kind):
            self.libvirt.virsh("destroy", guest.name)
            self.set_hook(kind)
            self.host("host_reload")
            time.sleep(0.5)  # the daemon does it when it comes to it
            words = ["/usr/bin/virsh", "-q", "-c", "qemu:///system", "start", guest.name]
            ms, status, *_ = self.stopwatch.run("/dev/null", words)
            if status != 0 or self.libvirt.running(guest.name, 4, 1).is_pinned() != (kind == OURS):
                raise Failure(f"virsh start: status {status}, or the hook did not do what it should")
            return ms

        self.run_in_turns("virsh start", [OURS, NOTHING, NONE], rounds, measure)

    def run_restarts(self, rounds, count):
        """The daemon's start until every guest takes a job, for which its hook has to be done."""
        *_, guest = self.libvirt.start_all([f"bench-many-{number}" for number in range(count)], 4, 1)
        self.set_rules(guest.rule("bench-many-*"))

        def measure(kind):
            self.host("host_stop")
            self.set_hook(kind)
            guest.reset()
            start = time.perf_counter()
            self.host("host_start")
            for domain in libvirt.open("qemu:///system").listAllDomains():
                domain.memoryStats()
            ms = (time.perf_counter() - start) * 1e3
            if guest.is_pinned() != (kind == OURS):
                raise Failure("daemon restart: the hook did not do what it should")
            return ms

        self.run_in_turns("daemon restart", [OURS, NOTHING, NONE], rounds, measure, x=count)

    def add_apply(self, section, guests, uri):
        """vmaffinity apply to these guests, next to the floor's writes for all of them."""

        def reset():
            for guest in guests:
                guest.reset()

        def pin():
            for guest in guests:
                guest.pin()

        def pinned():
            return all(guest.is_pinned() for guest in guests)

        apply, x = [ADMIN, "apply"], len(guests)
        vcpus, iothreads = str(guests[0].vcpus), str(guests[0].iothreads)
        floor = [f"{self.programs}/floor", str(CPUS), vcpus, iothreads, *(guest.directory for guest in guests)]
        self.add(section, "floor", floor, x=x, prepare=reset, verify=pinned)
        self.add(section, "vmaffinity apply", apply, x=x, prepare=reset, verify=pinned)
        self.add(section, "libvirt asked for each guest's XML, no more", [f"{HERE}/ask-libvirt.py", uri], x=x)
        self.add(section, "vmaffinity apply, already pinned", apply, x=x, prepare=pin, verify=pinned)

    def run_apply(self, counts):
        """More and more guests of libvirt."""
        guests = []
        self.set_hook(NONE)
        self.host("host_reload")
        for count in counts:
            first = len(self.contenders)
            guests += self.libvirt.start_all([f"bench-apply-{n}" for n in range(len(guests), count)], 4, 1)
            self.set_rules(guests[0].rule("bench-apply-*"))
            self.add_apply("guests", tuple(guests), "qemu:///system")
            self.interleave(first, f"apply, {count} guests")
        self.set_hook(OURS)
        self.host("host_reload")
        self.libvirt.close()

    def run_apply_wide(self, counts):
        """More and more stand-ins, whose XML libvirt's test driver gives out."""
        guests = []
        for count in counts:
            first = len(self.contenders)
            guests += [self.stand_ins.start(f"stand-in-apply-{n}", 4) for n in range(len(guests), count)]
            self.set_rules(guests[0].rule("stand-in-apply-*"))
            self.add_apply("guests, stand-ins", tuple(guests), self.stand_ins.uri(guests))
            self.interleave(first, f"apply, {count} stand-ins")
        self.stand_ins.close()

    def progress(self, what):
        def show(number):
            if sys.stderr.isatty():
                print(f"\r{what}: round {number + 1} ", end="", file=sys.stderr, flush=True)

        return show

    def run(self):
        *_, starts, restarts, guests, applied, applied_wide = self.sizes
        try:
            self.run_real()
            self.run_wide()
            self.run_starts(starts)
            self.run_restarts(restarts, guests)
            self.run_apply(applied)
            self.run_apply_wide(applied_wide)
        finally:
            self.stand_ins.close()


def readme_table():
    """What docs/PERFORMANCE.md shows of a run, as printed."""
    with open(f"{HERE}/../../docs/PERFORMANCE.md", encoding="utf-8") as file:
        return re.search(r"^```text\n([^`]* rounds, interleaved;[^`]*)```", file.read(), re.M)[1]


def labels(table):
    """What its rows are called, whatever their figures; the first two lines are about the machine."""
    return {re.sub(r"[0-9.]+", "N", re.split(r" {2,}| +-?[0-9.]+ (?:us|ns)\b", line)[0]) for line in table.splitlines()[2:] if line}


def main():
    programs = sys.argv[1]
    size = sys.argv[2] if len(sys.argv) > 2 else "full"
    if size not in SIZES:
        sys.exit(f"bench: '{size}' is none of: {', '.join(SIZES)}")
    bench = Bench(programs, size)
    try:
        bench.run()
    except Failure as failure:
        sys.exit(f"bench: {failure}")
    version = libvirt.getVersion()
    about = {
        "libvirt": f"{version // 1000000}.{version // 1000 % 1000}.{version % 1000}",
        "type": os.environ["E2E_VIRT_TYPE"],
    }
    result = report.Report(bench.contenders, bench.rounds, about)
    if size == "smoke":  # one round says nothing but that all of them did what they should
        for number, contender in enumerate(bench.contenders, 1):
            print(f"ok {number} - bench {contender.what()}")
        unknown = labels(readme_table()) - labels(result.text())
        number = len(bench.contenders) + 1
        print(f"{'not ok' if unknown else 'ok'} {number} - bench: docs/PERFORMANCE.md has its rows {sorted(unknown)}")
        print(f"1..{number}")
        return
    print(result.text())
    if len(sys.argv) > 3:
        put(sys.argv[3], result.json())


main()
