/* SPDX-License-Identifier: MIT */
#include "cli/virt_loop.h"

#include "cli/virt_library.h"

int
virt_loop_open(struct err *e)
{
	if (virt_library_load(e) != 0)
		return -1;
	return libvirt.virEventRegisterDefaultImpl() == 0 ? 0 : virt_library_error(e);
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
	return libvirt.virEventRunDefaultImpl() == 0 ? 0 : virt_library_error(e);
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
			return virt_library_error(e);
		virt->events[virt->event_count++] = id;
	}
	virt->close_registered = libvirt.virConnectRegisterCloseCallback(
					 virt->connection, on_close, listener, NULL) == 0;
	return virt->close_registered ? 0 : virt_library_error(e);
}

void
virt_loop_unlisten(struct virt *virt)
{
	for (size_t i = 0; i < virt->event_count; i++)
		libvirt.virConnectDomainEventDeregisterAny(virt->connection, virt->events[i]);
	if (virt->close_registered)
		libvirt.virConnectUnregisterCloseCallback(virt->connection, on_close);
}
