/* SPDX-License-Identifier: MIT */
/* The kernel's CPU lists: the whole one, a range of it, and back to text. */
#include "fuzz.h"

#include "base/cpumask.h"
#include "base/number.h"

#include <string.h>

/* The same set by counting, the slow way. */
static void
check_count(const struct cpumask *mask)
{
	unsigned count = 0, next = cpumask_next(mask, 0);
	for (unsigned cpu = 0; cpu < CPUMASK_CPUS; cpu++) {
		if (!cpumask_test(mask, cpu))
			continue;
		PROMISE(cpu == next);
		next = cpumask_next(mask, cpu + 1);
		count++;
	}
	PROMISE(next == CPUMASK_CPUS);
	PROMISE(count == cpumask_count(mask));
	PROMISE((count == 0) == cpumask_empty(mask));
}

/* Checks that a formatted list parses to the same mask, and a cut list to a part of it. */
static void
check_round_trip(const struct cpumask *mask, size_t small)
{
	static char text[CPULIST_MAX], again[CPULIST_MAX];
	struct cpumask back = {0};
	struct err e;
	PROMISE(cpumask_format(mask, text, sizeof(text)) == text);
	PROMISE(strstr(text, "...") == NULL);
	PROMISE(cpumask_parse(text, &back, &e) == 0);
	PROMISE(cpumask_equal(mask, &back));
	PROMISE(strcmp(cpumask_format(&back, again, sizeof(again)), text) == 0);

	char *cut = malloc(small);
	PROMISE(cut != NULL);
	cpumask_format(mask, cut, small);
	size_t length = strlen(cut), whole = strlen(text);
	PROMISE(length < small);
	char *more = strstr(cut, ",...");
	if (more != NULL) {
		PROMISE(more[4] == '\0');
		*more = '\0';
	}
	PROMISE(more != NULL || length == whole || length == 0);
	PROMISE(strncmp(text, cut, strlen(cut)) == 0);
	PROMISE(cpumask_parse(cut, &back, &e) == 0);
	cpumask_andnot(&back, mask);
	PROMISE(cpumask_empty(&back));
	free(cut);
}

static void
check_range(const char *list)
{
	struct cpumask before = {0}, mask;
	struct err e = {.text = ""};
	cpumask_set_range(&before, 77, 78);
	mask = before;
	const char *s = list;
	if (cpumask_parse_range(&s, &mask, &e) != 0) {
		PROMISE(e.text[0] != '\0');
		PROMISE(s >= list && s <= list + strlen(list));
		return;
	}
	PROMISE(s > list && s <= list + strlen(list));
	struct cpumask lost = before;
	cpumask_andnot(&lost, &mask);
	PROMISE(cpumask_empty(&lost));

	/* Every CPU lies between the ends, and the first one is among them. */
	unsigned first = 0, last;
	const char *number = list;
	PROMISE(number_parse(&number, CPUMASK_CPUS - 1, &first) == 0);
	last = first;
	if (*number == '-') {
		number++;
		PROMISE(number_parse(&number, CPUMASK_CPUS - 1, &last) == 0);
	}
	PROMISE(first <= last && cpumask_test(&mask, first));
	cpumask_set_range(&before, first, last);
	struct cpumask added = mask;
	cpumask_andnot(&added, &before);
	PROMISE(cpumask_empty(&added));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *list = malloc(size + 1);
	PROMISE(list != NULL);
	if (size > 0)
		memcpy(list, data, size);
	list[size] = '\0';
	struct cpumask mask, before;
	struct err e = {.text = ""};
	memset(&mask, 0x5a, sizeof(mask));
	before = mask;
	if (cpumask_parse(list, &mask, &e) == 0) {
		PROMISE((list[0] == '\0') == cpumask_empty(&mask));
		PROMISE(list[strspn(list, "0123456789-,:/")] == '\0');
		check_count(&mask);
		check_round_trip(&mask, 8 + size % 64);
	} else {
		PROMISE(e.text[0] != '\0');
		PROMISE(cpumask_equal(&mask, &before));
	}
	check_range(list);
	free(list);
	return 0;
}
