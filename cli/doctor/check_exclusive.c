/* SPDX-License-Identifier: MIT */
/* Checks that the host can give guests CPUs to themselves, and finds what still runs on these. */
#include "cli/doctor/checks.h"

#include "base/file.h"
#include "cgroup/exclusive.h"
#include "cgroup/files.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

/* Interrupts named in a finding; more are counted only. */
#define NAMED_MAX 8

/* Returns the first rule's placement that is exclusive, or NULL. */
static const struct value *
find_rule(const struct rules *rules)
{
	for (size_t i = 0; i < rules->rule_count; i++) {
		const struct value *placement = &rules->rules[i].placement;
		if (placement->text != NULL && placement_is_exclusive(placement))
			return placement;
	}
	return NULL;
}

static int
is_number(const struct dirent *entry)
{
	return entry->d_name[0] >= '0' && entry->d_name[0] <= '9';
}

/*
 * Notes the interrupts that are handled on the CPUs (Documentation/core-api/irq/irq-affinity). The
 * kernel leaves them there when it gives the CPUs to a guest.
 */
static void
note_interrupts(struct doctor *doctor, const struct cpumask *cpus)
{
	struct dirent **entries;
	int count = scandirat(doctor->root, "proc/irq", &entries, is_number, versionsort);
	char list[128], named[NAMED_MAX * 16] = "";
	size_t found = 0, used = 0;
	for (int i = 0; i < count; i++) {
		char path[64];
		struct cpumask handled;
		struct err ignored;
		snprintf(path, sizeof(path), "proc/irq/%.16s/effective_affinity_list",
			entries[i]->d_name);
		if (cgroup_read_list(doctor->root, path, &handled, &ignored) == 0) {
			cpumask_and(&handled, cpus);
			if (!cpumask_empty(&handled) && found++ < NAMED_MAX)
				used += (size_t)snprintf(named + used, sizeof(named) - used,
					"%s%.12s", used > 0 ? ", " : "", entries[i]->d_name);
		}
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
	if (found == 0)
		return;
	doctor_say(doctor, DOCTOR_NOTE,
		"%zu interrupt%s handled on CPUs %s, which guests have to "
		"themselves: %s%s",
		found, found == 1 ? " is" : "s are", cpumask_format(cpus, list, sizeof(list)),
		named, found > NAMED_MAX ? ", ..." : "");
	doctor_advise(doctor,
		"write other CPUs to /proc/irq/N/smp_affinity_list; the kernel refuses "
		"that for interrupts that it manages itself, one for each CPU");
}

void
check_exclusive(struct doctor *doctor)
{
	const struct value *rule = find_rule(&doctor->host.rules);
	const struct cpumask *isolated;
	struct cpumask own;
	struct err e;
	char list[128];
	if (rule == NULL)
		return;
	if (!exclusive_is_possible(doctor->root, &e)) {
		doctor_say(doctor, DOCTOR_FAIL,
			"%s:%u: exclusive needs cgroup v2 and Linux 6.7; this is %s", rule->file,
			rule->line, e.text);
		doctor_advise(doctor, "write placement = one-to-one");
		return;
	}
	if (topology_get(&doctor->host.topology, TOPOLOGY_ISOLATED, &isolated, &e) == 0 &&
		!cpumask_empty(isolated)) {
		doctor_say(doctor, DOCTOR_FAIL,
			"%s:%u: exclusive would undo isolcpus=%s, with which this host is booted",
			rule->file, rule->line, cpumask_format(isolated, list, sizeof(list)));
		doctor_advise(doctor, "take isolcpus= off the kernel's command line, or write "
				      "placement = one-to-one");
		return;
	}
	if (!exclusive_isolated(doctor->root, &own)) {
		doctor_say(doctor, DOCTOR_PASS, "the kernel can give guests CPUs to themselves");
		return;
	}
	doctor_say(doctor, DOCTOR_PASS, "guests have CPUs %s to themselves",
		cpumask_format(&own, list, sizeof(list)));
	note_interrupts(doctor, &own);
}
