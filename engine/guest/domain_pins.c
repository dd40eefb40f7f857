/* SPDX-License-Identifier: MIT */
#include "guest/domain_pins.h"

#include <stdlib.h>
#include <string.h>

void
domain_pins_free(struct domain_pins *pins)
{
	free(pins->pins);
	free(pins->devices);
	*pins = (struct domain_pins){0};
}

const struct cpumask *
domain_pins_find(const struct domain_pins *pins, struct thread_group group)
{
	for (size_t i = 0; i < pins->count; i++)
		if (thread_group_compare(pins->pins[i].group, group) == 0)
			return &pins->pins[i].cpus;
	return pins->has_default && group.kind != GROUP_VHOST ? &pins->fallback : NULL;
}

bool
domain_pins_share_device(const char *one, const char *other)
{
	for (const char *line = one; line != NULL && *line != '\0';) {
		size_t length = strcspn(line, "\n") + 1;
		const char *at = other;
		while (at != NULL && *at != '\0' && strncmp(at, line, length) != 0)
			at += strcspn(at, "\n") + 1;
		if (at != NULL && *at != '\0')
			return true;
		line += length;
	}
	return false;
}
