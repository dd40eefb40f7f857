"""What is pinned: guests of the private libvirt, and stand-ins for those that the machine does not hold.

vCPU n is to run on CPU n % CPUS, all else on CPU 0: each contender is given these masks in the form it takes, and
what it did is read back from the kernel.
"""
import os
import re
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

CPUS = min(2, len(os.sched_getaffinity(0)))
RUN = "/run/libvirt/qemu"


def put(path, text):
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def get(path):
    with open(path, encoding="ascii") as file:
        return file.read().strip()


def cpuset_mount():
    """(directory, whether it is cgroup v2) of the hierarchy with the cpuset controller."""
    v2 = None
    for line in get("/proc/self/mounts").splitlines():
        _, place, kind, options, *_ = line.split()
        if kind == "cgroup" and "cpuset" in options.split(","):
            return place, False
        if kind == "cgroup2":
            v2 = place
    return v2, True


MOUNT, V2 = cpuset_mount()
ALL = get(f"{MOUNT}/cpuset.cpus.effective" if V2 else f"{MOUNT}/cpuset.effective_cpus")


class Guest:
    """A running guest of any kind: its name, XML, and where the kernel has it."""

    def __init__(self, name, vcpus, iothreads, pid, directory, xml):
        self.name, self.vcpus, self.iothreads = name, vcpus, iothreads
        self.pid, self.directory, self.xml = pid, directory, xml
        self.masks = {"emulator": 0}
        self.masks |= {f"vcpu{n}": n % CPUS for n in range(vcpus)}
        self.masks |= {f"iothread{n + 1}": 0 for n in range(iothreads)}

    def threads(self, group):
        return [int(tid) for tid in get(f"{self.directory}/{group}/{'cgroup.threads' if V2 else 'tasks'}").split()]

    def rule(self, name=None):
        """The rule for this guest, for the rules file."""
        lines = [f"{group} = {cpu}\n" for group, cpu in self.masks.items()]
        return f"[{name or self.name}]\n" + "".join(lines)

    def reset(self):
        """No masks but the widest, no affinities."""
        for group in self.masks:
            put(f"{self.directory}/{group}/cpuset.cpus", ALL)
        for tid in os.listdir(f"/proc/{self.pid}/task"):
            try:
                os.sched_setaffinity(int(tid), range(os.cpu_count()))
            except ProcessLookupError:
                pass  # QEMU's own helpers come and go

    def pin(self):
        """The masks as they are to be."""
        self.reset()
        for group, cpu in self.masks.items():
            put(f"{self.directory}/{group}/cpuset.cpus", str(cpu))

    def affinities(self, group):
        for tid in self.threads(group):
            try:
                yield os.sched_getaffinity(tid)
            except ProcessLookupError:
                pass

    def is_pinned(self):
        """Whether each group's mask and each thread's affinity is what it is to be."""
        return all(
            get(f"{self.directory}/{group}/cpuset.cpus") == str(cpu)
            and all(cpus == {cpu} for cpus in self.affinities(group))
            for group, cpu in self.masks.items()
        )

    def is_on(self, cpu):
        """Whether each thread's affinity is that one CPU, whatever the masks."""
        return all(cpus == {cpu} for group in self.masks for cpus in self.affinities(group))


def padding(size):
    """Devices as libvirt writes them, size bytes or some more."""
    disks = []
    while size > 0:
        disks.append(
            f"    <disk type='file' device='disk'>\n      <driver name='qemu' type='qcow2' cache='none'/>\n"
            f"      <source file='/var/lib/libvirt/images/disk-{len(disks)}.qcow2' index='{len(disks)}'/>\n"
            f"      <backingStore/>\n      <target dev='vd{len(disks)}' bus='virtio'/>\n"
            f"      <alias name='virtio-disk{len(disks)}'/>\n      <address type='pci' domain='0x0000' bus='0x04' "
            f"slot='0x00' function='0x0'/>\n    </disk>\n"
        )
        size -= len(disks[-1])
    return "".join(disks)


def padded(xml, size):
    """The same domain with so many more devices that its XML has size bytes or some more."""
    return xml.replace("<devices>\n", "<devices>\n" + padding(size - len(xml)), 1)


class Libvirt:
    """The private libvirtd: guests with QEMU, diskless, with a firmware that halts."""

    def __init__(self, scratch):
        self.scratch, self.guests = scratch, []
        self.rom = f"{scratch}/halt.rom"
        with open(self.rom, "wb") as file:  # cli; hlt; jmp to the hlt, at the reset vector
            file.write(bytes(65520) + b"\xfa\xf4\xeb\xfd" + bytes(12))

    def virsh(self, *words):
        command = ["virsh", "-q", "-c", "qemu:///system", *words]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout

    def define(self, name, vcpus, iothreads):
        path = f"{self.scratch}/{name}.xml"
        put(
            path,
            f"<domain type='{os.environ['E2E_VIRT_TYPE']}'><name>{name}</name><memory unit='MiB'>64</memory>"
            f"<vcpu>{vcpus}</vcpu><iothreads>{iothreads}</iothreads><os><type arch='x86_64' machine='q35'>hvm</type>"
            f"<loader type='rom'>{self.rom}</loader></os><features><acpi/><apic/></features><devices>"
            f"<controller type='usb' model='none'/><memballoon model='none'/></devices></domain>",
        )
        self.virsh("define", path)

    def running(self, name, vcpus, iothreads):
        """The Guest of a domain that runs; its XML as a hook gets it."""
        pid = int(get(f"{RUN}/{name}.pid"))
        path = re.search(r"^0::(.*)" if V2 else r"^\d+:(?:[^:]*,)?cpuset[,:].*?(/.*)", get(f"/proc/{pid}/cgroup"), re.M)
        directory = os.path.dirname(MOUNT + path[1])
        xml = f"{self.scratch}/{name}.live.xml"
        put(xml, self.virsh("dumpxml", name))
        return Guest(name, vcpus, iothreads, pid, directory, xml)

    def start(self, name, vcpus, iothreads):
        self.define(name, vcpus, iothreads)
        self.virsh("start", name)
        self.guests.append(name)
        return self.running(name, vcpus, iothreads)

    def start_all(self, names, vcpus, iothreads):
        """As many at a time as there are CPUs."""
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            return list(pool.map(lambda name: self.start(name, vcpus, iothreads), names))

    def remove(self, name):
        self.virsh("destroy", name)
        self.virsh("undefine", name)

    def close(self):
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(self.remove, self.guests))
        self.guests = []


class StandIns:
    """Processes with threads in cgroups of their own, and a locked pid file: all that a guest is to a hook."""

    def __init__(self, scratch, program):
        self.scratch, self.program = scratch, program
        self.processes, self.made, self.status_files = [], [], []

    def make_group(self, path):
        if os.path.isdir(path):
            return
        os.mkdir(path)
        self.made.append(path)
        if not V2:
            for file in ("cpuset.cpus", "cpuset.mems"):
                put(f"{path}/{file}", get(f"{os.path.dirname(path)}/{file}"))

    def start(self, name, vcpus):
        os.makedirs(RUN, exist_ok=True)
        process = subprocess.Popen(
            [self.program, f"{RUN}/{name}.pid", str(vcpus + 1)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self.processes.append(process)
        process.stdout.readline()
        # as libvirt keeps one; from it, the guests that run are known
        self.status_files.append(f"{RUN}/{name}.xml")
        put(self.status_files[-1], f"<domstatus pid='{process.pid}'/>")
        directory = f"{MOUNT}/machine/{name}.libvirt-qemu"
        xml = f"{self.scratch}/{name}.xml"
        put(
            xml,
            f"<domain type='kvm' id='1'>\n  <name>{name}</name>\n  <vcpu placement='static'>{vcpus}</vcpu>\n"
            f"  <devices>\n  </devices>\n</domain>\n",
        )
        guest = Guest(name, vcpus, 0, process.pid, directory, xml)
        self.make_group(f"{MOUNT}/machine")
        self.make_group(directory)
        if V2:
            for path in (MOUNT, f"{MOUNT}/machine"):
                put(f"{path}/cgroup.subtree_control", "+cpuset")
        tids = sorted(int(tid) for tid in os.listdir(f"/proc/{process.pid}/task"))
        for group, tid in zip(guest.masks, tids):
            self.make_group(f"{directory}/{group}")
            if V2:
                put(f"{directory}/{group}/cgroup.type", "threaded")
        if V2:  # only threads can be in the groups below, once the process is here
            put(f"{directory}/cgroup.procs", str(process.pid))
            put(f"{directory}/cgroup.subtree_control", "+cpuset")
        for group, tid in zip(guest.masks, tids):
            put(f"{directory}/{group}/{'cgroup.threads' if V2 else 'tasks'}", str(tid))
        return guest

    def uri(self, guests):
        """A libvirt of its own that knows these, as running guests: the test driver's, which asks no daemon."""
        path = f"{self.scratch}/node.xml"
        domains = (
            f"<domain type='test'><name>{guest.name}</name><memory unit='MiB'>64</memory><vcpu>{guest.vcpus}</vcpu>"
            f"<os><type>hvm</type></os></domain>"
            for guest in guests
        )
        put(path, f"<node>{''.join(domains)}</node>")
        return f"test://{path}"

    def close(self):
        for path in self.status_files:
            os.unlink(path)
        self.status_files.clear()
        for process in self.processes:
            process.stdin.close()
        for process in self.processes:
            process.wait()
        for path in reversed(self.made):
            for _ in range(50):
                try:
                    os.rmdir(path)
                    break
                except OSError:
                    time.sleep(0.02)
        self.processes, self.made = [], []
