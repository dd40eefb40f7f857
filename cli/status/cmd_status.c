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

#include <stdio.h>
#include <stdlib.h>

/* Guests by state, and what is common to all. */
struct counts {
	size_t guests[STATES];
	size_t groups; /* thread groups that are not as ruled, of all guests */
	size_t shown;  /* guests shown, in any state */
	size_t failed;
};

static void
show(const struct status *status, bool json, struct counts *counts)
{
	bool first = counts->shown++ == 0;
	counts->guests[status->state]++;
	counts->groups += status->drift.drifted;
	if (json) {
		status_print_json(status);
		return;
	}
	if (!first)
		putchar('\n');
	if (status_print_text(status) != 0) {
		complain("out of memory");
		counts->failed++;
	}
}

static void
status_guest(const struct options *options, struct pin_host *host, const struct virt_guest *guest,
	struct counts *counts)
{
	struct status status = {.pin = {.lock = -1}};
	struct guest_xml xml;
	struct err e;
	enum guests_result r = guests_xml(options, guest, &xml, &e);
	if (r == GUESTS_OK && status_read(&status, host, &xml, &e) == 0) {
		if (status.state == STATE_NOT_RUNNING && !status.ended &&
			guests_run_elsewhere(options, guest)) {
			status.state = STATE_ELSEWHERE;
			status.uri = options->connect;
		}
		show(&status, options->json, counts);
	} else if (r != GUESTS_PASSED_OVER) {
		complain("%s: %s", guest->name, e.text);
		counts->failed++;
	}
	status_free(&status);
	free(xml.text);
}

static void
print_status_counts(const struct counts *counts)
{
	const struct tally_part parts[] = {{counts->guests[STATE_AS_RULED], "as ruled"},
		{counts->guests[STATE_DRIFT], "not as ruled"},
		{counts->guests[STATE_NO_RULE], "without a rule"},
		{counts->guests[STATE_NOT_RUNNING], "not running"},
		{counts->guests[STATE_ELSEWHERE], "elsewhere"}, {counts->failed, "failed"}};
	char rest[64] = "";
	if (counts->groups > 0)
		snprintf(rest, sizeof(rest), "; drift in %zu group%s", counts->groups,
			counts->groups == 1 ? "" : "s");
	putchar('\n');
	tally_print(counts->shown + counts->failed, parts, sizeof(parts) / sizeof(parts[0]), rest);
}

static enum exit_status
status_with_rules(const struct options *options, struct pin_host *host)
{
	struct virt virt;
	struct counts counts = {0};
	hook_files_warn(options->root);
	int found = guests_find(options, &virt, &counts.failed);
	for (size_t i = 0; i < virt.count && found == 0; i++)
		status_guest(options, host, &virt.guests[i], &counts);
	if (found == 0 && !options->json && virt.count + counts.failed == 0)
		puts("no guest is running");
	if (!options->json && counts.shown > 1)
		print_status_counts(&counts);
	virt_close(&virt);
	return found != 0 || counts.failed > 0					 ? EXIT_CANNOT
	       : counts.guests[STATE_DRIFT] + counts.guests[STATE_ELSEWHERE] > 0 ? EXIT_FINDINGS
										 : EXIT_OK;
}

static enum exit_status
run_status(const struct options *options)
{
	return with_rules(options, status_with_rules);
}

const struct command command_status = {
	.name = "status",
	.run = run_status,
	.options = OPTION_CONFIG | OPTION_SYSROOT | OPTION_CONNECT | OPTION_JSON,
	.words_max = ARGUMENTS_ANY,
	.words = "[GUEST...]",
	.summary = "compare running guests with the rules, thread by thread",
	.help = "Usage: vmaffinity status [OPTION...] [GUEST...]\n"
		"\n"
		"Compares what the rules say about running guests with what the kernel says\n"
		"about their threads, and marks every difference with '!'. Writes nothing.\n"
		"GUEST: a guest's name, UUID or id, or a pattern of running guests' names, as\n"
		"'web-*'; without it, every running guest.\n"
		"\n"
		"  -c, --config FILE  read the rules from FILE, not from /etc\n"
		"      --sysroot DIR  read /etc, /proc, /run and /sys below DIR\n"
		"      --connect URI  the libvirt daemon (qemu:///system)\n"
		"      --json         one JSON object for each guest\n"
		"  -h, --help         this text\n"
		"\n"
		"Exit status: 0 all as ruled, 1 drift, 2 errors in the rules, 3 could not look.\n",
};
