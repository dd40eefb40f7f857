/* SPDX-License-Identifier: MIT */
/* Checks the rules for hosts and guests: no output but complaints, for cmd_check.c. */
#include "cli/check/check.h"

#include "cli/capture/snapshot_read.h"
#include "cli/virt.h"

#include "cgroup/exclusive.h"
#include "guest/domain_pins.h"
#include "lint/lint.h"
#include "pin/pin.h"

#include <stdlib.h>
#include <string.h>

/* Adds an error if the XML pins what to CPUs, or nodes, that are not among those of the host. */
static void
find_absent(const char *what, const struct cpumask *wanted, const char *unit,
	const struct cpumask *host, bool plugged, struct messages *messages)
{
	char list[128];
	struct cpumask absent = *wanted, present = *wanted;
	cpumask_andnot(&absent, host);
	cpumask_and(&present, host);
	if (cpumask_empty(&absent))
		return;
	messages_add(messages, MESSAGE_ERROR, "pin-absent",
		"the guest's XML pins %s to %s%s %s, which this host does not have: it %s %s, "
		"for libvirt applies the XML's pins before any hook; take the pin out of the XML "
		"(virsh edit)",
		what, unit, cpumask_count(&absent) == 1 ? "" : "s",
		cpumask_format(&absent, list, sizeof(list)),
		cpumask_empty(&present) ? "cannot" : "may fail to",
		plugged ? "start" : "be plugged in");
}

/*
 * Finds pins of the guest's own XML that keep it from starting. libvirt writes them to the cgroups
 * that it makes, and the kernel takes no number that it does not have.
 */
static void
find_absent_pins(struct topology *topology, const struct domain *domain,
	const struct domain_pins *pins, struct messages *messages)
{
	const struct cpumask *cpus, *nodes;
	struct err ignored;
	if (topology_get(topology, TOPOLOGY_PRESENT, &cpus, &ignored) != 0)
		return;
	for (size_t i = 0; i < pins->count; i++) {
		char name[THREAD_GROUP_NAME_MAX];
		struct thread_group group = pins->pins[i].group;
		bool vcpu = group.kind == GROUP_VCPU;
		if (!vcpu || group.id < domain->vcpus)
			find_absent(thread_group_name(group, name), &pins->pins[i].cpus, "CPU",
				cpus, !vcpu || domain->vcpu_online[group.id], messages);
	}
	if (pins->has_default)
		find_absent("its threads (<vcpu cpuset=>)", &pins->fallback, "CPU", cpus, true,
			messages);
	if (topology_get(topology, TOPOLOGY_NODES, &nodes, &ignored) == 0)
		find_absent("its memory (<numatune>)", &domain->numatune, "node", nodes, true,
			messages);
}

/* True if this host has all these CPUs, or does not say which it has. */
static bool
has_cpus(struct topology *topology, const struct cpumask *cpus)
{
	const struct cpumask *present;
	struct cpumask absent = *cpus;
	struct err ignored;
	if (topology_get(topology, TOPOLOGY_PRESENT, &present, &ignored) != 0)
		return true;
	cpumask_andnot(&absent, present);
	return cpumask_empty(&absent);
}

/* Finds pins in the guest's own XML that disagree with a rule: once for each line of the rules. */
static void
find_pins(const struct pin *pin, const struct domain_pins *pins, struct messages *messages)
{
	const struct setting *last = NULL;
	for (size_t i = 0; i < pin->plan.step_count; i++) {
		const struct plan_step *step = &pin->plan.steps[i];
		const struct cpumask *own = domain_pins_find(pins, step->group);
		if (step->cpus == NULL || cpumask_empty(step->cpus) || own == NULL ||
			step->setting == last || cpumask_equal(own, step->cpus) ||
			!has_cpus(&pin->host->topology, own))
			continue;
		last = step->setting;
		char name[THREAD_GROUP_NAME_MAX], xml[128], rule[128];
		messages_add(messages, MESSAGE_WARNING, "pin-differs",
			"%s:%u: the guest's XML pins %s to CPUs %s, this rule to %s; the rule "
			"wins, but virsh goes on to show the XML's: take the pins out of the XML",
			step->setting->value.file, step->setting->value.line,
			thread_group_name(step->group, name), cpumask_format(own, xml, sizeof(xml)),
			cpumask_format(step->cpus, rule, sizeof(rule)));
	}
}

/* Finds what the hook would report about a guest, and what only check can see. */
static void
check_guest(struct check *check, const struct guest_xml *xml, struct lint *lint, const char *host)
{
	struct pin pin;
	struct domain_pins pins = {0};
	struct messages messages = {0};
	struct err e;
	int r = pin_prepare(&pin, &check->host, xml->text, xml->length, NULL, PIN_CHECK, &e);
	if (r >= 0 && domain_parse_pins(xml->text, xml->length, &pins, &e) != 0)
		r = -1;
	if (r >= 0)
		find_absent_pins(&check->host.topology, &pin.domain, &pins, &messages);
	if (r == 0)
		find_pins(&pin, &pins, &messages);
	if (r < 0)
		messages_add(&messages, MESSAGE_ERROR, "not-checked", "%s%s%s",
			pin.domain.name == NULL ? xml->source : "",
			pin.domain.name == NULL ? ": " : "", e.text);
	const struct lint_subject subject = {
		&pin.domain, &pin.matched, &pin.desired, &pins, pin.running || pin.limited};
	if (pin.domain.name != NULL && lint_guest(lint, &subject, &pin.messages, &e) != 0)
		messages_add(&messages, MESSAGE_ERROR, "not-checked", "%s", e.text);
	report_add(&check->findings, &pin.messages, pin.domain.name, host);
	report_add(&check->findings, &messages, pin.domain.name, host);
	messages_free(&messages);
	domain_pins_free(&pins);
	pin_free(&pin);
}

/* Finds what depends on the host below root. name is the file that describes the host, or NULL. */
static void
check_host(struct check *check, int root, const char *name)
{
	struct lint lint;
	struct partition partition;
	struct messages messages = {0};
	struct err e;
	pin_host_change(&check->host, root);
	if (lint_start(&lint, &check->host.expr, &messages) != 0) {
		messages_add(&messages, MESSAGE_ERROR, "not-checked", "out of memory");
	} else {
		for (size_t i = 0; i < check->guest_count; i++)
			check_guest(check, &check->guests[i], &lint, name);
		check->understood = lint.guest_count;
		/* Without cgroups nothing limits the guests. */
		bool limited = partition_find(root, NULL, &partition, &e) == CGROUP_OK;
		struct lint_limit limit = {partition.name, partition.granted};
		struct cpumask isolated; /* the guests that have them to themselves will end */
		exclusive_isolated(root, &isolated);
		cpumask_or(&limit.granted, &isolated);
		if (lint_finish(&lint, limited ? &limit : NULL, &e) != 0)
			messages_add(&messages, MESSAGE_ERROR, "not-checked", "%s", e.text);
	}
	check->host_count++;
	report_add(&check->findings, &messages, NULL, name);
	messages_free(&messages);
	lint_free(&lint);
}

/* Checks for every host that was asked for. Returns -1, after complaining, if one cannot be read.
 */
static int
check_hosts(struct check *check)
{
	const struct options *options = check->options;
	int r = 0;
	if (options->against_count == 0)
		check_host(check, options->root, NULL);
	for (size_t i = 0; i < options->against_count; i++) {
		struct snapshot_tree host;
		struct err e;
		if (snapshot_open(options->against[i], &host, &e) == 0) {
			check_host(check, host.root, options->against[i]);
			snapshot_close(&host);
		} else {
			complain("%s", e.text);
			r = -1;
		}
	}
	return r;
}

/* Makes room for count more guests. */
static int
reserve(struct check *check, size_t count, struct err *e)
{
	struct guest_xml *larger =
		reallocarray(check->guests, check->guest_count + count + 1, sizeof(*larger));
	if (larger == NULL)
		return err_set(e, "out of memory");
	check->guests = larger;
	return 0;
}

/*
 * Adds the guests that libvirt knows. Returns -1 if libvirt cannot be asked; complains of that only
 * if --connect named it.
 */
static int
read_known(struct check *check)
{
	const char *uri = check->options->connect;
	struct virt virt;
	struct err e;
	int r = virt_open(&virt, uri, &e);
	if (r == 0)
		r = virt_list(&virt, false, NULL, &e);
	if (r == 0)
		r = reserve(check, virt.count, &e);
	for (size_t i = 0; i < virt.count && r >= 0; i++) {
		struct guest_xml xml = {.source = "libvirt"};
		r = virt_next_xml(&virt.guests[i], &xml.text, &e);
		if (r != 0)
			continue;
		xml.length = strlen(xml.text);
		check->guests[check->guest_count++] = xml;
	}
	if (r < 0 && uri != NULL)
		complain("%s", e.text);
	check->no_guest = r < 0 ? "no libvirt daemon answers" : "libvirt knows none";
	virt_close(&virt);
	return r < 0 ? -1 : 0;
}

/* Returns -1, after complaining, if a guest that was asked for could not be read. */
static int
read_guests(struct check *check)
{
	const struct options *options = check->options;
	bool this_host = options->xml_count == 0 && options->word_count == 0 &&
			 options->config == NULL && options->sysroot == NULL &&
			 options->against_count == 0;
	struct err e;
	int r = 0;
	if (reserve(check, options->xml_count, &e) != 0) {
		complain("%s", e.text);
		return -1;
	}
	for (size_t i = 0; i < options->xml_count; i++)
		if (read_xml(options->xml[i], &check->guests[check->guest_count], &e) == 0) {
			check->guest_count++;
		} else {
			complain("%s: %s", check->guests[check->guest_count].source, e.text);
			r = -1;
		}
	if ((this_host || options->connect != NULL) && read_known(check) != 0 &&
		options->connect != NULL)
		r = -1;
	return r;
}

int
check_run(struct check *check, const struct options *options)
{
	struct messages messages = {0};
	*check = (struct check){
		.options = options, .no_guest = "none was named with --xml or --connect"};
	const char *const *files =
		options->config != NULL ? &options->config : (const char *const *)options->words;
	size_t count = options->config != NULL ? 1 : options->word_count;
	bool good = pin_host_load(&check->host, options->root, files, count, &messages) == 0;
	if (good)
		lint_rules(&check->host.rules, &messages);
	report_add(&check->findings, &messages, NULL, NULL);
	messages_free(&messages);
	check->rules_wrong = !good;
	if (!good)
		return 0;
	int r = read_guests(check);
	if ((r == 0 || check->guest_count > 0) && check_hosts(check) != 0)
		r = -1;
	return r;
}

void
check_free(struct check *check)
{
	for (size_t i = 0; i < check->guest_count; i++)
		free(check->guests[i].text);
	free(check->guests);
	report_free(&check->findings);
	pin_host_free(&check->host);
}
