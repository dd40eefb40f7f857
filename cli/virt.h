/* The guests that libvirt knows. The only door to libvirt. */
#ifndef VMAFFINITY_VIRT_H
#define VMAFFINITY_VIRT_H

#include "../engine/err.h"

#include <stdbool.h>
#include <stddef.h>

struct virt_guest {
	char *name;
	void *domain; /* libvirt's handle of it */
};

/* A read-only connection to a daemon, and guests that it was asked for. */
struct virt {
	void *connection;
	struct virt_guest *guests;
	size_t count;
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

/* Adds the guest called name. Returns 0, or -1 with the reason: there is none, for example. */
int virt_find(struct virt *virt, const char *name, struct err *e);

/* What virt_xml() returns for a guest that is not there any more. */
#define VIRT_GONE 1

/*
 * The XML of a guest as it is now: one question to the daemon. Returns 0 with *xml, which the
 * caller frees; VIRT_GONE or -1, with the reason.
 */
int virt_xml(const struct virt_guest *guest, char **xml, struct err *e);

#endif
