/* SPDX-License-Identifier: MIT */
/* The columns that text takes on a terminal: two for a wide character, none for a combining one. */
#ifndef VMAFFINITY_CLI_COLUMNS_H
#define VMAFFINITY_CLI_COLUMNS_H

#include <stddef.h>

/* Moves *text past one character, in UTF-8, and returns its columns; *text must not be at the end.
 */
unsigned columns_next(const char **text);

/* Returns the columns of the first length bytes of text, or of all of it if it is shorter. */
unsigned columns_of(const char *text, size_t length);

#endif
