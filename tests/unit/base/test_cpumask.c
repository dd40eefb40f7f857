/* SPDX-License-Identifier: MIT */
#include "base/cpumask.h"

#include "support/mask.h"
#include "support/unit.h"

#include <stdlib.h>
#include <string.h>

/* Returns the next pseudo-random number, the same on every run and machine (Numerical Recipes'
 * LCG). */
static uint32_t
next_random(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

static struct cpumask
random_mask(uint32_t *seed)
{
	struct cpumask mask = {0};
	unsigned gap = 1 + next_random(seed) % 200, run = 1 + next_random(seed) % 200;
	for (unsigned cpu = next_random(seed) % gap; cpu < CPUMASK_CPUS;) {
		unsigned last = cpu + next_random(seed) % run;
		cpumask_set_range(&mask, cpu, last);
		cpu = last + 2 + next_random(seed) % gap;
	}
	return mask;
}

static const struct {
	const char *list, *shown;
} good[] = {
	{"", ""},
	{"0", "0"},
	{"00", "0"},
	{"8191", "8191"},
	{"0-8191", "0-8191"},
	{"3-3", "3"},
	{"0-3,4-7", "0-7"},
	{"0,1,2,3", "0-3"},
	{"8,0-2,5", "0-2,5,8"},
	{"1,1,0-2,1", "0-2"},
	{"63,64,65", "63-65"},
	{"62-64,127-128", "62-64,127-128"},
	{"0-31:2/4", "0-1,4-5,8-9,12-13,16-17,20-21,24-25,28-29"},
	{"0-7:1/2", "0,2,4,6"},
	{"1-7:1/2", "1,3,5,7"},
	{"0-5:4/4", "0-5"},
	{"0-4:3/4", "0-2,4"},
	{"0-9:1/8192", "0"},
	{"8190-8191:1/2", "8190"},
	{"5-5:8192/8192", "5"},
};

static void
parses_what_the_kernel_takes(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		struct cpumask mask;
		struct err e;
		char shown[128];
		memset(&mask, 0x5a, sizeof(mask));
		if (cpumask_parse(good[i].list, &mask, &e) != 0)
			fail_msg("'%s': %s", good[i].list, e.text);
		if (strcmp(cpumask_format(&mask, shown, sizeof(shown)), good[i].shown) != 0)
			fail_msg("'%s': %s", good[i].list, shown);
	}
}

#define STRIDE "a stride is USED/GROUP with 0 < USED <= GROUP <= 8192, as in 0-31:2/4"
#define MISSING "a CPU number is missing"

static const struct {
	const char *list, *reason; /* NULL: the text itself is the reason */
} bad[] = {
	{"4294967296", "CPU 4294967296 is above the limit, 8191"},
	{"18446744073709551616", "CPU 184467440737... is above the limit, 8191"},
	{"18446744073709551617", "CPU 184467440737... is above the limit, 8191"},
	{"9999", "CPU 9999 is above the limit, 8191"},
	{"8192", "CPU 8192 is above the limit, 8191"},
	{"0-8192", "CPU 8192 is above the limit, 8191"},
	{"5-4294967296", "CPU 4294967296 is above the limit, 8191"},
	{"5-5:4294967295", STRIDE},
	{"5-5:4294967295/1", STRIDE},
	{"0-7:0/4", STRIDE},
	{"0-7:5/4", STRIDE},
	{"0-7:1/0", STRIDE},
	{"0-7:1/8193", STRIDE},
	{"0-7:8193/8193", STRIDE},
	{"0-7:1", STRIDE},
	{"0-7:/4", STRIDE},
	{"0-7:1/", STRIDE},
	{"0-7:", STRIDE},
	{"0-7:1/4294967297", STRIDE},
	{"3-0", "range 3-0 runs backwards; write 0-3"},
	{"0,", MISSING},
	{",0", MISSING},
	{"0,,1", MISSING},
	{",", MISSING},
	{"-1", MISSING},
	{"0-", MISSING},
	{"+1", MISSING},
	{" 1", MISSING},
	{"1-+2", MISSING},
	{"all", MISSING},
	{"0-1-2", NULL},
	{"0 1", NULL},
	{"0 ", NULL},
	{"0\n", NULL},
	{"0x1", NULL},
	{"1:1/2", NULL},
	{"0-7:1/2/3", NULL},
};

static void
refuses_other_text_and_leaves_the_mask(void **state)
{
	(void)state;
	struct cpumask before = mask_of("7,70,700"), mask = before;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct err e, wanted;
		if (cpumask_parse(bad[i].list, &mask, &e) == 0)
			fail_msg("'%s' was taken", bad[i].list);
		if (bad[i].reason != NULL)
			err_set(&wanted, "'%s' is not a CPU list: %s", bad[i].list, bad[i].reason);
		else
			err_set(&wanted, "'%s' is not a CPU list", bad[i].list);
		assert_string_equal(e.text, wanted.text);
		assert_true(cpumask_equal(&mask, &before));
	}
}

static void
leaves_the_pointer_after_a_range_or_at_its_fault(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int r;
		size_t at;
	} cases[] = {
		{"7 8", 0, 1},
		{"0-3,4", 0, 3},
		{"0-7:1/2x", 0, 7},
		{"x", -1, 0},
		{"9999", -1, 0},
		{"0-9999", -1, 2},
		{"5-x", -1, 2},
		{"3-0", -1, 0},
		{"0-7:9/2", -1, 4},
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct cpumask mask = {0};
		struct err e;
		const char *s = cases[i].text;
		assert_int_equal(cpumask_parse_range(&s, &mask, &e), cases[i].r);
		assert_int_equal(s - cases[i].text, cases[i].at);
	}
}

static void
prints_and_reads_back_any_mask(void **state)
{
	(void)state;
	uint32_t seed = 1;
	for (unsigned round = 0; round < 500; round++) {
		struct cpumask mask = random_mask(&seed), again = {0};
		char list[CPULIST_MAX];
		struct err e;
		cpumask_format(&mask, list, sizeof(list));
		assert_int_equal(cpumask_parse(list, &again, &e), 0);
		assert_true(cpumask_equal(&mask, &again));
		unsigned count = 0, next = 0;
		for (unsigned cpu = 0; cpu < CPUMASK_CPUS; cpu++)
			if (cpumask_test(&mask, cpu)) {
				assert_int_equal(cpumask_next(&mask, next), cpu);
				assert_int_equal(cpumask_next(&mask, cpu), cpu);
				next = cpu + 1;
				count++;
			}
		assert_int_equal(cpumask_next(&mask, next), CPUMASK_CPUS);
		assert_int_equal(cpumask_count(&mask), count);
	}
}

/* The longest list: runs of two CPUs with one CPU between them. */
static void
prints_the_longest_list(void **state)
{
	(void)state;
	static const char *const patterns[] = {
		"0-8191:1/2", "1-8191:1/2", "0-8191:2/3", "1-8191:2/3"};
	size_t longest = 0;
	for (size_t i = 0; i < COUNT(patterns); i++) {
		struct cpumask mask = mask_of(patterns[i]), again;
		char list[CPULIST_MAX];
		struct err e;
		cpumask_format(&mask, list, sizeof(list));
		assert_null(strchr(list, '.'));
		assert_int_equal(cpumask_parse(list, &again, &e), 0);
		assert_true(cpumask_equal(&mask, &again));
		if (strlen(list) > longest)
			longest = strlen(list);
	}
	assert_int_equal(longest, 26568);
}

static void
cuts_a_list_between_items(void **state)
{
	(void)state;
	const struct cpumask mask = mask_of("0-3,8,10-12,4000-8191");
	static const char whole[] = "0-3,8,10-12,4000-8191";
	static const size_t items[] = {3, 5, 11};
	for (size_t size = 5; size <= sizeof(whole) + 9; size++) {
		char out[64], wanted[64];
		memset(out, '#', sizeof(out));
		assert_ptr_equal(cpumask_format(&mask, out, size), out);
		assert_int_equal(out[size], '#');
		assert_true(strlen(out) < size);
		if (strcmp(out, whole) == 0)
			continue;
		size_t kept = 0;
		for (size_t i = 0; i < COUNT(items); i++)
			if (items[i] + sizeof(",...") <= size)
				kept = items[i];
		memcpy(wanted, whole, kept);
		strcpy(wanted + kept, ",...");
		assert_string_equal(out, wanted);
	}
	char out[sizeof(whole) + sizeof(",...")];
	assert_string_equal(cpumask_format(&mask, out, sizeof(out)), whole);
	assert_string_equal(cpumask_format(&(struct cpumask){0}, out, 1), "");
}

static void
sets_and_tests_up_to_the_limit(void **state)
{
	(void)state;
	struct cpumask mask = {0};
	assert_true(cpumask_empty(&mask));
	assert_int_equal(cpumask_count(&mask), 0);
	cpumask_set_range(&mask, 8192, 9000);
	cpumask_set_range(&mask, 5, 4);
	assert_true(cpumask_empty(&mask));
	cpumask_set_range(&mask, 8191, 4294967295u);
	assert_false(cpumask_empty(&mask));
	assert_mask(&mask, "8191");
	assert_true(cpumask_test(&mask, 8191));
	assert_false(cpumask_test(&mask, 8190));
	assert_false(cpumask_test(&mask, 8192));
	assert_false(cpumask_test(&mask, 4294967295u));
	assert_int_equal(cpumask_next(&mask, 8191), 8191);
	assert_int_equal(cpumask_next(&mask, 8192), CPUMASK_CPUS);
}

static void
visits_each_cpu_once_in_order(void **state)
{
	(void)state;
	static const struct {
		const char *list;
		unsigned cpus[6], count;
	} cases[] = {
		{"", {0}, 0},
		{"0", {0}, 1},
		{"8191", {8191}, 1},
		{"0,63-65,128,8191", {0, 63, 64, 65, 128, 8191}, 6},
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct cpumask mask = mask_of(cases[i].list);
		unsigned count = 0;
		cpumask_for_each (cpu, &mask) {
			assert_true(count < cases[i].count);
			assert_int_equal(cpu, cases[i].cpus[count++]);
			if (cpu == 64)
				continue;
		}
		assert_int_equal(count, cases[i].count);
	}
}

/* The next CPU is looked up after the body, so that the body may change the mask. */
static void
visits_cpus_that_the_body_leaves_in_the_mask(void **state)
{
	(void)state;
	struct cpumask mask = mask_of("0-9"), visited = {0};
	cpumask_for_each (cpu, &mask) {
		const struct cpumask next = {.words = {2ul << cpu}};
		cpumask_set_range(&visited, cpu, cpu);
		cpumask_andnot(&mask, &next);
	}
	assert_mask(&visited, "0,2,4,6,8");
}

static void
combines_masks(void **state)
{
	(void)state;
	uint32_t seed = 2;
	for (unsigned round = 0; round < 50; round++) {
		struct cpumask a = random_mask(&seed), b = random_mask(&seed);
		struct cpumask both = a, either = a, rest = a;
		cpumask_and(&both, &b);
		cpumask_or(&either, &b);
		cpumask_andnot(&rest, &b);
		for (unsigned cpu = 0; cpu < CPUMASK_CPUS; cpu++) {
			bool in_a = cpumask_test(&a, cpu), in_b = cpumask_test(&b, cpu);
			assert_int_equal(cpumask_test(&both, cpu), in_a && in_b);
			assert_int_equal(cpumask_test(&either, cpu), in_a || in_b);
			assert_int_equal(cpumask_test(&rest, cpu), in_a && !in_b);
		}
		assert_false(cpumask_equal(&rest, &either));
		assert_true(cpumask_subset(&both, &a));
		assert_true(cpumask_subset(&a, &either));
		assert_int_equal(cpumask_subset(&a, &b), cpumask_empty(&rest));
		assert_int_equal(cpumask_subset(&either, &b), cpumask_empty(&rest));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_what_the_kernel_takes),
		cmocka_unit_test(refuses_other_text_and_leaves_the_mask),
		cmocka_unit_test(leaves_the_pointer_after_a_range_or_at_its_fault),
		cmocka_unit_test(visits_each_cpu_once_in_order),
		cmocka_unit_test(visits_cpus_that_the_body_leaves_in_the_mask),
		cmocka_unit_test(prints_and_reads_back_any_mask),
		cmocka_unit_test(prints_the_longest_list),
		cmocka_unit_test(cuts_a_list_between_items),
		cmocka_unit_test(sets_and_tests_up_to_the_limit),
		cmocka_unit_test(combines_masks),
	};
	return cmocka_run_group_tests_name("cpumask", tests, NULL, NULL);
}
