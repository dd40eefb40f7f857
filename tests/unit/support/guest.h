/* SPDX-License-Identifier: MIT */
/*
 * A guest for apply(): thread groups in a tree of files, real threads, and a kernel that counts
 * calls and fails those that a test chooses. Needs
 * -Wl,--wrap=pwrite,--wrap=sched_setaffinity,--wrap=sched_getaffinity.
 */
#ifndef VMAFFINITY_TESTS_UNIT_SUPPORT_GUEST_H
#define VMAFFINITY_TESTS_UNIT_SUPPORT_GUEST_H

#include "pin/apply.h"

#include "support/threads.h"
#include "support/tree.h"

#include <stdbool.h>
#include <stddef.h>

enum { EMULATOR, VCPU0, VCPU1, IOTHREAD1, GROUPS };
enum { THREADS = 5, SPARE = THREADS }; /* a thread that is in no group at first */

extern const struct thread_group groups[GROUPS];
extern const size_t group_of[THREADS];

extern struct guest {
	const struct tree *tree;
	int base; /* the tree's fd */
	char directory[64];
	struct threads threads;
	struct cgroup cgroup;
	struct cpumask now[GROUPS], desired[GROUPS], nodes_now[GROUPS], desired_nodes;
	struct plan_step steps[GROUPS];
	struct plan plan;
	struct apply_result result;
	struct err e;
} guest;

extern struct kernel {
	unsigned writes, sets, gets;
	unsigned fail_write, fail_set, fail_get; /* the number of the call that fails; 0: none */
	int error;
	bool for_good;	      /* all later calls also fail */
	bool old;	      /* before 6.2: a written mask replaces affinities */
	bool stingy;	      /* v2: grants vcpu0 and its threads CPU b alone */
	bool clings;	      /* v2: refuses an empty mask, as it does to a group with threads */
	bool poor;	      /* v2: grants vcpu1 only memory node 0 */
	void (*on_set)(void); /* called after each sched_setaffinity() */
	void (*on_write)(void);
} kernel;

/* Set up, for cmocka, a guest as libvirt leaves it: some threads have an affinity of their own. */
int guest_setup(void **state);
int guest_setup_v2(void **state);
int guest_teardown(void **state);

#define guest_test(name) cmocka_unit_test_setup_teardown(name, guest_setup, guest_teardown)
#define guest_v2_test(name) cmocka_unit_test_setup_teardown(name, guest_setup_v2, guest_teardown)

/*
 * Return the CPUs of "ab", "a", "b" or "" as a mask, and as a list that is valid until the next
 * call. a and b are the first two CPUs that this process may use.
 */
struct cpumask lettered(const char *letters);
const char *list_of(const char *letters);

/*
 * Resets files and affinities to the initial state, with these CPUs in every mask, and the kernel
 * to one without faults.
 */
void guest_start_over(const char *letters);

/* Makes a plan with these desired CPUs, as letters, for each group; NULL: keep. */
void guest_plan(const char *emulator, const char *vcpu0, const char *vcpu1, const char *iothread1);

/* Adds desired nodes for all groups. They have 0-1 now, but on v2 vcpu0 has none of its own yet. */
void guest_plan_memory(const char *nodes);

/* Applies guest.plan; fills in guest.result and guest.e. */
int guest_apply(void);

/*
 * Returns masks, nodes and affinities as text, for comparison with an earlier state. It is valid
 * until the next call but one.
 */
const char *guest_snapshot(void);

/* Returns the path of a group's file in the tree, which is valid until the next call. */
const char *guest_file(size_t group, const char *file);

/* Writes a group's threads, followed by the lines more, to its tasks or cgroup.threads. */
void guest_put_tasks(size_t group, const char *more);

void guest_set_affinity(size_t thread, const struct cpumask *cpus);
struct cpumask guest_affinity(size_t thread);

#endif
