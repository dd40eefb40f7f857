/* SPDX-License-Identifier: MIT */
/*
 * CPU-set expressions: "0-3,8 @guests ^isolated" -> struct cpumask. The language is in
 * vmaffinity.ini(5).
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
 * Evaluates expressions of one set of rules on one host. Each named set is evaluated once. With
 * topology NULL expressions are only checked: what depends on the host counts as "every CPU,
 * perhaps".
 */
struct cpuset_expr {
	const struct rules *rules;
	struct topology *topology;
	struct messages *messages;    /* where the errors of named sets go, each once; NULL: up, to
					 their user */
	struct cpuset_expr_set *sets; /* for each of rules->sets, once one of them was needed */
	unsigned depth;
};

/* Zero-initialised but for rules and topology, it is ready for use. */
void cpuset_expr_free(struct cpuset_expr *expr);

/*
 * The CPUs that value means; never an empty set. Returns 0, or -1 with "FILE:LINE:COLUMN: reason".
 * *mask is untouched on failure.
 */
int cpuset_expr_eval(
	struct cpuset_expr *expr, const struct value *value, struct cpumask *mask, struct err *e);

/* Checks every CPU set in rules as far as that needs no host; adds each error to messages. */
void cpuset_expr_check_rules(const struct rules *rules, struct messages *messages);

/*
 * Whether an item "^x" stands before one without "^". It is taken away all the same, but libvirt's
 * <vcpu cpuset=> reads from left to right and would not. *offset and *length are then the item's.
 */
bool cpuset_expr_exclusion_first(const char *text, size_t *offset, size_t *length);

#endif
