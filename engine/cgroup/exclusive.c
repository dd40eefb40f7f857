/* SPDX-License-Identifier: MIT */
#include "cgroup/exclusive.h"

#include "base/file.h"
#include "cgroup/files.h"
#include "cgroup/hierarchy.h"
#include "cgroup/threads.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define VALID "isolated"

/* Passes over a group's threads, each of which may create more, until all are moved. */
#define PASSES_MAX 32

#define GROUP_PATH_MAX (THREAD_GROUP_NAME_MAX + 64)

/* Writes the path of a file of a group, or of its child, below cgroup->directory. Returns out. */
static char *
group_path(struct thread_group group, const char *child, const char *file, char out[GROUP_PATH_MAX])
{
	char name[THREAD_GROUP_NAME_MAX];
	snprintf(out, GROUP_PATH_MAX, "%s/%s%s", thread_group_name(group, name), child, file);
	return out;
}

#define OF_GROUP ""
#define OF_CHILD EXCLUSIVE_CHILD "/"

/* Writes the path of the file that lists all isolated CPUs; only the root cgroup has it. */
static void
isolated_path(const struct cgroup_location *location, char *out, size_t size)
{
	snprintf(out, size, "%s/cpuset.cpus.isolated", location->mount + 1);
}

bool
exclusive_is_possible(int root, struct err *e)
{
	struct cgroup_location location;
	char path[PATH_MAX + 32], release[128];
	if (hierarchy_find_mount(root, &location, e) != 0)
		return false;
	if (!location.v2) {
		err_set(e, "cgroup v1");
		return false;
	}
	isolated_path(&location, path, sizeof(path));
	if (faccessat(root, path, F_OK, 0) == 0)
		return true;
	if (file_read_value(root, "proc/sys/kernel/osrelease", release, sizeof(release)) != 0)
		return err_set(e, "an older kernel"), false;
	err_set(e, "Linux %s", release);
	return false;
}

bool
exclusive_isolated(int root, struct cpumask *cpus)
{
	struct cgroup_location location;
	char path[PATH_MAX + 32];
	struct err ignored;
	*cpus = (struct cpumask){0};
	if (hierarchy_find_mount(root, &location, &ignored) != 0 || !location.v2)
		return false;
	isolated_path(&location, path, sizeof(path));
	return cgroup_read_list(root, path, cpus, &ignored) == 0 && !cpumask_empty(cpus);
}

/* Finds out whether a thread is in the vCPU's own cgroup. Returns 0, or -1 with errno set. */
static int
find_outside(const struct cgroup *cgroup, struct thread_group group, bool *outside)
{
	char path[GROUP_PATH_MAX], text[64];
	group_path(group, OF_GROUP, cgroup_files(true)->threads, path);
	int r = file_read_value(cgroup->directory, path, text, sizeof(text));
	*outside = r != 0 || text[0] != '\0';
	return r == 0 || errno == EFBIG ? 0 : -1;
}

/* Reads the files of a partition that is there. Returns 0, or -1 with the reason. */
static int
read_partition(const struct cgroup *cgroup, struct thread_group group,
	struct cgroup_partition *partition, struct err *e)
{
	char path[GROUP_PATH_MAX];
	bool outside;
	if (cgroup_read_list(cgroup->directory,
		    group_path(group, OF_CHILD, "cpuset.cpus.exclusive", path), &partition->cpus,
		    e) != 0 ||
		cgroup_read_list(cgroup->directory,
			group_path(group, OF_CHILD, cgroup_files(true)->effective_cpus, path),
			&partition->granted, e) != 0)
		return err_context(e, "%s", cgroup->path);
	if (find_outside(cgroup, group, &outside) != 0)
		return err_errno(e, "%s: cannot list the threads", cgroup->path);
	bool valid = strcmp(partition->kernel, VALID) == 0;
	partition->in_force = valid && !outside;
	if (valid && outside)
		snprintf(partition->kernel, sizeof(partition->kernel),
			VALID ", but the thread is outside");
	return 0;
}

int
exclusive_read(const struct cgroup *cgroup, struct thread_group group,
	struct cgroup_partition *partition, struct err *e)
{
	char path[GROUP_PATH_MAX];
	*partition = (struct cgroup_partition){0};
	group_path(group, OF_CHILD, "cpuset.cpus.partition", path);
	if (file_read_value(
		    cgroup->directory, path, partition->kernel, sizeof(partition->kernel)) != 0)
		return errno == ENOENT || errno == ENODEV
			       ? 0
			       : err_errno(e, "%s/%s", cgroup->path, path);
	partition->there = true;
	if (read_partition(cgroup, group, partition, e) == 0)
		return 0;
	/* The vCPU may have been unplugged, or its partition taken away, in between. */
	bool there = faccessat(cgroup->directory, path, F_OK, 0) == 0;
	*partition = (struct cgroup_partition){0};
	return there ? -1 : 0;
}

int
exclusive_widen(const struct cgroup *cgroup, const struct cpumask *cpus, struct err *e)
{
	const char *below_mount = cgroup->path + cgroup->mount_length + 1;
	for (const char *end = below_mount; *end != '\0';) {
		char path[PATH_MAX], list[CPULIST_MAX];
		struct cpumask now;
		end += strspn(end, "/");
		end += strcspn(end, "/");
		int n = snprintf(path, sizeof(path), "%.*s/cpuset.cpus.exclusive",
			(int)(end - below_mount), below_mount);
		if (n < 0 || (size_t)n >= sizeof(path))
			return err_set(e, "%s: too long", cgroup->path);
		if (cgroup_read_list(cgroup->mount, path, &now, e) != 0)
			return -1;
		if (cpumask_subset(cpus, &now))
			continue;
		cpumask_or(&now, cpus);
		cpumask_format(&now, list, sizeof(list));
		if (file_write_value(cgroup->mount, path, list, strlen(list)) != 0)
			return err_errno(e, "cannot write %s to %s", list, path);
	}
	return 0;
}

/* Writes a file of a group or of its child. Returns 0, or -1 with the reason. */
static int
write_file(const struct cgroup *cgroup, struct thread_group group, const char *child,
	const char *file, const char *text, struct err *e)
{
	char path[GROUP_PATH_MAX];
	return cgroup_write_text(
		cgroup->directory, cgroup->path, group_path(group, child, file, path), text, e);
}

/*
 * Moves all threads of one cgroup of a group into the other. A thread that ends meanwhile, or a
 * group that goes, is left out.
 */
static int
move_threads(const struct cgroup *cgroup, struct thread_group group, const char *from,
	const char *to, struct err *e)
{
	const char *threads = cgroup_files(true)->threads;
	char path[GROUP_PATH_MAX], target[GROUP_PATH_MAX];
	group_path(group, to, threads, target);
	for (unsigned pass = 0; pass < PASSES_MAX; pass++) {
		pid_t *tids;
		size_t count;
		if (threads_list(cgroup->directory, group_path(group, from, threads, path), &tids,
			    &count) != 0)
			return errno == ENOENT || errno == ENODEV
				       ? 0
				       : err_errno(e, "%s/%s", cgroup->path, path);
		int r = threads_move(cgroup->directory, cgroup->path, tids, count, target, e);
		free(tids);
		if (r != 0 || count == 0)
			return r;
	}
	return err_set(e, "%s/%s: its threads cannot be moved", cgroup->path, path);
}

int
exclusive_make(const struct cgroup *cgroup, struct thread_group group, const struct cpumask *cpus,
	struct err *e)
{
	char path[GROUP_PATH_MAX], list[CPULIST_MAX];
	struct cgroup_partition made;
	cpumask_format(cpus, list, sizeof(list));
	if (write_file(cgroup, group, OF_GROUP, "cgroup.subtree_control", "+cpuset", e) != 0)
		return -1;
	if (mkdirat(cgroup->directory, group_path(group, EXCLUSIVE_CHILD, "", path), 0755) != 0 &&
		errno != EEXIST)
		return err_errno(e, "cannot make %s/%s", cgroup->path, path);
	if (write_file(cgroup, group, OF_CHILD, "cgroup.type", "threaded", e) != 0 ||
		write_file(cgroup, group, OF_GROUP, "cpuset.cpus.exclusive", list, e) != 0 ||
		write_file(cgroup, group, OF_CHILD, "cpuset.cpus.exclusive", list, e) != 0 ||
		write_file(cgroup, group, OF_CHILD, "cpuset.cpus.partition", VALID, e) != 0 ||
		move_threads(cgroup, group, OF_GROUP, OF_CHILD, e) != 0 ||
		exclusive_read(cgroup, group, &made, e) != 0)
		return -1;
	/* The write succeeds also where the kernel does not make it a valid partition. */
	if (!made.in_force)
		return err_set(e, "%s/%s: the kernel does not give it CPUs %s to itself: %s",
			cgroup->path, group_path(group, EXCLUSIVE_CHILD, "", path), list,
			made.there ? made.kernel : "it is gone");
	return 0;
}

int
exclusive_remove(const struct cgroup *cgroup, struct thread_group group, struct err *e)
{
	char path[GROUP_PATH_MAX];
	group_path(group, EXCLUSIVE_CHILD, "", path);
	if (faccessat(cgroup->directory, path, F_OK, 0) != 0)
		return 0;
	/* A child that is not threaded yet has no threads, and takes no write to some files. */
	struct err ignored;
	write_file(cgroup, group, OF_CHILD, "cpuset.cpus.partition", "member", &ignored);
	if (move_threads(cgroup, group, OF_CHILD, OF_GROUP, e) != 0)
		return -1;
	if (unlinkat(cgroup->directory, path, AT_REMOVEDIR) != 0 && errno != ENOENT)
		return err_errno(e, "cannot remove %s/%s", cgroup->path, path);
	write_file(cgroup, group, OF_GROUP, "cpuset.cpus.exclusive", "\n", &ignored);
	write_file(cgroup, group, OF_GROUP, "cgroup.subtree_control", "-cpuset", &ignored);
	return 0;
}
