/* SPDX-License-Identifier: MIT */
#include "cli/status/looked_at.h"

#include "cli/tally.h"

#include <stdio.h>
#include <string.h>

char *
looked_at_summary(const struct looked_at *all, char out[SUMMARY_MAX])
{
	const struct tally_part parts[] = {{all->by_state[STATE_AS_RULED], "as ruled"},
		{all->by_state[STATE_DRIFT], "not as ruled"},
		{all->by_state[STATE_NO_RULE], "without a rule"},
		{all->by_state[STATE_NOT_RUNNING], "not running"},
		{all->by_state[STATE_ELSEWHERE], "elsewhere"}, {all->failures.count, "failed"}};
	tally_text(all->count + all->failures.count, parts, sizeof(parts) / sizeof(parts[0]), out,
		SUMMARY_MAX);
	size_t used = strlen(out);
	if (all->groups > 0)
		snprintf(out + used, SUMMARY_MAX - used, "; drift in %zu group%s", all->groups,
			all->groups == 1 ? "" : "s");
	return out;
}

enum exit_status
looked_at_status(const struct looked_at *all)
{
	if (all->failures.count > 0)
		return EXIT_CANNOT;
	return all->by_state[STATE_DRIFT] + all->by_state[STATE_ELSEWHERE] > 0 ? EXIT_FINDINGS
									       : EXIT_OK;
}
