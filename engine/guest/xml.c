/* SPDX-License-Identifier: MIT */
#include "guest/xml.h"

#include "base/number.h"

#include <expat.h>

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* libvirt's own XML is a dozen levels deep. What nests deeper costs Expat memory for each level. */
#define DEPTH_MAX 256

/* Expat keeps a copy of what it is given: so much at a time, bytes. */
#define PIECE ((size_t)64 * 1024)

/* Where Expat is: those of a fixed width came with 2.9, which deprecates the others. */
#if XML_MAJOR_VERSION == 2 && XML_MINOR_VERSION < 9
#define XML_GetCurrentLineNumber64 XML_GetCurrentLineNumber
#define XML_GetCurrentByteIndex64 XML_GetCurrentByteIndex
#endif

struct xml_element {
	char *name;
	char *text; /* all of it that is not in other elements; NULL if there is none */
	size_t length, room;
	char **attributes; /* name, value, name, ..., NULL */
	struct xml_element *parent, *children, *last, *next;
};

enum fault { FAULT_NONE, FAULT_MEMORY, FAULT_DOCTYPE, FAULT_DEPTH };

struct reader {
	XML_Parser parser;
	const char *const *wanted;
	struct xml_element *root;
	struct xml_element *open; /* the innermost that is kept */
	unsigned depth;		  /* of the innermost that is open */
	unsigned skipped;	  /* depth of the outermost that is not kept; 0: all are */
	int64_t skipped_at;	  /* where that begins */
	enum fault fault;	  /* that we found, not Expat */
};

/* Expat calls some more handlers after that: they look at the fault. */
static void
stop(struct reader *reader, enum fault fault)
{
	reader->fault = fault;
	XML_StopParser(reader->parser, XML_FALSE);
}

static char **
copy_attributes(const char **attributes)
{
	size_t count = 0;
	while (attributes[count] != NULL)
		count++;
	char **copy = calloc(count + 1, sizeof(*copy));
	for (size_t i = 0; i < count && copy != NULL; i++)
		if ((copy[i] = strdup(attributes[i])) == NULL) {
			while (i-- > 0)
				free(copy[i]);
			free(copy);
			return NULL;
		}
	return copy;
}

void
xml_free(struct xml_element **element)
{
	if (*element == NULL)
		return;
	for (struct xml_element *child = (*element)->children, *next; child != NULL; child = next) {
		next = child->next;
		xml_free(&child);
	}
	for (char **text = (*element)->attributes; text != NULL && *text != NULL; text++)
		free(*text);
	free((*element)->attributes);
	free((*element)->name);
	free((*element)->text);
	free(*element);
}

/* Puts a new element behind the others in the one that is open. */
static int
add_element(struct reader *reader, const char *name, const char **attributes)
{
	struct xml_element *parent = reader->open, *element = calloc(1, sizeof(*element));
	if (element == NULL)
		return -1;
	element->name = strdup(name);
	element->attributes = copy_attributes(attributes);
	if (element->name == NULL || element->attributes == NULL) {
		xml_free(&element);
		return -1;
	}
	element->parent = parent;
	if (parent == NULL)
		reader->root = element;
	else if (parent->last == NULL)
		parent->children = element;
	else
		parent->last->next = element;
	if (parent != NULL)
		parent->last = element;
	reader->open = element;
	return 0;
}

/* Whether an element is of a namespace, its prefix's or its own default one: libvirt's are not. */
static bool
is_foreign(const char *name, const char **attributes)
{
	for (; *attributes != NULL; attributes += 2)
		if (strcmp(attributes[0], "xmlns") == 0 && attributes[1][0] != '\0')
			return true;
	return strchr(name, ':') != NULL;
}

static bool
is_wanted(const struct reader *reader, const char *name, const char **attributes)
{
	if (reader->depth > 1 && is_foreign(name, attributes))
		return false;
	for (const char *const *wanted = reader->wanted; reader->depth == 2; wanted++)
		if (*wanted == NULL || strcmp(*wanted, name) == 0)
			return *wanted != NULL;
	return true;
}

static void
on_start(void *data, const char *name, const char **attributes)
{
	struct reader *reader = data;
	if (reader->fault != FAULT_NONE)
		return;
	if (++reader->depth > DEPTH_MAX)
		stop(reader, FAULT_DEPTH);
	else if (reader->skipped == 0 && !is_wanted(reader, name, attributes)) {
		reader->skipped = reader->depth;
		reader->skipped_at = XML_GetCurrentByteIndex64(reader->parser);
	} else if (reader->skipped == 0 && add_element(reader, name, attributes) != 0)
		stop(reader, FAULT_MEMORY);
}

static void
on_end(void *data, const char *name)
{
	struct reader *reader = data;
	(void)name;
	if (reader->fault != FAULT_NONE)
		return;
	if (reader->skipped == 0)
		reader->open = reader->open->parent;
	else if (reader->skipped == reader->depth)
		reader->skipped = 0;
	reader->depth--;
}

static void
on_text(void *data, const char *text, int length)
{
	struct reader *reader = data;
	struct xml_element *element = reader->open;
	if (reader->fault != FAULT_NONE || reader->skipped != 0)
		return;
	size_t needed = element->length + (size_t)length + 1;
	if (needed > element->room) {
		char *larger = realloc(element->text, 2 * needed);
		if (larger == NULL) {
			stop(reader, FAULT_MEMORY);
			return;
		}
		element->text = larger;
		element->room = 2 * needed;
	}
	memcpy(element->text + element->length, text, (size_t)length);
	element->length += (size_t)length;
	element->text[element->length] = '\0';
}

static void
on_doctype(void *data, const char *name, const char *system, const char *public, int internal)
{
	(void)name;
	(void)system;
	(void)public;
	(void)internal;
	stop(data, FAULT_DOCTYPE);
}

/* Why Expat, or one of the handlers above, did not come to the end. */
static int
explain(const struct reader *reader, struct err *e)
{
	enum XML_Error error = XML_GetErrorCode(reader->parser);
	uint64_t line = XML_GetCurrentLineNumber64(reader->parser);
	switch (reader->fault) {
	case FAULT_DOCTYPE:
		return err_set(e, "the XML has a DOCTYPE, which libvirt never writes; refused");
	case FAULT_DEPTH:
		return err_set(e, "the XML is nested deeper than %d elements", DEPTH_MAX);
	case FAULT_MEMORY:
		return err_set(e, "out of memory");
	case FAULT_NONE:
		break;
	}
	if (error == XML_ERROR_NO_MEMORY)
		return err_set(e, "out of memory");
	if (error == XML_ERROR_NO_ELEMENTS && reader->root != NULL)
		return err_set(e,
			"the XML is not well-formed: line %" PRIu64 ": it ends before </%s>", line,
			reader->root->name);
	return err_set(e, "the XML is not well-formed: line %" PRIu64 ": %s", line,
		XML_ErrorString(error));
}

static int
read_part(struct reader *reader, const char *text, size_t length, bool last, struct err *e)
{
	for (size_t at = 0, piece; at < length; at += piece) {
		piece = length - at < PIECE ? length - at : PIECE;
		if (XML_Parse(reader->parser, text + at, (int)piece,
			    last && at + piece == length) != XML_STATUS_OK)
			return explain(reader, e);
	}
	return 0;
}

/* Reads the text but for what lies from gap to gap_end. */
static int
read_without(struct reader *reader, const char *text, size_t gap, size_t gap_end, size_t length,
	struct err *e)
{
	xml_free(&reader->root);
	*reader = (struct reader){.parser = reader->parser, .wanted = reader->wanted};
	XML_ParserReset(reader->parser, NULL);
	XML_SetUserData(reader->parser, reader);
	XML_SetElementHandler(reader->parser, on_start, on_end);
	XML_SetCharacterDataHandler(reader->parser, on_text);
	XML_SetStartDoctypeDeclHandler(reader->parser, on_doctype);
	int r = read_part(reader, text, gap, false, e);
	return r != 0 ? r : read_part(reader, text + gap_end, length - gap_end, true, e);
}

/* Where the last end tag of the element that begins at start is over; 0 if there is none. */
static size_t
end_of_element(const char *text, size_t start, size_t length)
{
	char tag[64];
	size_t name = 0, end = 0;
	while (start + 1 + name < length && strchr(" \t\r\n/>", text[start + 1 + name]) == NULL)
		name++;
	int n = snprintf(tag, sizeof(tag), "</%.*s>", (int)name, text + start + 1);
	if (n < 0 || (size_t)n >= sizeof(tag))
		return 0;
	for (size_t at = start; at < length; at = end) {
		const char *found = memmem(text + at, length - at, tag, (size_t)n);
		if (found == NULL)
			break;
		end = (size_t)(found - text) + (size_t)n;
	}
	return end;
}

/*
 * libvirt passes on what its users have stored as metadata, with names that are right in XML 1.0's
 * fifth edition, and Expat knows the fourth. Nothing of that is wanted here: it may be anything,
 * up to its end tag, which cannot stand behind it.
 */
static int
read_document(struct reader *reader, const char *text, size_t length, struct err *e)
{
	struct err ignored;
	int r = read_without(reader, text, 0, 0, length, e);
	if (r == 0 || reader->fault != FAULT_NONE || reader->skipped == 0)
		return r;
	size_t gap = (size_t)reader->skipped_at, end = end_of_element(text, gap, length);
	return end > 0 && read_without(reader, text, gap, end, length, &ignored) == 0 ? 0 : -1;
}

struct xml_element *
xml_parse(const char *text, size_t length, size_t max, const char *root, const char *const wanted[],
	struct err *e)
{
	if (length > max) {
		err_set(e, "the XML is larger than %zu MiB", max / 1024 / 1024);
		return NULL;
	}
	if (length == 0) {
		err_set(e, "the XML is empty");
		return NULL;
	}
	/*
	 * Namespaces are ours to tell: libvirt passes on metadata with prefixes that nobody
	 * declared, which libxml2 lets it, and Expat would not.
	 */
	struct reader reader = {.wanted = wanted, .parser = XML_ParserCreate(NULL)};
	if (reader.parser == NULL) {
		err_set(e, "out of memory");
		return NULL;
	}
	AUTO_XML struct xml_element *element = NULL;
	int r = read_document(&reader, text, length, e);
	XML_ParserFree(reader.parser);
	element = reader.root;
	if (r == 0 && strcmp(element->name, root) != 0)
		r = err_set(e, "the XML is not a <%s>", root);
	if (r != 0)
		return NULL;
	struct xml_element *result = element;
	element = NULL;
	return result;
}

static struct xml_element *
element_from(struct xml_element *element, const char *name)
{
	while (element != NULL && strcmp(element->name, name) != 0)
		element = element->next;
	return element;
}

struct xml_element *
xml_child(const struct xml_element *element, const char *name)
{
	return element != NULL ? element_from(element->children, name) : NULL;
}

struct xml_element *
xml_next(const struct xml_element *element, const char *name)
{
	return element_from(element->next, name);
}

const char *
xml_content(const struct xml_element *element)
{
	if (element == NULL)
		return NULL;
	return element->text != NULL ? element->text : "";
}

const char *
xml_attribute(const struct xml_element *element, const char *name)
{
	char *const *text = element != NULL ? element->attributes : NULL;
	while (text != NULL && *text != NULL && strcmp(*text, name) != 0)
		text += 2;
	return text != NULL && *text != NULL ? text[1] : NULL;
}

const char *
xml_shown(const char *text)
{
	return text != NULL ? text : "";
}

int
xml_number(const char *text, unsigned max, unsigned *number)
{
	static const char white[] = " \t\r\n";
	if (text == NULL)
		return -1;
	text += strspn(text, white);
	if (number_parse(&text, max, number) != 0)
		return -1;
	return text[strspn(text, white)] == '\0' ? 0 : -1;
}

int
xml_list(const char *name, const char *text, struct cpumask *mask, struct err *e)
{
	const char *s = text;
	*mask = (struct cpumask){0};
	do {
		struct cpumask item = {0};
		s += s != text;
		s += strspn(s, " \t\n");
		bool exclude = *s == '^';
		s += exclude;
		if (cpumask_parse_range(&s, &item, e) != 0)
			return err_context(e, "%s='%.60s'", name, text);
		s += strspn(s, " \t\n");
		if (exclude)
			cpumask_andnot(mask, &item);
		else
			cpumask_or(mask, &item);
	} while (*s == ',');
	return *s == '\0' ? 0 : err_set(e, "%s='%.60s': not a list", name, text);
}
