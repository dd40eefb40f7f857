/* SPDX-License-Identifier: MIT */
/*
 * Waits for libvirt's events, for a command that keeps running. virt_loop_run() reports them, and
 * readable files that virt_loop_add() added. Call virt_loop_open() before virt_open().
 */
#ifndef VMAFFINITY_CLI_VIRT_LOOP_H
#define VMAFFINITY_CLI_VIRT_LOOP_H

#include "cli/virt.h"

enum virt_event {
	VIRT_STARTED, /* in any way: booted, restored, migrated in */
	VIRT_STOPPED, /* in any way */
	VIRT_CHANGED, /* the running guest was given other pins or another device */
	VIRT_LOST,    /* the connection has ended: only virt_close() may be called now */
};

/* Receives events; guest is NULL with VIRT_LOST. tell must not call virt_ functions. */
struct virt_listener {
	void (*tell)(void *data, enum virt_event event, const char *guest);
	void *data;
};

/* ready is called when fd can be read. */
struct virt_source {
	int fd;
	void (*ready)(void *data);
	void *data;
};

/* The listener and the source must outlive the loop. Return 0, or -1 with the reason. */
int virt_loop_open(struct err *e);
int virt_loop_add(struct virt_source *source, struct err *e);
int virt_listen(struct virt *virt, struct virt_listener *listener, struct err *e);

/* Waits for events and calls their receivers. Returns 0, or -1 with the reason. */
int virt_loop_run(struct err *e);

/*
 * Ends what virt_listen() began; virt_close() calls it. Registered callbacks hold the connection
 * and its socket (virObjectEventStateRegisterClient()), so they are removed even if the daemon is
 * gone. Then the calls fail, which does no harm.
 */
void virt_loop_unlisten(struct virt *virt);

#endif
