/* SPDX-License-Identifier: MIT */
/* vmaffinity apply: pins running guests, as the hook would. */
#include "cli/command.h"
#include "cli/guests.h"
#include "cli/hook_files.h"
#include "cli/interrupt.h"
#include "cli/json.h"
#include "cli/tally.h"
#include "cli/with_rules.h"

#include "base/cleanup.h"
#include "cgroup/qemu_process.h"
#include "guest/domain_pins.h"
#include "pin/pin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Guests by outcome. */
struct outcomes {
	size_t changed, given, as_ruled, no_rule, ended, left;
	struct failures failures;
	json_object *guests; /* with --json: an object for each guest; else NULL */
};

/* Prints the warnings and errors about a guest, except the reason why it was not pinned. */
static void
print_warnings(const struct pin *pin, const char *name)
{
	const char *reason = pin->incomplete != NULL ? pin->incomplete : pin_obstacle(pin);
	for (size_t i = 0; i < pin->messages.count; i++)
		if (pin->messages.items[i].level > MESSAGE_INFO &&
			pin->messages.items[i].text != reason)
			print_error_line("%s: %s: %s", name,
				message_level_name(pin->messages.items[i].level),
				pin->messages.items[i].text);
}

/* A command that takes longer than this shows its progress on a terminal. */
#define PATIENCE_SECONDS 1

static bool
is_slow(time_t start)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec > start + PATIENCE_SECONDS && isatty(STDERR_FILENO);
}

/* Shows the progress on a line that clear_progress() must erase before anything else is printed. */
static void
show_progress(size_t done, size_t count)
{
	fflush(stdout);
	fprintf(stderr, "%zu of %zu guests\r", done, count);
}

static void
clear_progress(void)
{
	fputs("\33[K", stderr);
}

/* Prints or, for --json, keeps that a guest is in this state now. set: what was set, or NULL. */
static void
report(struct outcomes *outcomes, const struct pin *pin, const char *name, const char *state,
	const char *words, const char *set)
{
	if (outcomes->guests == NULL) {
		print_line(
			"%s: %s%s%s", name, words, set != NULL ? ": " : "", set != NULL ? set : "");
		return;
	}
	json_object *object = json_object_new_object();
	json_object_object_add(object, "guest", json_object_new_string(name));
	json_object_object_add(object, "error", NULL);
	json_object_object_add(object, "state", json_object_new_string(state));
	json_object_object_add(object, "set", set != NULL ? json_object_new_string(set) : NULL);
	json_object_object_add(object, "notes", json_messages(&pin->messages, &pin->host->rules));
	json_object_array_add(outcomes->guests, object);
}

/* Prints and counts an outcome of pin_guest(). */
static void
print_outcome(const struct options *options, const char *name, const struct pin *pin,
	enum pin_result outcome, const char *done, const struct err *e, struct outcomes *outcomes)
{
	struct err why = *e;
	switch (outcome) {
	case PIN_CHANGED:
		*(pin->ruled ? &outcomes->changed : &outcomes->given) += 1;
		report(outcomes, pin, name, pin->ruled ? "pinned" : "given-back",
			pin->ruled ? "pinned" : "given back", done);
		return;
	case PIN_OK:
		outcomes->as_ruled++;
		report(outcomes, pin, name, "as-ruled", "already as ruled", NULL);
		return;
	case PIN_NO_RULE:
		outcomes->no_rule++;
		report(outcomes, pin, name, "no-rule", "no rule pins it", NULL);
		return;
	case PIN_NOT_RUNNING:
		if (options->word_count == 0) {
			outcomes->ended++;
			return;
		}
		break;
	case PIN_FAILED:
		break;
	}
	err_context(&why, "not pinned");
	failures_add(&outcomes->failures, name, why.text);
}

/* Makes the plan for a guest. Returns as pin_prepare() does. */
static enum pin_result
prepare(struct pin_host *host, const char *name, const char *xml, struct pin *pin, struct err *e)
{
	enum pin_result r =
		pin_prepare(pin, host, xml, xml != NULL ? strlen(xml) : 0, name, PIN_APPLY_ALL, e);
	if (r != PIN_OK || pin->incomplete == NULL)
		return r;
	err_set(e, "%s", pin->incomplete);
	return PIN_FAILED;
}

/*
 * Plans to give a guest back what an earlier rule took from groups that no rule decides now. Asks
 * libvirt for its record, without the guest's lock, for which the hook may be waiting. Without a
 * record those groups are left as they are, with a warning. Returns as prepare() does.
 */
static enum pin_result
give_back_rest(struct guests *guests, struct pin_host *host, const char *name, char **xml,
	struct pin *pin, struct domain_pins *record, struct err *e)
{
	struct err why;
	size_t count;
	pin_free(pin);
	bool known = (*xml != NULL || guests_read_xml(guests, name, xml, &why) == 0) &&
		     domain_parse_pins(*xml, strlen(*xml), record, &why) == 0;
	enum pin_result r = prepare(host, name, *xml, pin, e);
	if (r != PIN_OK)
		return r;
	if (!known)
		messages_add(&pin->messages, MESSAGE_WARNING, "record-unknown",
			"groups that no rule is about are left as they are, libvirt's record of "
			"them is not known: %s",
			why.text);
	return !known || pin_give_back(pin, record, &count, e) == 0 ? PIN_OK : PIN_FAILED;
}

/* Pins a guest, without a question to libvirt unless its rules, or the lack of one, need it. */
static enum pin_result
apply_by_rules(struct guests *guests, struct pin_host *host, const char *name, struct pin *pin,
	char done[PIN_DONE_MAX], struct err *e)
{
	AUTO_FREE char *xml = NULL;
	struct domain_pins record = {0};
	if (pin_needs_xml(host, name) && guests_read_xml(guests, name, &xml, e) != 0) {
		err_context(e, "its rules need its XML");
		return qemu_process_has_ended(host->root, name) ? PIN_NOT_RUNNING : PIN_FAILED;
	}
	interrupt_changing(true);
	enum pin_result r = prepare(host, name, xml, pin, e);
	bool unruled = pin->name != NULL && !pin->ruled;
	/* A name that nobody checked may be wrong; else nothing is asked of a guest without rules.
	 */
	bool unknown = guests->options->word_count > 0 && guests->options->connect == NULL;
	if (unruled && (r == PIN_FAILED || (r == PIN_NOT_RUNNING && !unknown)))
		return PIN_NO_RULE;
	if (r == PIN_OK && pin_is_confined(pin))
		r = give_back_rest(guests, host, name, &xml, pin, &record, e);
	if (r == PIN_OK)
		r = pin_apply(pin, done, e);
	domain_pins_free(&record);
	return unruled && r == PIN_OK ? PIN_NO_RULE : r;
}

static void
apply_guest(struct guests *guests, struct pin_host *host, const char *name, bool shown,
	struct outcomes *outcomes)
{
	struct pin pin = PIN_NONE;
	struct err e;
	char done[PIN_DONE_MAX] = "";
	enum pin_result r = apply_by_rules(guests, host, name, &pin, done, &e);
	const struct virt_guest *known = virt_known(&guests->virt, name);
	if (r == PIN_NOT_RUNNING && !pin.running && known != NULL &&
		guests_run_elsewhere(guests->options, known)) {
		err_set(&e, GUESTS_ELSEWHERE, guests->options->connect);
		r = PIN_FAILED;
	}
	if (shown)
		clear_progress();
	print_warnings(&pin, name);
	print_outcome(guests->options, name, &pin, r, done, &e, outcomes);
	pin_free(&pin);
	interrupt_changing(false);
}

/* Adds the guests from first on, which a signal has left as they were. */
static void
leave_guests(const struct guests *guests, size_t first, struct outcomes *outcomes)
{
	struct err e;
	err_set(&e, "not looked at: ended by signal %d (%s)", interrupt_signal(),
		strsignal(interrupt_signal()));
	for (size_t i = first; i < guests->count; i++)
		failures_add(&outcomes->failures, guests->names[i], e.text);
	outcomes->left = guests->count - first;
}

static void
apply_guests(struct guests *guests, struct pin_host *host, struct outcomes *outcomes)
{
	struct timespec start;
	bool shown = false;
	clock_gettime(CLOCK_MONOTONIC, &start);
	interrupt_catch();
	for (size_t i = 0; i < guests->count; i++) {
		apply_guest(guests, host, guests->names[i], shown, outcomes);
		shown = i + 1 < guests->count && is_slow(start.tv_sec);
		if (shown)
			show_progress(i + 1, guests->count);
		if (interrupt_signal() != 0) {
			if (shown)
				clear_progress();
			leave_guests(guests, i + 1, outcomes);
			break;
		}
	}
}

static void
print_apply_counts(const struct outcomes *outcomes, size_t guests)
{
	const struct tally_part parts[] = {{outcomes->changed, "pinned"},
		{outcomes->given, "given back"}, {outcomes->as_ruled, "already as ruled"},
		{outcomes->no_rule, "without a rule"}, {outcomes->ended, "ended meanwhile"},
		{outcomes->failures.count - outcomes->left, "failed"},
		{outcomes->left, "not looked at"}};
	if (guests == 0)
		puts("no guest is running");
	else if (guests > 1)
		tally_print(guests, parts, sizeof(parts) / sizeof(parts[0]));
}

static enum exit_status
apply_with_rules(const struct options *options, struct pin_host *host)
{
	struct guests guests;
	struct outcomes outcomes = {.guests = options->json ? json_object_new_array() : NULL};
	enum exit_status status = EXIT_CANNOT;
	hook_files_warn(options->root);
	if (guests_open(&guests, options, &outcomes.failures) == 0) {
		size_t count = guests.count + outcomes.failures.count;
		apply_guests(&guests, host, &outcomes);
		if (options->json)
			failures_print_json(&outcomes.failures, outcomes.guests);
		else
			print_apply_counts(&outcomes, count);
		status = outcomes.failures.count > outcomes.left ? EXIT_FINDINGS : EXIT_OK;
	} else {
		json_object_put(outcomes.guests);
	}
	failures_free(&outcomes.failures);
	guests_close(&guests);
	return status;
}

static enum exit_status
run_apply(const struct options *options)
{
	if (options->all && options->word_count > 0) {
		complain("apply: GUEST and --all exclude each other");
		return misuse(&command_apply);
	}
	enum exit_status status = with_rules(options, apply_with_rules);
	interrupt_end();
	return status;
}

const struct command command_apply = {
	.name = "apply",
	.run = run_apply,
	.options = OPTION_ALL | OPTION_CONFIG | OPTION_CONNECT | OPTION_JSON | OPTION_QUIET,
	.needs_root = true,
	.words_max = ARGUMENTS_ANY,
	.words = "[GUEST...]",
	.summary = "pin running guests, say after an edit of the rules",
	.help = "Usage: vmaffinity apply [OPTION...] [GUEST...]\n"
		"\n"
		"Does to running guests what the hook does when they start, for example after\n"
		"the rules were edited. Threads that no rule is about any more get back the CPUs\n"
		"that libvirt gave them.\n"
		"GUEST: a running guest's name, UUID or id, or a pattern of names ('web-*');\n"
		"without it, every running guest.\n"
		"\n"
		"      --all          every running guest: the default\n"
		"  -c, --config FILE  read the rules from FILE, not from /etc\n"
		"      --connect URI  take the guests from this libvirt daemon\n"
		"      --json         one JSON object\n"
		"  -q, --quiet        print nothing to standard output\n"
		"  -h, --help         this text\n"
		"\n"
		"A signal such as Ctrl-C ends it once the guest at hand is done.\n"
		"Exit status: 0; 1 if a guest failed, 2 errors in the rules, 3 could not try.\n",
};
