/* SPDX-License-Identifier: MIT */
/* Makes a running libvirt daemon look for hooks, and sees it do so. */
#ifndef VMAFFINITY_CLI_ENABLE_RELOAD_H
#define VMAFFINITY_CLI_ENABLE_RELOAD_H

#include "cli/daemon.h"

#include "base/err.h"

enum reload_result {
	RELOAD_FAILED = -1,
	RELOAD_SEEN,	/* it looked for hooks */
	RELOAD_UNKNOWN, /* it was asked to, and the kernel does not let us see if it did */
};

/*
 * Reloads a daemon: through systemd if that runs it, so that systemd knows; else, or if nothing
 * comes of it, with the signal that systemd would send. A daemon that this signal would end is left
 * alone. Takes up to 20 seconds. Returns RELOAD_FAILED with the reason.
 */
enum reload_result reload_daemon(
	const struct daemon_host *host, const struct daemon_process *daemon, struct err *e);

#endif
