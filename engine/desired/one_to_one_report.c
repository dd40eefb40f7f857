/* SPDX-License-Identifier: MIT */
/* Describes in words how vCPUs were placed, or why they could not be. */
#include "desired/one_to_one_private.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void
one_to_one_report(const struct one_to_one *work, enum message_level level, const char *format, ...)
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

void
one_to_one_report_short(const struct one_to_one *work, const struct cpu_shares *shares)
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
	one_to_one_report(work, MESSAGE_ERROR,
		"a CPU for each of %zu vCPUs is needed, but %s %s %s%s%s%s", needed, keys,
		count == 1 ? "has" : "have between them", has, own, why[0] != '\0' ? "; " : "",
		why);
}

void
one_to_one_report_placed(const struct one_to_one *work)
{
	for (size_t i = 0; i < work->part_count; i++) {
		const struct part *part = &work->parts[i];
		const struct setting *setting = part->set->setting;
		char key[SETTING_KEY_MAX], list[128], own[192] = "";
		if (!cpumask_empty(&part->left_out))
			snprintf(own, sizeof(own),
				"; left out: %s, for a vCPU with a key of its own",
				cpumask_format(&part->left_out, list, sizeof(list)));
		one_to_one_report(work, part->report.split ? MESSAGE_WARNING : MESSAGE_DETAIL,
			"%s%s%s%s", setting->every ? "" : setting_key(setting, key),
			setting->every ? "" : ": ", part->report.text, own);
	}
}

/* Returns the host core that holds the CPU of a vCPU with just one, or NULL. */
static const struct topology_object *
core_of(const struct desired_group *group, const struct topology_objects *cores)
{
	if (!desired_vcpu_has_cpus(group) || cpumask_count(&group->mask->cpus) != 1)
		return NULL;
	return topology_find(cores, cpumask_next(&group->mask->cpus, 0));
}

int
one_to_one_report_torn(const struct one_to_one *work, struct err *e)
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
		one_to_one_report(work, MESSAGE_WARNING,
			"the vCPUs of %zu guest core%s have keys of their own, and so are on "
			"different host cores",
			torn, torn == 1 ? "" : "s");
	return 0;
}

void
one_to_one_report_unset(const struct one_to_one *work)
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
		one_to_one_report(work,
			kept > 0 && cpumask_empty(&unset) ? MESSAGE_DETAIL : MESSAGE_WARNING,
			"no effect on this guest: no rule gives its vcpus a set");
	else if (!cpumask_empty(&unset))
		one_to_one_report(work, MESSAGE_WARNING,
			"vCPU%s %s may use the others' CPUs: no rule gives %s a set; write "
			"'vcpus = ...'",
			cpumask_count(&unset) == 1 ? "" : "s",
			cpumask_format(&unset, list, sizeof(list)),
			cpumask_count(&unset) == 1 ? "it" : "them");
}
