/* SPDX-License-Identifier: MIT */
/* The running daemon: does it know of the hook? */
#include "cli/doctor/checks.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* proc/net/unix has a line for each socket. */
#define SOCKETS_MAX ((size_t)4 * 1024 * 1024)

static void
advise_reload(struct doctor *doctor, const struct daemon_process *daemon, const char *unless)
{
	if (faccessat(doctor->root, "run/systemd/system", F_OK, 0) == 0)
		doctor_advise(
			doctor, "systemctl reload %s%s; no guest is touched", daemon->name, unless);
	else
		doctor_advise(
			doctor, "kill -HUP %d%s; no guest is touched", (int)daemon->pid, unless);
}

/* Says that a daemon has run since before the hook. */
static void
report_older(struct doctor *doctor, const struct daemon_process *daemon, time_t start, bool unknown)
{
	char since[32], known[32];
	time_t hooked = doctor->hooked_since.tv_sec;
	strftime(since, sizeof(since), "%F %T", localtime(&start));
	strftime(known, sizeof(known), "%F %T", localtime(&hooked));
	doctor_say(doctor, DOCTOR_WARN,
		"%s (%d) has run since %s, and the hook was installed or changed at %s: %s",
		daemon->name, (int)daemon->pid, since, known,
		unknown ? "it is unknown if it has been reloaded since"
			: "it has not been reloaded since, and may not know of the hook");
	advise_reload(doctor, daemon, unknown ? " unless that has been done" : "");
}

/* Checks that a daemon knows of the hook. The oldest hook counts: it remembers only if there is
 * one. */
static void
check_knows(
	struct doctor *doctor, const struct daemon_host *host, const struct daemon_process *daemon)
{
	time_t start = 0;
	switch (daemon_knows_hook(host, daemon, doctor->hooked_since, &start)) {
	case DAEMON_START_UNKNOWN:
		doctor_say(doctor, DOCTOR_WARN, "cannot read when %s (%d) started: %s",
			daemon->name, (int)daemon->pid, strerror(errno));
		advise_reload(doctor, daemon, "");
		break;
	case DAEMON_STARTED_LATER:
		doctor_say(doctor, DOCTOR_PASS, "%s (%d) was started after the hook was installed",
			daemon->name, (int)daemon->pid);
		break;
	case DAEMON_RELOADED_LATER:
		doctor_say(doctor, DOCTOR_PASS, "%s (%d) was reloaded after the hook was installed",
			daemon->name, (int)daemon->pid);
		break;
	case DAEMON_NOT_RELOADED:
		report_older(doctor, daemon, start, false);
		break;
	case DAEMON_RELOAD_UNKNOWN:
		report_older(doctor, daemon, start, true);
		break;
	}
}

/* True if systemd listens on a socket of the daemon and will start it: unix(7), /proc/net/unix. */
static bool
is_listened_for(const struct doctor *doctor)
{
	AUTO_FREE char *text = NULL;
	size_t length;
	if (file_read_all_at(doctor->root, "proc/1/net/unix", SOCKETS_MAX, &text, &length) != 0)
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
	const struct daemon_host host = {doctor->root, doctor->options->sysroot != NULL};
	for (size_t i = 0; i < doctor->process_count; i++) {
		const struct daemon_process *process = &doctor->processes[i];
		if (!daemon_is_named(process->name) || !daemon_is_hosts(&host, process->pid))
			continue;
		found++;
		if (doctor->hooked)
			check_knows(doctor, &host, process);
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
