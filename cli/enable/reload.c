/* SPDX-License-Identifier: MIT */
/*
 * Reloads a libvirt daemon. systemd's reload runs /bin/kill, which a minimal host does not have,
 * and that a signal was sent does not mean that the daemon has obeyed: it ignores one while it
 * starts. So the daemon is watched. On SIGHUP it looks for hooks, and after that its QEMU driver
 * reads the definitions of all guests again (qemuStateReload()): the kernel reports, with the
 * process, that their directory is opened.
 */
#include "cli/enable/reload.h"

#include "cli/subprocess.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Of guests, networks, filters and storage pools. One that a driver has not made yet is missing. */
static const char *const definitions[] = {"etc/libvirt/qemu", "etc/libvirt/qemu/networks",
	"etc/libvirt/nwfilter", "etc/libvirt/storage"};

#define SYSTEMCTL "/usr/bin/systemctl"
#define SYSTEMCTL_LIMIT_MS 8000

/* Limits the wait for a daemon to look for hooks after a signal, and the number of signals. */
#define OBEY_LIMIT_MS 4000
#define ATTEMPTS 3

/* /proc/PID/status has some fifty lines. */
#define STATUS_MAX ((size_t)64 * 1024)

/* Opens a queue of reports, each of a process that opens one of the directories. Returns -1 if the
 * kernel has none for us. */
static int
open_watch(const struct daemon_host *host)
{
	bool marked = false;
	int fd = fanotify_init(FAN_CLASS_NOTIF | FAN_CLOEXEC | FAN_NONBLOCK, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	for (size_t i = 0; i < sizeof(definitions) / sizeof(definitions[0]); i++)
		marked |= fanotify_mark(fd, FAN_MARK_ADD | FAN_MARK_ONLYDIR, FAN_OPEN | FAN_ONDIR,
				  host->root, definitions[i]) == 0;
	if (marked)
		return fd;
	close(fd);
	return -1;
}

/* True if one of the reports that are there is of the process. */
static bool
is_reported(int watch, pid_t pid)
{
	struct fanotify_event_metadata events[64];
	bool found = false;
	ssize_t length;
	while ((length = read(watch, events, sizeof(events))) > 0)
		for (const struct fanotify_event_metadata *event = events;
			FAN_EVENT_OK(event, length); event = FAN_EVENT_NEXT(event, length)) {
			found |= event->pid == pid;
			if (event->fd >= 0)
				close(event->fd);
		}
	return found;
}

/* Waits until the process opens one of the directories. */
static bool
is_seen(int watch, pid_t pid)
{
	struct timespec start, now;
	clock_gettime(CLOCK_MONOTONIC, &start);
	for (;;) {
		clock_gettime(CLOCK_MONOTONIC, &now);
		long passed = (now.tv_sec - start.tv_sec) * 1000 +
			      (now.tv_nsec - start.tv_nsec) / 1000000;
		struct pollfd p = {.fd = watch, .events = POLLIN};
		if (passed >= OBEY_LIMIT_MS || poll(&p, 1, OBEY_LIMIT_MS - (int)passed) <= 0)
			return false;
		if (is_reported(watch, pid))
			return true;
	}
}

/* True if SIGHUP would not end the process, as it does a daemon that has only just begun to start.
 */
static bool
catches_hangup(const struct daemon_host *host, pid_t pid)
{
	char path[32], *end;
	AUTO_FREE char *text = NULL;
	size_t length;
	snprintf(path, sizeof(path), "proc/%d/status", (int)pid);
	if (file_read_all_at(host->root, path, STATUS_MAX, &text, &length) != 0)
		return false;
	const char *caught = strstr(text, "\nSigCgt:\t");
	if (caught == NULL)
		return false;
	caught += strlen("\nSigCgt:\t");
	unsigned long long signals = strtoull(caught, &end, 16);
	return end != caught && (signals >> (SIGHUP - 1) & 1) != 0;
}

/* Asks systemd for the reload: it sends the same signal, and keeps the time of it. True if it says
 * that it did. */
static bool
reload_unit(const struct daemon_process *daemon)
{
	char unit[32];
	struct program_result result;
	struct err e;
	snprintf(unit, sizeof(unit), "%s.service", daemon->name);
	const char *const arguments[] = {SYSTEMCTL, "reload", unit, NULL};
	return program_run(arguments, SYSTEMCTL_LIMIT_MS, &result, &e) == 0 &&
	       WIFEXITED(result.status) && WEXITSTATUS(result.status) == 0;
}

enum reload_result
reload_daemon(const struct daemon_host *host, const struct daemon_process *daemon, struct err *e)
{
	AUTO_CLOSE int watch = open_watch(host);
	if (daemon_is_unit(host, daemon) && reload_unit(daemon) && watch >= 0 &&
		is_seen(watch, daemon->pid))
		return RELOAD_SEEN;
	for (int i = 0; i < ATTEMPTS; i++) {
		if (!catches_hangup(host, daemon->pid)) {
			err_set(e, "SIGHUP would end it");
			poll(NULL, 0, i < ATTEMPTS - 1 ? OBEY_LIMIT_MS / ATTEMPTS : 0);
			continue;
		}
		if (kill(daemon->pid, SIGHUP) != 0)
			return err_errno(e, "SIGHUP");
		if (watch < 0)
			return RELOAD_UNKNOWN;
		if (is_seen(watch, daemon->pid))
			return RELOAD_SEEN;
		err_set(e, "it does not react to SIGHUP");
	}
	return RELOAD_FAILED;
}
