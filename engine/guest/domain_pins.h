/* SPDX-License-Identifier: MIT */
/* The CPUs to which a domain's XML itself pins the guest's thread groups. */
#ifndef VMAFFINITY_GUEST_DOMAIN_PINS_H
#define VMAFFINITY_GUEST_DOMAIN_PINS_H

#include "base/cpumask.h"
#include "base/err.h"
#include "guest/thread_group.h"

#include <stdbool.h>
#include <stddef.h>

struct domain_pin {
	struct thread_group group;
	struct cpumask cpus;
};

struct domain_pins {
	struct domain_pin *pins; /* <vcpupin>, <emulatorpin>, <iothreadpin> */
	size_t count;
	bool has_default; /* the XML has <vcpu cpuset=> */
	bool automatic;	  /* <vcpu placement='auto'>: numad has chosen the CPUs of the rest */
	struct cpumask fallback; /* its CPUs, for every group without an element of its own */
	struct cpumask realtime; /* ids of the vCPUs whose <vcpusched> is fifo or rr */
	char *devices;		 /* the host devices, each a line; NULL: none */
	struct cpumask nodes;	 /* of a <numatune> that libvirt puts into cgroups; empty: none */
	bool nodes_automatic;	 /* numad has chosen them */
};

/*
 * Reads the pins in a domain's XML (libvirt's docs/formatdomain, "CPU Tuning"). Returns 0 with
 * *pins, to be freed by domain_pins_free(), or -1 with the reason; *pins is untouched then.
 */
int domain_parse_pins(const char *xml, size_t length, struct domain_pins *pins, struct err *e);
void domain_pins_free(struct domain_pins *pins);

/*
 * True if two guests have a host device in common, so that they cannot run at the same time. Takes
 * the devices of both; NULL: none.
 */
bool domain_pins_share_device(const char *one, const char *other);

/* Returns the CPUs to which the XML pins group, or NULL if it does not. They belong to pins. */
const struct cpumask *domain_pins_find(const struct domain_pins *pins, struct thread_group group);

#endif
