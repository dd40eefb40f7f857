/* SPDX-License-Identifier: MIT */
/* Finds the word for "Did you mean ...?" */
#ifndef VMAFFINITY_BASE_SUGGEST_H
#define VMAFFINITY_BASE_SUGGEST_H

#include <stddef.h>

/*
 * Returns the word of known[0 .. count - 1] that name is most likely a misspelling of, ignoring
 * case, or NULL if name resembles none of them.
 */
const char *suggest_nearest(const char *name, const char *const known[], size_t count);

#endif
