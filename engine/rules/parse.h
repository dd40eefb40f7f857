/* SPDX-License-Identifier: MIT */
/* The text of one rules file -> struct rules. The only module that knows inih. */
#ifndef VMAFFINITY_RULES_PARSE_H
#define VMAFFINITY_RULES_PARSE_H

#include "rules/rules.h"

/*
 * Adds what text says to *rules. file is the name for messages; it must live as long as *rules.
 * Each error is added to messages. What is in a CPU set is not looked at; see cpuset_expr.h.
 */
void rules_parse(struct rules *rules, const char *file, const char *text, size_t length,
	struct messages *messages);

#endif
