/* SPDX-License-Identifier: MIT */
/* Rules and their errors as text: easy to compare, and to see what is wrong. */
#ifndef VMAFFINITY_TESTS_UNIT_SUPPORT_SHOWN_H
#define VMAFFINITY_TESTS_UNIT_SUPPORT_SHOWN_H

#include "rules/rules.h"

#include "support/tree.h"

/*
 * Each lives until the next call. Of the rules all that was read: "[section]LINE
 * key={value}LINE:COLUMN..."
 */
const char *shown_rules(const struct rules *rules);

/* The messages, which all must be errors, a line each. */
const char *shown_errors(const struct messages *messages);

/*
 * Loads the rules of tree, which must be shown so, if shown is not NULL, with these errors. name is
 * for messages.
 */
void assert_load(const struct tree *tree, const char *name, const char *shown, const char *wrong);

#endif
