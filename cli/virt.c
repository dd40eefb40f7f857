/* SPDX-License-Identifier: MIT */
#include "cli/virt.h"

#include "base/array.h"

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include <stdlib.h>
#include <string.h>

/* By default libvirt prints each error to stderr by itself. */
static void
be_quiet(void *data, virErrorPtr error)
{
	(void)data;
	(void)error;
}

static int
virt_error(struct err *e)
{
	return err_set(e, "%s", virGetLastErrorMessage());
}

int
virt_open(struct virt *virt, const char *uri, struct err *e)
{
	if (uri == NULL)
		uri = "qemu:///system";
	virSetErrorFunc(NULL, be_quiet);
	*virt = (struct virt){.connection = virConnectOpenReadOnly(uri)};
	return virt->connection != NULL ? 0 : err_set(e, "%s: %s", uri, virGetLastErrorMessage());
}

/* Takes over the domain, also on failure. */
static int
add(struct virt *virt, virDomainPtr domain, struct err *e)
{
	const char *known = virDomainGetName(domain);
	char *name = known != NULL ? strdup(known) : NULL;
	struct virt_guest *larger = array_grow(virt->guests, virt->count, sizeof(*virt->guests));
	if (larger != NULL)
		virt->guests = larger;
	if (name == NULL || larger == NULL) {
		free(name);
		virDomainFree(domain);
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
virt_list(struct virt *virt, bool running, struct err *e)
{
	virDomainPtr *domains;
	int count = virConnectListAllDomains(
		virt->connection, &domains, running ? VIR_CONNECT_LIST_DOMAINS_ACTIVE : 0);
	if (count < 0)
		return virt_error(e);
	int r = 0;
	for (int i = 0; i < count; i++)
		if (add(virt, domains[i], e) != 0)
			r = -1;
	free(domains);
	if (virt->count > 0)
		qsort(virt->guests, virt->count, sizeof(*virt->guests), compare_names);
	return r;
}

int
virt_find(struct virt *virt, const char *name, struct err *e)
{
	virDomainPtr domain = virDomainLookupByName(virt->connection, name);
	return domain != NULL ? add(virt, domain, e) : virt_error(e);
}

static int
get_xml(const struct virt_guest *guest, unsigned flags, char **xml, struct err *e)
{
	*xml = virDomainGetXMLDesc(guest->domain, flags);
	if (*xml != NULL)
		return 0;
	bool gone = virGetLastErrorCode() == VIR_ERR_NO_DOMAIN;
	virt_error(e);
	return gone ? VIRT_GONE : -1;
}

int
virt_xml(const struct virt_guest *guest, char **xml, struct err *e)
{
	return get_xml(guest, 0, xml, e);
}

int
virt_definition(const struct virt_guest *guest, char **xml, struct err *e)
{
	if (virDomainIsPersistent(guest->domain) == 0)
		return VIRT_TRANSIENT;
	return get_xml(guest, VIR_DOMAIN_XML_INACTIVE, xml, e);
}

bool
virt_is_starting(const struct virt_guest *guest)
{
	int state, reason;
	return virDomainGetState(guest->domain, &state, &reason, 0) == 0 &&
	       state == VIR_DOMAIN_PAUSED && reason == VIR_DOMAIN_PAUSED_STARTING_UP;
}

void
virt_forget(struct virt *virt)
{
	for (size_t i = 0; i < virt->count; i++) {
		virDomainFree(virt->guests[i].domain);
		free(virt->guests[i].name);
	}
	free(virt->guests);
	virt->guests = NULL;
	virt->count = 0;
}

/* Told of the connection's end. */
static void
on_close(virConnectPtr connection, int reason, void *data)
{
	const struct virt_listener *listener = data;
	(void)connection;
	(void)reason;
	listener->tell(listener->data, VIRT_LOST, NULL);
}

/*
 * What is registered holds the connection, and with it the socket, also when the daemon has gone
 * (virObjectEventStateRegisterClient()): then the daemon cannot be told, and that is no error.
 */
void
virt_close(struct virt *virt)
{
	virt_forget(virt);
	for (size_t i = 0; i < virt->event_count; i++)
		virConnectDomainEventDeregisterAny(virt->connection, virt->events[i]);
	if (virt->hears_of_end)
		virConnectUnregisterCloseCallback(virt->connection, on_close);
	if (virt->connection != NULL)
		virConnectClose(virt->connection);
	*virt = (struct virt){0};
}

int
virt_loop_open(struct err *e)
{
	virSetErrorFunc(NULL, be_quiet);
	return virEventRegisterDefaultImpl() == 0 ? 0 : virt_error(e);
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
	return virEventAddHandle(source->fd, VIR_EVENT_HANDLE_READABLE, is_ready, source, NULL) >= 0
		       ? 0
		       : err_set(e, "the event loop takes no more files");
}

int
virt_loop_run(struct err *e)
{
	return virEventRunDefaultImpl() == 0 ? 0 : virt_error(e);
}

static int
on_lifecycle(virConnectPtr connection, virDomainPtr domain, int event, int detail, void *data)
{
	const struct virt_listener *listener = data;
	(void)connection;
	(void)detail;
	if (event == VIR_DOMAIN_EVENT_STARTED)
		listener->tell(listener->data, VIRT_STARTED, virDomainGetName(domain));
	else if (event == VIR_DOMAIN_EVENT_STOPPED)
		listener->tell(listener->data, VIRT_STOPPED, virDomainGetName(domain));
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
	listener->tell(listener->data, VIRT_CHANGED, virDomainGetName(domain));
}

/* Memory that is plugged in makes libvirt write to the guest's cpusets. */
static void
on_device(virConnectPtr connection, virDomainPtr domain, const char *device, void *data)
{
	const struct virt_listener *listener = data;
	(void)connection;
	(void)device;
	listener->tell(listener->data, VIRT_CHANGED, virDomainGetName(domain));
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
		int id = virConnectDomainEventRegisterAny(
			virt->connection, NULL, events[i].event, events[i].call, listener, NULL);
		if (id < 0)
			return virt_error(e);
		virt->events[virt->event_count++] = id;
	}
	virt->hears_of_end =
		virConnectRegisterCloseCallback(virt->connection, on_close, listener, NULL) == 0;
	return virt->hears_of_end ? 0 : virt_error(e);
}
