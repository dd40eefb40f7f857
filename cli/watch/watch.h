/* SPDX-License-Identifier: MIT */
/* What "vmaffinity watch" knows of a guest, of the rules' files, and does about them. */
#ifndef VMAFFINITY_CLI_WATCH_WATCH_H
#define VMAFFINITY_CLI_WATCH_WATCH_H

#include "cli/command.h"
#include "cli/virt.h"

#include "base/messages.h"
#include "guest/thread_group.h"
#include "pin/pin.h"

#include <stdbool.h>
#include <stddef.h>

/* Why a guest is to be looked at, each a bit; what is set then is_to_set() says. */
enum watch_reason {
	WATCH_MET = 1,	   /* nothing is known of it, or of what happened to it lately */
	WATCH_STARTED = 2, /* libvirt has just started it */
	WATCH_RULES = 4,   /* the rules are others than before */
	WATCH_GROUPS = 8,  /* groups came */
	WATCH_CHANGED = 16 /* somebody else changed something about it */
};

struct watched {
	char *name;
	int watch;	  /* the inotify watch of the directory that holds its groups, or -1 */
	unsigned reasons; /* bits of enum watch_reason; 0: nothing is to be done */
	struct thread_group *came; /* groups that libvirt has made since the last look */
	size_t came_count;
	unsigned failures;    /* in a row */
	struct messages told; /* what is wrong with it, as it was told last */
};

void watched_free(struct watched *guest);

/*
 * Reads what the inotify fd has to tell of groups that libvirt has made, and messages it with those
 * of the guests whom it is about.
 */
void watch_groups_read(int inotify, struct watched *guests, size_t count);

/* What a look at a guest needs. */
struct watch_view {
	struct virt *virt;
	struct pin_host *host;	 /* the rules in force */
	struct pin_host *before; /* those that were in force at the last look, or NULL */
	int inotify;		 /* where the guests' directories are watched */
	struct watched *guests;	 /* all of them */
	size_t count;
};

/*
 * Looks at a guest for all its reasons, sets what is ours to set, and tells what is not as ruled
 * if that is news. Afterwards guest->reasons holds those that are left, for another try.
 */
void watch_guest(const struct watch_view *view, struct watched *guest);

/*
 * An eventfd, the caller's, that SIGTERM and SIGINT make readable; or -1 with errno set. Not a
 * signalfd, for libvirt's calls and a guest's lock wait without a limit: some seconds after the
 * signal the process ends there. What waits has nothing half done.
 */
int watch_end_open(void);

/* What tells of changes to the rules' files. */
struct watch_rules {
	int inotify;	    /* readable when there is news; the caller closes it */
	int root;	    /* directory fd of the standard places */
	const char *config; /* the only file, or NULL: those in the standard places */
	int main, more;	    /* watches of the directories of the (main) file and of the others */
};

/* Returns 0, or -1 with the reason. */
int watch_rules_open(struct watch_rules *rules, int root, const char *config, struct err *e);

/*
 * Looks at the directories that stand in their places now, which may be others than those that
 * were. Returns 0, or -1 if there is none to hold the (main) file.
 */
int watch_rules_follow(struct watch_rules *rules);

/* Reads what there is to tell. Returns whether the rules may be others now. */
bool watch_rules_changed(struct watch_rules *rules);

#endif
