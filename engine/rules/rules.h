/* SPDX-License-Identifier: MIT */
/* The administrator's rules, from /etc/vmaffinity.ini and /etc/vmaffinity.d/: vmaffinity.ini(5). */
#ifndef VMAFFINITY_RULES_RULES_H
#define VMAFFINITY_RULES_RULES_H

#include "base/err.h"
#include "base/messages.h"
#include "guest/thread_group.h"

#include <stdbool.h>
#include <stddef.h>

#define RULES_MAIN_FILE "/etc/vmaffinity.ini"
#define RULES_DIRECTORY "/etc/vmaffinity.d"

/* Limits. A file that exceeds one of them is an error that names the limit. */
#define RULES_FILE_MAX ((size_t)4 * 1024 * 1024) /* bytes in one file */
#define RULES_FILES_MAX 1024u			 /* files */
#define RULES_MAX 65536u			 /* rules in all files */
#define RULES_SETS_MAX 4096u			 /* names in [cpus] in all files */
#define RULES_PATTERN_MAX 255u			 /* bytes in one pattern of "match =" */

/* The text after "KEY =" and its place in the file. */
struct value {
	char *text;	  /* with the newlines between continued lines */
	const char *file; /* belongs to the struct rules */
	unsigned line;
	unsigned column; /* of text[0], from 1, in bytes */
};

/* Copies value with its text, which the caller frees. Returns 0, or -1 with the reason. */
int value_copy(const struct value *value, struct value *copy, struct err *e);

#define VALUE_PLACE_MAX 512

/*
 * Writes "FILE:LINE:COLUMN" of the byte at offset in value's text. Returns out. An offset past the
 * end is the end.
 */
char *value_place(const struct value *value, size_t offset, char out[VALUE_PLACE_MAX]);

/* The line that gave a key. file is NULL if none did. */
struct origin {
	const char *file; /* belongs to the struct rules */
	unsigned line;
};

enum on_error {
	ON_ERROR_UNSET,
	ON_ERROR_IGNORE,
	ON_ERROR_FAIL,
};

/* One line that says where a thread group, or several of one kind, may run. */
struct setting {
	enum thread_group_kind kind;
	bool every;	      /* every id: "vcpus", "iothreads", "emulator" */
	unsigned first, last; /* the ids if not every: "vcpu3" (first == last), "vcpu2-5" */
	struct value value;
};

#define SETTING_KEY_MAX 32

/* Writes the key of a setting, as in "vcpus" or "vcpu2-5". Returns out. */
char *setting_key(const struct setting *setting, char out[SETTING_KEY_MAX]);

/* True if the value is "keep": leave what libvirt set. */
bool value_is_keep(const struct value *value);
bool setting_is_keep(const struct setting *setting);

/* Says if vmaffinity watch restores what others change; unset means no. */
enum enforce {
	ENFORCE_UNSET,
	ENFORCE_NO,
	ENFORCE_YES,
};

struct rule {
	char *section;
	const char *file;
	unsigned line;
	/* The text of a value is NULL if the rule does not have the key. */
	struct value match; /* without it, the section's name is the pattern */
	struct value memory;
	struct value placement; /* "float", "one-to-one" or "exclusive" */
	struct setting *settings;
	size_t setting_count;
	enum on_error on_error;
	struct origin on_error_at;
};

struct named_set {
	char *name;
	struct value value;
};

/* All rules. Zero-initialised is none; rules_free() frees it. */
struct rules {
	char **files; /* the names of those that exist, in the order of reading */
	size_t file_count;
	struct rule *rules; /* in the order of reading */
	size_t rule_count;
	struct named_set *sets;
	size_t set_count;
	/* The keys of [global], each from the last file that has it. */
	enum on_error on_error;
	struct origin on_error_at;
	enum enforce enforce;
	struct origin enforce_at;
};

/*
 * Reads RULES_MAIN_FILE, then RULES_DIRECTORY's *.ini in byte order, below the directory fd root.
 * A missing file is no error. Adds each error to messages with its FILE:LINE. After an error, rules
 * is incomplete and serves for rules_on_error() and rules_free() only.
 */
void rules_load(struct rules *rules, int root, struct messages *messages);

/* Reads one file, which must exist, and adds its contents to rules. Errors as in rules_load(). */
void rules_load_file(
	struct rules *rules, int directory, const char *path, struct messages *messages);

void rules_free(struct rules *rules);

/*
 * Adds a rule whose section, of length bytes, begins at line of file. Copies section, but not file.
 * Returns it, valid until the next one is added, or NULL with the reason.
 */
struct rule *rules_add_rule(struct rules *rules, const char *section, size_t length,
	const char *file, unsigned line, struct err *e);

/*
 * Adds the line "name = value" of [cpus]; *stored is its value, valid until the next one is added.
 * Copies value->text, but not value->file. A file may define a name once; a later file's definition
 * replaces it. Returns 0, or -1 with the reason.
 */
int rules_add_set(struct rules *rules, const char *name, const struct value *value,
	struct value **stored, struct err *e);

/*
 * Returns the set "@name" of the last file that defines it, or NULL. name has length bytes and need
 * not end in NUL.
 */
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

/* True if the rules say anything but "keep" about the guest's CPUs or memory. */
bool matched_wants_change(const struct matched *matched);

/*
 * True if the rules ask for what only the guest's XML says: a placement other than float needs its
 * maximum of vCPUs, its threads per core and its NUMA cells.
 */
bool matched_needs_xml(const struct matched *matched);

/*
 * Returns the setting that counts for a thread group: that of the last matching rule which names
 * the group. Within one rule, one id beats a range of ids, and a range beats every. NULL if no rule
 * names the group.
 */
const struct setting *rules_setting(const struct matched *matched, struct thread_group group);

/* Returns the value of "memory" of the last matching rule that has the key, or NULL. */
const struct value *rules_memory(const struct matched *matched);

/*
 * Returns the value of "placement" of the last matching rule that has the key, which gives each
 * vCPU a CPU: "one-to-one" or "exclusive"; or NULL, which means "float".
 */
const struct value *rules_placement(const struct matched *matched);

/* True if the value of "placement" is "exclusive". */
bool placement_is_exclusive(const struct value *placement);

/*
 * Returns ON_ERROR_IGNORE or ON_ERROR_FAIL: what the last rule that matches the guest and has the
 * key says, or else [global]. Where uuid is NULL, a rule that would match by a UUID counts if it
 * says "fail". name is NULL if the guest is not known: [global] alone counts.
 */
enum on_error rules_on_error(const struct rules *rules, const char *name, const char *uuid);

#endif
