/* SPDX-License-Identifier: MIT */
#include "pin/claims_read.h"

#include "base/array.h"
#include "cgroup/group_state.h"
#include "cgroup/qemu_process.h"

#include <stdlib.h>
#include <string.h>

/* Sets *cpu to the one CPU of both masks. Returns false unless there is just one. */
static bool
only_common(const struct cpumask *a, const struct cpumask *b, unsigned *cpu)
{
	struct cpumask both = *a;
	cpumask_and(&both, b);
	*cpu = cpumask_next(&both, 0);
	return cpumask_count(&both) == 1;
}

/*
 * Returns the CPU of a vCPU that has CPUs to itself: that of its cpuset.cpus or, if something else
 * has written that, of its thread; else the first.
 */
static unsigned
own_cpu(const struct cgroup *cgroup, const struct cgroup_child *child)
{
	unsigned cpu;
	pid_t *tids;
	size_t count;
	struct cpumask affinity = {0};
	struct err ignored;
	if (only_common(&child->partition.cpus, &child->now, &cpu))
		return cpu;
	if (cgroup_threads(cgroup, child->group, &tids, &count) == 0) {
		bool found = count > 0 &&
			     thread_read_cpus(cgroup->root, tids[0], &affinity, &ignored) == 0 &&
			     only_common(&child->partition.cpus, &affinity, &cpu);
		free(tids);
		if (found)
			return cpu;
	}
	return cpumask_next(&child->partition.cpus, 0);
}

int
claims_read_own(struct claims *claims, const struct cgroup *cgroup)
{
	for (size_t i = 0; i < cgroup->group_count; i++) {
		const struct cgroup_child *child = &cgroup->groups[i];
		if (!child->partition.there || cpumask_empty(&child->partition.cpus))
			continue;
		struct claim_kept *larger =
			array_grow(claims->kept, claims->kept_count, sizeof(*larger));
		if (larger == NULL)
			return -1;
		claims->kept = larger;
		claims->kept[claims->kept_count++] =
			(struct claim_kept){.vcpu = child->group.id, .cpu = own_cpu(cgroup, child)};
		if (child->partition.in_force)
			cpumask_or(&claims->usable, &child->partition.granted);
	}
	return 0;
}

static int
add_held(struct claims *claims, const char *guest, const struct cpumask *cpus)
{
	if (cpumask_empty(cpus))
		return 0;
	struct claim *larger = array_grow(claims->held, claims->held_count, sizeof(*larger));
	if (larger == NULL)
		return -1;
	claims->held = larger;
	larger[claims->held_count] = (struct claim){.guest = strdup(guest), .cpus = *cpus};
	return larger[claims->held_count].guest != NULL ? (claims->held_count++, 0) : -1;
}

static int
add_need(struct claims *claims, const char *guest, struct thread_group group,
	const struct cpumask *cpus)
{
	struct claim_need *larger = array_grow(claims->needs, claims->need_count, sizeof(*larger));
	if (larger == NULL)
		return -1;
	claims->needs = larger;
	larger[claims->need_count++] = (struct claim_need){
		.guest = guest, .group = group, .last = group.id, .cpus = *cpus};
	return 0;
}

static const char *
add_guest(struct claims *claims, const char *name)
{
	char **larger = array_grow(claims->guests, claims->guest_count, sizeof(*larger));
	if (larger == NULL)
		return NULL;
	claims->guests = larger;
	char *copy = strdup(name);
	if (copy != NULL)
		claims->guests[claims->guest_count++] = copy;
	return copy;
}

/* True if the last need is of the guest's group before this one, and of the same CPUs. */
static bool
continues_need(const struct claims *claims, const char *guest, struct thread_group group,
	const struct cpumask *cpus)
{
	if (claims->need_count == 0)
		return false;
	const struct claim_need *last = &claims->needs[claims->need_count - 1];
	return last->guest == guest && last->group.kind == group.kind &&
	       last->last + 1 == group.id && cpumask_equal(&last->cpus, cpus);
}

/* Adds the claims of one guest. */
static int
add_claims(struct claims *claims, const char *name, const struct cgroup *cgroup)
{
	const char *guest = add_guest(claims, name);
	struct cpumask held = {0};
	int r = guest != NULL ? 0 : -1;
	for (size_t i = 0; i < cgroup->group_count && r == 0; i++) {
		const struct cgroup_child *child = &cgroup->groups[i];
		if (child->partition.there) {
			cpumask_or(&held, &child->partition.cpus);
			continue;
		}
		/* A group without a mask has its parent's CPUs. */
		const struct cpumask *cpus =
			cpumask_empty(&child->now) ? &cgroup->allowed : &child->now;
		if (continues_need(claims, guest, child->group, cpus))
			claims->needs[claims->need_count - 1].last = child->group.id;
		else
			r = add_need(claims, guest, child->group, cpus);
	}
	return r == 0 ? add_held(claims, name, &held) : -1;
}

int
claims_read_others(
	struct claims *claims, int root, const char *name, struct messages *messages, struct err *e)
{
	struct running_guests guests;
	int r = running_guests(root, &guests, e);
	for (size_t i = 0; r == 0 && i < guests.count; i++) {
		struct cgroup cgroup;
		struct err why;
		const char *guest = guests.names[i];
		if (name != NULL && strcmp(guest, name) == 0)
			continue;
		enum cgroup_result opened = cgroup_open(root, guest, &cgroup, &why);
		if (opened == CGROUP_OK) {
			if (add_claims(claims, guest, &cgroup) != 0)
				r = err_set(e, "out of memory");
			cgroup_free(&cgroup);
		} else if (opened == CGROUP_ERROR && !qemu_process_has_ended(root, guest)) {
			messages_add(messages, MESSAGE_WARNING, "exclusive",
				"the CPUs of %s are not known: %s", guest, why.text);
		}
	}
	running_guests_free(&guests);
	claims->others_read = true;
	return r;
}

int
claims_copy_others(
	struct claims *claims, const struct claims *from, const char *name, struct err *e)
{
	int r = 0;
	for (size_t i = 0; i < from->held_count && r == 0; i++)
		if (strcmp(from->held[i].guest, name) != 0)
			r = add_held(claims, from->held[i].guest, &from->held[i].cpus);
	for (size_t i = 0; i < from->need_count && r == 0; i++) {
		const struct claim_need *need = &from->needs[i];
		const char *guest =
			claims->guest_count > 0 ? claims->guests[claims->guest_count - 1] : "";
		if (strcmp(need->guest, name) == 0)
			continue;
		if (strcmp(guest, need->guest) != 0 &&
			(guest = add_guest(claims, need->guest)) == NULL)
			r = -1;
		if (r == 0 && (r = add_need(claims, guest, need->group, &need->cpus)) == 0)
			claims->needs[claims->need_count - 1].last = need->last;
	}
	claims->others_read = true;
	return r == 0 ? 0 : err_set(e, "out of memory");
}
