#!/usr/bin/env python3
"""Compares the CPUs and nodes that a guest's XML pins to with those of a plan: vmaffinity import's rules give the same ones.

usage: tests/checks/xml_pins.py <PAIRS      a line "DOMAIN.xml PLAN.json" each; prints what differs, and last how much was compared
"""
import json
import sys
import xml.etree.ElementTree as ElementTree


def cpus(text):
    """The numbers in a list as libvirt has it: "0-3,^2,8"."""
    numbers = set()
    for item in text.replace(" ", "").split(",") if text else []:
        first, _, last = item.lstrip("^").partition("-")
        part = set(range(int(first), int(last or first) + 1))
        numbers = numbers - part if item.startswith("^") else numbers | part
    return numbers


def wanted(domain):
    """The pins: {group: numbers}."""
    vcpu, tune, found = domain.find("vcpu"), domain.find("cputune"), {}
    count = int(vcpu.text) if vcpu is not None else 1
    ids = [int(one.get("id")) for one in domain.findall("iothreadids/iothread")]
    threads = domain.find("iothreads")
    for number in range(1, int(threads.text) + 1 if threads is not None else 1):
        if len(ids) < int(threads.text) and number not in ids:
            ids.append(number)
    groups = ["emulator"] + [f"vcpu{n}" for n in range(count)] + [f"iothread{n}" for n in ids]
    if vcpu is not None and vcpu.get("cpuset") and vcpu.get("placement") != "auto":
        found = {group: cpus(vcpu.get("cpuset")) for group in groups}
    for name, number in (("emulatorpin", None), ("vcpupin", "vcpu"), ("iothreadpin", "iothread")):
        for pin in tune.findall(name) if tune is not None else []:
            group = name[:-3] + (pin.get(number) if number else "")
            if group in groups:
                found[group] = cpus(pin.get("cpuset"))
    return found


def differences(domain, plan):
    """What differs, as text, and how many sets were compared."""
    planned = {group["group"]: cpus(group["cpus"]) for group in plan["groups"] if group["cpus"] is not None}
    expected = wanted(domain)
    offline = set(expected) - {group["group"] for group in plan["groups"]}
    found = [f"{group}: XML {expected.get(group)}, plan {planned.get(group)}"
             for group in sorted(planned.keys() | expected.keys() - offline) if planned.get(group) != expected.get(group)]
    memory = domain.find("numatune/memory")
    nodes = cpus(memory.get("nodeset")) if memory is not None and memory.get("nodeset") and \
        memory.get("mode", "strict") in ("strict", "restrictive") and memory.get("placement") != "auto" else None
    if nodes != (cpus(plan["memory"]["nodes"]) if plan["memory"] else None):
        found.append(f"memory: XML {nodes}, plan {plan['memory']}")
    return found, len(expected) + (nodes is not None)


guests = sets = failed = 0
for line in sys.stdin:
    xml, path = line.split()
    with open(path, encoding="utf-8") as file:
        problems, count = differences(ElementTree.parse(xml).getroot(), json.load(file)["guests"][0])
    print("".join(f"{xml}: {problem}\n" for problem in problems), end="")
    guests, sets, failed = guests + 1, sets + count, failed + len(problems)
print(f"{guests} guests, {sets} sets compared, {failed} differ")
sys.exit(failed > 0)
