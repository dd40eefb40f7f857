/* SPDX-License-Identifier: MIT */
/*
 * The desired state of one guest: the CPUs that each of its thread groups should have, and the
 * nodes that its memory should come from. build.h makes it; pin/ compares it with the actual state.
 */
#ifndef VMAFFINITY_DESIRED_DESIRED_H
#define VMAFFINITY_DESIRED_DESIRED_H

#include "base/cpumask.h"
#include "guest/thread_group.h"
#include "rules/rules.h"

#include <stdbool.h>
#include <stddef.h>

/* The CPUs of one setting. All groups that the setting decides share it, except one-to-one ones. */
struct desired_mask {
	const struct setting *setting;
	struct cpumask requested; /* the CPUs that the setting names */
	struct cpumask cpus;	  /* the usable CPUs of requested; may be empty */
	struct cpumask whole;	  /* the CPUs of requested that the host has, offline ones too */
	bool single;		  /* one-to-one: the mask of one vCPU, with its CPU or none */
	struct cpumask exclusive; /* the CPUs that the vCPU has to itself: cpus, and idle siblings
				   */
};

struct desired_group {
	struct thread_group group;
	const struct setting *setting;	 /* NULL: no rule sets this group */
	const struct desired_mask *mask; /* NULL: leave the group as libvirt set it */
};

/*
 * The nodes for a guest's memory; zero-initialised: no rule sets them. A set of nodes is a struct
 * cpumask of their numbers, because the kernel prints both lists in the same form.
 */
struct memory {
	const struct value *value; /* that decides; NULL: none */
	bool automatic;		   /* "auto": no wish that is worth the CPUs */
	bool wanted;		   /* false: leave the memory where libvirt put it */
	struct cpumask requested;  /* the nodes that the value names */
	struct cpumask nodes;	   /* the usable nodes of requested; may be empty */
};

/* Owns its arrays; settings and values belong to the rules. */
struct desired {
	struct desired_mask *masks; /* one for each setting that decides */
	size_t mask_count;
	struct desired_mask *per_vcpu; /* one-to-one: a mask for each vCPU; NULL: none */
	struct desired_group *groups;  /* sorted by thread_group_compare(), each once */
	size_t group_count;
	struct memory memory;
};

/* Frees what desired owns and zeroes it. Does nothing to a zero-initialised one. */
void desired_free(struct desired *desired);

/* Returns the desired state of a group, or NULL if desired does not have that group. */
const struct desired_group *desired_find(const struct desired *desired, struct thread_group group);

/* True if a group is a vCPU that a rule gives CPUs. */
bool desired_vcpu_has_cpus(const struct desired_group *group);

/* Orders struct desired_group by thread_group_compare(); for qsort() and bsearch(). */
int desired_group_compare(const void *a, const void *b);

#endif
