/* SPDX-License-Identifier: MIT */
/* The hook's place in libvirt's hooks directory: the guard is put there and taken away. */
#ifndef VMAFFINITY_CLI_ENABLE_PLACE_H
#define VMAFFINITY_CLI_ENABLE_PLACE_H

#include "cli/hook_files.h"

#include "base/err.h"

#include <stdbool.h>
#include <time.h>

/* The guard as it is shipped, where the Makefile installs it. */
#ifndef GUARD
#define GUARD "/usr/lib/vmaffinity/guard"
#endif

/* A file in one of the two places. */
enum place_owner {
	PLACE_EMPTY,
	PLACE_OURS,
	PLACE_FOREIGN, /* another program's, or no regular file */
};

struct places {
	enum place_owner qemu, beside;
	const char *chosen; /* HOOK or HOOK_BESIDE */
};

/*
 * Finds out, below the directory fd root, where the hook goes: to HOOK, or to HOOK_BESIDE if
 * another program has that or ours is there already. Reads only. Returns 0, or -1 with the reason
 * why there is no place.
 */
int place_choose(int root, struct places *places, struct err *e);

enum place_result {
	PLACE_FAILED = -1,
	PLACE_UNCHANGED, /* the same guard was there */
	PLACE_PUT,
	PLACE_REPLACED, /* another version's guard was there, or one that was not executable */
};

/*
 * Puts the shipped guard into the chosen place by one rename, and then takes away one of ours in
 * the other place: libvirt would run both. Sets *places as they were before, and *since to the
 * change time of the hook. Returns PLACE_FAILED with the reason; nothing is changed then.
 */
enum place_result place_put(int root, struct places *places, struct timespec *since, struct err *e);

/*
 * Takes our guard away from both places, and directories that are left empty: that for the second
 * place, and without a libvirt daemon on this host also libvirt's. Sets *places as they were.
 * Returns 0, or -1 with the reason.
 */
int place_take_away(int root, struct places *places, struct err *e);

/* True if a libvirt daemon with the QEMU driver is installed below root. */
bool place_has_daemon(int root);

#endif
