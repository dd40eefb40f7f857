/* SPDX-License-Identifier: MIT */
/* Checks that the running guests are as the rules say. */
#include "cli/doctor/checks.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "cgroup/qemu_process.h"
#include "guest/domain.h"
#include "pin/drift.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Guests named in a finding; more are counted only. */
#define NAMED_MAX 5

/* The guests that are not as ruled, or that could not be compared with the rules. */
struct named {
	size_t count;
	char text[512]; /* the first ones, separated by ", " */
};

static void
add_name(struct named *named, const char *name)
{
	size_t used = strlen(named->text);
	if (named->count++ < NAMED_MAX)
		snprintf(named->text + used, sizeof(named->text) - used, "%s'%s'",
			used > 0 ? ", " : "", name);
	else if (named->count == NAMED_MAX + 1)
		snprintf(named->text + used, sizeof(named->text) - used, ", ...");
}

/*
 * Reads the guest's XML out of libvirt's status file, in which it is an element. Returns it with
 * its *length, as a part of *file (caller frees), or NULL with the reason.
 */
static const char *
read_domain(int root, const char *name, char **file, size_t *length, struct err *e)
{
	char path[PATH_MAX];
	size_t size;
	int n = snprintf(path, sizeof(path), QEMU_RUN_DIRECTORY "/%s.xml", name);
	if (n < 0 || (size_t)n >= sizeof(path))
		err_set(e, "the guest's name is too long");
	else if (file_read_all_at(root, path, DOMAIN_XML_MAX, file, &size) != 0)
		err_errno(e, "/%s", path);
	const char *text = *file;
	if (text == NULL)
		return NULL;
	static const char close[] = "</domain>";
	const char *begin = memmem(text, size, "<domain ", strlen("<domain "));
	const char *end = NULL;
	for (const char *at = begin; at != NULL;) {
		at = memmem(at, (size_t)(text + size - at), close, strlen(close));
		if (at != NULL)
			end = at += strlen(close);
	}
	if (end == NULL) {
		err_set(e, "/%s holds no domain", path);
		return NULL;
	}
	*length = (size_t)(end - begin);
	return begin;
}

enum comparison { AS_RULED, NOT_AS_RULED, UNKNOWN, NO_MATTER };

/* Compares a guest with the rules. */
static enum comparison
compare(struct doctor *doctor, const char *name)
{
	struct pin pin = PIN_NONE;
	struct cgroup cgroup;
	struct drift drift = {0};
	struct err e;
	size_t length = 0;
	if (cgroup_open(doctor->root, name, &cgroup, &e) != CGROUP_OK)
		return NO_MATTER; /* check_cpuset() reports it */
	cgroup_free(&cgroup);
	AUTO_FREE char *file = NULL;
	const char *xml = read_domain(doctor->root, name, &file, &length, &e);
	enum comparison result = UNKNOWN;
	enum pin_result r = pin_prepare(&pin, &doctor->host, xml, length, name, PIN_SHOW, &e);
	if ((r == PIN_NO_RULE && pin.incomplete == NULL) || (r == PIN_OK && !pin.running))
		result = NO_MATTER;
	else if (r == PIN_OK && drift_find(doctor->root, &pin.plan, &pin.cgroup, &drift, &e) == 0)
		result = drift.drifted > 0 || pin_obstacle(&pin) != NULL ? NOT_AS_RULED
			 : pin.incomplete != NULL			 ? UNKNOWN
									 : AS_RULED;
	drift_free(&drift);
	pin_free(&pin);
	if (result == UNKNOWN && qemu_process_has_ended(doctor->root, name))
		return NO_MATTER;
	return result;
}

void
check_guests(struct doctor *doctor)
{
	struct running_guests guests;
	struct named differ = {0}, unknown = {0};
	struct err e;
	size_t compared = 0;
	if (doctor->host.rules.rule_count == 0 || running_guests(doctor->root, &guests, &e) != 0)
		return;
	for (size_t i = 0; i < guests.count; i++) {
		enum comparison result = compare(doctor, guests.names[i]);
		compared += result == AS_RULED || result == NOT_AS_RULED;
		if (result == NOT_AS_RULED)
			add_name(&differ, guests.names[i]);
		else if (result == UNKNOWN)
			add_name(&unknown, guests.names[i]);
	}
	running_guests_free(&guests);
	if (differ.count > 0) {
		doctor_say(doctor, DOCTOR_FAIL,
			"%zu of %zu running guests with a rule %s not as ruled: %s", differ.count,
			compared, differ.count == 1 ? "is" : "are", differ.text);
		doctor_advise(
			doctor, "vmaffinity status shows what differs, vmaffinity apply sets it");
	} else if (compared > 0) {
		doctor_say(doctor, DOCTOR_PASS, "running guests with a rule: %zu, all as ruled",
			compared);
	}
	if (unknown.count > 0) {
		doctor_say(doctor, DOCTOR_WARN,
			"guests that could not be compared with the rules: %zu: %s", unknown.count,
			unknown.text);
		doctor_advise(doctor, "vmaffinity status GUEST says why");
	}
}
