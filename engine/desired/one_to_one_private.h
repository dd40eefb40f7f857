/* SPDX-License-Identifier: MIT */
/* The state of giving each vCPU of a guest a CPU, shared by one_to_one.c and its reports. */
#ifndef VMAFFINITY_DESIRED_ONE_TO_ONE_PRIVATE_H
#define VMAFFINITY_DESIRED_ONE_TO_ONE_PRIVATE_H

#include "desired/cpu_shares_private.h"
#include "desired/one_to_one.h"
#include "desired/vcpu_layout.h"

/* The vCPUs that one setting decides. */
struct part {
	const struct desired_mask *set;
	size_t first, count;	 /* a range of the vcpus and placed of struct one_to_one */
	struct cpumask choice;	 /* the CPUs of set that may be given out */
	struct cpumask cpus;	 /* the CPUs of set that are given out to this part */
	struct cpumask left_out; /* the CPUs of set that other vCPUs have to themselves */
	struct vcpu_layout_report report;
};

struct one_to_one {
	struct desired *desired;
	const struct value *placement;
	const struct domain *domain;
	struct topology *topology;
	struct part *parts; /* by the size of set, ascending */
	size_t part_count;
	const struct one_to_one_limits *limits; /* NULL: none */
	struct cpumask own;   /* CPUs that are the only one of a vCPU with its own key, or kept */
	struct cpumask taken; /* own, and the CPUs of the parts placed so far */
	unsigned *vcpus;      /* the ids to place, ascending within each part */
	unsigned *placed;     /* the CPU of each of vcpus */
	size_t count;
	struct messages *messages;
};

/* Adds a message that begins with the place of the placement and its word. */
void one_to_one_report(const struct one_to_one *work, enum message_level level, const char *format,
	...) __attribute__((format(printf, 3, 4)));

/* Reports the parts that have fewer CPUs between them than vCPUs. */
void one_to_one_report_short(const struct one_to_one *work, const struct cpu_shares *shares);

/* Reports how the vCPUs of each part were placed. */
void one_to_one_report_placed(const struct one_to_one *work);

/*
 * Reports guest cores whose vCPUs have keys of their own and so are on different host cores.
 * Returns 0, or -1 with the reason.
 */
int one_to_one_report_torn(const struct one_to_one *work, struct err *e);

/* Reports the vCPUs that no rule gives CPUs; those that a rule keeps are as the rule says. */
void one_to_one_report_unset(const struct one_to_one *work);

#endif
