/* SPDX-License-Identifier: MIT */
/* Settles the sticky affinity of a group's threads, and restores it; see affinity.h. */
#include "pin/affinity.h"

#include "cgroup/group_state.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>

/*
 * Passes over a group's threads. If each of so many finds a thread that is wrong, something else
 * sets affinities, or the group creates threads without end.
 */
#define PASSES_MAX 32

/*
 * Returns 0, or -1 with errno set. The masks cover 8,192 CPUs; the kernel takes a longer mask than
 * it needs.
 */
static int
get_affinity(pid_t tid, struct cpumask *cpus)
{
	*cpus = (struct cpumask){0};
	return sched_getaffinity(tid, sizeof(*cpus), (cpu_set_t *)cpus);
}

static int
set_affinity(pid_t tid, const struct cpumask *cpus)
{
	return sched_setaffinity(tid, sizeof(*cpus), (const cpu_set_t *)cpus);
}

static int
thread_error(struct thread_group group, pid_t tid, const char *what, struct err *e)
{
	char name[THREAD_GROUP_NAME_MAX];
	return err_errno(e, "%s: thread %d: %s", thread_group_name(group, name), (int)tid, what);
}

/* Lists the threads of a group; none if the group was removed. */
static int
list_threads(const struct cgroup *cgroup, struct thread_group group, pid_t **tids, size_t *count,
	struct err *e)
{
	char name[THREAD_GROUP_NAME_MAX];
	if (cgroup_threads(cgroup, group, tids, count) == 0)
		return 0;
	*tids = NULL;
	*count = 0;
	if (!cgroup_has_group(cgroup, group))
		return 0;
	return err_errno(
		e, "%s/%s: cannot list its threads", cgroup->path, thread_group_name(group, name));
}

bool
affinity_is_settled(
	const struct cgroup *cgroup, struct thread_group group, const struct cpumask *cpus)
{
	struct err ignored;
	pid_t *tids;
	size_t count;
	bool settled = true;
	if (list_threads(cgroup, group, &tids, &count, &ignored) != 0)
		return true;
	for (size_t i = 0; i < count && settled; i++) {
		struct cpumask now;
		settled = thread_read_cpus(cgroup->root, tids[i], &now, &ignored) != 0 ||
			  cpumask_equal(&now, cpus);
	}
	free(tids);
	return settled;
}

int
affinity_save(struct saved_affinities *saved, const struct cgroup *cgroup,
	struct thread_group group, const struct cpumask *cpus, bool *settled, struct err *e)
{
	pid_t *tids;
	size_t count;
	*settled = true;
	if (list_threads(cgroup, group, &tids, &count, e) != 0)
		return -1;
	int r = 0;
	for (size_t i = 0; i < count && r == 0; i++) {
		struct cpumask now;
		if (get_affinity(tids[i], &now) != 0)
			r = errno == ESRCH
				    ? 0
				    : thread_error(group, tids[i], "cannot read its affinity", e);
		else if (saved_affinities_add(saved, group, tids[i], &now) != 0)
			r = err_set(e, "out of memory");
		else if (!cpumask_equal(&now, cpus))
			*settled = false;
	}
	free(tids);
	return r;
}

/* Describes a pass over the threads of a group: what it sets, and what it found. */
struct settling {
	struct saved_affinities *saved;
	struct thread_group group;
	const struct cpumask *cpus, *whole; /* see affinity_settle() */
	bool every;			    /* also threads that seem right: the first pass */
	bool wrong;			    /* one was not right */
	size_t *set;
};

static int
settle_thread(struct settling *settling, pid_t tid, struct err *e)
{
	struct cpumask now;
	struct thread_group group = settling->group;
	if (get_affinity(tid, &now) != 0)
		return errno == ESRCH ? 0 : thread_error(group, tid, "cannot read its affinity", e);
	bool right = cpumask_equal(&now, settling->cpus);
	if (right && !settling->every)
		return 0;
	settling->wrong |= !right;
	if (saved_affinities_add(settling->saved, group, tid, &now) != 0)
		return err_set(e, "out of memory");
	if (set_affinity(tid, settling->whole) != 0)
		return errno == ESRCH ? 0 : thread_error(group, tid, "cannot set its affinity", e);
	*settling->set += !right;
	return 0;
}

int
affinity_settle(struct saved_affinities *saved, const struct cgroup *cgroup,
	struct thread_group group, const struct cpumask *cpus, const struct cpumask *whole,
	size_t *set, struct err *e)
{
	struct settling settling = {.saved = saved,
		.group = group,
		.cpus = cpus,
		.whole = whole,
		.every = !cpumask_equal(cpus, whole),
		.set = set};
	for (unsigned pass = 0; pass < PASSES_MAX; pass++) {
		pid_t *tids;
		size_t count;
		int r = list_threads(cgroup, group, &tids, &count, e);
		settling.wrong = false;
		for (size_t i = 0; i < count && r == 0; i++)
			r = settle_thread(&settling, tids[i], e);
		free(tids);
		if (r != 0 || !settling.wrong)
			return r;
		settling.every = false;
	}
	char name[THREAD_GROUP_NAME_MAX], list[128];
	return err_set(e,
		"%s: its threads do not keep to CPUs %s: something else sets their affinity",
		thread_group_name(group, name), cpumask_format(cpus, list, sizeof(list)));
}

/* Returns 1 if the thread is there and its affinity could not be made cpus, else 0. */
static size_t
restore_thread(pid_t tid, const struct cpumask *cpus)
{
	struct cpumask now;
	if (get_affinity(tid, &now) != 0 || cpumask_equal(&now, cpus))
		return 0;
	return set_affinity(tid, cpus) != 0 && errno != ESRCH;
}

size_t
affinity_restore(const struct saved_affinities *saved)
{
	size_t failures = 0;
	for (const struct saved_affinity *item = saved->last; item != NULL; item = item->previous)
		failures += restore_thread(item->tid, item->cpus);
	return failures;
}

size_t
affinity_restore_new_threads(const struct saved_affinities *saved, const struct cgroup *cgroup,
	struct thread_group group)
{
	const struct saved_affinity *first = saved_affinities_first(saved, group);
	size_t changed = 1, failures = 0;
	for (unsigned pass = 0; pass < PASSES_MAX && first != NULL && changed > 0; pass++) {
		struct err ignored;
		pid_t *tids;
		size_t count;
		changed = 0;
		if (list_threads(cgroup, group, &tids, &count, &ignored) != 0)
			return failures + 1;
		for (size_t i = 0; i < count; i++) {
			struct cpumask now;
			if (saved_affinities_has(saved, tids[i]) ||
				get_affinity(tids[i], &now) != 0 ||
				cpumask_equal(&now, first->cpus))
				continue;
			changed++;
			failures += restore_thread(tids[i], first->cpus);
		}
		free(tids);
	}
	return failures;
}
