/* SPDX-License-Identifier: MIT */
/* Makes text from outside (guest names, file contents) safe for a log or a terminal. */
#ifndef VMAFFINITY_BASE_ESCAPE_H
#define VMAFFINITY_BASE_ESCAPE_H

#include <stddef.h>

/*
 * Copies text to out, at most size bytes with the terminating NUL (size >= 4), writing each control
 * character and each byte that is not part of well-formed UTF-8 as \xNN. Text that does not fit is
 * cut and ends in "...". Returns out.
 */
char *escape_unprintable(char *out, size_t size, const char *text);

/*
 * Copies a name as escape_unprintable() does (size >= 6), in single quotes unless it has nothing
 * but ASCII letters, digits and "-_.+@": a guest called "db1: pinned: 0" cannot imitate a line
 * about db1. A single quote in it is written as \x27. Returns out.
 */
char *escape_name(char *out, size_t size, const char *name);

#endif
