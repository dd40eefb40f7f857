/* SPDX-License-Identifier: MIT */
/*
 * Finds what keeps guests from having CPUs to themselves: sets that are too small for all of them
 * at once, CPUs that other guests cannot do without, and pins in XML that libvirt cannot set while
 * a CPU is taken.
 */
#include "lint/lint_private.h"

#include "base/array.h"
#include "base/cleanup.h"

#include <stdlib.h>

/* Returns the number of the host's cores of which a CPU is in cpus; a CPU in no core is a core. */
static size_t
count_cores(const struct topology_objects *cores, struct cpumask cpus)
{
	size_t count = 0;
	for (; !cpumask_empty(&cpus); count++) {
		struct cpumask core = {0};
		topology_add(cores, cpumask_next(&cpus, 0), &core);
		cpumask_andnot(&cpus, &core);
	}
	return count;
}

int
lint_exclusive_guest(struct lint *lint, const struct desired *desired, struct err *e)
{
	struct lint_guest *guest = &lint->guests[lint->guest_count - 1];
	const struct topology_objects *cores;
	struct cpumask chosen = {0};
	for (size_t i = 0; i < desired->group_count; i++) {
		const struct desired_group *group = &desired->groups[i];
		if (group->mask == NULL || cpumask_empty(&group->mask->exclusive))
			continue;
		cpumask_or(&chosen, &group->mask->cpus);
		if (guest->exclusive == NULL)
			guest->exclusive = group->setting;
	}
	for (size_t i = 0; i < desired->mask_count && guest->exclusive != NULL; i++)
		if (desired->masks[i].setting->kind == GROUP_VCPU)
			cpumask_or(&guest->choice, &desired->masks[i].cpus);
	if (guest->exclusive == NULL)
		return 0;
	if (topology_objects(lint->expr->topology, TOPOLOGY_CORE, &cores, e) != 0)
		return -1;
	guest->cores = count_cores(cores, chosen);
	return 0;
}

int
lint_exclusive_pins(struct lint *lint, const struct domain *domain, const struct domain_pins *pins,
	struct err *e)
{
	struct lint_guest *guest = &lint->guests[lint->guest_count - 1];
	const struct cpumask *last = NULL;
	for (size_t i = 0; i < lint_group_count(domain); i++) {
		struct thread_group group = lint_group(domain, i);
		const struct cpumask *cpus = domain_pins_find(pins, group);
		if (cpus == NULL || (last != NULL && cpumask_equal(last, cpus)))
			continue;
		struct lint_pin *larger =
			array_grow(guest->pins, guest->pin_count, sizeof(*larger));
		if (larger == NULL)
			return err_set(e, "out of memory");
		guest->pins = larger;
		larger[guest->pin_count++] = (struct lint_pin){group, *cpus};
		last = cpus;
	}
	return 0;
}

/* Reports guests whose exclusive CPUs lie in those of one of them and are more than it has. */
static int
find_too_small(struct lint *lint, size_t index, bool marked[], struct err *e)
{
	const struct lint_guest *guest = &lint->guests[index];
	const struct topology_objects *cores;
	const struct value *value = &guest->exclusive->value;
	char list[LINT_LIST_MAX], key[SETTING_KEY_MAX];
	size_t needed = 0, guests = 0;
	for (size_t i = 0; i < lint->guest_count; i++) {
		const struct lint_guest *other = &lint->guests[i];
		marked[i] =
			other->exclusive != NULL &&
			cpumask_subset(&other->choice, &guest->choice) &&
			(i == index || !domain_pins_share_device(guest->devices, other->devices));
		needed += marked[i] ? other->cores : 0;
		guests += marked[i];
	}
	if (topology_objects(lint->expr->topology, TOPOLOGY_CORE, &cores, e) != 0)
		return -1;
	size_t there = count_cores(cores, guest->choice);
	if (guests < 2 || needed <= there)
		return 0;
	AUTO_FREE char *names = lint_names(lint, marked, e);
	if (names == NULL)
		return -1;
	messages_add(lint->findings, MESSAGE_WARNING, "exclusive",
		"%s:%u: %s: %s want %zu cores to themselves, but CPUs %s are %zu: they cannot all "
		"run at once",
		value->file, value->line, setting_key(guest->exclusive, key), names, needed,
		cpumask_format(&guest->choice, list, sizeof(list)), there);
	return 0;
}

/* Reports other guests' vCPUs whose own CPU a guest may take. */
static int
find_own_of_others(struct lint *lint, size_t index, bool marked[], struct err *e)
{
	const struct lint_guest *guest = &lint->guests[index];
	const struct value *value = &guest->exclusive->value;
	char list[LINT_LIST_MAX], key[SETTING_KEY_MAX];
	struct cpumask cpus = {0};
	for (size_t i = 0; i < lint->guest_count; i++) {
		struct cpumask both = lint->guests[i].alone;
		cpumask_and(&both, &guest->choice);
		marked[i] = i != index && !cpumask_empty(&both) &&
			    !domain_pins_share_device(guest->devices, lint->guests[i].devices);
		if (marked[i])
			cpumask_or(&cpus, &both);
	}
	if (cpumask_empty(&cpus))
		return 0;
	bool one = cpumask_count(&cpus) == 1;
	AUTO_FREE char *names = lint_names(lint, marked, e);
	if (names == NULL)
		return -1;
	messages_add(lint->findings, MESSAGE_WARNING, "exclusive",
		"%s:%u: %s: an exclusive guest may take CPU%s %s, which %s cannot do without; "
		"leave %s out of the set",
		value->file, value->line, setting_key(guest->exclusive, key), one ? "" : "s",
		cpumask_format(&cpus, list, sizeof(list)), names, one ? "it" : "them");
	return 0;
}

/* Reports pins in the XML of guests to CPUs that a guest may take: such a guest does not start. */
static void
find_pinned_there(struct lint *lint, size_t index)
{
	const struct lint_guest *guest = &lint->guests[index];
	const struct value *value = &guest->exclusive->value;
	for (size_t i = 0; i < lint->guest_count; i++) {
		const struct lint_guest *other = &lint->guests[i];
		if (i == index || domain_pins_share_device(guest->devices, other->devices))
			continue;
		for (size_t j = 0; j < other->pin_count; j++) {
			char list[LINT_LIST_MAX], name[THREAD_GROUP_NAME_MAX], key[SETTING_KEY_MAX];
			const struct lint_pin *pin = &other->pins[j];
			if (!cpumask_subset(&pin->cpus, &guest->choice))
				continue;
			messages_add(lint->findings, MESSAGE_WARNING, "exclusive",
				"%s:%u: %s: an exclusive guest may take CPU%s %s, to which the XML "
				"of guest '%s' pins %s: libvirt cannot start it then; take the pin "
				"out of its XML",
				value->file, value->line, setting_key(guest->exclusive, key),
				cpumask_count(&pin->cpus) == 1 ? "" : "s",
				cpumask_format(&pin->cpus, list, sizeof(list)), other->name,
				thread_group_name(pin->group, name));
			break;
		}
	}
}

/* True if an earlier guest's CPUs are chosen by the same line among the same ones. */
static bool
is_like_an_earlier(const struct lint *lint, size_t index)
{
	const struct lint_guest *guest = &lint->guests[index];
	for (size_t i = 0; i < index; i++)
		if (lint->guests[i].exclusive == guest->exclusive &&
			cpumask_equal(&lint->guests[i].choice, &guest->choice))
			return true;
	return false;
}

int
lint_exclusive(struct lint *lint, struct err *e)
{
	bool *marked = calloc(lint->guest_count + 1, sizeof(*marked));
	int r = 0;
	if (marked == NULL)
		return err_set(e, "out of memory");
	for (size_t i = 0; i < lint->guest_count && r == 0; i++) {
		if (lint->guests[i].exclusive == NULL || is_like_an_earlier(lint, i))
			continue;
		r = find_too_small(lint, i, marked, e);
		if (r == 0)
			r = find_own_of_others(lint, i, marked, e);
		if (r == 0)
			find_pinned_there(lint, i);
	}
	free(marked);
	return r;
}
