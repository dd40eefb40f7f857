"""The figures as a table for people, and as JSON."""
import datetime
import json
import os
import re
import statistics

from guests import get
from measure import Spread, ratio, slopes, straightness

OURS, EMPTY, FLOOR = "guard and worker", "empty program", "floor"
PINNED = "guard and worker, already pinned"


def digits(figure):
    """Three of them, so that a table of milliseconds and of hundreds can be read."""
    return f"{figure:.2f}" if figure < 10 else f"{figure:.1f}" if figure < 100 else f"{figure:.0f}"


def spread(figures):
    return f"{digits(figures.low)}-{digits(figures.high)}"


class Report:
    def __init__(self, contenders, rounds, about):
        self.contenders, self.rounds = contenders, rounds
        cpu = re.search(r"^model name\s*: (.*)", get("/proc/cpuinfo"), re.M)
        self.about = {
            "date": datetime.date.today().isoformat(),
            "machine": f"{os.cpu_count()} x {cpu[1] if cpu else os.uname().machine}",
            "kernel": os.uname().release,
            "rounds": rounds,
            "load": os.getloadavg()[0],
            **about,
        }

    def find(self, section, name=None):
        return [c for c in self.contenders if c.section == section and name in (None, c.name)]

    def one(self, section, name):
        found = self.find(section, name)
        return found[0] if found else None

    # ---- rows ----

    def programs(self, section):
        """(name, page faults, milliseconds, ratio to the empty program, ratio to the floor)"""
        empty, floor = self.one("4 vCPUs", EMPTY), self.one(section, FLOOR)
        return [
            (c.name, round(statistics.median(c.faults)), Spread(c.ms), ratio(c, empty), ratio(c, floor))
            for c in self.find(section)
        ]

    def growths(self):
        """(what, unit, milliseconds for each unit, straightness, ratio of that to the floor's)"""
        for section, unit in (("vCPUs", "vCPU"), ("vCPUs, stand-ins", "vCPU"), ("rules", "rule"), ("XML", "byte"),
                              ("guests", "guest"), ("guests, stand-ins", "guest")):
            for name in dict.fromkeys(c.name for c in self.find(section)):
                line, floor = self.find(section, name), self.find(section, FLOOR)
                if len(line) < 2:
                    continue
                per = slopes(line)
                against = Spread([a / b for a, b in zip(per, slopes(floor))]) if floor else None
                reach = f"{section}, {line[0].x} to {line[-1].x}"
                yield f"{name} ({reach})", unit, Spread(per), straightness(line), against

    def against_none(self, section, kind):
        return ratio(self.one(section, f"{section} {kind}"), self.one(section, f"{section} without a hook"))

    def targets(self):
        """(what, figure as Spread, unit, limit, whether more is better)"""
        def quotient(section, name, base):
            a, b = self.one(section, name), self.one("4 vCPUs" if base == EMPTY else section, base)
            return ratio(a, b) if a and b else None

        def growth(section, name, factor=1.0):
            line = self.find(section, name)
            return Spread([s * factor for s in slopes(line)]) if len(line) > 1 else None

        def growth_ratio(section):
            ours, floor = slopes(self.find(section, OURS)), slopes(self.find(section, FLOOR))
            return Spread([a / b for a, b in zip(ours, floor)])

        def apply_ratio(section):
            return ratio(self.find(section, "vmaffinity apply")[-1], self.find(section, FLOOR)[-1])

        def most(section):
            return max(c.x for c in self.find(section))

        def difference(section, name):
            line = self.find(section, name)
            return Spread([b - a for a, b in zip(line[0].ms, line[-1].ms)])

        xml, largest = self.find("XML"), self.find("memory")[0]
        speed = Spread([(xml[-1].x - xml[0].x) / 1e3 / (b - a) for a, b in zip(xml[0].ms, xml[-1].ms)])
        rows = [
            ("guard, operation not ours / empty program", quotient("4 vCPUs", "guard, operation not ours", EMPTY), "", 1.15, False),
            ("guard and worker / floor, 4 vCPUs", quotient("4 vCPUs", OURS, FLOOR), "", 3.0, False),
            ("bash hook with xmllint / guard and worker", quotient("4 vCPUs", "bash hook with xmllint", OURS), "", 1.8, True),
            ("one python3-libvirt process / guard and worker", quotient("4 vCPUs", "one python3-libvirt process", OURS), "", 12, True),
            ("virsh loop / guard and worker, 16 vCPUs", quotient("16 vCPUs", "virsh, a call for each group", OURS), "", 60, True),
            ("each vCPU / the floor's", growth_ratio("vCPUs"), "", 1.5, False),
            ("no rule matches / empty program", quotient("4 vCPUs", "guard and worker, no rule matches", EMPTY), "", 2.5, False),
            (f"{most('rules')} rules add", difference("rules", OURS), "ms", 10, False),
            (f"XML up to {xml[-1].x / 2**20:.1f} MiB parses at", speed, "MB/s", 50, True),
            (f"peak memory, {largest.x} vCPUs and {most('rules')} rules", Spread([p / 1024 for p in largest.peaks]), "MiB", 16, False),
            ("virsh start with the hook / without a hook", self.against_none("virsh start", "with the hook"), "", 1.02, False),
            (f"apply to {most('guests')} guests / floor", apply_ratio("guests"), "", 1.5, False),
            (f"apply to {most('guests, stand-ins')} stand-ins / floor", apply_ratio("guests, stand-ins"), "", 1.5, False),
        ]
        return [row for row in rows if row[1] is not None]

    # ---- what becomes of them ----

    def text(self):
        about = self.about
        lines = [
            f"{about['date']}: {about['machine']}, Linux {about['kernel']}, libvirt {about['libvirt']}, guests of type "
            f"'{about['type']}'",
            f"{about['rounds']} rounds, interleaved; median (quartiles)",
        ]
        for section in ("4 vCPUs", "16 vCPUs"):
            if not self.find(section):
                continue
            lines += ["", f"{section + ' and 1 iothread':48}{'faults':>6}{'ms':>6}  {'':13}{'x empty':>8}  {'':13}{'x floor':>8}"]
            for name, faults, ms, empty, floor in self.programs(section):
                lines.append(
                    f"{name:48}{faults:>6}{digits(ms.median):>6}  {spread(ms):13}{digits(empty.median):>8}  {spread(empty):13}"
                    f"{digits(floor.median):>8}  {spread(floor):13}".rstrip()
                )
        lines += ["", f"{'growth':72}{'each':>12}  {'straight':8}{'x floor':>8}"]
        for what, unit, per, straight, against in self.growths():
            each = f"{digits(per.median * 1e3)} us" if unit != "byte" else f"{digits(per.median * 1e6)} ns"
            lines.append(f"{what:72}{each:>12}  {straight:8.4f}{digits(against.median) if against else '':>8}".rstrip())
        lines += ["", f"{'what the user sees':56}{'ms':>6}  {'':13}{'x without':>9}"]
        for section in ("virsh start", "daemon restart"):
            for c in self.find(section):
                name = c.name + (f", {c.x} guests" if c.x else "")
                ms, against = Spread(c.ms), self.against_none(section, c.name.removeprefix(f"{section} "))
                lines.append(
                    f"{name:56}{digits(ms.median):>6}  {spread(ms):13}{digits(against.median):>9}  {spread(against)}"
                )
        lines += ["", f"{'targets':56}{'is':>8}  {'':13}"]
        for what, figure, unit, limit, more in self.targets():
            met = figure.median >= limit if more else figure.median <= limit
            lines.append(
                f"{what:56}{digits(figure.median):>8}  {spread(figure):13}{'at least' if more else 'at most':9}"
                f"{limit:g} {unit:5}{'met' if met else 'missed'}"
            )
        return "\n".join(lines)

    def json(self):
        return json.dumps(
            {
                **self.about,
                "programs": [
                    {"section": c.section, "name": c.name, "x": c.x, "ms": c.ms, "peak_kib": c.peaks, "page_faults": c.faults, **Spread(c.ms).as_json()}
                    for c in self.contenders
                ],
                "growth": [
                    {"what": what, "unit": unit, "ms_each": per.as_json(), "straightness": straight,
                     "against_floor": against.as_json() if against else None}
                    for what, unit, per, straight, against in self.growths()
                ],
                "targets": [
                    {"what": what, "unit": unit, "is": figure.as_json(), "limit": limit, "at_least": more}
                    for what, figure, unit, limit, more in self.targets()
                ],
            },
            indent=1,
        ) + "\n"
