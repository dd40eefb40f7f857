/* SPDX-License-Identifier: MIT */
/* vmaffinity plan: shows what the hook would write for a guest. */
#include "cli/capture/snapshot_read.h"
#include "cli/command.h"
#include "cli/guests.h"
#include "cli/json.h"
#include "cli/with_rules.h"

#include "base/err.h"
#include "pin/pin.h"

#include <json-c/json.h>
#include <libsmartcols.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of a cell of the table: a longer CPU list is cut. JSON has it whole. */
#define CELL_MAX 256

static json_object *
json_step(const struct pin *pin, const struct plan_step *step)
{
	char name[THREAD_GROUP_NAME_MAX], path[PATH_MAX];
	const struct setting *setting = step->setting;
	json_object *object = json_object_new_object();
	json_object_object_add(
		object, "group", json_object_new_string(thread_group_name(step->group, name)));
	json_object_object_add(object, "cpus", json_mask(step->cpus));
	json_object_object_add(object, "rule",
		setting != NULL ? json_place(setting->value.file, setting->value.line) : NULL);
	json_object_object_add(object, "now", json_mask(step->now));
	snprintf(path, sizeof(path), "%s/%s/cpuset.cpus", pin->running ? pin->cgroup.path : "",
		name);
	json_object_object_add(object, "path", pin->running ? json_object_new_string(path) : NULL);
	return object;
}

/* Returns null if no rule sets memory. "nodes" is null for keep, "now" for a guest not running. */
static json_object *
json_memory(const struct pin *pin)
{
	const struct memory *memory = &pin->desired.memory;
	if (memory->value == NULL)
		return NULL;
	json_object *object = json_object_new_object();
	json_object *now = pin->running ? json_object_new_object() : NULL;
	for (size_t i = 0; i < pin->plan.step_count && now != NULL; i++) {
		char name[THREAD_GROUP_NAME_MAX];
		const struct plan_step *step = &pin->plan.steps[i];
		json_object_object_add(
			now, thread_group_name(step->group, name), json_mask(step->nodes_now));
	}
	json_object_object_add(object, "nodes", json_mask(pin->plan.nodes));
	json_object_object_add(
		object, "rule", json_place(memory->value->file, memory->value->line));
	json_object_object_add(object, "now", now);
	return object;
}

static void
print_plan_json(const struct pin *pin)
{
	json_object *object = json_guest(pin), *groups = json_object_new_array();
	for (size_t i = 0; i < pin->plan.step_count; i++)
		json_object_array_add(groups, json_step(pin, &pin->plan.steps[i]));
	json_object_object_add(object, "groups", groups);
	json_object_object_add(object, "memory", json_memory(pin));
	json_object_object_add(object, "notes", json_messages(&pin->messages));
	json_print(object);
}

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

/* Fills in a line; libsmartcols makes cells safe for a terminal. */
static void
fill_line(struct libscols_line *line, const struct plan_step *step, bool running)
{
	char name[THREAD_GROUP_NAME_MAX], key[SETTING_KEY_MAX], list[CELL_MAX], rule[2 * CELL_MAX];
	const struct setting *s = step->setting;
	size_t column = 0;
	scols_line_set_data(line, column++, thread_group_name(step->group, name));
	scols_line_set_data(line, column++,
		step->cpus != NULL && cpumask_empty(step->cpus) ? "none"
		: step->cpus != NULL ? cpumask_format(step->cpus, list, sizeof(list))
		: s != NULL	     ? "keep"
				     : "-");
	if (running)
		scols_line_set_data(line, column++, cpumask_format(step->now, list, sizeof(list)));
	scols_line_set_data(line, column,
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

static void
fill_memory_line(struct libscols_line *line, const struct pin *pin)
{
	const struct value *value = pin->desired.memory.value;
	char text[CELL_MAX + 8], rule[2 * CELL_MAX];
	size_t column = 0;
	scols_line_set_data(line, column++, "memory");
	scols_line_set_data(line, column++,
		pin->plan.nodes != NULL ? nodes_text(pin->plan.nodes, text, sizeof(text)) : "keep");
	if (pin->running && pin->plan.step_count > 0)
		scols_line_set_data(line, column, nodes_now_text(&pin->plan, text, sizeof(text)));
	column += pin->running;
	scols_line_set_data(line, column, rule_text("memory", value, rule, sizeof(rule)));
}

static int
fill_plan_table(struct libscols_table *table, const struct pin *pin)
{
	const struct plan *plan = &pin->plan;
	bool running = pin->running;
	static const char *const columns[] = {"GROUP", "CPUS", "NOW", "RULE"};
	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
		if ((running || strcmp(columns[i], "NOW") != 0) &&
			scols_table_new_column(table, columns[i], 0, 0) == NULL)
			return -1;
	for (size_t i = 0; i < plan->step_count; i++) {
		struct libscols_line *line = scols_table_new_line(table, NULL);
		if (line == NULL)
			return -1;
		fill_line(line, &plan->steps[i], running);
	}
	if (pin->desired.memory.value != NULL) {
		struct libscols_line *line = scols_table_new_line(table, NULL);
		if (line == NULL)
			return -1;
		fill_memory_line(line, pin);
	}
	return scols_print_table(table);
}

static int
print_plan_table(const struct pin *pin)
{
	struct libscols_table *table = scols_new_table();
	if (table == NULL)
		return -1;
	int r = fill_plan_table(table, pin);
	scols_unref_table(table);
	return r;
}

static int
print_text(const struct pin *pin)
{
	if (pin->matched.count == 0) {
		print_line("%s: no rule matches", pin->name);
		return 0;
	}
	print_line("%s", pin->name);
	for (size_t i = 0; i < pin->matched.count; i++)
		print_line("  rule  %s:%u [%s]", pin->matched.rules[i]->file,
			pin->matched.rules[i]->line, pin->matched.rules[i]->section);
	if (pin->running)
		print_line("  in    %s", pin->cgroup.path);
	int r = print_plan_table(pin);
	print_messages(stdout, &pin->messages);
	return r;
}

/* True if a reason begins with a line of the rules, and not with what could not be read. */
static bool
is_about_rules(const struct rules *rules, const char *reason)
{
	for (size_t i = 0; i < rules->file_count; i++) {
		size_t length = strlen(rules->files[i]);
		if (strncmp(reason, rules->files[i], length) == 0 && reason[length] == ':')
			return true;
	}
	return false;
}

/* Returns how well a plan could be made. */
static enum exit_status
judge(enum pin_result r, const struct pin *pin, const struct err *e)
{
	if (r == PIN_FAILED && !is_about_rules(&pin->host->rules, e->text))
		return EXIT_CANNOT;
	if (r == PIN_FAILED || pin_obstacle(pin) != NULL)
		return EXIT_WRONG;
	for (size_t i = 0; i < pin->messages.count; i++)
		if (pin->messages.items[i].level == MESSAGE_WARNING)
			return EXIT_FINDINGS;
	return EXIT_OK;
}

/* Shows one guest's plan, or says why it cannot be made. guest is NULL for XML from a file. */
static enum exit_status
plan_guest(const struct options *options, struct pin_host *host, const struct guest_xml *xml,
	const struct virt_guest *guest, bool first)
{
	struct pin pin;
	struct err e;
	const char *name = guest != NULL ? guest->name : NULL;
	enum pin_result r = pin_prepare(&pin, host, xml->text, xml->length, name, PIN_SHOW, &e);
	if (r == PIN_FAILED)
		complain("%s: %s", pin.name != NULL ? pin.name : xml->source, e.text);
	if (r == PIN_OK && !pin.running && guest != NULL && guests_run_elsewhere(options, guest))
		messages_add(&pin.messages, MESSAGE_WARNING, GUESTS_ELSEWHERE, options->connect);
	enum exit_status status = judge(r, &pin, &e);
	if (r != PIN_FAILED && options->json) {
		print_plan_json(&pin);
	} else if (r != PIN_FAILED) {
		if (!first)
			putchar('\n');
		if (print_text(&pin) != 0) {
			complain("out of memory");
			status = EXIT_CANNOT;
		}
	}
	pin_free(&pin);
	return status;
}

static enum exit_status
higher(enum exit_status a, enum exit_status b)
{
	return a > b ? a : b;
}

static enum exit_status
plan_files(const struct options *options, struct pin_host *host)
{
	enum exit_status status = EXIT_OK;
	for (size_t i = 0; i < options->xml_count; i++) {
		struct guest_xml xml;
		status = higher(status, read_xml(options->xml[i], &xml) == 0
						? plan_guest(options, host, &xml, NULL, i == 0)
						: EXIT_CANNOT);
		free(xml.text);
	}
	return status;
}

static enum exit_status
plan_running(const struct options *options, struct pin_host *host)
{
	struct virt virt;
	size_t unknown;
	enum exit_status status = EXIT_OK;
	if (guests_find(options, &virt, &unknown) != 0 || unknown > 0)
		status = EXIT_CANNOT;
	else if (virt.count == 0 && !options->json)
		puts("no guest is running");
	for (size_t i = 0; i < virt.count; i++) {
		struct guest_xml xml;
		struct err e;
		enum guests_result r = guests_xml(options, &virt.guests[i], &xml, &e);
		if (r == GUESTS_FAILED)
			complain("%s: %s", xml.source, e.text);
		if (r != GUESTS_PASSED_OVER)
			status = higher(status, r == GUESTS_OK ? plan_guest(options, host, &xml,
									 &virt.guests[i], i == 0)
							       : EXIT_CANNOT);
		free(xml.text);
	}
	virt_close(&virt);
	return status;
}

static enum exit_status
plan_guests(const struct options *options, struct pin_host *host)
{
	return options->xml_count > 0 ? plan_files(options, host) : plan_running(options, host);
}

/* Plans for the host of --against instead of this one. The rules have been read. */
static enum exit_status
plan_with_rules(const struct options *options, struct pin_host *host)
{
	struct snapshot_tree captured;
	struct err e;
	if (options->against_count == 0)
		return plan_guests(options, host);
	if (snapshot_open(options->against[0], &captured, &e) != 0) {
		complain("%s", e.text);
		return EXIT_CANNOT;
	}
	pin_host_change(host, captured.root);
	enum exit_status status = plan_guests(options, host);
	snapshot_close(&captured);
	return status;
}

static enum exit_status
run_plan(const struct options *options)
{
	if (options->word_count > 0 && options->xml_count > 0) {
		complain("plan: GUEST and --xml exclude each other");
		return misuse(&command_plan);
	}
	return with_rules(options, plan_with_rules);
}

const struct command command_plan = {
	.name = "plan",
	.run = run_plan,
	.options = OPTION_CONFIG | OPTION_SYSROOT | OPTION_CONNECT | OPTION_XML | OPTION_AGAINST |
		   OPTION_JSON,
	.words_max = ARGUMENTS_ANY,
	.words = "[GUEST...]",
	.summary = "show what the hook would write, and which rule says so",
	.help = "Usage: vmaffinity plan [OPTION...] [GUEST...]\n"
		"       vmaffinity plan [OPTION...] --xml FILE\n"
		"\n"
		"Shows what the hook would write, and which rule says so. Writes nothing.\n"
		"GUEST: a guest's name, UUID or id, or a pattern of running guests' names, as\n"
		"'web-*'; without it, every running guest.\n"
		"\n"
		"      --xml FILE     a guest's XML (virsh dumpxml); '-': stdin; may be repeated\n"
		"      --against HOSTFILE  plan for the host that 'vmaffinity capture' wrote to\n"
		"                     HOSTFILE, not for this one\n"
		"  -c, --config FILE  read the rules from FILE, not from /etc\n"
		"      --sysroot DIR  read /etc, /proc, /run and /sys below DIR\n"
		"      --connect URI  the libvirt daemon (qemu:///system)\n"
		"      --json         one JSON object for each guest\n"
		"  -h, --help         this text\n"
		"\n"
		"Exit status: 0; 1 for a warning, 2 for an error in the rules, 3 without a plan.\n",
};
