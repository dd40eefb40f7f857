/* SPDX-License-Identifier: MIT */
/* Evaluates the value of "memory" to a set of NUMA nodes. */
#include "desired/memory_nodes.h"

#include "base/number.h"
#include "desired/item_scan.h"

#include <string.h>

/* The state of evaluating one value. */
struct nodes_run {
	struct topology *topology; /* NULL: the value is only checked */
	const char *at;		   /* what is being read; on an error the fault */
	struct cpumask nodes;
};

static int
parse_number(struct nodes_run *run, unsigned *number, struct err *e)
{
	size_t digits = strspn(run->at, "0123456789");
	if (number_parse(&run->at, MEMORY_NODES_MAX - 1, number) == 0)
		return 0;
	if (digits == 0)
		return err_set(e, "the number of a node is missing");
	return err_set(e, "node %.*s%s is above the limit, %u", 12, run->at,
		digits > 12 ? "..." : "", MEMORY_NODES_MAX - 1);
}

/* Reads "2" or "0-3". */
static int
parse_range(struct nodes_run *run, unsigned *first, unsigned *last, struct err *e)
{
	const char *start = run->at;
	if (parse_number(run, first, e) != 0)
		return -1;
	*last = *first;
	if (*run->at != '-')
		return 0;
	run->at++;
	if (parse_number(run, last, e) != 0)
		return -1;
	if (*last >= *first)
		return 0;
	run->at = start;
	return err_set(e, "range %u-%u runs backwards; write %u-%u", *first, *last, *last, *first);
}

/* Adds the nodes with the logical indexes first to last, as "node:" counts. */
static int
add_counted(struct nodes_run *run, unsigned first, unsigned last, struct err *e)
{
	const struct topology_objects *nodes;
	if (run->topology == NULL)
		return 0;
	if (topology_objects(run->topology, TOPOLOGY_NODE, &nodes, e) != 0)
		return -1;
	if (last >= nodes->count)
		return err_set(e,
			nodes->count == 1 ? "'%.*s': this host has node:0 only"
					  : "'%.*s': this host has node:0-%zu",
			(int)strcspn(run->at, ITEM_SEPARATORS), run->at, nodes->count - 1);
	for (unsigned i = first; i <= last; i++)
		cpumask_set_range(&run->nodes, nodes->items[i].number, nodes->items[i].number);
	return 0;
}

static int
eval_node_item(struct nodes_run *run, struct err *e)
{
	static const char word[] = "node:";
	const char *start = run->at;
	size_t length = strcspn(start, ITEM_SEPARATORS);
	bool counted = strncmp(start, word, sizeof(word) - 1) == 0;
	unsigned first, last;
	if (item_check(start, length, e) != 0)
		return -1;
	if (length == 4 && (memcmp(start, "auto", 4) == 0 || memcmp(start, "keep", 4) == 0))
		return err_set(e, "'%.4s' is a value by itself", start);
	if (counted)
		run->at += sizeof(word) - 1;
	if (!counted && (*start < '0' || *start > '9'))
		return err_set(e,
			"'%.*s' is not a node, a range of nodes, 'node:N', 'auto' or 'keep'",
			(int)(length < 40 ? length : 40), start);
	if (parse_range(run, &first, &last, e) != 0)
		return -1;
	if (run->at != start + length)
		return err_set(e, "'%.*s' is not a node or a range of nodes",
			(int)(length < 40 ? length : 40), start);
	if (counted) {
		run->at = start;
		return add_counted(run, first, last, e);
	}
	cpumask_set_range(&run->nodes, first, last);
	return 0;
}

static int
eval_node_items(struct nodes_run *run, struct err *e)
{
	struct item_scan scan;
	item_scan_start(&scan, run->at);
	for (run->at = scan.at; *scan.at != '\0'; run->at = scan.at) {
		if (eval_node_item(run, e) != 0)
			return -1;
		if (item_scan_next(&scan, scan.at + strcspn(scan.at, ITEM_SEPARATORS), e) != 0) {
			run->at = scan.at;
			return -1;
		}
	}
	return 0;
}

bool
memory_nodes_is_auto(const struct value *value)
{
	return strcmp(value->text, "auto") == 0;
}

void
memory_nodes_report_left(const struct value *value, const char *why, struct messages *messages)
{
	messages_add(messages, MESSAGE_WARNING, "memory-left",
		"%s:%u: memory = auto: %s; the guest's memory is left as it is", value->file,
		value->line, why);
}

/* Evaluates a list of nodes. On failure the reason begins with its place. */
static int
eval_node_list(
	const struct value *value, struct topology *topology, struct cpumask *nodes, struct err *e)
{
	struct nodes_run run = {.topology = topology, .at = value->text};
	if (eval_node_items(&run, e) != 0) {
		char place[VALUE_PLACE_MAX];
		return err_context(
			e, "%s", value_place(value, (size_t)(run.at - value->text), place));
	}
	*nodes = run.nodes;
	return 0;
}

/* Adds to *nodes each node that has one of cpus. */
static int
nodes_of_cpus(
	struct topology *topology, const struct cpumask *cpus, struct cpumask *nodes, struct err *e)
{
	const struct topology_objects *objects;
	if (topology_objects(topology, TOPOLOGY_NODE, &objects, e) != 0)
		return -1;
	cpumask_for_each (cpu, cpus) {
		const struct topology_object *node = topology_find(objects, cpu);
		if (node != NULL)
			cpumask_set_range(nodes, node->number, node->number);
	}
	return 0;
}

void
memory_nodes_check_rules(const struct rules *rules, struct messages *messages)
{
	for (size_t i = 0; i < rules->rule_count; i++) {
		const struct value *value = &rules->rules[i].memory;
		struct cpumask nodes;
		struct err e;
		if (value->text == NULL || value_is_keep(value) || memory_nodes_is_auto(value))
			continue;
		if (eval_node_list(value, NULL, &nodes, &e) != 0)
			messages_add(messages, MESSAGE_ERROR, "set-invalid", "%s", e.text);
	}
}

/*
 * Reports the nodes that cannot give the guest memory: a note if they have none, a warning if the
 * guest is not allowed them. Returns 0, or -1 with the reason.
 */
static int
report_without(const struct value *value, struct topology *topology, const struct cpumask *without,
	const struct cpumask *nodes, struct messages *messages, struct err *e)
{
	const struct cpumask *with_memory;
	char list[64], instead[64];
	bool one = cpumask_count(without) == 1;
	if (topology_get(topology, TOPOLOGY_MEMORY_NODES, &with_memory, e) != 0)
		return -1;
	struct cpumask refused = *without;
	cpumask_and(&refused, with_memory);
	bool none = cpumask_empty(&refused);
	messages_add(messages, none ? MESSAGE_INFO : MESSAGE_WARNING, "nodes-left-out",
		"%s:%u: memory = auto: node%s %s %s; the nearest that can give memory: %s",
		value->file, value->line, one ? "" : "s",
		cpumask_format(without, list, sizeof(list)),
		!none ? "cannot give this guest memory"
		: one ? "has no memory"
		      : "have no memory",
		cpumask_format(nodes, instead, sizeof(instead)));
	return 0;
}

/*
 * Sets the nodes of "auto": for each node of cpus, that node or, where the guest cannot have memory
 * of it, the usable ones nearest to it. Adds to messages where that differs from the nodes of cpus.
 */
static int
place_automatic(struct memory *memory, struct topology *topology, const struct cpumask *cpus,
	const struct cpumask *usable, struct messages *messages, struct err *e)
{
	struct cpumask own = {0}, without, nodes = {0};
	const struct value *value = memory->value;
	if (nodes_of_cpus(topology, cpus, &own, e) != 0)
		return -1;
	without = own;
	cpumask_andnot(&without, usable);
	nodes = own;
	cpumask_and(&nodes, usable);
	cpumask_for_each (node, &without) {
		struct cpumask nearest;
		if (topology_nearest_nodes(topology, node, usable, &nearest, e) != 0)
			return -1;
		cpumask_or(&nodes, &nearest);
	}
	if (cpumask_empty(&nodes)) {
		messages_add(messages, MESSAGE_WARNING, "memory-left",
			"%s:%u: memory = auto: no node has memory for the guest's CPUs; its memory "
			"is left as it is",
			value->file, value->line);
		return 0;
	}
	if (!cpumask_empty(&without) &&
		report_without(memory->value, topology, &without, &nodes, messages, e) != 0)
		return -1;
	memory->wanted = true;
	memory->requested = memory->nodes = nodes;
	return 0;
}

int
memory_nodes_place(struct memory *memory, struct topology *topology, const struct cpumask *cpus,
	const struct cpumask *usable, struct messages *messages, struct err *e)
{
	bool automatic = memory->automatic = memory_nodes_is_auto(memory->value);
	/* No CPUs: an error says so already. */
	if (value_is_keep(memory->value) || (automatic && cpumask_empty(cpus)))
		return 0;
	if (automatic)
		return place_automatic(memory, topology, cpus, usable, messages, e);
	if (eval_node_list(memory->value, topology, &memory->requested, e) != 0)
		return -1;
	memory->wanted = true;
	memory->nodes = memory->requested;
	cpumask_and(&memory->nodes, usable);
	return 0;
}
