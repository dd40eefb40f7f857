/* SPDX-License-Identifier: MIT */
#include "cli/import/pinned_guest.h"

#include "cli/import/cpu_words.h"

#include "desired/one_to_one.h"
#include "guest/domain.h"
#include "guest/domain_pins.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The groups of one kind: ids[0 .. count - 1], ascending. */
struct groups {
	enum thread_group_kind kind;
	const char *every;   /* the key for all: "vcpus" */
	const unsigned *ids; /* NULL: 0, 1, 2, ... */
	size_t count;
};

struct writer {
	FILE *out;
	struct topology *topology;
	const struct domain_pins *pins;
};

static struct thread_group
group_at(const struct groups *groups, size_t i)
{
	return (struct thread_group){
		.kind = groups->kind, .id = groups->ids != NULL ? groups->ids[i] : (unsigned)i};
}

static const struct cpumask *
pins_of(const struct writer *writer, const struct groups *groups, size_t i)
{
	return domain_pins_find(writer->pins, group_at(groups, i));
}

static bool
same_cpus(const struct cpumask *a, const struct cpumask *b)
{
	return a == b || (a != NULL && b != NULL && cpumask_equal(a, b));
}

/* Returns the end of the run of ids in sequence, from first on, that have the same CPUs. */
static size_t
end_of_run(const struct writer *writer, const struct groups *groups, size_t first)
{
	size_t next = first + 1;
	while (next < groups->count &&
		group_at(groups, next).id == group_at(groups, next - 1).id + 1 &&
		same_cpus(pins_of(writer, groups, next), pins_of(writer, groups, first)))
		next++;
	return next;
}

/* True if all groups have the same CPUs. */
static bool
all_alike(const struct writer *writer, const struct groups *groups)
{
	for (size_t i = 1; i < groups->count; i++)
		if (!same_cpus(pins_of(writer, groups, i), pins_of(writer, groups, 0)))
			return false;
	return true;
}

static void
write_key(const struct writer *writer, const char *key, const struct cpumask *cpus)
{
	fprintf(writer->out, "%s = ", key);
	cpu_words_print(writer->out, writer->topology, cpus);
	putc('\n', writer->out);
}

/* Writes the keys of one kind: "vcpus", or "vcpu0-3" for each run. */
static void
write_groups(const struct writer *writer, const struct groups *groups)
{
	bool alike = all_alike(writer, groups);
	for (size_t i = 0, next; i < groups->count; i = next) {
		char run[THREAD_GROUP_RUN_MAX];
		const struct cpumask *cpus = pins_of(writer, groups, i);
		next = alike ? groups->count : end_of_run(writer, groups, i);
		thread_group_run_name(group_at(groups, i), group_at(groups, next - 1).id, run);
		if (cpus != NULL)
			write_key(writer, alike ? groups->every : run, cpus);
	}
}

/* True if each vCPU is pinned to one CPU; adds these to cpus. */
static bool
is_one_each(const struct writer *writer, const struct groups *vcpus, struct cpumask *cpus)
{
	for (size_t i = 0; i < vcpus->count; i++) {
		const struct cpumask *own = pins_of(writer, vcpus, i);
		if (own == NULL || cpumask_count(own) != 1)
			return false;
		cpumask_or(cpus, own);
	}
	return vcpus->count > 1;
}

/* True if one-to-one gives each vCPU, out of all their CPUs, the one that it is pinned to. */
static bool
is_one_to_one(const struct writer *writer, const struct groups *vcpus, const struct domain *domain,
	const struct cpumask *cpus)
{
	static const struct value placement = {.text = (char *)"", .file = ""};
	static const struct setting setting = {.kind = GROUP_VCPU, .every = true};
	struct desired_mask mask = {
		.setting = &setting, .requested = *cpus, .cpus = *cpus, .whole = *cpus};
	struct desired desired = {.masks = &mask, .mask_count = 1, .group_count = vcpus->count};
	struct messages messages = {0};
	struct err ignored;
	desired.groups = calloc(vcpus->count, sizeof(*desired.groups));
	for (size_t i = 0; i < vcpus->count && desired.groups != NULL; i++)
		desired.groups[i] = (struct desired_group){group_at(vcpus, i), &setting, &mask};
	bool same =
		desired.groups != NULL && desired_one_to_one(&desired, &placement, domain,
						  writer->topology, NULL, &messages, &ignored) == 0;
	for (size_t i = 0; i < messages.count; i++)
		same = same && messages.items[i].level < MESSAGE_WARNING;
	for (size_t i = 0; i < vcpus->count && same; i++)
		same = cpumask_equal(&desired.groups[i].mask->cpus, pins_of(writer, vcpus, i));
	messages_free(&messages);
	free(desired.per_vcpu);
	free(desired.groups);
	return same;
}

/* Writes the keys of the vCPUs: a set and one-to-one where that means the same. */
static void
write_vcpus(const struct writer *writer, const struct domain *domain)
{
	const struct groups vcpus = {GROUP_VCPU, "vcpus", NULL, domain->vcpus};
	struct cpumask cpus = {0};
	if (!is_one_each(writer, &vcpus, &cpus) || cpumask_count(&cpus) != vcpus.count ||
		!is_one_to_one(writer, &vcpus, domain, &cpus)) {
		write_groups(writer, &vcpus);
		return;
	}
	write_key(writer, "vcpus", &cpus);
	fputs("placement = one-to-one\n", writer->out);
}

static void
write_keys(const struct writer *writer, const struct domain *domain)
{
	char list[CPULIST_MAX];
	const struct domain_pins *pins = writer->pins;
	const struct groups emulator = {GROUP_EMULATOR, "emulator", NULL, 1};
	const struct groups iothreads = {
		GROUP_IOTHREAD, "iothreads", domain->iothreads, domain->iothread_count};
	write_groups(writer, &emulator);
	write_vcpus(writer, domain);
	write_groups(writer, &iothreads);
	if (!cpumask_empty(&pins->nodes) && !pins->nodes_automatic)
		fprintf(writer->out, "memory = %s\n",
			cpumask_format(&pins->nodes, list, sizeof(list)));
}

/* Writes the names of the elements that pin. */
static void
write_elements(const struct writer *writer, const struct domain *domain)
{
	static const char *const names[] = {[GROUP_EMULATOR] = "<emulatorpin>",
		[GROUP_VCPU] = "<vcpupin>",
		[GROUP_IOTHREAD] = "<iothreadpin>"};
	const struct domain_pins *pins = writer->pins;
	const char *separator = "";
	bool found[sizeof(names) / sizeof(names[0])] = {false};
	(void)domain;
	for (size_t i = 0; i < pins->count; i++)
		found[pins->pins[i].group.kind] = true;
	for (size_t kind = 0; kind < sizeof(names) / sizeof(names[0]); kind++)
		if (found[kind]) {
			fprintf(writer->out, "%s%s", separator, names[kind]);
			separator = ", ";
		}
	if (pins->has_default) {
		fprintf(writer->out, "%scpuset= of <vcpu>", separator);
		separator = ", ";
	}
	if (!cpumask_empty(&pins->nodes) && !pins->nodes_automatic)
		fprintf(writer->out, "%s<numatune>", separator);
}

/* Returns what write() writes, which the caller frees; NULL without memory. */
static char *
written(void (*write)(const struct writer *, const struct domain *), struct topology *topology,
	const struct domain *domain, const struct domain_pins *pins)
{
	char *text = NULL;
	size_t size;
	struct writer writer = {open_memstream(&text, &size), topology, pins};
	if (writer.out == NULL)
		return NULL;
	write(&writer, domain);
	if (fclose(writer.out) == 0)
		return text;
	free(text);
	return NULL;
}

int
pinned_guest_read(const char *xml, size_t length, struct topology *topology,
	struct pinned_guest *guest, struct err *e)
{
	struct domain domain;
	struct domain_pins pins;
	*guest = (struct pinned_guest){0};
	if (domain_parse(xml, length, &domain, e) != 0)
		return -1;
	if (domain_parse_pins(xml, length, &pins, e) != 0) {
		domain_free(&domain);
		return -1;
	}
	if (pins.automatic) /* libvirt ignores cpuset then (docs/formatdomain, "CPU Allocation") */
		pins.has_default = false;
	guest->keys = written(write_keys, topology, &domain, &pins);
	guest->elements = written(write_elements, topology, &domain, &pins);
	guest->name = strdup(domain.name);
	guest->automatic = pins.automatic || pins.nodes_automatic;
	memcpy(guest->uuid, domain.uuid, sizeof(guest->uuid));
	domain_pins_free(&pins);
	domain_free(&domain);
	if (guest->keys != NULL && guest->elements != NULL && guest->name != NULL)
		return 0;
	pinned_guest_free(guest);
	return err_set(e, "out of memory");
}

void
pinned_guest_free(struct pinned_guest *guest)
{
	free(guest->name);
	free(guest->keys);
	free(guest->elements);
}
