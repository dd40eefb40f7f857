/* SPDX-License-Identifier: MIT */
/*
 * Lays the vCPUs of a guest out on host CPUs, one each, for "placement = one-to-one". Pure: the
 * result depends on the guest, the CPUs and the host alone, not on which vCPUs are plugged in.
 */
#ifndef VMAFFINITY_DESIRED_VCPU_LAYOUT_H
#define VMAFFINITY_DESIRED_VCPU_LAYOUT_H

#include "base/cpumask.h"
#include "base/err.h"
#include "host/topology.h"

#include <stdbool.h>
#include <stddef.h>

struct vcpu_layout_guest {
	const unsigned *vcpus; /* the ids to place, ascending */
	size_t count;
	unsigned threads;     /* per guest core: vCPUs with the same id / threads are siblings */
	const int *cells;     /* by vCPU id: its <numa> cell, or -1; NULL: the guest has no cells */
	unsigned cell_vcpus;  /* the length of cells */
	unsigned die_vcpus;   /* vCPUs with the same id / die_vcpus are on one die; 0: no dies */
	const char *die_word; /* "die", "cluster" or "socket", for the report */
};

struct vcpu_layout_host {
	const struct cpumask *cpus;  /* the CPUs to place on, all online */
	const struct cpumask *taken; /* CPUs that other vCPUs of the guest have to themselves */
	const struct topology_objects *cores;
	const struct topology_objects *nodes; /* NULL: ignore cells */
	const struct topology_objects *l3;    /* NULL: ignore dies */
};

#define VCPU_LAYOUT_TEXT_MAX 512

struct vcpu_layout_report {
	char text[VCPU_LAYOUT_TEXT_MAX]; /* describes the layout for the administrator */
	bool split;			 /* true if siblings, a cell or a die are split */
};

/*
 * Sets placed[i] to the CPU of guest->vcpus[i]. Guest siblings go on host siblings. If a guest core
 * has one thread, wholly free host cores are used first, then partly free ones, second hardware
 * threads last. Each cell is kept on one node, and each die on one L3. Where the CPUs do not allow
 * that, siblings, cells or dies are split and report->split is true. Sockets are kept on one L3 as
 * far as possible; they may be larger than any, so it is not set for them.
 *
 * Returns 0; 1 if there are fewer CPUs than vCPUs; -1 with the reason.
 */
int vcpu_layout_place(const struct vcpu_layout_guest *guest, const struct vcpu_layout_host *host,
	unsigned *placed, struct vcpu_layout_report *report, struct err *e);

#endif
