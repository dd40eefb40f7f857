#!/usr/bin/env bats
# Files of /sys that each kind of rule reads.

load cli

setup()
{
	cli_setup
	host_with smp-interleaved
}

# reads SET FILES: for "vcpus = SET" exactly these are opened or asked for below /sys/devices, whether they are there or
# not; for each kind of number one line, the numbers replaced by N.
reads()
{
	printf '[*]\nvcpus = %s\n' "$1" >root/etc/vmaffinity.ini
	strace -E ASAN_OPTIONS=detect_leaks=0 -f -y -qq -e trace=%file -o trace \
		"$BUILD/vmaffinity" plan --sysroot root --xml web-1.xml >/dev/null
	same "$2" "$(sed -nE 's/^[0-9]+ +[a-z0-9]+\([0-9]+<([^>]*)>, "([^"]*)".*/\1\/\2/p' trace |
		sed -n "s:^$(realpath root)/sys/devices/::p" | sed -E 's/(cpu|node)[0-9]+/\1N/; s/index[0-9]+/indexN/' | sort -u)"
}

CPU="system/cpu/cpuN/cache/indexN/level
system/cpu/cpuN/cache/indexN/shared_cpu_list
system/cpu/cpuN/topology/book_siblings_list
system/cpu/cpuN/topology/cluster_cpus_list
system/cpu/cpuN/topology/core_cpus_list
system/cpu/cpuN/topology/die_cpus_list
system/cpu/cpuN/topology/drawer_siblings_list
system/cpu/cpuN/topology/package_cpus_list"
NODE="system/node
system/node/nodeN/cpulist
system/node/online"

@test "numbers alone: nothing of nodes, nothing of a single CPU" {
	reads "0-3,4-7:1/2 ^1" "system/cpu/online"
}

@test "all, isolated, and a word in a rule for another guest: neither" {
	mkdir root/etc/vmaffinity.d
	printf '[cpus]\nunused = node:0 core:0\n[other]\nvcpus = @unused pu:0\n' >root/etc/vmaffinity.d/other.ini
	reads "all ^0" "system/cpu/online"
	echo 6-7 >root/sys/devices/system/cpu/isolated
	reads "isolated 1" "system/cpu/isolated
system/cpu/online"
}

@test "nodes: their files, and one CPU of each where there are several" {
	reads node:0 "system/cpu
$CPU
system/cpu/online
$NODE"
	# Their numbers are 0, 1: so cpu0 and cpu1, no other.
	run -0 grep -oE 'cpu[0-9]+/' trace
	same "cpu0/ cpu1/" "$(sort -u <<<"$output" | paste -sd ' ')"
	echo 0 >root/sys/devices/system/node/online
	reads node:0 "system/cpu
system/cpu/online
$NODE"
}

@test "packages, L3s: one CPU of each; cores, hardware threads: one of each core" {
	local word
	for word in package:0 l3:1; do
		reads $word "system/cpu
$CPU
system/cpu/online
$NODE"
		run -0 grep -oE 'cpu[0-9]+/' trace
		same "cpu0/ cpu1/" "$(sort -u <<<"$output" | paste -sd ' ')"
	done
	for word in core:0 pu:1 node:0.core:0.pu:1; do
		reads $word "system/cpu
$CPU
system/cpu/online
$NODE"
		run -0 grep -oE 'cpu[0-9]+/' trace
		same "cpu0/ cpu1/ cpu2/ cpu3/" "$(sort -u <<<"$output" | paste -sd ' ')"
	done
}

@test "kinds of cores: not what is around them" {
	host_with hybrid-cores
	reads "all ^pcores" "cpu_atom/cpus
cpu_core/cpus
system/cpu/online"
	host_with arm-flat
	reads "all ^pcores" "cpu_atom/cpus
cpu_core/cpus
system/cpu/cpuN/cpu_capacity
system/cpu/online"
}
