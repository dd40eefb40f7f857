/* SPDX-License-Identifier: MIT */
/* The text of a rules file to struct rules, through inih. */
#include "rules/parse.h"

#include "rules/keys.h"
#include "rules/patterns.h"
#include "rules/sections.h"

#include <ini.h>

#include <stdlib.h>
#include <string.h>

/* inih cuts a longer section name without a word: its MAX_SECTION is 50, with the NUL. */
#define SECTION_NAME_MAX 49

enum section_kind {
	SECTION_NONE, /* before the first one */
	SECTION_BAD,  /* its error is reported; its lines are skipped */
	SECTION_GLOBAL,
	SECTION_CPUS,
	SECTION_RULE,
};

/*
 * inih gives its handler no line numbers, cuts long lines and names, ends a value at a NUL and
 * remembers one error only (inih 55 and 58). So read_line() sees each line first: it counts lines
 * and blanks those that inih would misread. A line that should have led to a call of the handler
 * and did not is one that inih could not read.
 */
struct parser {
	struct rules *rules;
	struct messages *messages;
	const char *file;
	const char *next, *end; /* the text that is not read yet */
	const char *text;	/* the current line in the file */
	unsigned line;		/* the current line's number, from 1 */
	bool handler_due;	/* inih must call the handler for the current line */
	bool continues; /* the current line is indented after a key: it continues that key's value
			 */
	bool key_seen;	/* the current section has had a key */
	enum section_kind kind;
	bool full;		  /* there are too many rules; the error is reported */
	struct sections sections; /* of this file */
	bool key_sound;		  /* the last key had no error */
	struct value *value;	  /* the last key's, if lines may continue it; or NULL */
	unsigned value_line;	  /* the last line of the last key's value */
};

/* The characters that inih strips: isspace() of the C locale. */
static const char white[] = " \t\r\n\v\f";

#define error_at(p, format, ...)                                                                   \
	messages_add((p)->messages, MESSAGE_ERROR, "rules-invalid", "%s:%u: " format, (p)->file,   \
		(p)->line, ##__VA_ARGS__)

/* Returns kind, or SECTION_BAD with the error reported if the file has that section already. */
static enum section_kind
begin_section(struct parser *p, const char *name, enum section_kind kind)
{
	struct err e;
	if (sections_add(&p->sections, name, p->line, &e) == 0)
		return kind;
	error_at(p, "%s", e.text);
	return SECTION_BAD;
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
	return begin_section(p, rule->section, SECTION_RULE);
}

/*
 * Returns how many of text's length bytes come before a comment and the white space before it. To
 * inih a comment begins with a ';' after white space, also in a section's name; but older versions
 * leave the comment in a continued value.
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

/* Opens the section of a line that begins with '[' at s and ends before end. */
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
			"'%.*s' after the section's name; a pattern with brackets goes into "
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
		return begin_section(p, global, SECTION_GLOBAL);
	if (length == 4 && memcmp(name, cpus, 4) == 0)
		return begin_section(p, cpus, SECTION_CPUS);
	return open_rule(p, name, length);
}

/* Gives inih an empty line in place of one that it must not see. */
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
		error_at(p, "the line contains a NUL byte");
		return false;
	}
	if (length >= size - 2) {
		error_at(p, "the line is longer than %zu bytes; continue it on an indented line",
			size - 3);
		return false;
	}
	return true;
}

/* Reads the next line for inih, as fgets(3) does. ini_reader of inih. */
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
		s += 3; /* a byte order mark, which inih also skips */
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
 * Returns the column, from 1, of the current line's value: the text after '=' (or ':', which inih
 * also takes), or the whole line if it continues a value.
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
 * Appends the current, indented line to the last key's value. Skipped lines become newlines and the
 * indent becomes blanks, so that value_place() finds the line and column of each byte.
 */
static void
continue_value(struct parser *p, const char *more)
{
	size_t length = length_without_comment(more, strlen(more));
	if (memchr(more, '=', length) != NULL || (p->value == NULL && p->key_sound)) {
		error_at(p, "an indented line continues the value above; remove its indent to "
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

/* Adds a line of the current section. *stored is the copy of value if lines may continue it. */
static int
parse_key(struct parser *p, const char *name, const struct value *value, struct value **stored,
	struct err *e)
{
	switch (p->kind) {
	case SECTION_BAD:
		return 0;
	case SECTION_NONE:
		return err_set(e, "'%.60s' comes before the first [section]", name);
	case SECTION_GLOBAL:
		return rules_add_global_key(p->rules, name, value, stored, e);
	case SECTION_CPUS:
		return rules_add_set(p->rules, name, value, stored, e);
	case SECTION_RULE:
		return rules_add_key(
			&p->rules->rules[p->rules->rule_count - 1], name, value, stored, e);
	}
	return 0;
}

/* Takes a key or a continued line from inih. ini_handler of inih: returns 1, no error, always. */
static int
take_inih_line(void *user, const char *section, const char *name, const char *text)
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
	else if (parse_key(p, name, &value, &stored, &e) != 0)
		error_at(p, "%s", e.text);
	else
		p->key_sound = true;
	p->value = p->key_sound ? stored : NULL;
	return 1;
}

/* Checks the patterns of a file's rules: after its last line, for a "match" may be continued. */
static void
check_patterns(struct parser *p, size_t first_rule)
{
	for (size_t i = first_rule; i < p->rules->rule_count; i++) {
		const struct value *match = &p->rules->rules[i].match;
		struct err e;
		size_t at;
		if (match->text == NULL || patterns_check(match->text, &at, &e) == 0)
			continue;
		char place[VALUE_PLACE_MAX];
		messages_add(p->messages, MESSAGE_ERROR, "rules-invalid", "%s: %s",
			value_place(match, at, place), e.text);
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
	int rc = ini_parse_stream(read_line, &p, take_inih_line, &p);
	sections_free(&p.sections);
	check_patterns(&p, first_rule);
	if (rc != 0 && messages->errors == errors)
		messages_add(messages, MESSAGE_ERROR, "rules-invalid", "%s:%d: cannot be parsed",
			file, rc);
}
