/* SPDX-License-Identifier: MIT */
/* The status of guests for monitoring: Prometheus' text format, and a Nagios plugin's line. */
#ifndef VMAFFINITY_CLI_STATUS_MONITORING_H
#define VMAFFINITY_CLI_STATUS_MONITORING_H

#include "cli/status/looked_at.h"

/*
 * Prints metrics for a textfile collector (prometheus.io/docs/instrumenting/exposition_formats).
 * A guest that could not be looked at has the state "failed".
 */
void metrics_print(const struct looked_at *all);

/* Prints one line with performance data (nagios-plugins.org/doc/guidelines.html). */
void nagios_print(const struct looked_at *all);

/* Returns a plugin's exit status: 1 WARNING, 2 CRITICAL (drift), 3 UNKNOWN; 0 OK. */
enum exit_status nagios_status(const struct looked_at *all);

#endif
