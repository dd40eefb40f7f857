/* SPDX-License-Identifier: MIT */
/* Builds the desired CPUs of each thread group from the rules that match a guest. */
#include "desired/build.h"

#include "desired/exclusive.h"
#include "desired/memory_nodes.h"
#include "desired/one_to_one.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
add_group(struct desired *desired, enum thread_group_kind kind, unsigned id)
{
	desired->groups[desired->group_count++].group =
		(struct thread_group){.kind = kind, .id = id};
}

static int
list_all_groups(struct desired *desired, const struct matched *matched, const struct domain *domain,
	const struct thread_group *running, size_t count)
{
	size_t vcpus = domain != NULL ? domain->vcpus : 0, kept = 0;
	size_t iothreads = domain != NULL ? domain->iothread_count : 0;
	size_t most = 1 + vcpus + iothreads + count;
	desired->groups = calloc(most, sizeof(*desired->groups));
	if (desired->groups == NULL)
		return -1;
	add_group(desired, GROUP_EMULATOR, 0);
	for (unsigned id = 0; id < vcpus; id++)
		add_group(desired, GROUP_VCPU, id);
	for (size_t i = 0; i < iothreads; i++)
		add_group(desired, GROUP_IOTHREAD, domain->iothreads[i]);
	for (size_t i = 0; i < count; i++)
		add_group(desired, running[i].kind, running[i].id);
	qsort(desired->groups, desired->group_count, sizeof(*desired->groups),
		desired_group_compare);
	for (size_t i = 0; i < desired->group_count; i++)
		if (kept == 0 ||
			desired_group_compare(&desired->groups[kept - 1], &desired->groups[i]) != 0)
			desired->groups[kept++] = desired->groups[i];
	desired->group_count = kept;
	for (size_t i = 0; i < kept; i++)
		desired->groups[i].setting = rules_setting(matched, desired->groups[i].group);
	return 0;
}

static bool
wants_mask(const struct desired_group *group)
{
	return group->setting != NULL && !setting_is_keep(group->setting);
}

/* Returns the mask of a setting, and evaluates it first if no group had that setting before. */
static const struct desired_mask *
mask_of(struct desired *desired, const struct setting *setting, struct cpuset_expr *expr,
	const struct cpumask *usable, struct err *e)
{
	for (size_t i = desired->mask_count; i-- > 0;)
		if (desired->masks[i].setting == setting)
			return &desired->masks[i];
	struct desired_mask *mask = &desired->masks[desired->mask_count];
	const struct cpumask *present;
	struct err ignored;
	if (cpuset_expr_eval(expr, &setting->value, &mask->requested, e) != 0)
		return NULL;
	mask->setting = setting;
	mask->cpus = mask->whole = mask->requested;
	cpumask_and(&mask->cpus, usable);
	if (!cpumask_equal(&mask->requested, &mask->cpus) &&
		topology_get(expr->topology, TOPOLOGY_PRESENT, &present, &ignored) == 0)
		cpumask_and(&mask->whole, present);
	desired->mask_count++;
	return mask;
}

/*
 * Returns an upper bound of the masks: how often the setting changes from one group to the next.
 */
static size_t
count_masks(const struct desired *desired)
{
	size_t count = 0;
	const struct setting *last = NULL;
	for (size_t i = 0; i < desired->group_count; i++) {
		if (wants_mask(&desired->groups[i]) && desired->groups[i].setting != last)
			count++;
		last = desired->groups[i].setting;
	}
	return count;
}

/* usable, for_vcpus: the CPUs that the guest can be given, and those that its vCPUs can. */
static int
evaluate(struct desired *desired, struct cpuset_expr *expr, const struct cpumask *usable,
	const struct cpumask *for_vcpus, struct err *e)
{
	desired->masks = calloc(count_masks(desired) + 1, sizeof(*desired->masks));
	if (desired->masks == NULL)
		return err_set(e, "out of memory");
	for (size_t i = 0; i < desired->group_count; i++) {
		struct desired_group *group = &desired->groups[i];
		if (!wants_mask(group))
			continue;
		group->mask = mask_of(desired, group->setting, expr,
			group->group.kind == GROUP_VCPU ? for_vcpus : usable, e);
		if (group->mask == NULL)
			return -1;
	}
	return 0;
}

/* True if the guest has a thread group that the setting is about. */
static bool
is_present(const struct desired *desired, const struct setting *setting)
{
	bool present = setting->every;
	for (size_t i = 0; i < desired->group_count && !present; i++) {
		struct thread_group group = desired->groups[i].group;
		present = group.kind == setting->kind && group.id >= setting->first &&
			  group.id <= setting->last;
	}
	return present;
}

/* Appends ", KEY" to list, of which used bytes are there; ", ..." once if there is no room. */
static size_t
append_vcpu_key(char *list, size_t size, size_t used, const char *key)
{
	static const char more[] = ", ...";
	const char *comma = used > 0 ? ", " : "";
	if (used + strlen(comma) + strlen(key) + sizeof(more) <= size)
		return used + (size_t)snprintf(list + used, size - used, "%s%s", comma, key);
	if (used >= sizeof(more) && strcmp(list + used - (sizeof(more) - 1), more) == 0)
		return used;
	return used + (size_t)snprintf(list + used, size - used, "%s", more);
}

/* Reports a rule's keys for vCPUs, or for iothreads, that the guest has none of: on one line. */
static void
report_absent_kind(const struct desired *desired, const struct rule *rule,
	enum thread_group_kind kind, const struct domain *domain, struct messages *messages)
{
	const struct setting *first = NULL;
	char keys[128] = "", key[SETTING_KEY_MAX];
	size_t used = 0;
	for (size_t i = 0; i < rule->setting_count; i++) {
		const struct setting *setting = &rule->settings[i];
		if (setting->kind != kind || is_present(desired, setting))
			continue;
		if (first == NULL)
			first = setting;
		used = append_vcpu_key(keys, sizeof(keys), used, setting_key(setting, key));
	}
	if (first == NULL)
		return;
	bool vcpu = kind == GROUP_VCPU;
	messages_add(messages, MESSAGE_INFO, "no-such-thread",
		"%s:%u: %s: no such %s in this guest, which %s %u", first->value.file,
		first->value.line, keys, vcpu ? "vCPU" : "iothread", vcpu ? "can have" : "has",
		vcpu ? domain->vcpus : (unsigned)domain->iothread_count);
}

/*
 * Reports the keys for a vCPU or iothread, or a range, that the guest has none of. This is no
 * error: they may be plugged in later.
 */
static void
report_absent(const struct desired *desired, const struct matched *matched,
	const struct domain *domain, struct messages *messages)
{
	for (size_t i = 0; i < matched->count; i++) {
		report_absent_kind(desired, matched->rules[i], GROUP_VCPU, domain, messages);
		report_absent_kind(desired, matched->rules[i], GROUP_IOTHREAD, domain, messages);
	}
}

/* Gives each vCPU a CPU where the rules ask for that. Returns as desired_build() does. */
static int
place_vcpus(struct desired *desired, const struct matched *matched, const struct domain *domain,
	const struct thread_group *running, size_t count, struct topology *topology,
	const struct claims *claims, struct messages *messages, struct err *e)
{
	const struct value *placement = domain != NULL ? rules_placement(matched) : NULL;
	if (placement == NULL)
		return 0;
	if (!placement_is_exclusive(placement))
		return desired_one_to_one(desired, placement, domain, topology, NULL, messages, e);
	return claims == NULL ? 0
			      : desired_exclusive(desired, placement, domain, running, count,
					topology, claims, messages, e);
}

int
desired_build(const struct matched *matched, const struct domain *domain,
	const struct thread_group *running, size_t count, struct cpuset_expr *expr,
	const struct cpumask *usable, const struct claims *claims, struct desired *desired,
	struct messages *messages, struct err *e)
{
	*desired = (struct desired){0};
	if (list_all_groups(desired, matched, domain, running, count) != 0)
		return err_set(e, "out of memory");
	int r = evaluate(desired, expr, usable, claims != NULL ? &claims->usable : usable, e);
	if (r == 0)
		r = place_vcpus(desired, matched, domain, running, count, expr->topology, claims,
			messages, e);
	if (r == 0 && domain != NULL)
		report_absent(desired, matched, domain, messages);
	if (r != 0)
		desired_free(desired);
	return r;
}

int
desired_build_memory(struct desired *desired, const struct matched *matched,
	struct topology *topology, const struct cpumask *cpus, const struct cpumask *usable,
	struct messages *messages, struct err *e)
{
	desired->memory = (struct memory){.value = rules_memory(matched)};
	if (desired->memory.value == NULL)
		return 0;
	return memory_nodes_place(&desired->memory, topology, cpus, usable, messages, e);
}
