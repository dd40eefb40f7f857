/* SPDX-License-Identifier: MIT */
/* A guest's XML pins as the keys of a rule. */
#ifndef VMAFFINITY_CLI_IMPORT_PINNED_GUEST_H
#define VMAFFINITY_CLI_IMPORT_PINNED_GUEST_H

#include "base/err.h"
#include "host/topology.h"

#include <stdbool.h>
#include <stddef.h>

struct pinned_guest {
	char *name;
	char uuid[37];	/* "" if the XML has none */
	char *keys;	/* "vcpus = 2-7\n..."; "" if the XML pins nothing */
	char *elements; /* those that pin: "<vcpupin>, <emulatorpin>" */
	bool automatic; /* numad chooses the rest at each start */
};

/*
 * Reads the pins in a guest's XML; topology is that of the host whose words are used. Returns 0
 * with *guest, to be freed by pinned_guest_free(), or -1 with the reason.
 */
int pinned_guest_read(const char *xml, size_t length, struct topology *topology,
	struct pinned_guest *guest, struct err *e);
void pinned_guest_free(struct pinned_guest *guest);

#endif
