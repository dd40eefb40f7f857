/* SPDX-License-Identifier: MIT */
/*
 * Reads from a domain's XML the facts that domain_pins.h lists. Programs link this file only
 * through the module xml_module.c, as they do domain_parse.c.
 */
#include "guest/domain_pins.h"

#include "base/array.h"
#include "guest/domain.h"
#include "guest/xml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * All elements called name below cputune; id_attribute is NULL where there is only one such thread
 * group.
 */
static int
parse_pin_elements(struct xml_element *cputune, const char *name, enum thread_group_kind kind,
	const char *id_attribute, struct domain_pins *pins, struct err *e)
{
	for (struct xml_element *pin = xml_child(cputune, name); pin != NULL;
		pin = xml_next(pin, name)) {
		const char *id = id_attribute != NULL ? xml_attribute(pin, id_attribute) : NULL;
		const char *cpuset = xml_attribute(pin, "cpuset");
		struct domain_pin *larger = array_grow(pins->pins, pins->count, sizeof(*larger));
		if (larger == NULL)
			return err_set(e, "out of memory");
		pins->pins = larger;
		struct domain_pin *one = &larger[pins->count];
		*one = (struct domain_pin){.group = {.kind = kind}};
		if (id_attribute != NULL && xml_number(id, 0xffffffff, &one->group.id) != 0)
			return err_set(e, "<%s %s='%.40s'>: not a number", name, id_attribute,
				xml_shown(id));
		if (xml_list("cpuset", xml_shown(cpuset), &one->cpus, e) != 0)
			return err_context(e, "<%s>", name);
		pins->count++;
	}
	return 0;
}

/* <vcpusched vcpus='0-1' scheduler='fifo' priority='2'/>. */
static int
parse_schedulers(struct xml_element *cputune, struct domain_pins *pins, struct err *e)
{
	struct xml_element *one = xml_child(cputune, "vcpusched");
	for (; one != NULL; one = xml_next(one, "vcpusched")) {
		const char *scheduler = xml_attribute(one, "scheduler");
		const char *vcpus = xml_attribute(one, "vcpus");
		struct cpumask ids;
		if (vcpus == NULL || scheduler == NULL ||
			(strcmp(scheduler, "fifo") != 0 && strcmp(scheduler, "rr") != 0))
			continue;
		if (xml_list("vcpus", vcpus, &ids, e) != 0)
			return err_context(e, "<vcpusched>");
		cpumask_or(&pins->realtime, &ids);
	}
	return 0;
}

/*
 * <hostdev type='pci'><source><address domain='0' bus='1' slot='0' function='0'/></source>: a line
 * of all that identifies the device. USB devices may have a <vendor> and a <product> for an
 * address.
 */
static int
parse_device(struct xml_element *hostdev, struct domain_pins *pins, struct err *e)
{
	static const char *const attributes[][2] = {{"address", "domain"}, {"address", "bus"},
		{"address", "slot"}, {"address", "function"}, {"address", "device"},
		{"address", "uuid"}, {"vendor", "id"}, {"product", "id"}};
	struct xml_element *source = xml_child(hostdev, "source");
	const char *type = xml_attribute(hostdev, "type");
	const char *old = pins->devices != NULL ? pins->devices : "";
	char line[512], *joined;
	size_t used = (size_t)snprintf(line, sizeof(line), "%.20s", type != NULL ? type : "");
	bool found = false;
	for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++) {
		const char *value =
			xml_attribute(xml_child(source, attributes[i][0]), attributes[i][1]);
		found |= value != NULL;
		used += (size_t)snprintf(
			line + used, sizeof(line) - used, " %.40s", value != NULL ? value : "");
	}
	if (!found)
		return 0;
	if (asprintf(&joined, "%s%s\n", old, line) < 0)
		return err_set(e, "out of memory");
	free(pins->devices);
	pins->devices = joined;
	return 0;
}

static int
parse_devices(struct xml_element *root, struct domain_pins *pins, struct err *e)
{
	struct xml_element *one = xml_child(xml_child(root, "devices"), "hostdev");
	for (; one != NULL; one = xml_next(one, "hostdev"))
		if (parse_device(one, pins, e) != 0)
			return -1;
	return 0;
}

/*
 * <numatune><memory mode='strict' nodeset='0-1'/></numatune>. libvirt writes the nodes of "strict",
 * the default, and "restrictive" to cpuset.mems (qemuProcessSetupPid(), src/qemu/qemu_process.c).
 */
static int
parse_nodes(struct xml_element *root, struct domain_pins *pins, struct err *e)
{
	struct xml_element *memory = xml_child(xml_child(root, "numatune"), "memory");
	const char *mode = xml_attribute(memory, "mode");
	const char *nodeset = xml_attribute(memory, "nodeset");
	if (memory == NULL ||
		(mode != NULL && strcmp(mode, "strict") != 0 && strcmp(mode, "restrictive") != 0))
		return 0;
	pins->nodes_automatic = nodeset == NULL;
	if (nodeset != NULL && xml_list("nodeset", nodeset, &pins->nodes, e) != 0)
		return err_context(e, "<numatune><memory>");
	return 0;
}

static int
parse_pins(struct xml_element *root, struct domain_pins *pins, struct err *e)
{
	struct xml_element *cputune = xml_child(root, "cputune"), *vcpu = xml_child(root, "vcpu");
	const char *cpuset = xml_attribute(vcpu, "cpuset");
	const char *placement = xml_attribute(vcpu, "placement");
	pins->has_default = cpuset != NULL;
	pins->automatic = placement != NULL && strcmp(placement, "auto") == 0;
	if (cpuset != NULL && xml_list("cpuset", cpuset, &pins->fallback, e) != 0)
		return err_context(e, "<vcpu>");
	if (parse_schedulers(cputune, pins, e) != 0 || parse_devices(root, pins, e) != 0 ||
		parse_nodes(root, pins, e) != 0)
		return -1;
	if (parse_pin_elements(cputune, "vcpupin", GROUP_VCPU, "vcpu", pins, e) != 0 ||
		parse_pin_elements(cputune, "emulatorpin", GROUP_EMULATOR, NULL, pins, e) != 0)
		return -1;
	return parse_pin_elements(cputune, "iothreadpin", GROUP_IOTHREAD, "iothread", pins, e);
}

int
domain_parse_pins(const char *xml, size_t length, struct domain_pins *pins, struct err *e)
{
	static const char *const wanted[] = {"vcpu", "cputune", "devices", "numatune", NULL};
	AUTO_XML struct xml_element *root =
		xml_parse(xml, length, DOMAIN_XML_MAX, "domain", wanted, e);
	if (root == NULL)
		return -1;
	struct domain_pins result = {0};
	if (parse_pins(root, &result, e) != 0) {
		domain_pins_free(&result);
		return -1;
	}
	*pins = result;
	return 0;
}
