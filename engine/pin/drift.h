/* SPDX-License-Identifier: MIT */
/* Drift: the differences between desired and actual state of a running guest. */
#ifndef VMAFFINITY_PIN_DRIFT_H
#define VMAFFINITY_PIN_DRIFT_H

#include "base/err.h"
#include "cgroup/cgroup.h"
#include "cgroup/group_state.h"
#include "pin/plan.h"

#include <stddef.h>

enum drift_kind {
	DRIFT_NONE,	/* as desired, or nothing is desired */
	DRIFT_UNPINNED, /* the group has all CPUs that the guest may use: it was never pinned */
	DRIFT_MASK,	/* the group has a mask that is not the desired one */
	DRIFT_GRANTED,	/* the mask is right, but the kernel does not grant all of it */
	DRIFT_THREADS,	/* all of the mask is granted, but threads keep to other CPUs: affinity.h */
	DRIFT_EXCLUSIVE, /* the CPUs are right, but a vCPU has them not, or still, to itself */
	DRIFT_STRAY,	 /* vhost workers are in the emulator's group, not in theirs */
	DRIFT_LEFT,	 /* neither a rule nor libvirt asks for the CPUs that the group has */
	DRIFT_MEMORY,	 /* the CPUs are as desired, but memory may come from other nodes */
};

/*
 * Compares a group's step with its actual state; nodes are the desired memory nodes, NULL if none
 * are, and allowed are the CPUs that the guest may use. Returns how the group drifts. Pure.
 */
enum drift_kind drift_kind(const struct plan_step *step, const struct cpumask *nodes,
	const struct group_state *actual, const struct cpumask *allowed);

struct drift_group {
	const struct plan_step *step;
	const struct cpumask *nodes; /* desired memory nodes; NULL: none are */
	bool nodes_given;	     /* no rule decides them */
	struct group_state actual;
	enum drift_kind kind;
};

/* Points into the plan that it was made of. */
struct drift {
	struct drift_group *groups; /* of the plan's steps, in order, without removed groups */
	size_t count;
	size_t drifted; /* groups that are not as desired */
};

/*
 * Compares a guest's plan with its actual state, which is read below the directory fd root as
 * group_state_read() does. Writes nothing. Returns 0 with *drift, to be freed by drift_free(),
 * or -1 with the reason.
 */
int drift_find(int root, const struct plan *plan, const struct cgroup *cgroup, struct drift *drift,
	struct err *e);
void drift_free(struct drift *drift);

/* Returns the end of the run of groups that drift as first does: one line reports them together. */
const struct drift_group *drift_end_of_run(
	const struct drift *drift, const struct drift_group *first);

#define DRIFT_TEXT_MAX 512

/*
 * Writes how a run of groups, from first to before end, drifts: "vcpu0-3: the cgroup has CPUs 0-1;
 * the rule says 4-7". Returns out; "" if first is as desired.
 */
char *drift_text(
	const struct drift_group *first, const struct drift_group *end, char out[DRIFT_TEXT_MAX]);

#endif
