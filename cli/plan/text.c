/* SPDX-License-Identifier: MIT */
/* Prints a plan for people. */
#include "cli/plan/text.h"

#include "cli/command.h"
#include "cli/group_table.h"

#include "base/cleanup.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of a cell of the table: a longer CPU list is cut. JSON has it whole. */
#define CELL_MAX 256

enum { COLUMN_CPUS, COLUMN_NOW, COLUMN_RULE, COLUMNS };

/* Formats "FILE:LINE KEY = VALUE", with a continued value on one line. Returns out. */
static char *
rule_text(const char *key, const struct value *value, char *out, size_t size)
{
	int n = snprintf(out, size, "%s:%u  %s = ", value->file, value->line, key);
	size_t used = n < 0 || (size_t)n >= size ? size - 1 : (size_t)n;
	for (const char *t = value->text; *t != '\0' && used + 1 < size; t++)
		if (!isspace((unsigned char)*t) || !isspace((unsigned char)out[used - 1]))
			out[used++] = isspace((unsigned char)*t) ? ' ' : *t;
	out[used] = '\0';
	return out;
}

/* Adds a row with copies of these texts; now is NULL for a guest that does not run. */
static int
add_row(struct group_table *table, struct group_row *row, const char *cpus, const char *now,
	const char *rule)
{
	size_t at = 0;
	bool complete = (row->cells[at++] = strdup(cpus)) != NULL;
	if (table->column_count == COLUMNS)
		complete &= (row->cells[at++] = strdup(now)) != NULL;
	complete &= (row->cells[at] = strdup(rule)) != NULL;
	return group_table_add(table, row) == 0 && complete ? 0 : -1;
}

static int
add_step(struct group_table *table, const struct plan_step *step)
{
	char key[SETTING_KEY_MAX], cpus[CELL_MAX], now[CELL_MAX] = "", rule[2 * CELL_MAX];
	const struct setting *s = step->setting;
	struct group_row row = {.group = step->group,
		.mark = step->write || step->release || step->isolate ? "*" : ""};
	if (step->cpus == NULL)
		snprintf(cpus, sizeof(cpus), "%s", s != NULL ? "keep" : "-");
	else if (cpumask_empty(step->cpus))
		snprintf(cpus, sizeof(cpus), "none");
	else
		cpumask_format(step->cpus, cpus, sizeof(cpus));
	if (step->now != NULL)
		cpumask_format(step->now, now, sizeof(now));
	return add_row(table, &row, cpus, now,
		s != NULL ? rule_text(setting_key(s, key), &s->value, rule, sizeof(rule))
			  : "no rule");
}

/* Formats "node 0", "nodes 0-1" or, without nodes, "". Returns out. */
static char *
nodes_text(const struct cpumask *nodes, char *out, size_t size)
{
	char list[CELL_MAX];
	cpumask_format(nodes, list, sizeof(list));
	snprintf(out, size, "%s%s", cpumask_count(nodes) == 1 ? "node " : "nodes ", list);
	if (list[0] == '\0')
		out[0] = '\0';
	return out;
}

/* Formats the nodes that all groups have now, or "mixed". Returns out. */
static char *
nodes_now_text(const struct plan *plan, char *out, size_t size)
{
	const struct plan_step *first = plan->steps;
	for (size_t i = 1; i < plan->step_count; i++)
		if (!cpumask_equal(first->nodes_now, plan->steps[i].nodes_now)) {
			snprintf(out, size, "mixed");
			return out;
		}
	return nodes_text(first->nodes_now, out, size);
}

static int
add_memory(struct group_table *table, const struct pin *pin)
{
	const struct plan *plan = &pin->plan;
	const struct value *value = pin->desired.memory.value;
	char nodes[CELL_MAX + 8], now[CELL_MAX + 8] = "", rule[2 * CELL_MAX];
	struct group_row row = {.label = "memory", .mark = ""};
	for (size_t i = 0; i < plan->step_count; i++)
		if (plan->steps[i].write_nodes)
			row.mark = "*";
	if (pin->running && plan->step_count > 0)
		nodes_now_text(plan, now, sizeof(now));
	return add_row(table, &row,
		plan->nodes != NULL ? nodes_text(plan->nodes, nodes, sizeof(nodes)) : "keep", now,
		rule_text("memory", value, rule, sizeof(rule)));
}

static int
print_plan_table(const struct pin *pin, bool wide)
{
	static const struct group_column running[COLUMNS] = {[COLUMN_CPUS] = {"CPUS", ','},
		[COLUMN_NOW] = {"NOW", ','},
		[COLUMN_RULE] = {"RULE", ' '}};
	static const struct group_column planned[COLUMNS - 1] = {{"CPUS", ','}, {"RULE", ' '}};
	struct group_table table = {.columns = pin->running ? running : planned,
		.column_count = pin->running ? COLUMNS : COLUMNS - 1,
		.marks = pin->running,
		.wide = wide};
	int r = 0;
	for (size_t i = 0; i < pin->plan.step_count && r == 0; i++)
		r = add_step(&table, &pin->plan.steps[i]);
	if (r == 0 && pin->desired.memory.value != NULL)
		r = add_memory(&table, pin);
	if (r == 0)
		r = group_table_print(&table);
	group_table_free(&table);
	return r;
}

/* Prints the CPUs that the guest is to have to itself, and what they leave to other guests. */
static void
print_exclusive(const struct pin *pin)
{
	char list[CELL_MAX], left[CELL_MAX], run[THREAD_GROUP_RUN_MAX];
	const struct plan *plan = &pin->plan;
	struct cpumask own = {0};
	for (size_t i = 0; i < plan->step_count; i++)
		if (plan->steps[i].exclusive != NULL)
			cpumask_or(&own, plan->steps[i].exclusive);
	if (cpumask_empty(&own))
		return;
	print_line("  own   %s, and nobody else's", cpumask_format(&own, list, sizeof(list)));
	const struct cpumask held = claims_held(&pin->claims);
	for (size_t i = 0; i < pin->claims.need_count; i++) {
		const struct claim_need *need = &pin->claims.needs[i];
		struct cpumask had = need->cpus;
		cpumask_andnot(&had, &held);
		struct cpumask rest = had;
		cpumask_andnot(&rest, &own);
		if (!cpumask_equal(&had, &rest))
			print_line("  left  %s %s: %s of %s", need->guest,
				thread_group_run_name(need->group, need->last, run),
				cpumask_format(&rest, left, sizeof(left)),
				cpumask_format(&had, list, sizeof(list)));
	}
}

size_t
plan_changes(const struct pin *pin)
{
	size_t count = 0;
	for (size_t i = 0; i < pin->plan.step_count; i++)
		count += plan_step_changes(&pin->plan.steps[i]);
	return count;
}

int
plan_print_text(const struct pin *pin, bool wide)
{
	size_t changes = plan_changes(pin);
	if (pin->matched.count == 0) {
		print_line("%s: no rule matches", pin->name);
		return 0;
	}
	if (changes > 0)
		print_line("%s: %zu of %zu groups would change", pin->name, changes,
			pin->plan.step_count);
	else
		print_line("%s", pin->name);
	for (size_t i = 0; i < pin->matched.count; i++)
		print_line("  rule  %s:%u [%s]", pin->matched.rules[i]->file,
			pin->matched.rules[i]->line, pin->matched.rules[i]->section);
	if (pin->running)
		print_line("  in    %s", pin->cgroup.path);
	print_exclusive(pin);
	int r = print_plan_table(pin, wide);
	print_messages(stdout, &pin->messages);
	return r;
}

const char *
plan_brief_state(const struct pin *pin)
{
	if (pin->matched.count == 0)
		return "no rule";
	for (size_t i = 0; i < pin->messages.count; i++)
		if (pin->messages.items[i].level > MESSAGE_INFO)
			return NULL;
	return !pin->running || plan_changes(pin) > 0 ? NULL : "no change";
}

int
plan_print_brief(const struct pin *pin, const struct brief_layout *layout)
{
	AUTO_FREE char *text = brief_text(pin);
	if (text == NULL)
		return -1;
	brief_print(layout, pin->name, plan_brief_state(pin), text);
	return 0;
}
