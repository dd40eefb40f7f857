/* SPDX-License-Identifier: MIT */
/* Growing a struct rules, item by item: the limits, and what may stand there only once. */
#ifndef VMAFFINITY_RULES_ADD_H
#define VMAFFINITY_RULES_ADD_H

#include "base/err.h"
#include "rules/keys.h"
#include "rules/rules.h"

#include <stddef.h>

/*
 * Each adds a copy of what it is given: value->text is copied, value->file is not. What is returned
 * or *stored points to is to be found there until the next one of its kind is added.
 */

/* Returns NULL with the reason if it cannot. */
struct rule *rules_add_rule(struct rules *rules, const char *section, size_t length,
	const char *file, unsigned line, struct err *e);

/*
 * A line of [cpus], its value in *stored. A file may not define a name twice; a later file may
 * define it anew. Returns 0, or -1 with the reason.
 */
int rules_add_set(struct rules *rules, const char *name, const struct value *value,
	struct value **stored, struct err *e);

/*
 * A line of a rule. *stored, NULL before, is set to its value if another line may continue that.
 * Returns 0, or -1 with the reason: no such key, or the rule has it, or a part of it, already.
 */
int rules_add_key(struct rule *rule, const char *name, const struct value *value,
	struct value **stored, struct err *e);

/* "on-error =" of a section, *on_error. Returns 0, or -1 with the reason. */
int rules_add_on_error(enum on_error *on_error, const char *text, struct err *e);

/* "enforce =" of [global], *enforce. Returns 0, or -1 with the reason. */
int rules_add_enforce(enum enforce *enforce, const char *text, struct err *e);

#endif
