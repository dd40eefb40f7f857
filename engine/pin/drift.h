/* SPDX-License-Identifier: MIT */
/* Where a running guest is not as the rules desired. */
#ifndef VMAFFINITY_PIN_DRIFT_H
#define VMAFFINITY_PIN_DRIFT_H

#include "base/err.h"
#include "cgroup/cgroup.h"
#include "cgroup/group_state.h"
#include "pin/plan.h"

#include <stddef.h>

enum drift_kind {
	DRIFT_NONE,	/* as wished, or nothing is wished */
	DRIFT_UNPINNED, /* its mask is all that the guest may have: nobody has pinned it */
	DRIFT_MASK,	/* its mask is another one */
	DRIFT_GRANTED,	/* its mask is right, but the kernel does not grant all of it */
	DRIFT_THREADS, /* so is what is granted, but threads are kept elsewhere (the sticky mask) */
	DRIFT_MEMORY,  /* its CPUs are as wished, its memory may come from other nodes */
};

/*
 * How a group with this wish drifts, of which this was actual; nodes are those wished for its
 * memory, NULL if none are, and allowed is what CPUs it may have. Pure.
 */
enum drift_kind drift_kind(const struct plan_step *step, const struct cpumask *nodes,
	const struct group_state *actual, const struct cpumask *allowed);

struct drift_group {
	const struct plan_step *step;
	const struct cpumask *nodes; /* wished for its memory; NULL: none are */
	struct group_state actual;
	enum drift_kind kind;
};

/* Points into the plan that it was made of. */
struct drift {
	struct drift_group *groups; /* those of the plan's steps that were still there, in order */
	size_t count;
	size_t drifted; /* how many of them are not as wished */
};

/*
 * Compares a guest's plan with what is observed of it now; reads below the directory fd root, as
 * group_state_read() does, and writes nothing. Returns 0 with *drift, to be freed by drift_free(),
 * or -1 with the reason.
 */
int drift_find(int root, const struct plan *plan, const struct cgroup *cgroup, struct drift *drift,
	struct err *e);
void drift_free(struct drift *drift);

/* The groups that drift together with the first one are in a row: this is behind the last of them.
 */
const struct drift_group *drift_end_of_run(
	const struct drift *drift, const struct drift_group *first);

#define DRIFT_TEXT_MAX 512

/*
 * In words what is wrong with a run of groups, from first to the one before end: "vcpu0-3: the
 * cgroup has CPUs 0-1, the rule says 4-7". Returns out; "" if first is as wished.
 */
char *drift_text(
	const struct drift_group *first, const struct drift_group *end, char out[DRIFT_TEXT_MAX]);

#endif
