/* SPDX-License-Identifier: MIT */
/* vmaffinity plan: shows what the hook would write for a guest. */
#include "cli/against.h"
#include "cli/command.h"
#include "cli/guests.h"
#include "cli/plan/json.h"
#include "cli/plan/text.h"
#include "cli/tally.h"
#include "cli/with_rules.h"

#include "base/array.h"
#include "base/err.h"
#include "pin/pin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of the summary line. */
#define SUMMARY_MAX 256

/* Returns how well a plan could be made. */
static enum exit_status
judge(enum pin_result r, const struct pin *pin, const struct err *e)
{
	const struct rules *rules = &pin->host->rules;
	if (r == PIN_FAILED && place_find(e->text, rules->files, rules->file_count).file == 0)
		return EXIT_CANNOT; /* it is not about the rules, but about what could not be read
				     */
	if (r == PIN_FAILED || pin_obstacle(pin) != NULL)
		return EXIT_WRONG;
	for (size_t i = 0; i < pin->messages.count; i++)
		if (pin->messages.items[i].level == MESSAGE_WARNING)
			return EXIT_FINDINGS;
	return EXIT_OK;
}

/* The plans that were made. */
struct plans {
	struct pin **items;
	size_t count;
	struct failures failures;
	enum exit_status status; /* the highest of all */
};

static void
raise_status(struct plans *plans, enum exit_status status)
{
	if (status > plans->status)
		plans->status = status;
}

/* Adds a guest of which there is no plan. */
static void
add_failure(struct plans *plans, const char *name, enum exit_status status, const char *why)
{
	failures_add(&plans->failures, name, why);
	raise_status(plans, status);
}

static void
free_pin(struct pin *pin)
{
	pin_free(pin);
	free(pin);
}

/* Returns room for one more plan, or NULL without memory. */
static struct pin *
new_pin(struct plans *plans)
{
	struct pin *pin = malloc(sizeof(*pin));
	struct pin **larger = array_grow(plans->items, plans->count, sizeof(struct pin *));
	if (larger != NULL)
		plans->items = larger;
	if (pin != NULL && larger != NULL)
		return pin;
	free(pin);
	return NULL;
}

/* Plans for one guest, or says why it cannot be done. guest is NULL for XML from a file. */
static void
plan_guest(const struct options *options, struct pin_host *host, const struct guest_xml *xml,
	const struct virt_guest *guest, struct plans *plans)
{
	struct err e;
	struct pin *pin = new_pin(plans);
	if (pin == NULL) {
		add_failure(plans, xml->source, EXIT_CANNOT, "out of memory");
		return;
	}
	const char *name = guest != NULL ? guest->name : NULL;
	enum pin_result r = pin_prepare(pin, host, xml->text, xml->length, name, PIN_SHOW, &e);
	if (r == PIN_OK && !pin->running && guest != NULL && guests_run_elsewhere(options, guest))
		messages_add(&pin->messages, MESSAGE_WARNING, "elsewhere", GUESTS_ELSEWHERE,
			options->connect);
	enum exit_status status = judge(r, pin, &e);
	if (r == PIN_FAILED) {
		add_failure(plans, pin->name != NULL ? pin->name : xml->source, status, e.text);
		free_pin(pin);
		return;
	}
	plans->items[plans->count++] = pin;
	raise_status(plans, status);
}

static void
plan_files(const struct options *options, struct pin_host *host, struct plans *plans)
{
	for (size_t i = 0; i < options->xml_count; i++) {
		struct guest_xml xml;
		struct err e;
		if (read_xml(options->xml[i], &xml, &e) == 0)
			plan_guest(options, host, &xml, NULL, plans);
		else
			add_failure(plans, xml.source, EXIT_CANNOT, e.text);
		free(xml.text);
	}
}

static void
plan_running(const struct options *options, struct pin_host *host, struct virt *virt,
	struct plans *plans)
{
	for (size_t i = 0; i < virt->count; i++) {
		struct guest_xml xml;
		struct err e;
		enum guests_result r = guests_xml(options, &virt->guests[i], &xml, &e);
		if (r == GUESTS_OK)
			plan_guest(options, host, &xml, &virt->guests[i], plans);
		if (r == GUESTS_FAILED)
			add_failure(plans, xml.source, EXIT_CANNOT, e.text);
		free(xml.text);
	}
}

/* Writes "40 guests: 2 would change, 38 would not" to out. Returns out. */
static const char *
summarize(const struct plans *plans, char out[SUMMARY_MAX])
{
	size_t change = 0, no_rule = 0, off = 0;
	for (size_t i = 0; i < plans->count; i++) {
		const struct pin *pin = plans->items[i];
		if (pin->matched.count == 0)
			no_rule++;
		else if (!pin->running)
			off++;
		else if (plan_changes(pin) > 0)
			change++;
	}
	const struct tally_part parts[] = {{change, "would change"},
		{plans->count - change - no_rule - off, "unchanged"}, {no_rule, "without a rule"},
		{off, "not running here"}, {plans->failures.count, "failed"}};
	tally_text(plans->count + plans->failures.count, parts, sizeof(parts) / sizeof(parts[0]),
		out, SUMMARY_MAX);
	return out;
}

static const char *
name_of(const void *plans, size_t i)
{
	return ((const struct plans *)plans)->items[i]->name;
}

static const char *
state_of(const void *plans, size_t i)
{
	return plan_brief_state(((const struct plans *)plans)->items[i]);
}

static int
print_line_of(const void *plans, size_t i, const struct brief_layout *layout)
{
	return plan_print_brief(((const struct plans *)plans)->items[i], layout);
}

static int
print_table_of(const void *plans, size_t i, bool wide)
{
	return plan_print_text(((const struct plans *)plans)->items[i], wide);
}

/* Prints a line for each running guest that would not change, then the tables of the others. */
static int
print_text(const struct options *options, const struct plans *plans)
{
	char summary[SUMMARY_MAX];
	size_t count = plans->count + plans->failures.count;
	bool counted = count > 1 && options->xml_count == 0;
	const struct brief_guests guests = {.all = plans,
		.count = plans->count,
		.brief = options->word_count == 0 && options->xml_count == 0 && !options->verbose,
		.wide = options->wide,
		.name = name_of,
		.state = state_of,
		.print_line = print_line_of,
		.print_table = print_table_of};
	if (count == 0)
		puts("no guest is running");
	return brief_print_all(&guests, counted ? summarize(plans, summary) : NULL);
}

static void
print_json(const struct plans *plans)
{
	json_object *guests = json_object_new_array();
	for (size_t i = 0; i < plans->count; i++)
		json_object_array_add(guests, plan_json(plans->items[i]));
	failures_print_json(&plans->failures, guests);
}

static void
show_plans(const struct options *options, struct plans *plans)
{
	if (options->json) {
		print_json(plans);
	} else if (print_text(options, plans) != 0) {
		complain("out of memory");
		raise_status(plans, EXIT_CANNOT);
	}
	while (plans->count > 0)
		free_pin(plans->items[--plans->count]);
	free(plans->items);
	failures_free(&plans->failures);
}

static enum exit_status
plan_guests(const struct options *options, struct pin_host *host)
{
	struct plans plans = {0};
	struct virt virt;
	if (options->xml_count > 0) {
		plan_files(options, host, &plans);
		show_plans(options, &plans);
		return plans.status;
	}
	int r = guests_find(options, &virt, &plans.failures);
	if (r != 0 || plans.failures.count > 0)
		raise_status(&plans, EXIT_CANNOT);
	if (r == 0) {
		plan_running(options, host, &virt, &plans);
		show_plans(options, &plans);
	}
	virt_close(&virt);
	return plans.status;
}

/* Plans for the host of --against instead of this one. The rules have been read. */
static enum exit_status
plan_with_rules(const struct options *options, struct pin_host *host)
{
	struct against against;
	if (against_open(&against, options) != 0)
		return EXIT_CANNOT;
	if (against.root != host->root)
		pin_host_change(host, against.root);
	enum exit_status status = plan_guests(options, host);
	against_close(&against);
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
		   OPTION_JSON | OPTION_VERBOSE | OPTION_WIDE,
	.words_max = ARGUMENTS_ANY,
	.words = "[GUEST...]",
	.summary = "show what the hook would write, and which rule says so",
	.help = "Usage: vmaffinity plan [OPTION...] [GUEST...]\n"
		"       vmaffinity plan [OPTION...] --xml FILE\n"
		"\n"
		"Shows what the hook would write, and which rule says so. Writes nothing. A\n"
		"running guest that would not change has one line, any other one, or one that is\n"
		"named, a table in which '*' marks what would change: with --config, the preview\n"
		"of an edit.\n"
		"GUEST: a guest's name, UUID or id, or a pattern of running guests' names, as\n"
		"'web-*'; without it, every running guest.\n"
		"\n"
		"      --xml FILE     a guest's XML (virsh dumpxml); '-': stdin; may be repeated\n"
		"      --against HOSTFILE  plan for the host that 'vmaffinity capture' wrote to\n"
		"                     HOSTFILE, not for this one\n"
		"  -c, --config FILE  read the rules from FILE, not from /etc\n"
		"      --sysroot DIR  read /etc, /proc, /run and /sys below DIR\n"
		"      --connect URI  the libvirt daemon (qemu:///system)\n"
		"  -v, --verbose      a table for every guest\n"
		"      --wide         break no line for the terminal's width\n"
		"      --json         one JSON object\n"
		"  -h, --help         this text\n"
		"\n"
		"Exit status: 0; 1 for a warning, 2 for an error in the rules, 3 without a plan.\n",
};
