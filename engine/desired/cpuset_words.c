/* SPDX-License-Identifier: MIT */
/* Evaluates topology words to sets of CPUs. */
#include "desired/cpuset_words.h"

#include "desired/cpuset_words_private.h"
#include "desired/host_sets.h"
#include "desired/item_scan.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Limits how many words a chain has: more than there are kinds of objects. */
#define CHAIN_MAX 8u

/* The state of evaluating a chain of words: "node:0.core:2". */
struct chain {
	struct topology *topology;
	struct link links[CHAIN_MAX];
	size_t count;
	struct cpumask *mask;
	bool found;	 /* true if a CPU was found */
	bool lacking;	 /* true if "all" or "N-" found nothing; the error is set */
	const char **at; /* where to point at the fault */
};

static int
parse_chain(const char *text, const char *end, struct chain *chain, struct err *e)
{
	const char **at = chain->at;
	for (*at = text;; ++*at) {
		if (chain->count == CHAIN_MAX)
			return err_set(e, "more than %u words within one another", CHAIN_MAX);
		if (cpuset_words_parse_link(at, end, &chain->links[chain->count++], e) != 0)
			return -1;
		if (*at == end)
			return 0;
	}
}

/* The object within which an index counts. */
struct outer {
	const struct topology_object *object; /* NULL: the whole host */
	const struct outer *in;
	const struct link *link;
	unsigned index;
};

/* Writes the name of an object, such as "node:0.core:2". */
static void
name_outer(const struct outer *outer, char *out, size_t size)
{
	size_t used = 0;
	if (outer->in->object != NULL) {
		name_outer(outer->in, out, size);
		used = strlen(out);
	}
	snprintf(out + used, size - used, "%s%.*s%u", used > 0 ? "." : "", (int)outer->link->length,
		outer->link->text, outer->index);
}

/* Reports an index that is too high: "node:3: this host has nodes 0-1". Returns -1. */
static int
report_missing_index(const struct chain *chain, const struct link *link, const struct range *range,
	const struct outer *outer, size_t count, struct err *e)
{
	static const char *const nouns[TOPOLOGY_KINDS][2] = {
		[TOPOLOGY_NODE] = {"node", "nodes"},
		[TOPOLOGY_PACKAGE] = {"package", "packages"},
		[TOPOLOGY_L3] = {"l3", "l3"},
		[TOPOLOGY_CORE] = {"core", "cores"},
		[TOPOLOGY_PU] = {"pu", "pu"},
	};
	static const char *const kinds[][2] = {{"P-core", "P-cores"}, {"E-core", "E-cores"}};
	char in[256] = "this host", has[64];
	const char *const *noun = nouns[link->kind];
	if (link->within != TOPOLOGY_SETS && link->kind == TOPOLOGY_CORE)
		noun = kinds[link->within == TOPOLOGY_ECORES];
	if (outer->object != NULL)
		name_outer(outer, in, sizeof(in));
	if (count == 0)
		snprintf(has, sizeof(has), "no %s", noun[1]);
	else if (count == 1)
		snprintf(has, sizeof(has), "only %s 0", noun[0]);
	else
		snprintf(has, sizeof(has), "%s 0-%zu", noun[1], count - 1);
	*chain->at = link->text;
	return err_set(e, "%.*s%.*s: %s has %s", (int)link->length, link->text,
		link->no_list ? 0 : (int)range->length, range->text, in, has);
}

/* True if an object has CPUs, and cpus holds all of them. */
static bool
is_within(const struct topology_object *object, const struct cpumask *cpus)
{
	size_t i = 0;
	while (i < object->cpu_count && cpumask_test(cpus, object->cpus[i]))
		i++;
	return i > 0 && i == object->cpu_count;
}

/*
 * Lists the objects of one kind that lie wholly within outer, as hwloc-calc 2.9 counts them; 2.12
 * also counts those that lie only partly within it. within: the CPUs that they must also lie
 * within; NULL: any. Returns 0 with *inside, to be freed by the
 * caller, or -1 without memory.
 */
static int
list_inside(const struct topology_objects *objects, const struct link *link,
	const struct cpumask *within, const struct outer *outer,
	const struct topology_object ***inside, size_t *count)
{
	struct cpumask cpus = {0};
	*count = 0;
	*inside = calloc(objects->count + 1, sizeof(**inside));
	if (*inside == NULL)
		return -1;
	for (size_t i = 0; outer->object != NULL && i < outer->object->cpu_count; i++)
		cpumask_set_range(&cpus, outer->object->cpus[i], outer->object->cpus[i]);
	for (size_t i = 0; i < objects->count; i++) {
		const struct topology_object *object = &objects->items[i];
		bool is = outer->object == NULL || object == outer->object;
		if (!is && outer->link->kind != link->kind)
			is = is_within(object, &cpus);
		if (is && (within == NULL || is_within(object, within)))
			(*inside)[(*count)++] = object;
	}
	return 0;
}

static int eval_link(
	struct chain *chain, const struct link *link, const struct outer *outer, struct err *e);

/* Adds the CPUs of one object, or of what the next link names within it. */
static int
eval_object(struct chain *chain, const struct link *link, const struct outer *one, struct err *e)
{
	const struct topology_object *object = one->object;
	if (link + 1 < chain->links + chain->count)
		return eval_link(chain, link + 1, one, e);
	for (size_t i = 0; i < object->cpu_count; i++)
		cpumask_set_range(chain->mask, object->cpus[i], object->cpus[i]);
	chain->found |= object->cpu_count > 0;
	return 0;
}

/* Returns the largest size of L3s, in KiB; 0 if the kernel does not report the size of each. */
static unsigned
largest_l3(const struct chain *chain, const struct topology_object *const *l3, size_t count)
{
	unsigned largest = 0;
	for (size_t i = 0; i < count; i++) {
		unsigned size = topology_l3_size(chain->topology, l3[i]);
		if (size == 0)
			return 0;
		largest = size > largest ? size : largest;
	}
	return largest;
}

/* Evaluates a link's list over the objects inside outer. */
static int
eval_list(struct chain *chain, const struct link *link, const struct outer *outer,
	const struct topology_object *const *inside, size_t count, struct err *e)
{
	struct range range;
	for (const char *s = link->list; s < link->end; s++) {
		(void)cpuset_words_parse_range(&s, link, &range, e); /* parse_list() checked it */
		if (range.last != UINT_MAX && range.last >= count)
			return report_missing_index(chain, link, &range, outer, count, e);
		if (range.first >= count && !chain->lacking) {
			chain->lacking = true;
			(void)report_missing_index(chain, link, &range, outer, count, e);
		}
		unsigned largest = range.largest ? largest_l3(chain, inside, count) : 0;
		if (range.largest && count > 1 && largest == 0) {
			*chain->at = link->text;
			return err_set(e, "the kernel does not report how large the L3s are");
		}
		for (unsigned i = range.first; i < count && i <= range.last; i++) {
			if (range.largest && topology_l3_size(chain->topology, inside[i]) < largest)
				continue;
			struct outer one = {inside[i], outer, link, i};
			if (eval_object(chain, link, &one, e) != 0)
				return -1;
		}
	}
	return 0;
}

static int
eval_link(struct chain *chain, const struct link *link, const struct outer *outer, struct err *e)
{
	const struct topology_objects *objects;
	const struct topology_object **inside;
	const struct cpumask *within = NULL;
	size_t count;
	if ((link->within != TOPOLOGY_SETS &&
		    host_set_get(chain->topology, link->within, &within, e) != 0) ||
		topology_objects(chain->topology, link->kind, &objects, e) != 0) {
		*chain->at = link->text;
		return -1;
	}
	if (list_inside(objects, link, within, outer, &inside, &count) != 0)
		return err_set(e, "out of memory");
	int r = eval_list(chain, link, outer, inside, count, e);
	free(inside);
	return r;
}

int
cpuset_words_eval(struct topology *topology, const char *text, size_t length, struct cpumask *mask,
	const char **at, struct err *e)
{
	static const struct outer host;
	struct chain chain = {.topology = topology, .mask = mask, .at = at};
	if (parse_chain(text, text + length, &chain, e) != 0)
		return -1;
	*at = text;
	if (topology == NULL)
		return 0;
	if (eval_link(&chain, chain.links, &host, e) != 0)
		return -1;
	if (chain.found || chain.lacking)
		return chain.found ? 0 : -1;
	return err_set(
		e, "%.*s: there are no CPUs, only memory", (int)(length < 80 ? length : 80), text);
}
