/* Growing a struct rules, item by item: the limits, and what may stand there only once. */
#ifndef VMAFFINITY_RULES_ADD_H
#define VMAFFINITY_RULES_ADD_H

#include "err.h"
#include "rules.h"
#include "rules_key.h"

#include <stddef.h>

/*
 * Each adds a copy of what it is given, and returns it, to be found there until the next one of its
 * kind is added; or NULL with the reason. value->text is copied, value->file is not.
 */

struct rule *rules_add_rule(struct rules *rules, const char *section, size_t length,
	const char *file, unsigned line, struct err *e);

/* A file may not define a name twice; a later file may define it anew. */
struct named_set *rules_add_set(
	struct rules *rules, const char *name, const struct value *value, struct err *e);

/* name is the key as it is written, for the message if the rule has it, or a part of it, already.
 */
struct setting *rules_add_setting(struct rule *rule, const char *name, const struct key *key,
	const struct value *value, struct err *e);

/*
 * The value of a key that a rule has once, to *stored, a member of the rule; name is the key.
 * Returns 0, or -1 with the reason.
 */
int rules_add_value(
	struct value *stored, const char *name, const struct value *value, struct err *e);

/* "on-error =" of a section, *on_error. Returns 0, or -1 with the reason. */
int rules_add_on_error(enum on_error *on_error, const char *text, struct err *e);

/* "enforce =" of [global], *enforce. Returns 0, or -1 with the reason. */
int rules_add_enforce(enum enforce *enforce, const char *text, struct err *e);

#endif
