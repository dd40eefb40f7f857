#!/bin/bash
# What each program needs at run time, as a TAP suite. A hook that misses a library kills guests: libvirt takes a
# failed exec for a failed hook. So the guard may need none, and the worker what it was promised to need.
set -u
: "${BUILD:=build}"
failed=0 number=0

# needs PROGRAM PATTERN...: the NEEDED entries of its dynamic section are these and no others
needs() {
	local program=$1 needed
	shift
	number=$((number + 1))
	needed=$(readelf -d "$BUILD/$program" | sed -n 's/.*(NEEDED).*\[\(.*\)\]$/\1/p' | sort | paste -sd ' ')
	# shellcheck disable=SC2053 # a pattern is meant
	if [[ "$needed" == $* ]]; then
		echo "ok $number - $program needs $needed"
	else
		echo "not ok $number - $program needs '$needed', may need '$*'"
		failed=1
	fi
}

needs vmaffinity-guard ''
needs vmaffinity-hook 'libc.so.6 libexpat.so.1 libinih.so.1'
needs vmaffinity 'libc.so.6 libexpat.so.1 libinih.so.1 libjson-c.so.* libsmartcols.so.1 libsystemd.so.0 libvirt.so.0'

# Only xml.c may know Expat, only rules_parse.c inih, only cli/virt.c libvirt: the walls of the house.
only() {
	local header=$1 room=$2 found
	number=$((number + 1))
	found=$(grep -rlE "#include <$header" engine hook cli | sort | paste -sd ' ')
	if [ "$found" = "$room" ]; then
		echo "ok $number - <$header...> is included by $room alone"
	else
		echo "not ok $number - <$header...> is included by '$found', may be by '$room'"
		failed=1
	fi
}

only expat.h engine/guest/xml.c
only ini.h engine/rules/parse.c
only libvirt/ cli/virt.c

# Nothing in engine/ prints, logs or exits.
number=$((number + 1))
if found=$(grep -nE '\b(printf|puts|putchar|fputs|perror|syslog|exit|abort|_exit) ?\(|\b(stdout|stderr)\b' engine/*/*.c); then
	echo "not ok $number - engine/ prints, logs or exits:"
	printf '%s\n' "${found//$'\n'/$'\n# '}" | sed '1s/^/# /'
	failed=1
else
	echo "ok $number - nothing in engine/ prints, logs or exits"
fi
echo "1..$number"
exit $failed
