#!/usr/bin/python3
"""Asks libvirt for the XML of each guest that runs, and does nothing with it: what apply pays before it has read a file."""
import sys

import libvirt


def main():
    for guest in libvirt.openReadOnly(sys.argv[1]).listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE):
        guest.XMLDesc()


main()
