/* SPDX-License-Identifier: MIT */
#include "desired/one_to_one.h"

#include "desired/vcpu_layout.h"

#include <stdio.h>
#include <stdlib.h>

struct one_to_one {
	struct desired *desired;
	const struct value *placement;
	const struct desired_mask *set; /* the mask of the "vcpus" that decides */
	struct cpumask cpus;		/* the CPUs of set to give out */
	struct cpumask own;		/* CPUs that are the only one of a vCPU with its own key */
	unsigned *vcpus;		/* the ids to place, ascending */
	unsigned *placed;		/* the CPU of each of vcpus */
	size_t count;
	struct messages *messages;
};

static bool
is_vcpu_with_cpus(const struct desired_group *group)
{
	return group->group.kind == GROUP_VCPU && group->mask != NULL;
}

/* Returns the mask that "vcpus" gives to every vCPU it decides, or NULL if it decides none. */
static const struct desired_mask *
find_vcpus_mask(const struct desired *desired)
{
	for (size_t i = 0; i < desired->group_count; i++)
		if (is_vcpu_with_cpus(&desired->groups[i]) && desired->groups[i].setting->every)
			return desired->groups[i].mask;
	return NULL;
}

static void
list_vcpus(struct one_to_one *work)
{
	work->cpus = work->set->cpus;
	for (size_t i = 0; i < work->desired->group_count; i++) {
		const struct desired_group *group = &work->desired->groups[i];
		if (!is_vcpu_with_cpus(group))
			continue;
		if (group->mask == work->set)
			work->vcpus[work->count++] = group->group.id;
		else if (cpumask_count(&group->mask->cpus) == 1)
			cpumask_or(&work->own, &group->mask->cpus);
	}
	cpumask_andnot(&work->cpus, &work->own);
}

/* Gives each vCPU a mask of its own, with the CPU in placed, or empty if placed is NULL. */
static void
set_masks(struct one_to_one *work, const unsigned *placed)
{
	struct desired_mask *mask = work->desired->per_vcpu;
	for (size_t i = 0; i < work->desired->group_count; i++) {
		struct desired_group *group = &work->desired->groups[i];
		if (!is_vcpu_with_cpus(group) || group->mask != work->set)
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
report_result(struct one_to_one *work, int r, const struct vcpu_layout_report *report)
{
	char list[128], own[192] = "";
	const struct value *set = &work->set->setting->value;
	struct cpumask left_out = work->set->cpus;
	cpumask_and(&left_out, &work->own);
	if (!cpumask_empty(&left_out))
		snprintf(own, sizeof(own), "; left out: %s, for a vCPU with a key of its own",
			cpumask_format(&left_out, list, sizeof(list)));
	if (r == 0)
		messages_add(work->messages, report->split ? MESSAGE_WARNING : MESSAGE_DETAIL,
			"%s:%u: one-to-one: %s%s", work->placement->file, work->placement->line,
			report->text, own);
	else
		messages_add(work->messages, MESSAGE_ERROR,
			"%s:%u: one-to-one: a CPU for each of %zu vCPUs is needed, but vcpus at "
			"%s:%u has only %u: %s%s",
			work->placement->file, work->placement->line, work->count, set->file,
			set->line, cpumask_count(&work->cpus),
			cpumask_format(&work->cpus, list, sizeof(list)), own);
}

static int
place_vcpus(struct one_to_one *work, const struct domain *domain, struct topology *topology,
	struct err *e)
{
	struct vcpu_layout_guest guest = {.vcpus = work->vcpus,
		.count = work->count,
		.threads = domain->threads,
		.cells = domain->vcpu_cells,
		.cell_vcpus = domain->vcpus};
	struct vcpu_layout_host host = {.cpus = &work->cpus, .taken = &work->own};
	struct vcpu_layout_report report;
	if (topology_objects(topology, TOPOLOGY_CORE, &host.cores, e) != 0)
		return -1;
	if (guest.cells != NULL && topology_objects(topology, TOPOLOGY_NODE, &host.nodes, e) != 0)
		return -1;
	int r = vcpu_layout_place(&guest, &host, work->placed, &report, e);
	if (r < 0)
		return -1;
	report_result(work, r, &report);
	set_masks(work, r == 0 ? work->placed : NULL);
	return 0;
}

int
desired_one_to_one(struct desired *desired, const struct value *placement,
	const struct domain *domain, struct topology *topology, struct messages *messages,
	struct err *e)
{
	struct one_to_one work = {.desired = desired,
		.placement = placement,
		.set = find_vcpus_mask(desired),
		.messages = messages};
	if (work.set == NULL)
		messages_add(messages, MESSAGE_DETAIL,
			"%s:%u: one-to-one: no effect on this guest: no rule gives its vcpus a "
			"set",
			placement->file, placement->line);
	/* An empty set is reported elsewhere. */
	if (work.set == NULL || cpumask_empty(&work.set->cpus))
		return 0;
	work.vcpus = calloc(desired->group_count, sizeof(*work.vcpus));
	work.placed = calloc(desired->group_count, sizeof(*work.placed));
	desired->per_vcpu = calloc(desired->group_count, sizeof(*desired->per_vcpu));
	int r = -1;
	if (work.vcpus == NULL || work.placed == NULL || desired->per_vcpu == NULL) {
		err_set(e, "out of memory");
	} else {
		list_vcpus(&work);
		r = place_vcpus(&work, domain, topology, e);
	}
	free(work.vcpus);
	free(work.placed);
	return r;
}
