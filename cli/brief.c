/* SPDX-License-Identifier: MIT */
#include "cli/brief.h"

#include "cli/command.h"

#include "base/escape.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Columns of the longest name that moves the other columns. */
#define NAME_MAX_COLUMNS 32

/* Bytes of a guest's name, escaped; libvirt's longest name is that of a file. */
#define NAME_TEXT_MAX 1024

/* Groups in sequence that have the same CPUs, or one each of them. */
struct run {
	const struct plan_step *first, *end;
	struct cpumask cpus;
	bool one_to_one;
	bool exclusive; /* the guest has these CPUs to itself */
};

/* True if the rules place the vCPU one to one, on a CPU of its own. */
static bool
is_single(const struct pin *pin, const struct plan_step *step)
{
	const struct desired_group *group = desired_find(&pin->desired, step->group);
	return group != NULL && group->mask != NULL && group->mask->single;
}

/* Returns the run that begins at step. */
static struct run
find_run(const struct pin *pin, const struct plan_step *step)
{
	const struct plan_step *end = pin->plan.steps + pin->plan.step_count, *next = step + 1;
	struct run run = {.first = step,
		.cpus = *step->cpus,
		.one_to_one = is_single(pin, step),
		.exclusive = step->exclusive != NULL};
	for (; next < end && next->cpus != NULL && next->group.kind == step->group.kind &&
		next->group.id == next[-1].group.id + 1;
		next++) {
		bool both =
			run.one_to_one && is_single(pin, next) && next->setting == step->setting;
		if (!both && !cpumask_equal(next->cpus, step->cpus))
			break;
		cpumask_or(&run.cpus, next->cpus);
	}
	run.end = next;
	return run;
}

static size_t
count_vcpus(const struct plan *plan)
{
	size_t count = 0;
	for (size_t i = 0; i < plan->step_count; i++)
		count += plan->steps[i].group.kind == GROUP_VCPU;
	return count;
}

/* Prints "12 vCPUs on 4-15 one to one" if the run has all vCPUs, else "vcpu0-3 4-7". */
static void
print_run(FILE *out, const struct run *run, size_t vcpus)
{
	char name[THREAD_GROUP_RUN_MAX], list[CPULIST_MAX];
	size_t count = (size_t)(run->end - run->first);
	if (run->first->group.kind == GROUP_VCPU && count == vcpus)
		fprintf(out, "%zu vCPU%s on", count, count == 1 ? "" : "s");
	else
		fputs(thread_group_run_name(run->first->group, run->end[-1].group.id, name), out);
	cpumask_format(&run->cpus, list, sizeof(list));
	fprintf(out, " %s%s", list[0] != '\0' ? list : "none",
		run->exclusive		       ? " exclusive"
		: run->one_to_one && count > 1 ? " one to one"
					       : "");
}

/* Prints the runs of vCPUs, or those of the other groups. */
static void
print_runs(FILE *out, const struct pin *pin, bool of_vcpus)
{
	const struct plan_step *end = pin->plan.steps + pin->plan.step_count, *step, *next;
	for (step = pin->plan.steps; step < end; step = next) {
		next = step + 1;
		if (step->cpus == NULL || (step->group.kind == GROUP_VCPU) != of_vcpus)
			continue;
		struct run run = find_run(pin, step);
		fputs(ftell(out) > 0 ? ", " : "", out);
		print_run(out, &run, count_vcpus(&pin->plan));
		next = run.end;
	}
}

char *
brief_text(const struct pin *pin)
{
	char *text = NULL, list[CPULIST_MAX];
	size_t size;
	FILE *out = open_memstream(&text, &size);
	if (out == NULL)
		return NULL;
	print_runs(out, pin, true);
	print_runs(out, pin, false);
	if (pin->plan.nodes != NULL)
		fprintf(out, "%smemory %s %s", ftell(out) > 0 ? ", " : "",
			cpumask_count(pin->plan.nodes) == 1 ? "node" : "nodes",
			cpumask_format(pin->plan.nodes, list, sizeof(list)));
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

void
brief_print(
	const struct brief_layout *layout, const char *name, const char *state, const char *text)
{
	char safe[NAME_TEXT_MAX], next[NAME_TEXT_MAX];
	size_t width = layout->wide ? 0 : terminal_width();
	escape_unprintable(safe, sizeof(safe), name);
	if (text[0] == '\0') {
		printf("%-*s  %s\n", (int)layout->name, safe, state);
		return;
	}
	size_t used =
		(size_t)printf("%-*s  %-*s  ", (int)layout->name, safe, (int)layout->state, state);
	size_t indent = used < width / 2 ? used : 2;
	snprintf(next, sizeof(next), "\n%*s", (int)indent, "");
	print_broken(stdout, text, ',', used - indent, width > 0 ? width - indent : SIZE_MAX, next);
	putchar('\n');
}

static bool
needs_line(const struct brief_guests *guests, size_t i)
{
	return guests->brief && guests->state(guests->all, i) != NULL;
}

/* Makes room for a guest's name and state. */
static void
fit(struct brief_layout *layout, const char *name, const char *state)
{
	char safe[NAME_TEXT_MAX];
	size_t length = strlen(escape_unprintable(safe, sizeof(safe), name));
	if (length > layout->name && length <= NAME_MAX_COLUMNS)
		layout->name = length;
	if (strlen(state) > layout->state)
		layout->state = strlen(state);
}

int
brief_print_all(const struct brief_guests *guests, const char *summary)
{
	struct brief_layout layout = {.wide = guests->wide};
	size_t lines = 0;
	int r = 0;
	for (size_t i = 0; i < guests->count; i++)
		if (needs_line(guests, i)) {
			fit(&layout, guests->name(guests->all, i), guests->state(guests->all, i));
			lines++;
		}
	if (summary != NULL)
		puts(summary);
	if (summary != NULL && lines > 0)
		putchar('\n');
	for (size_t i = 0; i < guests->count && r == 0; i++)
		if (needs_line(guests, i))
			r = guests->print_line(guests->all, i, &layout);
	bool first = summary == NULL && lines == 0;
	for (size_t i = 0; i < guests->count && r == 0; i++) {
		if (needs_line(guests, i))
			continue;
		if (!first)
			putchar('\n');
		first = false;
		r = guests->print_table(guests->all, i, guests->wide);
	}
	return r;
}
