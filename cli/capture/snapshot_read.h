/* SPDX-License-Identifier: MIT */
/*
 * Makes a directory, as --sysroot takes it, from a host that "vmaffinity capture" has written as
 * text; docs/SNAPSHOT.md has the format.
 */
#ifndef VMAFFINITY_CLI_CAPTURE_SNAPSHOT_READ_H
#define VMAFFINITY_CLI_CAPTURE_SNAPSHOT_READ_H

#include "base/err.h"

#include <limits.h>
#include <signal.h>
#include <stddef.h>

/* Limits. A host has some 30 files, of a few bytes each, for each CPU: enough for 3,000 CPUs. */
#define HOST_FILE_MAX ((size_t)64 * 1024 * 1024)	  /* bytes of the text */
#define HOST_FILE_FILES_MAX 100000u			  /* files that it makes */
#define HOST_FILE_CONTENT_MAX ((size_t)256 * 1024 * 1024) /* bytes in all of them */

struct snapshot_tree {
	char directory[PATH_MAX]; /* a temporary directory that only this user can enter */
	int root;		  /* its fd */
	sigset_t signals;	  /* blocked before snapshot_open() */
};

/*
 * Makes the directory from the file path. Returns 0 with *host, to be removed by snapshot_close(),
 * or -1 with the reason, having removed what was made. Between the two, SIGHUP, SIGINT and SIGTERM
 * are blocked, so that the directory does not stay.
 */
int snapshot_open(const char *path, struct snapshot_tree *host, struct err *e);
void snapshot_close(struct snapshot_tree *host);

/*
 * Makes the files that text describes below the directory fd root. text is length bytes followed by
 * a NUL, and is overwritten; name, with a line number, comes before the reason of an error. Returns
 * 0, or -1 with the reason.
 */
int snapshot_make(int root, const char *name, char *text, size_t length, struct err *e);

#endif
