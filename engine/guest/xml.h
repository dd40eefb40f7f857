/* SPDX-License-Identifier: MIT */
/* XML as elements, attributes and text. The only module that knows libxml2. */
#ifndef VMAFFINITY_GUEST_XML_H
#define VMAFFINITY_GUEST_XML_H

#include "base/cpumask.h"
#include "base/err.h"

#include <stddef.h>

struct xml_element;

/*
 * Parses a document of length bytes, at most max. No entity is replaced and no network is used; a
 * document with a DOCTYPE is refused. root is the name that the outermost element must have. Of the
 * elements in that, only those are kept that wanted names (up to its NULL), with all that is in
 * them; elements of a foreign namespace are kept nowhere. Depth is limited by libxml2 alone, as it
 * is for libvirt. Returns the outermost element, to be freed by xml_free(), or NULL with the
 * reason.
 */
struct xml_element *xml_parse(const char *text, size_t length, size_t max, const char *root,
	const char *const wanted[], struct err *e);

/* Frees the whole document. *root is the outermost element, or NULL. */
void xml_free(struct xml_element **root);
#define AUTO_XML __attribute__((cleanup(xml_free)))

/*
 * Return the first element of that name in element, and the next one beside element; NULL if there
 * is none. xml_child() takes NULL for an element without any.
 */
struct xml_element *xml_child(const struct xml_element *element, const char *name);
struct xml_element *xml_next(const struct xml_element *element, const char *name);

/*
 * Return an element's text, without the text of elements in it, and the value of an attribute; NULL
 * if there is no such element (element may be NULL) or attribute. Both belong to the document.
 */
const char *xml_content(const struct xml_element *element);
const char *xml_attribute(const struct xml_element *element, const char *name);

/* Returns text, or "" for NULL: for messages. */
const char *xml_shown(const char *text);

/*
 * Reads a whole number as libvirt prints it, white space around it allowed. Returns 0, or -1 if
 * text (which may be NULL) is no number, or is above max.
 */
int xml_number(const char *text, unsigned max, unsigned *number);

/*
 * Reads libvirt's list of numbers, the value of the attribute name: "0-3,^2", where "^2" takes away
 * from what is before it (virBitmapParse()). Returns 0, or -1 with the reason.
 */
int xml_list(const char *name, const char *text, struct cpumask *mask, struct err *e);

#endif
