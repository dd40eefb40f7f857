/* SPDX-License-Identifier: MIT */
/* Does the pending work of watch: the rules, the connection to libvirt, and passes over guests. */
#include "cli/hook_files.h"
#include "cli/watch/guest.h"
#include "cli/watch/say.h"
#include "cli/watch/watch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>

/* The pause before libvirt is called again, or a failed pass is tried again. */
#define RETRY_MS 1000

void
watch_arm_timer(int timer, int ms)
{
	struct itimerspec in = {.it_value = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L}};
	timerfd_settime(timer, 0, &in, NULL);
}

static void
free_rules(struct pin_host **host)
{
	if (*host != NULL)
		pin_host_free(*host);
	free(*host);
	*host = NULL;
}

void
watch_free_rules(struct watch *w)
{
	free_rules(&w->before);
	free_rules(&w->host);
}

/* Reports what is wrong in the rules. */
static void
say_errors(const struct messages *messages)
{
	for (size_t i = 0; i < messages->count; i++)
		watch_say(messages->items[i].level, "%s: %s",
			message_level_name(messages->items[i].level), messages->items[i].text);
	if (messages->dropped > 0)
		watch_say(MESSAGE_ERROR, "and %zu more", messages->dropped);
}

/* Reports that another program's hook has taken the place of ours, or that ours is back. */
static void
check_hook_files(struct watch *w)
{
	char path[PATH_MAX];
	bool gone = hook_files_only_foreign(w->options->root, path);
	w->hook_due = false;
	if (gone && !w->no_hook)
		watch_say(MESSAGE_WARNING,
			"warning: %s belongs to another program, and vmaffinity's hook is not "
			"installed; see vmaffinity doctor",
			path);
	else if (!gone && w->no_hook)
		watch_say(MESSAGE_INFO, "no hook of another program is in place of ours any more");
	w->no_hook = gone;
}

/* Reads the rules. With an error in them, those before stay in force. */
static void
read_rules(struct watch *w)
{
	struct pin_host *host = malloc(sizeof(*host));
	struct messages messages = {0};
	w->rules_due = false;
	w->hook_due = true;
	/* A directory may have been replaced. */
	w->rules_dir_gone = rule_files_follow(&w->rules) != 0;
	if (host == NULL) {
		watch_say(MESSAGE_ERROR, "out of memory");
		return;
	}
	if (pin_host_load(host, w->options->root, &w->options->config, w->options->config != NULL,
		    &messages) == 0) {
		free_rules(&w->before);
		w->before = w->host;
		w->host = host;
		for (size_t i = 0; i < w->guests.count; i++)
			w->guests.items[i].reasons |= WATCH_RULES;
		watch_say(MESSAGE_INFO, "rules in force: %zu, from %zu file%s",
			host->rules.rule_count, host->rules.file_count,
			host->rules.file_count == 1 ? "" : "s");
	} else {
		free_rules(&host);
		say_errors(&messages);
		watch_say(MESSAGE_ERROR, "the rules have errors: %s",
			w->host != NULL ? "those before stay in force" : "none is in force");
	}
	messages_free(&messages);
}

/* Forgets guests that have ended while libvirt was not there. */
static void
forget_ended(struct watch *w)
{
	for (size_t i = w->guests.count; i-- > 0;) {
		bool runs = false;
		for (size_t j = 0; j < w->virt.count && !runs; j++)
			runs = strcmp(w->virt.guests[j].name, w->guests.items[i].name) == 0;
		if (!runs)
			watched_remove(&w->guests, &w->guests.items[i]);
	}
}

static void
connect_to_libvirt(struct watch *w)
{
	struct err e;
	if (virt_open(&w->virt, w->options->connect, &e) != 0 ||
		virt_listen(&w->virt, &w->listener, &e) != 0 ||
		virt_list(&w->virt, true, NULL, &e) != 0) {
		virt_close(&w->virt);
		if (!w->complained)
			watch_say(MESSAGE_ERROR, "%s; trying again until it answers", e.text);
		w->complained = true;
		return;
	}
	forget_ended(w);
	for (size_t i = 0; i < w->virt.count; i++)
		watched_add(&w->guests, w->virt.guests[i].name, WATCH_NEW);
	watch_say(MESSAGE_INFO, "libvirt answers; guests that run: %zu", w->virt.count);
	virt_forget(&w->virt);
	w->connected = w->hook_due = true;
	w->complained = false;
}

static void
lose_libvirt(struct watch *w)
{
	virt_close(&w->virt);
	w->lost = w->connected = false;
	watch_say(MESSAGE_INFO, "libvirt has gone");
}

/* True if a pass over the guest is due. After a failure it waits for the timer. */
static bool
is_due(const struct watch *w, const struct watched *guest)
{
	return guest->reasons != 0 && (guest->failures == 0 || w->retry_due);
}

/* Makes the passes that are due. Returns true if any guest is left for another try. */
static bool
pass_over_guests(struct watch *w)
{
	const struct watch_view view = {.virt = &w->virt,
		.host = w->host,
		.before = w->before,
		.inotify = w->groups,
		.guests = &w->guests};
	bool left = false;
	if (w->host == NULL)
		return false;
	pin_host_change(w->host, w->host->root);
	/* The pass over one guest reads the events of all of them, so it can make others due. */
	for (bool any = true; any && w->connected;) {
		any = false;
		for (size_t i = 0; i < w->guests.count; i++)
			if (is_due(w, &w->guests.items[i])) {
				watch_guest(&view, &w->guests.items[i]);
				any = true;
			}
		w->retry_due = false;
	}
	for (size_t i = 0; i < w->guests.count; i++)
		left = left || w->guests.items[i].reasons != 0;
	if (w->connected && !left)
		free_rules(&w->before);
	return left;
}

void
watch_do_pending(struct watch *w)
{
	if (w->lost)
		lose_libvirt(w);
	if (w->rules_dir_gone && w->retry_due)
		w->rules_due |= rule_files_follow(&w->rules) == 0;
	if (w->rules_due)
		read_rules(w);
	if (w->retry_due && !w->connected)
		connect_to_libvirt(w);
	if (w->hook_due)
		check_hook_files(w);
	bool left = pass_over_guests(w);
	w->retry_due = false;
	if ((left || w->rules_dir_gone || !w->connected) && !w->retry_armed) {
		watch_arm_timer(w->retry, RETRY_MS);
		w->retry_armed = true;
	}
}
