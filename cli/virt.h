/* SPDX-License-Identifier: MIT */
/* The guests that libvirt knows. Nothing but this and virt_loop.h calls libvirt. */
#ifndef VMAFFINITY_CLI_VIRT_H
#define VMAFFINITY_CLI_VIRT_H

#include "base/cpumask.h"
#include "base/err.h"
#include "guest/thread_group.h"

#include <stdbool.h>
#include <stddef.h>

#define VIRT_EVENTS 3

struct virt_guest {
	char *name;
	void *domain; /* virDomainPtr */
};

/* A connection to a daemon, and the guests that virt_list() and virt_find() added. */
struct virt {
	void *connection; /* virConnectPtr */
	struct virt_guest *guests;
	size_t count;
	int events[VIRT_EVENTS]; /* callback IDs of the events that virt_listen() registered */
	size_t event_count;
	bool close_registered; /* virt_listen() registered a callback for the connection's end */
};

enum virt_result {
	VIRT_FAILED = -1,
	VIRT_OK = 0,
	VIRT_GONE,	/* the guest does not exist any more */
	VIRT_TRANSIENT, /* the guest has no definition that outlives it */
};

/*
 * Connects to the daemon at uri (NULL: qemu:///system), to read; virt_open_to_change() to change
 * guests as well, which libvirt allows root. Returns 0, or -1 with the reason. The caller calls
 * virt_close() in any case.
 */
int virt_open(struct virt *virt, const char *uri, struct err *e);
int virt_open_to_change(struct virt *virt, const char *uri, struct err *e);
void virt_close(struct virt *virt);

/*
 * Reads the version of the libvirt that is installed: 6005000 is 6.5.0. A daemon needs the library
 * of its own version. Returns 0, or -1 with the reason.
 */
int virt_version(unsigned long *version, struct err *e);

/*
 * Adds the running guests, or all defined ones, sorted by name in byte order: those whose name
 * matches pattern, a glob(7), and that are not there yet; NULL: all. Returns 0, or -1 with the
 * reason.
 */
int virt_list(struct virt *virt, bool running, const char *pattern, struct err *e);

/* Removes the guests that were added. */
void virt_forget(struct virt *virt);

/* Returns the guest of that name among those added, or NULL. */
const struct virt_guest *virt_known(const struct virt *virt, const char *name);

/* Adds the guest of that name. Returns 0, or -1 with the reason, for example that there is none. */
int virt_find(struct virt *virt, const char *name, struct err *e);

/* Adds the guest of that UUID or, if it is a number, that id. Returns as virt_find() does. */
int virt_find_by_id(struct virt *virt, const char *id, struct err *e);

/*
 * Reads the XML of a guest as it is now, with one call to the daemon. Returns VIRT_OK with *xml,
 * which the caller frees; VIRT_GONE or VIRT_FAILED, with the reason.
 */
enum virt_result virt_xml(const struct virt_guest *guest, char **xml, struct err *e);

/*
 * True while libvirt starts the guest. libvirt lists such a guest as running, but makes its cgroups
 * one after the other; VIRT_STARTED follows.
 */
bool virt_is_starting(const struct virt_guest *guest);

/* True if libvirt says that the guest runs. */
bool virt_is_running(const struct virt_guest *guest);

/*
 * Reads the guest's definition: the XML with which it starts the next time, and started the last
 * time unless it was redefined since. Returns as virt_xml() does, or VIRT_TRANSIENT.
 */
enum virt_result virt_definition(const struct virt_guest *guest, char **xml, struct err *e);

/*
 * Reads the XML with which a guest will start next: its definition, without what was changed while
 * it runs ("virsh vcpupin --live"). One without a definition has only what it runs with. Returns as
 * virt_xml() does.
 */
enum virt_result virt_next_xml(const struct virt_guest *guest, char **xml, struct err *e);

/*
 * Pins a group of the running guest, as "virsh vcpupin --live" does: libvirt writes cpus to the
 * group's cgroup and into its record of the guest. Returns VIRT_OK; VIRT_GONE if the guest does not
 * have the group now; or VIRT_FAILED with the reason.
 */
enum virt_result virt_pin(const struct virt_guest *guest, struct thread_group group,
	const struct cpumask *cpus, struct err *e);

/*
 * A note in the metadata of the running guest: an XML element, that libvirt keeps as long as the
 * guest runs, also where it is restored or migrated to (virDomainSetMetadata()).
 */
#define VIRT_NOTE_URI "urn:vmaffinity:record"

/* Reads the note; *text, which the caller frees, is NULL without one. Returns 0, or -1 with the
 * reason. */
int virt_read_note(const struct virt_guest *guest, char **text, struct err *e);

/* Replaces the note; NULL: removes it. Returns 0, or -1 with the reason. */
int virt_write_note(const struct virt_guest *guest, const char *text, struct err *e);

#endif
