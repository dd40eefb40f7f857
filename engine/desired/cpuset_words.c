/* SPDX-License-Identifier: MIT */
#include "desired/cpuset_words.h"

#include "base/number.h"
#include "base/suggest.h"
#include "desired/item_scan.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Limits how many words a chain has: more than there are kinds of objects. */
#define CHAIN_MAX 8u

#define INDEX_MAX (CPUMASK_CPUS - 1)

static const struct {
	const char *name;
	enum topology_kind kind;
} known[] = {
	{"node", TOPOLOGY_NODE},
	{"package", TOPOLOGY_PACKAGE},
	{"socket", TOPOLOGY_PACKAGE},
	{"l3", TOPOLOGY_L3},
	{"ccx", TOPOLOGY_L3},
	{"core", TOPOLOGY_CORE},
	{"pu", TOPOLOGY_PU},
};

/* A word and its list: "core:2-3,7". */
struct link {
	enum topology_kind kind;
	const char *text, *list, *end;
};

/* One range of a list: "2-3", "2", "2-" or "all". */
struct range {
	const char *text;
	size_t length;
	unsigned first, last; /* last UINT_MAX: to the end */
};

bool
cpuset_words_here(const char *text)
{
	size_t length = strcspn(text, ITEM_SEPARATORS ":");
	return isalpha((unsigned char)*text) && text[length] == ':';
}

size_t
cpuset_words_item(const char *text)
{
	size_t length = strcspn(text, ITEM_SEPARATORS);
	if (cpuset_words_here(text))
		while (text[length] == ',' && isdigit((unsigned char)text[length + 1]))
			length += 1 + strcspn(text + length + 1, ITEM_SEPARATORS);
	return length;
}

static int
parse_index(const char **s, unsigned *number, struct err *e)
{
	if (number_parse(s, INDEX_MAX, number) == 0)
		return 0;
	return isdigit((unsigned char)**s)
		       ? err_set(e, "the index is above the limit, %u", INDEX_MAX)
		       : err_set(e, "an index is missing; write N, N-M, N- or all");
}

/* Reads the range at *s and moves *s past it; on failure *s is at the fault. */
static int
parse_range(const char **s, const char *end, struct range *range, struct err *e)
{
	*range = (struct range){.text = *s, .first = 0, .last = UINT_MAX};
	if (end - *s >= 3 && strncmp(*s, "all", 3) == 0) {
		*s += 3;
	} else {
		if (parse_index(s, &range->first, e) != 0)
			return -1;
		if (**s != '-')
			range->last = range->first;
		else if (isdigit((unsigned char)*++*s) && parse_index(s, &range->last, e) != 0)
			return -1;
	}
	range->length = (size_t)(*s - range->text);
	if (range->last >= range->first)
		return 0;
	*s = range->text;
	return err_set(e, "range %u-%u runs backwards; write %u-%u", range->first, range->last,
		range->last, range->first);
}

static int
unknown_word(const char *text, size_t length, struct err *e)
{
	const char *names[COUNT(known)];
	char word[41];
	if (length == 0)
		return err_set(e, "a word is missing after the '.'");
	for (size_t i = 0; i < COUNT(known); i++)
		names[i] = known[i].name;
	snprintf(word, sizeof(word), "%.*s", (int)(length < 40 ? length : 40), text);
	const char *nearest = suggest_nearest(word, names, COUNT(names));
	if (nearest != NULL)
		return err_set(e, "unknown word '%s'; did you mean '%s'?", word, nearest);
	return err_set(e,
		"unknown word '%s'; those with an index are node, package, socket, l3, ccx, core "
		"and pu",
		word);
}

static int
parse_link(const char **s, const char *end, struct link *link, struct err *e)
{
	const char *colon = *s + strcspn(*s, ITEM_SEPARATORS ":.");
	size_t length = (size_t)(colon - *s), i = 0;
	struct range range;
	while (i < COUNT(known) &&
		(strlen(known[i].name) != length || strncmp(known[i].name, *s, length) != 0))
		i++;
	if (i == COUNT(known))
		return unknown_word(*s, length, e);
	*link = (struct link){.kind = known[i].kind, .text = *s};
	*s = colon;
	if (*colon != ':')
		return err_set(e, "an index is missing, as in %s:0", known[i].name);
	link->list = ++*s;
	for (;; ++*s) {
		if (parse_range(s, end, &range, e) != 0)
			return -1;
		if (*s == end || **s != ',')
			break;
	}
	link->end = *s;
	if (*s == end || **s == '.')
		return 0;
	*s = range.text;
	return err_set(e, "'%.*s' is not an index; write N, N-M, N- or all",
		(int)strcspn(range.text, ITEM_SEPARATORS "."), range.text);
}

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
		if (parse_link(at, end, &chain->links[chain->count++], e) != 0)
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
	snprintf(out + used, size - used, "%s%.*s%u", used > 0 ? "." : "",
		(int)(outer->link->list - outer->link->text), outer->link->text, outer->index);
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
	char in[256] = "this host", has[64];
	if (outer->object != NULL)
		name_outer(outer, in, sizeof(in));
	if (count == 0)
		snprintf(has, sizeof(has), "no %s", nouns[link->kind][1]);
	else if (count == 1)
		snprintf(has, sizeof(has), "only %s 0", nouns[link->kind][0]);
	else
		snprintf(has, sizeof(has), "%s 0-%zu", nouns[link->kind][1], count - 1);
	*chain->at = link->text;
	return err_set(e, "%.*s%.*s: %s has %s", (int)(link->list - link->text), link->text,
		(int)range->length, range->text, in, has);
}

/*
 * Lists the objects of one kind that lie wholly within outer, as hwloc-calc 2.9 counts them; 2.12
 * also counts those that lie only partly within it. Returns 0 with *inside, to be freed by the
 * caller, or -1 without memory.
 */
static int
list_inside(const struct topology_objects *objects, const struct link *link,
	const struct outer *outer, const struct topology_object ***inside, size_t *count)
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
		if (!is && outer->link->kind != link->kind && object->cpu_count > 0) {
			size_t j = 0;
			while (j < object->cpu_count && cpumask_test(&cpus, object->cpus[j]))
				j++;
			is = j == object->cpu_count;
		}
		if (is)
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

/* Evaluates a link's list over the objects inside outer. */
static int
eval_list(struct chain *chain, const struct link *link, const struct outer *outer,
	const struct topology_object *const *inside, size_t count, struct err *e)
{
	struct range range;
	for (const char *s = link->list; s < link->end; s++) {
		(void)parse_range(&s, link->end, &range, e); /* parse_link() checked it */
		if (range.last != UINT_MAX && range.last >= count)
			return report_missing_index(chain, link, &range, outer, count, e);
		if (range.first >= count && !chain->lacking) {
			chain->lacking = true;
			(void)report_missing_index(chain, link, &range, outer, count, e);
		}
		for (unsigned i = range.first; i < count && i <= range.last; i++) {
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
	size_t count;
	if (topology_objects(chain->topology, link->kind, &objects, e) != 0) {
		*chain->at = link->text;
		return -1;
	}
	if (list_inside(objects, link, outer, &inside, &count) != 0)
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
