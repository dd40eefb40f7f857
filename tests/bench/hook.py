#!/usr/bin/python3
"""The same hook in Python: ElementTree for the XML, configparser for the masks, a file of [masks] GROUP = LIST."""
import configparser
import sys
import xml.etree.ElementTree


def main():
    _, _, operation, _, _, directory, ini = sys.argv
    if operation != "started":
        return
    domain = xml.etree.ElementTree.parse(sys.stdin)
    masks = configparser.ConfigParser()
    masks.read(ini)
    groups = ["emulator"]
    groups += [f"vcpu{n}" for n in range(int(domain.findtext("vcpu")))]
    groups += [f"iothread{n + 1}" for n in range(int(domain.findtext("iothreads", "0")))]
    for group in groups:
        with open(f"{directory}/{group}/cpuset.cpus", "w", encoding="ascii") as file:
            file.write(masks["masks"][group])


main()
