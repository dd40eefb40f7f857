/* SPDX-License-Identifier: MIT */
/*
 * The administrator's rules: what /etc/vmaffinity.ini and /etc/vmaffinity.d/ say. See
 * vmaffinity.ini(5).
 */
#ifndef VMAFFINITY_RULES_RULES_H
#define VMAFFINITY_RULES_RULES_H

#include "base/err.h"
#include "base/messages.h"
#include "guest/thread_group.h"

#include <stdbool.h>
#include <stddef.h>

#define RULES_MAIN_FILE "/etc/vmaffinity.ini"
#define RULES_DIRECTORY "/etc/vmaffinity.d"

/* Limits; past one of them there is an error that names it. */
#define RULES_FILE_MAX ((size_t)4 * 1024 * 1024) /* bytes of one file */
#define RULES_FILES_MAX 1024u			 /* files */
#define RULES_MAX 65536u			 /* sections that are rules, in all files */
#define RULES_SETS_MAX 4096u			 /* names in [cpus], in all files */
#define RULES_PATTERN_MAX 255u			 /* bytes of one pattern of "match =" */

/* The text behind "KEY =" and where it stands, for messages. */
struct value {
	char *text; /* continued lines are kept apart by the newlines that stood between them */
	const char *file; /* belongs to the struct rules */
	unsigned line;
	unsigned column; /* of text[0], from 1, in bytes */
};

#define VALUE_PLACE_MAX 512

/* "FILE:LINE:COLUMN" of the byte at offset in value's text. Returns out. */
char *value_place(const struct value *value, size_t offset, char out[VALUE_PLACE_MAX]);

enum on_error {
	ON_ERROR_UNSET,
	ON_ERROR_IGNORE,
	ON_ERROR_FAIL,
};

/* One line that says where a group, or several groups of one kind, may run. */
struct setting {
	enum thread_group_kind kind;
	bool every;	      /* "vcpus", "iothreads", "emulator" */
	unsigned first, last; /* else these ids: "vcpu3" (first == last), "vcpu2-5" */
	struct value value;
};

#define SETTING_KEY_MAX 32

/* The key of a setting as it is written: "vcpus", "vcpu2-5". Returns out. */
char *setting_key(const struct setting *setting, char out[SETTING_KEY_MAX]);

/* Whether the value is "keep": leave what libvirt set. */
bool value_is_keep(const struct value *value);
bool setting_is_keep(const struct setting *setting);

/* Whether vmaffinity watch puts back what others change; unset means that it does not. */
enum enforce {
	ENFORCE_UNSET,
	ENFORCE_NO,
	ENFORCE_YES,
};

struct rule {
	char *section;
	const char *file;
	unsigned line;
	/* The text of each is NULL if there is no such key. */
	struct value match; /* else the section's name is the pattern */
	struct value memory;
	struct value placement; /* a word that rules_placement_check() knows */
	struct setting *settings;
	size_t setting_count;
	enum on_error on_error;
	unsigned on_error_line;
};

struct named_set {
	char *name;
	struct value value;
};

/* Zero-initialised is "no rules". */
struct rules {
	char **files; /* those that were there, in the order of reading */
	size_t file_count;
	struct rule *rules; /* in the order of reading */
	size_t rule_count;
	struct named_set *sets;
	size_t set_count;
	enum on_error on_error; /* of [global] */
	enum enforce enforce;	/* of [global] */
};

/*
 * Reads RULES_MAIN_FILE and then RULES_DIRECTORY's *.ini in byte order, below the directory fd
 * root. What is not there is no error. Each error is added to messages with its FILE:LINE; if there
 * is any, *rules holds what could be understood, good for rules_on_error() and rules_free() only.
 */
void rules_load(struct rules *rules, int root, struct messages *messages);

/* Reads one file, which must be there, and adds what it says to *rules. Errors as above. */
void rules_load_file(
	struct rules *rules, int directory, const char *path, struct messages *messages);

void rules_free(struct rules *rules);

/* The named set "@name" (name need not end in NUL), or NULL. A later file's definition counts. */
const struct named_set *rules_find_set(const struct rules *rules, const char *name, size_t length);

/*
 * A guest is known by its name, which libvirt's hook gives as an argument, and by its UUID, which
 * only its XML says. A uuid that is NULL is not known: no "uuid:" pattern matches it.
 */

/* True if the rule applies to the guest. uuid: 36 characters in either case, "" if it has none. */
bool rule_matches(const struct rule *rule, const char *name, const char *uuid);

/*
 * True if the UUID of the guest of that name must be known to find its rules: some rule has a
 * "uuid:" pattern and does not match by name already.
 */
bool rules_need_uuid(const struct rules *rules, const char *name);

/* True if any rule can match a guest of that name, whatever its UUID. */
bool rules_may_match(const struct rules *rules, const char *name);

/*
 * The rules that match a guest, in the order of reading. Zero-initialised is none. Points into the
 * struct rules.
 */
struct matched {
	const struct rule **rules;
	size_t count;
};

/*
 * Finds the rules that match a guest. Returns 0, or -1 if there was no memory. The caller frees
 * matched->rules.
 */
int rules_match(
	const struct rules *rules, const char *name, const char *uuid, struct matched *matched);

/* True if they say anything but "keep" of where the guest may run or have its memory. */
bool matched_wants_change(const struct matched *matched);

/*
 * True if they ask for what only the guest's XML says: "placement = one-to-one" needs its maximum
 * of vCPUs, its threads of each core and its NUMA cells.
 */
bool matched_needs_xml(const struct matched *matched);

/*
 * The setting that decides over a group: that of the last matching rule which names the group;
 * within one rule, one id beats a range of ids beats every. NULL if no rule says anything.
 */
const struct setting *rules_setting(const struct matched *matched, struct thread_group group);

/* The value of "memory" that decides: that of the last matching rule which has one; or NULL. */
const struct value *rules_memory(const struct matched *matched);

/* The same for "placement = one-to-one"; NULL if none decides, or "float" does. */
const struct value *rules_one_to_one(const struct matched *matched);

/*
 * Returns ON_ERROR_IGNORE or ON_ERROR_FAIL: what the last rule that matches the guest and has the
 * key says, or else [global]. name is NULL if the guest is not known: [global] alone counts.
 */
enum on_error rules_on_error(const struct rules *rules, const char *name, const char *uuid);

#endif
