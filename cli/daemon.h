/* SPDX-License-Identifier: MIT */
/* The running libvirt daemons with the QEMU driver in them: libvirtd and virtqemud. */
#ifndef VMAFFINITY_CLI_DAEMON_H
#define VMAFFINITY_CLI_DAEMON_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <time.h>

/* The host that the daemons run on. */
struct daemon_host {
	int root;     /* directory fd of its files */
	bool is_tree; /* they are copies (--sysroot): no process there can be asked or signalled */
};

struct daemon_process {
	pid_t pid;
	char name[16]; /* /proc/PID/comm: TASK_COMM_LEN with the NUL */
};

/* True if a process of that name is such a daemon. */
bool daemon_is_named(const char *name);

/*
 * True if the daemon runs the hooks of this host: not that of a container, of another user, or of a
 * mount namespace with an /etc/libvirt or a /run/libvirt of its own.
 */
bool daemon_is_hosts(const struct daemon_host *host, pid_t pid);

/* Lists the daemons that run the hooks of this host. Returns 0 with *daemons (caller frees) and
 * *count, or -1 with errno set. */
int daemon_list(const struct daemon_host *host, struct daemon_process **daemons, size_t *count);

/* True if systemd runs the daemon as a unit of the daemon's name. */
bool daemon_is_unit(const struct daemon_host *host, const struct daemon_process *daemon);

enum daemon_knowledge {
	DAEMON_STARTED_LATER,  /* it was started after the hook was installed */
	DAEMON_RELOADED_LATER, /* it was reloaded after the hook was installed */
	DAEMON_NOT_RELOADED,   /* it was not reloaded since */
	DAEMON_RELOAD_UNKNOWN, /* it was started before; nothing records reloads */
	DAEMON_START_UNKNOWN,  /* its start cannot be read; errno says why */
};

/*
 * Finds out if the daemon has looked for hooks since a hook was installed at that time. It looks
 * when it starts and when it is reloaded, and remembers only if there is one (FACTS 1). *start is
 * when it started, as seconds since the Epoch, unless that is unknown.
 */
enum daemon_knowledge daemon_knows_hook(const struct daemon_host *host,
	const struct daemon_process *daemon, struct timespec hooked, time_t *start);

#endif
