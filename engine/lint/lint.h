/* SPDX-License-Identifier: MIT */
/*
 * What rules may say and yet is not what it seems: findings with FILE:LINE, what happens, and what
 * to write instead.
 */
#ifndef VMAFFINITY_LINT_LINT_H
#define VMAFFINITY_LINT_LINT_H

#include "base/cpumask.h"
#include "base/err.h"
#include "base/messages.h"
#include "desired/cpuset_expr.h"
#include "desired/desired.h"
#include "guest/domain.h"
#include "rules/rules.h"

#include <stdbool.h>
#include <stddef.h>

/* The traps that the rules alone have, whatever the host and its guests. Adds them to findings. */
void lint_rules(const struct rules *rules, struct messages *findings);

/* A cgroup above the guests that keeps them from some CPUs. */
struct lint_limit {
	const char *name;
	struct cpumask granted;
};

/* What is known of one line of the rules after some guests. */
struct lint_setting {
	const struct setting *setting;
	const struct rule *rule;
	bool seen;		    /* a guest's mask was made of it */
	bool limited;		    /* and of that guest what limits it was looked at already */
	bool told;		    /* of isolated CPUs */
	bool overlaps;		    /* likewise, of CPUs that are two vCPUs' own */
	bool decides;		    /* over a group of some guest */
	const struct setting *by;   /* else: what decides over the first guest's */
	const struct rule *by_rule; /* the rule that has it; NULL if there are several */
	bool crowded;		    /* told, of more vCPUs than CPUs */
};

/* The CPUs that a guest's vCPUs have by one setting. */
struct lint_claim {
	size_t guest;
	struct lint_setting *setting;
	struct cpumask cpus;
	struct cpumask alone; /* of these: such as are meant for one vCPU alone */
};

struct lint_guest {
	char *name;
	struct cpumask vcpus; /* the CPUs that any of them may use */
};

/* All guests of one host. */
struct lint {
	struct cpuset_expr *expr;
	struct messages *findings;
	struct lint_setting *settings; /* sorted by the address of setting */
	size_t setting_count;
	size_t *matches; /* how many guests, for each of the rules */
	struct lint_guest *guests;
	size_t guest_count;
	struct lint_claim *claims; /* sorted by guest */
	size_t claim_count;
};

/*
 * expr: with rules without errors, and with the host's topology. The findings are added to
 * findings. Returns 0, or -1: no memory; lint_free() in any case.
 */
int lint_start(struct lint *lint, struct cpuset_expr *expr, struct messages *findings);

/*
 * Takes in one guest; what it has of traps by itself is told at once. limited: what the host and
 * cgroups do not grant it was told of already. Returns 0, or -1 with the reason.
 */
int lint_guest(struct lint *lint, const struct domain *domain, const struct matched *matched,
	const struct desired *desired, bool limited, struct err *e);

/*
 * After the last guest: what several guests have together, the rules that none has, and what the
 * host does not have of what they want. limit may be NULL. Returns 0, or -1 with the reason.
 */
int lint_finish(struct lint *lint, const struct lint_limit *limit, struct err *e);

void lint_free(struct lint *lint);

/* For lint_finish() only: vCPUs of several guests on one CPU, or on siblings. 0, or -1. */
int lint_between_guests(struct lint *lint, struct err *e);

#endif
