/* SPDX-License-Identifier: MIT */
#include "pin/apply.h"

#include "base/array.h"
#include "pin/apply_memory.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>

/*
 * A group whose threads are new at each look, this often, is not ours to settle: a fork bomb, or a
 * fight.
 */
#define PASSES_MAX 32

/* One of plan's steps that has CPUs. */
struct target {
	const struct plan_step *step;
	bool settled; /* mask and affinities are as wished already */
	bool touched; /* something of it was, or may have been, changed */
	bool written; /* its cpuset.cpus */
};

/* A thread's affinity before anything was written. */
struct before {
	const struct target *target;
	pid_t tid;
	struct cpumask cpus;
};

struct work {
	const struct cgroup *cgroup;
	struct target *targets;
	size_t target_count;
	struct before *before;
	size_t before_count;
	struct apply_result *result;
};

/* 0, or -1 with errno set. The masks cover 8192 CPUs; the kernel takes a longer mask than it needs.
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

static bool
is_remembered(const struct work *work, pid_t tid)
{
	for (size_t i = 0; i < work->before_count; i++)
		if (work->before[i].tid == tid)
			return true;
	return false;
}

static int
remember(struct work *work, const struct target *target, pid_t tid, const struct cpumask *cpus)
{
	struct before *larger = array_grow(work->before, work->before_count, sizeof(*larger));
	if (larger == NULL)
		return -1;
	work->before = larger;
	work->before[work->before_count++] =
		(struct before){.target = target, .tid = tid, .cpus = *cpus};
	return 0;
}

static int
thread_error(const struct target *target, pid_t tid, const char *what, struct err *e)
{
	char name[THREAD_GROUP_NAME_MAX];
	return err_errno(e, "%s: thread %d: %s", thread_group_name(target->step->group, name),
		(int)tid, what);
}

/* Lists the threads of target's group; none, if the group went away meanwhile. */
static int
list_threads(const struct work *work, const struct target *target, pid_t **tids, size_t *count,
	struct err *e)
{
	char name[THREAD_GROUP_NAME_MAX];
	if (cgroup_threads(work->cgroup, target->step->group, tids, count) == 0)
		return 0;
	*tids = NULL;
	*count = 0;
	if (!cgroup_has_group(work->cgroup, target->step->group))
		return 0;
	return err_errno(e, "%s/%s: cannot list its threads", work->cgroup->path,
		thread_group_name(target->step->group, name));
}

/*
 * Reads the affinity of each thread before anything is written, and whether all is as wished
 * already.
 */
static int
read_target(struct work *work, struct target *target, struct err *e)
{
	pid_t *tids;
	size_t count;
	target->settled = !target->step->write;
	if (list_threads(work, target, &tids, &count, e) != 0)
		return -1;
	int r = 0;
	for (size_t i = 0; i < count && r == 0; i++) {
		struct cpumask cpus;
		if (get_affinity(tids[i], &cpus) != 0)
			r = errno == ESRCH
				    ? 0
				    : thread_error(target, tids[i], "cannot read its affinity", e);
		else if (remember(work, target, tids[i], &cpus) != 0)
			r = err_set(e, "out of memory");
		else if (!cpumask_equal(&cpus, target->step->cpus))
			target->settled = false;
	}
	free(tids);
	return r;
}

/* Sets a thread's affinity if it is not as wished; *changed tells. */
static int
settle_thread(
	struct work *work, const struct target *target, pid_t tid, bool *changed, struct err *e)
{
	struct cpumask cpus;
	if (get_affinity(tid, &cpus) != 0)
		return errno == ESRCH ? 0
				      : thread_error(target, tid, "cannot read its affinity", e);
	if (cpumask_equal(&cpus, target->step->cpus))
		return 0;
	*changed = true;
	if (!is_remembered(work, tid) && remember(work, target, tid, &cpus) != 0)
		return err_set(e, "out of memory");
	if (set_affinity(tid, target->step->cpus) != 0)
		return errno == ESRCH ? 0 : thread_error(target, tid, "cannot set its affinity", e);
	work->result->threads++;
	return 0;
}

/*
 * Looks at the threads again and again until a look finds all of them right: then all were read
 * back.
 */
static int
settle_threads(struct work *work, const struct target *target, struct err *e)
{
	for (unsigned pass = 0; pass < PASSES_MAX; pass++) {
		pid_t *tids;
		size_t count;
		bool changed = false;
		int r = list_threads(work, target, &tids, &count, e);
		for (size_t i = 0; i < count && r == 0; i++)
			r = settle_thread(work, target, tids[i], &changed, e);
		free(tids);
		if (r != 0 || !changed)
			return r;
	}
	char name[THREAD_GROUP_NAME_MAX], list[128];
	return err_set(e,
		"%s: its threads do not keep to CPUs %s: something else sets their affinity",
		thread_group_name(target->step->group, name),
		cpumask_format(target->step->cpus, list, sizeof(list)));
}

static int
settle_target(struct work *work, struct target *target, struct err *e)
{
	struct thread_group group = target->step->group;
	char name[THREAD_GROUP_NAME_MAX], list[128];
	target->touched = true;
	if (target->step->write) {
		if (cgroup_write_mask(work->cgroup, group, "cpuset.cpus", target->step->cpus) ==
			0) {
			target->written = true;
			work->result->masks++;
		} else if (cgroup_has_group(work->cgroup, group)) {
			return err_errno(e, "cannot write %s to %s/%s/cpuset.cpus",
				cpumask_format(target->step->cpus, list, sizeof(list)),
				work->cgroup->path, thread_group_name(group, name));
		}
	}
	return settle_threads(work, target, e);
}

/*
 * cgroup v2 takes any mask and grants what it can, so what it granted is read, not what was
 * written.
 */
static int
verify_mask(const struct work *work, const struct target *target, struct err *e)
{
	struct thread_group group = target->step->group;
	struct cpumask granted;
	char name[THREAD_GROUP_NAME_MAX], want[128], have[128];
	if (cgroup_read_mask(
		    work->cgroup, group, cgroup_effective_file(work->cgroup), &granted, e) != 0)
		return cgroup_has_group(work->cgroup, group) ? -1 : 0;
	if (cpumask_equal(&granted, target->step->cpus))
		return 0;
	return err_set(e, "%s/%s: asked for CPUs %s, the kernel grants %s", work->cgroup->path,
		thread_group_name(group, name),
		cpumask_format(target->step->cpus, want, sizeof(want)),
		cpumask_format(&granted, have, sizeof(have)));
}

/* Returns 1 if the thread is there and its affinity could not be made cpus, else 0. */
static size_t
put_back(pid_t tid, const struct cpumask *cpus)
{
	struct cpumask now;
	if (get_affinity(tid, &now) != 0 || cpumask_equal(&now, cpus))
		return 0;
	return set_affinity(tid, cpus) != 0 && errno != ESRCH;
}

/*
 * A thread that was made meanwhile has its affinity from its maker, perhaps as we had just set it:
 * it gets what the first thread of its group had. Again until a look finds no more of them.
 */
static size_t
undo_new_threads(const struct work *work, const struct target *target)
{
	const struct before *first = NULL;
	size_t changed = target->touched, failures = 0;
	for (size_t i = work->before_count; i-- > 0;)
		if (work->before[i].target == target)
			first = &work->before[i];
	for (unsigned pass = 0; pass < PASSES_MAX && first != NULL && changed > 0; pass++) {
		struct err ignored;
		pid_t *tids;
		size_t count;
		changed = 0;
		if (list_threads(work, target, &tids, &count, &ignored) != 0)
			return failures + 1;
		for (size_t i = 0; i < count; i++) {
			struct cpumask now;
			if (is_remembered(work, tids[i]) || get_affinity(tids[i], &now) != 0 ||
				cpumask_equal(&now, &first->cpus))
				continue;
			changed++;
			failures += put_back(tids[i], &first->cpus);
		}
		free(tids);
	}
	return failures;
}

/*
 * Puts back what was; returns how much of it could not be. First all masks, then affinities: before
 * Linux 6.2 a written mask replaces the affinity of the threads in the group, whoever had set it.
 */
static size_t
undo(const struct work *work)
{
	size_t failures = 0;
	for (size_t i = work->target_count; i-- > 0;) {
		const struct target *target = &work->targets[i];
		if (target->written &&
			cgroup_write_mask(work->cgroup, target->step->group, "cpuset.cpus",
				target->step->now) != 0 &&
			cgroup_has_group(work->cgroup, target->step->group))
			failures++;
	}
	for (size_t i = work->before_count; i-- > 0;)
		failures += put_back(work->before[i].tid, &work->before[i].cpus);
	for (size_t i = work->target_count; i-- > 0;)
		failures += undo_new_threads(work, &work->targets[i]);
	return failures;
}

static int
do_work(struct work *work, struct err *e)
{
	for (size_t i = 0; i < work->target_count; i++)
		if (read_target(work, &work->targets[i], e) != 0)
			return -1;
	for (size_t i = 0; i < work->target_count; i++)
		if (!work->targets[i].settled && settle_target(work, &work->targets[i], e) != 0)
			return -1;
	for (size_t i = 0; i < work->target_count; i++)
		if (work->targets[i].written && verify_mask(work, &work->targets[i], e) != 0)
			return -1;
	return 0;
}

int
apply(const struct plan *plan, const struct cgroup *cgroup, struct apply_result *result,
	struct err *e)
{
	struct target *targets = calloc(plan->step_count + 1, sizeof(*targets));
	if (targets == NULL)
		return err_set(e, "out of memory");
	struct work work = {.cgroup = cgroup, .targets = targets, .result = result};
	*result = (struct apply_result){0};
	for (size_t i = 0; i < plan->step_count; i++)
		if (plan->steps[i].cpus != NULL)
			work.targets[work.target_count++] =
				(struct target){.step = &plan->steps[i]};
	int r = do_work(&work, e);
	/* Last: the RAM that moves takes its time, and undoing it as long again. */
	if (r == 0 && plan->nodes != NULL)
		r = apply_memory(plan, cgroup, result, e);
	if (r != 0) {
		size_t failures = undo(&work);
		if (failures > 0)
			err_context(e,
				"%zu masks or affinities could not be put back after this failure",
				failures);
	}
	free(targets);
	free(work.before);
	return r;
}
