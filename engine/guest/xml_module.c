/* SPDX-License-Identifier: MIT */
#include "guest/xml_module.h"

extern const struct xml_module vmaffinity_xml_module;

__attribute__((visibility("default"))) const struct xml_module vmaffinity_xml_module = {
	.version = VERSION,
	.domain_size = sizeof(struct domain),
	.pins_size = sizeof(struct domain_pins),
	.parse = domain_parse,
	.parse_pins = domain_parse_pins,
};
