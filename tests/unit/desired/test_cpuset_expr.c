/* SPDX-License-Identifier: MIT */
#include "desired/cpuset_expr.h"

#include "support/mask.h"
#include "support/tree.h"
#include "support/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAIN "etc/vmaffinity.ini"
#define CPU "sys/devices/system/cpu/"

/*
 * A host of CPUs 0-15, of which 15 is offline and 6-7 are isolated. There are four cores, 0 and 8
 * to 3 and 11; 0-3 are performance cores, 8-11 are not.
 */
static int
setup(void **state)
{
	int r = tree_setup(state);
	if (r == 0)
		tree_make(*state,
			CPU "online 0-14\n" CPU "present 0-15\n" CPU "isolated 6-7\n"
			    "sys/devices/cpu_core/cpus 0-3\nsys/devices/cpu_atom/cpus 8-11\n" CPU
			    "cpu0/topology/core_cpus_list 0,8\n" CPU
			    "cpu1/topology/core_cpus_list 1,9\n" CPU
			    "cpu2/topology/core_cpus_list 2,10\n" CPU
			    "cpu3/topology/core_cpus_list 3,11");
	return r;
}

#define host_test(name) cmocka_unit_test_setup_teardown(name, setup, tree_teardown)

/* Rules of text, which must be understood so far. */
static struct rules
loaded(const struct tree *t, const char *text)
{
	struct rules rules = {0};
	struct messages messages = {0};
	tree_put(t, MAIN, text);
	rules_load(&rules, t->fd, &messages);
	if (messages.count > 0)
		fail_msg("%s", messages.items[0].text);
	return rules;
}

/* Evaluates the first setting of text's first rule. The CPUs, or the error. */
static const char *
evaluated(const struct tree *t, const char *text)
{
	static char shown[CPULIST_MAX];
	struct rules rules = loaded(t, text);
	struct topology topology = {.root = t->fd};
	struct cpuset_expr expr = {.rules = &rules, .topology = &topology};
	struct cpumask mask, before;
	struct err e;
	memset(&mask, 0x5a, sizeof(mask));
	before = mask;
	if (cpuset_expr_eval(&expr, &rules.rules[0].settings[0].value, &mask, &e) == 0) {
		assert_false(cpumask_empty(&mask));
		cpumask_format(&mask, shown, sizeof(shown));
	} else {
		assert_true(cpumask_equal(&mask, &before));
		snprintf(shown, sizeof(shown), "%s", e.text);
	}
	cpuset_expr_free(&expr);
	topology_free(&topology);
	rules_free(&rules);
	return shown;
}

/* Returns the errors of all of text when checked without a host, a line each. */
static const char *
checked(const struct tree *t, const char *text)
{
	static char shown[8192];
	struct rules rules = loaded(t, text);
	struct messages messages = {0};
	size_t used = 0;
	shown[0] = '\0';
	cpuset_expr_check_rules(&rules, &messages);
	for (size_t i = 0; i < messages.count; i++)
		used += (size_t)snprintf(
			shown + used, sizeof(shown) - used, "%s\n", messages.items[i].text);
	assert_true(used < sizeof(shown));
	assert_int_equal(messages.count, messages.errors);
	rules_free(&rules);
	messages_free(&messages);
	return shown;
}

/* Behind "vcpus = ", and the CPUs. */
static const struct {
	const char *text, *cpus;
} good[] = {
	{"7", "7"},
	{"0-3", "0-3"},
	{"3,1", "1,3"},
	{"3 1", "1,3"},
	{"3 , 1\t,2", "1-3"},
	{"0-7:1/2", "0,2,4,6"},
	{"all", "0-14"},
	{"isolated", "6-7"},
	{"all ^isolated", "0-5,8-14"},
	{"^isolated all", "0-5,8-14"},
	{"0-7 ^3", "0-2,4-7"},
	{"^3 0-7", "0-2,4-7"},
	{"^3, 0-7", "0-2,4-7"},
	{"0-7,^3,3", "0-2,4-7"},
	{"^8,0-15", "0-7,9-15"},
	{"0-7 ^2-5 ^0-7:1/2", "1,7"},
	{"8191", "8191"},
	{"15 20", "15,20"},
	{"@house", "0-1"},
	{"@house,@guests", "0-14"},
	{"@guests ^@cores", "2-3,8-14"},
	{"^@cores @guests", "2-3,8-14"},
	{"@cores", "4-7"},
	{"@a-b_c.1", "9"},
	{"0,\n 4,\n  8", "0,4,8"},
	{"0\n 4\n\n ; c\n 8", "0,4,8"},
	{"0-3\n ^2\n ^3", "0-1"},
	{"core:1", "1,9"},
	{"core:0,2", "0,2,8,10"},
	{"core:0,2-3.pu:1 5", "5,8,10-11"},
	{"core:0 3", "0,3,8"},
	{"3,core:0,@house", "0-1,3,8"},
	{"core:0,core:3", "0,3,8,11"},
	{"@first ^core:0,3", "1-2"},
	{"^core:0,3,@first", "1-2"},
	{"pcores", "0-3"},
	{"all ^pcores ^ecores", "4-7,12-14"},
};

#define SETS                                                                                       \
	"[cpus]\nhouse = 0-1\nguests = all ^@house\ncores = @half ^@house 4-7 0-1\nhalf = 4-7\n"   \
	"a-b_c.1 = 9\nfirst = core:all.pu:0\n"

static void
evaluates(void **state)
{
	const struct tree *t = *state;
	for (size_t i = 0; i < COUNT(good); i++) {
		char text[512];
		snprintf(text, sizeof(text), SETS "[a]\nvcpus = %s\n", good[i].text);
		if (strcmp(evaluated(t, text), good[i].cpus) != 0)
			fail_msg("%s gives %s", good[i].text, evaluated(t, text));
	}
}

#define AT(line, column) "/etc/vmaffinity.ini:" #line ":" #column ": "
#define WORDS(item)                                                                                \
	"'" item "' is not a CPU, a range, '@NAME' or a word: all, isolated, pcores, ecores, "     \
	"node:N, package:N, l3:N, core:N, pu:N"
#define MEANT(item, word) "unknown word '" item "'; did you mean '" word "'?"
#define WHICH(item, words)                                                                         \
	"is '" item "' a CPU, or one more of '" words                                              \
	"'? For a CPU put a blank in place of the comma, else write the word again"
#define RANGE(item) "'" item "' is not a CPU or a range of CPUs"

/* Line 2 is "vcpus = " and text; so its first column is 9. */
static const struct {
	const char *text, *reason;
} bad[] = {
	{"x", AT(2, 9) WORDS("x")},
	{"0-3,x", AT(2, 13) WORDS("x")},
	{"0-3, alls", AT(2, 14) MEANT("alls", "all")},
	{"al", AT(2, 9) MEANT("al", "all")},
	{"All", AT(2, 9) MEANT("All", "all")},
	{"-1", AT(2, 9) WORDS("-1")},
	{"0x1", AT(2, 10) RANGE("0x1")},
	{"0-1-2", AT(2, 12) RANGE("0-1-2")},
	{"1:1/2", AT(2, 10) RANGE("1:1/2")},
	{"5 1.5", AT(2, 12) RANGE("1.5")},
	{"0-", AT(2, 11) "a CPU number is missing"},
	{"4 0-x", AT(2, 13) "a CPU number is missing"},
	{"3-0", AT(2, 9) "range 3-0 runs backwards; write 0-3"},
	{"4294967296", AT(2, 9) "CPU 4294967296 is above the limit, 8191"},
	{"0-9999", AT(2, 11) "CPU 9999 is above the limit, 8191"},
	{"8192", AT(2, 9) "CPU 8192 is above the limit, 8191"},
	{"5-5:4294967295", AT(2, 13) "a stride is USED/GROUP with 0 < USED <= GROUP <= 8192, as in "
				     "0-31:2/4"},
	{"0,", AT(2, 10) "nothing follows the ','"},
	{"0 , ", AT(2, 11) "nothing follows the ','"},
	{",0", AT(2, 9) "an item is missing"},
	{",", AT(2, 9) "an item is missing"},
	{"0,,1", AT(2, 11) "an item is missing"},
	{"0, ,1", AT(2, 12) "an item is missing"},
	{"^", AT(2, 10) "an item is missing"},
	{"0 ^", AT(2, 12) "an item is missing"},
	{"0 ^ 1", AT(2, 12) "an item is missing"},
	{"0 ^^1", AT(2, 12) WORDS("^1")},
	{"0-7,!2-3", AT(2, 13) "to leave CPUs out, write '^2-3'"},
	{"!", AT(2, 9) "to leave CPUs out, write '^'"},
	{"0 ~core:1", AT(2, 11) "to leave CPUs out, write '^core:1'"},
	{"@", AT(2, 9) "'@': no such name in [cpus]"},
	{"@nobody", AT(2, 9) "'@nobody': no such name in [cpus]"},
	{"0 ^@nobody", AT(2, 12) "'@nobody': no such name in [cpus]"},
	{"0 keep", AT(2, 11) "'keep' is a value by itself, in a rule"},
	{"0 #c", AT(2, 11) "a comment after a value begins with a space and ';'"},
	{"0;c", AT(2, 9) "a comment after a value begins with a space and ';'"},
	{"^3", AT(2, 9) "'^3' leaves no CPU"},
	{"0-3 ^all", AT(2, 9) "'0-3 ^all' leaves no CPU"},
	{"all ^all", AT(2, 9) "'all ^all' leaves no CPU"},
	{"0,\n    4,\n  x", AT(4, 3) WORDS("x")},
	{"0,\n\t4\n\n\t\t0-x", AT(5, 5) "a CPU number is missing"},
	{"0,\n  1,", AT(3, 4) "nothing follows the ','"},
	{"nodes", AT(2, 9) MEANT("nodes", "node")},
	{"0 core", AT(2, 11) "an index is missing, as in core:0"},
	{"0 ^core:", AT(2, 17) "an index is missing; write N, N-M, N- or all"},
	{"core:0 corr:1", AT(2, 16) MEANT("corr", "core")},
	{"pcore", AT(2, 9) MEANT("pcore", "pcores")},
	{"CPU0", AT(2, 9) "'CPU0': a CPU is written as its number alone: '0'"},
	{"0, cpu12-15", AT(2, 12) "'cpu12-15': a CPU is written as its number alone: '12-15'"},
	{"cpu", AT(2, 9) "'cpu': a CPU is written as its number alone: 'N'"},
	{"core:0, 3", AT(2, 17) WHICH("3", "core:0")},
	{"core:0,1-2 ,0-3", AT(2, 21) WHICH("0-3", "core:0,1-2")},
	{"core:0,\n 3", AT(3, 2) WHICH("3", "core:0")},
	{"core:0-1,^3", AT(2, 18) WHICH("^3", "core:0-1")},
	{"^core:0, 3", AT(2, 18) WHICH("3", "core:0")},
	{"core:9", AT(2, 9) "core:9: this host has cores 0-3"},
	{"core:0 ^core:3,9", AT(2, 17) "core:9: this host has cores 0-3"},
	{"core:0 ^core:0", AT(2, 9) "'core:0 ^core:0' leaves no CPU"},
	{"core:0,", AT(2, 15) "nothing follows the ','"},
	{"core:0;1", AT(2, 9) "a comment after a value begins with a space and ';'"},
	{"a-word-of-more-than-forty-bytes-is-shown-cut-there",
		AT(2, 9) WORDS("a-word-of-more-than-forty-bytes-is-shown")},
};

static void
points_at_the_fault(void **state)
{
	const struct tree *t = *state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		char text[256];
		snprintf(text, sizeof(text), "[a]\nvcpus = %s\n", bad[i].text);
		if (strcmp(evaluated(t, text), bad[i].reason) != 0)
			fail_msg("%s\n--- gives\n%s\n--- wanted\n%s", text, evaluated(t, text),
				bad[i].reason);
	}
}

/* The words of the host that are not so there. */
static void
says_what_the_host_has_not(void **state)
{
	const struct tree *t = *state;
	tree_put(t, CPU "isolated", "\n");
	assert_string_equal(evaluated(t, "[a]\nvcpus = 0 isolated\n"),
		AT(2, 11) "'isolated': this host has no isolated CPUs (isolcpus= on the kernel's "
			  "command line)");
	assert_string_equal(evaluated(t, "[a]\nvcpus = all ^isolated\n"),
		AT(2, 14) "'isolated': this host has no isolated CPUs (isolcpus= on the kernel's "
			  "command line)");
	tree_put(t, "sys/devices/cpu_atom/cpus", "\n");
	assert_string_equal(evaluated(t, "[a]\nvcpus = pcores ecores\n"),
		AT(2, 16) "'ecores': this host has no efficient cores; its cores are all alike");
	tree_put(t, "sys/devices/cpu_core/cpus", "\n");
	assert_string_equal(evaluated(t, "[a]\nvcpus = pcores\n"),
		AT(2, 9) "'pcores': this host has no performance cores; its cores are all alike");
	tree_remove(t, CPU "online");
	assert_string_equal(evaluated(t, "[a]\nvcpus = all\n"),
		AT(2, 9) "/sys/devices/system/cpu/online: No such file or directory");
}

static void
reads_of_the_host_what_is_asked_for(void **state)
{
	const struct tree *t = *state;
	tree_remove(t, "sys");
	assert_string_equal(evaluated(t, SETS "[a]\nvcpus = @half,3\n"), "3-7");
}

/* An error in a named set is told with that set's place. */
static const struct {
	const char *text, *reason;
} in_sets[] = {
	{"[cpus]\nx = 0,y\n[a]\nvcpus = 1 @x\n", AT(2, 7) WORDS("y")},
	{"[a]\nvcpus = 1 @x\n[cpus]\nx = @y\ny = 1 @z\nz = 3-0\n",
		AT(6, 5) "range 3-0 runs backwards; write 0-3"},
	{"[cpus]\nx = 1 @x\n[a]\nvcpus = @x\n", AT(2, 7) "'@x' is defined by way of itself"},
	{"[cpus]\nx = @y\ny = @z\nz = @x\n[a]\nvcpus = @y\n",
		AT(2, 5) "'@y' is defined by way of itself"},
	{"[cpus]\nx = 0 ^0\n[a]\nvcpus = 1 @x\n", AT(2, 5) "'0 ^0' leaves no CPU"},
	{"[cpus]\nx = 0,\n  y\n[a]\nvcpus = 1 @x\n", AT(3, 3) WORDS("y")},
};

static void
points_into_named_sets(void **state)
{
	const struct tree *t = *state;
	for (size_t i = 0; i < COUNT(in_sets); i++)
		assert_string_equal(evaluated(t, in_sets[i].text), in_sets[i].reason);
}

static void
says_it_again_of_a_set_with_an_error(void **state)
{
	const struct tree *t = *state;
	struct rules rules =
		loaded(t, "[cpus]\nx = y\n[a]\nvcpus = @x\nemulator = 0 @x\niothreads = 3\n");
	struct topology topology = {.root = t->fd};
	struct cpuset_expr expr = {.rules = &rules, .topology = &topology};
	const struct setting *settings = rules.rules[0].settings;
	struct cpumask mask;
	struct err e;
	assert_int_equal(cpuset_expr_eval(&expr, &settings[0].value, &mask, &e), -1);
	assert_string_equal(e.text, AT(2, 5) WORDS("y"));
	assert_int_equal(cpuset_expr_eval(&expr, &settings[1].value, &mask, &e), -1);
	assert_string_equal(e.text, AT(2, 5) WORDS("y"));
	assert_int_equal(cpuset_expr_eval(&expr, &settings[2].value, &mask, &e), 0);
	assert_mask(&mask, "3");
	cpuset_expr_free(&expr);
	rules_free(&rules);
}

/*
 * [cpus] with n0 = 0 or "@" what comes next, and so on to n(count - 1); a rule with "@" the end of
 * it.
 */
static const char *
chain(unsigned count, bool leaf_first)
{
	static char text[16384];
	size_t used = (size_t)snprintf(text, sizeof(text), "[cpus]\n");
	for (unsigned i = 0; i < count; i++) {
		bool leaf = i == (leaf_first ? 0 : count - 1);
		unsigned next = leaf_first ? i - 1 : i + 1;
		if (leaf)
			used += (size_t)snprintf(text + used, sizeof(text) - used, "n%u = 7\n", i);
		else
			used += (size_t)snprintf(
				text + used, sizeof(text) - used, "n%u = @n%u\n", i, next);
	}
	snprintf(text + used, sizeof(text) - used, "[a]\nvcpus = @n%u\n",
		leaf_first ? count - 1 : 0);
	return text;
}

static void
bounds_how_deep_names_nest(void **state)
{
	const struct tree *t = *state;
	assert_string_equal(evaluated(t, chain(64, false)), "7");
	assert_string_equal(checked(t, chain(64, false)), "");
	assert_string_equal(evaluated(t, chain(65, false)),
		AT(65, 7) "'@n64': more than 64 names within one another");
	assert_string_equal(checked(t, chain(65, false)),
		AT(65, 7) "'@n64': more than 64 names within one another\n");
	assert_string_equal(evaluated(t, chain(64, true)), "7");
}

/* A text that passes the check must not fail when a guest starts, in any order of the names. */
static void
the_check_finds_names_too_deep_in_any_order(void **state)
{
	const struct tree *t = *state;
	char one[512], other[512];
	snprintf(one, sizeof(one), "%s", evaluated(t, chain(65, true)));
	snprintf(other, sizeof(other), "%s", checked(t, chain(65, true)));
	if ((strstr(one, "more than 64") != NULL) != (strstr(other, "more than 64") != NULL))
		fail_msg("evaluated: %s; checked: '%s'", one, other);
}

/* 2^60 ways through the names; each is evaluated once. */
static void
evaluates_each_name_once(void **state)
{
	const struct tree *t = *state;
	char text[4096];
	size_t used = (size_t)snprintf(text, sizeof(text), "[cpus]\n");
	for (unsigned i = 0; i < 60; i++)
		used += (size_t)snprintf(
			text + used, sizeof(text) - used, "n%u = @n%u @n%u\n", i, i + 1, i + 1);
	snprintf(text + used, sizeof(text) - used, "n60 = 5 6\n[a]\nvcpus = @n0\n");
	assert_string_equal(evaluated(t, text), "5-6");
	assert_string_equal(checked(t, text), "");
}

static const struct {
	const char *text, *wrong;
} checks[] = {
	{SETS "[a]\nvcpus = @cores\nemulator = keep\n", ""},
	/* without a host this may be anything */
	{"[a]\nvcpus = all ^all\nemulator = 0 ^all\niothreads = isolated\n", ""},
	{"[cpus]\nx = all\n[a]\nvcpus = @x ^@x\nemulator = 0 ^@x\n", ""},
	{"[cpus]\nx = 0\n[a]\nvcpus = @x ^@x\n", AT(4, 9) "'@x ^@x' leaves no CPU\n"},
	{"[a]\nvcpus = core:0 ^core:0\nemulator = 0 ^node:0\niothreads = pcores ^ecores,pu:9\n",
		""},
	{"[cpus]\nx = core:8191\n[a]\nvcpus = 0 ^@x\nemulator = core:8192\n",
		AT(5, 17) "the index is above the limit, 8191\n"},
	{"[a]\nvcpus = 0 0 ^0-1\nemulator = 1\niothreads = core:0, 1\n",
		AT(2, 9) "'0 0 ^0-1' leaves no CPU\n" AT(4, 21) WHICH("1", "core:0") "\n"},
	/* one error of a set, once, though it is used twice; all others too */
	{"[cpus]\nx = y\nz = @x\n[a]\nvcpus = @x\nemulator = 0 @z\niothreads = 8192\n",
		AT(2, 5) WORDS("y") "\n" AT(7, 13) "CPU 8192 is above the limit, 8191\n"},
	{"[cpus]\na = @b\nb = @a\n[r]\nvcpus = @a\nemulator = @b\n",
		AT(3, 5) "'@a' is defined by way of itself\n"},
	{"[a]\nvcpus = @x\n[b]\nvcpus = @y\n", AT(2, 9) "'@x': no such name in [cpus]\n" AT(
						       4, 9) "'@y': no such name in [cpus]\n"},
	{"[cpus]\nunused = 9999\n", AT(2, 10) "CPU 9999 is above the limit, 8191\n"},
	{"[cpus]\nx = keep\n[a]\nvcpus = 0\n", AT(2, 5) "'keep' is a value by itself, in a rule\n"},
};

static void
checks_all_rules_without_a_host(void **state)
{
	const struct tree *t = *state;
	for (size_t i = 0; i < COUNT(checks); i++)
		if (strcmp(checked(t, checks[i].text), checks[i].wrong) != 0)
			fail_msg("%s\n--- gives\n%s--- wanted\n%s", checks[i].text,
				checked(t, checks[i].text), checks[i].wrong);
}

/* Of two definitions in two files the later counts; the first is checked all the same. */
static void
takes_the_later_of_two_definitions(void **state)
{
	const struct tree *t = *state;
	tree_make(t, "etc/vmaffinity.d/x.ini [cpus]\\nx = 4");
	assert_string_equal(evaluated(t, "[cpus]\nx = 3\n[a]\nvcpus = @x\n"), "4");
	assert_string_equal(
		checked(t, "[cpus]\nx = y\n[a]\nvcpus = @x\n"), AT(2, 5) WORDS("y") "\n");
}

static const struct {
	const char *text;
	bool first;
	size_t offset, length;
} exclusions[] = {
	{"0-7", false, 0, 0},
	{"", false, 0, 0},
	{"0-7 ^3", false, 0, 0},
	{"0-7,^3,^4", false, 0, 0},
	{"^3", false, 0, 0},
	{"^3 ^4", false, 0, 0},
	{"^3 0-7", true, 0, 2},
	{"^3,0-7", true, 0, 2},
	{" , ^3 0-7", true, 3, 2},
	{"0-3 ^@house,\n 4-7", true, 4, 7},
	{"0 ^1 ^2 3 ^4", true, 2, 2},
	{"0-7 ^core:1,2", false, 0, 0},
	{"^core:1,2 4", true, 0, 9},
};

static void
finds_an_exclusion_before_what_it_cuts(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(exclusions); i++) {
		size_t offset = 0, length = 0;
		bool first = cpuset_expr_exclusion_first(exclusions[i].text, &offset, &length);
		if (first != exclusions[i].first)
			fail_msg("'%s': %d", exclusions[i].text, first);
		if (!first)
			continue;
		assert_int_equal(offset, exclusions[i].offset);
		assert_int_equal(length, exclusions[i].length);
	}
}

int
main(void)
{
	alarm(120); /* "without end" is a fault that is looked for here */
	const struct CMUnitTest tests[] = {
		host_test(evaluates),
		host_test(points_at_the_fault),
		host_test(says_what_the_host_has_not),
		host_test(reads_of_the_host_what_is_asked_for),
		host_test(points_into_named_sets),
		host_test(says_it_again_of_a_set_with_an_error),
		host_test(bounds_how_deep_names_nest),
		host_test(the_check_finds_names_too_deep_in_any_order),
		host_test(evaluates_each_name_once),
		host_test(checks_all_rules_without_a_host),
		host_test(takes_the_later_of_two_definitions),
		cmocka_unit_test(finds_an_exclusion_before_what_it_cuts),
	};
	return cmocka_run_group_tests_name("cpuexpr", tests, NULL, NULL);
}
