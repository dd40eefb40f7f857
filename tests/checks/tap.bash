# shellcheck shell=bash
# Tests in TAP for the scripts in this folder. They end with tap_end.

tap_number=0 tap_failed=0

# result NAME FINDINGS: one test, which passes without findings.
result()
{
	tap_number=$((tap_number + 1))
	if [ -z "$2" ]; then
		echo "ok $tap_number - $1"
	else
		echo "not ok $tap_number - $1"
		printf '# %s\n' "${2//$'\n'/$'\n# '}"
		tap_failed=1
	fi
}

# check NAME COMMAND...: one test, which passes if the command does; else its output is shown.
check()
{
	local output status=0
	output=$("${@:2}" 2>&1) || status=$?
	[ "$status" = 0 ] && output="" || output=${output:-it ended with status $status}
	result "$1" "$output"
}

tap_end()
{
	echo "1..$tap_number"
	exit "$tap_failed"
}
