#include "plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct plan_step
make_step(const struct wish *wish, struct group group, const struct cpumask *now)
{
	struct plan_step step = {.group = group, .now = now};
	const struct wish_group *wanted = wish_find(wish, group);
	if (wanted == NULL)
		return step;
	step.setting = wanted->setting;
	if (wanted->mask != NULL)
		step.cpus = &wanted->mask->cpus;
	step.write = step.cpus != NULL && now != NULL && !cpumask_equal(step.cpus, now);
	return step;
}

static bool
is_online(const struct domain *domain, struct group group)
{
	return group.kind != GROUP_VCPU ||
	       (group.id < domain->vcpus && domain->vcpu_online[group.id]);
}

static int
compare_steps(const void *a, const void *b)
{
	return group_compare(
		((const struct plan_step *)a)->group, ((const struct plan_step *)b)->group);
}

static bool
has_step(const struct plan *plan, struct group group)
{
	const struct plan_step key = {.group = group};
	return plan->step_count > 0 &&
	       bsearch(&key, plan->steps, plan->step_count, sizeof(key), compare_steps) != NULL;
}

/* Without cgroups of their own threads can only be where the emulator's are. */
static int
find_missing(const struct wish *wish, const struct domain *domain, struct plan *plan)
{
	plan->missing = calloc(wish->group_count + 1, sizeof(*plan->missing));
	if (plan->missing == NULL)
		return -1;
	for (size_t i = 0; i < wish->group_count; i++)
		if (wish->groups[i].mask != NULL && is_online(domain, wish->groups[i].group) &&
			!has_step(plan, wish->groups[i].group))
			plan->missing[plan->missing_count++] = &wish->groups[i];
	return 0;
}

int
plan_build(const struct wish *wish, const struct domain *domain, const struct scope *scope,
	struct plan *plan)
{
	size_t most = scope != NULL ? scope->group_count : wish->group_count;
	*plan = (struct plan){.steps = calloc(most + 1, sizeof(*plan->steps))};
	if (plan->steps == NULL)
		return -1;
	for (size_t i = 0; i < most; i++)
		if (scope != NULL)
			plan->steps[plan->step_count++] =
				make_step(wish, scope->groups[i].group, &scope->groups[i].now);
		else if (is_online(domain, wish->groups[i].group))
			plan->steps[plan->step_count++] =
				make_step(wish, wish->groups[i].group, NULL);
	if (scope == NULL || find_missing(wish, domain, plan) == 0)
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
 * The step behind those that continue the run which begins at step: ids in sequence, one kind, the
 * same CPUs.
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
		char name[GROUP_NAME_MAX], last[16] = "", list[128], item[192];
		if (next - step > 1)
			snprintf(last, sizeof(last), "-%u", next[-1].group.id);
		int n = snprintf(item, sizeof(item), "%s%s%s %s", used > 0 ? ", " : "",
			group_name(step->group, name), last,
			cpumask_format(step->cpus, list, sizeof(list)));
		if (used + (size_t)n + sizeof(", ...") > size) {
			snprintf(out + used, size - used, "%s", used > 0 ? ", ..." : "...");
			break;
		}
		memcpy(out + used, item, (size_t)n + 1);
		used += (size_t)n;
	}
	return out;
}
