/* SPDX-License-Identifier: MIT */
/*
 * A guest for apply(): groups on a tree of files, real threads, and a kernel that counts what is
 * asked of it and fails as it is told. Needs
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
enum { THREADS = 5, SPARE = THREADS }; /* one more thread, in no group at first */

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
	unsigned fail_write, fail_set, fail_get; /* which of them fails; 0: none */
	int error;
	bool for_good;	      /* all after it fail as well */
	bool old;	      /* before 6.2: a written mask replaces affinities */
	bool stingy;	      /* v2: grants vcpu0 and its threads CPU b alone */
	bool poor;	      /* v2: grants vcpu1 memory node 0 alone */
	void (*on_set)(void); /* called behind each sched_setaffinity() */
	void (*on_write)(void);
} kernel;

/* For cmocka. The guest is as libvirt leaves it: some threads have an affinity of their own. */
int guest_setup(void **state);
int guest_setup_v2(void **state);
int guest_teardown(void **state);

#define guest_test(name) cmocka_unit_test_setup_teardown(name, guest_setup, guest_teardown)
#define guest_v2_test(name) cmocka_unit_test_setup_teardown(name, guest_setup_v2, guest_teardown)

/*
 * CPUs go by letters: a and b are the first two that this process may use. "ab", "a", "b" or "" as
 * a mask, and as a list that lives until the next call.
 */
struct cpumask lettered(const char *letters);
const char *list_of(const char *letters);

/*
 * Files and affinities as at the beginning, with these CPUs in every mask; the kernel as it should
 * be.
 */
void guest_start_over(const char *letters);

/* Wishes, by letters, for each group; NULL: leave it. */
void guest_plan(const char *emulator, const char *vcpu0, const char *vcpu1, const char *iothread1);

/* Nodes for all groups, which have 0-1; but on v2 none was written to vcpu0 yet. */
void guest_plan_memory(const char *nodes);

/* apply() to guest.plan, with guest.result and guest.e. */
int guest_apply(void);

/*
 * Masks, nodes and affinities as text, to be compared with what they were; lives until the next but
 * one call.
 */
const char *guest_snapshot(void);

/* The path of a group's file in the tree; lives until the next call. */
const char *guest_file(size_t group, const char *file);

/* Lists a group's threads, and behind them the lines more, in its file for that. */
void guest_put_tasks(size_t group, const char *more);

void guest_set_affinity(size_t thread, const struct cpumask *cpus);
struct cpumask guest_affinity(size_t thread);

#endif
