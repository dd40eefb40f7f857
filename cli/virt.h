/* The guests that libvirt knows, as XML. The only door to libvirt. */
#ifndef VMAFFINITY_VIRT_H
#define VMAFFINITY_VIRT_H

#include "../engine/err.h"

#include <stdbool.h>
#include <stddef.h>

struct guests {
	char **xml; /* of each */
	size_t count;
};

/*
 * Asks the daemon, over a read-only connection to uri (NULL: qemu:///system), for the running
 * guests, or for all that are defined, or for the one called name if that is not NULL. A guest that
 * goes away meanwhile is passed over. Returns 0 with *guests, to be freed by virt_free(), or -1
 * with the reason.
 */
int virt_guests(
	const char *uri, const char *name, bool running, struct guests *guests, struct err *e);
void virt_free(struct guests *guests);

#endif
