/* A machine as text, the form of which is in tests/fixtures/README: a line for each file. */
#ifndef VMAFFINITY_CLI_MACHINE_H
#define VMAFFINITY_CLI_MACHINE_H

#include "base/cpumask.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

/* Where the files are, and whether all went well. */
struct machine {
	int root;	 /* directory fd; not owned */
	bool incomplete; /* something is there and could not be written; it has been complained of
			  */
};

/* Puts a path together. Returns false, after complaining, if it is too long. */
bool machine_path(struct machine *machine, char out[PATH_MAX], const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * What is in a file. Returns NULL, with nothing said, if it is not there or has nothing to tell;
 * else text that the caller frees.
 */
char *machine_read(struct machine *machine, const char *path);

/* Prints the line for a file that has this text. */
void machine_put(struct machine *machine, const char *path, const char *text);

/* Prints the line for an empty directory. */
void machine_put_directory(const char *path);

/* Prints the line for a file, if it is there. */
void machine_take(struct machine *machine, const char *path);

/* Prints, of a file, the lines that have one of two words in them. */
void machine_take_lines(
	struct machine *machine, const char *path, const char *word, const char *other);

/*
 * Prints the lines for the files BEFORE N AFTER, N being each of ids: one for those that have the
 * same in them. Returns whether there was any.
 */
bool machine_take_each(
	struct machine *machine, const char *before, const struct cpumask *ids, const char *after);

/* The numbers N, as far as a mask goes, for which a directory has an entry STEM N. */
struct cpumask machine_numbers(const struct machine *machine, const char *path, const char *stem);

#endif
