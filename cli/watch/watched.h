/* SPDX-License-Identifier: MIT */
/* A running guest as watch knows it. */
#ifndef VMAFFINITY_CLI_WATCH_WATCHED_H
#define VMAFFINITY_CLI_WATCH_WATCHED_H

#include "base/messages.h"
#include "guest/thread_group.h"

#include <stdbool.h>
#include <stddef.h>

/* Reasons for a pass over a guest, as bits; what a pass sets for which reason is in is_ours(). */
enum watch_reason {
	WATCH_NEW = 1,	   /* found running, or its events were lost: nothing is known of it */
	WATCH_STARTED = 2, /* libvirt has just started it */
	WATCH_RULES = 4,   /* the rules have changed */
	WATCH_GROUPS = 8,  /* a vCPU or an iothread was plugged in */
	WATCH_CHANGED = 16 /* its pins, masks or devices have changed, perhaps by another program */
};

struct watched {
	char *name;
	int watch;	    /* inotify watch of the directory that holds its groups, or -1 */
	int *group_watches; /* inotify watches of the groups' own directories */
	size_t group_watch_count;
	unsigned reasons;	      /* bits of enum watch_reason; 0: nothing is pending */
	struct thread_group *plugged; /* groups that libvirt has made since the last pass */
	size_t plugged_count;
	unsigned failures;	  /* in a row */
	bool given_up;		  /* after failures: what it has is nobody's choice */
	struct messages reported; /* what was wrong with it in the last report */
};

/* The running guests, in no order. */
struct watched_list {
	struct watched *items;
	size_t count;
};

/* Returns the guest of that name, valid until the list changes; NULL if there is none. */
struct watched *watched_find(const struct watched_list *list, const char *name);

/* Adds a reason for a pass over a running guest, and the guest if it is unknown. */
void watched_add(struct watched_list *list, const char *name, enum watch_reason reason);

/* Removes a guest that has ended. The kernel has removed its directories and inotify watches. */
void watched_remove(struct watched_list *list, struct watched *guest);

void watched_list_free(struct watched_list *list);

#endif
