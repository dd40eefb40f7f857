/* SPDX-License-Identifier: MIT */
/* The state of watch, and the work that its events make pending. */
#ifndef VMAFFINITY_CLI_WATCH_WATCH_H
#define VMAFFINITY_CLI_WATCH_WATCH_H

#include "cli/command.h"
#include "cli/virt_loop.h"
#include "cli/watch/rule_files.h"
#include "cli/watch/watched.h"
#include "pin/pin.h"

struct watch {
	const struct options *options;
	struct pin_host *host; /* the rules in force, or NULL */
	struct pin_host *before;
	struct virt virt;
	struct virt_listener listener;
	bool connected, lost;
	bool complained; /* that libvirt cannot be reached */
	struct watched_list guests;
	int groups; /* inotify fd: watches the guests' directories */
	struct rule_files rules;
	bool rules_dir_gone; /* the rules' directory cannot be watched */
	int settle, retry;   /* timerfds */
	bool retry_armed;
	int end, hangup; /* eventfd, signalfd */
	int cpus;	 /* netlink socket: CPUs that go offline or come back */
	struct virt_source sources[7];
	bool rules_due, retry_due, hook_due, ended;
	bool no_hook; /* a hook of another program is in the place of ours, as was reported */
};

/* Does everything that is pending: reads the rules, connects to libvirt, passes over guests. */
void watch_do_pending(struct watch *w);

/* Has the timerfd expire once, in ms milliseconds. */
void watch_arm_timer(int timer, int ms);

/* Frees the rules in force and those before. */
void watch_free_rules(struct watch *w);

#endif
