/* SPDX-License-Identifier: MIT */
/* Puts together a group's state from its cgroup and from /proc of each of its threads. */
#include "cgroup/group_state.h"

#include "base/file.h"
#include "cgroup/exclusive.h"
#include "cgroup/proc_stat.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A status file has Cpus_allowed and Mems_allowed, each as words and as a list, and some 60 lines.
 */
#define STATUS_MAX (3 * CPULIST_MAX)

/*
 * Parses Cpus_allowed_list, proc_pid_status(5): the CPUs that the thread may run on, its cpuset
 * taken into account. Cuts text after it.
 */
static int
parse_status(char *text, struct cpumask *cpus, struct err *e)
{
	/* The kernel escapes a newline in the name of the thread, so no other line begins so. */
	static const char key[] = "\nCpus_allowed_list:\t";
	char *list = strstr(text, key);
	if (list == NULL)
		return err_set(e, "no Cpus_allowed_list in it");
	list += sizeof(key) - 1;
	list[strcspn(list, "\n")] = '\0';
	return cpumask_parse(list, cpus, e);
}

int
thread_read_cpus(int root, pid_t tid, struct cpumask *cpus, struct err *e)
{
	char path[64], text[STATUS_MAX];
	snprintf(path, sizeof(path), "proc/%d/status", (int)tid);
	if (file_read_value(root, path, text, sizeof(text)) != 0)
		return errno == ENOENT || errno == ESRCH ? 1 : err_errno(e, "/%s", path);
	return parse_status(text, cpus, e) != 0 ? err_context(e, "/%s", path) : 0;
}

/* Returns 0, 1 if the thread has ended, or -1 with the reason. */
static int
read_thread(int root, pid_t tid, struct thread_state *thread, struct err *e)
{
	char path[64];
	uint64_t last;
	thread->tid = tid;
	int r = thread_read_cpus(root, tid, &thread->cpus, e);
	if (r != 0)
		return r;
	if (proc_stat_read(root, tid, PROC_STAT_PROCESSOR, &last) == 0) {
		thread->last = (unsigned)last;
		return 0;
	}
	if (errno == ENOENT || errno == ESRCH)
		return 1;
	snprintf(path, sizeof(path), "proc/%d/stat", (int)tid);
	return errno == EPROTO ? err_set(e, "/%s: no CPU in field %d", path, PROC_STAT_PROCESSOR)
			       : err_errno(e, "/%s", path);
}

static int
read_threads(int root, const struct cgroup *cgroup, struct thread_group group,
	struct group_state *actual, struct err *e)
{
	pid_t *tids;
	size_t count;
	char name[THREAD_GROUP_NAME_MAX];
	if (cgroup_threads(cgroup, group, &tids, &count) != 0)
		return err_errno(e, "%s/%s: cannot list its threads", cgroup->path,
			thread_group_name(group, name));
	int r = 0;
	actual->threads = calloc(count + 1, sizeof(*actual->threads));
	if (actual->threads == NULL) {
		free(tids);
		return err_set(e, "out of memory");
	}
	for (size_t i = 0; i < count && r >= 0; i++) {
		r = read_thread(root, tids[i], &actual->threads[actual->thread_count], e);
		actual->thread_count += r == 0;
	}
	free(tids);
	return r < 0 ? -1 : 0;
}

/* Reads the memory nodes. They are left empty if that fails: CPUs can be judged without them. */
static void
read_nodes(const struct cgroup *cgroup, struct thread_group group, struct cpumask *nodes)
{
	struct err ignored;
	if (cgroup_read_mask(cgroup, group, cgroup_effective_nodes_file(cgroup), nodes, &ignored) !=
		0)
		*nodes = (struct cpumask){0};
}

enum group_state_result
group_state_read(int root, const struct cgroup *cgroup, struct thread_group group,
	struct group_state *actual, struct err *e)
{
	struct group_state result = {0};
	if (cgroup_read_mask(cgroup, group, "cpuset.cpus", &result.cpus, e) != 0 ||
		cgroup_read_granted(cgroup, group, &result.granted, e) != 0 ||
		(cgroup->partitioned && group.kind == GROUP_VCPU &&
			exclusive_read(cgroup, group, &result.partition, e) != 0) ||
		read_threads(root, cgroup, group, &result, e) != 0) {
		group_state_free(&result);
		return cgroup_has_group(cgroup, group) ? GROUP_STATE_ERROR : GROUP_STATE_GONE;
	}
	read_nodes(cgroup, group, &result.nodes);
	*actual = result;
	return GROUP_STATE_READ;
}

void
group_state_free(struct group_state *actual)
{
	free(actual->threads);
	*actual = (struct group_state){0};
}
