/* SPDX-License-Identifier: MIT */
#include "cli/against.h"

#include "cli/no_guests.h"

int
against_open(struct against *host, const struct options *options)
{
	struct err e;
	*host = (struct against){.root = options->root, .captured = {.root = -1}};
	if (options->against_count == 0)
		return 0;
	if (snapshot_open(options->against[0], &host->captured, &e) != 0) {
		complain("%s", e.text);
		no_guests_print(options, EXIT_CANNOT, e.text, NULL, NULL);
		return -1;
	}
	host->root = host->captured.root;
	return 0;
}

void
against_close(struct against *host)
{
	snapshot_close(&host->captured);
}
