/* SPDX-License-Identifier: MIT */
/*
 * Finds rules that are valid but do not do what they seem to. Each finding names FILE:LINE, what
 * happens, and what to write instead.
 */
#ifndef VMAFFINITY_LINT_LINT_H
#define VMAFFINITY_LINT_LINT_H

#include "base/cpumask.h"
#include "base/err.h"
#include "base/messages.h"
#include "desired/cpuset_expr.h"
#include "desired/desired.h"
#include "guest/domain.h"
#include "guest/domain_pins.h"
#include "rules/rules.h"

#include <stdbool.h>
#include <stddef.h>

/* Adds to findings what is wrong with the rules on any host and with any guests. */
void lint_rules(const struct rules *rules, struct messages *findings);

/* A cgroup above the guests, and the CPUs that it allows them. */
struct lint_limit {
	const char *name;
	struct cpumask granted;
};

/* Collects what the guests so far show about one setting. */
struct lint_setting {
	const struct setting *setting;
	const struct rule *rule;
	bool seen;			     /* a guest has a mask from it */
	bool limited;			     /* a guest's limits on it are reported already */
	bool reported_overcommit;	     /* a guest has more vCPUs than CPUs */
	bool wins;			     /* it decides a group of a guest */
	const struct setting *shadowed_by;   /* decides the first group it applies to */
	const struct rule *shadowed_by_rule; /* the rule that always decides; NULL: several */
};

/* The CPUs that one setting gives to a guest's vCPUs. */
struct lint_claim {
	size_t guest; /* index into lint.guests */
	struct lint_setting *setting;
	size_t vcpus; /* the vCPUs that the setting decides, of those that are plugged in */
	struct cpumask cpus;
	struct cpumask alone; /* those of cpus that are meant for one vCPU alone */
};

/* The CPUs to which a guest's XML pins a group. */
struct lint_pin {
	struct thread_group group;
	struct cpumask cpus;
};

struct lint_guest {
	char *name;
	char *devices;			 /* its host devices, of struct domain_pins; NULL: none */
	struct cpumask vcpus;		 /* the CPUs that rules give the guest's vCPUs */
	struct cpumask alone;		 /* the CPUs that are each one vCPU's own */
	struct cpumask open;		 /* the CPUs that any thread of the guest may use */
	const struct lint_setting *own;	 /* the first setting with CPUs in alone, or NULL */
	const struct setting *first;	 /* the first setting that decides a group, or NULL */
	const struct setting *exclusive; /* the first that gives it CPUs to itself, or NULL */
	struct cpumask choice;		 /* the CPUs among which these are chosen */
	size_t cores;			 /* how many cores of the host they are */
	struct lint_pin *pins;		 /* those in its XML */
	size_t pin_count;
};

/* Collects what the rules do to all guests of one host. */
struct lint {
	struct cpuset_expr *expr;
	struct messages *findings;     /* of all guests */
	struct messages *of_guest;     /* of the guest at hand: lint_guest() */
	struct lint_setting *settings; /* sorted by the address of setting */
	size_t setting_count;
	size_t *matches; /* for each rule: how many guests it matches */
	struct lint_guest *guests;
	size_t guest_count;
	struct lint_claim *claims; /* sorted by guest */
	size_t claim_count;
};

/*
 * Starts a check of expr's rules, which must be free of errors, on the host of its topology. expr
 * and findings must live until lint_free(), which is to be called in any case. Returns 0, or -1
 * without memory.
 */
int lint_start(struct lint *lint, struct cpuset_expr *expr, struct messages *findings);

/* One guest, and what the rules do to it. */
struct lint_subject {
	const struct domain *domain;
	const struct matched *matched;
	const struct desired *desired;
	const struct domain_pins *pins; /* of its XML, for groups that no rule decides */
	bool limited; /* the CPUs that the host and its cgroups do not grant are reported already */
};

/*
 * Adds one guest. What it has by itself goes to findings, without its name. Returns 0, or -1 with
 * the reason.
 */
int lint_guest(struct lint *lint, const struct lint_subject *subject, struct messages *findings,
	struct err *e);

/*
 * Adds the findings that need all guests: CPUs that guests share, rules that match no guest, keys
 * that never win, and CPUs that the host or limit does not grant. limit may be NULL. Returns 0, or
 * -1 with the reason.
 */
int lint_finish(struct lint *lint, const struct lint_limit *limit, struct err *e);

void lint_free(struct lint *lint);

#endif
