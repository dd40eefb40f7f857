/* XML as elements, attributes and text. The only module that knows libxml2. */
#ifndef VMAFFINITY_XML_H
#define VMAFFINITY_XML_H

#include "cpumask.h"
#include "err.h"

#include <stddef.h>

struct xml; /* a document */
struct xml_element;

/*
 * Takes a document apart, in which nothing is resolved: no entity, no network; one with a DOCTYPE
 * is refused. Bounded in size by max and in depth by libxml2 (256). root is its outermost element's
 * name. Returns it, to be freed by xml_free(), or NULL with the reason.
 */
struct xml *xml_parse(const char *text, size_t length, size_t max, const char *root, struct err *e);
void xml_free(struct xml **xml);
#define AUTO_XML __attribute__((cleanup(xml_free)))

struct xml_element *xml_root(struct xml *xml);

/*
 * The first element of that name in element (which may be NULL), the next one beside it; NULL if
 * there is none. Those of a foreign namespace do not count.
 */
struct xml_element *xml_child(const struct xml_element *element, const char *name);
struct xml_element *xml_next(const struct xml_element *element, const char *name);

/* Text, to be freed by xml_text_free(); NULL if there is none, or no memory. Element may be NULL.
 */
char *xml_content(struct xml_element *element);
char *xml_attribute(struct xml_element *element, const char *name);
void xml_text_free(char **text);
#define AUTO_TEXT __attribute__((cleanup(xml_text_free)))

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
