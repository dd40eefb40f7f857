#!/usr/bin/env bats
# vmaffinity watch where no libvirt answers. What it does to guests: tests/e2e/watch.bats.
# shellcheck disable=SC2154 # stderr, set by run

load cli

setup()
{
	cli_setup
	mkdir "$BATS_TEST_TMPDIR/rules"
	rules=$BATS_TEST_TMPDIR/rules/rules.ini
	out=$BATS_TEST_TMPDIR/out
	nobody="qemu+unix:///system?socket=$BATS_TEST_TMPDIR/nobody"
}
teardown() { [ -z "${watch:-}" ] || kill -KILL "$watch"; }

# eventually REGEX N: N lines of its output are like that, within 10 s.
eventually()
{
	local tries=0
	until [ "$(grep -cE -- "$1" "$out")" = "$2" ]; do
		[ $((tries += 1)) -le 200 ] || { cat "$out" >&2; return 1; }
		sleep 0.05
	done
}

@test "rules whose directory is not there: it cannot be watched" {
	run -3 --separate-stderr vmaffinity watch --config "$BATS_TEST_TMPDIR/none/rules.ini" --connect "$nobody"
	same "vmaffinity: the directory of $BATS_TEST_TMPDIR/none/rules.ini cannot be watched: No such file or directory" "$stderr"
}

# bats test_tags=sanitized
@test "it waits for libvirt, reads what is edited, and ends well" {
	printf '[*]\nvcpus = 1-0\n' >"$rules"
	"$BUILD/vmaffinity" watch --config "$rules" --connect "$nobody" >"$out" 2>&1 3>&- &
	watch=$!
	eventually 'range 1-0 runs backwards' 1
	eventually 'the rules have errors: none is in force' 1
	eventually 'trying again until it answers' 1
	printf '[*]\nvcpus = 0-1\n' >"$rules.new"
	mv "$rules.new" "$rules"
	eventually '^rules in force: 1, from 1 file$' 1
	chmod 666 "$rules"
	eventually 'the rules have errors: those before stay in force' 1
	chmod 644 "$rules"
	eventually '^rules in force: 1, from 1 file$' 2
	kill -HUP "$watch"
	eventually '^rules in force: 1, from 1 file$' 3
	: >"${rules%/*}/other.ini"
	# the directory goes, and another one comes
	rm -r "${rules%/*}"
	eventually 'the rules have errors: those before stay in force' 2
	mkdir "${rules%/*}"
	printf '[*]\nvcpus = 0\n[x]\nvcpus = 1\n' >"$rules"
	eventually '^rules in force: 2, from 1 file$' 1
	printf '[*]\nvcpus = 0\n' >"$rules"
	eventually '^rules in force: 1, from 1 file$' 4
	kill -TERM "$watch"
	wait "$watch"
	watch=
	eventually 'trying again until it answers' 1
	eventually '^rules in force' 5
}

@test "errors and warnings bear their priority where stderr is the journal" {
	printf '[*]\nvcpus = 1-0\n' >"$rules"
	: >"$out"
	# shellcheck disable=SC2094 # the file that is written to is only named
	JOURNAL_STREAM=$(stat -c %d:%i "$out") "$BUILD/vmaffinity" watch --config "$rules" --connect "$nobody" >>"$out" 2>&1 3>&- &
	watch=$!
	eventually '^<3>error: .*range 1-0 runs backwards' 1
	eventually '^<3>the rules have errors: none is in force$' 1
	eventually '^<3>.*trying again until it answers$' 1
	printf '[*]\nvcpus = 0-1\n' >"$rules"
	eventually '^rules in force: 1, from 1 file$' 1
	kill -TERM "$watch"
	wait "$watch"
	JOURNAL_STREAM=1:1 "$BUILD/vmaffinity" watch --config "$rules" --connect "$nobody" >"$out" 2>&1 3>&- &
	watch=$!
	eventually '^[^<].*trying again until it answers$' 1
	kill -TERM "$watch"
	wait "$watch"
	watch=
}

@test "output that nobody reads any more: it ends with 3, not by a signal" {
	printf '[*]\nvcpus = 0\n' >"$rules"
	mkfifo pipe
	"$BUILD/vmaffinity" watch --config "$rules" --connect "$nobody" >pipe 2>"$out" 3>&- &
	watch=$!
	head -n 1 pipe >first
	same "rules in force: 1, from 1 file" "$(cat first)"
	kill -HUP "$watch"
	local status=0
	wait "$watch" || status=$?
	same 3 "$status"
	watch=
	eventually '^vmaffinity: standard output: ' 1
}
