/* SPDX-License-Identifier: MIT */
/* Checks two guests again and again, and each time another allocation fails. */
#include "lint/lint.h"

#include "desired/build.h"

#include "support/mask.h"
#include "support/memory.h"
#include "support/tree.h"
#include "support/unit.h"

#include <stdlib.h>
#include <string.h>

#define VCPUS 2

/* A set of every guest, on a CPU of a vCPU of db; a key that does nothing; a rule without a guest.
 */
static const char machine[] =
	"sys/devices/system/cpu/online 0-3\n"
	"sys/devices/system/cpu/present 0-3\n"
	"sys/devices/system/cpu/isolated 3\n"
	"etc/vmaffinity.ini [cpus]\\nunused = 1\\n[*]\\nvcpus = 0-3\\nvcpu7 = 1\\n[db]\\n"
	"vcpus = 0-1\\nplacement = one-to-one\\nemulator = 0\\n[nobody]\\nvcpus = ^0 0-4";

static int
add_guest(struct lint *lint, const char *name, struct messages *findings, struct err *e)
{
	static bool online[VCPUS] = {true, true};
	const struct domain domain = {
		.name = (char *)name, .threads = 1, .vcpus = VCPUS, .vcpu_online = online};
	const struct cpumask usable = mask_of("0-3");
	const struct domain_pins pins = {.devices = (char *)"pci 0000:01:00.0\n"};
	struct messages messages = {0};
	struct matched matched;
	struct desired desired = {0};
	const struct lint_subject subject = {&domain, &matched, &desired, &pins, false};
	if (rules_match(lint->expr->rules, name, "", &matched) != 0)
		return err_set(e, "out of memory");
	int r = desired_build(
		&matched, &domain, NULL, 0, lint->expr, &usable, NULL, &desired, &messages, e);
	if (r == 0)
		r = lint_guest(lint, &subject, findings, e);
	desired_free(&desired);
	free(matched.rules);
	messages_free(&messages);
	return r;
}

/*
 * Checks guests db and web without the allocation of this number. Returns the number of findings,
 * or -1 after a failure that has its reason.
 */
static int
check(const struct tree *t, unsigned number, bool *failed)
{
	static const struct lint_limit limit = {.name = "/machine.slice"};
	struct topology topology = {.root = t->fd};
	struct rules rules = {0};
	struct cpuset_expr expr = {.rules = &rules, .topology = &topology};
	struct messages findings = {0};
	struct lint lint = {0};
	struct err e = {0};
	memory_fail_at(number);
	rules_load(&rules, t->fd, &findings);
	int r = findings.errors == 0 ? 0 : -1;
	if (r == 0) {
		lint_rules(&rules, &findings);
		r = lint_start(&lint, &expr, &findings);
		if (r != 0)
			err_set(&e, "out of memory");
	}
	if (r == 0)
		r = add_guest(&lint, "db", &findings, &e);
	if (r == 0)
		r = add_guest(&lint, "web", &findings, &e);
	if (r == 0)
		r = lint_finish(&lint, &limit, &e);
	*failed = memory_has_failed();
	memory_fail_at(0);
	bool said = memory_is_reason(e.text) || findings.dropped > 0;
	for (size_t i = 0; i < findings.count; i++)
		said = said || memory_is_reason(findings.items[i].text);
	if (r != 0 && !said)
		fail_msg("allocation %u: '%s'", number, e.text);
	r = r == 0 ? (int)(findings.count + findings.dropped) : -1;
	lint_free(&lint);
	cpuset_expr_free(&expr);
	topology_free(&topology);
	rules_free(&rules);
	messages_free(&findings);
	return r;
}

static void
finds_the_same_or_fails(void **state)
{
	const struct tree *t = *state;
	unsigned number = 1, failures = 0;
	bool failed;
	tree_make(t, machine);
	const int all = check(t, 0, &failed);
	assert_true(all > 3);
	do {
		int count = check(t, number++, &failed);
		failures += count < 0;
		if (count >= 0 && count != all)
			fail_msg("allocation %u: %d findings of %d", number - 1, count, all);
	} while (failed);
	assert_true(failures > 50);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(finds_the_same_or_fails),
	};
	return cmocka_run_group_tests_name("lint_no_memory", tests, NULL, NULL);
}
