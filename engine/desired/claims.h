/* SPDX-License-Identifier: MIT */
/*
 * Lists the CPUs that running guests have to themselves, and those that thread groups cannot do
 * without: "placement = exclusive" chooses among the rest. pin/claims_read.h reads them.
 */
#ifndef VMAFFINITY_DESIRED_CLAIMS_H
#define VMAFFINITY_DESIRED_CLAIMS_H

#include "base/cpumask.h"
#include "guest/thread_group.h"

#include <stdbool.h>
#include <stddef.h>

/* The CPUs that another running guest has to itself. */
struct claim {
	char *guest;
	struct cpumask cpus;
};

/* A thread group of another running guest, which must be left one of the CPUs that it may use. */
struct claim_need {
	const char *guest; /* of claims.guests */
	struct thread_group group;
	unsigned last; /* the id of the last of several in sequence that may use the same CPUs */
	struct cpumask cpus;
};

/* A vCPU of the guest itself that has a CPU to itself. */
struct claim_kept {
	unsigned vcpu, cpu;
};

/* Zero-initialised: nobody has claims, of which nothing was read. claims_free() frees it. */
struct claims {
	struct cpumask usable; /* the CPUs that the guest may use, those of its vCPUs included */
	struct claim_kept *kept;
	size_t kept_count;
	bool others_read; /* the rest was read: that of other guests */
	struct claim *held;
	size_t held_count;
	struct claim_need *needs;
	size_t need_count;
	char **guests; /* the names of those that have needs */
	size_t guest_count;
};

void claims_free(struct claims *claims);

/* Returns all CPUs that other guests have to themselves. */
struct cpumask claims_held(const struct claims *claims);

/*
 * Writes which guests have CPUs of cpus to themselves: "db1 holds 4-7, game 8-9"; "" if none has.
 * Cuts what does not fit and ends it in "...". Returns out.
 */
char *claims_text(const struct claims *claims, const struct cpumask *cpus, char *out, size_t size);

#endif
