/* SPDX-License-Identifier: MIT */
#include "cli/watch/watched.h"

#include <stdlib.h>

void
watched_free(struct watched *guest)
{
	free(guest->name);
	free(guest->plugged);
	messages_free(&guest->reported);
}
