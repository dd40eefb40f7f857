/* SPDX-License-Identifier: MIT */
#include "desired/one_to_one.h"

#include "desired/vcpu_layout.h"

#include <stdio.h>
#include <stdlib.h>

struct pair {
	struct desired *desired;
	const struct value *placement;
	const struct desired_mask *set; /* of the "vcpus" that decides */
	struct cpumask cpus;		/* of these, those to be given out */
	struct cpumask own;		/* those that a vCPU with a key of its own has to itself */
	unsigned *vcpus;		/* ids, ascending */
	unsigned *placed;		/* their CPUs */
	size_t count;
	struct messages *messages;
};

static bool
is_vcpu_with_cpus(const struct desired_group *group)
{
	return group->group.kind == GROUP_VCPU && group->mask != NULL;
}

/* The set of "vcpus", which is one and the same for all that it decides over; NULL: none. */
static const struct desired_mask *
find_set(const struct desired *desired)
{
	for (size_t i = 0; i < desired->group_count; i++)
		if (is_vcpu_with_cpus(&desired->groups[i]) && desired->groups[i].setting->every)
			return desired->groups[i].mask;
	return NULL;
}

static void
list_vcpus(struct pair *pair)
{
	pair->cpus = pair->set->cpus;
	for (size_t i = 0; i < pair->desired->group_count; i++) {
		const struct desired_group *group = &pair->desired->groups[i];
		if (!is_vcpu_with_cpus(group))
			continue;
		if (group->mask == pair->set)
			pair->vcpus[pair->count++] = group->group.id;
		else if (cpumask_count(&group->mask->cpus) == 1)
			cpumask_or(&pair->own, &group->mask->cpus);
	}
	cpumask_andnot(&pair->cpus, &pair->own);
}

/* Each vCPU's mask in the desired; none has a CPU if placed is NULL. */
static void
put_masks(struct pair *pair, const unsigned *placed)
{
	struct desired_mask *mask = pair->desired->per_vcpu;
	for (size_t i = 0; i < pair->desired->group_count; i++) {
		struct desired_group *group = &pair->desired->groups[i];
		if (!is_vcpu_with_cpus(group) || group->mask != pair->set)
			continue;
		mask->setting = group->setting;
		mask->single = true;
		if (placed != NULL)
			cpumask_set_range(&mask->requested, *placed, *placed);
		mask->cpus = mask->requested;
		group->mask = mask++;
		placed += placed != NULL;
	}
}

static void
report_result(struct pair *pair, int r, const struct vcpu_layout_report *report)
{
	char list[128], own[192] = "";
	const struct value *set = &pair->set->setting->value;
	struct cpumask left_out = pair->set->cpus;
	cpumask_and(&left_out, &pair->own);
	if (!cpumask_empty(&left_out))
		snprintf(own, sizeof(own), "; left out: %s, for a vCPU with a key of its own",
			cpumask_format(&left_out, list, sizeof(list)));
	if (r == 0)
		messages_add(pair->messages, report->split ? MESSAGE_WARNING : MESSAGE_DETAIL,
			"%s:%u: one-to-one: %s%s", pair->placement->file, pair->placement->line,
			report->text, own);
	else
		messages_add(pair->messages, MESSAGE_ERROR,
			"%s:%u: one-to-one: a CPU for each of %zu vCPUs is needed, but vcpus at "
			"%s:%u has only %u: %s%s",
			pair->placement->file, pair->placement->line, pair->count, set->file,
			set->line, cpumask_count(&pair->cpus),
			cpumask_format(&pair->cpus, list, sizeof(list)), own);
}

static int
place(struct pair *pair, const struct domain *domain, struct topology *topology, struct err *e)
{
	struct vcpu_layout_guest guest = {.vcpus = pair->vcpus,
		.count = pair->count,
		.threads = domain->threads,
		.cells = domain->vcpu_cells,
		.cell_vcpus = domain->vcpus};
	struct vcpu_layout_host host = {.cpus = &pair->cpus, .taken = &pair->own};
	struct vcpu_layout_report report;
	if (topology_objects(topology, TOPOLOGY_CORE, &host.cores, e) != 0)
		return -1;
	if (guest.cells != NULL && topology_objects(topology, TOPOLOGY_NODE, &host.nodes, e) != 0)
		return -1;
	int r = vcpu_layout_place(&guest, &host, pair->placed, &report, e);
	if (r < 0)
		return -1;
	report_result(pair, r, &report);
	put_masks(pair, r == 0 ? pair->placed : NULL);
	return 0;
}

int
desired_one_to_one(struct desired *desired, const struct value *placement,
	const struct domain *domain, struct topology *topology, struct messages *messages,
	struct err *e)
{
	struct pair pair = {.desired = desired,
		.placement = placement,
		.set = find_set(desired),
		.messages = messages};
	if (pair.set == NULL)
		messages_add(messages, MESSAGE_DETAIL,
			"%s:%u: one-to-one: no effect on this guest, for no rule gives its vcpus a "
			"set",
			placement->file, placement->line);
	/* Without a CPU in it there is an error already. */
	if (pair.set == NULL || cpumask_empty(&pair.set->cpus))
		return 0;
	pair.vcpus = calloc(desired->group_count, sizeof(*pair.vcpus));
	pair.placed = calloc(desired->group_count, sizeof(*pair.placed));
	desired->per_vcpu = calloc(desired->group_count, sizeof(*desired->per_vcpu));
	int r = -1;
	if (pair.vcpus == NULL || pair.placed == NULL || desired->per_vcpu == NULL) {
		err_set(e, "out of memory");
	} else {
		list_vcpus(&pair);
		r = place(&pair, domain, topology, e);
	}
	free(pair.vcpus);
	free(pair.placed);
	return r;
}
