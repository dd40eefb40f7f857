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
	messages_add(lint->findings, MESSAGE_WARNING, "cpu-shared",
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

/* Guests that two settings give different hardware threads of the same cores. */
struct split {
	const struct value *value[2]; /* the settings, that of the first earlier guest first */
	bool *guests[2];	      /* by guest: those that a setting gives such threads */
	struct cpumask cpus[2];	      /* those threads */
	const struct topology_object *core; /* the first such core */
	size_t index;			    /* of core */
};

struct splits {
	struct split *items;
	size_t count;
};

/* The part of one core that a guest has. */
struct core_part {
	size_t guest;
	unsigned pattern; /* a bit for each hardware thread */
	const struct value *value;
};

static struct split *
find_split(const struct splits *splits, const struct value *first, const struct value *second)
{
	for (size_t i = 0; i < splits->count; i++)
		if (splits->items[i].value[0] == first && splits->items[i].value[1] == second)
			return &splits->items[i];
	return NULL;
}

static struct split *
add_split(const struct lint *lint, struct splits *splits, const struct value *first,
	const struct value *second, struct err *e)
{
	bool *guests = calloc(2 * lint->guest_count, sizeof(*guests));
	struct split *larger = array_grow(splits->items, splits->count, sizeof(*larger));
	if (larger != NULL)
		splits->items = larger;
	if (larger == NULL || guests == NULL) {
		free(guests);
		err_set(e, "out of memory");
		return NULL;
	}
	struct split *split = &larger[splits->count++];
	*split = (struct split){.value = {first, second}};
	split->guests[0] = guests;
	split->guests[1] = guests + lint->guest_count;
	return split;
}

/* Adds the CPUs of the core for which pattern has bits. */
static void
add_threads(struct cpumask *cpus, const struct topology_object *core, unsigned pattern)
{
	for (unsigned i = 0; i < core->cpu_count && i < THREADS_MAX; i++)
		if ((pattern >> i & 1) != 0)
			cpumask_set_range(cpus, core->cpus[i], core->cpus[i]);
}

/* Lists the guests that have a part of a core, but not all of it. Returns their number. */
static size_t
list_parts(const struct lint *lint, const struct topology_object *core, struct core_part *parts)
{
	size_t count = 0;
	for (size_t g = 0; g < lint->guest_count; g++) {
		struct core_part *part = &parts[count];
		struct cpumask cpus = {0};
		*part = (struct core_part){.guest = g};
		for (unsigned i = 0; i < core->cpu_count && i < THREADS_MAX; i++)
			part->pattern |=
				(unsigned)cpumask_test(&lint->guests[g].vcpus, core->cpus[i]) << i;
		add_threads(&cpus, core, part->pattern);
		if (part->pattern == 0 || cpumask_count(&cpus) == core->cpu_count)
			continue;
		part->value = find_claim_value(lint, g, &cpus);
		count++;
	}
	return count;
}

static int
add_pair(const struct lint *lint, const struct topology_object *core, size_t index,
	const struct core_part pair[2], struct splits *splits, struct err *e)
{
	struct split *split = find_split(splits, pair[1].value, pair[0].value);
	bool swap = split != NULL;
	if (split == NULL)
		split = find_split(splits, pair[0].value, pair[1].value);
	if (split == NULL)
		split = add_split(lint, splits, pair[0].value, pair[1].value, e);
	if (split == NULL)
		return -1;
	if (split->core == NULL) {
		split->core = core;
		split->index = index;
	}
	for (int i = 0; i < 2; i++) {
		split->guests[i != swap][pair[i].guest] = true;
		add_threads(&split->cpus[i != swap], core, pair[i].pattern);
	}
	return 0;
}

/* Records the guests that have different threads of a core. parts: room for every guest. */
static int
split_core(const struct lint *lint, const struct topology_object *core, size_t index,
	struct core_part *parts, struct splits *splits, struct err *e)
{
	size_t count = list_parts(lint, core, parts);
	for (size_t a = 0; a < count; a++)
		for (size_t b = a + 1; b < count; b++) {
			const struct core_part pair[] = {parts[a], parts[b]};
			if ((pair[0].pattern & pair[1].pattern) == 0 &&
				!domain_pins_share_device(lint->guests[pair[0].guest].devices,
					lint->guests[pair[1].guest].devices) &&
				add_pair(lint, core, index, pair, splits, e) != 0)
				return -1;
		}
	return 0;
}

static int
report_split(struct lint *lint, const struct split *split, struct err *e)
{
	struct cpumask core = {0};
	char first[LINT_LIST_MAX], second[LINT_LIST_MAX], whole[LINT_LIST_MAX];
	AUTO_FREE char *earlier = lint_names(lint, split->guests[0], e);
	AUTO_FREE char *later = lint_names(lint, split->guests[1], e);
	if (earlier == NULL || later == NULL)
		return -1;
	add_threads(&core, split->core, (1u << THREADS_MAX) - 1);
	messages_add(lint->findings, MESSAGE_WARNING, "core-shared",
		"%s:%u: hardware threads of the same cores: %s %s in %s, and %s %s in %s (%s:%u): "
		"each slows the other; give a guest whole cores, such as %s (core:%zu)",
		split->value[1]->file, split->value[1]->line, cpu_noun(&split->cpus[1]),
		cpumask_format(&split->cpus[1], second, sizeof(second)), later,
		cpu_noun(&split->cpus[0]), cpumask_format(&split->cpus[0], first, sizeof(first)),
		earlier, split->value[0]->file, split->value[0]->line,
		cpumask_format(&core, whole, sizeof(whole)), split->index);
	return 0;
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
	struct core_part *parts = calloc(lint->guest_count, sizeof(*parts));
	if (parts == NULL)
		return err_set(e, "out of memory");
	for (size_t i = 0; i < cores->count && r == 0; i++)
		if (cores->items[i].cpu_count > 1)
			r = split_core(lint, &cores->items[i], i, parts, &splits, e);
	for (size_t i = 0; i < splits.count && r == 0; i++)
		r = report_split(lint, &splits.items[i], e);
	for (size_t i = 0; i < splits.count; i++)
		free(splits.items[i].guests[0]);
	free(splits.items);
	free(parts);
	return r;
}

int
lint_between_guests(struct lint *lint, struct err *e)
{
	return find_overlaps(lint, e) != 0 || find_splits(lint, e) != 0 ? -1 : 0;
}
