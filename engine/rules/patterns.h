/* SPDX-License-Identifier: MIT */
/* The value of "match": comma-separated GLOB, name:GLOB or uuid:UUID. */
#ifndef VMAFFINITY_RULES_PATTERNS_H
#define VMAFFINITY_RULES_PATTERNS_H

#include "base/err.h"

#include <stddef.h>

/*
 * Checks the form of each pattern. Returns 0, or -1 with the reason and the offset in text of the
 * first pattern that is wrong.
 */
int patterns_check(const char *text, size_t *offset, struct err *e);

enum pattern_match {
	PATTERN_NO_MATCH,
	PATTERN_NEEDS_UUID, /* one matches if the guest's UUID, which is not known, is the same */
	PATTERN_MATCHES,
};

/*
 * Matches a guest against patterns whose form patterns_check() has accepted. Globs are those of
 * fnmatch(3) without flags; a UUID may be in either case. uuid is NULL if it is not known.
 */
enum pattern_match patterns_match(const char *text, const char *name, const char *uuid);

#endif
