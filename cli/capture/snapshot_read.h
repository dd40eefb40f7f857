/* SPDX-License-Identifier: MIT */
/*
 * A host that is written down as text, as "vmaffinity capture" does (docs/SNAPSHOT.md), made
 * into the directory that --sysroot would name.
 */
#ifndef VMAFFINITY_CLI_CAPTURE_SNAPSHOT_READ_H
#define VMAFFINITY_CLI_CAPTURE_SNAPSHOT_READ_H

#include "base/err.h"

#include <limits.h>
#include <signal.h>
#include <stddef.h>

/* Limits: a host has some 30 files, of a few bytes each, for a CPU. This is enough for 3,000. */
#define HOST_FILE_MAX ((size_t)64 * 1024 * 1024)	  /* bytes of the text */
#define HOST_FILE_FILES_MAX 100000u			  /* files that it makes */
#define HOST_FILE_CONTENT_MAX ((size_t)256 * 1024 * 1024) /* bytes in all of them */

struct snapshot_tree {
	char directory[PATH_MAX]; /* a temporary one, which only this user can enter */
	int root;		  /* fd of it */
	sigset_t signals;	  /* those that were blocked before */
};

/*
 * Makes the directory. Returns 0 with *host, to be removed by snapshot_close(), or -1 with the
 * reason and nothing left behind. Until then the signals with which people end programs wait, lest
 * it stay.
 */
int snapshot_open(const char *path, struct snapshot_tree *host, struct err *e);
void snapshot_close(struct snapshot_tree *host);

#endif
