/* SPDX-License-Identifier: MIT */
/* vmaffinity release: gives guests back what libvirt would give them, whatever the rules say. */
#include "cli/command.h"
#include "cli/guests.h"
#include "cli/interrupt.h"
#include "cli/tally.h"

#include "base/cleanup.h"
#include "guest/domain_pins.h"
#include "pin/pin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Guests by outcome. */
struct counts {
	size_t released, free, ended, left;
	struct failures failures;
};

/* Gives one guest back its CPUs. Returns as pin_apply() does. */
static enum pin_result
release_guest(struct guests *guests, const char *name, struct pin *pin, char done[PIN_DONE_MAX],
	struct err *e)
{
	/* Without rules, none decides a group. */
	struct pin_host host = {0};
	struct domain_pins record = {0};
	AUTO_FREE char *xml = NULL;
	size_t count;
	pin_host_change(&host, guests->options->root);
	interrupt_changing(true);
	enum pin_result r = PIN_FAILED;
	if (guests_read_xml(guests, name, &xml, e) != 0 ||
		domain_parse_pins(xml, strlen(xml), &record, e) != 0)
		err_context(e, "what libvirt would give it is not known");
	else
		r = pin_prepare(pin, &host, xml, strlen(xml), name, PIN_APPLY_ALL, e);
	if (r == PIN_OK && pin_give_back(pin, &record, &count, e) != 0)
		r = PIN_FAILED;
	if (r == PIN_OK)
		r = pin_apply(pin, done, e);
	domain_pins_free(&record);
	pin_host_free(&host);
	return r;
}

static void
release_and_print(struct guests *guests, const char *name, struct counts *counts)
{
	struct pin pin = {.lock = -1};
	struct err e;
	char done[PIN_DONE_MAX] = "";
	enum pin_result r = release_guest(guests, name, &pin, done, &e);
	if (r == PIN_CHANGED) {
		counts->released++;
		print_line("%s: released: %s", name, done);
	} else if (r == PIN_OK) {
		counts->free++;
		print_line("%s: has what libvirt gave it", name);
	} else if (r == PIN_NOT_RUNNING && guests->options->word_count == 0) {
		counts->ended++;
	} else {
		err_context(&e, "not released");
		failures_add(&counts->failures, name, e.text);
	}
	pin_free(&pin);
	interrupt_changing(false);
}

static enum exit_status
run_release(const struct options *options)
{
	struct guests guests;
	struct counts counts = {0};
	if (options->all == (options->word_count > 0)) {
		complain(options->all ? "release: GUEST and --all exclude each other"
				      : "release: name a GUEST, or --all");
		return misuse(&command_release);
	}
	int opened = guests_open(&guests, options, &counts.failures);
	size_t count = guests.count + counts.failures.count, done = 0;
	interrupt_catch();
	for (; done < guests.count && opened == 0 && interrupt_signal() == 0; done++)
		release_and_print(&guests, guests.names[done], &counts);
	for (counts.left = opened == 0 ? guests.count - done : 0; done < guests.count; done++)
		complain("%s: not looked at: ended by a signal", guests.names[done]);
	const struct tally_part parts[] = {{counts.released, "released"},
		{counts.free, "as libvirt has them"}, {counts.ended, "ended meanwhile"},
		{counts.failures.count, "failed"}, {counts.left, "not looked at"}};
	if (opened == 0 && count == 0)
		puts("no guest is running");
	else if (opened == 0 && count > 1)
		tally_print(count, parts, sizeof(parts) / sizeof(parts[0]));
	enum exit_status status = opened != 0		      ? EXIT_CANNOT
				  : counts.failures.count > 0 ? EXIT_FINDINGS
							      : EXIT_OK;
	failures_free(&counts.failures);
	guests_close(&guests);
	interrupt_end();
	return status;
}

const struct command command_release = {
	.name = "release",
	.run = run_release,
	.options = OPTION_ALL | OPTION_CONNECT,
	.needs_root = true,
	.words_max = ARGUMENTS_ANY,
	.words = "GUEST...",
	.summary = "give running guests back the CPUs that libvirt gave them",
	.help = "Usage: vmaffinity release [OPTION...] GUEST...\n"
		"       vmaffinity release [OPTION...] --all\n"
		"\n"
		"Gives all threads of running guests back the CPUs that libvirt gave them: those\n"
		"that its record pins them to, else all that the guest may have. The rules are\n"
		"not read; apply, the hook or watch pin the guest again.\n"
		"GUEST: a running guest's name, UUID or id, or a pattern of names ('web-*').\n"
		"\n"
		"      --all          every running guest\n"
		"      --connect URI  take the guests from this libvirt daemon\n"
		"  -h, --help         this text\n"
		"\n"
		"Exit status: 0; 1 if a guest failed, 3 if no guest could be looked at.\n",
};
