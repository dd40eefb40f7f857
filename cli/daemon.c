/* SPDX-License-Identifier: MIT */
/* Finds libvirt's daemons among the processes, and when they last looked for hooks. */
#include "cli/daemon.h"

#include "cli/subprocess.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/number.h"
#include "cgroup/proc_stat.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
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
boot_time(const struct daemon_host *host, int64_t *boot)
{
	AUTO_FREE char *text = NULL;
	size_t length;
	uint64_t seconds;
	if (!host->is_tree) {
		*boot = clock_now(CLOCK_REALTIME) - clock_now(CLOCK_BOOTTIME);
		return 0;
	}
	if (file_read_all_at(host->root, "proc/stat", PROC_STAT_MAX, &text, &length) != 0)
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
start_time(const struct daemon_host *host, pid_t pid, int64_t *start)
{
	int64_t boot;
	uint64_t ticks;
	if (proc_stat_read(host->root, pid, PROC_STAT_STARTTIME, &ticks) != 0 ||
		boot_time(host, &boot) != 0)
		return -1;
	uint64_t second = (uint64_t)sysconf(_SC_CLK_TCK);
	*start = boot + (int64_t)(ticks / second) * NANOSECONDS +
		 (int64_t)(ticks % second * (uint64_t)NANOSECONDS / second);
	return 0;
}

/*
 * Asks systemd for a property of a unit. Returns 0 with its value as busctl prints it after the
 * type (u 812, s "success"), or -1.
 */
static int
systemd_property(const char *unit, const char *interface, const char *property,
	struct program_result *result, const char **value)
{
	char object[128], full[64];
	struct err e;
	snprintf(object, sizeof(object), "/org/freedesktop/systemd1/unit/%s_2eservice", unit);
	snprintf(full, sizeof(full), "org.freedesktop.systemd1.%s", interface);
	const char *const arguments[] = {
		BUSCTL, "get-property", "org.freedesktop.systemd1", object, full, property, NULL};
	if (program_run(arguments, BUSCTL_LIMIT_MS, result, &e) != 0 ||
		!WIFEXITED(result->status) || WEXITSTATUS(result->status) != 0)
		return -1;
	*value = strchr(result->output, ' ');
	if (*value == NULL)
		return -1;
	(*value)++;
	return 0;
}

static int
systemd_number(const char *unit, const char *interface, const char *property, uint64_t *number)
{
	struct program_result result;
	const char *value;
	return systemd_property(unit, interface, property, &result, &value) == 0
		       ? parse_u64(&value, number)
		       : -1;
}

bool
daemon_is_unit(const struct daemon_host *host, const struct daemon_process *daemon)
{
	uint64_t pid;
	return !host->is_tree && faccessat(host->root, "run/systemd/system", F_OK, 0) == 0 &&
	       systemd_number(daemon->name, "Service", "MainPID", &pid) == 0 &&
	       pid == (uint64_t)daemon->pid;
}

/*
 * Asks systemd when the daemon's unit last changed its state. After the start that was a reload,
 * of which there is no trace in any file. A reload that failed also changes the state: it counts
 * as none. Returns -1 if systemd does not run the daemon.
 */
static int
last_reload(const struct daemon_host *host, const struct daemon_process *daemon, int64_t *when)
{
	uint64_t microseconds;
	struct program_result result;
	const char *value;
	if (!daemon_is_unit(host, daemon) ||
		systemd_number(daemon->name, "Unit", "StateChangeTimestamp", &microseconds) != 0 ||
		systemd_property(daemon->name, "Service", "ReloadResult", &result, &value) != 0)
		return -1;
	*when = strcmp(value, "\"success\"") == 0 ? (int64_t)microseconds * 1000 : 0;
	return 0;
}

/*
 * True if the process sees this host's directory of that path. A directory that neither has counts
 * as the same; so does one that only root may look at, and in a tree one that is not recorded.
 */
static bool
sees_our(const struct daemon_host *host, pid_t pid, const char *directory)
{
	char path[64];
	struct stat ours, its;
	snprintf(path, sizeof(path), "proc/%d/root", (int)pid);
	if (fstatat(host->root, path, &its, 0) != 0)
		return errno == EACCES || host->is_tree;
	snprintf(path, sizeof(path), "proc/%d/root/%s", (int)pid, directory);
	bool there = fstatat(host->root, path, &its, 0) == 0;
	if (!there && errno == EACCES)
		return true;
	bool ours_there = fstatat(host->root, directory, &ours, 0) == 0;
	if (!there || !ours_there)
		return there == ours_there;
	return ours.st_dev == its.st_dev && ours.st_ino == its.st_ino;
}

bool
daemon_is_hosts(const struct daemon_host *host, pid_t pid)
{
	char path[64];
	struct stat its;
	snprintf(path, sizeof(path), "proc/%d", (int)pid);
	if (fstatat(host->root, path, &its, 0) != 0 || its.st_uid != 0)
		return false;
	return sees_our(host, pid, "etc/libvirt") && sees_our(host, pid, "run/libvirt");
}

enum daemon_knowledge
daemon_knows_hook(const struct daemon_host *host, const struct daemon_process *daemon,
	struct timespec hooked, time_t *start)
{
	int64_t started, reloaded, installed = nanoseconds(hooked);
	if (start_time(host, daemon->pid, &started) != 0)
		return DAEMON_START_UNKNOWN;
	*start = (time_t)(started / NANOSECONDS);
	if (started >= installed)
		return DAEMON_STARTED_LATER;
	if (last_reload(host, daemon, &reloaded) != 0)
		return DAEMON_RELOAD_UNKNOWN;
	return reloaded >= installed ? DAEMON_RELOADED_LATER : DAEMON_NOT_RELOADED;
}

bool
daemon_is_named(const char *name)
{
	return strcmp(name, "libvirtd") == 0 || strcmp(name, "virtqemud") == 0;
}

/* Reads the process that the entry of /proc is of. True if it is a daemon of this host. */
static bool
read_daemon(const struct daemon_host *host, const char *entry, struct daemon_process *daemon)
{
	char path[32];
	unsigned pid;
	const char *digits = entry;
	if (number_parse(&digits, INT_MAX, &pid) != 0 || *digits != '\0')
		return false;
	snprintf(path, sizeof(path), "proc/%u/comm", pid);
	daemon->pid = (pid_t)pid;
	return file_read_value(host->root, path, daemon->name, sizeof(daemon->name)) == 0 &&
	       daemon_is_named(daemon->name) && daemon_is_hosts(host, daemon->pid);
}

int
daemon_list(const struct daemon_host *host, struct daemon_process **daemons, size_t *count)
{
	struct daemon_process *list = NULL, one = {0};
	size_t used = 0;
	int fd = openat(host->root, "proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;
	if (directory == NULL)
		return -1;
	for (const struct dirent *entry; (entry = readdir(directory)) != NULL;) {
		if (!read_daemon(host, entry->d_name, &one))
			continue;
		struct daemon_process *larger = array_grow(list, used, sizeof(*list));
		if (larger == NULL) {
			free(list);
			closedir(directory);
			errno = ENOMEM;
			return -1;
		}
		list = larger;
		list[used++] = one;
	}
	closedir(directory);
	*daemons = list;
	*count = used;
	return 0;
}
