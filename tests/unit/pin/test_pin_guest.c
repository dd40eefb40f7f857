/* SPDX-License-Identifier: MIT */
#include "pin/pin.h"

#include "support/threads.h"
#include "support/tree.h"
#include "support/unit.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define RULES "etc/vmaffinity.ini"
#define BASE "sys/fs/cgroup/machine.slice/machine-qemu\\x2d1\\x2dweb.scope/libvirt/"

static const char web[] = "<domain id='1'><name>web</name><vcpu>1</vcpu></domain>";

/* Guest web has an emulator, no more, with a thread of this process in it. */
static const char machine[] =
	"sys/devices/system/cpu/online 0-7\n"
	"sys/devices/system/cpu/present 0-7\n"
	"sys/devices/system/cpu/isolated\n"
	"proc/self/mountinfo 30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"
	"proc/4711/cgroup 0::/machine.slice/machine-qemu\\x2d1\\x2dweb.scope/libvirt/emulator\n"
	"run/libvirt/qemu/web.xml <domstatus pid='4711'/>\n" BASE
	"cpuset.cpus.effective 0-8191\n" BASE "emulator/cpuset.cpus\n";

static struct pin_host host;
static struct pin pin;
static struct threads threads;
static char cpu[16]; /* one that this process may use */
static char done[PIN_DONE_MAX];
static struct err e;

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
	sched_getaffinity(0, sizeof(own), (cpu_set_t *)&own);
	snprintf(cpu, sizeof(cpu), "%u", cpumask_next(&own, 0));
	snprintf(text, sizeof(text), "%d\n", (int)threads.tids[0]);
	tree_put(t, BASE "emulator/cgroup.threads", text);
	tree_put(t, BASE "emulator/cpuset.cpus.effective", cpu);
	pin = (struct pin)PIN_NONE;
	return 0;
}

static int
teardown(void **state)
{
	pin_free(&pin);
	pin_host_free(&host);
	threads_stop(&threads);
	return tree_teardown(state);
}

#define guest_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* pin_guest() with the emulator's rule of section. */
static int
go(const struct tree *t, const char *section, const char *rule)
{
	char text[128];
	struct messages messages = {0};
	snprintf(text, sizeof(text), "[%s]\nemulator = %s\n", section, rule);
	pin_free(&pin);
	pin_host_free(&host);
	tree_put(t, RULES, text);
	assert_int_equal(pin_host_load(&host, t->fd, NULL, 0, &messages), 0);
	done[0] = e.text[0] = '\0';
	return pin_guest(&pin, &host, web, strlen(web), "web", done, &e);
}

static void
says_what_it_did(void **state)
{
	const struct tree *t = *state;
	char start[64], end[8];
	double ms;
	unsigned set;
	assert_int_equal(go(t, "web", cpu), PIN_CHANGED);
	snprintf(start, sizeof(start), "emulator %s (1 mask and ", cpu);
	assert_int_equal(strncmp(done, start, strlen(start)), 0);
	assert_int_equal(
		sscanf(done + strlen(start), "%u threa%*[ds] set in %lf ms%7s", &set, &ms, end), 3);
	assert_true(set <= 1);
	assert_string_equal(end, ")");
	assert_string_equal(tree_get(t, BASE "emulator/cpuset.cpus"), cpu);
}

static void
has_nothing_to_say_where_all_is_as_ruled(void **state)
{
	const struct tree *t = *state;
	assert_int_equal(go(t, "*", cpu), PIN_CHANGED);
	assert_int_equal(go(t, "*", cpu), 0);
	assert_string_equal(done, "");
	assert_true(pin.lock >= 0);
}

static void
leaves_alone_what_no_rule_pins(void **state)
{
	const struct tree *t = *state;
	assert_int_equal(go(t, "other", "0"), PIN_NO_RULE);
	assert_int_equal(go(t, "web", "keep"), PIN_NO_RULE);
	assert_string_equal(tree_get(t, BASE "emulator/cpuset.cpus"), "\n");
}

static void
fails_with_the_obstacle(void **state)
{
	const struct tree *t = *state;
	tree_put(t, BASE "cpuset.cpus.effective", "0-3\n");
	assert_int_equal(go(t, "web", "4"), -1);
	assert_string_equal(e.text, pin_obstacle(&pin));
	assert_string_equal(tree_get(t, BASE "emulator/cpuset.cpus"), "\n");
}

static void
tells_a_guest_that_does_not_run_from_a_failure(void **state)
{
	const struct tree *t = *state;
	tree_remove(t, "proc/4711");
	assert_int_equal(go(t, "web", "0"), -1);
	assert_string_equal(e.text, "/proc/4711/cgroup: No such file or directory");
	tree_remove(t, "run/libvirt/qemu/web.xml");
	assert_int_equal(go(t, "web", "0"), PIN_NOT_RUNNING);
	assert_string_equal(
		e.text, "not running here: no pid file and no status file in /run/libvirt/qemu");
}

int
main(void)
{
	alarm(120);
	const struct CMUnitTest tests[] = {
		guest_test(says_what_it_did),
		guest_test(has_nothing_to_say_where_all_is_as_ruled),
		guest_test(leaves_alone_what_no_rule_pins),
		guest_test(fails_with_the_obstacle),
		guest_test(tells_a_guest_that_does_not_run_from_a_failure),
	};
	return cmocka_run_group_tests_name("pin_guest", tests, NULL, NULL);
}
