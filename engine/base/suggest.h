/* SPDX-License-Identifier: MIT */
/* "Did you mean ...?" */
#ifndef VMAFFINITY_BASE_SUGGEST_H
#define VMAFFINITY_BASE_SUGGEST_H

#include <stddef.h>

/*
 * The one of known[0 .. count - 1] that name most likely is a misspelling of, upper and lower case
 * being the same; NULL if it is like none of them.
 */
const char *suggest_nearest(const char *name, const char *const known[], size_t count);

#endif
