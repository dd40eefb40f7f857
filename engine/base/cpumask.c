/* SPDX-License-Identifier: MIT */
/* Sets of CPUs: operations, parsing and printing of cpulists. */
#include "base/cpumask.h"

#include "base/number.h"

#include <stdio.h>
#include <string.h>

#define WORDS (CPUMASK_CPUS / CPUMASK_WORD_BITS)

bool
cpumask_test(const struct cpumask *mask, unsigned cpu)
{
	return cpu < CPUMASK_CPUS &&
	       (mask->words[cpu / CPUMASK_WORD_BITS] >> (cpu % CPUMASK_WORD_BITS) & 1) != 0;
}

void
cpumask_set_range(struct cpumask *mask, unsigned first, unsigned last)
{
	if (last >= CPUMASK_CPUS)
		last = CPUMASK_CPUS - 1;
	for (size_t i = first / CPUMASK_WORD_BITS; first <= last && i <= last / CPUMASK_WORD_BITS;
		i++) {
		size_t start = i * CPUMASK_WORD_BITS;
		unsigned long bits = ~0ul;
		if (first > start)
			bits &= ~0ul << (first - start);
		if (last - start < CPUMASK_WORD_BITS - 1)
			bits &= ~(~0ul << (last - start + 1));
		mask->words[i] |= bits;
	}
}

bool
cpumask_empty(const struct cpumask *mask)
{
	return cpumask_next(mask, 0) == CPUMASK_CPUS;
}

bool
cpumask_equal(const struct cpumask *a, const struct cpumask *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

bool
cpumask_subset(const struct cpumask *mask, const struct cpumask *of)
{
	for (size_t i = 0; i < WORDS; i++)
		if ((mask->words[i] & ~of->words[i]) != 0)
			return false;
	return true;
}

unsigned
cpumask_count(const struct cpumask *mask)
{
	unsigned count = 0;
	for (size_t i = 0; i < WORDS; i++)
		count += (unsigned)__builtin_popcountl(mask->words[i]);
	return count;
}

unsigned
cpumask_next(const struct cpumask *mask, unsigned from)
{
	if (from >= CPUMASK_CPUS)
		return CPUMASK_CPUS;
	size_t i = from / CPUMASK_WORD_BITS;
	unsigned long word = mask->words[i] & ~0ul << (from % CPUMASK_WORD_BITS);
	while (word == 0) {
		if (++i == WORDS)
			return CPUMASK_CPUS;
		word = mask->words[i];
	}
	return (unsigned)(i * CPUMASK_WORD_BITS) + (unsigned)__builtin_ctzl(word);
}

void
cpumask_or(struct cpumask *mask, const struct cpumask *other)
{
	for (size_t i = 0; i < WORDS; i++)
		mask->words[i] |= other->words[i];
}

void
cpumask_and(struct cpumask *mask, const struct cpumask *other)
{
	for (size_t i = 0; i < WORDS; i++)
		mask->words[i] &= other->words[i];
}

void
cpumask_andnot(struct cpumask *mask, const struct cpumask *other)
{
	for (size_t i = 0; i < WORDS; i++)
		mask->words[i] &= ~other->words[i];
}

static int
parse_cpu(const char **text, unsigned *cpu, struct err *e)
{
	if (number_parse(text, CPUMASK_CPUS - 1, cpu) == 0)
		return 0;
	if (**text < '0' || **text > '9')
		return err_set(e, "a CPU number is missing");
	return err_set(e, "CPU %.*s%s is above the limit, %u", 12, *text,
		strspn(*text, "0123456789") > 12 ? "..." : "", CPUMASK_CPUS - 1);
}

int
cpumask_parse_range(const char **text, struct cpumask *mask, struct err *e)
{
	const char *start = *text;
	unsigned first = 0, last, used, group;
	if (parse_cpu(text, &first, e) != 0)
		return -1;
	last = first;
	if (**text != '-') {
		cpumask_set_range(mask, first, last);
		return 0;
	}
	++*text;
	if (parse_cpu(text, &last, e) != 0)
		return -1;
	if (last < first) {
		*text = start;
		return err_set(
			e, "range %u-%u runs backwards; write %u-%u", first, last, last, first);
	}
	used = group = 1;
	if (**text == ':') {
		const char *stride = ++*text;
		if (number_parse(text, CPUMASK_CPUS, &used) != 0 || *(*text)++ != '/' ||
			number_parse(text, CPUMASK_CPUS, &group) != 0 || used == 0 ||
			used > group) {
			*text = stride;
			return err_set(e,
				"a stride is USED/GROUP with 0 < USED <= GROUP <= %u, as in "
				"0-31:2/4",
				CPUMASK_CPUS);
		}
	}
	for (unsigned cpu = first; cpu <= last; cpu += group) {
		unsigned end = cpu + used - 1;
		cpumask_set_range(mask, cpu, end < last ? end : last);
	}
	return 0;
}

int
cpumask_parse(const char *list, struct cpumask *mask, struct err *e)
{
	struct cpumask result = {0};
	for (const char *s = list; *s != '\0';) {
		if (s != list && *s != ',')
			return err_set(e, "'%.60s' is not a CPU list", list);
		s += s != list;
		if (cpumask_parse_range(&s, &result, e) != 0)
			return err_context(e, "'%.60s' is not a CPU list", list);
	}
	*mask = result;
	return 0;
}

char *
cpumask_format(const struct cpumask *mask, char *out, size_t size)
{
	static const char more[] = ",...";
	size_t used = 0;
	out[0] = '\0';
	for (unsigned first = cpumask_next(mask, 0); first < CPUMASK_CPUS;) {
		unsigned last = first;
		while (cpumask_test(mask, last + 1))
			last++;
		char item[32];
		int n = first == last
				? snprintf(item, sizeof(item), "%s%u", used > 0 ? "," : "", first)
				: snprintf(item, sizeof(item), "%s%u-%u", used > 0 ? "," : "",
					  first, last);
		if (used + (size_t)n + sizeof(more) > size) {
			if (used + sizeof(more) <= size)
				memcpy(out + used, more, sizeof(more));
			return out;
		}
		memcpy(out + used, item, (size_t)n + 1);
		used += (size_t)n;
		first = cpumask_next(mask, last + 1);
	}
	return out;
}
