/* SPDX-License-Identifier: MIT */
/*
 * Finds CPUs that are meant for one vCPU alone and that other threads may use: the guest's own
 * emulator and iothreads, or any thread of another guest.
 */
#include "lint/lint_private.h"

#include "base/cleanup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

size_t
lint_group_count(const struct domain *domain)
{
	return 1 + domain->vcpus + domain->iothread_count;
}

struct thread_group
lint_group(const struct domain *domain, size_t i)
{
	if (i > domain->vcpus)
		return (struct thread_group){
			GROUP_IOTHREAD, domain->iothreads[i - 1 - domain->vcpus]};
	return i > 0 ? (struct thread_group){GROUP_VCPU, (unsigned)i - 1}
		     : (struct thread_group){GROUP_EMULATOR, 0};
}

/* Sets *cpus to the CPUs that a group may use: of its rule, of the XML, or all of the host. */
static int
group_cpus(struct lint *lint, const struct desired_group *group, const struct domain_pins *pins,
	struct cpumask *cpus, struct err *e)
{
	const struct cpumask *pinned = domain_pins_find(pins, group->group), *online;
	if (group->mask == NULL && pinned == NULL &&
		topology_get(lint->expr->topology, TOPOLOGY_ONLINE, &online, e) != 0)
		return -1;
	*cpus = group->mask != NULL ? group->mask->cpus : pinned != NULL ? *pinned : *online;
	return 0;
}

static bool
is_online_vcpu(const struct domain *domain, const struct desired_group *group)
{
	return group->group.id < domain->vcpus && domain->vcpu_online[group->group.id];
}

/* True if a vCPU is meant to have its CPU alone. */
static bool
is_own(const struct domain *domain, const struct desired_group *group)
{
	const struct setting *setting = group->setting;
	if (group->group.kind != GROUP_VCPU || group->mask == NULL || setting == NULL ||
		!is_online_vcpu(domain, group) || cpumask_count(&group->mask->cpus) != 1 ||
		!cpumask_empty(&group->mask->exclusive))
		return false;
	return group->mask->single || (!setting->every && setting->first == setting->last);
}

/* The threads of a guest that may use CPUs which are another vCPU's own. */
struct intruders {
	const struct setting *setting;	   /* of the first; NULL: no rule decides it */
	const struct desired_group *group; /* the first */
	size_t count;
	struct cpumask cpus; /* the vCPUs' own CPUs that they may use */
};

static void
report_intruders(struct lint *lint, const struct desired *desired, const struct domain_pins *pins,
	const struct domain *domain, const struct intruders *found)
{
	const struct lint_guest *guest = &lint->guests[lint->guest_count - 1];
	const struct setting *setting = found->setting;
	if (setting == NULL && guest->own != NULL)
		setting = guest->own->setting;
	if (setting == NULL)
		return; /* no line to name */
	const struct value *value = &setting->value;
	char name[THREAD_GROUP_NAME_MAX], list[LINT_LIST_MAX], vcpu[32] = "";
	bool realtime = false, one = cpumask_count(&found->cpus) == 1;
	for (size_t i = 0; i < desired->group_count; i++) {
		const struct desired_group *group = &desired->groups[i];
		struct cpumask both = found->cpus;
		if (!is_own(domain, group))
			continue;
		cpumask_and(&both, &group->mask->cpus);
		if (cpumask_empty(&both))
			continue;
		if (vcpu[0] == '\0')
			snprintf(vcpu, sizeof(vcpu), "vCPU %u's", group->group.id);
		realtime |= group->group.id < CPUMASK_CPUS &&
			    cpumask_test(&pins->realtime, group->group.id);
	}
	thread_group_name(found->group->group, name);
	messages_add(lint->of_guest, MESSAGE_WARNING, "own-cpu-open",
		"%s:%u: %s%s may use CPU%s %s%s, %s %s own%s; give %s other CPUs", value->file,
		value->line, name, found->count > 1 ? " and others" : "", one ? "" : "s",
		cpumask_format(&found->cpus, list, sizeof(list)),
		found->setting == NULL ? ", as no rule says otherwise" : "",
		one ? "which is" : "which are", one ? vcpu : "each one vCPU's",
		realtime ? " (with a real-time scheduler: the guest can hang)" : "",
		found->count > 1 ? "them" : "it");
}

/* Reports the guest's other threads on its vCPUs' own CPUs, once for each setting. */
static int
find_intruders(struct lint *lint, const struct domain *domain, const struct desired *desired,
	const struct domain_pins *pins, struct err *e)
{
	const struct cpumask alone = lint->guests[lint->guest_count - 1].alone;
	struct intruders found = {0};
	for (size_t i = 0; i < desired->group_count && !cpumask_empty(&alone); i++) {
		const struct desired_group *group = &desired->groups[i];
		struct cpumask cpus;
		bool vcpu = group->group.kind == GROUP_VCPU;
		if (is_own(domain, group) || (vcpu && !is_online_vcpu(domain, group)))
			continue;
		if (group_cpus(lint, group, pins, &cpus, e) != 0)
			return -1;
		cpumask_and(&cpus, &alone);
		if (cpumask_empty(&cpus))
			continue;
		if (found.count > 0 && found.setting != group->setting) {
			report_intruders(lint, desired, pins, domain, &found);
			found = (struct intruders){0};
		}
		if (found.count++ == 0) {
			found.setting = group->setting;
			found.group = group;
		}
		cpumask_or(&found.cpus, &cpus);
	}
	if (found.count > 0)
		report_intruders(lint, desired, pins, domain, &found);
	return 0;
}

int
lint_open(struct lint *lint, const struct domain *domain, const struct desired *desired,
	const struct domain_pins *pins, struct err *e)
{
	struct lint_guest *guest = &lint->guests[lint->guest_count - 1];
	for (size_t i = 0; i < desired->group_count; i++) {
		const struct desired_group *group = &desired->groups[i];
		struct cpumask cpus;
		if (group_cpus(lint, group, pins, &cpus, e) != 0)
			return -1;
		cpumask_or(&guest->open, &cpus);
		if (group->setting != NULL && guest->first == NULL)
			guest->first = group->setting;
		if (!is_own(domain, group))
			continue;
		cpumask_or(&guest->alone, &cpus);
		for (size_t j = 0; guest->own == NULL && j < lint->setting_count; j++)
			if (lint->settings[j].setting == group->setting)
				guest->own = &lint->settings[j];
	}
	return find_intruders(lint, domain, desired, pins, e);
}

int
lint_open_without_rule(struct lint *lint, const struct domain *domain,
	const struct domain_pins *pins, struct err *e)
{
	struct lint_guest *guest = &lint->guests[lint->guest_count - 1];
	for (size_t i = 0; i < lint_group_count(domain); i++) {
		struct desired_group group = {.group = lint_group(domain, i)};
		struct cpumask cpus;
		if (group_cpus(lint, &group, pins, &cpus, e) != 0)
			return -1;
		cpumask_or(&guest->open, &cpus);
	}
	return 0;
}

/* Reports a guest's own CPUs that the guests marked in others may use. */
static int
report_open(struct lint *lint, const struct lint_guest *guest, const struct cpumask *cpus,
	const bool others[], struct err *e)
{
	const struct value *value = &guest->own->setting->value;
	bool one = cpumask_count(cpus) == 1;
	char list[LINT_LIST_MAX];
	AUTO_FREE char *names = lint_names(lint, others, e);
	if (names == NULL)
		return -1;
	messages_add(lint->findings, MESSAGE_WARNING, "own-cpu-open",
		"%s:%u: CPU%s %s: %s in guest '%s', and open to %s too; leave %s out of the sets "
		"of other guests",
		value->file, value->line, one ? "" : "s", cpumask_format(cpus, list, sizeof(list)),
		one ? "one vCPU's own" : "each one vCPU's own", guest->name, names,
		one ? "it" : "them");
	return 0;
}

/* Reports the own CPUs of one guest that others may use; others has room for a mark of each guest.
 */
static int
find_open(struct lint *lint, size_t index, bool others[], struct err *e)
{
	const struct lint_guest *guest = &lint->guests[index];
	struct cpumask cpus = {0};
	for (size_t i = 0; i < lint->guest_count; i++) {
		const struct lint_guest *other = &lint->guests[i];
		struct cpumask both = guest->alone;
		cpumask_and(&both, &other->open);
		/* One vCPU's own in both guests is reported elsewhere. */
		cpumask_andnot(&both, &other->alone);
		others[i] = i != index && !cpumask_empty(&both) &&
			    !domain_pins_share_device(guest->devices, other->devices);
		if (others[i])
			cpumask_or(&cpus, &both);
	}
	return cpumask_empty(&cpus) ? 0 : report_open(lint, guest, &cpus, others, e);
}

int
lint_open_between_guests(struct lint *lint, struct err *e)
{
	bool *others = calloc(lint->guest_count + 1, sizeof(*others));
	int r = 0;
	if (others == NULL)
		return err_set(e, "out of memory");
	for (size_t i = 0; i < lint->guest_count && r == 0; i++)
		if (lint->guests[i].own != NULL)
			r = find_open(lint, i, others, e);
	free(others);
	return r;
}
