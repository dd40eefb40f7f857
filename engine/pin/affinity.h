/* SPDX-License-Identifier: MIT */
/*
 * The affinity of a thread group's threads, which outlives a change of their cpuset.
 *
 * Since Linux 6.2 the kernel keeps what sched_setaffinity(2) last asked for (user_cpus_ptr in
 * struct task_struct, commit 8f9ea86fdf99). The thread runs on those CPUs of its cpuset that are in
 * it, also after cpuset.cpus was written, and on all CPUs of its cpuset only if none is. A new
 * thread inherits it. libvirt sets the affinity of every thread of a guest, so a written
 * cpuset.cpus alone does not free a thread from the CPUs that it had: the affinity is sticky.
 * Before Linux 6.2 a written cpuset.cpus replaces the affinity of the group's threads.
 * sched_getaffinity(2) returns the CPUs that cpuset and affinity both allow, so a thread is settled
 * if that equals the CPUs that are desired.
 */
#ifndef VMAFFINITY_PIN_AFFINITY_H
#define VMAFFINITY_PIN_AFFINITY_H

#include "base/cpumask.h"
#include "base/err.h"
#include "cgroup/cgroup.h"
#include "pin/saved_affinity.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * True if no thread of a group is known to keep to other CPUs than cpus. A thread or group that
 * cannot be read counts as settled.
 */
bool affinity_is_settled(
	const struct cgroup *cgroup, struct thread_group group, const struct cpumask *cpus);

/*
 * Saves the affinity of each thread of a group. A thread that ends meanwhile is left out; a group
 * that was removed has no threads. Returns 0 with *settled, true if every affinity equals cpus, or
 * -1 with the reason.
 */
int affinity_save(struct saved_affinities *saved, const struct cgroup *cgroup,
	struct thread_group group, const struct cpumask *cpus, bool *settled, struct err *e);

/*
 * Sets the affinity of each thread of a group that is not cpus to whole, of which the kernel grants
 * cpus; of every thread if whole is more than that, as its affinity cannot be read that far. Lists
 * the threads again until a pass finds all of them right, so every affinity was read back and a
 * thread that was created meanwhile is not missed. Saves the affinity of a thread before its first
 * change. Returns 0 with the number of affinities that were not cpus added to *set, or -1 with the
 * reason.
 */
int affinity_settle(struct saved_affinities *saved, const struct cgroup *cgroup,
	struct thread_group group, const struct cpumask *cpus, const struct cpumask *whole,
	size_t *set, struct err *e);

/* Sets all saved affinities again, the last one first. Returns how many threads refused theirs. */
size_t affinity_restore(const struct saved_affinities *saved);

/*
 * Undoes affinity_settle() for the threads of a group that were created while it ran: they may have
 * inherited what it had set, so each gets what the group's first saved thread had. To be called
 * after affinity_restore(). Returns how many threads could not be set.
 */
size_t affinity_restore_new_threads(const struct saved_affinities *saved,
	const struct cgroup *cgroup, struct thread_group group);

#endif
