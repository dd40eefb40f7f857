/* SPDX-License-Identifier: MIT */
#include "cli/watch/notify.h"
#include "cli/watch/watch.h"

#include "base/array.h"
#include "base/cleanup.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* So long the rules' files must be at rest: who edits several means them together. */
#define SETTLE_MS 200

/* After that long it is tried again to reach libvirt, and to set what could not be set. */
#define RETRY_MS 1000

struct watch {
	const struct options *options;
	struct pin_host *host; /* the rules in force, or NULL */
	struct pin_host *before;
	struct virt virt;
	struct virt_listener listener;
	bool connected, lost;
	bool told_why; /* why libvirt cannot be reached */
	struct watched *guests;
	size_t count;
	int groups; /* inotify: of the guests' directories */
	struct watch_rules rules;
	bool deaf;	   /* the rules' directory cannot be watched: it has gone */
	int settle, retry; /* timers */
	bool retry_armed;
	int end, hangup; /* eventfd, signalfd */
	struct virt_source sources[6];
	bool rules_due, retry_due, ended;
};

static struct watched *
find(const struct watch *w, const char *name)
{
	for (size_t i = 0; i < w->count; i++)
		if (strcmp(w->guests[i].name, name) == 0)
			return &w->guests[i];
	return NULL;
}

/* A guest that runs is to be looked at. */
static void
meet(struct watch *w, const char *name, enum watch_reason reason)
{
	struct watched *guest = find(w, name);
	if (guest == NULL) {
		struct watched *larger = array_grow(w->guests, w->count, sizeof(*larger));
		char *copy = strdup(name);
		if (larger != NULL)
			w->guests = larger;
		if (larger == NULL || copy == NULL) {
			complain("%s: out of memory", name);
			free(copy);
			return;
		}
		guest = &w->guests[w->count++];
		*guest = (struct watched){.name = copy, .watch = -1};
	}
	guest->reasons |= reason;
	guest->failures = 0;
}

/* It does not run any more. Its directory is gone, and with it the watch. */
static void
part(struct watch *w, struct watched *guest)
{
	watched_free(guest);
	*guest = w->guests[--w->count];
}

static void
on_event(void *data, enum virt_event event, const char *name)
{
	struct watch *w = data;
	struct watched *guest = name != NULL ? find(w, name) : NULL;
	if (event == VIRT_LOST)
		w->lost = true;
	else if (event == VIRT_STOPPED && guest != NULL)
		part(w, guest);
	else if (event != VIRT_STOPPED && name != NULL)
		meet(w, name, event == VIRT_STARTED ? WATCH_STARTED : WATCH_CHANGED);
}

static void
arm(int timer, int ms)
{
	struct itimerspec in = {.it_value = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L}};
	timerfd_settime(timer, 0, &in, NULL);
}

/* Whether there was something to read: a timer that has run out, for one. */
static bool
has_come(int fd)
{
	uint64_t times;
	return read(fd, &times, sizeof(times)) > 0;
}

static void
on_settle(void *data)
{
	struct watch *w = data;
	w->rules_due |= has_come(w->settle);
}

static void
on_retry(void *data)
{
	struct watch *w = data;
	if (!has_come(w->retry))
		return;
	w->retry_due = true;
	w->retry_armed = false;
}

static void
on_hangup(void *data)
{
	struct watch *w = data;
	struct signalfd_siginfo info;
	w->rules_due |= read(w->hangup, &info, sizeof(info)) == sizeof(info);
}

static void
on_end(void *data)
{
	struct watch *w = data;
	w->ended |= has_come(w->end);
}

static void
on_rules(void *data)
{
	struct watch *w = data;
	if (watch_rules_changed(&w->rules))
		arm(w->settle, SETTLE_MS);
}

static void
on_groups(void *data)
{
	struct watch *w = data;
	watch_groups_read(w->groups, w->guests, w->count);
}

static void
free_rules(struct pin_host **host)
{
	if (*host != NULL)
		pin_host_free(*host);
	free(*host);
	*host = NULL;
}

/* Takes the rules as they are now, if they are without error; else those before stay in force. */
static void
read_rules(struct watch *w)
{
	struct pin_host *host = malloc(sizeof(*host));
	struct messages messages = {0};
	w->rules_due = false;
	/* Other directories may stand in the place of those that were watched. */
	w->deaf = watch_rules_follow(&w->rules) != 0;
	if (host == NULL) {
		complain("out of memory");
		return;
	}
	if (pin_host_load(host, w->options->root, &w->options->config, w->options->config != NULL,
		    &messages) == 0) {
		free_rules(&w->before);
		w->before = w->host;
		w->host = host;
		for (size_t i = 0; i < w->count; i++)
			w->guests[i].reasons |= WATCH_RULES;
		print_line("rules in force: %zu, from %zu file%s", host->rules.rule_count,
			host->rules.file_count, host->rules.file_count == 1 ? "" : "s");
	} else {
		free_rules(&host);
		print_messages(stderr, &messages);
		complain("the rules have errors: %s",
			w->host != NULL ? "those before stay in force" : "none is in force");
	}
	messages_free(&messages);
}

/* Forgets guests that ran when libvirt was there last, and do not now. */
static void
part_from_ended(struct watch *w)
{
	for (size_t i = w->count; i-- > 0;) {
		bool runs = false;
		for (size_t j = 0; j < w->virt.count && !runs; j++)
			runs = strcmp(w->virt.guests[j].name, w->guests[i].name) == 0;
		if (!runs)
			part(w, &w->guests[i]);
	}
}

static void
connect_to_libvirt(struct watch *w)
{
	struct err e;
	if (virt_open(&w->virt, w->options->connect, &e) != 0 ||
		virt_listen(&w->virt, &w->listener, &e) != 0 ||
		virt_list(&w->virt, true, &e) != 0) {
		virt_close(&w->virt);
		if (!w->told_why)
			complain("%s; trying again until it answers", e.text);
		w->told_why = true;
		return;
	}
	part_from_ended(w);
	for (size_t i = 0; i < w->virt.count; i++)
		meet(w, w->virt.guests[i].name, WATCH_MET);
	print_line("libvirt answers; guests that run: %zu", w->virt.count);
	virt_forget(&w->virt);
	w->connected = true;
	w->told_why = false;
}

static void
lose_libvirt(struct watch *w)
{
	virt_close(&w->virt);
	w->lost = w->connected = false;
	print_line("libvirt has gone");
}

/* A guest that could not be set is tried again when it is time, all others at once. */
static bool
is_due(const struct watch *w, const struct watched *guest)
{
	return guest->reasons != 0 && (guest->failures == 0 || w->retry_due);
}

/* Returns whether there is something left to be tried again. */
static bool
look_at_guests(struct watch *w)
{
	const struct watch_view view = {.virt = &w->virt,
		.host = w->host,
		.before = w->before,
		.inotify = w->groups,
		.guests = w->guests,
		.count = w->count};
	bool left = false;
	if (w->host == NULL)
		return false;
	pin_host_change(w->host, w->host->root);
	/* A look at one can tell of others, so there are looks until nothing is due. */
	for (bool looked = true; looked && w->connected;) {
		looked = false;
		for (size_t i = 0; i < w->count; i++)
			if (is_due(w, &w->guests[i])) {
				watch_guest(&view, &w->guests[i]);
				looked = true;
			}
		w->retry_due = false;
	}
	for (size_t i = 0; i < w->count; i++)
		left = left || w->guests[i].reasons != 0;
	if (w->connected && !left)
		free_rules(&w->before);
	return left;
}

/* Does what is due. */
static void
turn(struct watch *w)
{
	if (w->lost)
		lose_libvirt(w);
	if (w->deaf && w->retry_due)
		w->rules_due |= watch_rules_follow(&w->rules) == 0;
	if (w->rules_due)
		read_rules(w);
	if (w->retry_due && !w->connected)
		connect_to_libvirt(w);
	bool left = look_at_guests(w);
	w->retry_due = false;
	if ((left || w->deaf || !w->connected) && !w->retry_armed) {
		arm(w->retry, RETRY_MS);
		w->retry_armed = true;
	}
}

static int
add_source(struct watch *w, size_t i, int fd, void (*ready)(void *), struct err *e)
{
	w->sources[i] = (struct virt_source){.fd = fd, .ready = ready, .data = w};
	return fd >= 0 ? virt_loop_add(&w->sources[i], e) : err_set(e, "%s", strerror(errno));
}

static int
open_timer(void)
{
	return timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
}

static int
open_signals(struct watch *w, struct err *e)
{
	sigset_t hangup;
	sigemptyset(&hangup);
	sigaddset(&hangup, SIGHUP);
	sigprocmask(SIG_BLOCK, &hangup, NULL);
	w->hangup = signalfd(-1, &hangup, SFD_CLOEXEC | SFD_NONBLOCK);
	if (add_source(w, 0, w->hangup, on_hangup, e) != 0)
		return -1;
	w->end = watch_end_open();
	return add_source(w, 1, w->end, on_end, e);
}

static int
open_watch(struct watch *w, struct err *e)
{
	if (virt_loop_open(e) != 0 || open_signals(w, e) != 0)
		return -1;
	if (watch_rules_open(&w->rules, w->options->root, w->options->config, e) != 0 ||
		add_source(w, 2, w->rules.inotify, on_rules, e) != 0)
		return -1;
	w->groups = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (add_source(w, 3, w->groups, on_groups, e) != 0)
		return -1;
	w->settle = open_timer();
	if (add_source(w, 4, w->settle, on_settle, e) != 0)
		return -1;
	w->retry = open_timer();
	return add_source(w, 5, w->retry, on_retry, e);
}

static void
close_watch(struct watch *w)
{
	while (w->count > 0)
		part(w, &w->guests[w->count - 1]);
	free(w->guests);
	virt_close(&w->virt);
	free_rules(&w->before);
	free_rules(&w->host);
	cleanup_close(&w->rules.inotify);
	cleanup_close(&w->groups);
	cleanup_close(&w->settle);
	cleanup_close(&w->retry);
	cleanup_close(&w->hangup);
	cleanup_close(&w->end);
}

static enum exit_status
run_watch(const struct options *options)
{
	struct watch w = {.options = options,
		.rules = {.inotify = -1},
		.groups = -1,
		.settle = -1,
		.retry = -1,
		.end = -1,
		.hangup = -1,
		.rules_due = true,
		.retry_due = true};
	struct err e;
	int r = open_watch(&w, &e);
	w.listener = (struct virt_listener){.tell = on_event, .data = &w};
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (bool ready = false; r == 0 && !w.ended; ready = true) {
		turn(&w);
		if (!ready)
			watch_notify("READY=1");
		r = virt_loop_run(&e);
	}
	watch_notify("STOPPING=1");
	if (r != 0)
		complain("%s", e.text);
	close_watch(&w);
	return r == 0 ? EXIT_OK : EXIT_CANNOT;
}

const struct command command_watch = {
	.name = "watch",
	.run = run_watch,
	.options = OPTION_CONFIG | OPTION_CONNECT,
	.summary = "keep running guests as the rules say, until stopped",
	.help = "Usage: vmaffinity watch [OPTION...]\n"
		"\n"
		"Runs until it is stopped, and keeps running guests as the rules say: it pins\n"
		"vCPUs and iothreads that are plugged in, guests whose hook did not run, and\n"
		"guests whose rules were edited. Changes that others make are reported, and left\n"
		"alone unless [global] has enforce = yes. As a service: vmaffinity-watch.service.\n"
		"\n"
		"      --config FILE  read the rules from FILE, not from /etc\n"
		"      --connect URI  the libvirt daemon (qemu:///system)\n"
		"      --help         this text\n"
		"\n"
		"Signals: HUP reads the rules again; TERM and INT stop it.\n"
		"Exit status: 0 after a signal to stop, 2 if it could not run any longer.\n",
};
