/* SPDX-License-Identifier: MIT */
/*
 * The module for XML, LIBDIR/vmaffinity/xml.so: what of the guest wing needs libxml2.
 *
 * Loading libxml2 takes longer than the rest of the worker's work, and most rules need nothing of
 * the XML. A libxml2 that is missing or broken is then an error of the rules that need it, and not
 * a program that cannot be run. Programs link xml_loader.c for domain_parse.c and
 * domain_pins_parse.c; it loads the module at the first call of one of their functions.
 */
#ifndef VMAFFINITY_GUEST_XML_MODULE_H
#define VMAFFINITY_GUEST_XML_MODULE_H

#include "guest/domain.h"
#include "guest/domain_pins.h"

#include <stddef.h>

/* The name of the module's one symbol, a struct xml_module. */
#define XML_MODULE_SYMBOL "vmaffinity_xml_module"

struct xml_module {
	/* All must be the program's own: an upgrade replaces one file after the other. */
	char version[32];
	size_t domain_size; /* sizeof(struct domain) */
	size_t pins_size;   /* sizeof(struct domain_pins) */
	/* The functions of guest/domain.h and guest/domain_pins.h, domain_parse() and so on. */
	int (*parse)(const char *xml, size_t length, struct domain *domain, struct err *e);
	int (*parse_pins)(const char *xml, size_t length, struct domain_pins *pins, struct err *e);
};

/*
 * Makes the loader take xml.so from the directory of the running program, if it is there, for a
 * build that is not installed. Whoever may write that directory may replace the program as well.
 */
void xml_module_prefer_beside(void);

/* Loads the module, if it is not loaded yet. Returns 0, or -1 with the reason. */
int xml_module_load(struct err *e);

#endif
