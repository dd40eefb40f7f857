/* SPDX-License-Identifier: MIT */
/*
 * The keys of a rules file. To add a key, add a row to the table in keys.c and a field to
 * struct rule (or, for [global], to struct rules).
 */
#ifndef VMAFFINITY_RULES_KEYS_H
#define VMAFFINITY_RULES_KEYS_H

#include "base/err.h"
#include "rules/rules.h"

/*
 * Adds the line "name = value" to a rule. Copies value->text, but not value->file. Sets *stored to
 * the copy if indented lines may continue it, which is valid until the next key is added, else to
 * NULL. Returns 0, or -1 with the reason: there is no such key, with the nearest one; the rule has
 * the key, or one for some of the same threads, already; or the value is not one of the key's.
 */
int rules_add_key(struct rule *rule, const char *name, const struct value *value,
	struct value **stored, struct err *e);

/*
 * Adds the line "name = value" of [global] to rules. A file may give a key once; a later file's
 * value replaces it. *stored, result and errors are those of rules_add_key().
 */
int rules_add_global_key(struct rules *rules, const char *name, const struct value *value,
	struct value **stored, struct err *e);

/* Frees what the keys of a rule hold. The rule itself belongs to the caller. */
void rules_free_keys(struct rule *rule);

#endif
