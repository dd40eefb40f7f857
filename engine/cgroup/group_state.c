/* SPDX-License-Identifier: MIT */
#include "cgroup/group_state.h"

#include "base/file.h"
#include "base/number.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A status file has Cpus_allowed and Mems_allowed, each as words and as a list, and some 60 lines.
 */
#define STATUS_MAX (3 * CPULIST_MAX)

/* About 50 numbers. */
#define STAT_MAX 4096

/*
 * proc(5): the list is of CPUs that the thread may run on, its cpuset taken into account. text is
 * cut behind it.
 */
static int
parse_status(char *text, struct cpumask *cpus, struct err *e)
{
	/* In "Name:" the kernel writes a newline as "\n", so this is the line that it looks like.
	 */
	static const char key[] = "\nCpus_allowed_list:\t";
	char *list = strstr(text, key);
	if (list == NULL)
		return err_set(e, "no Cpus_allowed_list in it");
	list += sizeof(key) - 1;
	list[strcspn(list, "\n")] = '\0';
	return cpumask_parse(list, cpus, e);
}

/* proc_pid_stat(5): "TID (NAME) STATE ..."; field 39 is the CPU. NAME may hold anything. */
static int
parse_stat(const char *text, unsigned *last, struct err *e)
{
	const char *at = strrchr(text, ')');
	for (unsigned field = 2; field < 39 && at != NULL; field++) {
		at = strchr(at, ' ');
		at = at != NULL ? at + 1 : NULL;
	}
	if (at == NULL || number_parse(&at, 0x7fffffff, last) != 0 || (*at != ' ' && *at != '\0'))
		return err_set(e, "no CPU in field 39");
	return 0;
}

/* Returns 1 if the thread has ended. */
static int
read_thread(int root, pid_t tid, struct thread_state *thread, struct err *e)
{
	static const char *const files[] = {"status", "stat"};
	char path[64], text[STATUS_MAX];
	thread->tid = tid;
	for (size_t i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "proc/%d/%s", (int)tid, files[i]);
		if (file_read_value(root, path, text, i == 0 ? STATUS_MAX : STAT_MAX) != 0)
			return errno == ENOENT || errno == ESRCH ? 1 : err_errno(e, "/%s", path);
		if ((i == 0 ? parse_status(text, &thread->cpus, e)
			    : parse_stat(text, &thread->last, e)) != 0)
			return err_context(e, "/%s", path);
	}
	return 0;
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

/* Of the memory nodes nothing is said where they cannot be read: they are not what a pin is about.
 */
static void
read_nodes(const struct cgroup *cgroup, struct thread_group group, struct cpumask *nodes)
{
	struct err ignored;
	if (cgroup_read_mask(cgroup, group, cgroup_effective_nodes_file(cgroup), nodes, &ignored) !=
		0)
		*nodes = (struct cpumask){0};
}

int
group_state_read(int root, const struct cgroup *cgroup, struct thread_group group,
	struct group_state *actual, struct err *e)
{
	struct group_state result = {0};
	if (cgroup_read_mask(cgroup, group, "cpuset.cpus", &result.cpus, e) != 0 ||
		cgroup_read_mask(
			cgroup, group, cgroup_effective_file(cgroup), &result.granted, e) != 0 ||
		read_threads(root, cgroup, group, &result, e) != 0) {
		group_state_free(&result);
		return cgroup_has_group(cgroup, group) ? -1 : GROUP_STATE_GONE;
	}
	read_nodes(cgroup, group, &result.nodes);
	*actual = result;
	return 0;
}

void
group_state_free(struct group_state *actual)
{
	free(actual->threads);
	*actual = (struct group_state){0};
}
