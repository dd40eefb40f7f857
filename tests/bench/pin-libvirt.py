#!/usr/bin/python3
"""pin-libvirt.py GUEST MASKS: the same calls from one process. From outside the hook, too."""
import re
import sys

import libvirt


def main():
    connection = libvirt.open("qemu:///system")
    guest = connection.lookupByName(sys.argv[1])
    cpus = connection.getCPUMap()[0]
    live = libvirt.VIR_DOMAIN_AFFECT_LIVE
    with open(sys.argv[2], encoding="ascii") as file:
        for line in file:
            group, cpu = line.split()
            mask = tuple(n == int(cpu) for n in range(cpus))
            kind, number = re.fullmatch(r"([a-z]+)(\d*)", group).groups()
            if kind == "emulator":
                guest.pinEmulator(mask, live)
            elif kind == "vcpu":
                guest.pinVcpuFlags(int(number), mask, live)
            else:
                guest.pinIOThread(int(number), mask, live)


main()
