/* SPDX-License-Identifier: MIT */
/* Changes running guests one after the other, each as a whole, and says what was done. */
#ifndef VMAFFINITY_CLI_CHANGE_H
#define VMAFFINITY_CLI_CHANGE_H

#include "cli/guests.h"

#include "pin/pin.h"

/* A change that is made to each guest, and the words for it. */
struct change {
	/* Returns what pin_apply() does, and fills in done or e as it does. */
	enum pin_result (*make)(struct guests *guests, const char *name, void *data,
		char done[PIN_DONE_MAX], struct err *e);
	void *data;		  /* for make */
	const char *made;	  /* "released": of one guest and of their number */
	const char *needless;	  /* of a guest for which there was nothing to do */
	const char *needless_sum; /* of their number */
	const char *failed;	  /* "not released" */
};

/*
 * Changes the guests of options->words or, without words, all running ones. A signal such as Ctrl-C
 * ends it once the guest at hand is done; the caller then calls interrupt_end().
 */
enum exit_status change_guests(const struct options *options, const struct change *change);

#endif
