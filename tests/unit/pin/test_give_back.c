/* SPDX-License-Identifier: MIT */
/* What libvirt would give to groups that no rule decides. */
#include "pin/give_back.h"

#include "support/mask.h"
#include "support/unit.h"

#include <stdlib.h>

static const struct setting keep;
static struct cpumask now[4], ruled;
static struct plan_step steps[4];
static struct plan plan = {.steps = steps, .step_count = 4};
static struct cgroup cgroup;
static struct cgroup_child children[4];

/* emulator, vcpu0, vcpu1, iothread1 of a guest that may have CPUs 0-7; a rule decides vcpu0. */
static int
setup(void **state)
{
	static const struct thread_group groups[] = {
		{GROUP_EMULATOR, 0}, {GROUP_VCPU, 0}, {GROUP_VCPU, 1}, {GROUP_IOTHREAD, 1}};
	(void)state;
	cgroup = (struct cgroup){.v2 = true,
		.directory = -1,
		.allowed = mask_of("0-7"),
		.groups = children,
		.group_count = 4};
	plan = (struct plan){.steps = steps, .step_count = 4};
	ruled = mask_of("2");
	for (size_t i = 0; i < 4; i++) {
		now[i] = (struct cpumask){0};
		steps[i] = (struct plan_step){.group = groups[i], .now = &now[i]};
		children[i] = (struct cgroup_child){.group = groups[i]};
	}
	steps[1].setting = &keep;
	steps[1].cpus = &ruled;
	return 0;
}

#define give_test(name) cmocka_unit_test_setup(name, setup)

/* Gives back by these pins of vcpu1 and emulator, "" for none; returns how many groups. */
static size_t
give(const char *vcpu1, const char *emulator, struct cpumask **masks)
{
	struct domain_pin pins[2];
	struct domain_pins record = {.pins = pins};
	size_t count;
	if (emulator[0] != '\0')
		pins[record.count++] = (struct domain_pin){{GROUP_EMULATOR, 0}, mask_of(emulator)};
	if (vcpu1[0] != '\0')
		pins[record.count++] = (struct domain_pin){{GROUP_VCPU, 1}, mask_of(vcpu1)};
	assert_int_equal(give_back(&plan, &cgroup, &record, masks, &count), 0);
	return count;
}

static void
leaves_what_libvirt_gave(void **state)
{
	struct cpumask *masks;
	(void)state;
	now[3] = mask_of("0-7"); /* as good as none */
	assert_false(give_back_is_asked(&plan, &cgroup));
	assert_int_equal(give("", "", &masks), 0);
	free(masks);
	now[2] = mask_of("3");
	assert_true(give_back_is_asked(&plan, &cgroup));
	assert_int_equal(give("3", "", &masks), 0);
	assert_null(steps[2].cpus);
	free(masks);
}

static void
gives_back_what_an_earlier_rule_took(void **state)
{
	struct cpumask *masks;
	(void)state;
	now[0] = mask_of("1"), now[1] = mask_of("2"), now[2] = mask_of("3");
	assert_true(give_back_is_asked(&plan, &cgroup));
	assert_int_equal(give("4-9", "", &masks), 2);
	assert_mask(steps[0].cpus, "0-7");
	assert_true(steps[0].write && steps[0].given && steps[0].inherit);
	assert_mask(steps[2].cpus, "4-7"); /* of its record, what the guest may have */
	assert_true(steps[2].write && steps[2].given && !steps[2].inherit);
	assert_ptr_equal(steps[1].cpus, &ruled);
	assert_false(steps[1].given);
	assert_null(steps[3].cpus);
	free(masks);
}

/* A pin outside what the guest may have cannot be given; on v1 a mask is always written. */
static void
gives_all_where_the_record_cannot_be(void **state)
{
	struct cpumask *masks;
	(void)state;
	cgroup.v2 = false;
	for (size_t i = 0; i < 4; i++)
		now[i] = mask_of("0-7");
	now[0] = mask_of("1");
	assert_int_equal(give("", "8-9", &masks), 1);
	assert_mask(steps[0].cpus, "0-7");
	assert_false(steps[0].inherit);
	free(masks);
}

/* The XML does not say what numad has chosen. */
static void
leaves_what_numad_chose(void **state)
{
	struct domain_pin pin = {{GROUP_VCPU, 1}, mask_of("5")};
	const struct domain_pins record = {.pins = &pin, .count = 1, .automatic = true};
	struct cpumask *masks;
	size_t count;
	(void)state;
	now[0] = mask_of("1"), now[2] = mask_of("3");
	assert_int_equal(give_back(&plan, &cgroup, &record, &masks, &count), 0);
	assert_int_equal(count, 1);
	assert_null(steps[0].cpus);
	assert_mask(steps[2].cpus, "5");
	free(masks);
}

/* A mask wider than the record is not libvirt's either, but the fast check does not ask for it. */
static void
gives_the_record_for_a_wider_mask(void **state)
{
	struct cpumask *masks;
	(void)state;
	assert_false(give_back_is_asked(&plan, &cgroup));
	assert_int_equal(give("", "1", &masks), 1);
	assert_mask(steps[0].cpus, "1");
	free(masks);
}

/* The nodes of an earlier rule are in all groups. An empty set on v2 is the parent's. */
static void
gives_back_nodes(void **state)
{
	struct domain_pins record = {0};
	struct cpumask *masks;
	size_t count;
	(void)state;
	children[0].nodes = children[2].nodes = children[3].nodes = mask_of("1");
	assert_false(give_back_is_asked(&plan, &cgroup)); /* nodes were not read */
	assert_int_equal(give("", "", &masks), 0);
	free(masks);
	cgroup.nodes = mask_of("0-1");
	assert_true(give_back_is_asked(&plan, &cgroup));
	assert_int_equal(give("", "", &masks), 3);
	assert_mask(plan.nodes, "0-1");
	assert_true(plan.nodes_optional && steps[0].write_nodes && plan.nodes_inherit);
	assert_true(plan.nodes_given && !steps[1].write_nodes);
	free(masks);
	setup(state);
	cgroup.nodes = mask_of("0-1"), cgroup.v2 = false;
	for (size_t i = 0; i < 4; i++)
		children[i].nodes = mask_of("0-1");
	assert_false(give_back_is_asked(&plan, &cgroup));
	record.nodes = mask_of("1-2"); /* of its record, what the guest may have */
	assert_int_equal(give_back(&plan, &cgroup, &record, &masks, &count), 0);
	assert_int_equal(count, 4);
	assert_mask(plan.nodes, "1");
	assert_false(plan.nodes_inherit);
	free(masks);
}

static void
leaves_nodes_that_are_not_its_own(void **state)
{
	struct domain_pins record = {.nodes = mask_of("1")};
	const struct cpumask ruled_nodes = mask_of("0");
	struct cpumask *masks;
	size_t count;
	(void)state;
	cgroup.nodes = mask_of("0-1");
	for (size_t i = 0; i < 4; i++)
		children[i].nodes = mask_of("1");
	assert_int_equal(give_back(&plan, &cgroup, &record, &masks, &count), 0);
	assert_true(count == 0 && plan.nodes == NULL);
	free(masks);
	record = (struct domain_pins){.nodes_automatic = true}; /* numad's */
	assert_int_equal(give_back(&plan, &cgroup, &record, &masks, &count), 0);
	assert_true(count == 0 && plan.nodes == NULL);
	free(masks);
	record = (struct domain_pins){0};
	for (size_t i = 0; i < 4; i++)
		steps[i].nodes_now = &children[i].nodes;
	plan.nodes = &ruled_nodes; /* a rule's */
	assert_false(give_back_is_asked(&plan, &cgroup));
	assert_int_equal(give_back(&plan, &cgroup, &record, &masks, &count), 0);
	assert_true(count == 0 && plan.nodes == &ruled_nodes);
	free(masks);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		give_test(leaves_what_libvirt_gave),
		give_test(gives_back_what_an_earlier_rule_took),
		give_test(gives_all_where_the_record_cannot_be),
		give_test(leaves_what_numad_chose),
		give_test(gives_the_record_for_a_wider_mask),
		give_test(gives_back_nodes),
		give_test(leaves_nodes_that_are_not_its_own),
	};
	return cmocka_run_group_tests_name("give_back", tests, NULL, NULL);
}
