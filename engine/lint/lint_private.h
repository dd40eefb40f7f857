/* SPDX-License-Identifier: MIT */
/* The functions that the files of this wing share with one another. */
#ifndef VMAFFINITY_LINT_LINT_PRIVATE_H
#define VMAFFINITY_LINT_LINT_PRIVATE_H

#include "lint/lint.h"

/* The size of a list of CPUs in a finding; a longer list is cut. */
#define LINT_LIST_MAX 128

/* Counts the thread groups that a guest may have, and returns one of them, from 0: the emulator. */
size_t lint_group_count(const struct domain *domain);
struct thread_group lint_group(const struct domain *domain, size_t i);

/*
 * Adds the findings about vCPUs of two guests that are on one CPU, or on hardware threads of one
 * core. Returns 0, or -1 with the reason.
 */
int lint_between_guests(struct lint *lint, struct err *e);

/*
 * Collects the CPUs that are each one vCPU's own and those that any thread may use, for the guest
 * added last, and reports threads of the guest that may use a vCPU's own CPU. Returns 0, or -1 with
 * the reason.
 */
int lint_open(struct lint *lint, const struct domain *domain, const struct desired *desired,
	const struct domain_pins *pins, struct err *e);

/* Collects the CPUs that any thread may use of the guest added last, which no rule matches. */
int lint_open_without_rule(struct lint *lint, const struct domain *domain,
	const struct domain_pins *pins, struct err *e);

/*
 * Collects, for the guest added last, the CPUs among which those that it has to itself are chosen,
 * and the pins in its XML. Both return 0, or -1 with the reason.
 */
int lint_exclusive_guest(struct lint *lint, const struct desired *desired, struct err *e);
int lint_exclusive_pins(struct lint *lint, const struct domain *domain,
	const struct domain_pins *pins, struct err *e);

/*
 * Reports what keeps guests from having CPUs to themselves. Returns 0, or -1 with the
 * reason.
 */
int lint_exclusive(struct lint *lint, struct err *e);

/* Reports sets of CPUs on which several guests have more than twice as many vCPUs. */
void lint_pools(struct lint *lint);

/*
 * Reports the CPUs that are one vCPU's own and open to other guests. Returns 0, or -1 with the
 * reason.
 */
int lint_open_between_guests(struct lint *lint, struct err *e);

/*
 * Returns the names of the marked guests, for the caller to free: "guest 'db1'", "guests 'db1',
 * 'web', which no rule confines"; NULL with the reason.
 */
char *lint_names(const struct lint *lint, const bool marked[], struct err *e);

#endif
