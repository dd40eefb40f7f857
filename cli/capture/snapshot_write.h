/* SPDX-License-Identifier: MIT */
/* A machine as text, the form of which is in docs/SNAPSHOT.md: a line for each file. */
#ifndef VMAFFINITY_CLI_CAPTURE_SNAPSHOT_WRITE_H
#define VMAFFINITY_CLI_CAPTURE_SNAPSHOT_WRITE_H

#include "base/cpumask.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

/* Where the files are, and whether all went well. */
struct snapshot {
	int root;	 /* directory fd; not owned */
	bool incomplete; /* something is there and could not be written; it has been complained of
			  */
};

/* Puts a path together. Returns false, after complaining, if it is too long. */
bool snapshot_path(struct snapshot *snapshot, char out[PATH_MAX], const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * What is in a file. Returns NULL, with nothing said, if it is not there or has nothing to tell;
 * else text that the caller frees.
 */
char *snapshot_read(struct snapshot *snapshot, const char *path);

/* Prints the line for a file that has this text. */
void snapshot_write(struct snapshot *snapshot, const char *path, const char *text);

/* Prints the line for an empty directory. */
void snapshot_write_directory(const char *path);

/* Prints the line for a file, if it is there. */
void snapshot_copy(struct snapshot *snapshot, const char *path);

/* Prints, of a file, the lines that have one of two words in them. */
void snapshot_copy_lines(
	struct snapshot *snapshot, const char *path, const char *word, const char *other);

/*
 * Prints the lines for the files BEFORE N AFTER, N being each of ids: one for those that have the
 * same in them. Returns whether there was any.
 */
bool snapshot_copy_each(struct snapshot *snapshot, const char *before, const struct cpumask *ids,
	const char *after);

/* The numbers N, as far as a mask goes, for which a directory has an entry STEM N. */
struct cpumask snapshot_numbers(
	const struct snapshot *snapshot, const char *path, const char *stem);

#endif
