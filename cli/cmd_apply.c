/* SPDX-License-Identifier: MIT */
#include "cli/command.h"
#include "cli/guests.h"

#include "pin/pin.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* How it went with the guests. */
struct tally {
	size_t changed, as_ruled, no_rule, ended, failed;
};

/* What is worth knowing of a guest that was applied to, but for the reason why it failed. */
static void
say_warnings(const struct pin *pin, const char *name)
{
	const char *reason = pin_obstacle(pin);
	for (size_t i = 0; i < pin->messages.count; i++)
		if (pin->messages.items[i].level > MESSAGE_INFO &&
			pin->messages.items[i].text != reason)
			print_error_line("%s: %s: %s", name,
				message_level_name(pin->messages.items[i].level),
				pin->messages.items[i].text);
}

/* Who waits longer than this is told how far it is, if it is a person at a terminal. */
#define PATIENCE_SECONDS 1

static bool
is_slow(time_t start)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec > start + PATIENCE_SECONDS && isatty(STDERR_FILENO);
}

/* How far it is, on a line that clear_progress() erases: before anything else is printed. */
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

/* An outcome of pin_guest(), told and counted. */
static void
say_outcome(const struct options *options, const char *name, int outcome, const char *done,
	const struct err *e, struct tally *tally)
{
	if (outcome == PIN_CHANGED) {
		tally->changed++;
		print_line("%s: pinned: %s", name, done);
	} else if (outcome == 0) {
		tally->as_ruled++;
		print_line("%s: already as ruled", name);
	} else if (outcome == PIN_NO_RULE) {
		tally->no_rule++;
		print_line("%s: no rule pins it", name);
	} else if (outcome == PIN_NOT_RUNNING && options->word_count == 0) {
		tally->ended++;
	} else {
		tally->failed++;
		complain("%s: not pinned: %s", name, e->text);
	}
}

static void
apply_guest(const struct options *options, struct pin_host *host, const struct virt_guest *guest,
	bool shown, struct tally *tally)
{
	struct pin pin = {.lock = -1};
	struct guest_xml xml;
	struct err e;
	char done[PIN_DONE_MAX] = "";
	int r = guests_xml(options, guest, &xml, &e);
	if (r == 0)
		r = pin_guest(&pin, host, xml.text, xml.length, guest->name, done, &e);
	else if (r == GUESTS_PASSED_OVER)
		r = PIN_NOT_RUNNING;
	if (shown)
		clear_progress();
	say_warnings(&pin, guest->name);
	say_outcome(options, guest->name, r, done, &e, tally);
	pin_free(&pin);
	free(xml.text);
}

static void
apply_guests(const struct options *options, struct pin_host *host, const struct virt *virt,
	struct tally *tally)
{
	struct timespec start;
	bool shown = false;
	clock_gettime(CLOCK_MONOTONIC, &start);
	for (size_t i = 0; i < virt->count; i++) {
		apply_guest(options, host, &virt->guests[i], shown, tally);
		shown = i + 1 < virt->count && is_slow(start.tv_sec);
		if (shown)
			show_progress(i + 1, virt->count);
	}
}

static void
say_tally(const struct tally *tally, size_t guests)
{
	const struct {
		size_t count;
		const char *what;
	} parts[] = {{tally->changed, "pinned"}, {tally->as_ruled, "already as ruled"},
		{tally->no_rule, "without a rule"}, {tally->ended, "ended meanwhile"},
		{tally->failed, "failed"}};
	char text[256];
	size_t used = 0;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (parts[i].count > 0)
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%zu %s",
				used > 0 ? ", " : "", parts[i].count, parts[i].what);
	print_line("%zu guests: %s", guests, text);
}

static enum exit_status
apply_with_rules(const struct options *options, struct pin_host *host)
{
	struct virt virt;
	struct tally tally = {0};
	enum exit_status status = EXIT_CANNOT;
	if (guests_find(options, &virt, &tally.failed) == 0) {
		size_t guests = virt.count + tally.failed;
		apply_guests(options, host, &virt, &tally);
		if (guests == 0)
			puts("no guest is running");
		else if (guests > 1)
			say_tally(&tally, guests);
		status = tally.failed > 0 ? EXIT_FINDINGS : EXIT_OK;
	}
	virt_close(&virt);
	return status;
}

static enum exit_status
run_apply(const struct options *options)
{
	struct pin_host host;
	struct messages messages = {0};
	enum exit_status status = EXIT_CANNOT;
	if (options->all && options->word_count > 0) {
		complain("apply: GUEST and --all exclude each other");
		return misuse();
	}
	if (pin_host_load(&host, options->root, &options->config, options->config != NULL,
		    &messages) == 0)
		status = apply_with_rules(options, &host);
	print_messages(stderr, &messages);
	messages_free(&messages);
	pin_host_free(&host);
	return status;
}

const struct command command_apply = {
	.name = "apply",
	.run = run_apply,
	.options = OPTION_ALL | OPTION_CONFIG | OPTION_CONNECT,
	.words_max = ARGUMENTS_ANY,
	.words = "[GUEST...]",
	.summary = "pin running guests, say after an edit of the rules",
	.help = "Usage: vmaffinity apply [OPTION...] [GUEST...]\n"
		"\n"
		"Does to running guests what the hook does when they start, for example after\n"
		"the rules were edited.\n"
		"GUEST: running guests; without it, every running guest.\n"
		"\n"
		"      --all          every running guest: the default\n"
		"      --config FILE  read the rules from FILE, not from /etc\n"
		"      --connect URI  the libvirt daemon (qemu:///system)\n"
		"      --help         this text\n"
		"\n"
		"Exit status: 0; 1 if it failed for a guest; 2 if it could not be tried for any.\n",
};
