/* SPDX-License-Identifier: MIT */
/* Prints the status of a guest for people. */
#include "cli/status/text.h"

#include "cli/brief.h"
#include "cli/command.h"
#include "cli/group_table.h"

#include "base/cleanup.h"

#include <stdio.h>
#include <string.h>

/* Bytes of a cell of the table: a longer CPU list is cut. JSON has it whole. */
#define CELL_MAX 256

#define DRIFT_COLOR "\33[1;31m"

enum column {
	COLUMN_CPUS,
	COLUMN_CGROUP,
	COLUMN_EFFECTIVE,
	COLUMN_THREADS,
	COLUMN_LAST,
	COLUMN_NODES,
	COLUMN_LIBVIRT, /* left out if libvirt's record disagrees nowhere */
	COLUMN_RULE,
	COLUMNS
};

static const struct group_column columns[COLUMNS] = {
	[COLUMN_CPUS] = {"CPUS", ','},
	[COLUMN_CGROUP] = {"CGROUP", ','},
	[COLUMN_EFFECTIVE] = {"EFFECTIVE", ','},
	[COLUMN_THREADS] = {"THREADS", ','},
	[COLUMN_LAST] = {"LAST", ','},
	[COLUMN_NODES] = {"NODES", ','},
	[COLUMN_LIBVIRT] = {"LIBVIRT", ','},
	[COLUMN_RULE] = {"RULE", '/'},
};

/* Formats the affinity that all threads of a group have, or how many threads differ from the rule.
 */
static void
affinity_text(const struct drift_group *group, char *out, size_t size)
{
	const struct group_state *actual = &group->actual;
	const struct cpumask *want = group->step->cpus;
	size_t unlike = 0, differ = 0;
	for (size_t i = 0; i < actual->thread_count; i++) {
		const struct cpumask *cpus = &actual->threads[i].cpus;
		unlike += !cpumask_equal(cpus, &actual->threads[0].cpus);
		differ += want != NULL && !cpumask_equal(cpus, want);
	}
	if (actual->thread_count == 0)
		snprintf(out, size, "none");
	else if (unlike == 0)
		cpumask_format(&actual->threads[0].cpus, out, size);
	else if (want == NULL)
		snprintf(out, size, "mixed");
	else
		snprintf(out, size, "%zu of %zu differ", differ, actual->thread_count);
}

/* Returns the CPUs that a group's threads ran on last. */
static struct cpumask
last_cpus(const struct group_state *actual)
{
	struct cpumask cpus = {0};
	for (size_t i = 0; i < actual->thread_count; i++)
		if (actual->threads[i].last < CPUMASK_CPUS)
			cpumask_set_range(&cpus, actual->threads[i].last, actual->threads[i].last);
	return cpus;
}

static void
cell_text(const struct status *status, const struct drift_group *group, enum column column,
	char *out, size_t size)
{
	const struct plan_step *step = group->step;
	const struct setting *s = step->setting;
	const struct cpumask *record;
	out[0] = '\0';
	switch (column) {
	case COLUMN_CPUS:
		if (step->cpus != NULL)
			cpumask_format(step->cpus, out, size);
		else
			snprintf(out, size, "%s", s != NULL ? "keep" : "-");
		break;
	case COLUMN_CGROUP:
		cpumask_format(&group->actual.cpus, out, size);
		break;
	case COLUMN_EFFECTIVE:
		cpumask_format(&group->actual.granted, out, size);
		break;
	case COLUMN_THREADS:
		affinity_text(group, out, size);
		break;
	case COLUMN_LAST: /* of all groups of the row */
		break;
	case COLUMN_NODES:
		cpumask_format(&group->actual.nodes, out, size);
		break;
	case COLUMN_LIBVIRT:
		if ((record = status_record(status, group)) != NULL)
			cpumask_format(record, out, size);
		break;
	case COLUMN_RULE:
		if (s != NULL)
			snprintf(out, size, "%s:%u", s->value.file, s->value.line);
		else
			snprintf(out, size, "no rule");
		break;
	case COLUMNS:
		break;
	}
}

static int
add_group(struct group_table *table, const struct status *status, const struct drift_group *group)
{
	struct group_row row = {.group = group->step->group,
		.mark = group->kind != DRIFT_NONE ? "!" : "",
		.united = last_cpus(&group->actual)};
	bool complete = true;
	for (size_t i = 0, at = 0; i < COLUMNS; i++) {
		char text[CELL_MAX];
		if (i == COLUMN_LIBVIRT && table->column_count < COLUMNS)
			continue;
		cell_text(status, group, (enum column)i, text, sizeof(text));
		complete &= (row.cells[at++] = strdup(text)) != NULL;
	}
	return group_table_add(table, &row) == 0 && complete ? 0 : -1;
}

static int
print_status_table(const struct status *status, bool wide)
{
	struct group_column shown[COLUMNS];
	bool record = false;
	for (size_t i = 0; i < status->drift.count && !record; i++)
		record = status_record(status, &status->drift.groups[i]) != NULL;
	struct group_table table = {.columns = shown,
		.united = COLUMN_LAST,
		.marks = true,
		.wide = wide,
		.color = DRIFT_COLOR};
	for (size_t i = 0; i < COLUMNS; i++)
		if (i != COLUMN_LIBVIRT || record)
			shown[table.column_count++] = columns[i];
	int r = 0;
	for (size_t i = 0; i < status->drift.count && r == 0; i++)
		r = add_group(&table, status, &status->drift.groups[i]);
	if (r == 0)
		r = group_table_print(&table);
	group_table_free(&table);
	return r;
}

static void
print_drift(const struct status *status)
{
	const struct drift *drift = &status->drift;
	const struct drift_group *end = drift->groups + drift->count, *next;
	char text[DRIFT_TEXT_MAX];
	for (const struct drift_group *group = drift->groups; group < end; group = next) {
		next = drift_end_of_run(drift, group);
		if (group->kind != DRIFT_NONE)
			print_line("drift: %s", drift_text(group, next, text));
	}
}

static void
print_state(const struct status *status)
{
	const char *name = status->pin.name;
	const struct drift *drift = &status->drift;
	switch (status->state) {
	case STATE_AS_RULED:
		print_line("%s: as ruled", name);
		break;
	case STATE_NO_RULE:
		print_line("%s: no rule matches", name);
		break;
	case STATE_NOT_RUNNING:
		print_line("%s: not running", name);
		break;
	case STATE_ELSEWHERE:
		print_line("%s: " GUESTS_ELSEWHERE, name, status->uri);
		break;
	case STATE_DRIFT:
	case STATES:
		if (status->pin.matched.count == 0)
			print_line("%s: no rule matches, but %zu of %zu groups are confined", name,
				drift->drifted, drift->count);
		else if (drift->drifted > 0)
			print_line("%s: %zu of %zu groups not as ruled", name, drift->drifted,
				drift->count);
		else
			print_line("%s: not as ruled", name);
		break;
	}
}

/* Prints the remedy. A command is printed only if a shell takes the name unquoted. */
static void
print_remedy(const struct status *status)
{
	const char *name = status->pin.name;
	const char *command = status->pin.matched.count > 0 ? "apply" : "release";
	bool plain = name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				       "0123456789._+:@-")] == '\0' &&
		     name[0] != '-';
	if (pin_obstacle(&status->pin) != NULL)
		return;
	if (plain)
		print_line("put it right with: vmaffinity %s %s", command, name);
	else
		print_line("put it right with 'vmaffinity %s' and the guest's name", command);
}

/* Prints the warnings; and, held, the CPUs that other guests have to themselves. */
static void
print_warnings(const struct status *status, const char *indent, bool held)
{
	const struct messages *messages = &status->pin.messages;
	for (size_t i = 0; i < messages->count; i++)
		if (messages->items[i].level > MESSAGE_INFO ||
			(held && strcmp(messages->items[i].code, "cpu-held") == 0))
			print_line("%s%s: %s", indent, message_level_name(messages->items[i].level),
				messages->items[i].text);
}

int
status_print_text(const struct status *status, bool wide)
{
	print_state(status);
	int r = 0;
	if (status->drift.count > 0 && (r = print_status_table(status, wide)) != 0)
		return r;
	print_warnings(status, "", true);
	print_drift(status);
	if (status->drift.drifted > 0)
		print_remedy(status);
	return 0;
}

const char *
status_brief_state(const struct status *status)
{
	static const char *const states[STATES] = {[STATE_AS_RULED] = "as ruled",
		[STATE_NO_RULE] = "no rule",
		[STATE_NOT_RUNNING] = "not running"};
	return states[status->state];
}

int
status_print_brief(const struct status *status, const struct brief_layout *layout)
{
	AUTO_FREE char *text = brief_text(&status->pin);
	if (text == NULL)
		return -1;
	brief_print(layout, status->pin.name, status_brief_state(status),
		status->state == STATE_AS_RULED ? text : "");
	print_warnings(status, "  ", false);
	return 0;
}
