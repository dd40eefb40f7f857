/* SPDX-License-Identifier: MIT */
/* vmaffinity status: compares running guests with the rules. */
#include "cli/status/json.h"
#include "cli/status/status.h"
#include "cli/status/text.h"

#include "cli/command.h"
#include "cli/guests.h"
#include "cli/hook_files.h"
#include "cli/tally.h"
#include "cli/with_rules.h"

#include "base/array.h"

#include <stdio.h>
#include <stdlib.h>

/* The guests that were looked at. */
struct looked_at {
	struct status **items;
	size_t count;
	size_t failed;
	size_t by_state[STATES];
	size_t groups; /* thread groups that are not as ruled, of all guests */
};

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
		(r == GUESTS_OK && look_at(options, host, guest, &xml, all, &e) != 0)) {
		complain("%s: %s", guest->name, e.text);
		all->failed++;
	}
	free(xml.text);
}

static void
print_status_counts(const struct looked_at *all)
{
	const struct tally_part parts[] = {{all->by_state[STATE_AS_RULED], "as ruled"},
		{all->by_state[STATE_DRIFT], "not as ruled"},
		{all->by_state[STATE_NO_RULE], "without a rule"},
		{all->by_state[STATE_NOT_RUNNING], "not running"},
		{all->by_state[STATE_ELSEWHERE], "elsewhere"}, {all->failed, "failed"}};
	char rest[64] = "";
	if (all->groups > 0)
		snprintf(rest, sizeof(rest), "; drift in %zu group%s", all->groups,
			all->groups == 1 ? "" : "s");
	tally_print(all->count + all->failed, parts, sizeof(parts) / sizeof(parts[0]), rest);
}

/* Prints a line for each guest that is as it should be, then the tables of the others. */
static int
print_lines_and_tables(const struct options *options, const struct looked_at *all, bool brief)
{
	struct brief_layout layout = {.wide = options->wide};
	bool first = all->count + all->failed <= 1;
	int r = 0;
	if (!first) {
		print_status_counts(all);
		if (brief && all->by_state[STATE_AS_RULED] + all->by_state[STATE_NO_RULE] +
					     all->by_state[STATE_NOT_RUNNING] >
				     0)
			putchar('\n');
	}
	for (size_t i = 0; i < all->count && brief; i++)
		if (status_is_brief(all->items[i]))
			status_fit_brief(all->items[i], &layout);
	for (size_t i = 0; i < all->count && brief && r == 0; i++)
		if (status_is_brief(all->items[i])) {
			r = status_print_brief(all->items[i], &layout);
			first = false;
		}
	for (size_t i = 0; i < all->count && r == 0; i++)
		if (!brief || !status_is_brief(all->items[i])) {
			if (!first)
				putchar('\n');
			r = status_print_text(all->items[i], options->wide);
			first = false;
		}
	return r;
}

static int
print_all(const struct options *options, const struct looked_at *all)
{
	for (size_t i = 0; i < all->count && options->json; i++)
		status_print_json(all->items[i]);
	if (options->json)
		return 0;
	if (all->count + all->failed == 0)
		puts("no guest is running");
	return print_lines_and_tables(options, all, options->word_count == 0 && !options->verbose);
}

static enum exit_status
status_with_rules(const struct options *options, struct pin_host *host)
{
	struct virt virt;
	struct looked_at all = {0};
	hook_files_warn(options->root);
	int found = guests_find(options, &virt, &all.failed);
	for (size_t i = 0; i < virt.count && found == 0; i++)
		status_guest(options, host, &virt.guests[i], &all);
	if (found == 0 && print_all(options, &all) != 0) {
		complain("out of memory");
		found = -1;
	}
	enum exit_status status = found != 0 || all.failed > 0 ? EXIT_CANNOT
				  : all.by_state[STATE_DRIFT] + all.by_state[STATE_ELSEWHERE] > 0
					  ? EXIT_FINDINGS
					  : EXIT_OK;
	while (all.count > 0)
		free_status(all.items[--all.count]);
	free(all.items);
	virt_close(&virt);
	return status;
}

static enum exit_status
run_status(const struct options *options)
{
	return with_rules(options, status_with_rules);
}

const struct command command_status = {
	.name = "status",
	.run = run_status,
	.options = OPTION_CONFIG | OPTION_SYSROOT | OPTION_CONNECT | OPTION_JSON | OPTION_VERBOSE |
		   OPTION_WIDE,
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
		"      --json         one JSON object for each guest\n"
		"  -h, --help         this text\n"
		"\n"
		"Exit status: 0 all as ruled, 1 drift, 2 errors in the rules, 3 could not look.\n",
};
