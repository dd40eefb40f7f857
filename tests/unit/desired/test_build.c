/* SPDX-License-Identifier: MIT */
#include "desired/build.h"

#include "support/mask.h"
#include "support/tree.h"
#include "support/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A guest of four vCPUs, the last one offline, and iothreads 1 and 3; what rules wish for it. */
struct fixture {
	struct domain domain;
	struct rules rules;
	struct matched matched;
	struct topology topology;
	struct cpuset_expr expr;
	struct desired desired;
	struct messages messages;
	struct err e;
};

static struct fixture f;

/* The groups that the kernel has; none unless a test sets them. */
static const struct thread_group *running;
static size_t running_count;

static int
place(const struct tree *t, const char *rules, const char *usable)
{
	static bool online[] = {true, true, true, false};
	static unsigned iothreads[] = {1, 3};
	f = (struct fixture){.domain = {.name = (char *)"web",
				     .threads = 1,
				     .vcpus = COUNT(online),
				     .vcpu_online = online,
				     .iothreads = iothreads,
				     .iothread_count = COUNT(iothreads)},
		.topology = {.root = t->fd}};
	struct cpumask mask = mask_of(usable);
	tree_put(t, "etc/vmaffinity.ini", rules);
	rules_load(&f.rules, t->fd, &f.messages);
	if (f.messages.count > 0)
		fail_msg("%s", f.messages.items[0].text);
	assert_int_equal(rules_match(&f.rules, f.domain.name, NULL, &f.matched), 0);
	f.expr = (struct cpuset_expr){.rules = &f.rules, .topology = &f.topology};
	memset(&f.desired, 0x5a, sizeof(f.desired));
	return desired_build(&f.matched, &f.domain, running, running_count, &f.expr, &mask, NULL,
		&f.desired, &f.messages, &f.e);
}

static void
end(void)
{
	desired_free(&f.desired);
	cpuset_expr_free(&f.expr);
	topology_free(&f.topology);
	free(f.matched.rules);
	rules_free(&f.rules);
	messages_free(&f.messages);
}

/* "vcpu0 4-5:2", the CPUs and the line of the setting; "-" without; a line for each group. */
static const char *
show(void)
{
	static char text[4096];
	size_t used = 0;
	text[0] = '\0';
	for (size_t i = 0; i < f.desired.group_count; i++) {
		const struct desired_group *g = &f.desired.groups[i];
		char name[THREAD_GROUP_NAME_MAX], list[128] = "-";
		if (g->mask != NULL) {
			cpumask_format(&g->mask->cpus, list, sizeof(list));
			assert_ptr_equal(g->mask->setting, g->setting);
		}
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s %s:%u\n",
			thread_group_name(g->group, name), list,
			g->setting != NULL ? g->setting->value.line : 0);
	}
	return text;
}

static void
places_every_group_that_the_guest_may_have(void **state)
{
	assert_int_equal(
		place(*state,
			"[*]\nemulator = 0\nvcpus = 1-7\niothreads = 0-1\n[web]\nvcpu1-2 = 4\n"
			"vcpu2 = keep\niothread3 = 5\n",
			"0-7"),
		0);
	assert_string_equal(show(), "emulator 0:2\nvcpu0 1-7:3\nvcpu1 4:6\nvcpu2 -:7\n"
				    "vcpu3 1-7:3\niothread1 0-1:4\niothread3 5:8\n");
	assert_int_equal(f.messages.count, 0);
	end();
}

/* Plugged in since the XML was made, or an XML of long ago. */
static void
places_what_the_kernel_has_as_well(void **state)
{
	static const struct thread_group there[] = {{GROUP_IOTHREAD, 2}, {GROUP_VCPU, 9},
		{GROUP_VCPU, 0}, {GROUP_EMULATOR, 0}, {GROUP_IOTHREAD, 7}};
	running = there;
	running_count = COUNT(there);
	int r = place(*state, "[web]\nvcpus = 1\nvcpu9 = 2\niothread2 = 3\nvcpu8 = 0\n", "0-7");
	running_count = 0;
	assert_int_equal(r, 0);
	assert_string_equal(show(), "emulator -:0\nvcpu0 1:2\nvcpu1 1:2\nvcpu2 1:2\nvcpu3 1:2\n"
				    "vcpu9 2:3\niothread1 -:0\niothread2 3:4\niothread3 -:0\n"
				    "iothread7 -:0\n");
	assert_int_equal(f.messages.count, 1);
	assert_string_equal(f.messages.items[0].text,
		"/etc/vmaffinity.ini:5: vcpu8: no such vCPU in this guest, which can have 4");
	end();
}

static void
leaves_what_no_rule_is_about(void **state)
{
	assert_int_equal(place(*state, "[web]\nvcpu0 = 3\n[other]\nemulator = 1\n", "0-7"), 0);
	assert_string_equal(show(), "emulator -:0\nvcpu0 3:2\nvcpu1 -:0\nvcpu2 -:0\nvcpu3 -:0\n"
				    "iothread1 -:0\niothread3 -:0\n");
	end();
}

static void
evaluates_a_setting_once_for_all_its_groups(void **state)
{
	/* two settings that take turns: more changes than there are settings */
	assert_int_equal(place(*state, "[web]\nvcpus = 1\nvcpu1 = 2\n[w*]\nvcpu3 = 3\n", "0-7"), 0);
	assert_int_equal(f.desired.mask_count, 3);
	const struct desired_group *g = f.desired.groups;
	assert_ptr_equal(g[1].mask, g[3].mask);
	assert_ptr_not_equal(g[1].mask, g[2].mask);
	assert_string_equal(show(), "emulator -:0\nvcpu0 1:2\nvcpu1 2:3\nvcpu2 1:2\nvcpu3 3:5\n"
				    "iothread1 -:0\niothread3 -:0\n");
	end();
}

static void
cuts_to_what_is_usable(void **state)
{
	assert_int_equal(
		place(*state, "[web]\nvcpus = 2-9\nemulator = 8\niothreads = 1\n", "0-3"), 0);
	assert_string_equal(show(), "emulator :3\nvcpu0 2-3:2\nvcpu1 2-3:2\nvcpu2 2-3:2\n"
				    "vcpu3 2-3:2\niothread1 1:4\niothread3 1:4\n");
	assert_mask(
		&desired_find(&f.desired, (struct thread_group){GROUP_VCPU, 0})->mask->requested,
		"2-9");
	const struct thread_group emulator = {GROUP_EMULATOR, 0};
	assert_mask(&desired_find(&f.desired, emulator)->mask->requested, "8");
	end();
}

static void
notes_what_the_guest_does_not_have(void **state)
{
	static const char *const texts[] = {
		"/etc/vmaffinity.ini:2: vcpu4, vcpu5-9: no such vCPU in this guest, which can have "
		"4",
		"/etc/vmaffinity.ini:5: iothread2, iothread4-6: no such iothread in this guest, "
		"which has 2",
	};
	assert_int_equal(place(*state,
				 "[web]\nvcpu4 = 0\nvcpu5-9 = 0\nvcpu3-4 = 0\niothread2 = 0\n"
				 "iothread3 = 0\niothread4-6 = 0\n[x]\nvcpu77 = 0\n",
				 "0-7"),
		0);
	assert_int_equal(f.messages.count, COUNT(texts));
	for (size_t i = 0; i < COUNT(texts); i++) {
		assert_string_equal(f.messages.items[i].text, texts[i]);
		assert_int_equal(f.messages.items[i].level, MESSAGE_INFO);
	}
	end();
}

/* As many as a rule can have are one line, so that they crowd nothing out. */
static void
notes_many_absent_vcpus_on_one_line(void **state)
{
	char rules[32768] = "[web]\n";
	size_t used = strlen(rules);
	for (unsigned i = 0; i < 1100; i++)
		used += (size_t)snprintf(rules + used, sizeof(rules) - used, "vcpu%u = 0\n", i + 4);
	assert_int_equal(place(*state, rules, "0-7"), 0);
	assert_int_equal(f.messages.count, 1);
	const char *text = f.messages.items[0].text;
	static const char start[] = "/etc/vmaffinity.ini:2: vcpu4, vcpu5, ";
	assert_memory_equal(text, start, sizeof(start) - 1);
	const char *rest = strstr(text, ", ...: no such vCPU in this guest, which can have 4");
	assert_non_null(rest);
	assert_null(strstr(text, "..., "));
	end();
}

static void
fails_where_a_set_has_an_error(void **state)
{
	assert_int_equal(place(*state, "[web]\nemulator = 0\nvcpus = x\n", "0-7"), -1);
	assert_string_equal(f.e.text,
		"/etc/vmaffinity.ini:3:9: 'x' is not a CPU, a range, '@NAME' or a word: "
		"all, isolated, pcores, ecores, node:N, package:N, l3:N, core:N, pu:N");
	assert_null(f.desired.groups);
	assert_null(f.desired.masks);
	end();
	/* but not for the sake of a set that decides over nothing here */
	assert_int_equal(place(*state, "[web]\nvcpu9 = x\nvcpus = x\n[*]\nvcpus = 1\n", "0-7"), 0);
	end();
}

/* Four cores of two threads, 0 and 1 and so on, on one node. */
static void
make_cores(const struct tree *t)
{
	for (unsigned cpu = 0; cpu < 8; cpu++) {
		char path[80], value[16];
		tree_put(t, "sys/devices/system/cpu/online", "0-7\n");
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
gives_each_vcpu_one_cpu(void **state)
{
	/* vcpu9 was plugged in since, and has its CPU as well */
	static const struct thread_group there[] = {{GROUP_VCPU, 9}};
	make_cores(*state);
	running = there;
	running_count = COUNT(there);
	int r = place(*state,
		"[*]\nvcpus = 0-7\nplacement = one-to-one\nvcpu1 = 2\niothreads = 0-1\n", "0-6");
	running_count = 0;
	if (r != 0)
		fail_msg("%s", f.e.text);
	assert_string_equal(show(), "emulator -:0\nvcpu0 0:2\nvcpu1 2:4\nvcpu2 4:2\nvcpu3 6:2\n"
				    "vcpu9 1:2\niothread1 0-1:5\niothread3 0-1:5\n");
	/* what the setting asks for is still known as a whole */
	assert_int_equal(f.desired.mask_count, 3);
	assert_mask(&f.desired.masks[0].requested, "0-7");
	assert_mask(&f.desired.masks[0].cpus, "0-6");
	assert_int_equal(f.messages.count, 1);
	assert_int_equal(f.messages.items[0].level, MESSAGE_DETAIL);
	end();
}

static void
does_not_fall_back_to_floating(void **state)
{
	make_cores(*state);
	assert_int_equal(
		place(*state, "[*]\nvcpus = 0-7\nplacement = one-to-one\nvcpu1 = 2\n", "0-3"), 0);
	assert_string_equal(show(), "emulator -:0\nvcpu0 0:2\nvcpu1 2:4\nvcpu2 1:2\nvcpu3 3:2\n"
				    "iothread1 -:0\niothread3 -:0\n");
	end();
	assert_int_equal(
		place(*state, "[*]\nvcpus = 0-7\nplacement = one-to-one\nvcpu1 = 2\n", "0-2"), 0);
	assert_string_equal(show(), "emulator -:0\nvcpu0 :2\nvcpu1 2:4\nvcpu2 :2\nvcpu3 :2\n"
				    "iothread1 -:0\niothread3 -:0\n");
	assert_int_equal(f.messages.errors, 1);
	end();
	/* of a host that does not tell its cores nothing is guessed */
	tree_remove(*state, "sys/devices/system/cpu");
	assert_int_equal(place(*state, "[*]\nvcpus = 0-3\nplacement = one-to-one\n", "0-7"), -1);
	assert_null(f.desired.groups);
	end();
}

static void
finds_a_group(void **state)
{
	assert_int_equal(place(*state, "[web]\nvcpus = 1\n", "0-7"), 0);
	for (size_t i = 0; i < f.desired.group_count; i++)
		assert_ptr_equal(
			desired_find(&f.desired, f.desired.groups[i].group), &f.desired.groups[i]);
	assert_int_equal(f.desired.group_count, 7);
	assert_null(desired_find(&f.desired, (struct thread_group){GROUP_VCPU, 4}));
	assert_null(desired_find(&f.desired, (struct thread_group){GROUP_IOTHREAD, 2}));
	end();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(places_every_group_that_the_guest_may_have),
		tree_test(places_what_the_kernel_has_as_well),
		tree_test(leaves_what_no_rule_is_about),
		tree_test(evaluates_a_setting_once_for_all_its_groups),
		tree_test(cuts_to_what_is_usable),
		tree_test(notes_what_the_guest_does_not_have),
		tree_test(notes_many_absent_vcpus_on_one_line),
		tree_test(fails_where_a_set_has_an_error),
		tree_test(gives_each_vcpu_one_cpu),
		tree_test(does_not_fall_back_to_floating),
		tree_test(finds_a_group),
	};
	return cmocka_run_group_tests_name("build", tests, NULL, NULL);
}
