/* SPDX-License-Identifier: MIT */
/* Pins a guest again and again, and each time another allocation fails. */
#include "pin/pin.h"

#include "support/memory.h"
#include "support/threads.h"
#include "support/tree.h"
#include "support/unit.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NODE "sys/devices/system/node/"
#define BASE "sys/fs/cgroup/machine.slice/machine-qemu\\x2d1\\x2dweb.scope/libvirt/"
#define GROUP(name, effective)                                                                     \
	BASE name "/cpuset.cpus\n" BASE name "/cpuset.cpus.effective " effective "\n" BASE name    \
		  "/cpuset.mems\n" BASE name "/cpuset.mems.effective 1\n" BASE name                \
		  "/cgroup.threads \\c\n"

static const char web[] = "<domain id='1'><name>web</name><vcpu>2</vcpu><iothreads>1</iothreads>"
			  "<uuid>00000000-0000-0000-0000-000000000001</uuid></domain>";

/* Two nodes of two cores; the groups are granted just what the rules ask for. */
static const char machine[] =
	"sys/devices/system/cpu/online 0-3\n"
	"sys/devices/system/cpu/present 0-3\n"
	"sys/devices/system/cpu/isolated\n" NODE "online 0-1\n" NODE "has_memory 0-1\n" NODE
	"node0/cpulist 0-1\n" NODE "node0/distance 10 20\n" NODE "node1/cpulist 2-3\n" NODE
	"node1/distance 20 10\n"
	"proc/self/mountinfo 30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"
	"proc/4711/cgroup 0::/machine.slice/machine-qemu\\x2d1\\x2dweb.scope/libvirt/emulator\n"
	"run/libvirt/qemu/web.xml <domstatus pid='4711'/>\n" BASE
	"cpuset.cpus.effective 0-8191\n" BASE "cpuset.mems.effective 0-1\n" GROUP("emulator", "0")
		GROUP("vcpu0", "2") GROUP("vcpu1", "3") GROUP("iothread1", "0-1");

static struct threads threads;
static char rules[512], cpu[16]; /* one that this process may use */

static int
setup(void **state)
{
	struct cpumask own = {0};
	char text[64];
	int r = tree_setup(state);
	if (r != 0)
		return r;
	const struct tree *t = *state;
	threads_start(&threads, 1);
	tree_make(t, machine);
	for (unsigned i = 0; i < 4; i++) {
		char path[96];
		snprintf(path, sizeof(path), "sys/devices/system/cpu/cpu%u/topology/core_cpus_list",
			i);
		snprintf(text, sizeof(text), "%u\n", i);
		tree_put(t, path, text);
		snprintf(path, sizeof(path),
			"sys/devices/system/cpu/cpu%u/topology/package_cpus_list", i);
		tree_put(t, path, "0-3\n");
	}
	sched_getaffinity(0, sizeof(own), (cpu_set_t *)&own);
	snprintf(cpu, sizeof(cpu), "%u", cpumask_next(&own, 0));
	snprintf(text, sizeof(text), "%d\n", (int)threads.tids[0]);
	tree_put(t, BASE "emulator/cgroup.threads", text);
	tree_put(t, BASE "emulator/cpuset.cpus.effective", cpu);
	tree_put(t, BASE "emulator/cpuset.mems.effective", "1");
	snprintf(rules, sizeof(rules),
		"[cpus]\nguests = node:1\n[web and its like]\nmatch = uuid:00000000-0000-0000-0000-"
		"000000000001, db*\nvcpus = @guests\nplacement = one-to-one\nmemory = auto\n"
		"emulator = %s\niothreads = 0,\n  1\n",
		cpu);
	tree_put(t, "etc/vmaffinity.ini", rules);
	return 0;
}

static int
teardown(void **state)
{
	threads_stop(&threads);
	return tree_teardown(state);
}

/* Gives the guest's files and its thread the state that they had before a run. */
static void
start_over(const struct tree *t)
{
	static const char *const names[] = {"emulator", "vcpu0", "vcpu1", "iothread1"};
	struct cpumask own = {0};
	for (size_t i = 0; i < COUNT(names); i++) {
		char path[160];
		snprintf(path, sizeof(path), BASE "%s/cpuset.cpus", names[i]);
		tree_put(t, path, "\n");
		snprintf(path, sizeof(path), BASE "%s/cpuset.mems", names[i]);
		tree_put(t, path, "\n");
	}
	sched_getaffinity(0, sizeof(own), (cpu_set_t *)&own);
	sched_setaffinity(threads.tids[0], sizeof(own), (const cpu_set_t *)&own);
}

static bool
any_says_so(const struct messages *messages)
{
	for (size_t i = 0; i < messages->count; i++)
		if (memory_is_reason(messages->items[i].text))
			return true;
	return messages->dropped > 0;
}

/*
 * Pins the guest from the start, its rules read anew, without the allocation of this number. The
 * guest is pinned, or it has no pin and a message says why; or it is pinned, and a message says
 * what was left out.
 */
static enum pin_result
pin_web(const struct tree *t, unsigned number, bool *failed)
{
	struct pin_host host;
	struct pin pin = PIN_NONE;
	struct messages messages = {0};
	struct err e = {0};
	char done[PIN_DONE_MAX];
	enum pin_result r = PIN_FAILED;
	bool said = false;
	memory_fail_at(number);
	if (pin_host_load(&host, t->fd, NULL, 0, &messages) != 0)
		said = any_says_so(&messages);
	else
		r = pin_guest(&pin, &host, web, strlen(web), "web", done, &e);
	said = said || memory_is_reason(e.text) || any_says_so(&pin.messages);
	pin_free(&pin);
	pin_host_free(&host);
	messages_free(&messages);
	*failed = memory_has_failed();
	memory_fail_at(0);
	if (r != PIN_CHANGED && !said)
		fail_msg("allocation %u: %d: '%s'", number, r, e.text);
	if (r != PIN_CHANGED || !said) {
		bool pinned = r == PIN_CHANGED;
		assert_string_equal(tree_get(t, BASE "vcpu1/cpuset.cpus"), pinned ? "3" : "\n");
		assert_string_equal(tree_get(t, BASE "vcpu1/cpuset.mems"), pinned ? "1" : "\n");
		assert_string_equal(tree_get(t, BASE "emulator/cpuset.cpus"), pinned ? cpu : "\n");
	}
	return r;
}

static void
pins_as_ruled_or_not_at_all(void **state)
{
	const struct tree *t = *state;
	unsigned number = 1, unpinned = 0;
	bool failed;
	assert_int_equal(pin_web(t, 0, &failed), PIN_CHANGED);
	do {
		start_over(t);
		unpinned += pin_web(t, number++, &failed) != PIN_CHANGED;
	} while (failed);
	assert_true(unpinned > 50);
}

int
main(void)
{
	alarm(120);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(pins_as_ruled_or_not_at_all, setup, teardown),
	};
	return cmocka_run_group_tests_name("no_memory", tests, NULL, NULL);
}
