"""Running programs by the stopwatch, and what becomes of the figures."""
import random
import statistics
import subprocess


class Failure(Exception):
    """A contender did not do what it is measured for."""


class Stopwatch:
    """Runs a program as libvirt runs a hook: with nothing in its environment but a PATH, and LC_ALL=C."""

    def __init__(self, program):
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"}
        self.process = subprocess.Popen(
            [program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )

    def run(self, stdin, words):
        """(milliseconds, exit status, peak of resident memory in KiB, page faults)"""
        print(stdin, *words, sep="\t", file=self.process.stdin, flush=True)
        nanoseconds, status, peak, faults = self.process.stdout.readline().split()
        return int(nanoseconds) / 1e6, int(status), int(peak), int(faults)


class Contender:
    """One program in one situation, and its figures, one a round."""

    def __init__(self, section, name, words, stdin="/dev/null", x=None, prepare=None, verify=None, status=0):
        self.section, self.name, self.x = section, name, x
        self.words, self.stdin, self.status = words, stdin, status
        self.prepare, self.verify = prepare, verify
        self.ms, self.peaks, self.faults = [], [], []

    def what(self):
        return f"{self.section}: {self.name}" + (f" ({self.x})" if self.x is not None else "")

    def run(self, stopwatch):
        if self.prepare:
            self.prepare()
        ms, status, peak, faults = stopwatch.run(self.stdin, self.words)
        if status != self.status:
            raise Failure(f"{self.what()}: ended with status {status}")
        if self.verify and not self.verify():
            raise Failure(f"{self.what()}: the kernel does not have what it should have left")
        self.ms.append(ms)
        self.peaks.append(peak)
        self.faults.append(faults)


def interleave(contenders, rounds, stopwatch, progress):
    """Each contender once a round, in another order each time, the same order in each run of the benchmark."""
    order = random.Random(6)
    for number in range(rounds):
        progress(number)
        for contender in order.sample(contenders, len(contenders)):
            contender.run(stopwatch)


class Spread:
    """Median and quartiles of some figures."""

    def __init__(self, figures):
        self.median = statistics.median(figures)
        self.low, _, self.high = statistics.quantiles(figures, n=4) if len(figures) > 1 else (self.median,) * 3

    def as_json(self):
        return {"median": self.median, "quartiles": [self.low, self.high]}


def ratio(contender, base):
    """Round by round: what disturbs the machine disturbs both."""
    return Spread([a / b for a, b in zip(contender.ms, base.ms)])


def slopes(contenders):
    """Milliseconds for each one more of x, by least squares, round by round."""
    xs = [c.x for c in contenders]
    return [statistics.linear_regression(xs, ys).slope for ys in zip(*(c.ms for c in contenders))]


def straightness(contenders):
    """The correlation of the medians with x: 1 is a straight line."""
    return statistics.correlation([c.x for c in contenders], [statistics.median(c.ms) for c in contenders])
