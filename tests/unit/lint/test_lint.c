/* SPDX-License-Identifier: MIT */
/* Each kind of finding: rules that have it, and rules next to them that do not. */
#include "lint/lint.h"

#include "desired/build.h"

#include "support/mask.h"
#include "support/tree.h"
#include "support/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VCPUS 4

/* Cores of two threads, 0 and 1 and so on; CPUs 6 and 7 are isolated. */
static const char machine[] = "sys/devices/system/cpu/online 0-7\n"
			      "sys/devices/system/cpu/present 0-7\n"
			      "sys/devices/system/cpu/isolated 6-7\n";

static struct topology topology;
static struct rules rules;
static struct cpuset_expr expr;
static char found[4096];
static struct cpumask realtime;
static const char *devices;

static void
make_host(const struct tree *t)
{
	tree_make(t, machine);
	for (unsigned cpu = 0; cpu < 8; cpu++) {
		char path[80], value[16];
		snprintf(path, sizeof(path), "sys/devices/system/cpu/cpu%u/topology/core_cpus_list",
			cpu);
		snprintf(value, sizeof(value), "%u-%u\n", cpu & ~1u, cpu | 1u);
		tree_put(t, path, value);
		snprintf(path, sizeof(path),
			"sys/devices/system/cpu/cpu%u/topology/package_cpus_list", cpu);
		tree_put(t, path, "0-7\n");
	}
}

static void
add_guest(struct lint *lint, const char *name, struct messages *findings, struct messages *ignored)
{
	static bool online[VCPUS] = {true, true, true, true};
	struct domain domain = {
		.name = (char *)name, .threads = 1, .vcpus = VCPUS, .vcpu_online = online};
	struct cpumask usable = mask_of("0-7");
	struct matched matched;
	struct desired desired;
	const struct domain_pins pins = {.realtime = realtime, .devices = (char *)devices};
	const struct lint_subject subject = {&domain, &matched, &desired, &pins, false};
	struct err e;
	assert_int_equal(rules_match(&rules, name, "", &matched), 0);
	if (desired_build(
		    &matched, &domain, NULL, 0, &expr, &usable, NULL, &desired, ignored, &e) != 0 ||
		lint_guest(lint, &subject, findings, &e) != 0)
		fail_msg("%s", e.text);
	desired_free(&desired);
	free(matched.rules);
}

static int
setup(void **state)
{
	int r = tree_setup(state);
	if (r == 0)
		make_host(*state);
	return r;
}

#define lint_test(name) cmocka_unit_test_setup_teardown(name, setup, tree_teardown)

/* Returns all findings, a line each, for guests "db web", all of VCPUS vCPUs. */
static const char *
lint(const struct tree *t, const char *text, const char *guests, const struct lint_limit *limit)
{
	struct messages findings = {0}, ignored = {0};
	struct lint lint;
	struct err e;
	char names[64];
	rules = (struct rules){0};
	tree_put(t, "etc/vmaffinity.ini", text);
	rules_load(&rules, t->fd, &findings);
	topology = (struct topology){.root = t->fd};
	expr = (struct cpuset_expr){.rules = &rules, .topology = &topology};
	lint_rules(&rules, &findings);
	assert_int_equal(lint_start(&lint, &expr, &findings), 0);
	snprintf(names, sizeof(names), "%s", guests);
	for (char *name = strtok(names, " "); name != NULL; name = strtok(NULL, " "))
		add_guest(&lint, name, &findings, &ignored);
	if (lint_finish(&lint, limit, &e) != 0)
		fail_msg("%s", e.text);
	found[0] = '\0';
	for (size_t i = 0; i < findings.count; i++) {
		size_t used = strlen(found);
		snprintf(found + used, sizeof(found) - used, "%s%s", used > 0 ? "\n" : "",
			findings.items[i].text);
	}
	lint_free(&lint);
	cpuset_expr_free(&expr);
	topology_free(&topology);
	rules_free(&rules);
	messages_free(&findings);
	messages_free(&ignored);
	return found;
}

#define AT "/etc/vmaffinity.ini:"

static void
finds_exclusions_before_cpus(void **state)
{
	assert_string_equal(lint(*state, "[db]\nvcpus = ^0 0-4\n", "db", NULL),
		AT "2:9: '^0' precedes other CPUs, yet is taken away from them too; write it last");
	assert_string_equal(lint(*state, "[cpus]\na = 0-1, ^1, 4-7\n", "db", NULL),
		AT "2:10: '^1' precedes other CPUs, yet is taken away from them too; write it "
		   "last");
	assert_string_equal(lint(*state, "[db]\nvcpus = 0-4 ^0\n", "db", NULL), "");
}

static void
finds_keys_that_never_count(void **state)
{
	assert_string_equal(lint(*state,
				    "[db]\nemulator = 0\non-error = fail\n[*]\nemulator = 1\n"
				    "on-error = ignore\n",
				    "", NULL),
		AT "2: emulator never counts: " AT "5 sets emulator for every guest, and comes "
		   "later; write what is for every guest first\n" AT "3: on-error never counts: " AT
		   "6 sets it for every guest, and comes later; write what is for every guest "
		   "first");
	assert_string_equal(lint(*state,
				    "[*]\nemulator = 1\non-error = ignore\n[db]\nemulator = 0\n"
				    "on-error = fail\n",
				    "", NULL),
		"");
	/* not for every guest */
	assert_string_equal(lint(*state, "[db]\nemulator = 0\n[d*]\nemulator = 1\n", "", NULL), "");
	assert_string_equal(
		lint(*state, "[db]\nemulator = 0\n[x]\nmatch = [!a]\nemulator = 1\n", "", NULL),
		"");
}

static void
finds_isolated_cpus_in_one_mask(void **state)
{
	static const char isolated[] =
		"which are isolated (isolcpus=): the kernel moves no thread between such CPUs, so "
		"all pile up on one; ";
	char expected[512];
	snprintf(expected, sizeof(expected), AT "2: emulator may use CPUs 6-7, %sname one of them",
		isolated);
	assert_string_equal(lint(*state, "[db]\nemulator = 0,6-7\n", "db", NULL), expected);
	/* also without a guest */
	assert_string_equal(lint(*state, "[db]\nemulator = 0,6-7\n", "", NULL), expected);
	assert_string_equal(lint(*state, "[db]\nemulator = 0-6\n", "db", NULL), "");
	assert_string_equal(
		lint(*state, "[db]\nvcpus = 4-7\nplacement = one-to-one\nemulator = 0\n", "db",
			NULL),
		"");
}

static void
finds_more_vcpus_than_cpus(void **state)
{
	assert_string_equal(lint(*state, "[db]\nvcpus = 0-2\n", "db", NULL),
		AT "2: vcpus: 4 vCPUs of a guest have only CPUs 0-2 between them, and wait for "
		   "one another; name more CPUs, or give the guest fewer vCPUs");
	/* of each guest; check prints it once, with their names */
	assert_string_equal(lint(*state, "[d*]\nvcpus = 0\n", "da db", NULL),
		AT "2: vcpus: 4 vCPUs of a guest have only CPU 0 between them, and wait for "
		   "one another; name more CPUs, or give the guest fewer vCPUs\n" AT
		   "2: vcpus: 4 vCPUs of a guest have only CPU 0 between them, and wait for "
		   "one another; name more CPUs, or give the guest fewer vCPUs");
	assert_string_equal(lint(*state, "[db]\nvcpus = 0-3\nemulator = 0\n", "db", NULL), "");
}

static void
finds_shadowed_settings(void **state)
{
	assert_string_equal(lint(*state, "[db]\nemulator = 0\n[d*]\nemulator = 1\n", "da db", NULL),
		AT "2: emulator counts for none of the guests of [db]: " AT "4 sets emulator for "
		   "these and for others, and comes later; write what is for more guests first");
	/* for no more guests than the earlier rule, or in the right order */
	assert_string_equal(
		lint(*state, "[db]\nemulator = 0\n[d*]\nemulator = 1\n", "db", NULL), "");
	assert_string_equal(
		lint(*state, "[d*]\nemulator = 1\n[db]\nemulator = 0\n", "da db", NULL), "");
}

static void
finds_unmatched_rules(void **state)
{
	assert_string_equal(
		lint(*state, "[db]\nemulator = 0\n[wbe]\nemulator = 1\n", "db web", NULL),
		AT "3: [wbe] matches no guest of the 2 that were looked at; see their names with "
		   "'virsh list --all'");
	assert_string_equal(
		lint(*state, "[db]\nemulator = 0\n[w*]\nemulator = 1\n", "db web", NULL), "");
	/* no guest was looked at */
	assert_string_equal(lint(*state, "[wbe]\nemulator = 1\n", "", NULL), "");
}

static void
finds_cpus_that_are_not_granted(void **state)
{
	struct lint_limit limit = {.name = "machine.slice", .granted = mask_of("0-3")};
	assert_string_equal(lint(*state, "[db]\nemulator = 2-5\n", "db", &limit),
		AT "2: emulator wants 2-5, but machine.slice allows only 0-3: the others are left "
		   "out");
	assert_string_equal(lint(*state, "[db]\nemulator = 4-5\n", "db", &limit),
		AT "2: emulator wants 4-5, but machine.slice allows only 0-3: no CPU is left, so "
		   "such a guest is not pinned");
	assert_string_equal(lint(*state, "[db]\nemulator = 6,8\n", "", NULL),
		AT "2: emulator wants 6,8, but this host has only CPUs 0-7: the others are left "
		   "out");
	assert_string_equal(lint(*state, "[db]\nemulator = 0-3\n", "db", &limit), "");
}

/* Three lines for the threads that a test is not about. */
#define OTHERS "[*]\nemulator = 0\nvcpus = 0-1,5\n"

static void
finds_a_cpu_of_two_guests_vcpus(void **state)
{
	assert_string_equal(
		lint(*state, OTHERS "[db]\nvcpu0 = 2\n[web]\nvcpu3 = 2\n", "db web", NULL),
		AT "7: CPU 2: one vCPU's own in guest 'web', and in guest 'db' too (" AT
		   "5): the vCPUs take turns; give each a CPU of its own");
	assert_string_equal(lint(*state, "[*]\nvcpus = 0-3\nplacement = one-to-one\nemulator = 4\n",
				    "a b", NULL),
		AT "2: CPUs 0-3: one vCPU's own in guest 'b', and in guest 'a' too (" AT
		   "2): the vCPUs take turns; give each a CPU of its own");
	assert_string_equal(
		lint(*state, OTHERS "[db]\nvcpu0 = 2\n[web]\nvcpu3 = 4\n", "db web", NULL), "");
	assert_string_equal(lint(*state, "[*]\nvcpus = 0-3\n", "a b", NULL), "");
}

static void
finds_siblings_of_two_guests(void **state)
{
	assert_string_equal(
		lint(*state, OTHERS "[db]\nvcpu0 = 2\n[web]\nvcpu0 = 3\n", "db web", NULL), AT
		"7: hardware threads of the same cores: CPU 3 in guest 'web', and CPU 2 in guest "
		"'db' (" AT "5): each slows the other; give a guest whole cores, such as 2-3 "
		"(core:1)");
	devices = "pci 0 1 0 0\n"; /* of both: they cannot run together */
	assert_string_equal(
		lint(*state, OTHERS "[db]\nvcpu0 = 2\n[web]\nvcpu0 = 3\n", "db web", NULL), "");
	devices = NULL;
	assert_string_equal(
		lint(*state, OTHERS "[db]\nvcpu0 = 2\n[web]\nvcpu0 = 4\n", "db web", NULL), "");
	assert_string_equal(lint(*state, OTHERS "[db]\nvcpu0 = 2\nvcpu1 = 3\n[web]\nvcpu0 = 4\n",
				    "db web", NULL),
		"");
}

static void
finds_own_threads_on_a_vcpus_cpu(void **state)
{
	assert_string_equal(
		lint(*state, "[*]\nvcpus = 0,3-5\n[db]\nvcpu0 = 2\nemulator = 2\n", "db", NULL),
		AT "5: emulator may use CPU 2, which is vCPU 0's own; give it other "
		   "CPUs");
	assert_string_equal(lint(*state, "[db]\nvcpus = 0-3\nplacement = one-to-one\n", "db", NULL),
		AT "2: emulator may use CPUs 0-3, as no rule says otherwise, which "
		   "are each one vCPU's own; give it other CPUs");
	assert_string_equal(lint(*state, "[db]\nvcpu0 = 2\nemulator = 0\n", "db", NULL),
		AT "2: vcpu1 and others may use CPU 2, as no rule says otherwise, "
		   "which is vCPU 0's own; give them other CPUs");
	realtime = mask_of("3");
	assert_string_equal(
		lint(*state, "[*]\nvcpus = 0,3-5\n[db]\nvcpu3 = 2\nemulator = 2\n", "db", NULL),
		AT "5: emulator may use CPU 2, which is vCPU 3's own (with a "
		   "real-time scheduler: the guest can hang); give it other CPUs");
	realtime = mask_of("");
	assert_string_equal(lint(*state, OTHERS "[db]\nvcpu0 = 2\nemulator = 0\n", "db", NULL), "");
}

static void
finds_an_own_cpu_open_to_other_guests(void **state)
{
	static const char own[] = "[*]\nemulator = 5\nvcpus = 0-5\n"
				  "[db]\nvcpus = 0-3\nplacement = one-to-one\n";
	assert_string_equal(lint(*state, own, "db web", NULL),
		AT "5: CPUs 0-3: each one vCPU's own in guest 'db', and open to guest 'web' too; "
		   "leave them out of the sets of other guests");
	assert_string_equal(lint(*state, own, "a b db", NULL),
		AT "5: CPUs 0-3: each one vCPU's own in guest 'db', and open to guests 'a', 'b' "
		   "too; leave them out of the sets of other guests");
	assert_string_equal(lint(*state, strstr(own, "[db]"), "db web", NULL),
		AT "2: emulator may use CPUs 0-3, as no rule says otherwise, which "
		   "are each one vCPU's own; give it other CPUs\n" AT
		   "2: CPUs 0-3: each one vCPU's own in guest 'db', and open to guest 'web' "
		   "(which no rule confines) too; leave them out of the sets of other guests");
	/* guests that cannot run at the same time */
	devices = "pci 0 1 0 0\n";
	assert_string_equal(lint(*state, own, "db web", NULL), "");
	devices = NULL;
}

static void
finds_a_pool_with_far_too_many_vcpus(void **state)
{
	assert_string_equal(lint(*state, "[*]\nvcpus = 0-3\n", "a b c", NULL), AT
		"2: vcpus: 12 vCPUs of 3 guests share 4 CPUs, 0-3: when many are busy, they wait "
		"for one another; name more CPUs");
	assert_string_equal(lint(*state, "[*]\nvcpus = 0-3\n", "a b", NULL), "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		lint_test(finds_exclusions_before_cpus),
		lint_test(finds_keys_that_never_count),
		lint_test(finds_isolated_cpus_in_one_mask),
		lint_test(finds_more_vcpus_than_cpus),
		lint_test(finds_shadowed_settings),
		lint_test(finds_unmatched_rules),
		lint_test(finds_cpus_that_are_not_granted),
		lint_test(finds_a_cpu_of_two_guests_vcpus),
		lint_test(finds_siblings_of_two_guests),
		lint_test(finds_own_threads_on_a_vcpus_cpu),
		lint_test(finds_an_own_cpu_open_to_other_guests),
		lint_test(finds_a_pool_with_far_too_many_vcpus),
	};
	return cmocka_run_group_tests_name("lint", tests, NULL, NULL);
}
