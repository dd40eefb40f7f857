/* SPDX-License-Identifier: MIT */
/*
 * Reads from a domain's XML the facts that domain.h lists. Programs link this file only through
 * the module xml_module.c, so that nothing else of them needs libxml2.
 */
#include "guest/domain.h"

#include "guest/xml.h"

#include <stdlib.h>
#include <string.h>

static int
parse_name(struct xml_element *root, struct domain *domain, struct err *e)
{
	const char *name = xml_content(xml_child(root, "name"));
	if (name == NULL || name[0] == '\0')
		return err_set(e, "the domain has no <name>");
	domain->name = strdup(name);
	return domain->name != NULL ? 0 : err_set(e, "out of memory");
}

static int
parse_id(struct xml_element *root, struct domain *domain, struct err *e)
{
	domain->id = -1;
	const char *id = xml_attribute(root, "id");
	unsigned number;
	if (id == NULL)
		return 0;
	if (xml_number(id, 0x7fffffff, &number) != 0)
		return err_set(e, "<domain id='%.40s'>: not a number", id);
	domain->id = (int)number;
	return 0;
}

static int
parse_uuid(struct xml_element *root, struct domain *domain, struct err *e)
{
	struct xml_element *uuid = xml_child(root, "uuid");
	if (uuid == NULL)
		return 0;
	const char *text = xml_content(uuid);
	if (text == NULL || strlen(text) != 36)
		return err_set(e, "<uuid>%.60s</uuid>: not a UUID", xml_shown(text));
	for (size_t i = 0; i < 36; i++)
		domain->uuid[i] =
			(char)(text[i] >= 'A' && text[i] <= 'F' ? text[i] + ('a' - 'A') : text[i]);
	return 0;
}

/* <vcpu current='2'>4</vcpu>, and <vcpus><vcpu id='0' enabled='yes'/>... where it is there. */
static int
parse_vcpus(struct xml_element *root, struct domain *domain, struct err *e)
{
	struct xml_element *vcpu = xml_child(root, "vcpu");
	const char *maximum = xml_content(vcpu);
	const char *current = xml_attribute(vcpu, "current");
	unsigned online;
	domain->vcpus = 1; /* libvirt's default */
	if (vcpu != NULL &&
		(xml_number(maximum, DOMAIN_VCPUS_MAX, &domain->vcpus) != 0 || domain->vcpus == 0))
		return err_set(e, "<vcpu>%.40s</vcpu>: not a number from 1 to %u",
			xml_shown(maximum), DOMAIN_VCPUS_MAX);
	online = domain->vcpus;
	if (current != NULL && xml_number(current, domain->vcpus, &online) != 0)
		return err_set(
			e, "<vcpu current='%.40s'>: not a number up to %u", current, domain->vcpus);
	domain->vcpu_online = calloc(domain->vcpus, sizeof(*domain->vcpu_online));
	if (domain->vcpu_online == NULL)
		return err_set(e, "out of memory");
	for (unsigned i = 0; i < online; i++)
		domain->vcpu_online[i] = true;
	struct xml_element *one = xml_child(xml_child(root, "vcpus"), "vcpu");
	for (; one != NULL; one = xml_next(one, "vcpu")) {
		const char *id = xml_attribute(one, "id");
		const char *enabled = xml_attribute(one, "enabled");
		unsigned number;
		if (xml_number(id, domain->vcpus - 1, &number) != 0)
			return err_set(e,
				"<vcpus><vcpu id='%.40s'>: not a vCPU of this guest, 0-%u",
				xml_shown(id), domain->vcpus - 1);
		domain->vcpu_online[number] = enabled != NULL && strcmp(enabled, "yes") == 0;
	}
	return 0;
}

static int
compare_ids(const void *a, const void *b)
{
	unsigned left = *(const unsigned *)a, right = *(const unsigned *)b;
	return (left > right) - (left < right);
}

/*
 * <iothreads>4</iothreads> with <iothreadids><iothread id='2'/>...: those listed, and then, as
 * libvirt does, the lowest unused numbers until there are as many as <iothreads> says.
 */
static int
parse_iothreads(struct xml_element *root, struct domain *domain, struct err *e)
{
	struct xml_element *iothreads = xml_child(root, "iothreads");
	const char *text = xml_content(iothreads);
	unsigned total = 0;
	if (iothreads != NULL && xml_number(text, DOMAIN_IOTHREADS_MAX, &total) != 0)
		return err_set(e, "<iothreads>%.40s</iothreads>: not a number up to %u",
			xml_shown(text), DOMAIN_IOTHREADS_MAX);
	domain->iothreads = calloc(DOMAIN_IOTHREADS_MAX, sizeof(*domain->iothreads));
	if (domain->iothreads == NULL)
		return err_set(e, "out of memory");
	struct xml_element *one = xml_child(xml_child(root, "iothreadids"), "iothread");
	for (; one != NULL; one = xml_next(one, "iothread")) {
		const char *id = xml_attribute(one, "id");
		unsigned *next = &domain->iothreads[domain->iothread_count];
		if (domain->iothread_count == DOMAIN_IOTHREADS_MAX)
			return err_set(e, "more than %u iothreads", DOMAIN_IOTHREADS_MAX);
		if (xml_number(id, 0xffffffff, next) != 0 || *next == 0)
			return err_set(
				e, "<iothread id='%.40s'>: not a number from 1", xml_shown(id));
		domain->iothread_count++;
	}
	size_t listed = domain->iothread_count;
	qsort(domain->iothreads, listed, sizeof(*domain->iothreads), compare_ids);
	for (size_t i = 1; i < listed; i++)
		if (domain->iothreads[i] == domain->iothreads[i - 1])
			return err_set(e, "<iothread id='%u'>: twice", domain->iothreads[i]);
	for (unsigned id = 1; domain->iothread_count < total; id++)
		if (bsearch(&id, domain->iothreads, listed, sizeof(id), compare_ids) == NULL)
			domain->iothreads[domain->iothread_count++] = id;
	qsort(domain->iothreads, domain->iothread_count, sizeof(*domain->iothreads), compare_ids);
	return 0;
}

/* Reads a number of <topology>, 1 by default. */
static int
parse_topology_number(
	struct xml_element *topology, const char *name, unsigned *number, struct err *e)
{
	const char *text = xml_attribute(topology, name);
	*number = 1;
	if (text != NULL && (xml_number(text, DOMAIN_VCPUS_MAX, number) != 0 || *number == 0))
		return err_set(e, "<topology %s='%.40s'>: not a number from 1 to %u", name, text,
			DOMAIN_VCPUS_MAX);
	return 0;
}

/*
 * <cpu><topology sockets='2' dies='1' clusters='1' cores='2' threads='2'/>: ids count threads
 * first, then cores, clusters, dies and sockets (libvirt's docs/formatdomain, "CPU model and
 * topology").
 */
static int
parse_topology(struct xml_element *root, struct domain *domain, struct err *e)
{
	static const char *const words[] = {"cluster", "die", "socket"};
	static const char *const names[] = {"clusters", "dies", "sockets"};
	struct xml_element *topology = xml_child(xml_child(root, "cpu"), "topology");
	unsigned cores, within;
	if (parse_topology_number(topology, "threads", &domain->threads, e) != 0 ||
		parse_topology_number(topology, "cores", &cores, e) != 0)
		return -1;
	within = cores > DOMAIN_VCPUS_MAX / domain->threads ? 0 : cores * domain->threads;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		unsigned count;
		if (parse_topology_number(topology, names[i], &count, e) != 0)
			return -1;
		if (count < 2 || cores < 2 || within >= domain->vcpus || domain->die_word != NULL)
			continue;
		domain->die_vcpus = within;
		domain->die_word = within > 0 ? words[i] : NULL;
	}
	return 0;
}

/* <cpu><numa><cell id='0' cpus='0-3'/>...; without id they count from 0, without cpus have none. */
static int
parse_cells(struct xml_element *root, struct domain *domain, struct err *e)
{
	struct xml_element *cell = xml_child(xml_child(xml_child(root, "cpu"), "numa"), "cell");
	if (cell == NULL)
		return 0;
	domain->vcpu_cells = calloc(domain->vcpus, sizeof(*domain->vcpu_cells));
	if (domain->vcpu_cells == NULL)
		return err_set(e, "out of memory");
	for (unsigned i = 0; i < domain->vcpus; i++)
		domain->vcpu_cells[i] = -1;
	for (unsigned next = 0; cell != NULL; next++, cell = xml_next(cell, "cell")) {
		const char *id = xml_attribute(cell, "id");
		const char *cpus = xml_attribute(cell, "cpus");
		struct cpumask mask = {0};
		unsigned number = next;
		if (next == DOMAIN_CELLS_MAX ||
			(id != NULL && xml_number(id, DOMAIN_CELLS_MAX - 1, &number) != 0))
			return err_set(e, "<numa><cell id='%.40s'>: not a number up to %u",
				xml_shown(id), DOMAIN_CELLS_MAX - 1);
		if (cpus != NULL && xml_list("cpus", cpus, &mask, e) != 0)
			return err_context(e, "<numa><cell>");
		cpumask_for_each (i, &mask)
			if (i < domain->vcpus)
				domain->vcpu_cells[i] = (int)number;
	}
	return 0;
}

/*
 * <numatune><memory nodeset='0-1'/><memnode cellid='0' nodeset='1'/></numatune>. Without nodeset,
 * numad chooses.
 */
static int
parse_numatune(struct xml_element *root, struct domain *domain, struct err *e)
{
	static const char *const names[] = {"memory", "memnode"};
	struct xml_element *numatune = xml_child(root, "numatune");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		for (struct xml_element *one = xml_child(numatune, names[i]); one != NULL;
			one = xml_next(one, names[i])) {
			const char *nodeset = xml_attribute(one, "nodeset");
			struct cpumask nodes;
			if (nodeset == NULL)
				continue;
			if (xml_list("nodeset", nodeset, &nodes, e) != 0)
				return err_context(e, "<numatune><%s>", names[i]);
			cpumask_or(&domain->numatune, &nodes);
		}
	return 0;
}

/* <resource><partition>/machine/rt</partition></resource> */
static int
parse_partition(struct xml_element *root, struct domain *domain, struct err *e)
{
	const char *text = xml_content(xml_child(xml_child(root, "resource"), "partition"));
	if (text == NULL || text[0] == '\0')
		return 0;
	domain->partition = strdup(text);
	return domain->partition != NULL ? 0 : err_set(e, "out of memory");
}

int
domain_parse(const char *xml, size_t length, struct domain *domain, struct err *e)
{
	static const char *const wanted[] = {"name", "uuid", "vcpu", "vcpus", "iothreads",
		"iothreadids", "cpu", "numatune", "resource", NULL};
	AUTO_XML struct xml_element *root =
		xml_parse(xml, length, DOMAIN_XML_MAX, "domain", wanted, e);
	if (root == NULL)
		return -1;
	struct domain result = {0};
	if (parse_name(root, &result, e) != 0 || parse_id(root, &result, e) != 0 ||
		parse_uuid(root, &result, e) != 0 || parse_vcpus(root, &result, e) != 0 ||
		parse_iothreads(root, &result, e) != 0 || parse_numatune(root, &result, e) != 0 ||
		parse_topology(root, &result, e) != 0 || parse_cells(root, &result, e) != 0 ||
		parse_partition(root, &result, e) != 0) {
		domain_free(&result);
		return -1;
	}
	*domain = result;
	return 0;
}
