/* SPDX-License-Identifier: MIT */
/* The processes beside the guests: libvirt's daemons under AppArmor, and programs that move
 * threads. */
#include "cli/doctor/checks.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/cpumask.h"
#include "base/file.h"
#include "base/number.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* An AppArmor profile's local part. */
#define PROFILE_MAX ((size_t)1024 * 1024)

/* Programs that move interrupts, memory or threads, and how to keep them from the guests. */
static const struct {
	const char *name, *does, *remedy;
} neighbours[] = {
	{"irqbalance", "may put interrupts on the CPUs of pinned guests",
		"name those CPUs in IRQBALANCE_BANNED_CPULIST if that matters"},
	{"numad", "moves guests' threads and memory between nodes, against the rules",
		"stop it, or name the guests' processes with 'numad -x'"},
	{"tuned", "may set affinities of threads and interrupts",
		"see its profile ('tuned-adm active') for isolated_cores and the scheduler plugin"},
};
#define NEIGHBOURS (sizeof(neighbours) / sizeof(neighbours[0]))

static bool
is_wanted_process(const char *name)
{
	for (size_t i = 0; i < NEIGHBOURS; i++)
		if (strcmp(neighbours[i].name, name) == 0)
			return true;
	return daemon_is_named(name);
}

/* Adds the process that the entry of /proc is of, if its name is wanted. */
static void
take_process(struct doctor *doctor, int proc, const char *entry)
{
	struct daemon_process process = {0};
	char path[32];
	unsigned pid;
	const char *digits = entry;
	if (number_parse(&digits, INT_MAX, &pid) != 0 || *digits != '\0')
		return;
	snprintf(path, sizeof(path), "%u/comm", pid);
	if (file_read_value(proc, path, process.name, sizeof(process.name)) != 0 ||
		!is_wanted_process(process.name))
		return;
	process.pid = (pid_t)pid;
	struct daemon_process *larger =
		array_grow(doctor->processes, doctor->process_count, sizeof(*larger));
	if (larger == NULL) {
		doctor->lost = true;
		return;
	}
	doctor->processes = larger;
	larger[doctor->process_count++] = process;
}

static int
compare_pids(const void *a, const void *b)
{
	return ((const struct daemon_process *)a)->pid - ((const struct daemon_process *)b)->pid;
}

void
check_processes(struct doctor *doctor)
{
	AUTO_CLOSE int proc = file_open_directory(doctor->root, "proc");
	int copy = proc >= 0 ? openat(proc, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	DIR *directory = copy >= 0 ? fdopendir(copy) : NULL;
	if (directory == NULL) {
		doctor_say(doctor, DOCTOR_WARN, "/proc: %s", strerror(errno));
		doctor_advise(doctor, "mount it; without it no process can be seen");
		return;
	}
	for (const struct dirent *entry; (entry = readdir(directory)) != NULL;)
		take_process(doctor, proc, entry->d_name);
	closedir(directory);
	/* /proc is in that order, a copy of it need not be. */
	if (doctor->process_count > 0)
		qsort(doctor->processes, doctor->process_count, sizeof(*doctor->processes),
			compare_pids);
}

/* True if the profiles of libvirt's daemons in Debian and Ubuntu allow executing path. */
static bool
is_allowed(const char *path)
{
	static const char *const directories[] = {"/bin", "/sbin", "/usr/bin", "/usr/sbin"};
	const char *name = strrchr(path, '/');
	for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++)
		if (strlen(directories[i]) == (size_t)(name - path) &&
			strncmp(directories[i], path, (size_t)(name - path)) == 0)
			return true;
	return strncmp(path, "/usr/lib/libvirt/", strlen("/usr/lib/libvirt/")) == 0;
}

/* True if the administrator's addition to the profile names the path. */
static bool
is_allowed_here(const struct doctor *doctor, const char *daemon, const char *path)
{
	char file[64];
	AUTO_FREE char *text = NULL;
	size_t length;
	snprintf(file, sizeof(file), "etc/apparmor.d/local/usr.sbin.%s", daemon);
	return file_read_all_at(doctor->root, file, PROFILE_MAX, &text, &length) == 0 &&
	       strstr(text, path) != NULL;
}

/* True if a profile is enforced on the process: "libvirtd (enforce)", not "(complain)". */
static bool
is_confined(const struct doctor *doctor, pid_t pid)
{
	char path[64], label[256];
	snprintf(path, sizeof(path), "proc/%d/attr/current", (int)pid);
	return file_read_value(doctor->root, path, label, sizeof(label)) == 0 &&
	       strstr(label, "(enforce)") != NULL;
}

void
check_apparmor(struct doctor *doctor)
{
	char enabled[8];
	if (doctor->worker[0] == '\0' ||
		file_read_value(doctor->root, "sys/module/apparmor/parameters/enabled", enabled,
			sizeof(enabled)) != 0 ||
		enabled[0] != 'Y')
		return;
	for (size_t i = 0; i < doctor->process_count; i++) {
		const struct daemon_process *p = &doctor->processes[i];
		if (!daemon_is_named(p->name) || !is_confined(doctor, p->pid))
			continue;
		if (is_allowed(doctor->worker) ||
			is_allowed_here(doctor, p->name, doctor->worker)) {
			doctor_say(doctor, DOCTOR_PASS,
				"%s is confined by AppArmor, and may run %s", p->name,
				doctor->worker);
			continue;
		}
		doctor_say(doctor, DOCTOR_FAIL,
			"%s is confined by AppArmor, which does not let it run %s", p->name,
			doctor->worker);
		doctor_advise(doctor,
			"install below /usr (PREFIX=/usr), or add '%s PUx,' to "
			"/etc/apparmor.d/local/usr.sbin.%s and run 'apparmor_parser -r "
			"/etc/apparmor.d/usr.sbin.%s'",
			doctor->worker, p->name, p->name);
	}
}

void
check_neighbours(struct doctor *doctor)
{
	if (doctor->host.rules.rule_count == 0)
		return;
	for (size_t i = 0; i < doctor->process_count; i++)
		for (size_t j = 0; j < NEIGHBOURS; j++)
			if (strcmp(doctor->processes[i].name, neighbours[j].name) == 0) {
				doctor_say(doctor, DOCTOR_NOTE, "%s (%d) runs: it %s",
					neighbours[j].name, (int)doctor->processes[i].pid,
					neighbours[j].does);
				doctor_advise(doctor, "%s", neighbours[j].remedy);
			}
}

void
check_user(struct doctor *doctor)
{
	if (geteuid() == 0)
		return;
	doctor_say(doctor, DOCTOR_WARN,
		"doctor is not run as root: it cannot see guests' XML, what only root may read "
		"below "
		"/etc/libvirt, or if a daemon is that of a container");
	doctor_advise(doctor, "run doctor as root");
}
