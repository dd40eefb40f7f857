/* SPDX-License-Identifier: MIT */
/*
 * Places the vCPUs of each setting on CPUs of that setting's own set. The smallest sets choose
 * first; where that leaves another set short, the CPUs are divided between the sets before.
 */
#include "desired/one_to_one.h"

#include "desired/compact_private.h"
#include "desired/cpu_shares_private.h"
#include "desired/vcpu_layout.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The vCPUs that one setting decides. */
struct part {
	const struct desired_mask *set;
	size_t first, count;	 /* a range of the vcpus and placed of struct one_to_one */
	struct cpumask choice;	 /* the CPUs of set that may be given out */
	struct cpumask cpus;	 /* the CPUs of set that are given out to this part */
	struct cpumask left_out; /* the CPUs of set that other vCPUs have to themselves */
	struct vcpu_layout_report report;
};

struct one_to_one {
	struct desired *desired;
	const struct value *placement;
	const struct domain *domain;
	struct topology *topology;
	struct part *parts; /* by the size of set, ascending */
	size_t part_count;
	const struct one_to_one_limits *limits; /* NULL: none */
	struct cpumask own;   /* CPUs that are the only one of a vCPU with its own key, or kept */
	struct cpumask taken; /* own, and the CPUs of the parts placed so far */
	unsigned *vcpus;      /* the ids to place, ascending within each part */
	unsigned *placed;     /* the CPU of each of vcpus */
	size_t count;
	struct messages *messages;
};

static bool
is_vcpu_with_cpus(const struct desired_group *group)
{
	return group->group.kind == GROUP_VCPU && group->mask != NULL;
}

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

__attribute__((format(printf, 3, 4))) static void
report(const struct one_to_one *work, enum message_level level, const char *format, ...)
{
	char text[1024];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	bool exclusive = work->limits != NULL;
	messages_add(work->messages, level, exclusive ? "exclusive" : "one-to-one", "%s:%u: %s: %s",
		work->placement->file, work->placement->line,
		exclusive ? "exclusive" : "one-to-one", text);
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
		if (!is_vcpu_with_cpus(group) || !is_fixed(work, group))
			continue;
		unsigned cpu = cpumask_next(&group->mask->cpus, 0);
		if (cpumask_test(&work->own, cpu))
			report(work, MESSAGE_WARNING,
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
			if (is_vcpu_with_cpus(group) && group->mask == part.set &&
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

/* Writes the keys of the parts in short that are short of CPUs: "vcpus at F:2 and vcpu0 at F:3". */
static void
list_short(const struct one_to_one *work, const struct cpu_shares *shares, char *out, size_t size)
{
	size_t used = 0, listed = 0;
	for (size_t i = 0; i < work->part_count && listed < 5; i++) {
		const struct setting *setting = work->parts[i].set->setting;
		char key[SETTING_KEY_MAX];
		if (!shares->parts[i].is_short)
			continue;
		if (++listed == 5)
			snprintf(out + used, size - used, " ...");
		else
			snprintf(out + used, size - used, "%s%s at %s:%u", used > 0 ? ", " : "",
				setting_key(setting, key), setting->value.file,
				setting->value.line);
		used += strlen(out + used);
	}
}

/* Reports the parts that have fewer CPUs between them than vCPUs. */
static void
report_short(const struct one_to_one *work, const struct cpu_shares *shares)
{
	char keys[512], list[128], own[192] = "", has[160];
	struct cpumask left_out = {0};
	size_t needed = 0, count = 0;
	for (size_t i = 0; i < work->part_count; i++) {
		if (!shares->parts[i].is_short)
			continue;
		count++;
		needed += work->parts[i].count;
		cpumask_or(&left_out, &work->parts[i].left_out);
	}
	list_short(work, shares, keys, sizeof(keys));
	if (!cpumask_empty(&left_out))
		snprintf(own, sizeof(own), "; left out: %s, for a vCPU with a key of its own",
			cpumask_format(&left_out, list, sizeof(list)));
	const char *free = work->limits != NULL ? " free" : "";
	const char *why = work->limits != NULL ? work->limits->why : "";
	if (cpumask_empty(&shares->contested))
		snprintf(has, sizeof(has), "no%s CPU", free);
	else
		snprintf(has, sizeof(has), "only %u%s: %s", cpumask_count(&shares->contested), free,
			cpumask_format(&shares->contested, list, sizeof(list)));
	report(work, MESSAGE_ERROR, "a CPU for each of %zu vCPUs is needed, but %s %s %s%s%s%s",
		needed, keys, count == 1 ? "has" : "have between them", has, own,
		why[0] != '\0' ? "; " : "", why);
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
		report_short(work, &shares);
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
			is_vcpu_with_cpus(group) ? find_kept(work, group) : NULL;
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

static void
report_placed(const struct one_to_one *work)
{
	for (size_t i = 0; i < work->part_count; i++) {
		const struct part *part = &work->parts[i];
		const struct setting *setting = part->set->setting;
		char key[SETTING_KEY_MAX], list[128], own[192] = "";
		if (!cpumask_empty(&part->left_out))
			snprintf(own, sizeof(own),
				"; left out: %s, for a vCPU with a key of its own",
				cpumask_format(&part->left_out, list, sizeof(list)));
		report(work, part->report.split ? MESSAGE_WARNING : MESSAGE_DETAIL, "%s%s%s%s",
			setting->every ? "" : setting_key(setting, key), setting->every ? "" : ": ",
			part->report.text, own);
	}
}

/* Returns the host core that holds the CPU of a vCPU with just one, or NULL. */
static const struct topology_object *
core_of(const struct desired_group *group, const struct topology_objects *cores)
{
	if (!is_vcpu_with_cpus(group) || cpumask_count(&group->mask->cpus) != 1)
		return NULL;
	return topology_find(cores, cpumask_next(&group->mask->cpus, 0));
}

/* Reports guest cores whose vCPUs have keys of their own and so are on different host cores. */
static int
report_torn(const struct one_to_one *work, struct err *e)
{
	const struct desired *desired = work->desired;
	const struct topology_objects *cores;
	unsigned threads = work->domain->threads, last = UINT_MAX;
	size_t torn = 0;
	if (threads < 2)
		return 0;
	if (topology_objects(work->topology, TOPOLOGY_CORE, &cores, e) != 0)
		return -1;
	for (size_t i = 1; i < desired->group_count; i++) {
		const struct desired_group *one = &desired->groups[i - 1];
		const struct desired_group *two = &desired->groups[i];
		unsigned core = two->group.id / threads;
		if (one->group.kind != GROUP_VCPU || two->group.kind != GROUP_VCPU ||
			one->group.id / threads != core || core == last ||
			one->setting == two->setting)
			continue;
		const struct topology_object *first = core_of(one, cores);
		const struct topology_object *second = core_of(two, cores);
		if (first == NULL || second == NULL || first == second)
			continue;
		last = core;
		torn++;
	}
	if (torn > 0)
		report(work, MESSAGE_WARNING,
			"the vCPUs of %zu guest core%s have keys of their own, and so are on "
			"different host cores",
			torn, torn == 1 ? "" : "s");
	return 0;
}

/* Reports the vCPUs that no rule gives CPUs; those that a rule keeps are as the rule says. */
static void
report_unset(const struct one_to_one *work)
{
	struct cpumask unset = {0};
	size_t with_cpus = 0, kept = 0;
	char list[128];
	for (size_t i = 0; i < work->desired->group_count; i++) {
		const struct desired_group *group = &work->desired->groups[i];
		if (group->group.kind != GROUP_VCPU)
			continue;
		with_cpus += group->mask != NULL;
		kept += group->mask == NULL && group->setting != NULL;
		if (group->setting == NULL && group->group.id < CPUMASK_CPUS)
			cpumask_set_range(&unset, group->group.id, group->group.id);
	}
	if (with_cpus == 0)
		report(work, kept > 0 && cpumask_empty(&unset) ? MESSAGE_DETAIL : MESSAGE_WARNING,
			"no effect on this guest: no rule gives its vcpus a set");
	else if (!cpumask_empty(&unset))
		report(work, MESSAGE_WARNING,
			"vCPU%s %s may use the others' CPUs: no rule gives %s a set; write "
			"'vcpus = ...'",
			cpumask_count(&unset) == 1 ? "" : "s",
			cpumask_format(&unset, list, sizeof(list)),
			cpumask_count(&unset) == 1 ? "it" : "them");
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
	report_placed(work);
	return report_torn(work, e);
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
	report_unset(&work);
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
