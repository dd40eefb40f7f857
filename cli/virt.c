/* SPDX-License-Identifier: MIT */
#include "cli/virt.h"

#include "cli/virt_library.h"
#include "cli/virt_loop.h"

#include "base/array.h"
#include "base/number.h"

#include <fnmatch.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static int
connect_to(struct virt *virt, const char *uri, bool to_change, struct err *e)
{
	if (uri == NULL)
		uri = "qemu:///system";
	*virt = (struct virt){0};
	if (virt_library_load(e) != 0)
		return -1;
	virt->connection =
		to_change ? libvirt.virConnectOpen(uri) : libvirt.virConnectOpenReadOnly(uri);
	if (virt->connection != NULL)
		return 0;
	if (libvirt.virGetLastErrorCode() == VIR_ERR_SYSTEM_ERROR) /* its socket */
		return err_set(e,
			"no libvirt daemon answers at %s: is libvirtd or virtqemud running? (%s)",
			uri, libvirt.virGetLastErrorMessage());
	return err_set(e, "%s: %s", uri, libvirt.virGetLastErrorMessage());
}

int
virt_open(struct virt *virt, const char *uri, struct err *e)
{
	return connect_to(virt, uri, false, e);
}

int
virt_open_to_change(struct virt *virt, const char *uri, struct err *e)
{
	return connect_to(virt, uri, true, e);
}

int
virt_version(unsigned long *version, struct err *e)
{
	if (virt_library_load(e) != 0)
		return -1;
	return libvirt.virGetVersion(version, NULL, NULL) == 0 ? 0 : virt_library_error(e);
}

/* Takes over the domain, also on failure. */
static int
add(struct virt *virt, virDomainPtr domain, struct err *e)
{
	const char *known = libvirt.virDomainGetName(domain);
	char *name = known != NULL ? strdup(known) : NULL;
	struct virt_guest *larger = array_grow(virt->guests, virt->count, sizeof(*virt->guests));
	if (larger != NULL)
		virt->guests = larger;
	if (name == NULL || larger == NULL) {
		free(name);
		libvirt.virDomainFree(domain);
		return err_set(e, "out of memory");
	}
	virt->guests[virt->count++] = (struct virt_guest){.name = name, .domain = domain};
	return 0;
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(((const struct virt_guest *)a)->name, ((const struct virt_guest *)b)->name);
}

int
virt_list(struct virt *virt, bool running, const char *pattern, struct err *e)
{
	size_t before = virt->count;
	virDomainPtr *domains;
	int count = libvirt.virConnectListAllDomains(
		virt->connection, &domains, running ? VIR_CONNECT_LIST_DOMAINS_ACTIVE : 0);
	if (count < 0)
		return virt_library_error(e);
	int r = 0;
	for (int i = 0; i < count; i++) {
		const char *name = libvirt.virDomainGetName(domains[i]);
		if (pattern != NULL &&
			(fnmatch(pattern, name, 0) != 0 || virt_known(virt, name) != NULL))
			libvirt.virDomainFree(domains[i]);
		else if (add(virt, domains[i], e) != 0)
			r = -1;
	}
	free(domains);
	if (virt->count > before)
		qsort(virt->guests + before, virt->count - before, sizeof(*virt->guests),
			compare_names);
	return r;
}

int
virt_find(struct virt *virt, const char *name, struct err *e)
{
	virDomainPtr domain = libvirt.virDomainLookupByName(virt->connection, name);
	return domain != NULL ? add(virt, domain, e) : virt_library_error(e);
}

int
virt_find_by_id(struct virt *virt, const char *id, struct err *e)
{
	const char *end = id;
	unsigned number;
	bool numeric = number_parse(&end, INT_MAX, &number) == 0 && *end == '\0';
	virDomainPtr domain = numeric ? libvirt.virDomainLookupByID(virt->connection, (int)number)
				      : libvirt.virDomainLookupByUUIDString(virt->connection, id);
	return domain != NULL ? add(virt, domain, e) : virt_library_error(e);
}

const struct virt_guest *
virt_known(const struct virt *virt, const char *name)
{
	for (size_t i = 0; i < virt->count; i++)
		if (strcmp(virt->guests[i].name, name) == 0)
			return &virt->guests[i];
	return NULL;
}

static enum virt_result
get_xml(const struct virt_guest *guest, unsigned flags, char **xml, struct err *e)
{
	*xml = libvirt.virDomainGetXMLDesc(guest->domain, flags);
	if (*xml != NULL)
		return VIRT_OK;
	bool gone = libvirt.virGetLastErrorCode() == VIR_ERR_NO_DOMAIN;
	virt_library_error(e);
	return gone ? VIRT_GONE : VIRT_FAILED;
}

enum virt_result
virt_xml(const struct virt_guest *guest, char **xml, struct err *e)
{
	return get_xml(guest, 0, xml, e);
}

enum virt_result
virt_definition(const struct virt_guest *guest, char **xml, struct err *e)
{
	if (libvirt.virDomainIsPersistent(guest->domain) == 0)
		return VIRT_TRANSIENT;
	return get_xml(guest, VIR_DOMAIN_XML_INACTIVE, xml, e);
}

enum virt_result
virt_next_xml(const struct virt_guest *guest, char **xml, struct err *e)
{
	enum virt_result r = virt_definition(guest, xml, e);
	return r == VIRT_TRANSIENT ? virt_xml(guest, xml, e) : r;
}

/* Pins group by the function of its kind. map has size bytes, the lowest CPU in the lowest bit. */
static int
pin_by_kind(virDomainPtr domain, struct thread_group group, unsigned char *map, int size)
{
	switch (group.kind) {
	case GROUP_VCPU:
		return libvirt.virDomainPinVcpuFlags(
			domain, group.id, map, size, VIR_DOMAIN_AFFECT_LIVE);
	case GROUP_IOTHREAD:
		return libvirt.virDomainPinIOThread(
			domain, group.id, map, size, VIR_DOMAIN_AFFECT_LIVE);
	case GROUP_EMULATOR:
	case GROUP_VHOST: /* has no pin of libvirt's: nobody asks */
	case GROUP_KINDS:
		break;
	}
	return libvirt.virDomainPinEmulator(domain, map, size, VIR_DOMAIN_AFFECT_LIVE);
}

enum virt_result
virt_pin(const struct virt_guest *guest, struct thread_group group, const struct cpumask *cpus,
	struct err *e)
{
	unsigned char map[CPUMASK_CPUS / 8] = {0};
	int size = 0;
	cpumask_for_each (cpu, cpus) {
		map[cpu / 8] |= (unsigned char)(1u << cpu % 8);
		size = (int)(cpu / 8) + 1;
	}
	if (pin_by_kind(guest->domain, group, map, size) == 0)
		return VIRT_OK;
	bool gone = libvirt.virGetLastErrorCode() == VIR_ERR_INVALID_ARG;
	virt_library_error(e);
	return gone ? VIRT_GONE : VIRT_FAILED;
}

int
virt_read_note(const struct virt_guest *guest, char **text, struct err *e)
{
	*text = libvirt.virDomainGetMetadata(
		guest->domain, VIR_DOMAIN_METADATA_ELEMENT, VIRT_NOTE_URI, VIR_DOMAIN_AFFECT_LIVE);
	if (*text != NULL || libvirt.virGetLastErrorCode() == VIR_ERR_NO_DOMAIN_METADATA)
		return 0;
	return virt_library_error(e);
}

int
virt_write_note(const struct virt_guest *guest, const char *text, struct err *e)
{
	return libvirt.virDomainSetMetadata(guest->domain, VIR_DOMAIN_METADATA_ELEMENT, text,
		       "vmaffinity", VIRT_NOTE_URI, VIR_DOMAIN_AFFECT_LIVE) == 0
		       ? 0
		       : virt_library_error(e);
}

bool
virt_is_starting(const struct virt_guest *guest)
{
	int state, reason;
	return libvirt.virDomainGetState(guest->domain, &state, &reason, 0) == 0 &&
	       state == VIR_DOMAIN_PAUSED && reason == VIR_DOMAIN_PAUSED_STARTING_UP;
}

bool
virt_is_running(const struct virt_guest *guest)
{
	int state, reason;
	return libvirt.virDomainGetState(guest->domain, &state, &reason, 0) == 0 &&
	       state != VIR_DOMAIN_SHUTOFF && state != VIR_DOMAIN_CRASHED;
}

void
virt_forget(struct virt *virt)
{
	for (size_t i = 0; i < virt->count; i++) {
		libvirt.virDomainFree(virt->guests[i].domain);
		free(virt->guests[i].name);
	}
	free(virt->guests);
	virt->guests = NULL;
	virt->count = 0;
}

void
virt_close(struct virt *virt)
{
	virt_forget(virt);
	virt_loop_unlisten(virt);
	if (virt->connection != NULL)
		libvirt.virConnectClose(virt->connection);
	*virt = (struct virt){0};
}
