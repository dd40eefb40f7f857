/* SPDX-License-Identifier: MIT */
#include "cli/status/monitoring.h"

#include "cli/no_guests.h"
#include "cli/status/json.h"

#include <stdio.h>

/* Prints a value of a label: backslash, quote and newline are escaped, the rest is UTF-8. */
static void
print_label(const char *value)
{
	for (const char *s = value; *s != '\0'; s++)
		if (*s == '\n')
			fputs("\\n", stdout);
		else if (*s == '\\' || *s == '"')
			printf("\\%c", *s);
		else
			putchar(*s);
}

static void
print_guest_state(const char *guest, const char *state)
{
	fputs("vmaffinity_guest_state{guest=\"", stdout);
	print_label(guest);
	printf("\",state=\"%s\"} 1\n", state);
}

void
metrics_print(const struct looked_at *all)
{
	no_guests_print_metric(true);
	puts("# HELP vmaffinity_guests Running guests, by how they compare with the rules.\n"
	     "# TYPE vmaffinity_guests gauge");
	for (size_t i = 0; i < STATES; i++)
		printf("vmaffinity_guests{state=\"%s\"} %zu\n", status_state_name((enum state)i),
			all->by_state[i]);
	printf("vmaffinity_guests{state=\"failed\"} %zu\n", all->failures.count);
	puts("# HELP vmaffinity_guest_state The state of a guest: the sample that is there, with "
	     "the value 1.\n"
	     "# TYPE vmaffinity_guest_state gauge");
	for (size_t i = 0; i < all->count; i++)
		print_guest_state(all->items[i]->pin.name, status_state_name(all->items[i]->state));
	for (size_t i = 0; i < all->failures.kept; i++)
		if (!failures_has(&all->failures, i, all->failures.items[i].name))
			print_guest_state(all->failures.items[i].name, "failed");
	puts("# HELP vmaffinity_guest_drifted_groups Thread groups of a guest that are not as "
	     "ruled.\n"
	     "# TYPE vmaffinity_guest_drifted_groups gauge");
	for (size_t i = 0; i < all->count; i++) {
		fputs("vmaffinity_guest_drifted_groups{guest=\"", stdout);
		print_label(all->items[i]->pin.name);
		printf("\"} %zu\n", all->items[i]->drift.drifted);
	}
}

enum exit_status
nagios_status(const struct looked_at *all)
{
	if (all->by_state[STATE_DRIFT] > 0)
		return EXIT_WRONG; /* CRITICAL */
	return looked_at_status(all);
}

void
nagios_print(const struct looked_at *all)
{
	static const char *const words[] = {"OK", "WARNING", "CRITICAL", "UNKNOWN"};
	char summary[SUMMARY_MAX];
	printf("VMAFFINITY %s - %s | as_ruled=%zu drift=%zu no_rule=%zu failed=%zu\n",
		words[nagios_status(all)], looked_at_summary(all, summary),
		all->by_state[STATE_AS_RULED], all->by_state[STATE_DRIFT],
		all->by_state[STATE_NO_RULE], all->failures.count);
}
