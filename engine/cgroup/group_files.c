/* SPDX-License-Identifier: MIT */
/* Reads and writes the files of one group of a guest: the part of cgroup.h that is about a group.
 */
#include "cgroup/cgroup.h"

#include "base/file.h"
#include "cgroup/exclusive.h"
#include "cgroup/files.h"
#include "cgroup/threads.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *
cgroup_effective_file(const struct cgroup *cgroup)
{
	return cgroup_files(cgroup->v2)->effective_cpus;
}

const char *
cgroup_effective_nodes_file(const struct cgroup *cgroup)
{
	return cgroup_files(cgroup->v2)->effective_mems;
}

static void
group_file(struct thread_group group, const char *file, char *out, size_t size)
{
	char name[THREAD_GROUP_NAME_MAX];
	snprintf(out, size, "%s/%s", thread_group_name(group, name), file);
}

int
cgroup_read_mask(const struct cgroup *cgroup, struct thread_group group, const char *file,
	struct cpumask *mask, struct err *e)
{
	char path[64];
	group_file(group, file, path, sizeof(path));
	return cgroup_read_list(cgroup->directory, path, mask, e) != 0
		       ? err_context(e, "%s", cgroup->path)
		       : 0;
}

/*
 * Gives a group all CPUs or nodes of the host, of which cgroup v2 grants those that the parent has:
 * it does not take a mask away from a group that has threads (validate_change(),
 * kernel/cgroup/cpuset.c).
 */
static int
write_all(const struct cgroup *cgroup, const char *path, const char *file)
{
	char list[CPULIST_MAX];
	const char *effective = strcmp(file, "cpuset.mems") == 0
					? cgroup_effective_nodes_file(cgroup)
					: cgroup_effective_file(cgroup);
	if (file_read_value(cgroup->mount, effective, list, sizeof(list)) != 0 &&
		file_read_value(cgroup->directory, effective, list, sizeof(list)) != 0)
		return -1;
	return file_write_value(cgroup->directory, path, list, strlen(list));
}

int
cgroup_write_mask(const struct cgroup *cgroup, struct thread_group group, const char *file,
	const struct cpumask *mask)
{
	char path[64], list[CPULIST_MAX];
	group_file(group, file, path, sizeof(path));
	cpumask_format(mask, list, sizeof(list) - 1);
	if (list[0] == '\0' && !cgroup_files(cgroup->v2)->empty_inherits) {
		errno = ENOSPC; /* v1's answer where the group has threads */
		return -1;
	}
	/* A write of no bytes does not reach the kernel; a newline does. */
	if (list[0] == '\0')
		strcpy(list, "\n");
	if (file_write_value(cgroup->directory, path, list, strlen(list)) == 0)
		return 0;
	return errno == ENOSPC && cpumask_empty(mask) ? write_all(cgroup, path, file) : -1;
}

bool
cgroup_has_group(const struct cgroup *cgroup, struct thread_group group)
{
	char name[THREAD_GROUP_NAME_MAX];
	return faccessat(cgroup->directory, thread_group_name(group, name), F_OK, 0) == 0;
}

/* True if a group may have a child with CPUs to itself. */
static bool
may_have_partition(const struct cgroup *cgroup, struct thread_group group)
{
	return cgroup->partitioned && group.kind == GROUP_VCPU;
}

int
cgroup_threads(const struct cgroup *cgroup, struct thread_group group, pid_t **tids, size_t *count)
{
	char path[96], file[64];
	pid_t *inside, *all;
	size_t inside_count;
	const char *threads = cgroup_files(cgroup->v2)->threads;
	group_file(group, threads, path, sizeof(path));
	if (threads_list(cgroup->directory, path, tids, count) != 0)
		return -1;
	if (!may_have_partition(cgroup, group))
		return 0;
	snprintf(file, sizeof(file), EXCLUSIVE_CHILD "/%s", threads);
	group_file(group, file, path, sizeof(path));
	if (threads_list(cgroup->directory, path, &inside, &inside_count) != 0)
		return 0; /* none, or gone */
	all = reallocarray(*tids, *count + inside_count + 1, sizeof(**tids));
	if (all == NULL) {
		free(*tids);
		free(inside);
		return -1;
	}
	memcpy(all + *count, inside, inside_count * sizeof(*all));
	*tids = all;
	*count += inside_count;
	free(inside);
	return 0;
}

int
cgroup_read_granted(
	const struct cgroup *cgroup, struct thread_group group, struct cpumask *mask, struct err *e)
{
	struct cgroup_partition partition = {0};
	if (may_have_partition(cgroup, group) && exclusive_read(cgroup, group, &partition, e) != 0)
		return -1;
	*mask = partition.granted;
	return partition.in_force
		       ? 0
		       : cgroup_read_mask(cgroup, group, cgroup_effective_file(cgroup), mask, e);
}
