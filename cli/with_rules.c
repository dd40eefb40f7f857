/* SPDX-License-Identifier: MIT */
#include "cli/with_rules.h"

#include "cli/no_guests.h"

enum exit_status
with_rules(const struct options *options,
	enum exit_status (*run)(const struct options *options, struct pin_host *host))
{
	struct pin_host host;
	struct messages messages = {0};
	enum exit_status status = EXIT_WRONG;
	if (pin_host_load(&host, options->root, &options->config, options->config != NULL,
		    &messages) == 0)
		status = run(options, &host);
	else
		no_guests_print(options, status, "the rules have errors", &messages, &host.rules);
	print_messages(stderr, &messages);
	messages_free(&messages);
	pin_host_free(&host);
	return status;
}
