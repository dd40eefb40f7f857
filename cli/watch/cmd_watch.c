/* SPDX-License-Identifier: MIT */
/* vmaffinity watch: waits for events, and has the pending work done after each. */
#include "cli/command.h"
#include "cli/watch/cpu_events.h"
#include "cli/watch/hotplug.h"
#include "cli/watch/notify.h"
#include "cli/watch/say.h"
#include "cli/watch/signals.h"
#include "cli/watch/watch.h"

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

/* The rules are read when their files have not changed for so long: edits of several belong
 * together. */
#define SETTLE_MS 200

static void
on_event(void *data, enum virt_event event, const char *name)
{
	struct watch *w = data;
	struct watched *guest = name != NULL ? watched_find(&w->guests, name) : NULL;
	if (event == VIRT_LOST)
		w->lost = true;
	else if (event == VIRT_STOPPED && guest != NULL)
		watched_remove(&w->guests, guest);
	else if (event != VIRT_STOPPED && name != NULL)
		watched_add(
			&w->guests, name, event == VIRT_STARTED ? WATCH_STARTED : WATCH_CHANGED);
	w->hook_due |= event == VIRT_STARTED;
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
on_guest_end(void *data)
{
	struct watch *w = data;
	w->ended |= timer_expired(w->end);
}

static void
on_rules(void *data)
{
	struct watch *w = data;
	if (rule_files_changed(&w->rules))
		watch_arm_timer(w->settle, SETTLE_MS);
}

static void
on_groups(void *data)
{
	struct watch *w = data;
	hotplug_read(w->groups, &w->guests, NULL);
}

/* A partition whose CPUs were all offline stays invalid when they come back: guests are looked at.
 */
static void
on_cpus(void *data)
{
	struct watch *w = data;
	if (cpu_events_read(w->cpus))
		for (size_t i = 0; i < w->guests.count; i++)
			w->guests.items[i].reasons |= WATCH_CHANGED;
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
	return add_source(w, 1, w->end, on_guest_end, e);
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
	if (add_source(w, 5, w->retry, on_retry, e) != 0)
		return -1;
	w->cpus = cpu_events_open();
	return add_source(w, 6, w->cpus, on_cpus, e);
}

static void
close_watch(struct watch *w)
{
	watched_list_free(&w->guests);
	virt_close(&w->virt);
	watch_free_rules(w);
	cleanup_close(&w->rules.inotify);
	cleanup_close(&w->groups);
	cleanup_close(&w->settle);
	cleanup_close(&w->retry);
	cleanup_close(&w->hangup);
	cleanup_close(&w->end);
	cleanup_close(&w->cpus);
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
		.cpus = -1,
		.rules_due = true,
		.retry_due = true};
	struct err e;
	int r = open_watch(&w, &e);
	w.listener = (struct virt_listener){.tell = on_event, .data = &w};
	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGPIPE, SIG_IGN); /* it must not end a pass that has begun */
	for (bool ready = false; r == 0 && !w.ended; ready = true) {
		watch_do_pending(&w);
		if (!ready)
			watch_notify("READY=1");
		if (ferror(stdout))
			break; /* main() says so */
		r = virt_loop_run(&e);
	}
	watch_notify("STOPPING=1");
	if (r != 0)
		watch_say(MESSAGE_ERROR, "vmaffinity: %s", e.text);
	close_watch(&w);
	return r == 0 ? EXIT_OK : EXIT_CANNOT;
}

const struct command command_watch = {
	.name = "watch",
	.run = run_watch,
	.options = OPTION_CONFIG | OPTION_CONNECT,
	.needs_root = true,
	.summary = "keep running guests as the rules say, until stopped",
	.help = "Usage: vmaffinity watch [OPTION...]\n"
		"\n"
		"Runs until it is stopped, and keeps running guests as the rules say: it pins\n"
		"vCPUs and iothreads that are plugged in, guests whose hook did not run, and\n"
		"guests whose rules were edited. Changes that others make are reported, and left\n"
		"alone unless [global] has enforce = yes. As a service: vmaffinity-watch.service.\n"
		"\n"
		"  -c, --config FILE  read the rules from FILE, not from /etc\n"
		"      --connect URI  the libvirt daemon (qemu:///system)\n"
		"  -h, --help         this text\n"
		"\n"
		"Signals: HUP reads the rules again; TERM and INT stop it.\n"
		"Exit status: 0 after a signal to stop, 3 if it could not run any longer.\n",
};
