/* SPDX-License-Identifier: MIT */
/*
 * "placement = one-to-one": which CPU each vCPU of a guest has to itself. Pure: the same guest,
 * CPUs and host give the same answer, whichever vCPUs are plugged in.
 */
#ifndef VMAFFINITY_DESIRED_VCPU_LAYOUT_H
#define VMAFFINITY_DESIRED_VCPU_LAYOUT_H

#include "base/cpumask.h"
#include "base/err.h"
#include "host/topology.h"

#include <stdbool.h>
#include <stddef.h>

struct vcpu_layout_guest {
	const unsigned *vcpus; /* ids to be placed, ascending */
	size_t count;
	unsigned threads; /* of a core of the guest: ids n * threads and on are siblings */
	const int *cells; /* the <numa> cell of each vCPU, by id; -1: none; NULL: there are none */
	unsigned cell_vcpus; /* how many of them there are */
};

struct vcpu_layout_host {
	const struct cpumask *cpus;  /* to be given out, all online */
	const struct cpumask *taken; /* not to be: another vCPU of the guest has it to itself */
	const struct topology_objects *cores;
	const struct topology_objects *nodes; /* NULL: cells do not matter */
};

#define VCPU_LAYOUT_TEXT_MAX 512

struct vcpu_layout_report {
	char text[VCPU_LAYOUT_TEXT_MAX]; /* how it went, for a person */
	bool split;			 /* siblings or a cell had to be split apart */
};

/*
 * placed[i] is then the CPU of guest->vcpus[i]. Guest siblings go on siblings of the host; where
 * the guest's cores have one thread, cores of the host that are wholly free come first, then those
 * in part, second hardware threads last. Each cell is kept on one node. Where cpus does not allow
 * that, it is done as far as it does, and report->split.
 *
 * Returns 0; 1 if there are fewer CPUs than vCPUs; -1 with the reason.
 */
int vcpu_layout_place(const struct vcpu_layout_guest *guest, const struct vcpu_layout_host *host,
	unsigned *placed, struct vcpu_layout_report *report, struct err *e);

#endif
