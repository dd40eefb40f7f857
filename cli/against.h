/* SPDX-License-Identifier: MIT */
/* The host that a command looks at: that of --against, or the one below --sysroot. */
#ifndef VMAFFINITY_CLI_AGAINST_H
#define VMAFFINITY_CLI_AGAINST_H

#include "cli/capture/snapshot_read.h"
#include "cli/command.h"

struct against {
	int root;		       /* directory fd of the host's files */
	struct snapshot_tree captured; /* open with --against only */
};

/*
 * Opens the first host file of --against or, without that option, takes options->root. Returns 0
 * with *host, to be closed by against_close(), or -1 after complaining, to programs as well.
 */
int against_open(struct against *host, const struct options *options);
void against_close(struct against *host);

#endif
