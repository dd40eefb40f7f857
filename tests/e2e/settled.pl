#!/usr/bin/perl
# Measures how long after a command's return every thread of a group may run only on the CPUs of LIST.
#
# usage: settled.pl DIR LIST COMMAND...
#
# Runs the command, then reads the group DIR until it has threads and the Cpus_allowed_list of each is LIST: prints how
# many milliseconds that took. Status 1 if it does not come to that within 10 s, or the command fails.
use strict;
use warnings;
use Time::HiRes qw(time);

my ($dir, $list, @command) = @ARGV;
my $file = -e '/sys/fs/cgroup/cgroup.controllers' ? 'cgroup.threads' : 'tasks';

sub lines {
	my ($path) = @_;
	open my $file, '<', $path or return;
	return <$file>;
}

sub is_settled {
	my @tids = lines("$dir/$file");
	for my $tid (@tids) {
		chomp $tid;
		return 0 unless grep { $_ eq "Cpus_allowed_list:\t$list\n" } lines("/proc/$tid/status");
	}
	return @tids > 0;
}

system(@command) == 0 or exit 1;
my $start = time;
until (is_settled()) {
	exit 1 if time - $start > 10;
}
printf "%.1f\n", (time - $start) * 1e3;
