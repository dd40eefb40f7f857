/* SPDX-License-Identifier: MIT */
#include "pin/apply_exclusive.h"

#include "cgroup/exclusive.h"
#include "pin/affinity.h"

#include <stdlib.h>

/* Bits of exclusive_work.done. */
#define RELEASED 1u
#define MADE 2u

static bool
is_asked(const struct plan *plan)
{
	for (size_t i = 0; i < plan->step_count; i++)
		if (plan->steps[i].release || plan->steps[i].exclusive != NULL)
			return true;
	return false;
}

int
apply_exclusive_release(struct exclusive_work *work, struct err *e)
{
	const struct plan *plan = work->plan;
	if (!is_asked(plan))
		return 0;
	work->done = calloc(plan->step_count, sizeof(*work->done));
	if (work->done == NULL)
		return err_set(e, "out of memory");
	for (size_t i = 0; i < plan->step_count; i++) {
		if (!plan->steps[i].release)
			continue;
		work->done[i] |= RELEASED;
		if (exclusive_remove(work->cgroup, plan->steps[i].group, e) != 0)
			return -1;
		work->changed++;
	}
	return 0;
}

/* Makes the partition of a step. A vCPU that was unplugged meanwhile is left out. */
static int
make(struct exclusive_work *work, size_t i, struct saved_affinities *saved, size_t *set,
	struct err *e)
{
	const struct plan_step *step = &work->plan->steps[i];
	work->done[i] |= MADE;
	if (exclusive_make(work->cgroup, step->group, step->exclusive, e) != 0)
		return cgroup_has_group(work->cgroup, step->group) ? -1 : 0;
	work->changed += !step->release;
	return affinity_settle(saved, work->cgroup, step->group, step->cpus, step->cpus, set, e);
}

/* Reads back that a partition is in force: making another one can invalidate it. */
static int
verify(const struct exclusive_work *work, const struct plan_step *step, struct err *e)
{
	struct cgroup_partition now;
	char name[THREAD_GROUP_NAME_MAX], list[128];
	if (exclusive_read(work->cgroup, step->group, &now, e) != 0)
		return -1;
	if ((now.in_force && cpumask_equal(&now.granted, step->exclusive)) ||
		!cgroup_has_group(work->cgroup, step->group))
		return 0;
	return err_set(e, "%s: it does not have CPUs %s to itself: %s",
		thread_group_name(step->group, name),
		cpumask_format(step->exclusive, list, sizeof(list)),
		now.there ? now.kernel : "its partition is gone");
}

int
apply_exclusive_make(
	struct exclusive_work *work, struct saved_affinities *saved, size_t *set, struct err *e)
{
	const struct plan *plan = work->plan;
	struct cpumask all = {0};
	for (size_t i = 0; work->done != NULL && i < plan->step_count; i++)
		if (plan->steps[i].isolate)
			cpumask_or(&all, plan->steps[i].exclusive);
	if (work->done == NULL || cpumask_empty(&all))
		return 0;
	if (exclusive_widen(work->cgroup, &all, e) != 0)
		return -1;
	work->cgroup->partitioned = true;
	for (size_t i = 0; i < plan->step_count; i++)
		if (plan->steps[i].isolate && make(work, i, saved, set, e) != 0)
			return -1;
	for (size_t i = 0; i < plan->step_count; i++)
		if (plan->steps[i].exclusive != NULL && verify(work, &plan->steps[i], e) != 0)
			return -1;
	return 0;
}

size_t
apply_exclusive_undo(const struct exclusive_work *work)
{
	size_t failures = 0;
	struct err ignored;
	for (size_t i = work->plan->step_count; work->done != NULL && i-- > 0;)
		if ((work->done[i] & MADE) != 0)
			failures += exclusive_remove(work->cgroup, work->plan->steps[i].group,
					    &ignored) != 0;
	return failures;
}

size_t
apply_exclusive_restore(const struct exclusive_work *work)
{
	size_t failures = 0;
	struct err ignored;
	for (size_t i = 0; work->done != NULL && i < work->plan->step_count; i++) {
		const struct plan_step *step = &work->plan->steps[i];
		if ((work->done[i] & RELEASED) != 0 && step->partition->in_force)
			failures += exclusive_make(work->cgroup, step->group,
					    &step->partition->cpus, &ignored) != 0 &&
				    cgroup_has_group(work->cgroup, step->group);
	}
	return failures;
}
