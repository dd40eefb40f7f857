/* SPDX-License-Identifier: MIT */
/* vmaffinity capture: which files of a host and of its guests are written down. */
#include "cli/capture/snapshot_write.h"
#include "cli/command.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/cpumask.h"
#include "base/err.h"
#include "cgroup/files.h"
#include "cgroup/hierarchy.h"
#include "cgroup/qemu_process.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CPUS "sys/devices/system/cpu"
#define NODES "sys/devices/system/node"

/* cache/index0 to index9, which are all that hwloc reads. */
#define CACHES 10

struct capture {
	struct snapshot snapshot;
	char **cgroups; /* already captured: guests share the cgroups above their own */
	size_t cgroup_count;
};

/*
 * The files of each CPU, the second name from before Linux 5.3
 * (Documentation/ABI/stable/sysfs-devices-system-cpu).
 */
static const char *const cpu_files[][2] = {
	{"topology/physical_package_id", NULL},
	{"topology/die_id", NULL},
	{"topology/cluster_id", NULL},
	{"topology/core_id", NULL},
	{"topology/drawer_siblings_list", NULL},
	{"topology/book_siblings_list", NULL},
	{"topology/package_cpus_list", "topology/core_siblings_list"},
	{"topology/die_cpus_list", NULL},
	{"topology/cluster_cpus_list", NULL},
	{"topology/core_cpus_list", "topology/thread_siblings_list"},
	{"cpu_capacity", NULL},
};

static void
capture_cpus(struct snapshot *snapshot)
{
	static const char *const host[] = {CPUS "/possible", CPUS "/present", CPUS "/online",
		CPUS "/isolated", "sys/devices/cpu_core/cpus", "sys/devices/cpu_atom/cpus"};
	static const char *const cache[] = {"level", "type", "size", "id", "shared_cpu_list"};
	char name[64];
	for (size_t i = 0; i < sizeof(host) / sizeof(host[0]); i++)
		snapshot_copy(snapshot, host[i]);
	struct cpumask cpus = snapshot_numbers(snapshot, CPUS, "cpu");
	for (size_t i = 0; i < sizeof(cpu_files) / sizeof(cpu_files[0]); i++)
		for (size_t j = 0; j < 2 && cpu_files[i][j] != NULL; j++) {
			snprintf(name, sizeof(name), "/%s", cpu_files[i][j]);
			if (snapshot_copy_each(snapshot, CPUS "/cpu", &cpus, name))
				break;
		}
	for (unsigned index = 0; index < CACHES; index++)
		for (size_t i = 0; i < sizeof(cache) / sizeof(cache[0]); i++) {
			snprintf(name, sizeof(name), "/cache/index%u/%s", index, cache[i]);
			snapshot_copy_each(snapshot, CPUS "/cpu", &cpus, name);
		}
}

/* Captures the nodes whose CPUs are nearest to a node, which may have no CPUs of its own. */
static void
capture_initiators(struct snapshot *snapshot, unsigned node)
{
	char directory[PATH_MAX], path[PATH_MAX];
	for (unsigned class = 0; class < 2; class ++) {
		if (!snapshot_path(
			    snapshot, directory, NODES "/node%u/access%u/initiators", node, class))
			return;
		struct cpumask nodes = snapshot_numbers(snapshot, directory, "node");
		cpumask_for_each (i, &nodes)
			if (snapshot_path(snapshot, path, "%s/node%u", directory, i))
				snapshot_write_directory(path);
	}
}

static void
capture_nodes(struct snapshot *snapshot)
{
	static const char *const host[] = {
		NODES "/possible", NODES "/online", NODES "/has_cpu", NODES "/has_memory"};
	char path[PATH_MAX];
	for (size_t i = 0; i < sizeof(host) / sizeof(host[0]); i++)
		snapshot_copy(snapshot, host[i]);
	struct cpumask nodes = snapshot_numbers(snapshot, NODES, "node");
	snapshot_copy_each(snapshot, NODES "/node", &nodes, "/cpulist");
	snapshot_copy_each(snapshot, NODES "/node", &nodes, "/distance");
	cpumask_for_each (i, &nodes) {
		capture_initiators(snapshot, i);
		/* The only line of meminfo that does not change all the time. */
		if (snapshot_path(snapshot, path, NODES "/node%u/meminfo", i))
			snapshot_copy_lines(snapshot, path, " MemTotal:", " MemTotal:");
	}
}

/* The files of a cgroup's cpuset, v1 and v2. */
static const char *const cpuset_files[] = {"cpuset.cpus", "cpuset.cpus.effective",
	"cpuset.cpus.exclusive", "cpuset.cpus.partition", "cpuset.effective_cpus", "cpuset.mems",
	"cpuset.mems.effective", "cpuset.effective_mems", "cpuset.memory_migrate"};
#define CPUSET_FILES (sizeof(cpuset_files) / sizeof(cpuset_files[0]))

static void
capture_cgroup(struct capture *capture, const char *directory)
{
	for (size_t i = 0; i < capture->cgroup_count; i++)
		if (strcmp(capture->cgroups[i], directory) == 0)
			return;
	size_t count = capture->cgroup_count;
	char **longer = array_grow(capture->cgroups, count, sizeof(*longer));
	if (longer != NULL) {
		capture->cgroups = longer;
		if ((longer[count] = strdup(directory)) != NULL)
			capture->cgroup_count++;
	}
	char path[PATH_MAX];
	for (size_t i = 0; i < CPUSET_FILES; i++)
		if (snapshot_path(&capture->snapshot, path, "%s/%s", directory, cpuset_files[i]))
			snapshot_copy(&capture->snapshot, path);
}

/*
 * Captures the mounts of cgroup hierarchies, and in each with the cpuset controller the cpusets of
 * the root and of the cgroups in which libvirt puts its guests (libvirt, docs/cgroups).
 */
static void
capture_hierarchies(struct capture *capture)
{
	static const char mountinfo[] = "proc/self/mountinfo";
	static const char *const parts[] = {"", "/machine.slice", "/machine"};
	struct snapshot *snapshot = &capture->snapshot;
	snapshot_copy_lines(snapshot, mountinfo, " - cgroup ", " - cgroup2 ");
	AUTO_FREE char *text = snapshot_read(snapshot, mountinfo);
	for (char *rest = text, *line; rest != NULL && (line = strsep(&rest, "\n")) != NULL;) {
		AUTO_FREE char *mount = NULL;
		char path[PATH_MAX];
		if (strstr(line, " - cgroup") == NULL ||
			sscanf(line, "%*s %*s %*s / /%ms", &mount) != 1)
			continue;
		for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
			if (snapshot_path(snapshot, path, "%s%s", mount, parts[i]))
				capture_cgroup(capture, path);
	}
}

/* Captures the threads of a group, and each one's affinity. */
static void
capture_threads(struct capture *capture, pid_t pid, const char *group, const char *file)
{
	char path[PATH_MAX];
	if (!snapshot_path(&capture->snapshot, path, "%s/%s", group, file))
		return;
	AUTO_FREE char *text = snapshot_read(&capture->snapshot, path);
	if (text == NULL)
		return;
	snapshot_write(&capture->snapshot, path, text);
	for (char *rest = text, *tid; (tid = strsep(&rest, "\n")) != NULL;)
		if (*tid != '\0' && strspn(tid, "0123456789") == strlen(tid) &&
			snapshot_path(
				&capture->snapshot, path, "proc/%d/task/%s/status", (int)pid, tid))
			snapshot_copy_lines(&capture->snapshot, path,
				"Cpus_allowed_list:", "Mems_allowed_list:");
}

/* Captures the groups of a guest below directory: their cpusets, then their threads. */
static void
capture_groups(struct capture *capture, pid_t pid, const char *directory, const char *threads)
{
	static const char *const stems[] = {"vcpu", "iothread"};
	struct snapshot *snapshot = &capture->snapshot;
	char path[PATH_MAX], group[PATH_MAX], name[64];
	if (!snapshot_path(snapshot, path, "%s/emulator", directory))
		return;
	capture_cgroup(capture, path);
	capture_threads(capture, pid, path, threads);
	for (size_t i = 0; i < sizeof(stems) / sizeof(stems[0]); i++) {
		struct cpumask ids = snapshot_numbers(snapshot, directory, stems[i]);
		if (!snapshot_path(snapshot, path, "%s/%s", directory, stems[i]))
			return;
		for (size_t j = 0; j < CPUSET_FILES; j++) {
			snprintf(name, sizeof(name), "/%s", cpuset_files[j]);
			snapshot_copy_each(snapshot, path, &ids, name);
		}
		cpumask_for_each (id, &ids)
			if (snapshot_path(snapshot, group, "%s%u", path, id))
				capture_threads(capture, pid, group, threads);
	}
}

/* Captures the cgroups from the mount point down to the one that holds a guest's groups, and the
 * groups. */
static void
capture_cgroups(struct capture *capture, pid_t pid, const struct cgroup_location *location)
{
	static const char last[] = "/emulator";
	char path[PATH_MAX];
	if (!snapshot_path(&capture->snapshot, path, "%s%s%s", location->mount + 1,
		    *location->path != '\0' ? "/" : "", location->path))
		return;
	/* A guest for which libvirt made no groups is a snapshot without any. */
	size_t length = strlen(path), end = sizeof(last) - 1;
	if (length > end && strcmp(path + length - end, last) == 0)
		path[length - end] = '\0';
	for (char *s = path + strlen(location->mount) - 1; *s != '\0'; s++)
		if (*s == '/') {
			*s = '\0';
			capture_cgroup(capture, path);
			*s = '/';
		}
	capture_cgroup(capture, path);
	capture_groups(capture, pid, path, cgroup_files(location->v2)->threads);
}

static void
capture_guest(struct capture *capture, const char *guest)
{
	struct snapshot *snapshot = &capture->snapshot;
	struct cgroup_location location;
	struct err e;
	pid_t pid;
	char path[PATH_MAX], status[64];
	if (qemu_process_find(snapshot->root, guest, &pid, &e) != QEMU_PROCESS_FOUND) {
		complain("%s: %s", guest, e.text);
		snapshot->incomplete = true;
		return;
	}
	printf("\n# A guest, process %d.\n", (int)pid);
	/* The pid is written as libvirt's status file: nobody holds a lock on a copied pid file. */
	if (snapshot_path(snapshot, path, QEMU_RUN_DIRECTORY "/%s.xml", guest)) {
		snprintf(status, sizeof(status), "<domstatus pid='%d'/>\n", (int)pid);
		snapshot_write(snapshot, path, status);
	}
	if (snapshot_path(snapshot, path, "proc/%d/cgroup", (int)pid))
		snapshot_copy_lines(snapshot, path, "cpuset", "0::");
	if (hierarchy_find_cgroup(snapshot->root, pid, &location, &e) == 0) {
		capture_cgroups(capture, pid, &location);
	} else {
		complain("%s: %s", guest, e.text);
		snapshot->incomplete = true;
	}
}

static enum exit_status
run_capture(const struct options *options)
{
	struct capture capture = {.snapshot.root = options->root};
	puts("# Captured by vmaffinity " VERSION ".");
	snapshot_copy(&capture.snapshot, "proc/sys/kernel/osrelease");
	capture_cpus(&capture.snapshot);
	capture_nodes(&capture.snapshot);
	capture_hierarchies(&capture);
	for (size_t i = 0; i < options->word_count; i++) {
		size_t first = 0;
		while (strcmp(options->words[first], options->words[i]) != 0)
			first++;
		if (first == i)
			capture_guest(&capture, options->words[i]);
	}
	for (size_t i = 0; i < capture.cgroup_count; i++)
		free(capture.cgroups[i]);
	free(capture.cgroups);
	return capture.snapshot.incomplete ? EXIT_CANNOT : EXIT_OK;
}

const struct command command_capture = {
	.name = "capture",
	.run = run_capture,
	.options = OPTION_SYSROOT,
	.words_max = ARGUMENTS_ANY,
	.words = "[GUEST...]",
	.summary = "print this host's topology and guests' cgroups as text",
	.help = "Usage: vmaffinity capture [OPTION...] [GUEST...]\n"
		"\n"
		"Prints this host's topology, and the cgroups of each running GUEST, as one\n"
		"text: for a bug report, or to check rules for this host on another one.\n"
		"\n"
		"      --sysroot DIR  read /proc, /run and /sys below DIR\n"
		"  -h, --help         this text\n"
		"\n"
		"Exit status: 0; 3 if something that exists could not be read.\n",
};
