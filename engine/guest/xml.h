/* SPDX-License-Identifier: MIT */
/* XML as elements, attributes and text. The only module that knows Expat. */
#ifndef VMAFFINITY_GUEST_XML_H
#define VMAFFINITY_GUEST_XML_H

#include "base/cpumask.h"
#include "base/err.h"

#include <stddef.h>

struct xml_element;

/*
 * Takes a document apart, in which nothing is resolved: no entity, no network; one with a DOCTYPE
 * is refused. Bounded in size by max, bytes, and in depth (256). root is its outermost element's
 * name; of the elements in that, those are kept which wanted names, up to its NULL, with all that
 * is in them. The rest, which can be megabytes of devices and metadata, has to have its end tag.
 * Returns the outermost element, to be freed by xml_free(), or NULL with the reason.
 */
struct xml_element *xml_parse(const char *text, size_t length, size_t max, const char *root,
	const char *const wanted[], struct err *e);
void xml_free(struct xml_element **root);
#define AUTO_XML __attribute__((cleanup(xml_free)))

/*
 * The first element of that name in element (which may be NULL), the next one beside it; NULL if
 * there is none. Those of a foreign namespace do not count.
 */
struct xml_element *xml_child(const struct xml_element *element, const char *name);
struct xml_element *xml_next(const struct xml_element *element, const char *name);

/*
 * An element's text, without that of elements in it, and the value of an attribute; NULL if there
 * is none. Element may be NULL. Both live as long as the document.
 */
const char *xml_content(const struct xml_element *element);
const char *xml_attribute(const struct xml_element *element, const char *name);

/* For messages: text, or "" for NULL. */
const char *xml_shown(const char *text);

/*
 * A whole number as libvirt prints it, white space about it allowed. Returns 0, or -1 if text,
 * which may be NULL, is none up to max.
 */
int xml_number(const char *text, unsigned max, unsigned *number);

/*
 * libvirt's list, the value of the attribute name: "0-3,^2", where "^2" takes away from what stands
 * before it (virBitmapParse()). Returns 0, or -1 with the reason.
 */
int xml_list(const char *name, const char *text, struct cpumask *mask, struct err *e);

#endif
