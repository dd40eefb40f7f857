/* SPDX-License-Identifier: MIT */
/*
 * Places the vCPUs of each setting on CPUs of that setting's own set. The smallest sets choose
 * first; where that leaves another set short, the CPUs are divided between the sets before.
 */
#include "desired/one_to_one.h"

#include "desired/compact_private.h"
#include "desired/cpu_shares_private.h"
#include "desired/one_to_one_private.h"

#include <stdlib.h>

/* Returns the CPU that a vCPU keeps, or NULL if it is to be placed. */
static const struct claim_kept *
find_kept(const struct one_to_one *work, const struct desired_group *group)
{
	for (size_t i = 0; work->limits != NULL && i < work->limits->kept_count; i++)
		if (work->limits->kept[i].vcpu == group->group.id)
			return &work->limits->kept[i];
	return NULL;
}

/*
 * True if there is nothing to place: a vCPU's own key has just one CPU or, with limits, which may
 * keep that CPU from it, it keeps the one that it has.
 */
static bool
is_fixed(const struct one_to_one *work, const struct desired_group *group)
{
	const struct setting *setting = group->setting;
	if (work->limits != NULL)
		return find_kept(work, group) != NULL;
	return !setting->every && setting->first == setting->last &&
	       cpumask_count(&group->mask->cpus) == 1;
}

/* Reserves the CPUs that vCPUs keep or, without limits, the CPUs of keys that have just one;
 * reports those that two vCPUs have.
 */
static void
reserve_fixed(struct one_to_one *work)
{
	for (size_t i = 0; work->limits != NULL && i < work->limits->kept_count; i++)
		cpumask_set_range(&work->own, work->limits->kept[i].cpu, work->limits->kept[i].cpu);
	if (work->limits != NULL)
		return;
	for (size_t i = 0; i < work->desired->group_count; i++) {
		const struct desired_group *group = &work->desired->groups[i];
		char key[SETTING_KEY_MAX];
		if (!desired_vcpu_has_cpus(group) || !is_fixed(work, group))
			continue;
		unsigned cpu = cpumask_next(&group->mask->cpus, 0);
		if (cpumask_test(&work->own, cpu))
			one_to_one_report(work, MESSAGE_WARNING,
				"%s at %s:%u has CPU %u, which another vCPU's key has too; give "
				"each a CPU of its own",
				setting_key(group->setting, key), group->setting->value.file,
				group->setting->value.line, cpu);
		cpumask_or(&work->own, &group->mask->cpus);
	}
}

static int
compare_parts(const void *a, const void *b)
{
	const struct part *left = a, *right = b;
	unsigned left_size = cpumask_count(&left->choice);
	unsigned right_size = cpumask_count(&right->choice);
	if (left_size != right_size)
		return left_size < right_size ? -1 : 1;
	return (left->first > right->first) - (left->first < right->first);
}

/* Lists the vCPUs to place, part by part. An empty set is reported elsewhere. */
static void
list_parts(struct one_to_one *work)
{
	const struct desired *desired = work->desired;
	if (work->parts == NULL || work->vcpus == NULL)
		return; /* no mask, no part */
	for (size_t m = 0; m < desired->mask_count; m++) {
		struct part part = {.set = &desired->masks[m], .first = work->count};
		if (part.set->setting->kind != GROUP_VCPU || cpumask_empty(&part.set->cpus))
			continue;
		for (size_t i = 0; i < desired->group_count; i++) {
			const struct desired_group *group = &desired->groups[i];
			if (desired_vcpu_has_cpus(group) && group->mask == part.set &&
				!is_fixed(work, group))
				work->vcpus[work->count++] = group->group.id;
		}
		part.count = work->count - part.first;
		part.choice = part.set->cpus;
		if (work->limits != NULL)
			cpumask_and(&part.choice, work->limits->free);
		if (work->limits == NULL)
			part.left_out = part.set->cpus;
		cpumask_and(&part.left_out, &work->own);
		if (part.count > 0)
			work->parts[work->part_count++] = part;
	}
	qsort(work->parts, work->part_count, sizeof(*work->parts), compare_parts);
}

/* Places the vCPUs of a part on its cpus. Returns 0, 1 if they are too few, or -1. */
static int
place_part(struct one_to_one *work, struct part *part, struct err *e)
{
	const struct domain *domain = work->domain;
	struct vcpu_layout_guest guest = {.vcpus = work->vcpus + part->first,
		.count = part->count,
		.threads = domain->threads,
		.cells = domain->vcpu_cells,
		.cell_vcpus = domain->vcpus,
		.die_vcpus = domain->die_vcpus,
		.die_word = domain->die_word};
	struct vcpu_layout_host host = {.cpus = &part->cpus, .taken = &work->taken};
	if (work->limits != NULL && guest.cells == NULL && guest.die_vcpus == 0 &&
		compact_choose(&part->cpus, &work->taken, guest.count, guest.threads,
			work->topology, e) != 0)
		return -1;
	if (topology_objects(work->topology, TOPOLOGY_CORE, &host.cores, e) != 0)
		return -1;
	if (guest.cells != NULL &&
		topology_objects(work->topology, TOPOLOGY_NODE, &host.nodes, e) != 0)
		return -1;
	if (guest.die_vcpus > 0 && topology_objects(work->topology, TOPOLOGY_L3, &host.l3, e) != 0)
		return -1;
	int r = vcpu_layout_place(&guest, &host, work->placed + part->first, &part->report, e);
	for (size_t i = 0; i < part->count && r == 0; i++) {
		unsigned cpu = work->placed[part->first + i];
		cpumask_set_range(&work->taken, cpu, cpu);
	}
	return r;
}

/* Places all parts, each on what is left of its set. Returns 0, 1 if one is left short, or -1. */
static int
place_in_turn(struct one_to_one *work, struct err *e)
{
	work->taken = work->own;
	for (size_t i = 0; i < work->part_count; i++) {
		struct part *part = &work->parts[i];
		part->cpus = part->choice;
		cpumask_andnot(&part->cpus, &work->taken);
		int r = place_part(work, part, e);
		if (r != 0)
			return r;
	}
	return 0;
}

/*
 * Divides the CPUs between the parts, then places each on its share. Returns 0, 1 after an error
 * message if there are too few CPUs, or -1 with the reason.
 */
static int
place_on_shares(struct one_to_one *work, struct err *e)
{
	struct cpu_shares shares = {.part_count = work->part_count};
	shares.parts = calloc(work->part_count + 1, sizeof(*shares.parts));
	if (shares.parts == NULL)
		return err_set(e, "out of memory");
	for (size_t i = 0; i < work->part_count; i++) {
		shares.parts[i].needed = work->parts[i].count;
		shares.parts[i].cpus = work->parts[i].choice;
		cpumask_andnot(&shares.parts[i].cpus, &work->own);
	}
	int r = cpu_shares_divide(&shares, e);
	if (r == 1)
		one_to_one_report_short(work, &shares);
	work->taken = work->own;
	for (size_t i = 0; i < work->part_count && r == 0; i++) {
		work->parts[i].cpus = shares.parts[i].share;
		r = place_part(work, &work->parts[i], e);
	}
	free(shares.parts);
	return r;
}

/* Gives a group a mask of its own, with one CPU or none. */
static void
set_mask(struct desired_group *group, struct desired_mask *mask, const unsigned *cpu)
{
	mask->setting = group->setting;
	mask->single = true;
	if (cpu != NULL)
		cpumask_set_range(&mask->requested, *cpu, *cpu);
	mask->cpus = mask->whole = mask->requested;
	group->mask = mask;
}

/* Gives each vCPU that keeps a CPU, or is of a part, a mask: with its CPU if placed, else empty. */
static void
set_masks(struct one_to_one *work, bool placed)
{
	struct desired_mask *mask = work->desired->per_vcpu;
	for (size_t i = 0; i < work->desired->group_count; i++) {
		struct desired_group *group = &work->desired->groups[i];
		const struct claim_kept *kept =
			desired_vcpu_has_cpus(group) ? find_kept(work, group) : NULL;
		if (kept != NULL)
			set_mask(group, mask++, &kept->cpu);
	}
	for (size_t i = 0; i < work->part_count; i++) {
		const struct part *part = &work->parts[i];
		for (size_t j = part->first; j < part->first + part->count; j++) {
			struct desired_group key = {.group = {GROUP_VCPU, work->vcpus[j]}};
			struct desired_group *group = bsearch(&key, work->desired->groups,
				work->desired->group_count, sizeof(key), desired_group_compare);
			set_mask(group, mask++, placed ? &work->placed[j] : NULL);
		}
	}
}

static int
place_all_parts(struct one_to_one *work, struct err *e)
{
	int r = place_in_turn(work, e);
	if (r == 1)
		r = place_on_shares(work, e);
	if (r < 0)
		return -1;
	set_masks(work, r == 0);
	if (r != 0)
		return 0;
	one_to_one_report_placed(work);
	return one_to_one_report_torn(work, e);
}

int
desired_one_to_one(struct desired *desired, const struct value *placement,
	const struct domain *domain, struct topology *topology,
	const struct one_to_one_limits *limits, struct messages *messages, struct err *e)
{
	struct one_to_one work = {.desired = desired,
		.placement = placement,
		.domain = domain,
		.topology = topology,
		.limits = limits,
		.messages = messages};
	one_to_one_report_unset(&work);
	reserve_fixed(&work);
	work.parts = calloc(desired->mask_count + 1, sizeof(*work.parts));
	work.vcpus = calloc(desired->group_count + 1, sizeof(*work.vcpus));
	work.placed = calloc(desired->group_count + 1, sizeof(*work.placed));
	int r = work.parts == NULL || work.vcpus == NULL || work.placed == NULL
			? err_set(e, "out of memory")
			: 0;
	if (r == 0)
		list_parts(&work);
	size_t count = work.count + (limits != NULL ? limits->kept_count : 0);
	if (r == 0 && count > 0) {
		desired->per_vcpu = calloc(count, sizeof(*desired->per_vcpu));
		r = desired->per_vcpu == NULL ? err_set(e, "out of memory")
					      : place_all_parts(&work, e);
	}
	free(work.parts);
	free(work.vcpus);
	free(work.placed);
	return r;
}
