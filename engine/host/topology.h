/* SPDX-License-Identifier: MIT */
/*
 * The host's CPUs and NUMA nodes as /sys has them. A fact is read on its first request and then
 * kept: a host that changes meanwhile needs a new struct topology.
 */
#ifndef VMAFFINITY_HOST_TOPOLOGY_H
#define VMAFFINITY_HOST_TOPOLOGY_H

#include "base/cpumask.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum topology_set {
	TOPOLOGY_ONLINE,       /* CPUs that the scheduler uses */
	TOPOLOGY_PRESENT,      /* CPUs online or offline */
	TOPOLOGY_ISOLATED,     /* CPUs isolated from load balancing (isolcpus=) */
	TOPOLOGY_NODES,	       /* numbers of online NUMA nodes, not CPUs; node 0 without NUMA */
	TOPOLOGY_MEMORY_NODES, /* numbers of NUMA nodes that have memory; node 0 without NUMA */
	TOPOLOGY_PCORES,       /* CPUs of performance cores; empty unless the host is hybrid */
	TOPOLOGY_ECORES,       /* CPUs of efficient cores; empty unless the host is hybrid */
	TOPOLOGY_SETS
};

enum topology_kind {
	TOPOLOGY_NODE,
	TOPOLOGY_PACKAGE,
	TOPOLOGY_L3,
	TOPOLOGY_CORE,
	TOPOLOGY_PU, /* a hardware thread, which the kernel calls a CPU */
	TOPOLOGY_KINDS
};

struct topology_object {
	unsigned number;      /* a node's or PU's number in /sys; else its lowest online CPU */
	bool near;	      /* a node without CPUs: cpus are those of the nearest nodes */
	const uint16_t *cpus; /* online CPUs, ascending */
	size_t cpu_count;     /* 0 only for a node without CPUs that has no nearest nodes */
};

struct topology_objects {
	struct topology_object *items; /* items[n] has hwloc's logical index n */
	size_t count;
	uint16_t *cpus; /* the memory that cpus of each item points into */
	bool known;	/* has been read */
};

/* Ready for use once root is set and all other fields are zero; free it with topology_free(). */
struct topology {
	int root; /* directory fd that holds sys/; the caller's to close */
	struct {
		bool known;
		struct cpumask mask;
	} sets[TOPOLOGY_SETS];
	struct topology_objects objects[TOPOLOGY_KINDS];
};

/* Frees what topology holds, and leaves root open. */
void topology_free(struct topology *topology);

/*
 * Reads one of the host's sets (Documentation/ABI/testing/sysfs-devices-system-cpu and
 * stable/sysfs-devices-node). Returns 0 with *mask, which lives as long as topology, or -1 with the
 * reason.
 */
int topology_get(struct topology *topology, enum topology_set set, const struct cpumask **mask,
	struct err *e);

/*
 * Reads all objects of a kind, in hwloc's logical order: depth first through the tree of objects
 * that contain one another, the lowest CPU first. Offline CPUs are in no object. A host may have no
 * object of a kind, as ARM hosts without L3. Returns 0 with *objects, which live as long as
 * topology, or -1 with the reason.
 */
int topology_objects(struct topology *topology, enum topology_kind kind,
	const struct topology_objects **objects, struct err *e);

/*
 * Returns the object that holds a CPU, or NULL. A node that has only the CPUs of the nodes near it
 * does not count.
 */
const struct topology_object *topology_find(const struct topology_objects *objects, unsigned cpu);

/* Adds to cpus a CPU and those of the object that holds it; a CPU in no object is alone. */
void topology_add(const struct topology_objects *objects, unsigned cpu, struct cpumask *cpus);

/*
 * Finds the nodes of among at the least distance from a node (Documentation/ABI/stable/
 * sysfs-devices-node, distance); all of among where the kernel reports no distances. Returns 0 with
 * *nearest, empty if no node of among is online, or -1 with the reason.
 */
int topology_nearest_nodes(struct topology *topology, unsigned node, const struct cpumask *among,
	struct cpumask *nearest, struct err *e);

/*
 * Returns the size of an L3 object in KiB (Documentation/ABI/testing/sysfs-devices-system-cpu,
 * cpuX/cache/indexX/size), or 0 if the kernel does not report it.
 */
unsigned topology_l3_size(struct topology *topology, const struct topology_object *l3);

#define TOPOLOGY_SIZE_MAX 16

/* Writes a size in KiB as a person says it: "32 MB", "1280 KB". Returns out. */
const char *topology_size_text(unsigned kib, char out[TOPOLOGY_SIZE_MAX]);

/*
 * Writes in what the cores differ, for hosts on which the kernel reports no kinds of cores: L3s of
 * several sizes, and the extremes of cpu_capacity, acpi_cppc/highest_perf and
 * cpufreq/cpuinfo_max_freq. Writes "" if the kernel reports no difference.
 */
void topology_describe_cores(struct topology *topology, char *out, size_t size);

#endif
