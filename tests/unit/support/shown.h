/* SPDX-License-Identifier: MIT */
/* Rules and their errors as text, which is easy to compare and to read. */
#ifndef VMAFFINITY_TESTS_UNIT_SUPPORT_SHOWN_H
#define VMAFFINITY_TESTS_UNIT_SUPPORT_SHOWN_H

#include "rules/rules.h"

#include "support/tree.h"

/*
 * Returns all rules as "[section]LINE key={value}LINE:COLUMN...". The text is valid until the next
 * call.
 */
const char *shown_rules(const struct rules *rules);

/* Returns the messages, a line each, valid until the next call. All of them must be errors. */
const char *shown_errors(const struct messages *messages);

/*
 * Loads the rules of tree and compares them with shown, unless that is NULL, and their errors with
 * wrong. name is the case's name in messages.
 */
void assert_load(const struct tree *tree, const char *name, const char *shown, const char *wrong);

#endif
