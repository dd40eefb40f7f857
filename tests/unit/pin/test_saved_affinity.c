/* SPDX-License-Identifier: MIT */
#include "pin/saved_affinity.h"

#include "support/mask.h"
#include "support/unit.h"

static const struct thread_group emulator = {GROUP_EMULATOR, 0}, vcpu1 = {GROUP_VCPU, 1};

/* The order of tids is that of a shuffled deck: every tid from 1 to PRIME - 1 once. */
#define PRIME 4099
#define STEP 1543

static void
keeps_the_first_of_each_thread_in_order(void **state)
{
	(void)state;
	struct saved_affinities saved = {0};
	const struct cpumask masks[] = {mask_of("0"), mask_of("0-1"), mask_of("8191")};
	for (unsigned i = 1; i < PRIME; i++) {
		pid_t tid = (pid_t)(i * STEP % PRIME);
		assert_false(saved_affinities_has(&saved, tid));
		assert_int_equal(
			saved_affinities_add(&saved, emulator, tid, &masks[i % COUNT(masks)]), 0);
		assert_true(saved_affinities_has(&saved, tid));
		assert_int_equal(
			saved_affinities_add(&saved, emulator, tid, &masks[(i + 1) % COUNT(masks)]),
			0);
	}
	assert_false(saved_affinities_has(&saved, PRIME));
	const struct saved_affinity *item = saved.last;
	for (unsigned i = PRIME - 1; i > 0; i--, item = item->previous) {
		assert_non_null(item);
		assert_int_equal(item->tid, i * STEP % PRIME);
		assert_true(cpumask_equal(item->cpus, &masks[i % COUNT(masks)]));
	}
	assert_null(item);
	saved_affinities_free(&saved);
}

static void
stores_each_mask_once(void **state)
{
	(void)state;
	struct saved_affinities saved = {0};
	struct cpumask mask = mask_of("3"), equal = mask_of("3"), other = mask_of("4");
	saved_affinities_add(&saved, emulator, 1, &mask);
	saved_affinities_add(&saved, emulator, 2, &equal);
	saved_affinities_add(&saved, emulator, 3, &other);
	assert_ptr_equal(saved.last->previous->cpus, saved.last->previous->previous->cpus);
	assert_ptr_not_equal(saved.last->cpus, saved.last->previous->cpus);
	assert_ptr_not_equal(saved.last->previous->cpus, &equal);
	saved_affinities_free(&saved);
	assert_null(saved.last);
}

static void
finds_the_first_of_a_group(void **state)
{
	(void)state;
	struct saved_affinities saved = {0};
	struct cpumask mask = mask_of("3");
	assert_null(saved_affinities_first(&saved, emulator));
	saved_affinities_add(&saved, vcpu1, 7, &mask);
	saved_affinities_add(&saved, emulator, 9, &mask);
	saved_affinities_add(&saved, emulator, 8, &mask);
	saved_affinities_add(&saved, vcpu1, 6, &mask);
	assert_int_equal(saved_affinities_first(&saved, emulator)->tid, 9);
	assert_int_equal(saved_affinities_first(&saved, vcpu1)->tid, 7);
	assert_null(saved_affinities_first(&saved, (struct thread_group){GROUP_VCPU, 0}));
	saved_affinities_free(&saved);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_the_first_of_each_thread_in_order),
		cmocka_unit_test(stores_each_mask_once),
		cmocka_unit_test(finds_the_first_of_a_group),
	};
	return cmocka_run_group_tests_name("saved_affinity", tests, NULL, NULL);
}
