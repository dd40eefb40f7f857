/* SPDX-License-Identifier: MIT */
/* Describes a layout of vCPUs in words. */
#include "desired/vcpu_layout_private.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int
vcpu_layout_cell(const struct vcpu_layout_guest *guest, size_t i)
{
	unsigned id = guest->vcpus[i];
	return guest->cells != NULL && id < guest->cell_vcpus ? guest->cells[id] : -1;
}

int
vcpu_layout_die(const struct layout *layout, size_t i)
{
	const struct vcpu_layout_guest *guest = layout->guest;
	bool dies = guest->die_vcpus > 0 && layout->host->l3 != NULL && layout->host->l3->count > 1;
	return dies ? (int)(guest->vcpus[i] / guest->die_vcpus) : -1;
}

__attribute__((format(printf, 2, 3))) static void
report_text(struct vcpu_layout_report *report, const char *format, ...)
{
	size_t used = strlen(report->text);
	va_list args;
	va_start(args, format);
	int length = vsnprintf(report->text + used, sizeof(report->text) - used, format, args);
	va_end(args);
	if (length >= 0 && (size_t)length >= sizeof(report->text) - used)
		memcpy(report->text + sizeof(report->text) - sizeof("..."), "...", sizeof("..."));
}

/* Collects the nodes that a cell's vCPUs were placed on. Returns how many. */
static unsigned
nodes_of_cell(const struct layout *layout, int id, struct cpumask *nodes)
{
	const struct topology_objects *objects = layout->host->nodes;
	*nodes = (struct cpumask){0};
	for (size_t i = 0; i < layout->guest->count; i++) {
		if (vcpu_layout_cell(layout->guest, i) != id)
			continue;
		const struct topology_object *node = topology_find(objects, layout->placed[i]);
		if (node != NULL)
			cpumask_set_range(nodes, node->number, node->number);
	}
	return cpumask_count(nodes);
}

/* Reports the L3s of each die of several, once for each run of units. */
static void
report_dies(const struct layout *layout, struct vcpu_layout_report *report)
{
	const struct vcpu_layout_guest *guest = layout->guest;
	bool several = vcpu_layout_die(layout, 0) != vcpu_layout_die(layout, guest->count - 1);
	for (size_t i = 0; several && i < guest->count;) {
		struct cpumask l3 = {0};
		char list[64];
		int die = vcpu_layout_die(layout, i);
		for (; i < guest->count && vcpu_layout_die(layout, i) == die; i++) {
			const struct topology_object *one =
				topology_find(layout->host->l3, layout->placed[i]);
			unsigned index =
				one != NULL ? (unsigned)(one - layout->host->l3->items) : 0;
			if (one != NULL)
				cpumask_set_range(&l3, index, index);
		}
		report_text(report, "; %s %d on l3:%s", guest->die_word, die,
			cpumask_format(&l3, list, sizeof(list)));
		report->split |= cpumask_count(&l3) > 1 && strcmp(guest->die_word, "socket") != 0;
	}
}

void
vcpu_layout_describe(struct layout *layout, struct vcpu_layout_report *report)
{
	char list[64];
	*report = (struct vcpu_layout_report){.split = layout->split > 0};
	if (layout->split > 0)
		report_text(report,
			"the threads of %zu of %zu guest cores are on different host cores",
			layout->split, layout->unit_count);
	else if (layout->guest->threads > 1)
		report_text(report, "guest siblings are on host siblings");
	else if (layout->shared == 0)
		report_text(report, "no two vCPUs share a core");
	else
		report_text(report, "%zu vCPU%s second on %s core", layout->shared,
			layout->shared == 1 ? " is" : "s are",
			layout->shared == 1 ? "its" : "their");
	qsort(layout->cells, layout->cell_count, sizeof(*layout->cells), cell_layout_compare_ids);
	for (size_t i = 0; i < layout->cell_count; i++) {
		struct cpumask nodes;
		bool one = nodes_of_cell(layout, layout->cells[i].id, &nodes) == 1;
		report_text(report, "; cell %d on node%s %s", layout->cells[i].id, one ? "" : "s",
			cpumask_format(&nodes, list, sizeof(list)));
		report->split |= !one;
	}
	report_dies(layout, report);
}
