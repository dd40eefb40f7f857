/* SPDX-License-Identifier: MIT */
/* Compares desired and actual state step by step; prints a plan on one line. */
#include "pin/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool
plan_step_changes(const struct plan_step *step)
{
	return step->write || step->write_nodes || step->release || step->isolate || step->gather;
}

const struct cpumask *
plan_step_written(const struct plan_step *step)
{
	return step->whole != NULL ? step->whole : step->cpus;
}

const struct cpumask *
plan_step_granted(const struct plan_step *step)
{
	bool stays = step->partition != NULL && step->exclusive != NULL && !step->release;
	return stays ? step->exclusive : step->cpus;
}

/* Finds what is to be done about a vCPU's partition. */
static void
plan_partition(
	struct plan_step *step, const struct cgroup_child *there, const struct desired_mask *wanted)
{
	if (wanted != NULL && !cpumask_empty(&wanted->exclusive))
		step->exclusive = &wanted->exclusive;
	if (there == NULL)
		return;
	const struct cgroup_partition *now = &there->partition;
	step->partition = now->there ? now : NULL;
	step->isolate = step->exclusive != NULL &&
			(!now->in_force || !cpumask_equal(&now->granted, step->exclusive));
	step->release = now->there && (step->exclusive == NULL || step->isolate);
}

/*
 * there: the group in the kernel; NULL: the guest does not run. strays: the vhost workers that are
 * not in their group.
 */
static struct plan_step
make_step(const struct desired *desired, struct thread_group group,
	const struct cgroup_child *there, bool v2, size_t strays)
{
	const struct cpumask *now = there != NULL ? &there->now : NULL;
	struct plan_step step = {.group = group, .now = now};
	const struct desired_group *wanted = desired_find(desired, group);
	if (there != NULL && desired->memory.value != NULL) {
		step.nodes_now = &there->nodes;
		step.write_nodes = desired->memory.wanted &&
				   !cpumask_equal(&desired->memory.nodes, step.nodes_now);
	}
	plan_partition(&step, there, wanted != NULL ? wanted->mask : NULL);
	if (wanted == NULL)
		return step;
	step.setting = wanted->setting;
	if (wanted->mask == NULL)
		return step;
	step.cpus = &wanted->mask->cpus;
	if (v2 && !cpumask_equal(&wanted->mask->whole, step.cpus))
		step.whole = &wanted->mask->whole;
	step.write = now != NULL && !cpumask_equal(plan_step_written(&step), now);
	step.gather = group.kind == GROUP_VHOST && strays > 0;
	return step;
}

static bool
is_online(const struct domain *domain, struct thread_group group)
{
	return domain == NULL || group.kind != GROUP_VCPU ||
	       (group.id < domain->vcpus && domain->vcpu_online[group.id]);
}

void
plan_keep_partitions(struct plan *plan)
{
	for (size_t i = 0; i < plan->step_count; i++) {
		struct plan_step *step = &plan->steps[i];
		if (step->partition == NULL)
			continue;
		step->cpus = NULL;
		step->write = step->release = false;
	}
}

static int
compare_steps(const void *a, const void *b)
{
	return thread_group_compare(
		((const struct plan_step *)a)->group, ((const struct plan_step *)b)->group);
}

static bool
has_step(const struct plan *plan, struct thread_group group)
{
	const struct plan_step key = {.group = group};
	return plan->step_count > 0 &&
	       bsearch(&key, plan->steps, plan->step_count, sizeof(key), compare_steps) != NULL;
}

/* Lists the groups that have a mask but no cgroup: their threads are in the emulator's. */
static int
find_missing(const struct desired *desired, const struct domain *domain, struct plan *plan)
{
	plan->missing = calloc(desired->group_count + 1, sizeof(*plan->missing));
	if (plan->missing == NULL)
		return -1;
	for (size_t i = 0; i < desired->group_count; i++)
		if (desired->groups[i].mask != NULL &&
			is_online(domain, desired->groups[i].group) &&
			!has_step(plan, desired->groups[i].group))
			plan->missing[plan->missing_count++] = &desired->groups[i];
	return 0;
}

int
plan_build(const struct desired *desired, const struct domain *domain, const struct cgroup *cgroup,
	struct plan *plan)
{
	size_t most = cgroup != NULL ? cgroup->group_count : desired->group_count;
	*plan = (struct plan){.steps = calloc(most + 1, sizeof(*plan->steps))};
	if (plan->steps == NULL)
		return -1;
	plan->nodes = desired->memory.wanted ? &desired->memory.nodes : NULL;
	plan->nodes_optional = desired->memory.automatic;
	for (size_t i = 0; i < most; i++)
		if (cgroup != NULL)
			plan->steps[plan->step_count++] =
				make_step(desired, cgroup->groups[i].group, &cgroup->groups[i],
					cgroup->v2, cgroup->stray_vhosts);
		else if (is_online(domain, desired->groups[i].group))
			plan->steps[plan->step_count++] =
				make_step(desired, desired->groups[i].group, NULL, false, 0);
	if (cgroup == NULL || find_missing(desired, domain, plan) == 0)
		return 0;
	plan_free(plan);
	return -1;
}

void
plan_free(struct plan *plan)
{
	free(plan->steps);
	free(plan->missing);
	*plan = (struct plan){0};
}

/*
 * Returns the end of the run that begins at step: ids in sequence, of one kind, with the same CPUs.
 */
static const struct plan_step *
end_of_run(const struct plan_step *step, const struct plan_step *end)
{
	const struct plan_step *next = step + 1;
	while (next < end && next->cpus != NULL && next->group.kind == step->group.kind &&
		next->group.id == next[-1].group.id + 1 && cpumask_equal(next->cpus, step->cpus))
		next++;
	return next;
}

/* Appends "what CPUS" to out, which has *used bytes. Returns false if there was room for "..."
 * only.
 */
static bool
append_item(char *out, size_t size, size_t *used, const char *what, const struct cpumask *mask)
{
	char list[128], item[192];
	int n = snprintf(item, sizeof(item), "%s%s %s", *used > 0 ? ", " : "", what,
		cpumask_format(mask, list, sizeof(list)));
	if (*used + (size_t)n + sizeof(", ...") > size) {
		snprintf(out + *used, size - *used, "%s", *used > 0 ? ", ..." : "...");
		return false;
	}
	memcpy(out + *used, item, (size_t)n + 1);
	*used += (size_t)n;
	return true;
}

char *
plan_summary(const struct plan *plan, char *out, size_t size)
{
	const struct plan_step *end = plan->steps + plan->step_count, *next;
	size_t used = 0;
	out[0] = '\0';
	for (const struct plan_step *step = plan->steps; step < end; step = next) {
		next = step + 1;
		if (step->cpus == NULL)
			continue;
		next = end_of_run(step, end);
		char run[THREAD_GROUP_RUN_MAX];
		thread_group_run_name(step->group, next[-1].group.id, run);
		if (!append_item(out, size, &used, run, step->cpus))
			return out;
	}
	struct cpumask exclusive = {0};
	for (const struct plan_step *step = plan->steps; step < end; step++)
		if (step->exclusive != NULL)
			cpumask_or(&exclusive, step->exclusive);
	if (!cpumask_empty(&exclusive) && !append_item(out, size, &used, "exclusive", &exclusive))
		return out;
	if (plan->nodes != NULL)
		append_item(out, size, &used, "memory", plan->nodes);
	return out;
}
