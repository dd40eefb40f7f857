/* SPDX-License-Identifier: MIT */
/* The texts in the pictures of the map. */
#include "cli/map/words.h"

#include "cli/columns.h"

#include "base/cleanup.h"

#include <stdlib.h>
#include <string.h>

/* A CPU with more names than this is crowded. */
#define NAMES_MAX 4

void
map_write_level(FILE *out, const struct map *map, const struct map_level *level)
{
	static const struct {
		enum topology_kind kind;
		const char *name;
	} kinds[MAP_LEVELS] = {
		{TOPOLOGY_PACKAGE, "package"}, {TOPOLOGY_NODE, "node"}, {TOPOLOGY_L3, "L3"}};
	const char *separator = "";
	char size[TOPOLOGY_SIZE_MAX];
	for (size_t i = 0; i < MAP_LEVELS; i++) {
		const struct topology_object *object = level->objects[kinds[i].kind];
		if (object == NULL)
			continue;
		size_t index = map_index(map, kinds[i].kind, object);
		fprintf(out, "%s%s %zu", separator, kinds[i].name, index);
		if (kinds[i].kind == TOPOLOGY_NODE && object->number != index)
			fprintf(out, " (the kernel's %u)", object->number);
		if (kinds[i].kind == TOPOLOGY_L3 && map->l3_kib != NULL)
			fprintf(out, " (%s)", topology_size_text(map->l3_kib[index], size));
		separator = ", ";
	}
}

void
map_write_numbers(FILE *out, const struct cpumask *numbers)
{
	unsigned first = cpumask_next(numbers, 0), second = cpumask_next(numbers, first + 1);
	unsigned step = second - first, last = first, next;
	while ((next = cpumask_next(numbers, last + 1)) < CPUMASK_CPUS && next - last == step)
		last = next;
	if (step > 1 && next >= CPUMASK_CPUS && last > second) {
		fprintf(out, "%u,%u..%u", first, second, last);
		return;
	}
	AUTO_FREE char *list = malloc(CPULIST_MAX);
	if (list != NULL)
		fputs(cpumask_format(numbers, list, CPULIST_MAX), out);
}

/* Returns the index after the last member of the same guest and, if asked for, the same kind as
 * `first`. */
static size_t
end_of(const struct occupancy_set *set, size_t first, bool same_kind)
{
	const struct occupant *one = &set->members[first];
	size_t end = first + 1;
	while (end < set->member_count && strcmp(set->members[end].guest, one->guest) == 0 &&
		(!same_kind || set->members[end].group.kind == one->group.kind))
		end++;
	return end;
}

/* Writes the members from first on, before end, of all sets: one guest's groups of one kind. */
static void
write_kind(
	FILE *out, const struct occupancy_set *const sets[], size_t count, size_t first, size_t end)
{
	static const char *const names[] = {[GROUP_EMULATOR] = "emulator",
		[GROUP_VCPU] = "vcpu",
		[GROUP_IOTHREAD] = "iothread",
		[GROUP_VHOST] = "vhost"};
	enum thread_group_kind kind = sets[0]->members[first].group.kind;
	struct cpumask ids = {0};
	const char *separator = "";
	fputs(names[kind], out);
	for (size_t i = 0;
		i < count * (end - first) && kind != GROUP_EMULATOR && kind != GROUP_VHOST; i++) {
		unsigned id = sets[i % count]->members[first + i / count].group.id;
		if (id < CPUMASK_CPUS)
			cpumask_set_range(&ids, id, id);
		else /* libvirt takes any number as an iothread's id */
			fprintf(out, "%s%u", separator, id);
		separator = id < CPUMASK_CPUS ? separator : ",";
	}
	if (!cpumask_empty(&ids)) {
		fputs(separator, out);
		map_write_numbers(out, &ids);
	}
	if (count > 1)
		fprintf(out, " %zu:%u", end - first, sets[0]->cpu_count);
}

/* True if the guests at `first` and `other` have the same groups in the set. */
static bool
same_groups(const struct occupancy_set *set, size_t first, size_t other)
{
	size_t count = end_of(set, first, false) - first;
	if (end_of(set, other, false) - other != count)
		return false;
	for (size_t i = 0; i < count; i++)
		if (thread_group_compare(
			    set->members[first + i].group, set->members[other + i].group) != 0)
			return false;
	return true;
}

void
map_write_sets(FILE *out, const struct occupancy_set *const sets[], size_t count)
{
	const struct occupancy_set *set = sets[0];
	for (size_t i = 0, end; i < set->member_count; i = end) {
		end = end_of(set, i, false);
		fputs(set->members[i].guest, out);
		if (end < set->member_count && same_groups(set, i, end)) {
			fputs(", ", out);
			continue;
		}
		for (size_t j = i, next; j < end; j = next) {
			next = end_of(set, j, true);
			putc(' ', out);
			write_kind(out, sets, count, j, next);
		}
		fputs(end < set->member_count ? "; " : "", out);
	}
}

bool
map_is_crowded(const struct map *map, unsigned cpu)
{
	const struct occupancy_set *set;
	size_t names = 0;
	for (size_t place = 0; (set = map_set(map, cpu, place)) != NULL; place++)
		for (size_t i = 0; i < set->member_count && names <= NAMES_MAX; names++)
			i = end_of(set, i, false);
	return names > NAMES_MAX;
}

/* Writes how many groups of each kind are in the sets of a CPU, from the one at place on: "3
 * emulators, 8 vCPUs". */
static void
write_crowd(FILE *out, const struct map *map, unsigned cpu, size_t place)
{
	static const char *const names[] = {[GROUP_EMULATOR] = "emulator",
		[GROUP_VCPU] = "vCPU",
		[GROUP_IOTHREAD] = "iothread",
		[GROUP_VHOST] = "vhost"};
	size_t counts[sizeof(names) / sizeof(names[0])] = {0};
	const struct occupancy_set *set;
	const char *separator = "";
	for (; (set = map_set(map, cpu, place)) != NULL; place++)
		for (size_t i = 0; i < set->member_count; i++)
			counts[set->members[i].group.kind]++;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (counts[i] == 0)
			continue;
		fprintf(out, "%s%zu %s%s", separator, counts[i], names[i],
			counts[i] > 1 ? "s" : "");
		separator = ", ";
	}
}

/*
 * Writes the sets of a row's hardware thread, up to max of each; those at the same place of every
 * core are written as one.
 */
static void
write_row(FILE *out, const struct map *map, size_t first, size_t count, size_t thread, size_t max)
{
	const struct occupancy_set **sets = calloc(count, sizeof(*sets));
	const char *separator = "";
	for (size_t place = 0; sets != NULL && place < max; place++) {
		for (size_t i = 0; i < count; i++)
			sets[i] = map_set(map, map->cores[first + i].cpus[thread], place);
		if (sets[0] == NULL)
			break;
		fputs(separator, out);
		map_write_sets(out, sets, sets[0] == sets[count - 1] ? 1 : count);
		separator = "; ";
	}
	free(sets);
}

char *
map_occupants(const struct map *map, size_t first, size_t count, size_t thread)
{
	unsigned cpu = map->cores[first].cpus[thread];
	enum map_state state = map_state(map, cpu);
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	if (out == NULL)
		return NULL;
	if (cpumask_test(map->sets[TOPOLOGY_ISOLATED], cpu))
		fputs("isolated, ", out);
	if (state <= MAP_FREE) {
		fputs(map_state_name(state), out);
	} else if (!map_is_crowded(map, cpu)) {
		write_row(out, map, first, count, thread, SIZE_MAX);
	} else if (map_own_set(map, cpu) == NULL) {
		write_crowd(out, map, cpu, 0);
	} else {
		write_row(out, map, first, count, thread, 1);
		if (map_set(map, cpu, 1) != NULL) {
			fputs("; ", out);
			write_crowd(out, map, cpu, 1);
		}
	}
	const char *owner = map_exclusive(map, cpu);
	if (owner != NULL && state <= MAP_FREE)
		fprintf(out, ", exclusive to %s", owner);
	else if (owner != NULL)
		fputs(", exclusive", out);
	fclose(out);
	return text;
}

/* A line ends after a guest's groups (";") if it can. */
size_t
map_take_line(const char **text, unsigned width)
{
	const char *start = *text, *s = start;
	size_t word = 0, item = 0;
	for (unsigned used = 0;; used += columns_next(&s)) {
		size_t end = (size_t)(s - start);
		bool boundary = *s == ' ' || *s == '\0';
		if (boundary && (used <= width || word == 0)) {
			word = end;
			item = *s == '\0' || (end > 0 && s[-1] == ';') ? end : item;
		}
		if (*s == '\0' || (used > width && word > 0))
			break;
	}
	word = item > 0 ? item : word;
	*text += word;
	*text += strspn(*text, " ");
	return word;
}
