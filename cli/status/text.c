/* SPDX-License-Identifier: MIT */
/* Prints the status of a guest for people. */
#include "cli/status/text.h"

#include "cli/command.h"

#include <libsmartcols.h>

#include <stdio.h>
#include <string.h>

/* Bytes of a cell of the table: a longer CPU list is cut. JSON has it whole. */
#define CELL_MAX 256

#define DRIFT_COLOR "\33[1;31m"

enum column {
	COLUMN_MARK,
	COLUMN_GROUP,
	COLUMN_CPUS,
	COLUMN_CGROUP,
	COLUMN_EFFECTIVE,
	COLUMN_THREADS,
	COLUMN_LAST,
	COLUMN_NODES,
	COLUMN_LIBVIRT,
	COLUMN_RULE,
	COLUMNS
};

/* On a narrow terminal, the cells with SCOLS_FL_WRAP continue in the next line. */
static const struct {
	const char *name;
	int flags;
} columns[COLUMNS] = {
	[COLUMN_MARK] = {"", 0},
	[COLUMN_GROUP] = {"GROUP", 0},
	[COLUMN_CPUS] = {"CPUS", SCOLS_FL_WRAP},
	[COLUMN_CGROUP] = {"CGROUP", SCOLS_FL_WRAP},
	[COLUMN_EFFECTIVE] = {"EFFECTIVE", SCOLS_FL_WRAP},
	[COLUMN_THREADS] = {"THREADS", SCOLS_FL_WRAP},
	[COLUMN_LAST] = {"LAST", SCOLS_FL_WRAP},
	[COLUMN_NODES] = {"NODES", SCOLS_FL_WRAP},
	[COLUMN_LIBVIRT] = {"LIBVIRT", SCOLS_FL_WRAP},
	[COLUMN_RULE] = {"RULE", SCOLS_FL_WRAP},
};

struct table {
	struct libscols_table *table;
	const struct status *status;
	bool record; /* the column LIBVIRT is shown */
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

static void
last_text(const struct group_state *actual, char *out, size_t size)
{
	struct cpumask cpus = {0};
	for (size_t i = 0; i < actual->thread_count; i++)
		if (actual->threads[i].last < CPUMASK_CPUS)
			cpumask_set_range(&cpus, actual->threads[i].last, actual->threads[i].last);
	cpumask_format(&cpus, out, size);
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
	case COLUMN_MARK:
		snprintf(out, size, "%s", group->kind != DRIFT_NONE ? "!" : "");
		break;
	case COLUMN_GROUP:
		thread_group_name(step->group, out);
		break;
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
	case COLUMN_LAST:
		last_text(&group->actual, out, size);
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

/* Adds the line of a group; libsmartcols makes cells safe for a terminal. */
static int
add_line(const struct table *table, const struct drift_group *group, bool color)
{
	struct libscols_line *line = scols_table_new_line(table->table, NULL);
	if (line == NULL)
		return -1;
	if (color && group->kind != DRIFT_NONE && scols_line_set_color(line, DRIFT_COLOR) != 0)
		return -1;
	for (size_t i = 0, at = 0; i < COLUMNS; i++) {
		char text[CELL_MAX];
		if (i == COLUMN_LIBVIRT && !table->record)
			continue;
		cell_text(table->status, group, (enum column)i, text, sizeof(text));
		if (scols_line_set_data(line, at++, text) != 0)
			return -1;
	}
	return 0;
}

static int
fill_status_table(const struct table *table)
{
	bool color = wants_color();
	scols_table_enable_colors(table->table, color);
	for (size_t i = 0; i < COLUMNS; i++)
		if ((i != COLUMN_LIBVIRT || table->record) &&
			scols_table_new_column(
				table->table, columns[i].name, 0, columns[i].flags) == NULL)
			return -1;
	for (size_t i = 0; i < table->status->drift.count; i++)
		if (add_line(table, &table->status->drift.groups[i], color) != 0)
			return -1;
	return scols_print_table(table->table);
}

static int
print_status_table(const struct status *status)
{
	struct table table = {.table = scols_new_table(), .status = status};
	if (table.table == NULL)
		return -1;
	for (size_t i = 0; i < status->drift.count && !table.record; i++)
		table.record = status_record(status, &status->drift.groups[i]) != NULL;
	int r = fill_status_table(&table);
	scols_unref_table(table.table);
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

int
status_print_text(const struct status *status)
{
	print_state(status);
	int r = 0;
	if (status->drift.count > 0 && (r = print_status_table(status)) != 0)
		return r;
	for (size_t i = 0; i < status->pin.messages.count; i++)
		if (status->pin.messages.items[i].level > MESSAGE_INFO)
			print_line("%s: %s",
				message_level_name(status->pin.messages.items[i].level),
				status->pin.messages.items[i].text);
	print_drift(status);
	if (status->drift.drifted > 0)
		print_remedy(status);
	return 0;
}
