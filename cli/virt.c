/* SPDX-License-Identifier: MIT */
/*
 * Calls libvirt, which is loaded on first need: it brings 60 libraries, more than any command does
 * that needs none of them, and doctor must run where one of those is broken.
 */
#include "cli/virt.h"

#include "base/array.h"
#include "base/number.h"

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include <dlfcn.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* The ABI of libvirt that its headers describe; libvirt has not broken it since 0.1. */
#define LIBRARY "libvirt.so.0"

/* clang-format off */
#define FUNCTIONS(X) \
	X(virConnectClose) \
	X(virConnectDomainEventDeregisterAny) \
	X(virConnectDomainEventRegisterAny) \
	X(virConnectListAllDomains) \
	X(virConnectOpen) \
	X(virConnectOpenReadOnly) \
	X(virConnectRegisterCloseCallback) \
	X(virConnectUnregisterCloseCallback) \
	X(virDomainFree) \
	X(virDomainGetMetadata) \
	X(virDomainGetName) \
	X(virDomainGetState) \
	X(virDomainGetXMLDesc) \
	X(virDomainIsPersistent) \
	X(virDomainLookupByID) \
	X(virDomainLookupByName) \
	X(virDomainLookupByUUIDString) \
	X(virDomainPinEmulator) \
	X(virDomainPinIOThread) \
	X(virDomainPinVcpuFlags) \
	X(virDomainSetMetadata) \
	X(virEventAddHandle) \
	X(virEventRegisterDefaultImpl) \
	X(virEventRunDefaultImpl) \
	X(virGetLastErrorCode) \
	X(virGetLastErrorMessage) \
	X(virGetVersion) \
	X(virSetErrorFunc)
/* clang-format on */

#define MEMBER(name) __typeof__(name) *name; /* NOLINT(bugprone-macro-parentheses) */
static struct {
	FUNCTIONS(MEMBER)
} libvirt;

/* Loads libvirt unless that is done. Returns 0, or -1 with the reason. */
static int
load_libvirt(struct err *e)
{
	static void *library;
	if (library != NULL)
		return 0;
	void *handle = dlopen(LIBRARY, RTLD_NOW);
	if (handle == NULL)
		return err_set(e, "%s", dlerror());
#define LOAD(name)                                                                                 \
	if ((libvirt.name = (__typeof__(name) *)dlsym(handle, #name)) == NULL)                     \
		return err_set(e, "%s: no " #name, LIBRARY);
	FUNCTIONS(LOAD)
	library = handle;
	return 0;
}

/* Keeps libvirt from printing each error to stderr, as it does by default. */
static void
be_quiet(void *data, virErrorPtr error)
{
	(void)data;
	(void)error;
}

static int
virt_error(struct err *e)
{
	return err_set(e, "%s", libvirt.virGetLastErrorMessage());
}

static int
connect_to(struct virt *virt, const char *uri, bool to_change, struct err *e)
{
	if (uri == NULL)
		uri = "qemu:///system";
	*virt = (struct virt){0};
	if (load_libvirt(e) != 0)
		return -1;
	libvirt.virSetErrorFunc(NULL, be_quiet);
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
	if (load_libvirt(e) != 0)
		return -1;
	return libvirt.virGetVersion(version, NULL, NULL) == 0 ? 0 : virt_error(e);
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
		return virt_error(e);
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
	return domain != NULL ? add(virt, domain, e) : virt_error(e);
}

int
virt_find_by_id(struct virt *virt, const char *id, struct err *e)
{
	const char *end = id;
	unsigned number;
	bool numeric = number_parse(&end, INT_MAX, &number) == 0 && *end == '\0';
	virDomainPtr domain = numeric ? libvirt.virDomainLookupByID(virt->connection, (int)number)
				      : libvirt.virDomainLookupByUUIDString(virt->connection, id);
	return domain != NULL ? add(virt, domain, e) : virt_error(e);
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
	virt_error(e);
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
	virt_error(e);
	return gone ? VIRT_GONE : VIRT_FAILED;
}

int
virt_read_note(const struct virt_guest *guest, char **text, struct err *e)
{
	*text = libvirt.virDomainGetMetadata(
		guest->domain, VIR_DOMAIN_METADATA_ELEMENT, VIRT_NOTE_URI, VIR_DOMAIN_AFFECT_LIVE);
	if (*text != NULL || libvirt.virGetLastErrorCode() == VIR_ERR_NO_DOMAIN_METADATA)
		return 0;
	return virt_error(e);
}

int
virt_write_note(const struct virt_guest *guest, const char *text, struct err *e)
{
	return libvirt.virDomainSetMetadata(guest->domain, VIR_DOMAIN_METADATA_ELEMENT, text,
		       "vmaffinity", VIRT_NOTE_URI, VIR_DOMAIN_AFFECT_LIVE) == 0
		       ? 0
		       : virt_error(e);
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

/* Reports the connection's end. */
static void
on_close(virConnectPtr connection, int reason, void *data)
{
	const struct virt_listener *listener = data;
	(void)connection;
	(void)reason;
	listener->tell(listener->data, VIRT_LOST, NULL);
}

/*
 * Registered callbacks hold the connection and its socket (virObjectEventStateRegisterClient()), so
 * they are removed even if the daemon is gone. Then the calls fail, which does no harm.
 */
void
virt_close(struct virt *virt)
{
	virt_forget(virt);
	for (size_t i = 0; i < virt->event_count; i++)
		libvirt.virConnectDomainEventDeregisterAny(virt->connection, virt->events[i]);
	if (virt->close_registered)
		libvirt.virConnectUnregisterCloseCallback(virt->connection, on_close);
	if (virt->connection != NULL)
		libvirt.virConnectClose(virt->connection);
	*virt = (struct virt){0};
}

int
virt_loop_open(struct err *e)
{
	if (load_libvirt(e) != 0)
		return -1;
	libvirt.virSetErrorFunc(NULL, be_quiet);
	return libvirt.virEventRegisterDefaultImpl() == 0 ? 0 : virt_error(e);
}

static void
is_ready(int watch, int fd, int events, void *data)
{
	const struct virt_source *source = data;
	(void)watch;
	(void)fd;
	(void)events;
	source->ready(source->data);
}

int
virt_loop_add(struct virt_source *source, struct err *e)
{
	return libvirt.virEventAddHandle(
		       source->fd, VIR_EVENT_HANDLE_READABLE, is_ready, source, NULL) >= 0
		       ? 0
		       : err_set(e, "the event loop takes no more files");
}

int
virt_loop_run(struct err *e)
{
	return libvirt.virEventRunDefaultImpl() == 0 ? 0 : virt_error(e);
}

static int
on_lifecycle(virConnectPtr connection, virDomainPtr domain, int event, int detail, void *data)
{
	const struct virt_listener *listener = data;
	(void)connection;
	(void)detail;
	if (event == VIR_DOMAIN_EVENT_STARTED)
		listener->tell(listener->data, VIRT_STARTED, libvirt.virDomainGetName(domain));
	else if (event == VIR_DOMAIN_EVENT_STOPPED)
		listener->tell(listener->data, VIRT_STOPPED, libvirt.virDomainGetName(domain));
	return 0;
}

static void
on_tunable(virConnectPtr connection, virDomainPtr domain, virTypedParameterPtr parameters,
	int count, void *data)
{
	const struct virt_listener *listener = data;
	(void)connection;
	(void)parameters;
	(void)count;
	listener->tell(listener->data, VIRT_CHANGED, libvirt.virDomainGetName(domain));
}

/* Reports a new device: for plugged memory libvirt writes to the guest's cpusets. */
static void
on_device(virConnectPtr connection, virDomainPtr domain, const char *device, void *data)
{
	const struct virt_listener *listener = data;
	(void)connection;
	(void)device;
	listener->tell(listener->data, VIRT_CHANGED, libvirt.virDomainGetName(domain));
}

int
virt_listen(struct virt *virt, struct virt_listener *listener, struct err *e)
{
	const struct {
		int event;
		virConnectDomainEventGenericCallback call;
	} events[VIRT_EVENTS] = {
		{VIR_DOMAIN_EVENT_ID_LIFECYCLE, VIR_DOMAIN_EVENT_CALLBACK(on_lifecycle)},
		{VIR_DOMAIN_EVENT_ID_TUNABLE, VIR_DOMAIN_EVENT_CALLBACK(on_tunable)},
		{VIR_DOMAIN_EVENT_ID_DEVICE_ADDED, VIR_DOMAIN_EVENT_CALLBACK(on_device)}};
	for (size_t i = 0; i < VIRT_EVENTS; i++) {
		int id = libvirt.virConnectDomainEventRegisterAny(
			virt->connection, NULL, events[i].event, events[i].call, listener, NULL);
		if (id < 0)
			return virt_error(e);
		virt->events[virt->event_count++] = id;
	}
	virt->close_registered = libvirt.virConnectRegisterCloseCallback(
					 virt->connection, on_close, listener, NULL) == 0;
	return virt->close_registered ? 0 : virt_error(e);
}
