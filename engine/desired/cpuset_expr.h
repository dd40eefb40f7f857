/* SPDX-License-Identifier: MIT */
/*
 * Evaluates CPU-set expressions: "0-3,8 @guests ^isolated" gives a struct cpumask. The language is
 * described in vmaffinity.ini(5).
 */
#ifndef VMAFFINITY_DESIRED_CPUSET_EXPR_H
#define VMAFFINITY_DESIRED_CPUSET_EXPR_H

#include "base/cpumask.h"
#include "host/topology.h"
#include "rules/rules.h"

#include <stdbool.h>
#include <stddef.h>

struct cpuset_expr_set;

/*
 * Evaluates the expressions of one set of rules on one host, each named set once. Ready for use
 * when zero-initialised with rules and topology set. With topology NULL expressions are only
 * checked: an item that depends on the host may then be any CPU. The rules, topology and messages
 * belong to the caller.
 */
struct cpuset_expr {
	const struct rules *rules;
	struct topology *topology;
	struct messages *messages;    /* gets each error of a named set once; NULL: every user of
					 the set gets the error */
	struct cpuset_expr_set *sets; /* one for each of rules->sets; NULL until one is needed */
	unsigned depth;
};

/* Frees what evaluating allocated; expr can be used again. */
void cpuset_expr_free(struct cpuset_expr *expr);

/*
 * Evaluates value to *mask, which is never empty on success and untouched on failure. Returns 0, or
 * -1 with "FILE:LINE:COLUMN: reason".
 */
int cpuset_expr_eval(
	struct cpuset_expr *expr, const struct value *value, struct cpumask *mask, struct err *e);

/* Checks every CPU set in rules as far as no host is needed; adds each error to messages. */
void cpuset_expr_check_rules(const struct rules *rules, struct messages *messages);

/*
 * True if an item "^x" precedes one without "^". Such an item is taken away all the same, while
 * libvirt's <vcpu cpuset=> reads from left to right and would not. *offset and *length are then
 * the place of the first "^x" in text.
 */
bool cpuset_expr_exclusion_first(const char *text, size_t *offset, size_t *length);

#endif
