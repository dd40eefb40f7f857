/* SPDX-License-Identifier: MIT */
/* A running guest as watch knows it. */
#ifndef VMAFFINITY_CLI_WATCH_WATCHED_H
#define VMAFFINITY_CLI_WATCH_WATCHED_H

#include "base/messages.h"
#include "guest/thread_group.h"

#include <stddef.h>

/* Reasons for a pass over a guest, as bits; what a pass sets for which reason is in is_ours(). */
enum watch_reason {
	WATCH_NEW = 1,	   /* found running, or its events were lost: nothing is known of it */
	WATCH_STARTED = 2, /* libvirt has just started it */
	WATCH_RULES = 4,   /* the rules have changed */
	WATCH_GROUPS = 8,  /* a vCPU or an iothread was plugged in */
	WATCH_CHANGED = 16 /* somebody else has changed its pins or devices */
};

struct watched {
	char *name;
	int watch;	  /* inotify watch of the directory that holds its groups, or -1 */
	unsigned reasons; /* bits of enum watch_reason; 0: nothing is pending */
	struct thread_group *plugged; /* groups that libvirt has made since the last pass */
	size_t plugged_count;
	unsigned failures;	  /* in a row */
	struct messages reported; /* what was wrong with it in the last report */
};

void watched_free(struct watched *guest);

#endif
