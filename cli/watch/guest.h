/* SPDX-License-Identifier: MIT */
/* A pass over one guest: compares it with the rules, and sets what watch is to set. */
#ifndef VMAFFINITY_CLI_WATCH_GUEST_H
#define VMAFFINITY_CLI_WATCH_GUEST_H

#include "cli/virt.h"
#include "cli/watch/watched.h"
#include "pin/pin.h"

#include <stddef.h>

/* Holds all that a pass needs besides the guest. */
struct watch_view {
	struct virt *virt;
	struct pin_host *host;	 /* the rules in force */
	struct pin_host *before; /* the rules in force at the last pass, or NULL */
	int inotify;		 /* watches the guests' directories */
	const struct watched_list *guests;
};

/*
 * Compares the guest with the rules for all its reasons, sets what watch is to set, and reports
 * what is not as ruled if the last report was another one. Afterwards guest->reasons holds those
 * that are left for another try.
 */
void watch_guest(const struct watch_view *view, struct watched *guest);

#endif
