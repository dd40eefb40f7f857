/* SPDX-License-Identifier: MIT */
/*
 * Parses a domain's XML with libxml2, which libvirt also uses, so that what libvirt accepts is read
 * the same way here. libxml2's own SAX2 handlers build the tree, and are called for the wanted
 * elements only: devices and metadata, which can be megabytes, are parsed and not kept.
 */
#include "guest/xml.h"

#include "base/number.h"

#include <libxml/parser.h>
#include <libxml/tree.h>

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/*
 * As libvirt parses (virXMLParseHelper()): HUGE, without which libxml2 refuses an attribute of more
 * than 10 MB and more than 256 levels. HUGE also lifts the limits on entities, which does no harm
 * where a DOCTYPE ends the parse. NOENT is not set.
 */
#define OPTIONS (XML_PARSE_HUGE | XML_PARSE_NONET)

#if LIBXML_VERSION >= 21200
typedef const xmlError *xml_error;
#else
typedef xmlError *xml_error;
#endif

struct reader {
	const char *const *wanted;
	unsigned depth;	  /* of the element that is open; the outermost has 1 */
	unsigned skipped; /* depth of the outermost element that is not kept; 0: there is none */
	bool complete;	  /* the outermost element's end was seen */
	bool doctype, out_of_memory;
	char error[256]; /* libxml2's first one that is fatal: "line 3: ..." */
};

static struct reader *
reader_of(void *context)
{
	return ((xmlParserCtxt *)context)->_private;
}

/* True if the element is to be kept. libvirt's own elements have no namespace. */
static bool
is_wanted(const struct reader *reader, const char *name, bool foreign)
{
	if (reader->depth > 1 && foreign)
		return false;
	for (const char *const *wanted = reader->wanted; reader->depth == 2; wanted++)
		if (*wanted == NULL || strcmp(*wanted, name) == 0)
			return *wanted != NULL;
	return true;
}

static void
on_start(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri,
	int namespace_count, const xmlChar **namespaces, int attribute_count, int defaulted,
	const xmlChar **attributes)
{
	struct reader *reader = reader_of(context);
	reader->depth++;
	if (reader->skipped != 0)
		return;
	if (is_wanted(reader, (const char *)name, prefix != NULL || uri != NULL))
		xmlSAX2StartElementNs(context, name, prefix, uri, namespace_count, namespaces,
			attribute_count, defaulted, attributes);
	else
		reader->skipped = reader->depth;
}

static void
on_element_end(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
	struct reader *reader = reader_of(context);
	if (reader->skipped == 0)
		xmlSAX2EndElementNs(context, name, prefix, uri);
	else if (reader->skipped == reader->depth)
		reader->skipped = 0;
	reader->depth--;
	reader->complete = reader->depth == 0;
}

static void
on_text(void *context, const xmlChar *text, int length)
{
	if (reader_of(context)->skipped == 0)
		xmlSAX2Characters(context, text, length);
}

static void
on_doctype(void *context, const xmlChar *name, const xmlChar *public_id, const xmlChar *system_id)
{
	(void)name;
	(void)public_id;
	(void)system_id;
	reader_of(context)->doctype = true;
	xmlStopParser(context);
}

static void
on_error(void *context, xml_error error)
{
	struct reader *reader = reader_of(context);
	const char *text = error->message != NULL ? error->message : "unknown error";
	if (error->code == XML_ERR_NO_MEMORY)
		reader->out_of_memory = true;
	if (error->level == XML_ERR_FATAL && reader->error[0] == '\0')
		snprintf(reader->error, sizeof(reader->error), "line %d: %.*s", error->line,
			(int)strcspn(text, "\n"), text);
}

/* For errors that libxml2 finds without knowing the document, which it would print otherwise. */
static void
ignore_error(void *context, xml_error error)
{
	(void)context;
	(void)error;
}

static void
set_handlers(xmlSAXHandler *sax)
{
	sax->startElementNs = on_start;
	sax->endElementNs = on_element_end;
	sax->characters = sax->ignorableWhitespace = sax->cdataBlock = on_text;
	sax->internalSubset = on_doctype;
	sax->serror = on_error;
	sax->externalSubset = NULL;
	sax->resolveEntity = NULL;
	sax->entityDecl = NULL;
	sax->reference = NULL;
	sax->comment = NULL;
	sax->processingInstruction = NULL;
}

/* Returns -1 with the reason if the document is not to be used. */
static int
judge_document(const struct reader *reader, const xmlNode *root, const char *name, struct err *e)
{
	if (reader->doctype)
		return err_set(e, "the XML has a DOCTYPE, which libvirt never writes; refused");
	if (reader->out_of_memory)
		return err_set(e, "out of memory");
	if (reader->error[0] != '\0')
		return err_set(e, "the XML is not well-formed: %s", reader->error);
	if (root == NULL || !reader->complete)
		return err_set(e, "the XML is not well-formed: line 1: it has no end");
	if (strcmp((const char *)root->name, name) != 0)
		return err_set(e, "the XML is not a <%s>", name);
	return 0;
}

struct xml_element *
xml_parse(const char *text, size_t length, size_t max, const char *root, const char *const wanted[],
	struct err *e)
{
	struct reader reader = {.wanted = wanted};
	if (length > max || length > INT_MAX) {
		err_set(e, "the XML is larger than %zu MiB", max / 1024 / 1024);
		return NULL;
	}
	if (length == 0) {
		err_set(e, "the XML is empty");
		return NULL;
	}
	xmlParserCtxt *context = xmlNewParserCtxt();
	if (context == NULL) {
		err_set(e, "out of memory");
		return NULL;
	}
	context->_private = &reader;
	set_handlers(context->sax);
	xmlStructuredErrorFunc others = xmlStructuredError;
	void *data = xmlStructuredErrorContext;
	xmlSetStructuredErrorFunc(NULL, ignore_error);
	xmlDoc *document = xmlCtxtReadMemory(context, text, (int)length, NULL, NULL, OPTIONS);
	xmlSetStructuredErrorFunc(data, others);
	xmlFreeParserCtxt(context);
	xmlNode *element = document != NULL ? xmlDocGetRootElement(document) : NULL;
	if (judge_document(&reader, element, root, e) == 0)
		return (struct xml_element *)element;
	xmlFreeDoc(document);
	return NULL;
}

void
xml_free(struct xml_element **root)
{
	if (*root != NULL)
		xmlFreeDoc(((xmlNode *)*root)->doc);
}

static struct xml_element *
element_from(xmlNode *node, const char *name)
{
	while (node != NULL &&
		(node->type != XML_ELEMENT_NODE || strcmp((const char *)node->name, name) != 0))
		node = node->next;
	return (struct xml_element *)node;
}

struct xml_element *
xml_child(const struct xml_element *element, const char *name)
{
	const xmlNode *node = (const xmlNode *)element;
	return node != NULL ? element_from(node->children, name) : NULL;
}

struct xml_element *
xml_next(const struct xml_element *element, const char *name)
{
	return element_from(((const xmlNode *)element)->next, name);
}

/* Puts all text of an element into its first text node. Returns that, or NULL: there is no text. */
static xmlNode *
join_text(const xmlNode *node)
{
	xmlNode *first = NULL;
	for (xmlNode *child = node->children, *next; child != NULL; child = next) {
		next = child->next;
		if (child->type != XML_TEXT_NODE)
			continue;
		if (first == NULL) {
			first = child;
			continue;
		}
		xmlNodeAddContent(first, child->content);
		xmlUnlinkNode(child);
		xmlFreeNode(child);
	}
	return first;
}

const char *
xml_content(const struct xml_element *element)
{
	if (element == NULL)
		return NULL;
	const xmlNode *text = join_text((const xmlNode *)element);
	return text != NULL && text->content != NULL ? (const char *)text->content : "";
}

const char *
xml_attribute(const struct xml_element *element, const char *name)
{
	const xmlAttr *attribute = element != NULL ? ((const xmlNode *)element)->properties : NULL;
	while (attribute != NULL &&
		(attribute->ns != NULL || strcmp((const char *)attribute->name, name) != 0))
		attribute = attribute->next;
	if (attribute == NULL)
		return NULL;
	const xmlNode *text = attribute->children;
	return text != NULL && text->content != NULL ? (const char *)text->content : "";
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
