/* SPDX-License-Identifier: MIT */
#include "cli/record/record.h"

#include "base/array.h"
#include "base/cleanup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The pins that libvirt had on record before the first record_write(). */
struct former {
	struct domain_pin *pins;
	size_t count;
};

/* A pin that is on record now, and the one that is to be. */
struct step {
	struct thread_group group;
	struct cpumask from, to;
};

struct steps {
	struct step *items;
	size_t count;
};

static int
out_of_memory(struct err *e)
{
	return err_set(e, "out of memory");
}

static int
add_former(struct former *former, struct thread_group group, const struct cpumask *cpus)
{
	struct domain_pin *larger = array_grow(former->pins, former->count, sizeof(*former->pins));
	if (larger == NULL)
		return -1;
	former->pins = larger;
	former->pins[former->count++] = (struct domain_pin){.group = group, .cpus = *cpus};
	return 0;
}

static int
add_step(struct steps *steps, struct thread_group group, const struct cpumask *from,
	const struct cpumask *to)
{
	struct step *larger = array_grow(steps->items, steps->count, sizeof(*steps->items));
	if (larger == NULL)
		return -1;
	steps->items = larger;
	steps->items[steps->count++] = (struct step){.group = group, .from = *from, .to = *to};
	return 0;
}

static const struct domain_pin *
find_former(const struct former *former, struct thread_group group)
{
	for (size_t i = 0; i < former->count; i++)
		if (thread_group_compare(former->pins[i].group, group) == 0)
			return &former->pins[i];
	return NULL;
}

/* Reads one "vcpu0=0-3". Returns 0, or -1 if it is none. */
static int
parse_pin(char *word, struct former *former)
{
	struct thread_group group;
	struct cpumask cpus;
	struct err ignored;
	char *list = strchr(word, '=');
	if (list == NULL)
		return -1;
	*list++ = '\0';
	if (!thread_group_parse(word, &group) || cpumask_parse(list, &cpus, &ignored) != 0 ||
		cpumask_empty(&cpus))
		return -1;
	return add_former(former, group, &cpus);
}

/* Reads a note, "<former>emulator=0-7 vcpu0=0-3</former>"; NULL is an empty one. */
static int
parse_note(char *note, struct former *former, struct err *e)
{
	char *start = note != NULL ? strchr(note, '>') : NULL, *save;
	if (note == NULL)
		return 0;
	if (start != NULL)
		start[strcspn(start, "<")] = '\0';
	for (char *word = start != NULL ? strtok_r(start + 1, " \n", &save) : NULL; word != NULL;
		word = strtok_r(NULL, " \n", &save))
		if (parse_pin(word, former) != 0)
			return err_set(e, "the note in its metadata cannot be read: '%s'", word);
	return 0;
}

static int
read_former(const struct virt_guest *guest, struct former *former, struct err *e)
{
	AUTO_FREE char *note = NULL;
	return virt_read_note(guest, &note, e) == 0 ? parse_note(note, former, e) : -1;
}

/* Writes the note of former, or removes it if that is empty. */
static int
write_former(const struct virt_guest *guest, const struct former *former, struct err *e)
{
	AUTO_FREE char *note = NULL;
	size_t size;
	if (former->count == 0)
		return virt_write_note(guest, NULL, e);
	FILE *out = open_memstream(&note, &size);
	if (out == NULL)
		return out_of_memory(e);
	for (size_t i = 0; i < former->count; i++) {
		char name[THREAD_GROUP_NAME_MAX], list[CPULIST_MAX];
		fprintf(out, "%s%s=%s", i == 0 ? "<former>" : " ",
			thread_group_name(former->pins[i].group, name),
			cpumask_format(&former->pins[i].cpus, list, sizeof(list)));
	}
	fputs("</former>", out);
	return fclose(out) == 0 ? virt_write_note(guest, note, e) : out_of_memory(e);
}

/* Returns all CPUs that a group may have without a pin: on cgroup v1 the kernel takes no other. */
static const struct cpumask *
all_cpus(struct status *status)
{
	const struct cpumask *present;
	struct err ignored;
	struct pin *pin = &status->pin;
	return pin->cgroup.v2 && topology_get(&pin->host->topology, TOPOLOGY_PRESENT, &present,
					 &ignored) == 0
		       ? present
		       : &pin->cgroup.allowed;
}

static bool
has_group(const struct status *status, struct thread_group group)
{
	for (size_t i = 0; i < status->drift.count; i++)
		if (thread_group_compare(status->drift.groups[i].step->group, group) == 0)
			return true;
	return false;
}

/*
 * Makes the steps from the record to the rules. old is what was on record before the first time,
 * new what is to be remembered of that after this one. libvirt keeps the record of a vCPU that is
 * unplugged, so that is remembered, too.
 */
static int
make_steps(struct status *status, const struct former *old, struct former *new, struct steps *steps)
{
	const struct cpumask *all = all_cpus(status);
	for (size_t i = 0; i < old->count; i++)
		if (!has_group(status, old->pins[i].group) &&
			add_former(new, old->pins[i].group, &old->pins[i].cpus) != 0)
			return -1;
	for (size_t i = 0; i < status->drift.count; i++) {
		const struct plan_step *step = status->drift.groups[i].step;
		bool ruled = step->cpus != NULL && !step->given;
		const struct domain_pin *former = find_former(old, step->group);
		const struct cpumask *now = domain_pins_find(&status->pins, step->group);
		const struct cpumask *wanted = ruled		? plan_step_written(step)
					       : former != NULL ? &former->cpus
								: NULL;
		if (now == NULL)
			now = all;
		if (ruled && (former != NULL || !cpumask_equal(now, wanted)) &&
			add_former(new, step->group, former != NULL ? &former->cpus : now) != 0)
			return -1;
		if (wanted != NULL && !cpumask_equal(now, wanted) &&
			add_step(steps, step->group, now, wanted) != 0)
			return -1;
	}
	return 0;
}

/*
 * Pins all groups, or none: then those that were pinned get back what they had. A group that was
 * unplugged meanwhile is left out.
 */
static int
pin_steps(const struct virt_guest *guest, const struct steps *steps, struct err *e)
{
	char name[THREAD_GROUP_NAME_MAX];
	struct err ignored;
	for (size_t i = 0; i < steps->count; i++) {
		const struct step *failed = &steps->items[i];
		if (virt_pin(guest, failed->group, &failed->to, e) != VIRT_FAILED)
			continue;
		while (i-- > 0)
			virt_pin(guest, steps->items[i].group, &steps->items[i].from, &ignored);
		return err_context(e, "%s", thread_group_name(failed->group, name));
	}
	return 0;
}

/* Takes the steps, with a note that is right whenever this may be killed. */
static int
write_record(const struct virt_guest *guest, const struct former *old, const struct former *new,
	const struct steps *steps, struct err *e)
{
	struct err ignored;
	if (new->count > 0 && write_former(guest, new, e) != 0)
		return -1;
	if (pin_steps(guest, steps, e) != 0) {
		write_former(guest, old, &ignored);
		return -1;
	}
	return new->count == 0 && old->count > 0 ? write_former(guest, new, e) : 0;
}

int
record_write(const struct virt_guest *guest, struct status *status, size_t *changed, struct err *e)
{
	struct former old = {0}, new = {0};
	struct steps steps = {0};
	int r = read_former(guest, &old, e);
	if (r == 0 && make_steps(status, &old, &new, &steps) != 0)
		r = out_of_memory(e);
	*changed = steps.count;
	if (r == 0 && (steps.count > 0 || new.count != old.count))
		r = write_record(guest, &old, &new, &steps, e);
	free(old.pins);
	free(new.pins);
	free(steps.items);
	return r;
}

int
record_undo(const struct virt_guest *guest, size_t *changed, struct err *e)
{
	struct former former = {0}, left = {0};
	char name[THREAD_GROUP_NAME_MAX];
	int r = read_former(guest, &former, e);
	*changed = 0;
	for (size_t i = 0; i < former.count && r == 0; i++) {
		const struct domain_pin *pin = &former.pins[i];
		enum virt_result pinned = virt_pin(guest, pin->group, &pin->cpus, e);
		*changed += pinned == VIRT_OK;
		if (pinned == VIRT_FAILED)
			r = err_context(e, "%s", thread_group_name(pin->group, name));
		else if (pinned == VIRT_GONE && add_former(&left, pin->group, &pin->cpus) != 0)
			r = out_of_memory(e);
	}
	if (r == 0 && left.count < former.count)
		r = write_former(guest, &left, e);
	free(former.pins);
	free(left.pins);
	return r;
}
