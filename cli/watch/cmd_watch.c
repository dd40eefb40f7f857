/* SPDX-License-Identifier: MIT */
/* vmaffinity watch: waits for events and, at each, does what has become pending. */
#include "cli/command.h"
#include "cli/virt.h"
#include "cli/watch/guest.h"
#include "cli/watch/hotplug.h"
#include "cli/watch/notify.h"
#include "cli/watch/rule_files.h"
#include "cli/watch/signals.h"
#include "cli/watch/watched.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "pin/pin.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* The rules are read when their files have not changed for so long: edits of several belong
 * together. */
#define SETTLE_MS 200

/* The pause before libvirt is called again, or a failed pass is tried again. */
#define RETRY_MS 1000

struct watch {
	const struct options *options;
	struct pin_host *host; /* the rules in force, or NULL */
	struct pin_host *before;
	struct virt virt;
	struct virt_listener listener;
	bool connected, lost;
	bool complained; /* that libvirt cannot be reached */
	struct watched *guests;
	size_t count;
	int groups; /* inotify fd: watches the guests' directories */
	struct rule_files rules;
	bool rules_dir_gone; /* the rules' directory cannot be watched */
	int settle, retry;   /* timerfds */
	bool retry_armed;
	int end, hangup; /* eventfd, signalfd */
	struct virt_source sources[6];
	bool rules_due, retry_due, ended;
};

static struct watched *
find_guest(const struct watch *w, const char *name)
{
	for (size_t i = 0; i < w->count; i++)
		if (strcmp(w->guests[i].name, name) == 0)
			return &w->guests[i];
	return NULL;
}

/* Adds a reason for a pass over a running guest, and the guest if it is unknown. */
static void
add_guest(struct watch *w, const char *name, enum watch_reason reason)
{
	struct watched *guest = find_guest(w, name);
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

/* Forgets a guest that has ended. Its directory is gone, and with it the inotify watch. */
static void
forget_guest(struct watch *w, struct watched *guest)
{
	watched_free(guest);
	*guest = w->guests[--w->count];
}

static void
on_event(void *data, enum virt_event event, const char *name)
{
	struct watch *w = data;
	struct watched *guest = name != NULL ? find_guest(w, name) : NULL;
	if (event == VIRT_LOST)
		w->lost = true;
	else if (event == VIRT_STOPPED && guest != NULL)
		forget_guest(w, guest);
	else if (event != VIRT_STOPPED && name != NULL)
		add_guest(w, name, event == VIRT_STARTED ? WATCH_STARTED : WATCH_CHANGED);
}

static void
arm(int timer, int ms)
{
	struct itimerspec in = {.it_value = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L}};
	timerfd_settime(timer, 0, &in, NULL);
}

/* Reads a timerfd or an eventfd. True if it had expired, or had been written to. */
static bool
timer_expired(int fd)
{
	uint64_t times;
	return read(fd, &times, sizeof(times)) > 0;
}

static void
on_settle(void *data)
{
	struct watch *w = data;
	w->rules_due |= timer_expired(w->settle);
}

static void
on_retry(void *data)
{
	struct watch *w = data;
	if (!timer_expired(w->retry))
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
	w->ended |= timer_expired(w->end);
}

static void
on_rules(void *data)
{
	struct watch *w = data;
	if (rule_files_changed(&w->rules))
		arm(w->settle, SETTLE_MS);
}

static void
on_groups(void *data)
{
	struct watch *w = data;
	hotplug_read(w->groups, w->guests, w->count);
}

static void
free_rules(struct pin_host **host)
{
	if (*host != NULL)
		pin_host_free(*host);
	free(*host);
	*host = NULL;
}

/* Reads the rules. With an error in them, those before stay in force. */
static void
read_rules(struct watch *w)
{
	struct pin_host *host = malloc(sizeof(*host));
	struct messages messages = {0};
	w->rules_due = false;
	/* A directory may have been replaced. */
	w->rules_dir_gone = rule_files_follow(&w->rules) != 0;
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

/* Forgets guests that have ended while libvirt was not there. */
static void
forget_ended(struct watch *w)
{
	for (size_t i = w->count; i-- > 0;) {
		bool runs = false;
		for (size_t j = 0; j < w->virt.count && !runs; j++)
			runs = strcmp(w->virt.guests[j].name, w->guests[i].name) == 0;
		if (!runs)
			forget_guest(w, &w->guests[i]);
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
		if (!w->complained)
			complain("%s; trying again until it answers", e.text);
		w->complained = true;
		return;
	}
	forget_ended(w);
	for (size_t i = 0; i < w->virt.count; i++)
		add_guest(w, w->virt.guests[i].name, WATCH_NEW);
	print_line("libvirt answers; guests that run: %zu", w->virt.count);
	virt_forget(&w->virt);
	w->connected = true;
	w->complained = false;
}

static void
lose_libvirt(struct watch *w)
{
	virt_close(&w->virt);
	w->lost = w->connected = false;
	print_line("libvirt has gone");
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
		.guests = w->guests,
		.count = w->count};
	bool left = false;
	if (w->host == NULL)
		return false;
	pin_host_change(w->host, w->host->root);
	/* The pass over one guest reads the events of all of them, so it can make others due. */
	for (bool any = true; any && w->connected;) {
		any = false;
		for (size_t i = 0; i < w->count; i++)
			if (is_due(w, &w->guests[i])) {
				watch_guest(&view, &w->guests[i]);
				any = true;
			}
		w->retry_due = false;
	}
	for (size_t i = 0; i < w->count; i++)
		left = left || w->guests[i].reasons != 0;
	if (w->connected && !left)
		free_rules(&w->before);
	return left;
}

/* Does everything that is pending. */
static void
do_pending(struct watch *w)
{
	if (w->lost)
		lose_libvirt(w);
	if (w->rules_dir_gone && w->retry_due)
		w->rules_due |= rule_files_follow(&w->rules) == 0;
	if (w->rules_due)
		read_rules(w);
	if (w->retry_due && !w->connected)
		connect_to_libvirt(w);
	bool left = pass_over_guests(w);
	w->retry_due = false;
	if ((left || w->rules_dir_gone || !w->connected) && !w->retry_armed) {
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
	if (rule_files_open(&w->rules, w->options->root, w->options->config, e) != 0 ||
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
		forget_guest(w, &w->guests[w->count - 1]);
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
		do_pending(&w);
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
