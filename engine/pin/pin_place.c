/* SPDX-License-Identifier: MIT */
#include "pin/pin_place.h"

#include "base/clock.h"
#include "cgroup/exclusive.h"
#include "cgroup/vhost.h"
#include "desired/build.h"
#include "pin/claims_read.h"
#include "pin/dropped.h"
#include "pin/pin_memory.h"

#include <stdlib.h>

const struct domain *
pin_known_domain(const struct pin *pin)
{
	return pin->domain.name != NULL ? &pin->domain : NULL;
}

bool
pin_is_to_apply(enum pin_intent intent)
{
	return intent == PIN_APPLY || intent == PIN_APPLY_ALL;
}

int
pin_accept_lock(struct pin *pin, enum lock_result locked, const struct err *e)
{
	if (locked == LOCK_IMPOSSIBLE)
		messages_add(&pin->messages, MESSAGE_WARNING, "no-lock",
			"going on without a lock: %s", e->text);
	return locked == LOCK_IMPOSSIBLE || locked == LOCK_TAKEN ? 0 : -1;
}

/*
 * Finds the vhost workers if a rule is about them; says why they cannot be pinned here. Returns 0,
 * or -1 with the reason.
 */
static int
find_vhosts(struct pin *pin, struct err *e)
{
	static const struct thread_group vhost = {GROUP_VHOST, 0};
	const struct setting *setting = rules_setting(&pin->matched, vhost);
	struct err why;
	if (setting == NULL || setting_is_keep(setting))
		return 0;
	if (vhost_is_possible(pin->host->root, &why))
		return pin->running ? vhost_find(&pin->cgroup, e) : 0;
	messages_add(&pin->messages, MESSAGE_ERROR, "vhost",
		"%s:%u: vhost needs cgroup v2 and Linux 6.4; this is %s; without the key vhost "
		"workers are left alone",
		setting->value.file, setting->value.line, why.text);
	return 0;
}

const struct value *
pin_exclusive(const struct pin *pin)
{
	const struct value *placement = rules_placement(&pin->matched);
	return placement != NULL && placement_is_exclusive(placement) ? placement : NULL;
}

/* Says why the host cannot give a guest CPUs of its own. Returns false then. */
static bool
can_be_exclusive(struct pin *pin, const struct value *placement)
{
	const struct cpumask *isolated;
	struct err e;
	char list[128];
	if (!exclusive_is_possible(pin->host->root, &e)) {
		messages_add(&pin->messages, MESSAGE_ERROR, "exclusive",
			"%s:%u: exclusive needs cgroup v2 and Linux 6.7; this is %s; use "
			"one-to-one",
			placement->file, placement->line, e.text);
		return false;
	}
	if (topology_get(&pin->host->topology, TOPOLOGY_ISOLATED, &isolated, &e) != 0 ||
		cpumask_empty(isolated))
		return true;
	messages_add(&pin->messages, MESSAGE_ERROR, "exclusive",
		"%s:%u: this host is booted with isolcpus=%s, which exclusive would undo; take it "
		"off the kernel's command line, or use one-to-one on isolated CPUs",
		placement->file, placement->line, cpumask_format(isolated, list, sizeof(list)));
	return false;
}

/*
 * Reads the claims of other guests: now for a plan that is to be applied, once for all plans that
 * are shown.
 */
static int
read_claims(struct pin *pin, enum pin_intent intent, struct err *e)
{
	struct claims *seen = &pin->host->claims;
	if (pin_is_to_apply(intent))
		return claims_read_others(
			&pin->claims, pin->host->root, pin->name, &pin->messages, e);
	if (!seen->others_read &&
		claims_read_others(seen, pin->host->root, NULL, &pin->messages, e) != 0)
		return -1;
	return claims_copy_others(&pin->claims, seen, pin->name, e);
}

/* Builds what is desired, and reads the claims of other guests if they are needed for it. */
static int
place_exclusive(struct pin *pin, const struct thread_group *running, size_t count,
	const struct cpumask *usable, enum pin_intent intent, struct err *e)
{
	int r;
	double waited = clock_ms() - pin->since; /* for the guest's own lock, above all */
	unsigned wait_ms = waited < LOCK_WAIT_MS ? LOCK_WAIT_MS - (unsigned)waited : 0;
	if (pin_is_to_apply(intent) &&
		pin_accept_lock(
			pin, lock_choice(pin->host->root, wait_ms, &pin->choice_lock, e), e) != 0)
		return -1;
	while ((r = desired_build(&pin->matched, pin_known_domain(pin), running, count,
			&pin->host->expr, usable, &pin->claims, &pin->desired, &pin->messages,
			e)) == 1)
		if (read_claims(pin, intent, e) != 0)
			return -1;
	return r;
}

static int
place(struct pin *pin, struct cpumask *usable, enum pin_intent intent, struct err *e)
{
	const struct value *exclusive = pin_exclusive(pin);
	size_t count = pin->running ? pin->cgroup.group_count : 0;
	struct thread_group *running = calloc(count + 1, sizeof(*running));
	if (running == NULL)
		return err_set(e, "out of memory");
	for (size_t i = 0; i < count; i++)
		running[i] = pin->cgroup.groups[i].group;
	int r = 0;
	pin->claims.usable = *usable;
	if (pin->running && claims_read_own(&pin->claims, &pin->cgroup) != 0)
		r = err_set(e, "out of memory");
	if (exclusive == NULL) { /* what it has will be taken away first */
		*usable = pin->claims.usable;
		cpumask_or(&pin->cgroup.allowed, usable);
	}
	if (r == 0 && exclusive != NULL && pin_known_domain(pin) != NULL &&
		can_be_exclusive(pin, exclusive))
		r = place_exclusive(pin, running, count, usable, intent, e);
	else if (r == 0)
		r = desired_build(&pin->matched, pin_known_domain(pin), running, count,
			&pin->host->expr, usable, NULL, &pin->desired, &pin->messages, e);
	free(running);
	return r;
}

/*
 * Finds the CPUs that the guest may have: those of its cgroup or, if it does not run, those online
 * that the cgroup allows that it would be put into. PIN_CHECK adds those that other guests have to
 * themselves now.
 */
static int
find_usable(struct pin *pin, enum pin_intent intent, struct cpumask *usable, struct err *e)
{
	const struct cpumask *online;
	struct err ignored;
	struct cpumask held = {0};
	if (intent == PIN_CHECK)
		exclusive_isolated(pin->host->root, &held);
	pin->claims.others_read = intent == PIN_CHECK;
	*usable = pin->cgroup.allowed;
	if (pin->running) {
		cpumask_or(usable, &held);
		return 0;
	}
	if (topology_get(&pin->host->topology, TOPOLOGY_ONLINE, &online, e) != 0)
		return -1;
	*usable = *online;
	pin->limited = partition_find(pin->host->root, pin->domain.partition, &pin->partition,
			       &ignored) == CGROUP_OK;
	if (pin->limited) {
		cpumask_or(&pin->partition.granted, &held);
		cpumask_and(usable, &pin->partition.granted);
	}
	return 0;
}

/* True if a rule names CPUs that the host has, but that the guest cannot be given now. */
static bool
lacks_cpus(const struct pin *pin)
{
	for (size_t i = 0; i < pin->desired.mask_count; i++)
		if (!cpumask_equal(&pin->desired.masks[i].whole, &pin->desired.masks[i].cpus))
			return true;
	return false;
}

int
pin_place(struct pin *pin, enum pin_intent intent, struct err *e)
{
	struct cpumask usable, isolated;
	if (find_vhosts(pin, e) != 0 || find_usable(pin, intent, &usable, e) != 0 ||
		place(pin, &usable, intent, e) != 0 || pin_memory_place(pin, &usable, e) != 0)
		return -1;
	if (!pin->claims.others_read && lacks_cpus(pin) &&
		exclusive_isolated(pin->host->root, &isolated) && read_claims(pin, intent, e) != 0)
		return -1;
	dropped_note(&pin->desired, &pin->host->topology, pin->running ? &pin->cgroup : NULL,
		pin->limited ? &pin->partition : NULL, &pin->claims, &pin->messages);
	return 0;
}
