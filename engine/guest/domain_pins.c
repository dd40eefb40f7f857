/* SPDX-License-Identifier: MIT */
#include "guest/domain_pins.h"

#include "base/array.h"
#include "guest/domain.h"
#include "guest/xml.h"

#include <stdlib.h>

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

static int
parse_pins(struct xml_element *root, struct domain_pins *pins, struct err *e)
{
	struct xml_element *cputune = xml_child(root, "cputune"), *vcpu = xml_child(root, "vcpu");
	const char *cpuset = xml_attribute(vcpu, "cpuset");
	pins->has_default = cpuset != NULL;
	if (cpuset != NULL && xml_list("cpuset", cpuset, &pins->fallback, e) != 0)
		return err_context(e, "<vcpu>");
	if (parse_pin_elements(cputune, "vcpupin", GROUP_VCPU, "vcpu", pins, e) != 0 ||
		parse_pin_elements(cputune, "emulatorpin", GROUP_EMULATOR, NULL, pins, e) != 0)
		return -1;
	return parse_pin_elements(cputune, "iothreadpin", GROUP_IOTHREAD, "iothread", pins, e);
}

int
domain_parse_pins(const char *xml, size_t length, struct domain_pins *pins, struct err *e)
{
	static const char *const wanted[] = {"vcpu", "cputune", NULL};
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

void
domain_pins_free(struct domain_pins *pins)
{
	free(pins->pins);
	*pins = (struct domain_pins){0};
}

const struct cpumask *
domain_pins_find(const struct domain_pins *pins, struct thread_group group)
{
	for (size_t i = 0; i < pins->count; i++)
		if (thread_group_compare(pins->pins[i].group, group) == 0)
			return &pins->pins[i].cpus;
	return pins->has_default ? &pins->fallback : NULL;
}
