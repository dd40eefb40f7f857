/* SPDX-License-Identifier: MIT */
/* vmaffinity release: gives guests back what libvirt would give them, whatever the rules say. */
#include "cli/change.h"
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/record/record.h"

#include "base/cleanup.h"
#include "guest/domain_pins.h"
#include "pin/pin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Takes back what "vmaffinity record" has recorded, if the guest's XML has its note. Returns 0, or
 * -1 with the reason.
 */
static int
take_back_record(
	const struct options *options, const char *name, char **xml, size_t *changed, struct err *e)
{
	struct virt virt;
	if (strstr(*xml, VIRT_NOTE_URI) == NULL)
		return 0;
	int r = virt_open_to_change(&virt, options->connect, e);
	if (r == 0 && virt_find(&virt, name, e) != 0)
		r = -1;
	if (r == 0)
		r = record_undo(&virt.guests[0], changed, e);
	if (r != 0)
		err_context(e, "its record cannot be taken back");
	free(*xml);
	*xml = NULL;
	if (r == 0 && virt_xml(&virt.guests[0], xml, e) != VIRT_OK)
		r = -1;
	virt_close(&virt);
	return r;
}

static enum pin_result
give_back(struct guests *guests, const char *name, struct pin *pin, char done[PIN_DONE_MAX],
	struct err *e)
{
	/* Without rules, none decides a group. */
	struct pin_host host = {0};
	struct domain_pins record = {0};
	AUTO_FREE char *xml = NULL;
	size_t count, unrecorded = 0;
	pin_host_change(&host, guests->options->root);
	enum pin_result r = PIN_FAILED;
	if (guests_read_xml(guests, name, &xml, e) != 0 ||
		take_back_record(guests->options, name, &xml, &unrecorded, e) != 0 ||
		domain_parse_pins(xml, strlen(xml), &record, e) != 0)
		err_context(e, "what libvirt would give it is not known");
	else
		r = pin_prepare(pin, &host, xml, strlen(xml), name, PIN_APPLY_ALL, e);
	if (r == PIN_OK && pin_give_back(pin, &record, &count, e) != 0)
		r = PIN_FAILED;
	if (r == PIN_OK)
		r = pin_apply(pin, done, e);
	if (r == PIN_OK && unrecorded > 0) {
		snprintf(done, PIN_DONE_MAX, "libvirt's record of %zu group%s", unrecorded,
			unrecorded == 1 ? "" : "s");
		r = PIN_CHANGED;
	}
	domain_pins_free(&record);
	pin_host_free(&host);
	return r;
}

/* Gives one guest back its CPUs: struct change. */
static enum pin_result
release_guest(
	struct guests *guests, const char *name, void *data, char done[PIN_DONE_MAX], struct err *e)
{
	struct pin pin = PIN_NONE;
	(void)data;
	enum pin_result r = give_back(guests, name, &pin, done, e);
	pin_free(&pin);
	return r;
}

static enum exit_status
run_release(const struct options *options)
{
	static const struct change change = {.make = release_guest,
		.made = "released",
		.needless = "has what libvirt gave it",
		.needless_sum = "as libvirt has them",
		.failed = "not released"};
	if (options->all == (options->word_count > 0)) {
		complain(options->all ? "release: GUEST and --all exclude each other"
				      : "release: name a GUEST, or --all");
		return misuse(&command_release);
	}
	enum exit_status status = change_guests(options, &change);
	interrupt_end();
	return status;
}

const struct command command_release = {
	.name = "release",
	.run = run_release,
	.options = OPTION_ALL | OPTION_CONNECT | OPTION_QUIET,
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
		"  -q, --quiet        print nothing to standard output\n"
		"  -h, --help         this text\n"
		"\n"
		"Exit status: 0; 1 if a guest failed, 3 if no guest could be looked at.\n",
};
