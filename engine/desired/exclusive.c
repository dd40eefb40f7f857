/* SPDX-License-Identifier: MIT */
/*
 * Chooses among free cores until no thread group is left without a CPU: each round spares one core
 * of a group that the last choice would have left with none.
 */
#include "desired/exclusive.h"

#include "desired/one_to_one.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WHY_MAX 512

struct exclusive {
	struct desired *desired;
	const struct value *placement;
	const struct domain *domain;
	struct topology *topology;
	const struct topology_objects *cores;
	const struct claims *claims;
	struct desired_group *groups; /* as they were before the choice */
	struct claim_kept *kept;
	size_t kept_count;
	struct cpumask held; /* by other guests */
	struct cpumask free; /* the CPUs of cores that may be chosen */
	char why[WHY_MAX];
};

/* Finds the cores that the guest may use whole and that no other guest holds a part of. */
static void
find_free(struct exclusive *work)
{
	work->held = claims_held(work->claims);
	cpumask_for_each (cpu, &work->claims->usable) {
		struct cpumask core = {0}, used;
		topology_add(work->cores, cpu, &core);
		used = core;
		cpumask_and(&used, &work->held);
		if (cpumask_empty(&used) && cpumask_subset(&core, &work->claims->usable))
			cpumask_set_range(&work->free, cpu, cpu);
	}
}

static bool
is_there(const struct thread_group *running, size_t count, struct thread_group group)
{
	for (size_t i = 0; i < count; i++)
		if (thread_group_compare(running[i], group) == 0)
			return true;
	return false;
}

static const struct claim_kept *
find_kept(const struct exclusive *work, unsigned vcpu)
{
	for (size_t i = 0; i < work->kept_count; i++)
		if (work->kept[i].vcpu == vcpu)
			return &work->kept[i];
	return NULL;
}

static bool
is_kept_cpu(const struct exclusive *work, unsigned cpu)
{
	for (size_t i = 0; i < work->kept_count; i++)
		if (work->kept[i].cpu == cpu)
			return true;
	return false;
}

/*
 * Lists the vCPUs whose set still has the CPU that they have. One that is offline is kept in any
 * case: "all" and topology words do not name it.
 */
static void
keep_own(struct exclusive *work)
{
	for (size_t i = 0; i < work->claims->kept_count; i++) {
		const struct claim_kept kept = work->claims->kept[i];
		const struct desired_group *group =
			desired_find(work->desired, (struct thread_group){GROUP_VCPU, kept.vcpu});
		if (group != NULL && desired_vcpu_has_cpus(group) && !is_kept_cpu(work, kept.cpu) &&
			(cpumask_test(&group->mask->whole, kept.cpu) ||
				!cpumask_test(&work->claims->usable, kept.cpu)))
			work->kept[work->kept_count++] = kept;
	}
}

/* Gives a vCPU that was plugged in a CPU of the core that its guest core has already. */
static void
join_sibling(struct exclusive *work, const struct desired_group *group)
{
	unsigned threads = work->domain->threads, first = group->group.id / threads * threads;
	for (unsigned id = first; id < first + threads; id++) {
		const struct claim_kept *sibling = find_kept(work, id);
		struct cpumask core = {0};
		if (sibling == NULL)
			continue;
		topology_add(work->cores, sibling->cpu, &core);
		cpumask_and(&core, &group->mask->cpus);
		cpumask_for_each (cpu, &core)
			if (!is_kept_cpu(work, cpu)) {
				work->kept[work->kept_count++] =
					(struct claim_kept){group->group.id, cpu};
				return;
			}
	}
}

/*
 * Lists what is kept; vCPUs that are not plugged into a guest with CPUs of its own are left out
 * until they are. Returns the number of vCPUs to place.
 */
static size_t
keep(struct exclusive *work, const struct thread_group *running, size_t count)
{
	size_t to_place = 0;
	keep_own(work);
	for (size_t i = 0; i < work->desired->group_count; i++) {
		struct desired_group *group = &work->desired->groups[i];
		if (!desired_vcpu_has_cpus(group) || find_kept(work, group->group.id) != NULL)
			continue;
		if (work->claims->kept_count > 0 && !is_there(running, count, group->group)) {
			group->mask = NULL;
			continue;
		}
		if (work->domain->threads > 1)
			join_sibling(work, group);
		to_place += find_kept(work, group->group.id) == NULL;
	}
	return to_place;
}

/* Returns the CPUs that the guest would have to itself. */
static struct cpumask
chosen_cpus(const struct exclusive *work)
{
	struct cpumask chosen = {0};
	for (size_t i = 0; i < work->desired->group_count; i++) {
		const struct desired_group *group = &work->desired->groups[i];
		if (desired_vcpu_has_cpus(group) && group->mask->single)
			cpumask_for_each (cpu, &group->mask->cpus)
				topology_add(work->cores, cpu, &chosen);
	}
	return chosen;
}

/*
 * Spares the last core of a group that chosen would leave without a CPU. Returns false if it leaves
 * the group one, or if the group has none in any case.
 */
static bool
spare(struct exclusive *work, const struct cpumask *chosen, const struct cpumask *cpus,
	const char *guest, struct thread_group group)
{
	struct cpumask left = *cpus, core = {0};
	cpumask_andnot(&left, &work->held);
	unsigned last = CPUMASK_CPUS;
	if (cpumask_empty(&left) || !cpumask_subset(&left, chosen))
		return false;
	cpumask_for_each (cpu, &left)
		if (cpumask_test(&work->free, cpu) && !is_kept_cpu(work, cpu))
			last = cpu;
	if (last == CPUMASK_CPUS)
		return false;
	topology_add(work->cores, last, &core);
	cpumask_andnot(&work->free, &core);
	char name[THREAD_GROUP_NAME_MAX], list[64];
	size_t used = strlen(work->why);
	cpumask_format(&left, list, sizeof(list));
	if (used + 128 < sizeof(work->why))
		snprintf(work->why + used, sizeof(work->why) - used, "%s%s of %.64s has only %s",
			used > 0 ? ", " : "", thread_group_name(group, name), guest, list);
	return true;
}

/* Spares a core for each thread group that the choice would leave without a CPU. */
static bool
spare_needed(struct exclusive *work)
{
	const struct cpumask chosen = chosen_cpus(work);
	bool spared = false;
	for (size_t i = 0; i < work->claims->need_count; i++) {
		const struct claim_need *need = &work->claims->needs[i];
		spared |= spare(work, &chosen, &need->cpus, need->guest, need->group);
	}
	for (size_t i = 0; i < work->desired->group_count; i++) {
		const struct desired_group *group = &work->desired->groups[i];
		if (group->group.kind != GROUP_VCPU)
			spared |= spare(work, &chosen,
				group->mask != NULL ? &group->mask->cpus : &work->claims->usable,
				"this guest", group->group);
	}
	return spared;
}

/* Begins the reason for too few CPUs with the guests that hold some of the wanted ones. */
static void
name_holders(struct exclusive *work)
{
	struct cpumask wanted = {0};
	for (size_t i = 0; i < work->desired->group_count; i++)
		if (desired_vcpu_has_cpus(&work->desired->groups[i]))
			cpumask_or(&wanted, &work->desired->groups[i].mask->requested);
	claims_text(work->claims, &wanted, work->why, sizeof(work->why) / 2);
}

static void
restore_groups(struct exclusive *work)
{
	memcpy(work->desired->groups, work->groups,
		work->desired->group_count * sizeof(*work->groups));
	free(work->desired->per_vcpu);
	work->desired->per_vcpu = NULL;
}

/* Chooses until nobody is left without a CPU. The messages are those of the last choice. */
static int
choose(struct exclusive *work, struct messages *messages, struct err *e)
{
	name_holders(work);
	memcpy(work->groups, work->desired->groups,
		work->desired->group_count * sizeof(*work->groups));
	for (;;) {
		const struct one_to_one_limits limits = {.free = &work->free,
			.kept = work->kept,
			.kept_count = work->kept_count,
			.why = work->why};
		struct messages said = {0};
		int r = desired_one_to_one(work->desired, work->placement, work->domain,
			work->topology, &limits, &said, e);
		bool again = r == 0 && said.errors == 0 && spare_needed(work);
		for (size_t i = 0; i < said.count && !again; i++)
			messages_add(messages, said.items[i].level, said.items[i].code, "%s",
				said.items[i].text);
		messages_free(&said);
		if (!again)
			return r;
		restore_groups(work);
	}
}

/* Gives each vCPU its CPU, and those of its core that no vCPU has, to the first vCPU there. */
static void
set_exclusive(struct exclusive *work)
{
	struct cpumask given = {0};
	struct desired *desired = work->desired;
	for (size_t i = 0; i < desired->group_count; i++)
		if (desired_vcpu_has_cpus(&desired->groups[i]) && desired->groups[i].mask->single)
			cpumask_or(&given, &desired->groups[i].mask->cpus);
	for (size_t i = 0; i < desired->group_count; i++) {
		const struct desired_group *group = &desired->groups[i];
		if (!desired_vcpu_has_cpus(group) || !group->mask->single)
			continue;
		/* The masks of single vCPUs are in per_vcpu, which is ours. */
		struct desired_mask *mask = &desired->per_vcpu[group->mask - desired->per_vcpu];
		cpumask_for_each (cpu, &mask->cpus)
			topology_add(work->cores, cpu, &mask->exclusive);
		cpumask_andnot(&mask->exclusive, &given);
		cpumask_or(&given, &mask->exclusive);
		cpumask_or(&mask->exclusive, &mask->cpus);
	}
}

/* Reports the vCPUs whose own CPU is offline. */
static void
report_offline(const struct exclusive *work, struct messages *messages)
{
	for (size_t i = 0; i < work->kept_count; i++)
		if (!cpumask_test(&work->claims->usable, work->kept[i].cpu))
			messages_add(messages, MESSAGE_ERROR, "own-cpu-offline",
				"%s:%u: exclusive: vCPU %u has CPU %u to itself, which is offline; "
				"it runs on other CPUs until that one is online again",
				work->placement->file, work->placement->line, work->kept[i].vcpu,
				work->kept[i].cpu);
}

static int
work_on(struct exclusive *work, const struct thread_group *running, size_t count,
	struct messages *messages, struct err *e)
{
	if (topology_objects(work->topology, TOPOLOGY_CORE, &work->cores, e) != 0)
		return -1;
	if (keep(work, running, count) > 0 && !work->claims->others_read)
		return 1;
	find_free(work);
	if (choose(work, messages, e) != 0)
		return -1;
	set_exclusive(work);
	report_offline(work, messages);
	return 0;
}

int
desired_exclusive(struct desired *desired, const struct value *placement,
	const struct domain *domain, const struct thread_group *running, size_t count,
	struct topology *topology, const struct claims *claims, struct messages *messages,
	struct err *e)
{
	struct exclusive work = {.desired = desired,
		.placement = placement,
		.domain = domain,
		.topology = topology,
		.claims = claims};
	work.groups = calloc(desired->group_count + 1, sizeof(*work.groups));
	work.kept = calloc(desired->group_count + 1, sizeof(*work.kept));
	int r = work.groups != NULL && work.kept != NULL
			? work_on(&work, running, count, messages, e)
			: err_set(e, "out of memory");
	free(work.groups);
	free(work.kept);
	return r;
}
