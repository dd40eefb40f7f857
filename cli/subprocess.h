/* SPDX-License-Identifier: MIT */
/* Running another program, without waiting for it for ever. */
#ifndef VMAFFINITY_CLI_SUBPROCESS_H
#define VMAFFINITY_CLI_SUBPROCESS_H

#include "base/err.h"

/* Bytes of a program's output that are kept: enough for a loader's complaint about a library. */
#define PROGRAM_OUTPUT_MAX 512

struct program_result {
	int status;			 /* as waitpid(2) gives it */
	char output[PROGRAM_OUTPUT_MAX]; /* the first line on stdout and stderr, or a part of it */
};

/*
 * Runs the program arguments[0], a path, with an empty stdin and an environment of PATH and
 * LC_ALL=C only. After limit_ms milliseconds it is killed. Returns 0 with *result, or -1 with the
 * reason.
 */
int program_run(
	const char *const arguments[], int limit_ms, struct program_result *result, struct err *e);

/*
 * The same, but its stdin is the file stdin_fd, and what it prints to stdout goes to the file
 * stdout_fd; result->output is of stderr only. Both are files, so that nobody waits for the other.
 */
int program_filter(const char *const arguments[], int stdin_fd, int stdout_fd, int limit_ms,
	struct program_result *result, struct err *e);

#endif
