/* SPDX-License-Identifier: MIT */
/* Writes a host as text, a line for each file; docs/SNAPSHOT.md has the format. */
#ifndef VMAFFINITY_CLI_CAPTURE_SNAPSHOT_WRITE_H
#define VMAFFINITY_CLI_CAPTURE_SNAPSHOT_WRITE_H

#include "base/cpumask.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

/* The root below which files are read, and the first failure. */
struct snapshot {
	int root;	 /* directory fd; not owned */
	bool incomplete; /* a file is there and could not be written; that was complained of */
};

/* Formats a path. Returns false, after complaining, if it is too long. */
bool snapshot_path(struct snapshot *snapshot, char out[PATH_MAX], const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Reads a file. Returns its text, which the caller frees. Returns NULL without a complaint if it is
 * missing or its thread or cgroup has ended, and NULL after complaining on any other error.
 */
char *snapshot_read(struct snapshot *snapshot, const char *path);

/* Prints the line for a file with this text. */
void snapshot_write(struct snapshot *snapshot, const char *path, const char *text);

/* Prints the line for an empty directory. */
void snapshot_write_directory(const char *path);

/* Prints the line for a file, if it is there. */
void snapshot_copy(struct snapshot *snapshot, const char *path);

/* Prints the line for a file, with those of its lines that contain word or other. */
void snapshot_copy_lines(
	struct snapshot *snapshot, const char *path, const char *word, const char *other);

/*
 * Prints lines for the files BEFORE N AFTER, for each N in ids; files with the same text share a
 * line. Returns true if there was any such file.
 */
bool snapshot_copy_each(struct snapshot *snapshot, const char *before, const struct cpumask *ids,
	const char *after);

/* Returns the numbers N below CPUMASK_CPUS for which the directory path has an entry STEM N. */
struct cpumask snapshot_numbers(
	const struct snapshot *snapshot, const char *path, const char *stem);

#endif
