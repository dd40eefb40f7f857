/* SPDX-License-Identifier: MIT */
#include "rules/parse.h"

#include "base/hash.h"
#include "rules/add.h"
#include "rules/keys.h"

#include <ini.h>

#include <stdlib.h>
#include <string.h>

/* inih cuts a longer section name without a word: its MAX_SECTION is 50, with the NUL. */
#define SECTION_NAME_MAX 49

enum section_kind {
	SECTION_NONE, /* before the first one */
	SECTION_BAD,  /* its error is reported; what stands in it is passed over */
	SECTION_GLOBAL,
	SECTION_CPUS,
	SECTION_RULE,
};

struct section {
	const char *name;
	unsigned line;
};

/*
 * inih takes a file apart but gives its handler no line numbers, cuts long lines and names, ends a
 * value at a NUL and remembers one error only (inih 55 and 58). So each line passes through
 * read_line() first: it counts, keeps from inih what inih would get wrong, and sees from the calls
 * of the handler which lines inih made nothing of.
 */
struct parser {
	struct rules *rules;
	struct messages *messages;
	const char *file;
	const char *next, *end; /* what is still to be read */
	const char *text;	/* the line that inih has, in the file */
	unsigned line;		/* its number */
	bool handler_due;	/* it has a key or continues one, so inih must call the handler */
	bool continues; /* it is indented below a key: inih takes it for more of that key's value */
	bool key_seen;	/* in this section */
	enum section_kind kind;
	bool full; /* there are too many rules, and that was said */
	enum on_error global_on_error;
	enum enforce global_enforce;
	struct section *sections; /* those in this file: a hash table, see find_section() */
	size_t section_count, section_room;
	bool key_sound;	     /* the last key was right */
	struct value *value; /* of the last key, if it has one that can be continued */
	unsigned value_line; /* where that value ends */
};

/* isspace() of the C locale, which is inih's idea of it. */
static const char white[] = " \t\r\n\v\f";

#define error_at(p, format, ...)                                                                   \
	messages_add((p)->messages, MESSAGE_ERROR, "%s:%u: " format, (p)->file, (p)->line,         \
		##__VA_ARGS__)

/*
 * The place of a name in a table of room, a power of two, which is never full: where it stands, or
 * where it would. The hash is FNV-1a; that of hsearch(3) looks at eight bytes, and many guests'
 * names begin alike.
 */
static struct section *
find_section(struct section *table, size_t room, const char *name)
{
	size_t i = hash_text(name) & (room - 1);
	while (table[i].name != NULL && strcmp(table[i].name, name) != 0)
		i = (i + 1) & (room - 1);
	return &table[i];
}

/* At least half of the table stays free. */
static int
make_room_for_section(struct parser *p)
{
	if (2 * p->section_count < p->section_room)
		return 0;
	size_t room = p->section_room == 0 ? 16 : 2 * p->section_room;
	struct section *larger = calloc(room, sizeof(*larger));
	if (larger == NULL)
		return -1;
	for (size_t i = 0; i < p->section_room; i++)
		if (p->sections[i].name != NULL)
			*find_section(larger, room, p->sections[i].name) = p->sections[i];
	free(p->sections);
	p->sections = larger;
	p->section_room = room;
	return 0;
}

/* Notes the section's name with its line, as long as name lives. -1 if the file has it already. */
static int
remember_section(struct parser *p, const char *name)
{
	if (make_room_for_section(p) != 0) {
		error_at(p, "out of memory");
		return -1;
	}
	struct section *section = find_section(p->sections, p->section_room, name);
	if (section->name != NULL) {
		error_at(p, "section [%s] stands already at line %u; write its keys there", name,
			section->line);
		return -1;
	}
	*section = (struct section){.name = name, .line = p->line};
	p->section_count++;
	return 0;
}

static enum section_kind
open_rule(struct parser *p, const char *section, size_t length)
{
	struct err e;
	if (p->full)
		return SECTION_BAD;
	p->full = p->rules->rule_count == RULES_MAX;
	struct rule *rule = rules_add_rule(p->rules, section, length, p->file, p->line, &e);
	if (rule == NULL) {
		error_at(p, "%s", e.text);
		return SECTION_BAD;
	}
	return remember_section(p, rule->section) == 0 ? SECTION_RULE : SECTION_BAD;
}

/*
 * inih's idea of where a comment begins, a ';' behind white space, counts in a section's name too;
 * and only its later versions take a comment from behind a continued value. Returns how much of
 * text, length bytes, stands in front of one, without white space at the end.
 */
static size_t
length_without_comment(const char *text, size_t length)
{
	size_t kept = 0;
	while (kept < length &&
		!(text[kept] == ';' && kept > 0 && strchr(white, text[kept - 1]) != NULL))
		kept++;
	while (kept > 0 && strchr(white, text[kept - 1]) != NULL)
		kept--;
	return kept;
}

/* A line that begins with '[' at s; end is behind its last byte. */
static enum section_kind
open_section(struct parser *p, const char *s, const char *end)
{
	static const char global[] = "global", cpus[] = "cpus";
	const char *name = s + 1;
	const char *close = memchr(name, ']', (size_t)(end - name));
	if (close == NULL) {
		error_at(p, "the section's name has no ']' at its end");
		return SECTION_BAD;
	}
	size_t length = (size_t)(close - name);
	const char *rest = close + 1;
	while (rest < end && strchr(white, *rest) != NULL)
		rest++;
	if (rest < end && *rest != ';' && *rest != '#') {
		error_at(p,
			"'%.*s' behind the section's name; a pattern with brackets goes into "
			"'match ='",
			(int)(end - rest < 40 ? end - rest : 40), rest);
		return SECTION_BAD;
	}
	size_t kept = length_without_comment(name, length);
	if (memchr(name + kept, ';', length - kept) != NULL) {
		error_at(p, "the section's name has no ']' before ' ;', which begins a comment");
		return SECTION_BAD;
	}
	if (memchr(name, '[', length) != NULL) {
		error_at(p,
			"'[' in the section's name; a pattern with brackets goes into 'match ='");
		return SECTION_BAD;
	}
	if (length > 0 &&
		(strchr(white, name[0]) != NULL || strchr(white, name[length - 1]) != NULL)) {
		error_at(p, "the section's name begins or ends with a blank");
		return SECTION_BAD;
	}
	if (length == 0 || length > SECTION_NAME_MAX) {
		error_at(p,
			"a section's name has 1 to %d bytes; a longer pattern goes into 'match ='",
			SECTION_NAME_MAX);
		return SECTION_BAD;
	}
	if (length == 6 && memcmp(name, global, 6) == 0)
		return remember_section(p, global) == 0 ? SECTION_GLOBAL : SECTION_BAD;
	if (length == 4 && memcmp(name, cpus, 4) == 0)
		return remember_section(p, cpus) == 0 ? SECTION_CPUS : SECTION_BAD;
	return open_rule(p, name, length);
}

/* What inih is given in place of a line that it must not see. */
static char *
blank_line(char *buffer)
{
	strcpy(buffer, "\n");
	return buffer;
}

static bool
line_is_sound(struct parser *p, size_t length, size_t size)
{
	if (memchr(p->text, '\0', length) != NULL) {
		error_at(p, "there is a NUL in the line");
		return false;
	}
	if (length >= size - 2) {
		error_at(p, "the line is longer than %zu bytes; continue it on an indented line",
			size - 3);
		return false;
	}
	return true;
}

/* As fgets(3), for inih. */
static char *
read_line(char *buffer, int size, void *stream)
{
	struct parser *p = stream;
	if (p->handler_due)
		error_at(p, "this is neither 'KEY = VALUE' nor a [section] nor a comment");
	p->handler_due = false;
	if (p->next == p->end)
		return NULL;
	p->line++;
	p->text = p->next;
	const char *end = memchr(p->text, '\n', (size_t)(p->end - p->text));
	if (end == NULL)
		end = p->end;
	p->next = end < p->end ? end + 1 : end;
	size_t length = (size_t)(end - p->text);
	if (!line_is_sound(p, length, (size_t)size))
		return blank_line(buffer);

	const char *s = p->text;
	if (p->line == 1 && length >= 3 && memcmp(s, "\xef\xbb\xbf", 3) == 0)
		s += 3; /* a byte order mark, which inih passes over too */
	while (s < end && strchr(white, *s) != NULL)
		s++;
	if (s == end || *s == ';' || *s == '#')
		return blank_line(buffer);
	p->continues = s > p->text && p->key_seen;
	if (!p->continues && *s == '[') {
		p->kind = open_section(p, s, end);
		p->key_seen = false;
		/* A section that inih can read, so that it forgets the last key as we do. */
		if (p->kind == SECTION_BAD)
			return strcpy(buffer, "[]\n");
	} else if (p->kind == SECTION_BAD) {
		return blank_line(buffer);
	} else {
		p->handler_due = true;
	}
	memcpy(buffer, p->text, length);
	strcpy(buffer + length, "\n");
	return buffer;
}

/*
 * The column, from 1, of what stands behind the '=' (or inih's other sign, ':'), or of a continued
 * value.
 */
static unsigned
value_column(const struct parser *p)
{
	const char *s = p->text;
	if (!p->continues) {
		while (s < p->next && *s != '=' && *s != ':')
			s++;
		s++;
	}
	while (s < p->next && *s != '\n' && strchr(white, *s) != NULL)
		s++;
	return (unsigned)(s - p->text) + 1;
}

/*
 * An indented line: a newline for each that lies between, the indent, and the text, so that places
 * stay known.
 */
static void
continue_value(struct parser *p, const char *more)
{
	size_t length = length_without_comment(more, strlen(more));
	if (memchr(more, '=', length) != NULL || (p->value == NULL && p->key_sound)) {
		error_at(p, "an indented line continues the value above; take its indent away to "
			    "begin a key");
		return;
	}
	if (p->value == NULL)
		return;
	size_t used = strlen(p->value->text), lines = p->line - p->value_line;
	size_t indent = value_column(p) - 1;
	char *text = realloc(p->value->text, used + lines + indent + length + 1);
	if (text == NULL) {
		error_at(p, "out of memory");
		return;
	}
	memset(text + used, '\n', lines);
	memset(text + used + lines, ' ', indent);
	memcpy(text + used + lines + indent, more, length);
	text[used + lines + indent + length] = '\0';
	p->value->text = text;
	p->value_line = p->line;
}

/* Points *stored at where the value was put, if another line may continue it. */
static int
take_key(struct parser *p, const char *name, const struct value *value, struct value **stored,
	struct err *e)
{
	struct key key;
	switch (p->kind) {
	case SECTION_BAD:
		return 0;
	case SECTION_NONE:
		return err_set(e, "'%.60s' stands before the first [section]", name);
	case SECTION_GLOBAL:
		if (rules_global_key_parse(name, &key, e) != 0)
			return -1;
		return key.kind == KEY_ENFORCE
			       ? rules_add_enforce(&p->global_enforce, value->text, e)
			       : rules_add_on_error(&p->global_on_error, value->text, e);
	case SECTION_CPUS:
		return rules_add_set(p->rules, name, value, stored, e);
	case SECTION_RULE:
		return rules_add_key(
			&p->rules->rules[p->rules->rule_count - 1], name, value, stored, e);
	}
	return 0;
}

/* ini_handler of inih. Its answer, 1, says that all is well: errors are counted in messages. */
static int
take_line(void *user, const char *section, const char *name, const char *text)
{
	struct parser *p = user;
	struct err e;
	(void)section;
	p->handler_due = false;
	if (p->continues) {
		continue_value(p, text);
		return 1;
	}
	struct value value = {
		.text = (char *)text, .file = p->file, .line = p->line, .column = value_column(p)};
	struct value *stored = NULL;
	p->key_seen = true;
	p->value = NULL;
	p->value_line = p->line;
	p->key_sound = false;
	if (text[0] == '\0')
		error_at(p, "'%.60s' has no value", name);
	else if (take_key(p, name, &value, &stored, &e) != 0)
		error_at(p, "%s", e.text);
	else
		p->key_sound = true;
	p->value = p->key_sound ? stored : NULL;
	return 1;
}

/* Patterns can go on over several lines, so they are looked at when the file is through. */
static void
check_patterns(struct parser *p, size_t first_rule)
{
	for (size_t i = first_rule; i < p->rules->rule_count; i++) {
		const struct value *match = &p->rules->rules[i].match;
		struct err e;
		size_t at;
		if (match->text == NULL || rules_match_check(match->text, &at, &e) == 0)
			continue;
		char place[VALUE_PLACE_MAX];
		messages_add(p->messages, MESSAGE_ERROR, "%s: %s", value_place(match, at, place),
			e.text);
	}
}

void
rules_parse(struct rules *rules, const char *file, const char *text, size_t length,
	struct messages *messages)
{
	struct parser p = {.rules = rules,
		.messages = messages,
		.file = file,
		.next = text,
		.end = text + length};
	size_t first_rule = rules->rule_count, errors = messages->errors;
	int rc = ini_parse_stream(read_line, &p, take_line, &p);
	free(p.sections);
	check_patterns(&p, first_rule);
	if (p.global_on_error != ON_ERROR_UNSET)
		rules->on_error = p.global_on_error;
	if (p.global_enforce != ENFORCE_UNSET)
		rules->enforce = p.global_enforce;
	if (rc != 0 && messages->errors == errors)
		messages_add(messages, MESSAGE_ERROR, "%s:%d: cannot be understood", file, rc);
}
