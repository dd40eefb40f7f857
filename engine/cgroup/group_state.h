/* What a group of a running guest's threads has in fact, read back from the kernel. Writes nothing.
 */
#ifndef VMAFFINITY_OBSERVE_H
#define VMAFFINITY_OBSERVE_H

#include "base/cpumask.h"
#include "base/err.h"
#include "cgroup/cgroup.h"

#include <stddef.h>
#include <sys/types.h>

struct observed_thread {
	pid_t tid;
	struct cpumask cpus; /* its affinity */
	unsigned last;	     /* the CPU that it last ran on */
};

struct observed {
	struct cpumask cpus;	/* cpuset.cpus */
	struct cpumask granted; /* of these, what the kernel lets it use now */
	struct cpumask nodes; /* the NUMA nodes for its memory, as granted; may be unknown: empty */
	struct observed_thread *threads;
	size_t thread_count;
};

/* What observe() returns if the group is not there any more. */
#define OBSERVE_GONE 1

/*
 * Looks at a group of scope, and below the directory fd root at its threads' /proc/TID; a thread
 * that ends meanwhile is passed over. Returns 0 with *observed, to be freed by observed_free();
 * OBSERVE_GONE; or -1 with the reason.
 */
int observe(int root, const struct scope *scope, struct group group, struct observed *observed,
	struct err *e);
void observed_free(struct observed *observed);

#endif
