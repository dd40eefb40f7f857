#!/bin/bash
# The hook that people write: GUEST started begin - DIRECTORY MASKS. The number of vCPUs from the guest's XML, masks
# from a file of lines "GROUP LIST", echoed into the cgroups. Where those are it is told; a real one has to guess.
[ "$2" = started ] || exit 0
vcpus=$(xmllint --xpath 'string(/domain/vcpu)' -)
iothreads=0
declare -A mask
while read -r group list; do
	mask[$group]=$list
	[[ $group != iothread* ]] || iothreads=$((iothreads + 1))
done <"$6"
cd "$5" || exit
echo "${mask[emulator]}" >emulator/cpuset.cpus
for ((i = 0; i < vcpus; i++)); do
	echo "${mask[vcpu$i]}" >"vcpu$i/cpuset.cpus"
done
for ((i = 1; i <= iothreads; i++)); do
	echo "${mask[iothread$i]}" >"iothread$i/cpuset.cpus"
done
