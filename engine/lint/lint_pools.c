/* SPDX-License-Identifier: MIT */
/* Finds sets of CPUs that the vCPUs of several guests overcommit by far. */
#include "lint/lint_private.h"

#include <stdint.h>

/* True if the guest of a claim cannot run with that of an earlier claim on the same CPUs. */
static bool
excluded(const struct lint *lint, size_t claim, const struct cpumask *pool)
{
	const char *devices = lint->guests[lint->claims[claim].guest].devices;
	for (size_t i = 0; i < claim && devices != NULL; i++)
		if (lint->claims[i].guest != lint->claims[claim].guest &&
			cpumask_subset(&lint->claims[i].cpus, pool) &&
			domain_pins_share_device(
				devices, lint->guests[lint->claims[i].guest].devices))
			return true;
	return false;
}

/* Sharing CPUs is what a pool is for; at more vCPUs to a CPU than this, it is reported. */
#define SHARE_MAX 2u

/* Reports the CPUs of one claim if the vCPUs of several guests on them are far more. */
static void
check_pool(struct lint *lint, const struct lint_claim *pool)
{
	const struct value *value = &pool->setting->setting->value;
	size_t vcpus = 0, guests = 0, last = SIZE_MAX, cpus = cpumask_count(&pool->cpus);
	char key[SETTING_KEY_MAX], list[LINT_LIST_MAX];
	for (size_t i = 0; i < lint->claim_count; i++) {
		const struct lint_claim *claim = &lint->claims[i];
		if (!cpumask_subset(&claim->cpus, &pool->cpus) || excluded(lint, i, &pool->cpus))
			continue;
		vcpus += claim->vcpus;
		guests += claim->guest != last;
		last = claim->guest;
	}
	if (guests < 2 || vcpus <= SHARE_MAX * cpus || pool->setting->reported_overcommit)
		return;
	messages_add(lint->findings, MESSAGE_WARNING, "cpus-overcommitted",
		"%s:%u: %s: %zu vCPUs of %zu guests share %zu CPU%s, %s: when many are busy, they "
		"wait for one another; name more CPUs",
		value->file, value->line, setting_key(pool->setting->setting, key), vcpus, guests,
		cpus, cpus == 1 ? "" : "s", cpumask_format(&pool->cpus, list, sizeof(list)));
}

void
lint_pools(struct lint *lint)
{
	for (size_t i = 0; i < lint->claim_count; i++) {
		bool first = cpumask_empty(&lint->claims[i].alone);
		for (size_t j = 0; j < i && first; j++)
			first = !cpumask_equal(&lint->claims[j].cpus, &lint->claims[i].cpus);
		if (first)
			check_pool(lint, &lint->claims[i]);
	}
}
