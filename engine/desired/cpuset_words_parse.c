/* SPDX-License-Identifier: MIT */
/* Parses topology words and their lists. */
#include "desired/cpuset_words_private.h"

#include "base/number.h"
#include "base/suggest.h"
#include "desired/cpuset_words.h"
#include "desired/item_scan.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define INDEX_MAX (CPUMASK_CPUS - 1)

static const struct word {
	const char *name;
	enum topology_kind kind;
	enum topology_set within; /* counts only objects within this set; TOPOLOGY_SETS: all */
} known[] = {
	{"node", TOPOLOGY_NODE, TOPOLOGY_SETS},
	{"package", TOPOLOGY_PACKAGE, TOPOLOGY_SETS},
	{"socket", TOPOLOGY_PACKAGE, TOPOLOGY_SETS},
	{"l3", TOPOLOGY_L3, TOPOLOGY_SETS},
	{"ccx", TOPOLOGY_L3, TOPOLOGY_SETS},
	{"core", TOPOLOGY_CORE, TOPOLOGY_SETS},
	{"pu", TOPOLOGY_PU, TOPOLOGY_SETS},
	{"pcores", TOPOLOGY_CORE, TOPOLOGY_PCORES},
	{"ecores", TOPOLOGY_CORE, TOPOLOGY_ECORES},
};

bool
cpuset_words_is_cpu(const char *text, size_t length)
{
	size_t letters = length > 3 && (text[3] == 's' || text[3] == 'S') ? 4 : 3;
	if (length < 3 || strncasecmp(text, "cpu", 3) != 0)
		return false;
	if (letters < length && text[letters] == ':')
		letters++;
	return letters == length || isdigit((unsigned char)text[letters]);
}

int
cpuset_words_report_cpu(const char *text, size_t length, struct err *e)
{
	size_t number = strcspn(text, "0123456789" ITEM_SEPARATORS);
	bool has = number < length && isdigit((unsigned char)text[number]);
	return err_set(e, "'%.*s': a CPU is written as its number alone: '%.*s'",
		(int)(length < 40 ? length : 40), text,
		has ? (int)(length - number < 40 ? length - number : 40) : 1,
		has ? text + number : "N");
}

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

int
cpuset_words_parse_range(
	const char **s, const struct link *link, struct range *range, struct err *e)
{
	static const char largest[] = "largest";
	size_t left = (size_t)(link->end - *s), length = sizeof(largest) - 1;
	*range = (struct range){.text = *s, .first = 0, .last = UINT_MAX};
	if (left >= 3 && strncmp(*s, "all", 3) == 0) {
		*s += 3;
	} else if (left >= length && strncmp(*s, largest, length) == 0) {
		if (link->kind != TOPOLOGY_L3)
			return err_set(e, "'largest' is for l3 only");
		range->largest = true;
		*s += length;
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
	if (cpuset_words_is_cpu(text, length))
		return cpuset_words_report_cpu(text, strcspn(text, ITEM_SEPARATORS), e);
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

/* Returns the word at *s and moves *s past it, or NULL with the reason. */
static const struct word *
parse_word(const char **s, struct err *e)
{
	size_t length = strcspn(*s, ITEM_SEPARATORS ":.");
	for (size_t i = 0; i < COUNT(known); i++)
		if (strlen(known[i].name) == length && strncmp(known[i].name, *s, length) == 0) {
			*s += length;
			return &known[i];
		}
	unknown_word(*s, length, e);
	return NULL;
}

/* Checks the list at *s, whose link has all else, and moves *s past it. */
static int
parse_list(const char **s, const char *end, struct link *link, struct err *e)
{
	struct range range;
	link->list = *s;
	link->end = end;
	for (;; ++*s) {
		if (cpuset_words_parse_range(s, link, &range, e) != 0)
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

int
cpuset_words_parse_link(const char **s, const char *end, struct link *link, struct err *e)
{
	static const char all[] = "all";
	*link = (struct link){.text = *s};
	const struct word *word = parse_word(s, e), *kind = word;
	if (word != NULL && word->within != TOPOLOGY_SETS && *s < end && **s == '.') {
		++*s;
		kind = parse_word(s, e);
	}
	if (kind == NULL)
		return -1;
	link->kind = kind->kind;
	link->within = word->within;
	if (*s == end && kind->within != TOPOLOGY_SETS) {
		link->length = (size_t)(*s - link->text);
		link->no_list = true;
		link->list = all;
		link->end = all + sizeof(all) - 1;
		return 0;
	}
	if (**s != ':')
		return err_set(e, "an index is missing, as in %s:0", kind->name);
	++*s;
	link->length = (size_t)(*s - link->text);
	return parse_list(s, end, link, e);
}
