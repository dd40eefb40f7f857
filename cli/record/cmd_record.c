/* SPDX-License-Identifier: MIT */
/* vmaffinity record: brings libvirt's record of running guests in line with the rules. */
#include "cli/change.h"
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/record/record.h"
#include "cli/with_rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* For record_guest(). */
struct recorder {
	struct pin_host *host;
	struct virt virt; /* a connection that may change guests, made on first need */
};

/* Compares a guest with the rules. Returns 0, or -1 with the reason, as when it is not as ruled. */
static int
read_status(struct recorder *recorder, const struct virt_guest *guest, struct status *status,
	struct err *e)
{
	struct guest_xml xml = {.source = guest->name};
	char text[DRIFT_TEXT_MAX] = "";
	if (virt_xml(guest, &xml.text, e) != VIRT_OK)
		return -1;
	xml.length = strlen(xml.text);
	int r = status_read(status, recorder->host, &xml, e);
	free(xml.text);
	if (r != 0 || status->state == STATE_NO_RULE || status->state == STATE_AS_RULED)
		return r;
	if (status->state == STATE_NOT_RUNNING)
		return err_set(e, "not running here");
	for (size_t i = 0; i < status->drift.count && text[0] == '\0'; i++)
		drift_text(&status->drift.groups[i],
			drift_end_of_run(&status->drift, &status->drift.groups[i]), text);
	return err_set(e, "not as ruled: %s; 'vmaffinity apply' pins it",
		text[0] != '\0' ? text : "see 'vmaffinity status'");
}

/* Reads everything again: libvirt's record, and what the kernel has. */
static int
verify(struct recorder *recorder, const struct virt_guest *guest, struct err *e)
{
	struct status status = {.pin = PIN_NONE};
	int r = read_status(recorder, guest, &status, e);
	for (size_t i = 0; i < status.drift.count && r == 0; i++) {
		char name[THREAD_GROUP_NAME_MAX];
		if (status_record(&status, &status.drift.groups[i]) != NULL)
			r = err_set(e, "libvirt did not take the CPUs of %s",
				thread_group_name(status.drift.groups[i].step->group, name));
	}
	status_free(&status);
	return r;
}

/*
 * Pins a guest again whose record could not be written: with the record that it had before, libvirt
 * has given it the CPUs of that. Adds to e if this fails.
 */
static void
pin_again(struct recorder *recorder, const struct virt_guest *guest, struct err *e)
{
	struct pin pin = PIN_NONE;
	struct err why;
	char *xml = NULL, done[PIN_DONE_MAX];
	enum pin_result r = PIN_FAILED;
	if (virt_xml(guest, &xml, &why) == VIRT_OK)
		r = pin_guest(&pin, recorder->host, xml, strlen(xml), guest->name, done, &why);
	if (r == PIN_FAILED) {
		const struct err first = *e;
		err_set(e, "%.400s; and it is not pinned now: %.400s", first.text, why.text);
	}
	pin_free(&pin);
	free(xml);
}

/*
 * Records a guest, or takes back what is recorded of one that no rule pins. Returns 0 with the
 * number of pins that changed, or -1 with the reason; then nothing is recorded.
 */
static int
record(struct recorder *recorder, const struct virt_guest *guest, struct status *status,
	size_t *changed, struct err *e)
{
	struct err ignored;
	size_t undone;
	if (read_status(recorder, guest, status, e) != 0)
		return -1;
	if (status->state == STATE_NO_RULE)
		return record_undo(guest, changed, e);
	int r = record_write(guest, status, changed, e);
	if (r == 0 && *changed > 0) {
		r = verify(recorder, guest, e);
		if (r != 0)
			record_undo(guest, &undone, &ignored);
	}
	if (r != 0)
		pin_again(recorder, guest, e);
	return r;
}

static void
describe(const struct status *status, size_t changed, char done[PIN_DONE_MAX])
{
	char summary[512];
	snprintf(done, PIN_DONE_MAX, "%s (%zu pin%s)",
		status->state == STATE_NO_RULE
			? "what it had before, as no rule pins it"
			: plan_summary(&status->pin.plan, summary, sizeof(summary)),
		changed, changed == 1 ? "" : "s");
}

/* Records one guest: struct change. */
static enum pin_result
record_guest(
	struct guests *guests, const char *name, void *data, char done[PIN_DONE_MAX], struct err *e)
{
	struct recorder *recorder = data;
	struct virt *virt = &recorder->virt;
	struct status status = {.pin = PIN_NONE};
	size_t changed = 0;
	if (virt->connection == NULL && virt_open_to_change(virt, guests->options->connect, e) != 0)
		return PIN_FAILED;
	if (virt_find(virt, name, e) != 0)
		return PIN_FAILED;
	const struct virt_guest *guest = &virt->guests[virt->count - 1];
	int r = record(recorder, guest, &status, &changed, e);
	if (r == 0 && changed > 0)
		describe(&status, changed, done);
	bool ended = r != 0 && !virt_is_running(guest);
	bool unruled = r == 0 && status.state == STATE_NO_RULE && changed == 0;
	status_free(&status);
	virt_forget(virt);
	return ended	     ? PIN_NOT_RUNNING
	       : r != 0	     ? PIN_FAILED
	       : unruled     ? PIN_NO_RULE
	       : changed > 0 ? PIN_CHANGED
			     : PIN_OK;
}

static enum exit_status
record_with_rules(const struct options *options, struct pin_host *host)
{
	struct recorder recorder = {.host = host};
	const struct change change = {.make = record_guest,
		.data = &recorder,
		.made = "recorded",
		.needless = "recorded already",
		.needless_sum = "recorded already",
		.failed = "not recorded"};
	enum exit_status status = change_guests(options, &change);
	virt_close(&recorder.virt);
	return status;
}

static enum exit_status
run_record(const struct options *options)
{
	enum exit_status status = with_rules(options, record_with_rules);
	interrupt_end();
	return status;
}

const struct command command_record = {
	.name = "record",
	.run = run_record,
	.options = OPTION_CONFIG | OPTION_CONNECT | OPTION_QUIET,
	.needs_root = true,
	.words_max = ARGUMENTS_ANY,
	.words = "[GUEST...]",
	.summary = "have libvirt's own record say what the rules say",
	.help = "Usage: vmaffinity record [OPTION...] [GUEST...]\n"
		"\n"
		"Pins the vCPUs, emulator and iothreads of running guests through libvirt to the\n"
		"CPUs that they have by the rules, so that 'virsh vcpupin' and other programs\n"
		"that ask libvirt say the same. Definitions are not changed, and a guest that is\n"
		"not as ruled is not recorded: apply pins it. release takes it back.\n"
		"GUEST: a running guest's name, UUID or id, or a pattern of names ('web-*');\n"
		"without it, every running guest.\n"
		"\n"
		"  -c, --config FILE  read the rules from FILE, not from /etc\n"
		"      --connect URI  take the guests from this libvirt daemon\n"
		"  -q, --quiet        print nothing to standard output\n"
		"  -h, --help         this text\n"
		"\n"
		"Exit status: 0; 1 if a guest failed, 2 errors in the rules, 3 could not try.\n",
};
