/* SPDX-License-Identifier: MIT */
/* The words of a rules file: its keys, and the values that are no CPU sets. */
#ifndef VMAFFINITY_RULES_KEYS_H
#define VMAFFINITY_RULES_KEYS_H

#include "rules/rules.h"

enum key_kind {
	KEY_GROUP, /* emulator, vcpus, vcpu3, vcpu2-5, iothreads, ...: kind, every, first, last are
		      set */
	KEY_MATCH,
	KEY_MEMORY,
	KEY_PLACEMENT,
	KEY_ON_ERROR,
	KEY_ENFORCE, /* in [global] only */
};

struct key {
	enum key_kind kind;
	enum thread_group_kind group;
	bool every;
	unsigned first, last;
};

/*
 * A key of a rule's section. Returns 0, or -1 with the reason and, for a misspelled one, the
 * nearest key.
 */
int rules_key_parse(const char *name, struct key *key, struct err *e);

/* A key of [global]: KEY_ON_ERROR or KEY_ENFORCE. Returns as above. */
int rules_global_key_parse(const char *name, struct key *key, struct err *e);

/* A name in [cpus]: letters, digits, "_", "-", "."; no more than 63 of them. */
int rules_set_name_check(const char *name, struct err *e);

/* The value of "placement". */
int rules_placement_check(const char *text, struct err *e);

/* The value of "on-error". */
int rules_on_error_parse(const char *text, enum on_error *on_error, struct err *e);

/* The value of "enforce". */
int rules_enforce_parse(const char *text, enum enforce *enforce, struct err *e);

/*
 * The value of "match": comma-separated GLOB, name:GLOB or uuid:UUID. On failure *column is the
 * fault's place.
 */
int rules_match_check(const char *text, size_t *column, struct err *e);

#endif
