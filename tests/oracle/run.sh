#!/bin/bash
# Uses hwloc as the oracle for topology words: on each machine in tests/fixtures/machines that has a topology, CPU sets mean
# the same to us and to hwloc-calc, which reads the same files. TAP, a test for each machine.
#
# usage: [BUILD=DIR] tests/oracle/run.sh [MACHINE...]
#        EXPRESSIONS: number for each machine (400). SHOW=1: prints all of them with both results
#
# The CPU sets are random, but the same in every run. hwloc is configured to read only files. It reads the kernel's masks,
# which are made from the lists next to them that capture takes. Known differences, and sets that are not compared:
#  - An index that does not exist is an error to us. hwloc warns, and continues with those that exist.
#  - Since 2.9.3, hwloc also counts in "core:0.node:0" what extends beyond the core. We count only what is inside, as hwloc
#    did before. That hwloc is compared only for levels that always contain one another.
#  - "2-" where there are fewer than two: hwloc 2.9 counts from there to the end of its numbers.
#  - A node without CPUs has, to hwloc and to us, those of the nodes that its "distance" says are the nearest. hwloc then
#    finds little inside of such nodes, or nothing: on such machines nodes stand alone. Where none is nearer than another it
#    has no CPUs; an item that means none is an error to us, and hwloc takes the others. These are counted.
set -u
cd "$(dirname "$0")/../.." || exit 2
export LC_ALL=C HWLOC_THISSYSTEM=0 HWLOC_COMPONENTS=linux,stop
evaluate=${BUILD:-build}/tests/oracle/evaluate
command -v hwloc-calc >/dev/null || { echo "Bail out! hwloc-calc is not there: package hwloc-nox"; exit 1; }
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT

# masks FILE: for each list of CPUs in a machine the line of the mask that the kernel has next to it.
masks()
{
	awk '
	function mask(list,  count, items, i, ends, cpu, last, word, words, text) {
		last = 0
		count = split(list, items, ",")
		for (i = 1; i <= count; i++) {
			split(items[i] "-" items[i], ends, "-")
			for (cpu = ends[1]; cpu <= ends[2] + 0; cpu++) {
				words[int(cpu / 32)] += 2 ^ (cpu % 32)
				last = cpu > last ? cpu : last
			}
		}
		for (word = int(last / 32); word >= 0; word--)
			text = text (text == "" ? "" : ",") sprintf("%04x%04x", int(words[word] / 65536), words[word] % 65536)
		return text
	}
	/^sys.*(_list|\/cpulist)( |$)/ {
		path = $1
		if (!sub("shared_cpu_list", "shared_cpu_map", path) && !sub("/cpulist", "/cpumap", path))
			sub("_list$", "", path)
		print path, mask($2)
	}' "$1"
}

# expressions FILE: COUNT lines of a CPU set of ours, a tab, and hwloc's arguments for the same.
expressions()
{
	awk -v wanted="${EXPRESSIONS:-400}" -v narrow="$narrow" '
	function random(n) { # 0 to n - 1; Park and Miller, so that every awk has the same
		seed = seed * 16807 % 2147483647
		return seed % n
	}
	# mostly one that there is; outer is the word that it is counted in
	function index_of(kind, outer,  few) {
		few = kind == "socket" ? count["package"] : kind == "ccx" ? count["l3"] : count[kind]
		if (outer != "")
			few = kind == "core" || kind == "pu" && outer != "core" ? 3 : kind == "pu" ? 2 : 1
		return random(random(25) ? few + !few : few + 3)
	}
	# one word and its list; for hwloc, which has no lists, also each of its items
	# one word and its list, in the word outer or alone; for hwloc, which has no lists, part[] has each of its items
	function link(outer, chained,  kind, other, words, n, i, first) {
		words = "node package socket l3 ccx core core core pu pu"
		if (outer != "" && (narrow || random(5)))
			words = outer == "package" ? "l3 core core pu" : outer == "core" ? "pu" : "core core pu"
		else if (narrow && chained)
			words = "node package l3 core"
		if (memory_only && (chained || outer != ""))
			gsub("node", "core", words)
		n = split(words, kinds, " ")
		kind = kinds[random(n) + 1]
		other = kind == "node" ? "numa" : kind == "socket" ? "package" : kind == "ccx" ? "l3" : kind
		first = index_of(kind, outer)
		parts = 1
		n = random(9)
		if (n < 4)
			list = part[1] = first
		else if (n < 6)
			list = part[1] = first "-" first + random(random(9) ? 2 : 4)
		else if (n < 7)
			list = part[1] = (kind == "pu" && outer == "" && first < count["pu"] ? first : 0) "-"
		else if (n < 8)
			list = part[1] = "all"
		else {
			list = part[1] = first
			for (i = random(3); i >= 0; i--)
				list = list "," (part[++parts] = index_of(kind, outer))
		}
		list = kind ":" list
		for (i = 1; i <= parts; i++)
			part[i] = other ":" part[i]
		return other
	}
	function item(  depth, n, i, j, so_far, ours, word) {
		theirs_parts = 1
		if (!random(25))
			return theirs_part[1] = "all"
		theirs_part[1] = ""
		depth = random(10)
		for (depth = depth < 4 ? 1 : depth < 8 ? 2 : 3; depth > 0 && !(narrow && word == "pu"); depth--) {
			word = link(word, depth > 1)
			ours = ours (ours == "" ? "" : ".") list
			n = 0
			for (i = 1; i <= theirs_parts; i++)
				for (j = 1; j <= parts; j++)
					so_far[++n] = theirs_part[i] (theirs_part[i] == "" ? "" : ".") part[j]
			theirs_parts = n
			for (i = 1; i <= n; i++)
				theirs_part[i] = so_far[i]
		}
		return ours
	}
	function expression(  items, excluded, i, j, ours, theirs, text) {
		items = random(3) ? 1 : 1 + random(3)
		excluded = random(3) ? 0 : 1 + random(2)
		for (i = 1; i <= items + excluded; i++) {
			text = item()
			ours = ours (i > 1 ? " " : "") (i > items ? "^" : "") text
			for (j = 1; j <= theirs_parts; j++)
				theirs = theirs (theirs == "" ? "" : " ") (i > items ? "~" : "") theirs_part[j]
		}
		print ours "\t" theirs
	}
	function note(kind) {
		if (!seen[kind, $2]++)
			count[kind]++
	}
	function length_of(list,  parts, i, items, ends, sum) {
		parts = split(list, items, ",")
		for (i = 1; i <= parts; i++) {
			split(items[i] "-" items[i], ends, "-")
			sum += ends[2] - ends[1] + 1
		}
		return sum
	}
	$1 == "sys/devices/system/cpu/online" { count["pu"] = length_of($2) }
	$1 == "sys/devices/system/node/online" { count["node"] = length_of($2) }
	/^sys.*\/cpulist$/ { memory_only = 1 }
	/\/package_cpus_list / { note("package") }
	/\/core_cpus_list / { note("core") }
	/\/cache\/index[0-9]\/level 3$/ { third[substr($1, index($1, "/index"), 7)] = 1 }
	/\/shared_cpu_list / && substr($1, index($1, "/index"), 7) in third { note("l3") }
	END {
		seed = 4711
		while (wanted-- > 0)
			expression()
	}' "$1"
}

# oracle: what hwloc says of each line of arguments: a mask, "none" if there is no such object, or both, "MASK or none", if
# "all" or "0-" in some object found nothing, which is an error to us if nothing at all was found.
oracle()
{
	HWLOC_FSROOT=$work/tree stdbuf -oL hwloc-calc --taskset 2>&1 | awk '
		/^0x/ { print none ? "none" : nothing ? $0 " or none" : $0; none = nothing = 0 }
		/does not exist|could not find level|unrecognized/ { none = 1 }
		/failed to use any/ { nothing = 1 }'
}

# judge MACHINE: what the table says, as a test.
judge()
{
	awk -F '\t' -v machine="$1" -v number="$number" -v show="${SHOW:-}" '
	{
		compared++
		mask = $3 ~ /^0x/
		none += !mask
		if ($3 ~ /: there are no CPUs, only memory$/ && $4 ~ /^0x/ && $4 != "0x0")
			memory_only++
		else if (mask ? $3 != $4 && $3 " or none" != $4 : $4 !~ /none|^0x0$/)
			wrong[++differ] = $0
		if (show)
			print "# " $0
	}
	END {
		good = compared > 0 && !differ
		printf "%s %d - %s: %d compared, %d of them sets and %d none; %d differ", good ? "ok" : "not ok", number, machine,
			compared, compared - none, none, differ
		print memory_only ? "; " memory_only " have an item of memory only" : ""
		for (i = 1; i <= differ && i <= 10; i++)
			print "# " wrong[i]
		exit !good
	}' "$work/table"
}

# compare MACHINE
compare()
{
	local text=tests/fixtures/machines/$1.txt
	rm -rf "$work/tree"
	masks "$text" >"$work/masks"
	expressions "$text" >"$work/both"
	tests/fixtures/expand.py "$text" "$work/tree" && tests/fixtures/expand.py "$work/masks" "$work/tree"
	cut -f 1 "$work/both" | "$evaluate" "$work/tree" >"$work/ours"
	cut -f 2 "$work/both" | oracle >"$work/theirs"
	paste "$work/both" "$work/ours" "$work/theirs" >"$work/table"
	judge "$1"
}

narrow=1
[ "$(env -u HWLOC_COMPONENTS hwloc-calc -i "core:1 pu:2" -q --taskset pu:0.core:0 2>/dev/null)" != 0x0 ] || narrow=0
number=0 failed=0
if [ $# = 0 ]; then
	mapfile -t machines < <(grep -l /topology/ tests/fixtures/machines/*.txt | xargs -n 1 basename -s .txt)
	set -- "${machines[@]}"
fi
for machine; do
	number=$((number + 1))
	compare "$machine" || failed=1
done
echo "1..$number"
exit $failed
