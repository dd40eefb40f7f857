/* SPDX-License-Identifier: MIT */
#include "desired/claims.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
claims_free(struct claims *claims)
{
	for (size_t i = 0; i < claims->held_count; i++)
		free(claims->held[i].guest);
	for (size_t i = 0; i < claims->guest_count; i++)
		free(claims->guests[i]);
	free(claims->held);
	free(claims->guests);
	free(claims->needs);
	free(claims->kept);
	*claims = (struct claims){0};
}

struct cpumask
claims_held(const struct claims *claims)
{
	struct cpumask held = {0};
	for (size_t i = 0; i < claims->held_count; i++)
		cpumask_or(&held, &claims->held[i].cpus);
	return held;
}

char *
claims_text(const struct claims *claims, const struct cpumask *cpus, char *out, size_t size)
{
	size_t used = 0;
	out[0] = '\0';
	for (size_t i = 0; i < claims->held_count; i++) {
		char list[128], item[512];
		struct cpumask of = claims->held[i].cpus;
		cpumask_and(&of, cpus);
		if (cpumask_empty(&of))
			continue;
		int n = snprintf(item, sizeof(item), "%s%.255s%s %s", used > 0 ? ", " : "",
			claims->held[i].guest, used > 0 ? "" : " holds",
			cpumask_format(&of, list, sizeof(list)));
		if (used + (size_t)n + sizeof(", ...") > size) {
			snprintf(out + used, size - used, "%s", used > 0 ? ", ..." : "...");
			break;
		}
		memcpy(out + used, item, (size_t)n + 1);
		used += (size_t)n;
	}
	return out;
}
