/* SPDX-License-Identifier: MIT */
/* One guest, as libvirt's XML describes it. */
#ifndef VMAFFINITY_GUEST_DOMAIN_H
#define VMAFFINITY_GUEST_DOMAIN_H

#include "base/cpumask.h"
#include "base/err.h"
#include "guest/thread_group.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * The largest domain XML that is read, bytes. A guest's owner decides how large it is: each call of
 * virDomainSetMetadata() adds up to 4 MiB, the limit of libvirt's RPC for one string.
 */
#define DOMAIN_XML_MAX ((size_t)64 * 1024 * 1024)

/* Most iothreads of one guest, and how large an id may be. */
#define DOMAIN_IOTHREADS_MAX 4096u

/* Most cells of a guest's <numa>. QEMU has 128 (MAX_NODES). */
#define DOMAIN_CELLS_MAX 1024u

struct domain {
	char *name;
	char uuid[37];	      /* lower case; "" if the XML has none */
	int id;		      /* of the running guest; -1 if the XML has none */
	unsigned vcpus;	      /* the maximum: ids 0 .. vcpus - 1 */
	bool *vcpu_online;    /* by id */
	unsigned threads;     /* of each core of the guest's; ids n * threads and on are siblings */
	unsigned die_vcpus;   /* of each die_word; ids n * die_vcpus and on share one; 0: none */
	const char *die_word; /* the smallest part of several cores that the guest has several of:
				 "cluster", "die", "socket" */
	int *vcpu_cells; /* the <numa> cell of each, by id, -1: none; NULL: there are no cells */
	unsigned *iothreads; /* ids, ascending */
	size_t iothread_count;
	char *partition;	 /* the cgroup partition of its <resource>, or NULL */
	struct cpumask numatune; /* the host's NUMA nodes that <numatune> names, in any mode */
};

/*
 * Reads a domain's XML (libvirt's docs/formatdomain), at most DOMAIN_XML_MAX bytes. Returns 0 with
 * *domain, to be freed by domain_free(), or -1 with the reason; *domain is untouched then.
 */
int domain_parse(const char *xml, size_t length, struct domain *domain, struct err *e);
void domain_free(struct domain *domain);

#endif
