/* SPDX-License-Identifier: MIT */
/* Explains which CPUs and nodes of a rule a guest cannot have, and why. */
#include "pin/dropped.h"

#include <limits.h>
#include <stdio.h>

/* The words for one kind of unit, CPUs or nodes, and where the host lists them. */
struct unit_names {
	const char *one, *several;
	enum topology_set host;	 /* those that the host has */
	enum topology_set ready; /* those that can be used */
	const char *one_is_not, *several_are_not;
	const char *absent, *not_ready, *not_allowed; /* codes of messages */
	const char *held; /* the same, where a guest can have units to itself; NULL: none can */
};

static const struct unit_names cpu_names = {
	.one = "CPU",
	.several = "CPUs",
	.host = TOPOLOGY_PRESENT,
	.ready = TOPOLOGY_ONLINE,
	.one_is_not = "is offline",
	.several_are_not = "are offline",
	.absent = "absent-cpu",
	.not_ready = "offline-cpu",
	.not_allowed = "cpu-not-allowed",
	.held = "cpu-held",
};

static const struct unit_names node_names = {
	.one = "node",
	.several = "nodes",
	.host = TOPOLOGY_NODES,
	.ready = TOPOLOGY_MEMORY_NODES,
	.one_is_not = "has no memory",
	.several_are_not = "have no memory",
	.absent = "absent-node",
	.not_ready = "node-without-memory",
	.not_allowed = "node-not-allowed",
};

/* cgroup v1 takes a CPU that goes offline from all cpusets below the root's for good. */
#define LOST_ON_V1 " (cgroup v1 gives no CPU back that was offline: see vmaffinity doctor)"

/* The facts that every message of one kind of unit needs. */
struct dropped_query {
	const struct unit_names *names;
	struct topology *topology;
	const struct cgroup *cgroup;	   /* NULL: the guest does not run */
	const char *file;		   /* of the cgroup, see cgroup_find_limit() */
	const struct partition *partition; /* its limit on CPUs, or NULL */
	const struct claims *claims;	   /* the CPUs that other guests have to themselves */
	struct messages *messages;
};

/*
 * Sets *lacking to the part of missing that is not in a set of the host. False if that is empty or
 * the set cannot be read.
 */
static bool
missing_from(const struct dropped_query *query, enum topology_set set,
	const struct cpumask *missing, const struct cpumask **host, struct cpumask *lacking)
{
	struct err ignored;
	*lacking = *missing;
	if (topology_get(query->topology, set, host, &ignored) != 0)
		return false;
	cpumask_andnot(lacking, *host);
	return !cpumask_empty(lacking);
}

/* True if other guests have all of missing to themselves, until they end. */
static bool
is_held(const struct dropped_query *query, const struct cpumask *missing)
{
	const struct cpumask held = claims_held(query->claims);
	return cpumask_subset(missing, &held);
}

/* Writes why a guest cannot have missing: "this host has only CPUs 0-7". Returns the code for it.
 */
static const char *
reason_text(
	const struct dropped_query *query, const struct cpumask *missing, char *out, size_t size)
{
	char list[128], name[NAME_MAX + 1];
	const struct unit_names *names = query->names;
	const struct cpumask *host;
	struct cpumask lacking, granted;
	struct err ignored;
	if (names->held != NULL && is_held(query, missing)) {
		claims_text(query->claims, missing, out, size);
		return names->held;
	}
	if (missing_from(query, names->host, missing, &host, &lacking)) {
		snprintf(out, size, "this host has only %s %s",
			cpumask_count(host) == 1 ? names->one : names->several,
			cpumask_format(host, list, sizeof(list)));
		return names->absent;
	}
	if (missing_from(query, names->ready, missing, &host, &lacking)) {
		bool one = cpumask_count(&lacking) == 1;
		snprintf(out, size, "%s %s %s", one ? names->one : names->several,
			cpumask_format(&lacking, list, sizeof(list)),
			one ? names->one_is_not : names->several_are_not);
		return names->not_ready;
	}
	if (query->cgroup != NULL && cgroup_find_limit(query->cgroup, query->file, missing, name,
					     sizeof(name), &granted, &ignored) == 0) {
		snprintf(out, size, "%s allows only %s%s", name,
			cpumask_format(&granted, list, sizeof(list)),
			query->names == &cpu_names && !query->cgroup->v2 ? LOST_ON_V1 : "");
	} else if (query->partition != NULL) {
		snprintf(out, size, "%s allows only %s%s", query->partition->name,
			cpumask_format(&query->partition->granted, list, sizeof(list)),
			query->partition->v2 ? "" : LOST_ON_V1);
	} else {
		snprintf(out, size, "the kernel does not grant them");
	}
	return names->not_allowed;
}

/* Reports what of all is not in usable. wanted: the beginning, such as "vcpus wants". */
static void
report_dropped(const struct dropped_query *query, const struct value *value, const char *wanted,
	const struct cpumask *all, const struct cpumask *usable)
{
	char want[128], lost[128], why[512];
	struct cpumask missing = *all;
	cpumask_andnot(&missing, usable);
	if (cpumask_empty(&missing))
		return;
	bool none = cpumask_empty(usable);
	const char *code = reason_text(query, &missing, why, sizeof(why));
	cpumask_format(&missing, lost, sizeof(lost));
	enum message_level level = none ? MESSAGE_ERROR : MESSAGE_WARNING;
	/* They come back without anybody's doing. */
	if (!none && code == query->names->held)
		level = MESSAGE_INFO;
	messages_add(query->messages, level, code, "%s:%u: %s %s, but %s; %s%s%s", value->file,
		value->line, wanted, cpumask_format(all, want, sizeof(want)), why,
		none ? "no " : "left out: ", none ? query->names->one : lost,
		none ? " is left" : "");
}

void
dropped_note(const struct desired *desired, struct topology *topology, const struct cgroup *cgroup,
	const struct partition *partition, const struct claims *claims, struct messages *messages)
{
	struct dropped_query query = {.names = &cpu_names,
		.claims = claims,
		.topology = topology,
		.cgroup = cgroup,
		.partition = partition,
		.messages = messages};
	if (cgroup != NULL)
		query.file = cgroup_effective_file(cgroup);
	for (size_t i = 0; i < desired->mask_count; i++) {
		const struct desired_mask *mask = &desired->masks[i];
		char key[SETTING_KEY_MAX], wanted[SETTING_KEY_MAX + 8];
		snprintf(wanted, sizeof(wanted), "%s wants", setting_key(mask->setting, key));
		report_dropped(
			&query, &mask->setting->value, wanted, &mask->requested, &mask->cpus);
	}
	if (!desired->memory.wanted)
		return;
	query.names = &node_names;
	query.partition = NULL;
	if (cgroup != NULL)
		query.file = cgroup_effective_nodes_file(cgroup);
	report_dropped(&query, desired->memory.value,
		cpumask_count(&desired->memory.requested) == 1 ? "memory wants node"
							       : "memory wants nodes",
		&desired->memory.requested, &desired->memory.nodes);
}
