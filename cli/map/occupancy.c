/* SPDX-License-Identifier: MIT */
/* Sorts groups by the CPUs that they may use, forms sets of equals, and counts the vCPUs of each.
 */
#include "cli/map/occupancy.h"

#include "base/array.h"

#include <stdlib.h>
#include <string.h>

int
occupancy_add(struct occupancy *occupancy, const char *guest, struct thread_group group,
	const struct cpumask *cpus, struct err *e)
{
	struct occupant *larger =
		array_grow(occupancy->occupants, occupancy->occupant_count, sizeof(*larger));
	if (larger == NULL)
		return err_set(e, "out of memory");
	occupancy->occupants = larger;
	occupancy->occupants[occupancy->occupant_count++] =
		(struct occupant){.guest = guest, .group = group, .cpus = *cpus};
	return 0;
}

static int
compare_cpus(const struct occupant *a, const struct occupant *b)
{
	if (a->cpu_count != b->cpu_count)
		return a->cpu_count < b->cpu_count ? -1 : 1;
	for (unsigned one = 0, other = 0; one < CPUMASK_CPUS; one++, other++) {
		one = cpumask_next(&a->cpus, one);
		other = cpumask_next(&b->cpus, other);
		if (one != other)
			return one < other ? -1 : 1;
	}
	return 0;
}

static int
compare_occupants(const void *a, const void *b)
{
	const struct occupant *one = a, *other = b;
	int order = compare_cpus(one, other);
	if (order == 0)
		order = strverscmp(one->guest, other->guest);
	return order != 0 ? order : thread_group_compare(one->group, other->group);
}

static void
leave_offline_out(struct occupancy *occupancy, const struct cpumask *online)
{
	size_t kept = 0;
	for (size_t i = 0; i < occupancy->occupant_count; i++) {
		struct occupant *occupant = &occupancy->occupants[kept];
		*occupant = occupancy->occupants[i];
		cpumask_and(&occupant->cpus, online);
		occupant->cpu_count = cpumask_count(&occupant->cpus);
		kept += occupant->cpu_count > 0;
	}
	occupancy->occupant_count = kept;
}

/* Counts the vCPUs that can run only within the set. Occupants are sorted by their number of CPUs,
 * and one that has more than the set is not within it. */
static void
count_vcpus(const struct occupancy *occupancy, struct occupancy_set *set)
{
	for (size_t i = 0; i < occupancy->occupant_count; i++) {
		const struct occupant *occupant = &occupancy->occupants[i];
		if (occupant->cpu_count > set->cpu_count)
			break;
		set->vcpus += occupant->group.kind == GROUP_VCPU &&
			      cpumask_subset(&occupant->cpus, set->cpus);
	}
	set->overcommitted = set->confined && set->vcpus > set->cpu_count;
}

const char *
occupancy_owner(const struct occupancy_set *set)
{
	for (size_t i = 0; i < set->member_count; i++)
		if (set->members[i].group.kind == GROUP_VCPU)
			return set->members[i].guest;
	return NULL;
}

/* Finds out whether threads of another guest may use the only CPU of a set. */
static void
find_intruders(const struct occupancy *occupancy, struct occupancy_set *set)
{
	const char *owner = set->cpu_count == 1 ? occupancy_owner(set) : NULL;
	for (size_t i = 0; i < occupancy->occupant_count && owner != NULL && !set->intruded; i++) {
		const struct occupant *occupant = &occupancy->occupants[i];
		set->intruded = strcmp(occupant->guest, owner) != 0 &&
				cpumask_subset(set->cpus, &occupant->cpus);
	}
}

int
occupancy_form(struct occupancy *occupancy, const struct cpumask *online, struct err *e)
{
	leave_offline_out(occupancy, online);
	size_t count = occupancy->occupant_count;
	struct occupancy_set *set = NULL;
	occupancy->sets = calloc(count + 1, sizeof(*occupancy->sets));
	if (occupancy->sets == NULL)
		return err_set(e, "out of memory");
	if (count > 0)
		qsort(occupancy->occupants, count, sizeof(*occupancy->occupants),
			compare_occupants);
	for (size_t i = 0; i < count; i++) {
		const struct occupant *occupant = &occupancy->occupants[i];
		if (set == NULL || compare_cpus(set->members, occupant) != 0) {
			set = &occupancy->sets[occupancy->set_count++];
			*set = (struct occupancy_set){
				.cpus = &occupant->cpus,
				.cpu_count = occupant->cpu_count,
				.members = occupant,
				.confined = occupant->cpu_count < cpumask_count(online),
			};
		}
		set->member_count++;
	}
	for (size_t i = 0; i < occupancy->set_count; i++) {
		count_vcpus(occupancy, &occupancy->sets[i]);
		find_intruders(occupancy, &occupancy->sets[i]);
	}
	return 0;
}

bool
occupancy_overcommitted(const struct occupancy *occupancy, unsigned cpu)
{
	for (size_t i = 0; i < occupancy->set_count; i++)
		if (occupancy->sets[i].overcommitted && cpumask_test(occupancy->sets[i].cpus, cpu))
			return true;
	return false;
}

bool
occupancy_intruded(const struct occupancy *occupancy, unsigned cpu)
{
	for (size_t i = 0; i < occupancy->set_count; i++)
		if (occupancy->sets[i].intruded && cpumask_test(occupancy->sets[i].cpus, cpu))
			return true;
	return false;
}

void
occupancy_free(struct occupancy *occupancy)
{
	free(occupancy->occupants);
	free(occupancy->sets);
	*occupancy = (struct occupancy){0};
}
