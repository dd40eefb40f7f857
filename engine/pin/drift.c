/* SPDX-License-Identifier: MIT */
/* Compares each group's actual state with its step of the plan, and puts drift into words. */
#include "pin/drift.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Threads named in one line; more are counted only. */
#define NAMED_MAX 3

static enum drift_kind
cpu_drift(const struct plan_step *step, const struct group_state *actual,
	const struct cpumask *allowed)
{
	const struct cgroup_partition *own = &actual->partition;
	if (step->gather)
		return DRIFT_STRAY;
	bool isolated = own->in_force && step->exclusive != NULL &&
			cpumask_equal(&own->granted, step->exclusive);
	if (step->release && step->exclusive == NULL)
		return DRIFT_EXCLUSIVE;
	if (step->cpus == NULL || cpumask_empty(step->cpus))
		return DRIFT_NONE;
	if (step->given && !cpumask_equal(&actual->granted, step->cpus))
		return DRIFT_LEFT;
	if (!step->given && !cpumask_equal(&actual->cpus, plan_step_written(step)))
		return cpumask_empty(&actual->cpus) || cpumask_equal(&actual->cpus, allowed)
			       ? DRIFT_UNPINNED
			       : DRIFT_MASK;
	if (step->exclusive != NULL && !isolated)
		return DRIFT_EXCLUSIVE;
	if (!cpumask_equal(&actual->granted, isolated ? step->exclusive : step->cpus))
		return DRIFT_GRANTED;
	for (size_t i = 0; i < actual->thread_count; i++)
		if (!cpumask_equal(&actual->threads[i].cpus, step->cpus))
			return DRIFT_THREADS;
	return DRIFT_NONE;
}

enum drift_kind
drift_kind(const struct plan_step *step, const struct cpumask *nodes,
	const struct group_state *actual, const struct cpumask *allowed)
{
	enum drift_kind kind = cpu_drift(step, actual, allowed);
	if (kind != DRIFT_NONE || nodes == NULL || cpumask_empty(nodes))
		return kind;
	return cpumask_equal(&actual->nodes, nodes) ? DRIFT_NONE : DRIFT_MEMORY;
}

int
drift_find(int root, const struct plan *plan, const struct cgroup *cgroup, struct drift *drift,
	struct err *e)
{
	struct drift result = {.groups = calloc(plan->step_count + 1, sizeof(*result.groups))};
	if (result.groups == NULL)
		return err_set(e, "out of memory");
	for (size_t i = 0; i < plan->step_count; i++) {
		struct drift_group *group = &result.groups[result.count];
		group->step = &plan->steps[i];
		group->nodes = plan->nodes;
		group->nodes_given = plan->nodes_given;
		enum group_state_result r =
			group_state_read(root, cgroup, group->step->group, &group->actual, e);
		if (r == GROUP_STATE_ERROR) {
			drift_free(&result);
			return -1;
		}
		if (r == GROUP_STATE_GONE && !group->step->gather)
			continue;
		group->kind =
			drift_kind(group->step, group->nodes, &group->actual, &cgroup->allowed);
		result.drifted += group->kind != DRIFT_NONE;
		result.count++;
	}
	*drift = result;
	return 0;
}

void
drift_free(struct drift *drift)
{
	for (size_t i = 0; i < drift->count; i++)
		group_state_free(&drift->groups[i].actual);
	free(drift->groups);
	*drift = (struct drift){0};
}

static bool
drift_alike(const struct drift_group *a, const struct drift_group *b)
{
	if (a->kind != b->kind || a->step->group.kind != b->step->group.kind ||
		a->step->group.id + 1 != b->step->group.id)
		return false;
	if (a->kind == DRIFT_EXCLUSIVE)
		return !a->actual.partition.in_force &&
		       strcmp(a->actual.partition.kernel, b->actual.partition.kernel) == 0 &&
		       (a->step->exclusive != NULL) == (b->step->exclusive != NULL);
	if (a->kind == DRIFT_MEMORY)
		return cpumask_equal(&a->actual.nodes, &b->actual.nodes);
	return cpumask_equal(a->step->cpus, b->step->cpus) &&
	       cpumask_equal(&a->actual.cpus, &b->actual.cpus) &&
	       cpumask_equal(&a->actual.granted, &b->actual.granted);
}

const struct drift_group *
drift_end_of_run(const struct drift *drift, const struct drift_group *first)
{
	const struct drift_group *end = drift->groups + drift->count, *next = first + 1;
	/* Each thread drifts in its own way. */
	if (first->kind == DRIFT_NONE || first->kind == DRIFT_THREADS)
		return next;
	while (next < end && drift_alike(next - 1, next))
		next++;
	return next;
}

/* Writes "2 of 3 threads keep to other CPUs than 0-1: thread 1203 on 3, thread 1204 on 5". */
static void
drift_describe_threads(const struct drift_group *group, const char *want, char *out, size_t size)
{
	const struct group_state *actual = &group->actual;
	size_t used = 0, differ = 0;
	char named[NAMED_MAX * 64] = "", list[40];
	for (size_t i = 0; i < actual->thread_count; i++) {
		const struct thread_state *thread = &actual->threads[i];
		if (cpumask_equal(&thread->cpus, group->step->cpus) || differ++ >= NAMED_MAX)
			continue;
		used += (size_t)snprintf(named + used, sizeof(named) - used, "%sthread %d on %s",
			used > 0 ? ", " : "", (int)thread->tid,
			cpumask_format(&thread->cpus, list, sizeof(list)));
	}
	snprintf(out, size, "%zu of %zu threads keep to other CPUs than %s: %s%s", differ,
		actual->thread_count, want, named, differ > NAMED_MAX ? ", ..." : "");
}

/* Writes "does not have CPUs 4-5 to itself: the kernel says 'isolated invalid (...)'". */
static void
drift_describe_exclusive(
	const struct drift_group *first, const struct drift_group *end, char *out, size_t size)
{
	struct cpumask cpus = {0};
	char list[128], have[128];
	const struct cgroup_partition *own = &first->actual.partition;
	bool wanted = first->step->exclusive != NULL;
	for (const struct drift_group *group = first; group < end; group++)
		cpumask_or(
			&cpus, wanted ? group->step->exclusive : &group->actual.partition.granted);
	cpumask_format(&cpus, list, sizeof(list));
	if (!wanted)
		snprintf(out, size, "no rule says so, but no other may use CPUs %s", list);
	else if (own->in_force)
		snprintf(out, size, "it has CPUs %s to itself; the rule says %s",
			cpumask_format(&own->granted, have, sizeof(have)), list);
	else if (!own->there)
		snprintf(out, size, "others may use CPUs %s; the rule says exclusive", list);
	else
		snprintf(out, size,
			"others may use CPUs %s; the rule says exclusive; its partition is '%s'",
			list, own->kernel);
}

static void
drift_describe(const struct drift_group *group, char *out, size_t size)
{
	char want[128] = "", have[128];
	const struct cpumask *desired = group->kind == DRIFT_MEMORY ? group->nodes
					: group->kind == DRIFT_MASK ? plan_step_written(group->step)
								    : group->step->cpus;
	if (desired != NULL)
		cpumask_format(desired, want, sizeof(want));
	switch (group->kind) {
	case DRIFT_NONE:
		break;
	case DRIFT_UNPINNED:
		snprintf(out, size,
			"not pinned: it may use all CPUs that the guest may, %s; the rule says %s",
			cpumask_format(&group->actual.granted, have, sizeof(have)), want);
		break;
	case DRIFT_MASK:
		snprintf(out, size, "the cgroup has CPUs %s; the rule says %s",
			cpumask_format(&group->actual.cpus, have, sizeof(have)), want);
		break;
	case DRIFT_GRANTED:
		cpumask_format(&group->actual.granted, have, sizeof(have));
		snprintf(out, size, "the cgroup has CPUs %s, of which the kernel grants %s%s",
			cpumask_format(&group->actual.cpus, want, sizeof(want)),
			have[0] != '\0' ? "only " : "none", have);
		break;
	case DRIFT_EXCLUSIVE: /* of all groups of the run */
		break;
	case DRIFT_STRAY:
		snprintf(out, size, "vhost workers run with the emulator; the rule says %s", want);
		break;
	case DRIFT_LEFT:
		snprintf(out, size,
			"no rule is about it, but the cgroup has CPUs %s; libvirt would give it %s",
			cpumask_format(&group->actual.cpus, have, sizeof(have)), want);
		break;
	case DRIFT_THREADS:
		drift_describe_threads(group, want, out, size);
		break;
	case DRIFT_MEMORY:
		snprintf(out, size, "%sits memory may come from nodes %s; %s %s",
			group->nodes_given ? "no rule is about it, but " : "",
			cpumask_format(&group->actual.nodes, have, sizeof(have)),
			group->nodes_given ? "libvirt would give it" : "the rule says", want);
		break;
	}
}

char *
drift_text(const struct drift_group *first, const struct drift_group *end, char out[DRIFT_TEXT_MAX])
{
	char run[THREAD_GROUP_RUN_MAX], what[DRIFT_TEXT_MAX - 64] = "";
	out[0] = '\0';
	if (first->kind == DRIFT_NONE)
		return out;
	if (first->kind == DRIFT_EXCLUSIVE)
		drift_describe_exclusive(first, end, what, sizeof(what));
	else
		drift_describe(first, what, sizeof(what));
	snprintf(out, DRIFT_TEXT_MAX, "%s: %s",
		thread_group_run_name(first->step->group, end[-1].step->group.id, run), what);
	return out;
}
