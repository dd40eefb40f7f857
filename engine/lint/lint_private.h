/* SPDX-License-Identifier: MIT */
/* What the files of this wing share with one another. */
#ifndef VMAFFINITY_LINT_LINT_PRIVATE_H
#define VMAFFINITY_LINT_LINT_PRIVATE_H

#include "lint/lint.h"

/* The size of a list of CPUs in a finding; a longer list is cut. */
#define LINT_LIST_MAX 128

/*
 * Adds the findings about vCPUs of two guests that are on one CPU, or on hardware threads of one
 * core. Returns 0, or -1 with the reason.
 */
int lint_between_guests(struct lint *lint, struct err *e);

#endif
