/* SPDX-License-Identifier: MIT */
#include "pin/pin.h"

#include "support/mask.h"
#include "support/threads.h"
#include "support/tree.h"
#include "support/unit.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RULES "etc/vmaffinity.ini"
#define BASE "sys/fs/cgroup/machine.slice/machine-qemu\\x2d1\\x2dweb.scope/libvirt/"

static const char web[] = "<domain id='1'><name>web</name><vcpu current='2'>3</vcpu>"
			  "<iothreads>1</iothreads></domain>";

/* CPUs 0-15, 15 offline; machine.slice has 0-7, the guest's cgroup 0-5. The guest does not run. */
static const char machine[] =
	"sys/devices/system/cpu/online 0-14\n"
	"sys/devices/system/cpu/present 0-15\n"
	"sys/devices/system/cpu/isolated\n"
	"proc/self/mountinfo 30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"
	"run/\n"
	"sys/fs/cgroup/machine.slice/cpuset.cpus.effective 0-7\n"
	"sys/fs/cgroup/machine.slice/machine-qemu\\x2d1\\x2dweb.scope/cpuset.cpus.effective "
	"0-5\n" BASE "cpuset.cpus.effective 0-5\n" BASE "emulator/cpuset.cpus\n" BASE
	"emulator/cgroup.threads \\c\n" BASE "vcpu0/cpuset.cpus 0-3,4-7\n" BASE
	"vcpu0/cgroup.threads \\c\n" BASE "vcpu1/cpuset.cpus 0-1\n" BASE
	"vcpu1/cgroup.threads \\c\n" BASE "iothread1/cpuset.cpus 0-1\n" BASE
	"iothread1/cgroup.threads \\c\n"
	"proc/4711/cgroup 0::/machine.slice/machine-qemu\\x2d1\\x2dweb.scope/libvirt/emulator\n";
static const char runs[] = "run/libvirt/qemu/web.xml <domstatus pid='4711'/>\n";

static struct pin_host host;
static struct pin pin;
static struct err e;

static int
setup(void **state)
{
	int r = tree_setup(state);
	if (r == 0)
		tree_make(*state, machine);
	pin = (struct pin)PIN_NONE;
	return r;
}

static int
teardown(void **state)
{
	pin_free(&pin);
	pin_host_free(&host);
	return tree_teardown(state);
}

#define pin_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static int
prepare(const struct tree *t, const char *text, enum pin_intent intent)
{
	struct messages messages = {0};
	pin_free(&pin);
	pin_host_free(&host);
	tree_put(t, RULES, text);
	if (pin_host_load(&host, t->fd, NULL, 0, &messages) != 0)
		fail_msg("%s", messages.items[0].text);
	e.text[0] = '\0';
	return pin_prepare(&pin, &host, web, strlen(web), "web", intent, &e);
}

/* "vcpu0 0-3->4-7 *": now, desired, to be written; a line a step. */
static const char *
show_plan(void)
{
	static char text[4096];
	size_t used = 0;
	text[0] = '\0';
	for (size_t i = 0; i < pin.plan.step_count; i++) {
		const struct plan_step *step = &pin.plan.steps[i];
		char name[THREAD_GROUP_NAME_MAX], now[128] = "?", desired[128] = "-";
		if (step->now != NULL)
			cpumask_format(step->now, now, sizeof(now));
		if (step->cpus != NULL)
			cpumask_format(step->cpus, desired, sizeof(desired));
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s %s->%s%s\n",
			thread_group_name(step->group, name), now, desired,
			step->write ? " *" : "");
	}
	return text;
}

/* "error: text", a line a note. */
static const char *
show_messages(const struct messages *messages)
{
	static char text[4096];
	size_t used = 0;
	text[0] = '\0';
	for (size_t i = 0; i < messages->count; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s: %s\n",
			message_level_name(messages->items[i].level), messages->items[i].text);
	return text;
}

static void
loads_the_rules_of_the_standard_places(void **state)
{
	const struct tree *t = *state;
	struct messages messages = {0};
	assert_int_equal(pin_host_load(&host, t->fd, NULL, 0, &messages), 0);
	assert_int_equal(host.rules.rule_count, 0);
	tree_make(t, RULES " [a]\\nvcpus = 0\netc/vmaffinity.d/x.ini [b]\\nvcpus = @x");
	assert_int_equal(pin_host_load(&host, t->fd, NULL, 0, &messages), -1);
	assert_int_equal(host.rules.rule_count, 2);
	assert_string_equal(show_messages(&messages),
		"error: /etc/vmaffinity.d/x.ini:2:9: '@x': no such name in [cpus]\n");
	messages_free(&messages);
}

static void
loads_the_rules_of_the_files_that_are_named(void **state)
{
	const struct tree *t = *state;
	struct messages messages = {0};
	char one[128], two[128];
	const char *const files[] = {two, one};
	tree_make(t, RULES " x\none.ini [one]\ntwo.ini [two]\\nvcpus = 0");
	snprintf(one, sizeof(one), "%s/one.ini", t->path);
	snprintf(two, sizeof(two), "%s/two.ini", t->path);
	if (pin_host_load(&host, t->fd, files, 2, &messages) != 0)
		fail_msg("%s", show_messages(&messages));
	assert_int_equal(host.rules.rule_count, 2);
	assert_string_equal(host.rules.rules[0].section, "two");
	assert_string_equal(host.rules.rules[0].file, two);
	pin_host_free(&host);
	tree_remove(t, "one.ini");
	assert_int_equal(pin_host_load(&host, t->fd, files, 2, &messages), -1);
	assert_int_equal(messages.count, 1);
	messages_free(&messages);
}

/* An error of a former file does not count against a later one. */
static void
counts_only_the_errors_of_its_own_files(void **state)
{
	const struct tree *t = *state;
	struct messages messages = {0};
	messages_add(&messages, MESSAGE_ERROR, "code", "before");
	tree_make(t, RULES " [a]");
	assert_int_equal(pin_host_load(&host, t->fd, NULL, 0, &messages), 0);
	messages_free(&messages);
}

static void
plans_a_guest_that_runs(void **state)
{
	const struct tree *t = *state;
	tree_make(t, runs);
	if (prepare(t, "[*]\nvcpus = 2-5\nemulator = 0-1\n[web]\nvcpu1 = 0-1\n", PIN_SHOW) != 0)
		fail_msg("%s", e.text);
	assert_true(pin.running);
	assert_int_equal(pin.lock, -1);
	assert_int_equal(pin.matched.count, 2);
	assert_string_equal(pin.cgroup.path,
		"/sys/fs/cgroup/machine.slice/machine-qemu\\x2d1\\x2dweb.scope/libvirt");
	assert_string_equal(show_plan(), "emulator ->0-1 *\nvcpu0 0-7->2-5 *\nvcpu1 0-1->0-1\n"
					 "iothread1 0-1->-\n");
	assert_string_equal(show_messages(&pin.messages), "");
	assert_null(pin_obstacle(&pin));
}

static void
reads_nothing_of_the_host_without_a_rule(void **state)
{
	const struct tree *t = *state;
	tree_remove(t, "sys");
	tree_remove(t, "proc");
	tree_remove(t, "run");
	assert_int_equal(prepare(t, "[other]\nvcpus = 0\n", PIN_APPLY), PIN_NO_RULE);
	assert_int_equal(prepare(t, "", PIN_APPLY), PIN_NO_RULE);
	assert_int_equal(pin.lock, -1);
	assert_false(tree_has(t, "run"));
}

static void
shows_a_guest_that_does_not_run(void **state)
{
	const struct tree *t = *state;
	if (prepare(t, "[web]\nvcpus = 6-7 20\n", PIN_SHOW) != 0)
		fail_msg("%s", e.text);
	assert_false(pin.running);
	assert_string_equal(
		show_plan(), "emulator ?->-\nvcpu0 ?->6-7\nvcpu1 ?->6-7\niothread1 ?->-\n");
	assert_string_equal(show_messages(&pin.messages),
		"note: not running here: no pid file and no status file in /run/libvirt/qemu\n"
		"warning: /etc/vmaffinity.ini:2: vcpus wants 6-7,20, but this host has only "
		"CPUs 0-15; left out: 20\n");
	assert_int_equal(prepare(t, "[web]\nvcpus = 6-7 20\n", PIN_APPLY), PIN_NOT_RUNNING);
	assert_string_equal(
		e.text, "not running here: no pid file and no status file in /run/libvirt/qemu");
	tree_remove(t, "sys/devices/system/cpu/online");
	assert_int_equal(prepare(t, "[web]\nvcpus = 6-7 20\n", PIN_SHOW), -1);
	assert_string_equal(e.text, "/sys/devices/system/cpu/online: No such file or directory");
}

/* Names the CPUs and nodes that are missing, and the cgroup that denies them. */
static const struct {
	const char *cpus, *note;
} missing[] = {
	{"0-5", ""},
	{"4-9", "warning: /etc/vmaffinity.ini:2: vcpus wants 4-9, but machine.slice allows only "
		"0-7; "
		"left out: 6-9\n"},
	{"9", "error: /etc/vmaffinity.ini:2: vcpus wants 9, but machine.slice allows only 0-7; no "
	      "CPU "
	      "is left\n"},
	{"5-6", "warning: /etc/vmaffinity.ini:2: vcpus wants 5-6, but "
		"machine-qemu\\x2d1\\x2dweb.scope allows "
		"only "
		"0-5; left out: 6\n"},
	{"15", "error: /etc/vmaffinity.ini:2: vcpus wants 15, but CPU 15 is offline; no CPU is "
	       "left\n"},
	{"5,15", "warning: /etc/vmaffinity.ini:2: vcpus wants 5,15, but CPU 15 is offline; left "
		 "out: "
		 "15\n"},
	{"16-20", "error: /etc/vmaffinity.ini:2: vcpus wants 16-20, but this host has only CPUs "
		  "0-15; "
		  "no CPU is left\n"},
	{"all", "warning: /etc/vmaffinity.ini:2: vcpus wants 0-14, but machine.slice allows only "
		"0-7; "
		"left out: 6-14\n"},
};

static void
says_who_does_not_grant_a_cpu(void **state)
{
	const struct tree *t = *state;
	char text[64];
	tree_make(t, runs);
	for (size_t i = 0; i < COUNT(missing); i++) {
		snprintf(text, sizeof(text), "[web]\nvcpus = %s\n", missing[i].cpus);
		if (prepare(t, text, PIN_SHOW) != 0)
			fail_msg("%s: %s", missing[i].cpus, e.text);
		assert_string_equal(show_messages(&pin.messages), missing[i].note);
		assert_int_equal(
			pin_obstacle(&pin) != NULL, strncmp(missing[i].note, "error", 5) == 0);
	}
	/* without any file of the host that would tell */
	tree_remove(t, "sys/devices");
	tree_remove(t, "sys/fs/cgroup/machine.slice/cpuset.cpus.effective");
	assert_int_equal(prepare(t, "[web]\nvcpus = 5-9\n", PIN_SHOW), 0);
	assert_string_equal(show_messages(&pin.messages),
		"warning: /etc/vmaffinity.ini:2: vcpus wants 5-9, but the kernel does not grant "
		"them; left out: 6-9\n");
}

static void
says_it_once_for_a_setting(void **state)
{
	const struct tree *t = *state;
	tree_make(t, runs);
	assert_int_equal(prepare(t, "[web]\nvcpus = 5-6\nvcpu9 = 0\nemulator = 7\n", PIN_SHOW), 0);
	assert_string_equal(show_messages(&pin.messages),
		"note: /etc/vmaffinity.ini:3: vcpu9: no such vCPU in this guest, which can have 3\n"
		"error: /etc/vmaffinity.ini:4: emulator wants 7, but "
		"machine-qemu\\x2d1\\x2dweb.scope allows only "
		"0-5; no CPU is left\n"
		"warning: /etc/vmaffinity.ini:2: vcpus wants 5-6, but "
		"machine-qemu\\x2d1\\x2dweb.scope allows "
		"only "
		"0-5; left out: 6\n");
}

/* Nodes 0 and 1 with CPUs 0-3 and 4-14; the cgroup has both, groups have both but vcpu1. */
static void
make_nodes(const struct tree *t)
{
	tree_make(t, "sys/devices/system/node/online 0-2\n"
		     "sys/devices/system/node/has_memory 0-1\n"
		     "sys/devices/system/node/node0/cpulist 0-3\n"
		     "sys/devices/system/node/node1/cpulist 4-14\n"
		     "sys/devices/system/node/node2/cpulist\n"
		     "sys/devices/system/node/node2/distance 20 20 10\n" BASE
		     "cpuset.mems.effective 0-1\n" BASE "emulator/cpuset.mems 0-1\n" BASE
		     "vcpu0/cpuset.mems 0-1\n" BASE "vcpu1/cpuset.mems 1\n" BASE
		     "iothread1/cpuset.mems 0-1");
}

static const char *
show_nodes(void)
{
	static char text[256];
	char list[128];
	size_t used = 0;
	if (pin.plan.nodes == NULL)
		return "none";
	used += (size_t)snprintf(
		text, sizeof(text), "%s:", cpumask_format(pin.plan.nodes, list, sizeof(list)));
	for (size_t i = 0; i < pin.plan.step_count; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%c",
			pin.plan.steps[i].write_nodes ? 'w' : '-');
	return text;
}

static void
plans_memory(void **state)
{
	static const struct {
		const char *rules, *nodes; /* and which of the groups are written */
	} cases[] = {
		{"memory = 1", "1:ww-w"},
		{"memory = 0-1", "0-1:--w-"},
		{"memory = auto\nvcpus = 2", "0:wwww"},
		{"memory = auto\nvcpus = 4", "1:ww-w"},
		/* vcpu1 is on 0-1, and vcpu2 is not there */
		{"memory = auto\nvcpu0 = 4", "0-1:--w-"},
		{"memory = auto\nvcpu0 = 1", "0:wwww"},
		{"memory = auto\nvcpu0-1 = 4", "1:ww-w"},
		/* of a vCPU that is not plugged in only the XML knows */
		{"memory = auto\nvcpu0-1 = 1\nvcpu2 = 5", "0:wwww"},
		{"memory = keep\nvcpus = 4", "none"},
		{"vcpus = 4", "none"},
	};
	const struct tree *t = *state;
	char text[128];
	tree_make(t, runs);
	make_nodes(t);
	for (size_t i = 0; i < COUNT(cases); i++) {
		snprintf(text, sizeof(text), "[web]\n%s\n", cases[i].rules);
		if (prepare(t, text, PIN_APPLY) != 0)
			fail_msg("%s: %s", cases[i].rules, e.text);
		if (strcmp(show_nodes(), cases[i].nodes) != 0)
			fail_msg("%s: %s, not %s", cases[i].rules, show_nodes(), cases[i].nodes);
		assert_string_equal(show_messages(&pin.messages), "");
	}
	/* keep alone wants no change */
	assert_int_equal(prepare(t, "[web]\nmemory = keep\n", PIN_APPLY), PIN_NO_RULE);
	/* without a CPU there is one error, not two */
	assert_int_equal(prepare(t, "[web]\nmemory = auto\nvcpus = 9\n", PIN_APPLY), 0);
	assert_int_equal(pin.messages.count, 1);
	assert_int_equal(prepare(t, "[web]\nmemory = 2\n", PIN_APPLY), 0);
	assert_string_equal(pin_obstacle(&pin),
		"/etc/vmaffinity.ini:2: memory wants node 2, but node 2 has no memory; no node is "
		"left");
	/* of nodes nothing is read where no rule is about them */
	tree_remove(t, "sys/devices/system/node");
	tree_remove(t, BASE "cpuset.mems.effective");
	assert_int_equal(prepare(t, "[web]\nvcpus = 4\n", PIN_APPLY), 0);
	assert_int_equal(prepare(t, "[web]\nmemory = 0\n", PIN_APPLY), -1);
	/* "auto" costs no CPU */
	assert_int_equal(prepare(t, "[web]\nmemory = auto\nvcpus = 4\n", PIN_APPLY), PIN_OK);
	assert_null(pin_obstacle(&pin));
	assert_string_equal(show_nodes(), "none");
	assert_non_null(
		strstr(show_messages(&pin.messages), "the guest's memory is left as it is"));
	/* and it is a rule: nothing is given back */
	tree_put(t, BASE "cpuset.mems.effective", "0-1\n");
	tree_put(t, "sys/devices/system/node/node0/cpulist", "x\n");
	assert_int_equal(prepare(t, "[web]\nmemory = auto\nvcpus = 4\n", PIN_APPLY_ALL), PIN_OK);
	assert_non_null(
		strstr(show_messages(&pin.messages), "the guest's memory is left as it is"));
	for (size_t i = 0; i < pin.plan.step_count; i++)
		assert_non_null(pin.plan.steps[i].nodes_now);
}

static void
applies_nothing_with_an_error_in_it(void **state)
{
	const struct tree *t = *state;
	char done[PIN_DONE_MAX];
	tree_make(t, runs);
	assert_int_equal(prepare(t, "[web]\nemulator = 0\nvcpus = 9\n", PIN_APPLY), 0);
	assert_int_equal(pin_apply(&pin, done, &e), -1);
	assert_string_equal(e.text,
		"/etc/vmaffinity.ini:3: vcpus wants 9, but machine.slice allows "
		"only 0-7; no CPU is left");
	assert_string_equal(tree_get(t, BASE "emulator/cpuset.cpus"), "\n");
	/* an error that found no room among the messages */
	assert_int_equal(prepare(t, "[web]\nemulator = 0\n", PIN_APPLY), 0);
	assert_null(pin_obstacle(&pin));
	pin.messages.errors = 1;
	assert_int_equal(pin_apply(&pin, done, &e), -1);
	assert_string_equal(e.text, "out of memory");
	assert_string_equal(tree_get(t, BASE "emulator/cpuset.cpus"), "\n");
}

/* A real thread; what is written to the files the kernel would have said. */
static void
applies_a_plan(void **state)
{
	const struct tree *t = *state;
	struct threads threads;
	struct cpumask own = {0}, now = {0};
	char text[128], cpu[16], done[PIN_DONE_MAX];
	assert_int_equal(sched_getaffinity(0, sizeof(own), (cpu_set_t *)&own), 0);
	unsigned last = cpumask_next(&own, 0);
	snprintf(cpu, sizeof(cpu), "%u", last);
	threads_start(&threads, 1);
	tree_make(t, runs);
	snprintf(text, sizeof(text), "%d\n", (int)threads.tids[0]);
	tree_put(t, BASE "emulator/cgroup.threads", text);
	tree_put(t, BASE "emulator/cpuset.cpus.effective", cpu);
	tree_put(t, BASE "cpuset.cpus.effective", "0-8191");
	snprintf(text, sizeof(text), "[web]\nemulator = %s\n", cpu);
	int prepared = prepare(t, text, PIN_APPLY);
	int locked = pin.lock;
	int r = prepared == 0 ? pin_apply(&pin, done, &e) : -1;
	sched_getaffinity(threads.tids[0], sizeof(now), (cpu_set_t *)&now);
	threads_stop(&threads);
	if (r != PIN_CHANGED)
		fail_msg("%d: %s", r, e.text);
	assert_true(locked >= 0);
	snprintf(text, sizeof(text), "emulator %s (1 mask and ", cpu);
	assert_memory_equal(done, text, strlen(text));
	assert_mask(&now, cpu);
	/* the file was "\n": a value goes to its beginning */
	assert_string_equal(tree_get(t, BASE "emulator/cpuset.cpus"), cpu);
	pin_free(&pin);
	assert_int_equal(fcntl(locked, F_GETFD), -1);
}

static void
goes_on_without_a_lock(void **state)
{
	const struct tree *t = *state;
	tree_make(t, runs);
	tree_make(t, "run/vmaffinity.lock/");
	assert_int_equal(prepare(t, "[web]\nvcpus = 1\n", PIN_APPLY), 0);
	assert_int_equal(pin.lock, -1);
	assert_string_equal(show_messages(&pin.messages),
		"warning: going on without a lock: /run/vmaffinity.lock: Is a directory\n");
	assert_null(pin_obstacle(&pin));
}

/* Loads the rules and prepares the guest that libvirt calls name; xml is NULL if it was not read.
 */
static enum pin_result
prepare_named(const struct tree *t, const char *rules, const char *name, const char *xml,
	enum pin_intent intent)
{
	struct messages messages = {0};
	pin_free(&pin);
	pin_host_free(&host);
	tree_put(t, RULES, rules);
	if (pin_host_load(&host, t->fd, NULL, 0, &messages) != 0)
		fail_msg("%s", messages.items[0].text);
	err_set(&e, "not read");
	return pin_prepare(&pin, &host, xml, xml != NULL ? strlen(xml) : 0, name, intent, &e);
}

#define UUID "6f1c0d5a-5d2c-4b0e-9f0e-0b1d7c1f3a11"

static void
knows_when_xml_is_needed(void **state)
{
	static const struct {
		const char *rules;
		bool needed;
	} cases[] = {
		{"[web]\nvcpus = 1\nmemory = auto\non-error = fail\n", false},
		{"[web]\nvcpus = 1\nplacement = float\n", false},
		{"[web]\nvcpus = 1\nplacement = one-to-one\n", true},
		{"[db]\nvcpus = 1\nplacement = one-to-one\n", false},
		{"[x]\nmatch = uuid:" UUID "\nvcpus = 1\n", true},
		{"[x]\nmatch = web, uuid:" UUID "\nvcpus = 1\n", false},
	};
	const struct tree *t = *state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		(void)prepare_named(t, cases[i].rules, "web", web, PIN_SHOW);
		if (pin_needs_xml(&host, "web") != cases[i].needed)
			fail_msg("%s", cases[i].rules);
	}
}

/* The guest is the one that libvirt named, and its groups are the kernel's, whatever the XML says.
 */
static void
takes_the_guest_from_its_name_and_the_kernel(void **state)
{
	static const char *const xml[] = {NULL, "", "<domain", "<domain><name>db</name></domain>",
		"<domain><name>web</name><vcpu>1</vcpu></domain>",
		"<domain><name>web</name><vcpu>4096</vcpu></domain>"};
	const struct tree *t = *state;
	tree_make(t, runs);
	for (size_t i = 0; i < COUNT(xml); i++) {
		if (prepare_named(t, "[web]\nvcpus = 2\n[db]\nvcpus = 3\n", "web", xml[i],
			    PIN_APPLY) != PIN_OK)
			fail_msg("%s", e.text);
		assert_string_equal(pin.name, "web");
		assert_null(pin.domain.name);
		assert_string_equal(show_plan(), "emulator ->-\nvcpu0 0-7->2 *\nvcpu1 0-1->2 *\n"
						 "iothread1 0-1->-\n");
		assert_string_equal(show_messages(&pin.messages), "");
		assert_null(pin.incomplete);
	}
	assert_int_equal(prepare_named(t, "[web]\nvcpus = 2\n", NULL, NULL, PIN_SHOW), PIN_FAILED);
	assert_string_equal(e.text, "not read");
	/* of a guest that is shown, the XML is read, but its name does not count either */
	assert_int_equal(prepare_named(t, "[web]\nvcpus = 2\n", "web",
				 "<domain><name>db</name></domain>", PIN_SHOW),
		PIN_OK);
	assert_string_equal(pin.name, "web");
	assert_true(pin.running);
}

static void
leaves_out_the_rules_that_need_xml_if_it_is_none(void **state)
{
	const struct tree *t = *state;
	tree_make(t, runs);
	assert_int_equal(
		prepare_named(t, "[*]\nemulator = 0\n[x]\nmatch = uuid:" UUID "\nvcpus = 1\n",
			"web", NULL, PIN_APPLY),
		PIN_OK);
	assert_string_equal(
		pin.incomplete, "rules with 'uuid:' are left out, its UUID is not known: not read");
	assert_string_equal(show_plan(), "emulator ->0 *\nvcpu0 0-7->-\nvcpu1 0-1->-\n"
					 "iothread1 0-1->-\n");
	assert_int_equal(prepare_named(t, "[*]\nvcpus = 2-4\nplacement = one-to-one\n", "web",
				 "<x/>", PIN_APPLY),
		PIN_OK);
	assert_string_equal(pin.incomplete,
		"/etc/vmaffinity.ini:3: one-to-one is left out, its vCPUs share their CPUs: the "
		"XML is not a <domain>");
	assert_string_equal(show_plan(), "emulator ->-\nvcpu0 0-7->2-4 *\nvcpu1 0-1->2-4 *\n"
					 "iothread1 0-1->-\n");
	assert_null(pin_obstacle(&pin));
	assert_int_equal(
		prepare_named(t, "[x]\nmatch = uuid:" UUID "\nvcpus = 1\n", "web", NULL, PIN_APPLY),
		PIN_NO_RULE);
	assert_non_null(pin.incomplete);
}

static void
fails_where_the_cgroups_are_not_as_they_should_be(void **state)
{
	const struct tree *t = *state;
	tree_make(t, runs);
	tree_remove(t, BASE "vcpu1/cpuset.cpus");
	assert_int_equal(prepare(t, "[web]\nvcpus = 1\n", PIN_SHOW), -1);
	assert_string_equal(e.text, "/sys/fs/cgroup/machine.slice/machine-qemu\\x2d1\\x2dweb.scope/"
				    "libvirt: vcpu1/cpuset.cpus: "
				    "controller cpuset is not available here");
	assert_false(pin.running);
}

/* libvirt makes none for vCPUs that share a thread, say. */
static void
warns_of_groups_that_are_missing(void **state)
{
	const struct tree *t = *state;
	tree_make(t, runs);
	tree_remove(t, BASE "vcpu0");
	tree_remove(t, BASE "vcpu1");
	assert_int_equal(prepare(t, "[web]\nvcpus = 1\nemulator = 0\n", PIN_SHOW), 0);
	assert_string_equal(show_plan(), "emulator ->0 *\niothread1 0-1->-\n");
	assert_string_equal(show_messages(&pin.messages),
		"warning: /etc/vmaffinity.ini:2: vcpus: vcpu0 has no cgroup of its own in "
		"/sys/fs/cgroup/machine.slice/machine-qemu\\x2d1\\x2dweb.scope/libvirt, and so is "
		"where the "
		"emulator is\n");
	assert_int_equal(prepare(t, "[web]\nemulator = 0\n", PIN_SHOW), 0);
	assert_string_equal(show_messages(&pin.messages), "");
	/* the same where no XML says how many there are */
	assert_int_equal(prepare(t, "[web]\nvcpus = 1\nemulator = 0\n", PIN_APPLY), 0);
	assert_null(pin.domain.name);
	assert_string_equal(show_messages(&pin.messages),
		"warning: /etc/vmaffinity.ini:2: vcpus: vcpu0 has no cgroup of its own in "
		"/sys/fs/cgroup/machine.slice/machine-qemu\\x2d1\\x2dweb.scope/libvirt, and so is "
		"where the "
		"emulator is\n");
	assert_int_equal(prepare(t, "[web]\nvcpus = keep\nemulator = 0\n", PIN_APPLY), 0);
	assert_string_equal(show_messages(&pin.messages), "");
}

static void
shows_a_guest_without_groups(void **state)
{
	const struct tree *t = *state;
	static const char reason[] =
		"process 4711 is in cgroup '/user.slice', which does not end in '/emulator': "
		"libvirt made no cgroups for this guest's threads; " CGROUP_NO_GROUPS_REMEDY;
	tree_make(t, runs);
	tree_remove(t, "proc/4711");
	tree_make(t, "proc/4711/cgroup 0::/user.slice");
	assert_int_equal(prepare(t, "[web]\nvcpus = 1\n", PIN_SHOW), 0);
	assert_false(pin.running);
	assert_string_equal(pin_obstacle(&pin), reason);
	assert_int_equal(prepare(t, "[web]\nvcpus = 1\n", PIN_APPLY), -1);
	assert_string_equal(e.text, reason);
}

static void
fails_where_a_set_has_an_error_on_this_host(void **state)
{
	const struct tree *t = *state;
	tree_make(t, runs);
	assert_int_equal(prepare(t, "[web]\nvcpus = isolated\n", PIN_SHOW), -1);
	assert_string_equal(e.text,
		"/etc/vmaffinity.ini:2:9: 'isolated': this host has no isolated CPUs (isolcpus= on "
		"the kernel's command line)");
}

/* Facts read for one guest serve the next. */
static void
reads_the_host_once_for_all_guests(void **state)
{
	const struct tree *t = *state;
	assert_int_equal(prepare(t, "[*]\nvcpus = all ^@a\n[cpus]\na = isolated\n", PIN_SHOW), -1);
	pin_free(&pin);
	assert_int_equal(pin_prepare(&pin, &host, web, strlen(web), NULL, PIN_SHOW, &e), -1);
	assert_string_equal(e.text,
		"/etc/vmaffinity.ini:4:5: 'isolated': this host has no isolated CPUs (isolcpus= on "
		"the kernel's command line)");
	assert_int_equal(prepare(t, "[*]\nvcpus = all ^@a\n[cpus]\na = 1\n", PIN_SHOW), 0);
	tree_remove(t, "sys/devices");
	pin_free(&pin);
	if (pin_prepare(&pin, &host, web, strlen(web), NULL, PIN_SHOW, &e) != 0)
		fail_msg("%s", e.text);
	assert_string_equal(
		show_plan(), "emulator ?->-\nvcpu0 ?->0,2-7\nvcpu1 ?->0,2-7\niothread1 ?->-\n");
}

int
main(void)
{
	alarm(120);
	const struct CMUnitTest tests[] = {
		pin_test(loads_the_rules_of_the_standard_places),
		pin_test(loads_the_rules_of_the_files_that_are_named),
		pin_test(counts_only_the_errors_of_its_own_files),
		pin_test(plans_a_guest_that_runs),
		pin_test(reads_nothing_of_the_host_without_a_rule),
		pin_test(shows_a_guest_that_does_not_run),
		pin_test(says_who_does_not_grant_a_cpu),
		pin_test(says_it_once_for_a_setting),
		pin_test(plans_memory),
		pin_test(applies_nothing_with_an_error_in_it),
		pin_test(applies_a_plan),
		pin_test(goes_on_without_a_lock),
		pin_test(knows_when_xml_is_needed),
		pin_test(takes_the_guest_from_its_name_and_the_kernel),
		pin_test(leaves_out_the_rules_that_need_xml_if_it_is_none),
		pin_test(fails_where_the_cgroups_are_not_as_they_should_be),
		pin_test(warns_of_groups_that_are_missing),
		pin_test(shows_a_guest_without_groups),
		pin_test(fails_where_a_set_has_an_error_on_this_host),
		pin_test(reads_the_host_once_for_all_guests),
	};
	return cmocka_run_group_tests_name("pin", tests, NULL, NULL);
}
