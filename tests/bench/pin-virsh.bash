#!/bin/bash
# pin-virsh.bash GUEST MASKS: a call of virsh for each group. From outside the hook: within it libvirt would wait for
# itself.
virsh="virsh -q -c qemu:///system"
while read -r group list; do
	case $group in
	emulator) $virsh emulatorpin "$1" "$list" --live ;;
	vcpu*) $virsh vcpupin "$1" "${group#vcpu}" "$list" --live ;;
	iothread*) $virsh iothreadpin "$1" "${group#iothread}" "$list" --live ;;
	esac </dev/null || exit
done <"$2"
