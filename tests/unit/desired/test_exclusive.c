/* SPDX-License-Identifier: MIT */
/* The choice of CPUs for guests that have them to themselves. */
#include "desired/build.h"

#include "support/mask.h"
#include "support/tree.h"
#include "support/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CPUS 16u
#define VCPUS_MAX 16u

/* A guest, and what it comes upon. */
struct scene {
	const char *rules; /* of the guest "db" */
	unsigned vcpus, threads;
	const char *usable;
	const char *held;    /* by the guest "other"; "" for none */
	const char *need;    /* the CPUs of vcpu0 of the guest "web"; "" for none */
	const char *kept;    /* "VCPU:CPU VCPU:CPU", of the guest itself */
	const char *running; /* the ids of its vCPUs that run, or NULL: it does not */
	bool unread;	     /* the claims of other guests were not read */
};

static struct messages messages;
static char shown[1024];

/* A host of 16 CPUs: two nodes, each two L3s of two cores with two threads, numbered 0,1 2,3 ... */
static void
make_host(const struct tree *t)
{
	char lines[512];
	if (tree_has(t, "sys"))
		return;
	tree_make(t, "sys/devices/system/cpu/online 0-15\nsys/devices/system/cpu/present 0-15\n"
		     "sys/devices/system/node/online 0-1\n"
		     "sys/devices/system/node/node0/cpulist 0-7\n"
		     "sys/devices/system/node/node1/cpulist 8-15\n");
	for (unsigned cpu = 0; cpu < CPUS; cpu++) {
		unsigned core = cpu / 2 * 2, l3 = cpu / 4 * 4, package = cpu / 8 * 8;
		snprintf(lines, sizeof(lines),
			"sys/devices/system/cpu/cpu%u/topology/core_cpus_list %u-%u\n"
			"sys/devices/system/cpu/cpu%u/topology/package_cpus_list %u-%u\n"
			"sys/devices/system/cpu/cpu%u/cache/index0/level 3\n"
			"sys/devices/system/cpu/cpu%u/cache/index0/type Unified\n"
			"sys/devices/system/cpu/cpu%u/cache/index0/shared_cpu_list %u-%u\n",
			cpu, core, core + 1, cpu, package, package + 7, cpu, cpu, cpu, l3, l3 + 3);
		tree_make(t, lines);
	}
}

static void
add_kept(struct claims *claims, const char *kept)
{
	static struct claim_kept list[VCPUS_MAX];
	claims->kept = list;
	for (const char *s = kept; s != NULL && *s != '\0'; s += strspn(s, " ")) {
		struct claim_kept *one = &list[claims->kept_count++];
		char *end;
		one->vcpu = (unsigned)strtoul(s, &end, 10);
		one->cpu = (unsigned)strtoul(end + 1, &end, 10);
		s = end;
	}
}

/* "0:4=4-5 1:6=6-7": the CPU of each vCPU and those that it has to itself; "1:-" without. */
static void
show(const struct desired *desired)
{
	size_t used = 0;
	shown[0] = '\0';
	for (size_t i = 0; i < desired->group_count; i++) {
		const struct desired_group *group = &desired->groups[i];
		char cpus[64] = "-", own[64] = "-";
		if (group->group.kind != GROUP_VCPU)
			continue;
		if (group->mask != NULL) {
			cpumask_format(&group->mask->cpus, cpus, sizeof(cpus));
			cpumask_format(&group->mask->exclusive, own, sizeof(own));
		}
		used += (size_t)snprintf(shown + used, sizeof(shown) - used, "%s%u:%s=%s",
			used > 0 ? " " : "", group->group.id, cpus, own);
	}
}

/* Builds the scene. Returns what desired_build() does; the layout is in shown. */
static int
build(const struct tree *t, const struct scene *scene)
{
	bool online[VCPUS_MAX];
	struct domain domain = {.name = (char *)"db",
		.threads = scene->threads > 0 ? scene->threads : 1,
		.vcpus = scene->vcpus,
		.vcpu_online = online};
	struct claim held = {.guest = (char *)"other", .cpus = mask_of(scene->held)};
	struct claim_need need = {.guest = "web",
		.group = {GROUP_VCPU, 0},
		.cpus = mask_of(scene->need != NULL ? scene->need : "")};
	struct claims claims = {.usable = mask_of(scene->usable != NULL ? scene->usable : "0-15"),
		.others_read = !scene->unread,
		.held = &held,
		.held_count = scene->held[0] != '\0',
		.needs = &need,
		.need_count = scene->need != NULL};
	const struct cpumask ids = mask_of(scene->running != NULL ? scene->running : "");
	struct thread_group running[VCPUS_MAX];
	size_t count = 0;
	struct rules rules = {0};
	struct matched matched;
	struct topology topology = {.root = t->fd};
	struct cpuset_expr expr = {.rules = &rules, .topology = &topology};
	struct desired desired;
	struct err e;
	for (unsigned i = 0; i < scene->vcpus; i++)
		online[i] = true;
	cpumask_for_each (id, &ids)
		running[count++] = (struct thread_group){GROUP_VCPU, id};
	make_host(t);
	add_kept(&claims, scene->kept);
	messages_free(&messages);
	tree_put(t, "etc/vmaffinity.ini", scene->rules);
	rules_load(&rules, t->fd, &messages);
	assert_int_equal(messages.count, 0);
	assert_int_equal(rules_match(&rules, "db", NULL, &matched), 0);
	struct cpumask usable = claims.usable;
	int r = desired_build(&matched, &domain, running, count, &expr, &usable, &claims, &desired,
		&messages, &e);
	if (r < 0)
		fail_msg("%s", e.text);
	show(&desired);
	desired_free(&desired);
	cpuset_expr_free(&expr);
	topology_free(&topology);
	free(matched.rules);
	rules_free(&rules);
	return r;
}

/* Builds the scene, which must give this layout without a warning. */
static void
lays_out(const struct tree *t, struct scene scene, const char *expected)
{
	assert_int_equal(build(t, &scene), 0);
	assert_string_equal(shown, expected);
	assert_int_equal(messages.errors, 0);
	messages_free(&messages);
}

/* Builds the scene, in which the CPUs are too few. */
static void
is_short(const struct tree *t, struct scene scene, const char *error)
{
	assert_int_equal(build(t, &scene), 0);
	assert_int_equal(messages.errors, 1);
	messages_sort(&messages);
	assert_string_equal(messages.items[0].text, error);
	messages_free(&messages);
}

#define ALL "[*]\nvcpus = all\nplacement = exclusive\n"

static void
gives_a_core_to_each_vcpu(void **state)
{
	lays_out(*state, (struct scene){ALL, .vcpus = 2, .held = ""}, "0:0=0-1 1:2=2-3");
}

static void
gives_siblings_to_guest_siblings(void **state)
{
	lays_out(*state, (struct scene){ALL, .vcpus = 4, .threads = 2, .held = ""},
		"0:0=0 1:1=1 2:2=2 3:3=3");
	lays_out(*state, (struct scene){ALL, .vcpus = 3, .threads = 2, .held = ""},
		"0:0=0 1:1=1 2:2=2-3");
}

static void
uses_second_threads_last(void **state)
{
	lays_out(*state,
		(struct scene){"[*]\nvcpus = 4-7\nplacement = exclusive\n", .vcpus = 3, .held = ""},
		"0:4=4 1:6=6-7 2:5=5");
}

/* A core of which another guest holds a part is not free, nor one that the guest may not use whole.
 */
static void
takes_no_core_in_part(void **state)
{
	lays_out(*state, (struct scene){ALL, .vcpus = 1, .held = "1"}, "0:2=2-3");
	lays_out(*state, (struct scene){ALL, .vcpus = 1, .usable = "1-15", .held = ""}, "0:2=2-3");
	lays_out(
		*state, (struct scene){ALL, .vcpus = 1, .usable = "1,4-15", .held = ""}, "0:4=4-5");
}

/* The L3 with the fewest free cores that are enough; else the node; else two nodes. */
static void
keeps_a_guest_together(void **state)
{
	lays_out(*state, (struct scene){ALL, .vcpus = 1, .held = "0-1,4-5,8"}, "0:2=2-3");
	lays_out(*state, (struct scene){ALL, .vcpus = 1, .held = "4-5"}, "0:6=6-7");
	lays_out(*state, (struct scene){ALL, .vcpus = 2, .held = "0-1,4-5"}, "0:8=8-9 1:10=10-11");
	lays_out(*state, (struct scene){ALL, .vcpus = 3, .held = "0-1"}, "0:2=2-3 1:4=4-5 2:6=6-7");
	lays_out(*state, (struct scene){ALL, .vcpus = 4, .held = "0-1"},
		"0:8=8-9 1:10=10-11 2:12=12-13 3:14=14-15");
	lays_out(*state, (struct scene){ALL, .vcpus = 5, .held = "0-1,14-15"},
		"0:2=2-3 1:4=4-5 2:6=6-7 3:8=8-9 4:10=10-11");
}

static void
names_who_holds_what_is_short(void **state)
{
	is_short(*state,
		(struct scene){
			"[*]\nvcpus = 4-7\nplacement = exclusive\n", .vcpus = 3, .held = "4-5"},
		"/etc/vmaffinity.ini:3: exclusive: a CPU for each of 3 vCPUs is needed, but vcpus "
		"at "
		"/etc/vmaffinity.ini:2 has only 2 free: 6-7; other holds 4-5");
	is_short(*state,
		(struct scene){"[*]\nvcpu0 = 4\nplacement = exclusive\n", .vcpus = 1, .held = "5"},
		"/etc/vmaffinity.ini:3: exclusive: a CPU for each of 1 vCPUs is needed, but vcpu0 "
		"at "
		"/etc/vmaffinity.ini:2 has no free CPU");
}

/* The kernel would let a group whose CPUs are all taken run anywhere. */
static void
leaves_every_group_a_cpu(void **state)
{
	lays_out(*state, (struct scene){ALL, .vcpus = 1, .held = "", .need = "0-1"}, "0:2=2-3");
	lays_out(*state, (struct scene){ALL, .vcpus = 2, .held = "", .need = "0,2"},
		"0:4=4-5 1:6=6-7");
	/* all its CPUs are taken already: it has nothing to lose */
	lays_out(*state, (struct scene){ALL, .vcpus = 1, .held = "14-15", .need = "14"},
		"0:12=12-13");
	is_short(*state,
		(struct scene){"[*]\nvcpus = 4-5\nplacement = exclusive\n", .vcpus = 1, .held = "",
			.need = "5"},
		"/etc/vmaffinity.ini:3: exclusive: a CPU for each of 1 vCPUs is needed, but vcpus "
		"at "
		"/etc/vmaffinity.ini:2 has no free CPU; vcpu0 of web has only 5");
	is_short(*state,
		(struct scene){"[*]\nemulator = 5\nvcpus = 4-5\nplacement = exclusive\n",
			.vcpus = 1, .held = ""},
		"/etc/vmaffinity.ini:4: exclusive: a CPU for each of 1 vCPUs is needed, but vcpus "
		"at "
		"/etc/vmaffinity.ini:3 has no free CPU; emulator of this guest has only 5");
}

static void
keeps_what_the_guest_has(void **state)
{
	lays_out(*state,
		(struct scene){
			ALL, .vcpus = 2, .held = "0-1", .kept = "0:12 1:6", .running = "0-1"},
		"0:12=12-13 1:6=6-7");
	/* nothing is to be placed, so nobody else's claims are needed */
	lays_out(*state,
		(struct scene){ALL, .vcpus = 1, .held = "", .kept = "0:12", .running = "0",
			.unread = true},
		"0:12=12-13");
	/* the set has it no more */
	lays_out(*state,
		(struct scene){"[*]\nvcpus = 0-7\nplacement = exclusive\n", .vcpus = 2,
			.held = "0-1", .kept = "0:12 1:6", .running = "0-1"},
		"0:4=4-5 1:6=6-7");
	lays_out(*state,
		(struct scene){"[*]\nvcpus = 0-7\nplacement = exclusive\n", .vcpus = 2, .held = "",
			.kept = "0:12 1:2", .running = "0-1"},
		"0:0=0-1 1:2=2-3");
}

static void
asks_for_the_claims_of_others(void **state)
{
	const struct scene scene = {
		ALL, .vcpus = 2, .held = "", .kept = "0:12", .running = "0-1", .unread = true};
	assert_int_equal(build(*state, &scene), 1);
	assert_int_equal(messages.count, 0);
}

/* Places a vCPU that was plugged in on its sibling's core, else on another; leaves out the others.
 */
static void
places_what_is_plugged_in(void **state)
{
	lays_out(*state,
		(struct scene){ALL, .vcpus = 3, .held = "0-7", .kept = "0:12", .running = "0"},
		"0:12=12-13 1:-=- 2:-=-");
	lays_out(*state,
		(struct scene){ALL, .vcpus = 2, .held = "0-7", .kept = "0:12", .running = "0-1"},
		"0:12=12-13 1:14=14-15");
	lays_out(*state,
		(struct scene){ALL, .vcpus = 2, .threads = 2, .held = "0-7", .kept = "0:12",
			.running = "0-1"},
		"0:12=12 1:13=13");
}

static void
says_that_its_own_cpu_is_offline(void **state)
{
	const struct scene scene = {"[*]\nvcpus = 0-11\nplacement = exclusive\n", .vcpus = 1,
		.usable = "0-11,14-15", .held = "", .kept = "0:12", .running = "0"};
	assert_int_equal(build(*state, &scene), 0);
	assert_int_equal(messages.errors, 1);
	assert_string_equal(messages.items[0].code, "own-cpu-offline");
	messages_free(&messages);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(gives_a_core_to_each_vcpu),
		tree_test(gives_siblings_to_guest_siblings),
		tree_test(uses_second_threads_last),
		tree_test(takes_no_core_in_part),
		tree_test(keeps_a_guest_together),
		tree_test(names_who_holds_what_is_short),
		tree_test(leaves_every_group_a_cpu),
		tree_test(keeps_what_the_guest_has),
		tree_test(asks_for_the_claims_of_others),
		tree_test(places_what_is_plugged_in),
		tree_test(says_that_its_own_cpu_is_offline),
	};
	return cmocka_run_group_tests_name("exclusive", tests, NULL, NULL);
}
