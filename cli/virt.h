/* SPDX-License-Identifier: MIT */
/* The guests that libvirt knows. The only door to libvirt. */
#ifndef VMAFFINITY_CLI_VIRT_H
#define VMAFFINITY_CLI_VIRT_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

#define VIRT_EVENTS 3

struct virt_guest {
	char *name;
	void *domain; /* libvirt's handle of it */
};

/* A read-only connection to a daemon, and guests that it was asked for. */
struct virt {
	void *connection;
	struct virt_guest *guests;
	size_t count;
	int events[VIRT_EVENTS]; /* what virt_listen() has registered: libvirt's numbers of it */
	size_t event_count;
	bool hears_of_end; /* and that we are told of the connection's end */
};

/*
 * Connects to the daemon at uri (NULL: qemu:///system). Returns 0, or -1 with the reason. *virt is
 * to be freed by virt_close() in any case.
 */
int virt_open(struct virt *virt, const char *uri, struct err *e);
void virt_close(struct virt *virt);

/*
 * Adds the guests that run, or all that are defined, by name in byte order. Returns 0, or -1 with
 * the reason.
 */
int virt_list(struct virt *virt, bool running, struct err *e);

/* Forgets the guests that it was asked for. */
void virt_forget(struct virt *virt);

/* Adds the guest called name. Returns 0, or -1 with the reason: there is none, for example. */
int virt_find(struct virt *virt, const char *name, struct err *e);

/* What virt_xml() returns for a guest that is not there any more. */
#define VIRT_GONE 1

/*
 * The XML of a guest as it is now: one question to the daemon. Returns 0 with *xml, which the
 * caller frees; VIRT_GONE or -1, with the reason.
 */
int virt_xml(const struct virt_guest *guest, char **xml, struct err *e);

/*
 * Whether libvirt is still starting the guest, which it counts among those that run: its cgroups
 * come one after the other then. VIRT_STARTED follows.
 */
bool virt_is_starting(const struct virt_guest *guest);

/* What virt_definition() returns for a guest that will not be there when it has ended. */
#define VIRT_TRANSIENT 2

/*
 * The XML with which the guest will be started the next time, and was the last time if nobody has
 * defined it anew since. Returns as virt_xml(), or VIRT_TRANSIENT.
 */
int virt_definition(const struct virt_guest *guest, char **xml, struct err *e);

/*
 * For a program that goes on: libvirt's events. They come out of virt_loop_run(), as does what
 * other files have to say. To be set up by virt_loop_open() before virt_open().
 */

enum virt_event {
	VIRT_STARTED, /* in whatever way: restored, migrated in, ... */
	VIRT_STOPPED, /* likewise */
	VIRT_CHANGED, /* somebody gave it other pins, or another device, while it runs */
	VIRT_LOST,    /* the connection to the daemon: only virt_close() is of use now */
};

/* Who is told; the guest is NULL with VIRT_LOST. It must not call virt_ functions. */
struct virt_listener {
	void (*tell)(void *data, enum virt_event event, const char *guest);
	void *data;
};

/* Called when there is something to read from fd. */
struct virt_source {
	int fd;
	void (*ready)(void *data);
	void *data;
};

/* Both listener and source must live on. Return 0, or -1 with the reason. */
int virt_loop_open(struct err *e);
int virt_loop_add(struct virt_source *source, struct err *e);
int virt_listen(struct virt *virt, struct virt_listener *listener, struct err *e);

/* Waits until something happens, and calls who is to be told. Returns 0, or -1 with the reason. */
int virt_loop_run(struct err *e);

#endif
