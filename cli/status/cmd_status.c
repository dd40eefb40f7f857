/* SPDX-License-Identifier: MIT */
/* vmaffinity status: compares running guests with the rules. */
#include "cli/status/json.h"
#include "cli/status/looked_at.h"
#include "cli/status/monitoring.h"
#include "cli/status/status.h"
#include "cli/status/text.h"

#include "cli/command.h"
#include "cli/guests.h"
#include "cli/hook_files.h"
#include "cli/with_rules.h"

#include "base/array.h"

#include <stdio.h>
#include <stdlib.h>

static int
add_status(struct looked_at *all, struct status *status)
{
	struct status **larger = array_grow(all->items, all->count, sizeof(struct status *));
	if (larger == NULL)
		return -1;
	all->items = larger;
	all->items[all->count++] = status;
	all->by_state[status->state]++;
	all->groups += status->drift.drifted;
	return 0;
}

static void
free_status(struct status *status)
{
	status_free(status);
	free(status);
}

/* Compares a guest with the rules and adds the result. Returns 0, or -1 with the reason. */
static int
look_at(const struct options *options, struct pin_host *host, const struct virt_guest *guest,
	const struct guest_xml *xml, struct looked_at *all, struct err *e)
{
	struct status *status = malloc(sizeof(*status));
	if (status == NULL)
		return err_set(e, "out of memory");
	int r = status_read(status, host, xml, e);
	if (r == 0 && status->state == STATE_NOT_RUNNING && !status->ended &&
		guests_run_elsewhere(options, guest)) {
		status->state = STATE_ELSEWHERE;
		status->uri = options->connect;
	}
	if (r == 0 && (r = add_status(all, status)) != 0)
		err_set(e, "out of memory");
	if (r != 0)
		free_status(status);
	return r;
}

static void
status_guest(const struct options *options, struct pin_host *host, const struct virt_guest *guest,
	struct looked_at *all)
{
	struct guest_xml xml;
	struct err e;
	enum guests_result r = guests_xml(options, guest, &xml, &e);
	if (r == GUESTS_FAILED ||
		(r == GUESTS_OK && look_at(options, host, guest, &xml, all, &e) != 0))
		failures_add(&all->failures, guest->name, e.text);
	free(xml.text);
}

static const char *
name_of(const void *all, size_t i)
{
	return ((const struct looked_at *)all)->items[i]->pin.name;
}

static const char *
state_of(const void *all, size_t i)
{
	return status_brief_state(((const struct looked_at *)all)->items[i]);
}

static int
print_line_of(const void *all, size_t i, const struct brief_layout *layout)
{
	return status_print_brief(((const struct looked_at *)all)->items[i], layout);
}

static int
print_table_of(const void *all, size_t i, bool wide)
{
	return status_print_text(((const struct looked_at *)all)->items[i], wide);
}

/* Prints a line for each guest that is as it should be, then the tables of the others. */
static int
print_text(const struct options *options, const struct looked_at *all)
{
	char summary[SUMMARY_MAX];
	size_t count = all->count + all->failures.count;
	const struct brief_guests guests = {.all = all,
		.count = all->count,
		.brief = options->word_count == 0 && !options->verbose,
		.wide = options->wide,
		.name = name_of,
		.state = state_of,
		.print_line = print_line_of,
		.print_table = print_table_of};
	if (count == 0)
		puts("no guest is running");
	return brief_print_all(&guests, count > 1 ? looked_at_summary(all, summary) : NULL);
}

static void
print_json(const struct looked_at *all)
{
	json_object *guests = json_object_new_array();
	for (size_t i = 0; i < all->count; i++)
		json_object_array_add(guests, status_json(all->items[i]));
	failures_print_json(&all->failures, guests);
}

static int
print_all(const struct options *options, const struct looked_at *all)
{
	if (options->json)
		print_json(all);
	else if (options->metrics)
		metrics_print(all);
	else if (options->nagios)
		nagios_print(all);
	else
		return print_text(options, all);
	return 0;
}

static enum exit_status
status_with_rules(const struct options *options, struct pin_host *host)
{
	struct virt virt;
	struct looked_at all = {0};
	hook_files_warn(options->root);
	int found = guests_find(options, &virt, &all.failures);
	for (size_t i = 0; i < virt.count && found == 0; i++)
		status_guest(options, host, &virt.guests[i], &all);
	if (found == 0 && print_all(options, &all) != 0) {
		complain("out of memory");
		found = -1;
	}
	enum exit_status status = found != 0	    ? EXIT_CANNOT
				  : options->nagios ? nagios_status(&all)
						    : looked_at_status(&all);
	while (all.count > 0)
		free_status(all.items[--all.count]);
	free(all.items);
	failures_free(&all.failures);
	virt_close(&virt);
	return status;
}

static enum exit_status
run_status(const struct options *options)
{
	if (options->json + options->metrics + options->nagios > 1) {
		complain("status: --json, --metrics and --nagios exclude each other");
		return misuse(&command_status);
	}
	return with_rules(options, status_with_rules);
}

const struct command command_status = {
	.name = "status",
	.run = run_status,
	.options = OPTION_CONFIG | OPTION_SYSROOT | OPTION_CONNECT | OPTION_JSON | OPTION_METRICS |
		   OPTION_NAGIOS | OPTION_VERBOSE | OPTION_WIDE | OPTION_QUIET,
	.words_max = ARGUMENTS_ANY,
	.words = "[GUEST...]",
	.summary = "compare running guests with the rules, thread by thread",
	.help = "Usage: vmaffinity status [OPTION...] [GUEST...]\n"
		"\n"
		"Compares what the rules say about running guests with what the kernel says\n"
		"about their threads. Writes nothing. A guest that is as ruled has one line, any\n"
		"other one, or one that is named, a table in which '!' marks every difference.\n"
		"GUEST: a guest's name, UUID or id, or a pattern of running guests' names, as\n"
		"'web-*'; without it, every running guest.\n"
		"\n"
		"  -c, --config FILE  read the rules from FILE, not from /etc\n"
		"      --sysroot DIR  read /etc, /proc, /run and /sys below DIR\n"
		"      --connect URI  the libvirt daemon (qemu:///system)\n"
		"  -v, --verbose      a table for every guest\n"
		"      --wide         break no line for the terminal's width\n"
		"      --json         one JSON object\n"
		"      --metrics      for Prometheus: the text format of a textfile collector\n"
		"      --nagios       one line, and the exit status of a Nagios plugin: 0 OK,\n"
		"                     1 WARNING, 2 CRITICAL, 3 UNKNOWN\n"
		"  -q, --quiet        print nothing to standard output\n"
		"  -h, --help         this text\n"
		"\n"
		"Exit status: 0 all as ruled, 1 drift, 2 errors in the rules, 3 could not look.\n",
};
