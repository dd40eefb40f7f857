/* SPDX-License-Identifier: MIT */
/*
 * The worker's module for XML, LIBDIR/vmaffinity/xml.so: what of guest/domain.h needs libxml2.
 *
 * Loading libxml2 takes the worker longer than the rest of its work, and most rules need nothing
 * of the XML. A libxml2 that is missing or broken is then an error of the rules that need it, and
 * not a worker that cannot be run.
 */
#ifndef VMAFFINITY_HOOK_XML_MODULE_H
#define VMAFFINITY_HOOK_XML_MODULE_H

#include "guest/domain.h"

#include <stddef.h>

/* The name of the module's one symbol, a struct xml_module. */
#define XML_MODULE_SYMBOL "vmaffinity_xml_module"

struct xml_module {
	/* Both must be the worker's own: an upgrade replaces one file after the other. */
	char version[32];
	size_t domain_size; /* sizeof(struct domain) */
	/* domain_parse() and domain_parse_status_pid(), see guest/domain.h */
	int (*parse)(const char *xml, size_t length, struct domain *domain, struct err *e);
	int (*parse_status_pid)(const char *xml, size_t length, struct err *e);
};

#endif
