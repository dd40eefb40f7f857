/* SPDX-License-Identifier: MIT */
#include "cli/status/status.h"

#include "cli/command.h"
#include "cli/guests.h"

#include <stdio.h>
#include <stdlib.h>

/* What was found out of all guests. */
struct tally {
	size_t guests[STATES];
	size_t groups; /* that are not as ruled */
	size_t shown;  /* guests, whatever their state */
	size_t failed;
};

const struct cpumask *
status_record(const struct status *status, const struct drift_group *group)
{
	const struct cpumask *record = domain_pins_find(&status->pins, group->step->group);
	return record != NULL && group->step->cpus != NULL &&
			       !cpumask_equal(record, group->step->cpus)
		       ? record
		       : NULL;
}

static enum state
judge(const struct status *status)
{
	return status->drift.drifted > 0 || status->pin.plan.missing_count > 0 ||
			       pin_obstacle(&status->pin) != NULL
		       ? STATE_DRIFT
		       : STATE_AS_RULED;
}

static int
compare(struct status *status, struct pin_host *host, const struct guest_xml *xml, struct err *e)
{
	struct pin *pin = &status->pin;
	int r = pin_prepare(pin, host, xml->text, xml->length, xml->source, PIN_SHOW, e);
	if (r == PIN_NO_RULE) {
		status->state = STATE_NO_RULE;
		return 0;
	}
	if (r != 0 || domain_parse_pins(xml->text, xml->length, &status->pins, e) != 0)
		return -1;
	if (pin->running &&
		drift_find(host->root, &pin->plan, &pin->cgroup, &status->drift, e) != 0)
		return -1;
	status->state =
		pin->running || pin_obstacle(pin) != NULL ? judge(status) : STATE_NOT_RUNNING;
	return 0;
}

/* Returns 0, or -1 with the reason. */
static int
look(struct status *status, struct pin_host *host, const struct guest_xml *xml, struct err *e)
{
	if (compare(status, host, xml, e) == 0)
		return 0;
	status->state = STATE_NOT_RUNNING;
	return pin_has_ended(&status->pin) ? 0 : -1;
}

static void
free_status(struct status *status)
{
	domain_pins_free(&status->pins);
	drift_free(&status->drift);
	pin_free(&status->pin);
}

static void
show(const struct status *status, bool json, struct tally *tally)
{
	bool first = tally->shown++ == 0;
	tally->guests[status->state]++;
	tally->groups += status->drift.drifted;
	if (json) {
		status_print_json(status);
		return;
	}
	if (!first)
		putchar('\n');
	if (status_print_text(status) != 0) {
		complain("out of memory");
		tally->failed++;
	}
}

static void
status_guest(const struct options *options, struct pin_host *host, const struct virt_guest *guest,
	struct tally *tally)
{
	struct status status = {.pin = {.lock = -1}};
	struct guest_xml xml;
	struct err e;
	int r = guests_xml(options, guest, &xml, &e);
	if (r == 0 && (r = look(&status, host, &xml, &e)) == 0)
		show(&status, options->json, tally);
	if (r < 0) {
		complain("%s: %s", guest->name, e.text);
		tally->failed++;
	}
	free_status(&status);
	free(xml.text);
}

static void
say_tally(const struct tally *tally)
{
	const struct {
		size_t count;
		const char *what;
	} parts[] = {{tally->guests[STATE_AS_RULED], "as ruled"},
		{tally->guests[STATE_DRIFT], "not as ruled"},
		{tally->guests[STATE_NO_RULE], "without a rule"},
		{tally->guests[STATE_NOT_RUNNING], "not running"}, {tally->failed, "failed"}};
	char text[256] = "";
	size_t used = 0;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (parts[i].count > 0)
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%zu %s",
				used > 0 ? ", " : "", parts[i].count, parts[i].what);
	if (tally->groups > 0)
		snprintf(text + used, sizeof(text) - used, "; drift in %zu group%s", tally->groups,
			tally->groups == 1 ? "" : "s");
	putchar('\n');
	print_line("%zu guests: %s", tally->shown + tally->failed, text);
}

static enum exit_status
status_with_rules(const struct options *options, struct pin_host *host)
{
	struct virt virt;
	struct tally tally = {0};
	int found = guests_find(options, &virt, &tally.failed);
	for (size_t i = 0; i < virt.count && found == 0; i++)
		status_guest(options, host, &virt.guests[i], &tally);
	if (found == 0 && !options->json && virt.count + tally.failed == 0)
		puts("no guest is running");
	if (!options->json && tally.shown > 1)
		say_tally(&tally);
	virt_close(&virt);
	return found != 0 || tally.failed > 0  ? EXIT_CANNOT
	       : tally.guests[STATE_DRIFT] > 0 ? EXIT_FINDINGS
					       : EXIT_OK;
}

static enum exit_status
run_status(const struct options *options)
{
	struct pin_host host;
	struct messages messages = {0};
	enum exit_status status = EXIT_CANNOT;
	if (pin_host_load(&host, options->root, &options->config, options->config != NULL,
		    &messages) == 0)
		status = status_with_rules(options, &host);
	print_messages(stderr, &messages);
	messages_free(&messages);
	pin_host_free(&host);
	return status;
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
		"GUEST: guests that libvirt knows; without it, every running guest.\n"
		"\n"
		"      --config FILE  read the rules from FILE, not from /etc\n"
		"      --sysroot DIR  read /etc, /proc, /run and /sys below DIR\n"
		"      --connect URI  the libvirt daemon (qemu:///system)\n"
		"      --json         one JSON object for each guest\n"
		"      --help         this text\n"
		"\n"
		"Exit status: 0 if all are as ruled, 1 if not, 2 if one could not be examined.\n",
};
