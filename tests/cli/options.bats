#!/usr/bin/env bats
# The treatment of vmaffinity's command line, inputs and outputs.
# shellcheck disable=SC2154,SC2016 # stderr and stderr_lines, set by run; what eval expands

load cli

setup() { cli_setup; }
teardown() { cd / && rm -rf "${copy:-}"; }

@test "--version, whatever else there is" {
	run -0 --separate-stderr vmaffinity --version
	same "" "$stderr"
	[[ $output =~ ^vmaffinity\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
	version=$output
	run -0 vmaffinity plan --config nowhere --version
	same "$version" "$output"
	same "${version/ /-hook }" "$("$BUILD/vmaffinity-hook" --version)"
}

@test "--help: the commands, on stdout" {
	run -0 --separate-stderr vmaffinity --help
	same "" "$stderr"
	same "Usage: vmaffinity COMMAND [OPTION...] [ARGUMENT...]" "${lines[0]}"
	general=$output
	for word in plan check apply release record status map doctor watch import capture enable disable help -h,\ --help -V,\ --version; do grep -qE "^ +$word " <<<"$output"; done
	run -0 vmaffinity help
	same "$general" "$output"
}

@test "a command's --help, in three ways; nothing is looked at for it" {
	for command in plan check apply status map doctor watch capture enable disable release record import; do
		run -0 --separate-stderr vmaffinity "$command" --help
		same "" "$stderr"
		[[ ${lines[0]} == "Usage: vmaffinity $command "* ]]
		[[ ${lines[-1]} == "Exit status: "* ]]
		help=$output
		same "$help" "$(vmaffinity --help "$command")"
		same "$help" "$(vmaffinity help "$command")"
		same "$help" "$(vmaffinity "$command" --config nowhere --sysroot nowhere --help)"
	done
	[ "$(vmaffinity help plan)" != "$(vmaffinity help check)" ]
}

@test "--quiet: the exit status alone, and errors" {
	echo "[db1]" >rules.ini
	echo "vcpus = ^0 0-3" >>rules.ini
	run -1 --separate-stderr vmaffinity check --quiet rules.ini
	same "" "$output$stderr"
	echo "vcpus = x" >>rules.ini
	run -2 --separate-stderr vmaffinity check -q rules.ini
	same "" "$output$stderr"
	refused "check: --quiet excludes --json, --metrics, --nagios and --verbose" check --quiet --json
	refused "'map' has no option '--quiet'" map --quiet
}

@test "help fits a terminal of 80 columns" {
	for command in "" plan check apply status map doctor watch capture enable disable release record import; do
		# shellcheck disable=SC2086 # perhaps none
		run -0 vmaffinity help $command
		run ! grep -E '^.{81}' <<<"$output"
	done
}

# bats test_tags=sanitized
@test "misuse: one line that says what is wrong, one on --help, nothing on stdout, status 2" {
	refused "no command given"
	refused "no command given" --json
	refused "unknown command 'frobnicate'" frobnicate
	refused "unknown command 'frobnicate'" help frobnicate
	refused "unknown command 'Plan'; did you mean 'plan'?" Plan
	refused "unknown command 'stauts'; did you mean 'status'?" help stauts
	refused "unknown command ''" ''
	refused "unknown option '--frobnicate'" --frobnicate
	refused "unknown option '--frobnicate'" plan --frobnicate
	refused "unknown option '-x'" check -x
	refused "unknown option '-x'" check -hx
	refused "option '-c' requires an argument" plan -c
	refused "option '--config' requires an argument" plan --config
	refused "option '--json' takes no argument" plan --json=yes
	refused "unknown option '--co'; did you mean '--config'?" plan --co x
	refused "unknown option '--sys'; did you mean '--sysroot'?" plan --sys=root
	refused "unknown option '--jsno'; did you mean '--json'?" status --jsno
	refused "map: unexpected argument 'one'" map one
}

@test "misuse that only the commands know is told in the same form" {
	refused "plan: GUEST and --xml exclude each other" plan --xml web-1.xml web-1
	refused "check: FILE and --config exclude each other" check --config rules.ini rules.ini
	refused "apply: GUEST and --all exclude each other" apply --all web-1
	refused "'apply' has no option '--sysroot'" apply --sysroot root
	refused "'watch' has no option '--json'" watch --json
}

@test "help takes one command" {
	refused "help: unexpected argument 'check'" help plan check
}

@test "options: anywhere, short, with '='; after '--' there are none" {
	rules '[*]\nvcpus = 1\n'
	run -0 vmaffinity plan --sysroot root --config rules.ini --xml web-1.xml
	plan=$output
	same "$plan" "$(vmaffinity --xml=web-1.xml --config=rules.ini --sysroot=root plan)"
	same "$plan" "$(vmaffinity --sysroot root plan -c rules.ini --xml web-1.xml)"
	same "$plan" "$(vmaffinity plan -crules.ini --sysroot root --xml web-1.xml)"
	same "$(vmaffinity --version)" "$(vmaffinity -V)"
	same "$(vmaffinity plan --help)" "$(vmaffinity plan -h)"
	cp rules.ini ./--json
	finds "" --sysroot root -- --json
}

@test "--sysroot: not there, not a directory, without /sys" {
	rules '[*]\nvcpus = 1\n'
	cannot "vmaffinity: nowhere: No such file or directory" vmaffinity plan --sysroot nowhere --xml web-1.xml
	cannot "vmaffinity: nowhere: No such file or directory" vmaffinity check --sysroot nowhere
	cannot "vmaffinity: rules.ini: Not a directory" vmaffinity check --sysroot rules.ini
	mkdir empty
	cannot "vmaffinity: web-1: /sys/devices/system/cpu/online: No such file or directory" \
		vmaffinity plan --sysroot empty --config rules.ini --xml web-1.xml
	finds "" --sysroot empty
}

@test "--sysroot: rules, /sys and guests are those below it" {
	host 0-7
	printf '[*]\nvcpus = 2-99\n' >root/etc/vmaffinity.ini
	mkdir root/etc/vmaffinity.d
	printf '[*]\nemulator = 1\n' >root/etc/vmaffinity.d/b.ini
	printf '[*]\nemulator = 0\n' >root/etc/vmaffinity.d/c.ini
	echo '[' >root/etc/vmaffinity.d/a.conf
	echo '[' >root/etc/vmaffinity.d/.hidden.ini
	run -1 vmaffinity plan --sysroot root --xml web-1.xml --json
	same "/etc/vmaffinity.ini:1 /etc/vmaffinity.d/b.ini:1 /etc/vmaffinity.d/c.ini:1" "$(jq -r '[.guests[].rules[] | "\(.file):\(.line)"] | join(" ")' <<<"$output")"
	same "0 2-7" "$(jq -r '[.guests[0].groups[0, 1].cpus] | join(" ")' <<<"$output")"
	finds "\
warning: /etc/vmaffinity.ini:2: vcpus wants 2-99, but this host has only CPUs 0-7: the others are left out
warning: /etc/vmaffinity.d/b.ini:2: emulator never counts: /etc/vmaffinity.d/c.ini:2 sets emulator for every guest, and comes later; write what is for every guest first" \
		--sysroot root # no guest of this machine is asked for, only its rules
}

# Each way in which a rules file cannot be read, with the name to give and the message.
bad_files()
{
	mkdir directory
	mkfifo fifo
	rules '[*]\nvcpus = 0\n'
	ln -s rules.ini link
	for name in all group stranger; do cp rules.ini $name; done
	chmod 666 all
	chmod 620 group
	chown 65534 stranger
	{ cat rules.ini && head -c $((4 * 1024 * 1024 + 1)) /dev/zero | tr '\0' '#'; } | head -c $((4 * 1024 * 1024 + 1)) >large
	cat <<-'END'
		nowhere|No such file or directory
		directory|is a directory, must be a file
		fifo|is not a regular file
		link|is a symbolic link, must be the file itself
		all|group or others may write it (mode 0666); run chmod go-w on it
		group|group or others may write it (mode 0620); run chmod go-w on it
		stranger|belongs to user 65534, not to root; run chown root on it
		large|larger than 4 MiB
		/dev/null|is not a regular file
	END
}

@test "--config: missing, a directory, a FIFO, a link, too open, a stranger's, too large" {
	bad_files >table
	while IFS='|' read -r name message; do
		fails 2 "error: $name: $message" vmaffinity plan --config "$name" --sysroot root --xml web-1.xml
		finds "error: $name: $message" --config "$name"
		finds "error: $name: $message" "$name"
	done <table
}

@test "the rules in their places: the same faults, and all of them at once" {
	rules '[*]\nvcpus = 0\n'
	mkdir root/etc/vmaffinity.d
	mkfifo root/etc/vmaffinity.d/a.ini
	ln -s ../../../rules.ini root/etc/vmaffinity.d/b.ini
	mkdir root/etc/vmaffinity.d/c.ini
	printf '[*]\nvcpuz = 0\nvcpus = 3-\n' >root/etc/vmaffinity.d/d.ini
	install -m 602 rules.ini root/etc/vmaffinity.ini
	finds "\
error: /etc/vmaffinity.ini: group or others may write it (mode 0602); run chmod go-w on it
error: /etc/vmaffinity.d/a.ini: is not a regular file
error: /etc/vmaffinity.d/b.ini: is a symbolic link, must be the file itself
error: /etc/vmaffinity.d/c.ini: is a directory, must be a file
error: /etc/vmaffinity.d/d.ini:2: unknown key 'vcpuz'; did you mean 'vcpus'?
error: /etc/vmaffinity.d/d.ini:3:11: a CPU number is missing" --sysroot root
	run -2 --separate-stderr vmaffinity plan --sysroot root --xml web-1.xml
	same "" "$output"
	[ "${#stderr_lines[@]}" = 6 ]
	rm -r root/etc/vmaffinity.d/*
	chmod 777 root/etc/vmaffinity.d
	chmod 644 root/etc/vmaffinity.ini
	finds "error: /etc/vmaffinity.d: group or others may write it (mode 0777); run chmod go-w on it" --sysroot root
}

@test "a file of just 4 MiB, without an end of line, with CR and LF: taken" {
	{ printf '[*]\r\nemulator=0\r\n' && head -c $((4 * 1024 * 1024 - 17)) /dev/zero | tr '\0' '\n'; } >rules.ini
	[ "$(stat -c %s rules.ini)" = $((4 * 1024 * 1024)) ]
	finds "" rules.ini --sysroot root --xml web-1.xml
	printf '[*]\nvcpus = 1' >rules.ini
	run -0 vmaffinity plan --sysroot root --config rules.ini --xml web-1.xml --json
	same 1 "$(jq -r '.guests[0].groups[1].cpus' <<<"$output")"
}

@test "an ordinary user's own rules and XML will do for that user" {
	copy=$(mktemp -d) # where that user can go
	cp "$BUILD/vmaffinity" "$BUILD/xml.so" web-1.xml "$copy"
	cp -r root "$copy"
	printf '[*]\nvcpus = 2\n' >"$copy/rules.ini"
	chown -R 65534 "$copy"
	cd "$copy"
	run -0 setpriv --reuid=65534 --regid=65534 --clear-groups ./vmaffinity plan --sysroot root --config rules.ini --xml web-1.xml
	[[ $output == *"vcpu0-3     2 "* ]]
	chown 65533 rules.ini
	run -2 setpriv --reuid=65534 --regid=65534 --clear-groups ./vmaffinity plan --sysroot root --config rules.ini --xml web-1.xml
	same "error: rules.ini: belongs to user 65533, not to root; run chown root on it" "$output"
}

@test "the module for XML beside the program: taken if it is as safe as the program, and from nowhere else" {
	copy=$(mktemp -d)
	cp "$BUILD/vmaffinity" "$BUILD/xml.so" web-1.xml "$copy"
	cp -r root "$copy"
	printf '[*]\nvcpus = 2\n' >"$copy/rules.ini"
	cd "$copy"
	local plan=(./vmaffinity plan --sysroot root --config rules.ini --xml web-1.xml)
	run -0 "${plan[@]}"
	chmod 666 xml.so
	run -3 "${plan[@]}"
	[[ $output == *": $copy/xml.so: is not a file that root alone may write"* ]]
	chmod 644 xml.so
	chown 65533 xml.so
	run -3 "${plan[@]}"
	[[ $output == *": $copy/xml.so: is not a file that root alone may write"* ]]
	mkdir bin
	echo text >xml.so # of the current directory: not looked at
	mv vmaffinity bin
	cp "$BUILD/xml.so" bin
	PATH=$copy/bin:$PATH run -0 bin/vmaffinity "${plan[@]:1}"
	printf '[*]\nvcpus = 2\n' >rules.ini # a missing module costs nothing that needs no XML
	rm bin/xml.so
	run -0 bin/vmaffinity --version
	rm -r "$copy"
}

@test "stdout closed, or a full disk: said on stderr, status 2" {
	rules '[*]\nvcpus = 0\n'
	printf '[*]\nvcpus = 3-\n' >bad.ini
	plan=(plan --sysroot root --config rules.ini --xml web-1.xml)
	while read -r -a arguments; do
		echo "${arguments[@]}"
		run -3 --separate-stderr eval 'vmaffinity "${arguments[@]}" >&-'
		same "vmaffinity: standard output: Bad file descriptor" "$stderr"
		run -3 --separate-stderr eval 'vmaffinity "${arguments[@]}" >/dev/full'
		same "vmaffinity: standard output: No space left on device" "$stderr"
	done <<-END
		--version
		--help
		help plan
		${plan[*]}
		${plan[*]} --json
		check --json --sysroot root rules.ini
		check bad.ini
	END
}

@test "stdin or stderr closed: works" {
	rules '[*]\nvcpus = 0\n'
	run -0 eval 'vmaffinity plan --sysroot root --config rules.ini --xml web-1.xml <&-'
	[[ $output == *"vcpu0-3     0 "* ]]
	run -0 eval 'vmaffinity plan --sysroot root --config rules.ini --xml web-1.xml 2>&-'
	[[ $output == *"vcpu0-3     0 "* ]]
	run -2 eval 'vmaffinity plan --sysroot root --config nowhere --xml web-1.xml 2>&-'
	same "" "$output"
}

# bats test_tags=sanitized
@test "what others chose never reaches the terminal raw" {
	escape=$'\33[31m' c1=$'\xc2\x9b' bidi=$'\xe2\x80\xae' broken=$'\xff\xc3'
	guest "a${c1}31m${bidi}b&#10;c" >guest.xml
	printf '[*]\nemulator = 0\n[a%s]\nmatch = *%s\nvcpus = 1\n' "$escape$c1$broken" "$bidi" >rules.ini
	cp rules.ini "file$escape$broken.ini"
	printf '[*]\nvcpus = %s\n%s = 1\n@%s\n[%s\n' "$escape" "$c1" "$broken" "$bidi" >bad.ini
	printf '<domain><name>x</name><vcpu>%s</vcpu></domain>' "$c1" >bad.xml
	for arguments in "plan --config rules.ini --xml guest.xml" "plan --config bad.ini --xml guest.xml" \
		"plan --config rules.ini --xml bad.xml" "check bad.ini" "check rules.ini --xml guest.xml" \
		"check --json bad.ini" "check rules.ini --xml bad.xml"; do
		# shellcheck disable=SC2086 # words
		vmaffinity $arguments --sysroot root >out 2>&1 || true
		[ -s out ]
		printable_only out || { cat -v out; false; }
	done
	for words in "plan --sysroot root --xml guest.xml --config" "check" "plan --xml" "plan --connect" "" "plan x" "--sysroot"; do
		# shellcheck disable=SC2086 # words
		vmaffinity $words "file$escape$broken.ini" </dev/null >out 2>&1 || true
		printable_only out || { echo "$words"; cat -v out; false; }
	done
}

@test "libvirt is loaded by what asks it something; the rest works where it is broken" {
	rules '[*]\nvcpus = 0\n'
	mkdir broken
	echo >broken/libvirt.so.0
	export LD_LIBRARY_PATH=$PWD/broken
	run -0 vmaffinity --version
	run -0 vmaffinity plan --sysroot root --config rules.ini --xml web-1.xml
	run -0 vmaffinity map --sysroot root
	run -0 vmaffinity check --sysroot root rules.ini
	run -1 vmaffinity doctor --sysroot root
	cannot "vmaffinity: $PWD/broken/libvirt.so.0: file too short" vmaffinity plan --sysroot root --config rules.ini web-1
}
