/* SPDX-License-Identifier: MIT */
#include "cli/change.h"

#include "cli/interrupt.h"
#include "cli/tally.h"

#include <stdio.h>

/* Guests by outcome. */
struct counts {
	size_t made, needless, no_rule, ended, left;
	struct failures failures;
};

static void
change_and_print(
	struct guests *guests, const char *name, const struct change *change, struct counts *counts)
{
	struct err e;
	char done[PIN_DONE_MAX] = "";
	interrupt_changing(true);
	enum pin_result r = change->make(guests, name, change->data, done, &e);
	if (r == PIN_CHANGED) {
		counts->made++;
		print_line("%s: %s: %s", name, change->made, done);
	} else if (r == PIN_OK) {
		counts->needless++;
		print_line("%s: %s", name, change->needless);
	} else if (r == PIN_NO_RULE) {
		counts->no_rule++;
		print_line("%s: no rule pins it", name);
	} else if (r == PIN_NOT_RUNNING && guests->options->word_count == 0) {
		counts->ended++;
	} else {
		err_context(&e, "%s", change->failed);
		failures_add(&counts->failures, name, e.text);
	}
	interrupt_changing(false);
}

enum exit_status
change_guests(const struct options *options, const struct change *change)
{
	struct guests guests;
	struct counts counts = {0};
	int opened = guests_open(&guests, options, &counts.failures);
	size_t count = guests.count + counts.failures.count, done = 0;
	interrupt_catch();
	for (; done < guests.count && opened == 0 && interrupt_signal() == 0; done++)
		change_and_print(&guests, guests.names[done], change, &counts);
	for (counts.left = opened == 0 ? guests.count - done : 0; done < guests.count; done++)
		complain("%s: not looked at: ended by a signal", guests.names[done]);
	const struct tally_part parts[] = {{counts.made, change->made},
		{counts.needless, change->needless_sum}, {counts.no_rule, "without a rule"},
		{counts.ended, "ended meanwhile"}, {counts.failures.count, "failed"},
		{counts.left, "not looked at"}};
	if (opened == 0 && count == 0)
		puts("no guest is running");
	else if (opened == 0 && count > 1)
		tally_print(count, parts, sizeof(parts) / sizeof(parts[0]));
	enum exit_status status = opened != 0		      ? EXIT_CANNOT
				  : counts.failures.count > 0 ? EXIT_FINDINGS
							      : EXIT_OK;
	failures_free(&counts.failures);
	guests_close(&guests);
	return status;
}
