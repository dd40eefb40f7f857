/* SPDX-License-Identifier: MIT */
/* The running daemon: does it know of the hook? */
#include "cli/doctor/checks.h"
#include "cli/subprocess.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "cgroup/proc_stat.h"

#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define NANOSECONDS 1000000000LL

#define BUSCTL "/usr/bin/busctl"
#define BUSCTL_LIMIT_MS 5000

/* proc/stat has a line for each CPU and a number for each interrupt. */
#define PROC_STAT_MAX ((size_t)4 * 1024 * 1024)

/* Parses decimal digits at *text, and moves it after them. Returns 0, or -1: none, or too many. */
static int
parse_u64(const char **text, uint64_t *number)
{
	char *end;
	errno = 0;
	if (!isdigit((unsigned char)**text))
		return -1;
	*number = strtoull(*text, &end, 10);
	*text = end;
	return errno == 0 ? 0 : -1;
}

static int64_t
nanoseconds(struct timespec t)
{
	return t.tv_sec * NANOSECONDS + t.tv_nsec;
}

static int64_t
clock_now(clockid_t clock)
{
	struct timespec t;
	clock_gettime(clock, &t);
	return nanoseconds(t);
}

/* Reads when the host booted; in a tree of files only to the second: proc(5), "btime". Returns 0,
 * or -1. */
static int
boot_time(const struct doctor *doctor, int64_t *boot)
{
	AUTO_FREE char *text = NULL;
	size_t length;
	uint64_t seconds;
	if (doctor->options->sysroot == NULL) {
		*boot = clock_now(CLOCK_REALTIME) - clock_now(CLOCK_BOOTTIME);
		return 0;
	}
	if (file_read_all_at(doctor->root, "proc/stat", PROC_STAT_MAX, &text, &length) != 0)
		return -1;
	const char *line = strstr(text, "btime ");
	if (line == NULL)
		return -1;
	line += strlen("btime ");
	if (parse_u64(&line, &seconds) != 0)
		return -1;
	*boot = (int64_t)seconds * NANOSECONDS;
	return 0;
}

/* Reads when a process started. Returns 0, or -1 with errno set. */
static int
start_time(const struct doctor *doctor, pid_t pid, int64_t *start)
{
	int64_t boot;
	uint64_t ticks;
	if (proc_stat_read(doctor->root, pid, PROC_STAT_STARTTIME, &ticks) != 0 ||
		boot_time(doctor, &boot) != 0)
		return -1;
	uint64_t second = (uint64_t)sysconf(_SC_CLK_TCK);
	*start = boot + (int64_t)(ticks / second) * NANOSECONDS +
		 (int64_t)(ticks % second * (uint64_t)NANOSECONDS / second);
	return 0;
}

/* Asks systemd for a numeric property of a unit; busctl prints "u 812". Returns 0, or -1. */
static int
systemd_property(const char *unit, const char *interface, const char *property, uint64_t *value)
{
	char object[128], full[64];
	struct program_result result;
	struct err e;
	snprintf(object, sizeof(object), "/org/freedesktop/systemd1/unit/%s_2eservice", unit);
	snprintf(full, sizeof(full), "org.freedesktop.systemd1.%s", interface);
	const char *const arguments[] = {
		BUSCTL, "get-property", "org.freedesktop.systemd1", object, full, property, NULL};
	if (program_run(arguments, BUSCTL_LIMIT_MS, &result, &e) != 0 ||
		!WIFEXITED(result.status) || WEXITSTATUS(result.status) != 0)
		return -1;
	const char *text = strchr(result.output, ' ');
	if (text == NULL)
		return -1;
	text++;
	return parse_u64(&text, value);
}

/*
 * Asks systemd when the daemon's unit last changed its state. After the start that was a reload,
 * of which there is no trace in any file. Returns -1 if systemd does not run the daemon.
 */
static int
last_reload(const struct doctor *doctor, const struct host_process *daemon, int64_t *when)
{
	uint64_t pid, microseconds;
	if (doctor->options->sysroot != NULL ||
		faccessat(doctor->root, "run/systemd/system", F_OK, 0) != 0 ||
		systemd_property(daemon->name, "Service", "MainPID", &pid) != 0 ||
		pid != (uint64_t)daemon->pid ||
		systemd_property(daemon->name, "Unit", "StateChangeTimestamp", &microseconds) != 0)
		return -1;
	*when = (int64_t)microseconds * 1000;
	return 0;
}

static void
advise_reload(struct doctor *doctor, const struct host_process *daemon, const char *unless)
{
	if (faccessat(doctor->root, "run/systemd/system", F_OK, 0) == 0)
		doctor_advise(
			doctor, "systemctl reload %s%s; no guest is touched", daemon->name, unless);
	else
		doctor_advise(
			doctor, "kill -HUP %d%s; no guest is touched", (int)daemon->pid, unless);
}

/*
 * Checks that a daemon knows of the hook. It looks for hooks when it starts and when it is reloaded
 * (virHookInitialize()), and remembers only if there is one, so any older hook will do.
 */
static void
check_knows(struct doctor *doctor, const struct host_process *daemon)
{
	int64_t start, reload, hooked = nanoseconds(doctor->hooked_since);
	char since[32], known[32];
	time_t hooked_s = doctor->hooked_since.tv_sec;
	if (start_time(doctor, daemon->pid, &start) != 0) {
		doctor_say(doctor, DOCTOR_WARN, "cannot read when %s (%d) started: %s",
			daemon->name, (int)daemon->pid, strerror(errno));
		advise_reload(doctor, daemon, "");
		return;
	}
	if (start >= hooked) {
		doctor_say(doctor, DOCTOR_PASS, "%s (%d) was started after the hook was installed",
			daemon->name, (int)daemon->pid);
		return;
	}
	time_t start_s = (time_t)(start / NANOSECONDS);
	strftime(since, sizeof(since), "%F %T", localtime(&start_s));
	strftime(known, sizeof(known), "%F %T", localtime(&hooked_s));
	bool known_reload = last_reload(doctor, daemon, &reload) == 0;
	if (known_reload && reload >= hooked) {
		doctor_say(doctor, DOCTOR_PASS, "%s (%d) was reloaded after the hook was installed",
			daemon->name, (int)daemon->pid);
	} else {
		doctor_say(doctor, DOCTOR_WARN,
			"%s (%d) has run since %s, and the hook was installed or changed at %s: %s",
			daemon->name, (int)daemon->pid, since, known,
			known_reload
				? "it has not been reloaded since, and may not know of the hook"
				: "it is unknown if it has been reloaded since");
		advise_reload(doctor, daemon, known_reload ? "" : " unless that has been done");
	}
}

/*
 * True if the process sees this host's directory of that path. A directory that neither has counts
 * as the same; so does one that only root may look at, and in a tree one that is not recorded.
 */
static bool
sees_our(const struct doctor *doctor, pid_t pid, const char *directory)
{
	char path[64];
	struct stat ours, its;
	snprintf(path, sizeof(path), "proc/%d/root", (int)pid);
	if (fstatat(doctor->root, path, &its, 0) != 0)
		return errno == EACCES || doctor->options->sysroot != NULL;
	snprintf(path, sizeof(path), "proc/%d/root/%s", (int)pid, directory);
	bool there = fstatat(doctor->root, path, &its, 0) == 0;
	if (!there && errno == EACCES)
		return true;
	bool ours_there = fstatat(doctor->root, directory, &ours, 0) == 0;
	if (!there || !ours_there)
		return there == ours_there;
	return ours.st_dev == its.st_dev && ours.st_ino == its.st_ino;
}

/*
 * True if the daemon runs the hooks of this host: not that of a container, of another user, or of a
 * mount namespace with an /etc/libvirt or a /run/libvirt of its own.
 */
static bool
is_this_hosts(const struct doctor *doctor, pid_t pid)
{
	char path[64];
	struct stat its;
	snprintf(path, sizeof(path), "proc/%d", (int)pid);
	if (fstatat(doctor->root, path, &its, 0) != 0 || its.st_uid != 0)
		return false;
	return sees_our(doctor, pid, "etc/libvirt") && sees_our(doctor, pid, "run/libvirt");
}

/* True if systemd listens on a socket of the daemon and will start it: unix(7), /proc/net/unix. */
static bool
is_listened_for(const struct doctor *doctor)
{
	AUTO_FREE char *text = NULL;
	size_t length;
	if (file_read_all_at(doctor->root, "proc/1/net/unix", PROC_STAT_MAX, &text, &length) != 0)
		return false;
	for (char *rest = text, *line; (line = strsep(&rest, "\n")) != NULL;) {
		const char *path = strrchr(line, ' ');
		if (strstr(line, " 00010000 ") != NULL /* __SO_ACCEPTCON */ && path != NULL &&
			(strcmp(path, " /run/libvirt/libvirt-sock") == 0 ||
				strcmp(path, " /run/libvirt/virtqemud-sock") == 0) &&
			faccessat(doctor->root, path + 2, F_OK, 0) == 0)
			return true;
	}
	return false;
}

void
check_daemon(struct doctor *doctor)
{
	size_t found = 0;
	for (size_t i = 0; i < doctor->process_count; i++) {
		const struct host_process *process = &doctor->processes[i];
		if (!is_libvirt_daemon(process->name) || !is_this_hosts(doctor, process->pid))
			continue;
		found++;
		if (doctor->hooked)
			check_knows(doctor, process);
		else
			doctor_say(doctor, DOCTOR_PASS, "%s (%d) runs", process->name,
				(int)process->pid);
	}
	if (found > 0)
		return;
	if (is_listened_for(doctor)) {
		doctor_say(doctor, DOCTOR_PASS,
			"no libvirt daemon runs now; systemd starts one on the first connection, "
			"and it "
			"sees the hook then");
	} else {
		doctor_say(doctor, DOCTOR_WARN, "no libvirt daemon is running");
		doctor_advise(doctor, "systemctl start libvirtd (or virtqemud); without it no "
				      "guest starts");
	}
}
