/* SPDX-License-Identifier: MIT */
/* The host: its kernel, the cpuset controller, the running guests, and the rules. */
#include "cli/doctor/checks.h"

#include "base/file.h"
#include "base/number.h"
#include "cgroup/cgroup.h"
#include "cgroup/exclusive.h"
#include "cgroup/files.h"
#include "cgroup/hierarchy.h"
#include "cgroup/qemu_process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Of a file full of errors; "check" shows all. */
#define ERRORS_SHOWN 10

#define REMEDY_MAX (2 * PATH_MAX + 384)

/* Most partitions that doctor notes. */
#define PARTITIONS_SHOWN 16

/* The first kernel that keeps the mask of sched_setaffinity(2) beside the cpuset's (FACTS 4). */
#define STICKY_MAJOR 6
#define STICKY_MINOR 2

/* True if word is among the words, separated by spaces. */
static bool
has_word(char *words, const char *word)
{
	for (char *one; (one = strsep(&words, " \n")) != NULL;)
		if (strcmp(one, word) == 0)
			return true;
	return false;
}

/* Checks that the kernel has the cpuset controller. Returns true if so. */
static bool
check_controller(struct doctor *doctor)
{
	struct cgroup_location location;
	struct err e;
	char path[PATH_MAX + 32], controllers[1024];
	if (hierarchy_find_mount(doctor->root, &location, &e) != 0) {
		doctor_say(doctor, DOCTOR_FAIL, "%s", e.text);
		doctor_advise(doctor, "mount cgroup2 at /sys/fs/cgroup, as systemd does");
		return false;
	}
	const struct cgroup_files *files = cgroup_files(location.v2);
	if (files->controllers != NULL)
		snprintf(path, sizeof(path), "%s/%s", location.mount, files->controllers);
	if (files->controllers != NULL &&
		(file_read_value(doctor->root, path + 1, controllers, sizeof(controllers)) != 0 ||
			!has_word(controllers, "cpuset"))) {
		doctor_say(doctor, DOCTOR_FAIL,
			"the kernel has no cpuset controller: it is not in %s", path);
		doctor_advise(doctor,
			"take 'cgroup_disable=cpuset' off the kernel's command line, or "
			"take a kernel with CONFIG_CPUSETS; in a container, have the "
			"controller delegated to it");
		return false;
	}
	doctor_say(doctor, DOCTOR_PASS, "the kernel has the cpuset controller, cgroup %s at %s",
		files->version, location.mount);
	return true;
}

/* Checks that a guest has its groups, each with a cpuset; counts it if it is running. */
static void
check_cpuset_of(struct doctor *doctor, const char *name, size_t *running)
{
	struct cgroup cgroup;
	struct err e;
	enum cgroup_result r = cgroup_open(doctor->root, name, &cgroup, &e);
	if (r == CGROUP_NOT_RUNNING)
		return;
	++*running;
	if (r == CGROUP_OK) {
		cgroup_free(&cgroup);
		return;
	}
	doctor_say(doctor, DOCTOR_FAIL, "guest '%s' cannot be pinned: %s", name, e.text);
	doctor_advise(doctor, "%s", CGROUP_NO_GROUPS_REMEDY);
}

static void
check_all_cpusets(struct doctor *doctor)
{
	struct running_guests guests;
	struct err e;
	size_t running = 0, count = doctor->count;
	if (running_guests(doctor->root, &guests, &e) != 0)
		return;
	for (size_t i = 0; i < guests.count; i++)
		check_cpuset_of(doctor, guests.names[i], &running);
	running_guests_free(&guests);
	if (running > 0 && doctor->count == count)
		doctor_say(
			doctor, DOCTOR_PASS, "running guests: %zu, each with its cpusets", running);
}

void
check_cpuset(struct doctor *doctor)
{
	if (check_controller(doctor))
		check_all_cpusets(doctor);
}

void
check_the_rules(struct doctor *doctor)
{
	struct messages messages = {0};
	const struct rules *rules = &doctor->host.rules;
	if (pin_host_load(&doctor->host, doctor->root, NULL, 0, &messages) != 0) {
		for (size_t i = 0; i < messages.count && i < ERRORS_SHOWN; i++) {
			doctor_say(doctor, DOCTOR_FAIL, "%s", messages.items[i].text);
			doctor_advise(
				doctor, "correct it; while there is an error, no rule is applied");
		}
		if (messages.count + messages.dropped > ERRORS_SHOWN) {
			doctor_say(doctor, DOCTOR_FAIL, "and %zu more errors in the rules",
				messages.count + messages.dropped - ERRORS_SHOWN);
			doctor_advise(doctor, "vmaffinity check");
		}
		pin_host_free(&doctor->host);
	} else if (rules->rule_count == 0) {
		doctor_say(doctor, DOCTOR_NOTE,
			rules->file_count == 0
				? "there is no " RULES_MAIN_FILE ", and no file in " RULES_DIRECTORY
				: "there is no rule in " RULES_MAIN_FILE " and " RULES_DIRECTORY);
		doctor_advise(
			doctor, "write one, if guests are to be pinned: man 5 vmaffinity.ini");
	} else {
		doctor_say(doctor, DOCTOR_PASS, "%zu rule%s in %zu file%s, without an error",
			rules->rule_count, rules->rule_count == 1 ? "" : "s", rules->file_count,
			rules->file_count == 1 ? "" : "s");
	}
	messages_free(&messages);
}

/* The CPUs that guests can have. */
struct limit {
	const struct cpumask *present, *online;
	struct partition partition; /* its name may be "this host" */
};

/* Adds a WARN that a setting wants CPUs that it cannot have, and what to do about it. */
__attribute__((format(printf, 5, 6))) static void
warn_of_setting(struct doctor *doctor, const struct setting *setting, const struct cpumask *wanted,
	const char *remedy, const char *format, ...)
{
	char key[SETTING_KEY_MAX], want[128], *reason = NULL;
	va_list args;
	va_start(args, format);
	if (vasprintf(&reason, format, args) < 0)
		reason = NULL;
	va_end(args);
	doctor_say(doctor, DOCTOR_WARN, "%s:%u: %s wants %s, but %s", setting->value.file,
		setting->value.line, setting_key(setting, key),
		cpumask_format(wanted, want, sizeof(want)), reason != NULL ? reason : "");
	doctor_advise(doctor, "%s", remedy);
	free(reason);
}

/* Writes what to do about a cgroup that allows too few CPUs. Returns out. */
static const char *
remedy_for_limit(const struct limit *limit, char out[REMEDY_MAX])
{
	char list[128];
	if (limit->partition.v2)
		return "change the rule, or widen the cgroup (for a slice, with AllowedCPUs=)";
	snprintf(out, REMEDY_MAX,
		"change the rule, or give the cgroup its CPUs back, which cgroup v1 does not after "
		"they were offline: echo %s >%s/cpuset.cpus; then vmaffinity apply",
		cpumask_format(limit->online, list, sizeof(list)), limit->partition.path);
	return out;
}

/*
 * Checks a setting's CPUs against those that the host has, those that are online, and the limit.
 * Returns true if any is missing.
 */
static bool
check_rule_setting(struct doctor *doctor, const struct setting *setting, const struct limit *limit)
{
	struct cpumask wanted, missing, offline, refused;
	char list[128], remedy[REMEDY_MAX];
	struct err e;
	if (setting_is_keep(setting))
		return false;
	if (cpuset_expr_eval(&doctor->host.expr, &setting->value, &wanted, &e) != 0) {
		doctor_say(doctor, DOCTOR_WARN, "%s", e.text);
		doctor_advise(doctor, "change the rule; it pins no guest on this host");
		return true;
	}
	missing = offline = refused = wanted;
	cpumask_andnot(&missing, limit->present);
	cpumask_and(&offline, limit->present);
	cpumask_andnot(&offline, limit->online);
	cpumask_and(&refused, limit->online);
	cpumask_andnot(&refused, &limit->partition.granted);
	if (!cpumask_empty(&missing))
		warn_of_setting(doctor, setting, &wanted, "change the rule",
			"this host has only CPUs %s",
			cpumask_format(limit->present, list, sizeof(list)));
	if (!cpumask_empty(&offline))
		warn_of_setting(doctor, setting, &wanted,
			"change the rule, or write 1 to /sys/devices/system/cpu/cpuN/online",
			"%s %s offline", cpumask_format(&offline, list, sizeof(list)),
			cpumask_count(&offline) > 1 ? "are" : "is");
	if (!cpumask_empty(&refused))
		warn_of_setting(doctor, setting, &wanted, remedy_for_limit(limit, remedy),
			"%s allows only %s", limit->partition.name,
			cpumask_format(&limit->partition.granted, list, sizeof(list)));
	return !cpumask_subset(&wanted, limit->online) || !cpumask_empty(&refused);
}

/* Finds the limit: libvirt's partition for guests or, before the first guest, the whole host.
 * Returns 0, or -1 with the reason. */
static int
find_limit(struct doctor *doctor, struct limit *limit, struct err *e)
{
	struct topology *topology = &doctor->host.topology;
	if (topology_get(topology, TOPOLOGY_PRESENT, &limit->present, e) != 0 ||
		topology_get(topology, TOPOLOGY_ONLINE, &limit->online, e) != 0)
		return -1;
	enum cgroup_result r = partition_find(doctor->root, NULL, &limit->partition, e);
	struct cpumask isolated; /* the guests that have them to themselves will end */
	exclusive_isolated(doctor->root, &isolated);
	cpumask_or(&limit->partition.granted, &isolated);
	if (r != CGROUP_NO_PARTITION)
		return r == CGROUP_OK ? 0 : -1;
	limit->partition = (struct partition){.name = "this host", .granted = *limit->online};
	return 0;
}

/* Notes the partitions of their own that guests may be in. */
static void
note_narrower(struct doctor *doctor)
{
	struct partition found[PARTITIONS_SHOWN];
	size_t count = partition_find_narrower(doctor->root, found, PARTITIONS_SHOWN);
	for (size_t i = 0; i < count; i++) {
		char list[128];
		doctor_say(doctor, DOCTOR_NOTE, "%s allows only %s to the guests in it",
			found[i].name, cpumask_format(&found[i].granted, list, sizeof(list)));
		doctor_advise(doctor, "vmaffinity check names the rules that it limits");
	}
}

void
check_partition(struct doctor *doctor)
{
	const struct rules *rules = &doctor->host.rules;
	struct limit limit;
	struct err e;
	bool bad = false;
	if (rules->rule_count == 0)
		return;
	if (find_limit(doctor, &limit, &e) != 0) {
		doctor_say(doctor, DOCTOR_WARN, "%s", e.text);
		doctor_advise(doctor, "without it the rules' CPUs cannot be checked");
		return;
	}
	for (size_t i = 0; i < rules->rule_count; i++)
		for (size_t j = 0; j < rules->rules[i].setting_count; j++)
			bad |= check_rule_setting(doctor, &rules->rules[i].settings[j], &limit);
	note_narrower(doctor);
	if (!bad)
		doctor_say(doctor, DOCTOR_PASS, "%s allows every CPU that the rules name",
			limit.partition.name);
}

static bool
parse_release(const char *text, unsigned *major, unsigned *minor)
{
	if (number_parse(&text, INT_MAX, major) != 0 || *text != '.')
		return false;
	text++;
	return number_parse(&text, INT_MAX, minor) == 0;
}

void
check_kernel(struct doctor *doctor)
{
	char release[128];
	unsigned major, minor;
	if (file_read_value(doctor->root, "proc/sys/kernel/osrelease", release, sizeof(release)) !=
			0 ||
		!parse_release(release, &major, &minor))
		return;
	bool rhel9 = major == 5 && minor == 14 && strstr(release, ".el9") != NULL;
	if (!rhel9 && (major < STICKY_MAJOR || (major == STICKY_MAJOR && minor < STICKY_MINOR)))
		return;
	doctor_say(doctor, DOCTOR_NOTE,
		"kernel %s keeps each thread's own affinity beside its cpuset: writing cpuset.cpus "
		"by hand is not enough (vmaffinity sets both)",
		release);
}
