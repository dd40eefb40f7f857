#include "xml.h"

#include <libxml/parser.h>
#include <libxml/tree.h>

#include <string.h>

static void
free_parser(xmlParserCtxt **parser)
{
	xmlFreeParserCtxt(*parser);
}

#define AUTO_PARSER __attribute__((cleanup(free_parser)))

/* libxml2's encoders print to standard error by themselves, whatever the parser was told. */
static void
be_quiet(void *context, const char *message, ...)
{
	(void)context;
	(void)message;
}

/* A document is taken apart only after libxml2 found it well-formed. */
struct xml *
xml_parse(const char *text, size_t length, size_t max, const char *root, struct err *e)
{
	if (length > max) {
		err_set(e, "the XML is larger than %zu MiB", max / 1024 / 1024);
		return NULL;
	}
	if (length == 0) {
		err_set(e, "the XML is empty");
		return NULL;
	}
	xmlSetGenericErrorFunc(NULL, be_quiet);
	AUTO_PARSER xmlParserCtxt *parser = xmlNewParserCtxt();
	if (parser == NULL) {
		err_set(e, "out of memory");
		return NULL;
	}
	AUTO_XML struct xml *xml = (struct xml *)xmlCtxtReadMemory(parser, text, (int)length, NULL,
		NULL,
		XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_COMPACT);
	const xmlDoc *document = (const xmlDoc *)xml;
	if (document == NULL) {
		const xmlError *last = xmlCtxtGetLastError(parser);
		const char *why =
			last != NULL && last->message != NULL ? last->message : "out of memory\n";
		err_set(e, "the XML is not well-formed: line %d: %.*s",
			last != NULL ? last->line : 0, (int)strcspn(why, "\n"), why);
		return NULL;
	}
	if (document->intSubset != NULL || document->extSubset != NULL) {
		err_set(e, "the XML has a DOCTYPE, which libvirt never writes; refused");
		return NULL;
	}
	const xmlNode *element = xmlDocGetRootElement(document);
	if (element == NULL || strcmp((const char *)element->name, root) != 0) {
		err_set(e, "the XML is not a <%s>", root);
		return NULL;
	}
	struct xml *result = xml;
	xml = NULL;
	return result;
}

void
xml_free(struct xml **xml)
{
	xmlFreeDoc((xmlDoc *)*xml);
}

struct xml_element *
xml_root(struct xml *xml)
{
	return (struct xml_element *)xmlDocGetRootElement((const xmlDoc *)xml);
}

static struct xml_element *
element_from(xmlNode *node, const char *name)
{
	for (; node != NULL; node = node->next)
		if (node->type == XML_ELEMENT_NODE && node->ns == NULL &&
			strcmp((const char *)node->name, name) == 0)
			return (struct xml_element *)node;
	return NULL;
}

struct xml_element *
xml_child(const struct xml_element *element, const char *name)
{
	return element != NULL ? element_from(((const xmlNode *)element)->children, name) : NULL;
}

struct xml_element *
xml_next(const struct xml_element *element, const char *name)
{
	return element_from(((const xmlNode *)element)->next, name);
}

char *
xml_content(struct xml_element *element)
{
	return element != NULL ? (char *)xmlNodeGetContent((const xmlNode *)element) : NULL;
}

char *
xml_attribute(struct xml_element *element, const char *name)
{
	return element != NULL
		       ? (char *)xmlGetNoNsProp((const xmlNode *)element, (const xmlChar *)name)
		       : NULL;
}

void
xml_text_free(char **text)
{
	xmlFree(*text);
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
	if (cpumask_parse_number(&text, max, number) != 0)
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
