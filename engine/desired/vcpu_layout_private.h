/* SPDX-License-Identifier: MIT */
/* The state of laying out a guest's vCPUs, shared by vcpu_layout.c and its report. */
#ifndef VMAFFINITY_DESIRED_VCPU_LAYOUT_PRIVATE_H
#define VMAFFINITY_DESIRED_VCPU_LAYOUT_PRIVATE_H

#include "desired/cell_layout_private.h"
#include "desired/vcpu_layout.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A core of the host. */
struct core {
	const uint16_t *free; /* its CPUs without a vCPU */
	size_t free_count;
	size_t taken;
	bool whole; /* true if all its CPUs were free for the guest */
	int node;   /* index; -1: on none */
	int l3;	    /* index; -1: on none */
};

/* The vCPUs of one guest core that are to be placed. */
struct unit {
	size_t first, count; /* a range of guest->vcpus */
	int cell;	     /* -1: none */
	int die;	     /* -1: none */
	bool done;
};

struct layout {
	const struct vcpu_layout_guest *guest;
	const struct vcpu_layout_host *host;
	uint16_t *free; /* the CPUs that struct core points into */
	struct core *cores;
	size_t core_count;
	size_t largest; /* the largest free_count at the start */
	struct unit *units;
	size_t unit_count;
	struct cell_layout_cell *cells;
	size_t cell_count;
	struct cell_layout_cell *dies; /* as cells, with an L3 for a node */
	int *die_cells;		       /* the cell of each of dies; -1: none */
	size_t die_count;
	unsigned *placed;
	size_t split;  /* units whose vCPUs are on several cores */
	size_t shared; /* units on a core that has another unit */
};

/* Returns the <numa> cell of guest->vcpus[i], or -1. */
int vcpu_layout_cell(const struct vcpu_layout_guest *guest, size_t i);

/* Returns the die of guest->vcpus[i], or -1 if the guest or the host has no several of them. */
int vcpu_layout_die(const struct layout *layout, size_t i);

/* Describes a finished layout. Sorts the cells of layout by id. */
void vcpu_layout_describe(struct layout *layout, struct vcpu_layout_report *report);

#endif
