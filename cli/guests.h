/* SPDX-License-Identifier: MIT */
/* The guests that a command is about. */
#ifndef VMAFFINITY_CLI_GUESTS_H
#define VMAFFINITY_CLI_GUESTS_H

#include "cli/command.h"
#include "cli/virt.h"

/*
 * Asks libvirt for the guests that are named in options->words or, if there are none, for all that
 * run. Returns 0 with *virt, or -1 after complaining, to be freed by virt_close() in any case. Each
 * name that libvirt does not know is complained of and counted in *unknown.
 */
int guests_find(const struct options *options, struct virt *virt, size_t *unknown);

/*
 * A guest's XML. Returns 0 (caller frees xml->text); GUESTS_PASSED_OVER if it has ended meanwhile
 * and nobody had named it; or -1 with the reason.
 */
int guests_xml(const struct options *options, const struct virt_guest *guest, struct guest_xml *xml,
	struct err *e);
#define GUESTS_PASSED_OVER 1

#endif
