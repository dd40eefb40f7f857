/* SPDX-License-Identifier: MIT */
/* Finds CPUs and cores that the vCPUs of two guests share. */
#include "lint/lint_private.h"

#include "base/array.h"
#include "base/cleanup.h"

#include <stdio.h>
#include <stdlib.h>

/* Limits the hardware threads of a core: POWER has 8. */
#define THREADS_MAX 8u

static const char *
cpu_noun(const struct cpumask *cpus)
{
	return cpumask_count(cpus) == 1 ? "CPU" : "CPUs";
}

char *
lint_names(const struct lint *lint, const bool marked[], struct err *e)
{
	char *text = NULL;
	size_t size, count = 0, first = 0;
	FILE *out = open_memstream(&text, &size);
	for (size_t i = lint->guest_count; i-- > 0;)
		if (marked[i])
			first = i, count++;
	for (size_t i = first; out != NULL && i < lint->guest_count; i++)
		if (marked[i])
			fprintf(out, "%s'%s'%s",
				i > first    ? ", "
				: count == 1 ? "guest "
					     : "guests ",
				lint->guests[i].name,
				lint->guests[i].first == NULL ? " (which no rule confines)" : "");
	if (out != NULL && fclose(out) == 0)
		return text;
	free(text);
	err_set(e, "out of memory");
	return NULL;
}

/* The guests of which one setting gives a vCPU a CPU alone that is also another's. */
struct overlap {
	bool *own, *others;	   /* by guest: those of the setting, and those before them */
	struct cpumask cpus;	   /* such CPUs */
	const struct value *other; /* the first setting that gives one of them to another guest */
};

static int
report_overlap(struct lint *lint, const struct setting *setting, const struct overlap *overlap,
	struct err *e)
{
	char list[LINT_LIST_MAX];
	AUTO_FREE char *own = lint_names(lint, overlap->own, e);
	AUTO_FREE char *others = lint_names(lint, overlap->others, e);
	if (own == NULL || others == NULL)
		return -1;
	messages_add(lint->findings, MESSAGE_WARNING,
		"%s:%u: %s %s: one vCPU's own in %s, and in %s too (%s:%u): the vCPUs take turns; "
		"give each a CPU of its own",
		setting->value.file, setting->value.line, cpu_noun(&overlap->cpus),
		cpumask_format(&overlap->cpus, list, sizeof(list)), own, others,
		overlap->other->file, overlap->other->line);
	return 0;
}

/* Adds to the overlap what one claim and those of earlier guests have alone. */
static void
add_overlaps(const struct lint *lint, size_t claim, struct overlap *overlap)
{
	const struct lint_claim *later = &lint->claims[claim];
	for (size_t i = 0; i < claim; i++) {
		const struct lint_claim *earlier = &lint->claims[i];
		struct cpumask both = later->alone;
		cpumask_and(&both, &earlier->alone);
		if (earlier->guest == later->guest || cpumask_empty(&both) ||
			domain_pins_share_device(lint->guests[later->guest].devices,
				lint->guests[earlier->guest].devices))
			continue;
		overlap->own[later->guest] = overlap->others[earlier->guest] = true;
		cpumask_or(&overlap->cpus, &both);
		if (overlap->other == NULL)
			overlap->other = &earlier->setting->setting->value;
	}
}

/* Reports CPUs of a setting that are meant for one vCPU alone in each of several guests, once. */
static int
find_overlaps_of(
	struct lint *lint, const struct lint_setting *of, struct overlap *overlap, struct err *e)
{
	for (size_t i = 0; i < lint->guest_count; i++)
		overlap->own[i] = overlap->others[i] = false;
	for (size_t i = 0; i < lint->claim_count; i++)
		if (lint->claims[i].setting == of && !cpumask_empty(&lint->claims[i].alone))
			add_overlaps(lint, i, overlap);
	for (size_t i = 0; i < lint->guest_count; i++)
		overlap->others[i] = overlap->others[i] && !overlap->own[i];
	return overlap->other != NULL ? report_overlap(lint, of->setting, overlap, e) : 0;
}

static int
find_overlaps(struct lint *lint, struct err *e)
{
	bool *own = calloc(lint->guest_count + 1, sizeof(*own));
	bool *others = calloc(lint->guest_count + 1, sizeof(*others));
	int r = 0;
	if (own == NULL || others == NULL) {
		free(own);
		free(others);
		return err_set(e, "out of memory");
	}
	for (size_t i = 0; i < lint->setting_count && r == 0; i++) {
		struct overlap overlap = {.own = own, .others = others};
		r = find_overlaps_of(lint, &lint->settings[i], &overlap, e);
	}
	free(own);
	free(others);
	return r;
}

/* Returns the value of the first setting that gives a guest one of cpus, or NULL. */
static const struct value *
find_claim_value(const struct lint *lint, size_t guest, const struct cpumask *cpus)
{
	for (size_t i = 0; i < lint->claim_count; i++) {
		struct cpumask both = lint->claims[i].cpus;
		cpumask_and(&both, cpus);
		if (lint->claims[i].guest == guest && !cpumask_empty(&both))
			return &lint->claims[i].setting->setting->value;
	}
	return NULL;
}

/* Two guests that have different hardware threads of the same cores. */
struct split {
	size_t guest[2]; /* indexes into lint.guests, ascending */
	struct cpumask cpus[2];
	const struct topology_object *core; /* the first such core */
	size_t index;			    /* of core */
};

struct splits {
	struct split *items;
	size_t count;
};

static struct split *
add_split(struct splits *splits, size_t first, size_t second, struct err *e)
{
	for (size_t i = 0; i < splits->count; i++)
		if (splits->items[i].guest[0] == first && splits->items[i].guest[1] == second)
			return &splits->items[i];
	struct split *larger = array_grow(splits->items, splits->count, sizeof(*larger));
	if (larger == NULL) {
		err_set(e, "out of memory");
		return NULL;
	}
	splits->items = larger;
	larger[splits->count] = (struct split){.guest = {first, second}};
	return &larger[splits->count++];
}

/* Adds the CPUs of the core for which pattern has bits. */
static void
add_threads(struct cpumask *cpus, const struct topology_object *core, unsigned pattern)
{
	for (unsigned i = 0; i < core->cpu_count && i < THREADS_MAX; i++)
		if ((pattern >> i & 1) != 0)
			cpumask_set_range(cpus, core->cpus[i], core->cpus[i]);
}

/* Records each pair of guests that have different threads of a core. */
static int
split_core(const struct lint *lint, const struct topology_object *core, size_t index,
	struct splits *splits, struct err *e)
{
	/* by pattern, a bit for each thread: 1 + the index of the first guest with that pattern */
	size_t owners[1u << THREADS_MAX] = {0};
	for (size_t g = 0; g < lint->guest_count; g++) {
		unsigned pattern = 0;
		for (unsigned i = 0; i < core->cpu_count && i < THREADS_MAX; i++)
			pattern |= (unsigned)cpumask_test(&lint->guests[g].vcpus, core->cpus[i])
				   << i;
		if (owners[pattern] == 0)
			owners[pattern] = g + 1;
	}
	for (unsigned a = 1; a < 1u << THREADS_MAX; a++)
		for (unsigned b = a + 1; b < 1u << THREADS_MAX && owners[a] != 0; b++) {
			if (owners[b] == 0 || (a & b) != 0)
				continue;
			bool swap = owners[a] > owners[b];
			struct split *split = add_split(
				splits, owners[swap ? b : a] - 1, owners[swap ? a : b] - 1, e);
			if (split == NULL)
				return -1;
			if (split->core == NULL) {
				split->core = core;
				split->index = index;
			}
			add_threads(&split->cpus[swap], core, a);
			add_threads(&split->cpus[!swap], core, b);
		}
	return 0;
}

static void
report_split(struct lint *lint, const struct split *split)
{
	struct cpumask core = {0};
	char first[LINT_LIST_MAX], second[LINT_LIST_MAX], whole[LINT_LIST_MAX];
	const struct value *other = find_claim_value(lint, split->guest[0], &split->cpus[0]);
	const struct value *value = find_claim_value(lint, split->guest[1], &split->cpus[1]);
	add_threads(&core, split->core, (1u << THREADS_MAX) - 1);
	messages_add(lint->findings, MESSAGE_WARNING,
		"%s:%u: guest '%s' has %s %s, and guest '%s' %s %s (%s:%u), which are hardware "
		"threads of the same cores: each slows the other; give a guest whole cores, such "
		"as "
		"%s (core:%zu)",
		value->file, value->line, lint->guests[split->guest[1]].name,
		cpu_noun(&split->cpus[1]), cpumask_format(&split->cpus[1], second, sizeof(second)),
		lint->guests[split->guest[0]].name, cpu_noun(&split->cpus[0]),
		cpumask_format(&split->cpus[0], first, sizeof(first)), other->file, other->line,
		cpumask_format(&core, whole, sizeof(whole)), split->index);
}

static int
find_splits(struct lint *lint, struct err *e)
{
	const struct topology_objects *cores;
	struct splits splits = {0};
	int r = 0;
	if (lint->guest_count < 2)
		return 0;
	if (topology_objects(lint->expr->topology, TOPOLOGY_CORE, &cores, e) != 0)
		return -1;
	for (size_t i = 0; i < cores->count && r == 0; i++)
		if (cores->items[i].cpu_count > 1)
			r = split_core(lint, &cores->items[i], i, &splits, e);
	for (size_t i = 0; i < splits.count && r == 0; i++)
		report_split(lint, &splits.items[i]);
	free(splits.items);
	return r;
}

int
lint_between_guests(struct lint *lint, struct err *e)
{
	return find_overlaps(lint, e) != 0 || find_splits(lint, e) != 0 ? -1 : 0;
}
