/* SPDX-License-Identifier: MIT */
/*
 * libvirt's record of a running guest's pins, which "virsh vcpupin" shows: brought in line with the
 * rules, and back. What it was is kept in a note in the guest's metadata: see virt_read_note().
 */
#ifndef VMAFFINITY_CLI_RECORD_RECORD_H
#define VMAFFINITY_CLI_RECORD_RECORD_H

#include "cli/status/status.h"
#include "cli/virt.h"

/*
 * Records the CPUs of each group that a rule decides, and takes back what was recorded of groups
 * that no rule decides any more. status: the guest, as ruled, compared with the rules just now.
 * Returns 0 with the number of groups whose record changed, or -1 with the reason. After a failure
 * the record is as it was, but libvirt has also given the groups the CPUs of that record: the
 * caller pins the guest again.
 */
int record_write(
	const struct virt_guest *guest, struct status *status, size_t *changed, struct err *e);

/* Takes back all that was recorded. Returns as record_write() does. */
int record_undo(const struct virt_guest *guest, size_t *changed, struct err *e);

#endif
