/* SPDX-License-Identifier: MIT */
/* Collects what each guest shows about the rules, then reports what needs all guests. */
#include "lint/lint_private.h"

#include "base/array.h"

#include <stdlib.h>
#include <string.h>

static int
compare_settings(const void *a, const void *b)
{
	const struct setting *left = ((const struct lint_setting *)a)->setting;
	const struct setting *right = ((const struct lint_setting *)b)->setting;
	return left < right ? -1 : left > right;
}

/* Returns what is collected about a setting of the rules. */
static struct lint_setting *
lint_setting_of(const struct lint *lint, const struct setting *setting)
{
	size_t low = 0, high = lint->setting_count;
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;
		if (lint->settings[middle].setting <= setting)
			low = middle;
		else
			high = middle;
	}
	return &lint->settings[low];
}

int
lint_start(struct lint *lint, struct cpuset_expr *expr, struct messages *findings)
{
	const struct rules *rules = expr->rules;
	size_t count = 0;
	*lint = (struct lint){.expr = expr, .findings = findings};
	for (size_t i = 0; i < rules->rule_count; i++)
		count += rules->rules[i].setting_count;
	lint->settings = calloc(count + 1, sizeof(*lint->settings));
	lint->matches = calloc(rules->rule_count + 1, sizeof(*lint->matches));
	if (lint->settings == NULL || lint->matches == NULL)
		return -1;
	for (size_t i = 0; i < rules->rule_count; i++)
		for (size_t j = 0; j < rules->rules[i].setting_count; j++)
			lint->settings[lint->setting_count++] = (struct lint_setting){
				.setting = &rules->rules[i].settings[j], .rule = &rules->rules[i]};
	qsort(lint->settings, lint->setting_count, sizeof(*lint->settings), compare_settings);
	return 0;
}

void
lint_free(struct lint *lint)
{
	for (size_t i = 0; i < lint->guest_count; i++) {
		free(lint->guests[i].name);
		free(lint->guests[i].devices);
		free(lint->guests[i].pins);
	}
	free(lint->guests);
	free(lint->claims);
	free(lint->settings);
	free(lint->matches);
	*lint = (struct lint){0};
}

/*
 * Reports several isolated CPUs in one mask. The scheduler does not balance between them, so all
 * threads with that mask stay on one of them.
 */
static int
find_isolated(const struct lint *lint, const struct lint_setting *of, const struct cpumask *cpus,
	struct messages *messages, struct err *e)
{
	const struct cpumask *isolated;
	const struct value *value = &of->setting->value;
	struct cpumask both = *cpus;
	char key[SETTING_KEY_MAX], list[LINT_LIST_MAX];
	if (topology_get(lint->expr->topology, TOPOLOGY_ISOLATED, &isolated, e) != 0)
		return -1;
	cpumask_and(&both, isolated);
	if (cpumask_count(&both) < 2)
		return 0;
	messages_add(messages, MESSAGE_WARNING, "cpus-isolated",
		"%s:%u: %s may use CPUs %s, which are isolated (isolcpus=): the kernel moves no "
		"thread between such CPUs, so all pile up on one; %s",
		value->file, value->line, setting_key(of->setting, key),
		cpumask_format(&both, list, sizeof(list)),
		of->setting->kind == GROUP_VCPU
			? "give each vCPU one of its own: placement = one-to-one, or vcpu0 = ..."
			: "name one of them");
	return 0;
}

static bool
is_running_vcpu(const struct domain *domain, const struct desired_group *group)
{
	return group->group.kind == GROUP_VCPU && group->mask != NULL &&
	       group->group.id < domain->vcpus && domain->vcpu_online[group->group.id] &&
	       !cpumask_empty(&group->mask->cpus);
}

/* Reports a setting with fewer CPUs than vCPUs. */
static void
find_overcommitted(struct lint *lint, const struct domain *domain, const struct desired *desired,
	const struct desired_mask *mask)
{
	struct lint_setting *of = lint_setting_of(lint, mask->setting);
	size_t vcpus = 0, cpus = cpumask_count(&mask->cpus);
	const struct value *value = &mask->setting->value;
	char key[SETTING_KEY_MAX], list[LINT_LIST_MAX];
	if (cpus == 0 || cpus >= domain->vcpus)
		return;
	for (size_t i = 0; i < desired->group_count; i++)
		vcpus += is_running_vcpu(domain, &desired->groups[i]) &&
			 cpumask_subset(&desired->groups[i].mask->cpus, &mask->cpus);
	if (vcpus <= cpus)
		return;
	of->reported_overcommit = true;
	messages_add(lint->of_guest, MESSAGE_WARNING, "cpus-overcommitted",
		"%s:%u: %s: %zu vCPUs of a guest have only %s %s between them, and wait for one "
		"another; name more CPUs, or give the guest fewer vCPUs",
		value->file, value->line, setting_key(mask->setting, key), vcpus,
		cpus == 1 ? "CPU" : "CPUs", cpumask_format(&mask->cpus, list, sizeof(list)));
}

/* Checks each setting for vCPUs, the first one of those with the same CPUs. */
static void
find_all_overcommitted(
	struct lint *lint, const struct domain *domain, const struct desired *desired)
{
	for (size_t i = 0; i < desired->mask_count; i++) {
		bool first = desired->masks[i].setting->kind == GROUP_VCPU;
		for (size_t j = 0; j < i && first; j++)
			first = desired->masks[j].setting->kind != GROUP_VCPU ||
				!cpumask_equal(&desired->masks[j].cpus, &desired->masks[i].cpus);
		if (first)
			find_overcommitted(lint, domain, desired, &desired->masks[i]);
	}
}

/* Records which setting decides a group, and which settings it shadows. */
static void
find_deciding(struct lint *lint, const struct matched *matched, const struct desired_group *group)
{
	struct lint_setting *winner = lint_setting_of(lint, group->setting);
	winner->wins = true;
	for (size_t i = 0; i < matched->count; i++)
		for (size_t j = 0; j < matched->rules[i]->setting_count; j++) {
			const struct setting *s = &matched->rules[i]->settings[j];
			if (s->kind != group->group.kind ||
				(!s->every &&
					(group->group.id < s->first || group->group.id > s->last)))
				continue;
			struct lint_setting *loser = lint_setting_of(lint, s);
			if (loser->shadowed_by == NULL) {
				loser->shadowed_by = winner->setting;
				loser->shadowed_by_rule = winner->rule;
			} else if (loser->shadowed_by_rule != winner->rule) {
				loser->shadowed_by_rule = NULL;
			}
		}
}

static struct lint_claim *
add_claim(struct lint *lint, struct lint_setting *setting, struct err *e)
{
	for (size_t i = lint->claim_count; i-- > 0;) {
		if (lint->claims[i].guest != lint->guest_count - 1)
			break;
		if (lint->claims[i].setting == setting)
			return &lint->claims[i];
	}
	struct lint_claim *larger = array_grow(lint->claims, lint->claim_count, sizeof(*larger));
	if (larger == NULL) {
		err_set(e, "out of memory");
		return NULL;
	}
	lint->claims = larger;
	struct lint_claim *claim = &larger[lint->claim_count++];
	*claim = (struct lint_claim){.guest = lint->guest_count - 1, .setting = setting};
	return claim;
}

/* True if a vCPU should have its CPU alone: one-to-one gives it, or its own key has just one. */
static bool
is_alone(const struct desired_mask *mask, const struct setting *setting)
{
	bool named = !setting->every && setting->first == setting->last;
	return mask->single || (named && cpumask_count(&mask->cpus) == 1);
}

static int
add_group_findings(struct lint *lint, const struct domain *domain,
	const struct desired_group *group, bool limited, struct err *e)
{
	struct lint_setting *of = lint_setting_of(lint, group->setting);
	const struct cpumask *cpus = &group->mask->cpus;
	of->seen = true;
	of->limited |= limited;
	if (find_isolated(lint, of, cpus, lint->of_guest, e) != 0)
		return -1;
	/* CPUs that are chosen when the guest starts are no claim on these: lint_exclusive.c. */
	if (!is_running_vcpu(domain, group) || !cpumask_empty(&group->mask->exclusive))
		return 0;
	struct lint_claim *claim = add_claim(lint, of, e);
	if (claim == NULL)
		return -1;
	cpumask_or(&claim->cpus, cpus);
	claim->vcpus++;
	if (is_alone(group->mask, group->setting))
		cpumask_or(&claim->alone, cpus);
	cpumask_or(&lint->guests[claim->guest].vcpus, cpus);
	return 0;
}

int
lint_guest(struct lint *lint, const struct lint_subject *subject, struct messages *findings,
	struct err *e)
{
	const struct domain *domain = subject->domain;
	const struct matched *matched = subject->matched;
	const struct desired *desired = subject->desired;
	const struct domain_pins *pins = subject->pins;
	struct lint_guest *larger = array_grow(lint->guests, lint->guest_count, sizeof(*larger));
	char *name = strdup(domain->name);
	if (larger != NULL)
		lint->guests = larger;
	if (larger == NULL || name == NULL) {
		free(name);
		return err_set(e, "out of memory");
	}
	larger[lint->guest_count++] = (struct lint_guest){.name = name};
	lint->of_guest = findings;
	if (pins->devices != NULL &&
		(larger[lint->guest_count - 1].devices = strdup(pins->devices)) == NULL)
		return err_set(e, "out of memory");
	for (size_t i = 0; i < matched->count; i++)
		lint->matches[matched->rules[i] - lint->expr->rules->rules]++;
	for (size_t i = 0; i < desired->group_count; i++) {
		const struct desired_group *group = &desired->groups[i];
		if (group->setting == NULL)
			continue;
		find_deciding(lint, matched, group);
		if (group->mask != NULL &&
			add_group_findings(lint, domain, group, subject->limited, e) != 0)
			return -1;
	}
	find_all_overcommitted(lint, domain, desired);
	if (lint_exclusive_guest(lint, desired, e) != 0 ||
		lint_exclusive_pins(lint, domain, pins, e) != 0)
		return -1;
	if (matched->count == 0)
		return lint_open_without_rule(lint, domain, pins, e);
	return lint_open(lint, domain, desired, pins, e);
}

/* Reports the CPUs that a setting asks for and the host or limit does not grant. */
static int
find_not_granted(struct lint *lint, const struct lint_setting *of, const struct cpumask *wanted,
	const struct lint_limit *limit, struct err *e)
{
	const struct cpumask *online;
	const struct value *value = &of->setting->value;
	struct cpumask left = *wanted;
	char key[SETTING_KEY_MAX], want[LINT_LIST_MAX], grant[LINT_LIST_MAX];
	if (topology_get(lint->expr->topology, TOPOLOGY_ONLINE, &online, e) != 0)
		return -1;
	cpumask_and(&left, online);
	bool host = !of->seen && !cpumask_equal(&left, wanted);
	if (!host && (limit == NULL || of->limited || cpumask_subset(&left, &limit->granted)))
		return 0;
	if (!host)
		cpumask_and(&left, &limit->granted);
	messages_add(lint->findings, cpumask_empty(&left) ? MESSAGE_ERROR : MESSAGE_WARNING,
		host ? "absent-cpu" : "cpu-not-allowed", "%s:%u: %s wants %s, but %s %s %s: %s",
		value->file, value->line, setting_key(of->setting, key),
		cpumask_format(wanted, want, sizeof(want)), host ? "this host" : limit->name,
		host ? "has only CPUs" : "allows only",
		cpumask_format(host ? online : &limit->granted, grant, sizeof(grant)),
		cpumask_empty(&left) ? "no CPU is left, so such a guest is not pinned"
				     : "the others are left out");
	return 0;
}

/* Checks a setting by itself, as far as no guest has shown its CPUs. */
static int
check_setting(
	struct lint *lint, struct lint_setting *of, const struct lint_limit *limit, struct err *e)
{
	struct cpumask wanted;
	struct err why;
	if (setting_is_keep(of->setting))
		return 0;
	if (cpuset_expr_eval(lint->expr, &of->setting->value, &wanted, &why) != 0) {
		if (!of->seen)
			messages_add(lint->findings, MESSAGE_ERROR, "set-invalid", "%s", why.text);
		return 0;
	}
	if (!of->seen && find_isolated(lint, of, &wanted, lint->findings, e) != 0)
		return -1;
	return find_not_granted(lint, of, &wanted, limit, e);
}

/* Reports a setting that never wins because a later rule for more guests shadows it. */
static void
find_shadowed(struct lint *lint, const struct lint_setting *of)
{
	char key[SETTING_KEY_MAX], other[SETTING_KEY_MAX];
	if (of->wins || of->shadowed_by == NULL || of->shadowed_by_rule == NULL ||
		of->shadowed_by_rule <= of->rule)
		return;
	size_t own = lint->matches[of->rule - lint->expr->rules->rules];
	if (lint->matches[of->shadowed_by_rule - lint->expr->rules->rules] <= own)
		return;
	messages_add(lint->findings, MESSAGE_WARNING, "never-counts",
		"%s:%u: %s counts for none of the guests of [%s]: %s:%u sets %s for these and for "
		"others, and comes later; write what is for more guests first",
		of->setting->value.file, of->setting->value.line, setting_key(of->setting, key),
		of->rule->section, of->shadowed_by->value.file, of->shadowed_by->value.line,
		setting_key(of->shadowed_by, other));
}

static void
find_unmatched(struct lint *lint)
{
	const struct rules *rules = lint->expr->rules;
	for (size_t i = 0; i < rules->rule_count && lint->guest_count > 0; i++)
		if (lint->matches[i] == 0)
			messages_add(lint->findings, MESSAGE_WARNING, "matches-no-guest",
				"%s:%u: [%s] matches no guest of the %zu that were looked at; see "
				"their names with 'virsh list --all'",
				rules->rules[i].file, rules->rules[i].line, rules->rules[i].section,
				lint->guest_count);
}

int
lint_finish(struct lint *lint, const struct lint_limit *limit, struct err *e)
{
	find_unmatched(lint);
	for (size_t i = 0; i < lint->setting_count; i++) {
		if (check_setting(lint, &lint->settings[i], limit, e) != 0)
			return -1;
		find_shadowed(lint, &lint->settings[i]);
	}
	if (lint_open_between_guests(lint, e) != 0)
		return -1;
	lint_pools(lint);
	if (lint_exclusive(lint, e) != 0)
		return -1;
	return lint_between_guests(lint, e);
}
