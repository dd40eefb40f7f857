#include "domain.h"

#include <libxml/parser.h>
#include <libxml/tree.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
free_document(xmlDoc **document)
{
	xmlFreeDoc(*document);
}

static void
free_parser(xmlParserCtxt **parser)
{
	xmlFreeParserCtxt(*parser);
}

static void
free_text(char **text)
{
	xmlFree(*text);
}

#define AUTO_DOCUMENT __attribute__((cleanup(free_document)))
#define AUTO_PARSER __attribute__((cleanup(free_parser)))
#define AUTO_TEXT __attribute__((cleanup(free_text)))

/* libxml2's encoders print to standard error by themselves, whatever the parser was told. */
static void
be_quiet(void *context, const char *message, ...)
{
	(void)context;
	(void)message;
}

/*
 * Takes a document apart only after libxml2 found it well-formed; libxml2 bounds depth (256)
 * itself.
 */
static xmlDoc *
parse_document(const char *xml, size_t length, const char *root, struct err *e)
{
	if (length > DOMAIN_XML_MAX) {
		err_set(e, "the XML is larger than %zu MiB", DOMAIN_XML_MAX / 1024 / 1024);
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
	AUTO_DOCUMENT xmlDoc *document = xmlCtxtReadMemory(parser, xml, (int)length, NULL, NULL,
		XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_COMPACT);
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
	xmlDoc *result = document;
	document = NULL;
	return result;
}

/*
 * The next element called name, from node on; foreign namespaces do not count. NULL if there is
 * none.
 */
static xmlNode *
element_from(xmlNode *node, const char *name)
{
	for (; node != NULL; node = node->next)
		if (node->type == XML_ELEMENT_NODE && node->ns == NULL &&
			strcmp((const char *)node->name, name) == 0)
			return node;
	return NULL;
}

static xmlNode *
child(const xmlNode *node, const char *name)
{
	return node != NULL ? element_from(node->children, name) : NULL;
}

static char *
content(xmlNode *node)
{
	return (char *)xmlNodeGetContent(node);
}

static char *
attribute(xmlNode *node, const char *name)
{
	return (char *)xmlGetNoNsProp(node, (const xmlChar *)name);
}

/* For messages: text may be missing, or there was no memory for it. */
static const char *
shown(const char *text)
{
	return text != NULL ? text : "";
}

/* A whole number as libvirt prints it, white space about it allowed. */
static int
parse_number(const char *text, unsigned max, unsigned *number)
{
	static const char white[] = " \t\r\n";
	if (text == NULL)
		return -1;
	text += strspn(text, white);
	if (cpumask_parse_number(&text, max, number) != 0)
		return -1;
	return text[strspn(text, white)] == '\0' ? 0 : -1;
}

static int
parse_name(xmlNode *root, struct domain *domain, struct err *e)
{
	xmlNode *name = child(root, "name");
	domain->name = name != NULL ? content(name) : NULL;
	if (domain->name == NULL || domain->name[0] == '\0')
		return err_set(e, "the domain has no <name>");
	return 0;
}

static int
parse_id(xmlNode *root, struct domain *domain, struct err *e)
{
	domain->id = -1;
	AUTO_TEXT char *id = attribute(root, "id");
	unsigned number;
	if (id == NULL)
		return 0;
	if (parse_number(id, 0x7fffffff, &number) != 0)
		return err_set(e, "<domain id='%.40s'>: not a number", id);
	domain->id = (int)number;
	return 0;
}

static int
parse_uuid(xmlNode *root, struct domain *domain, struct err *e)
{
	xmlNode *uuid = child(root, "uuid");
	if (uuid == NULL)
		return 0;
	AUTO_TEXT char *text = content(uuid);
	if (text == NULL || strlen(text) != 36)
		return err_set(e, "<uuid>%.60s</uuid>: not a UUID", shown(text));
	for (size_t i = 0; i < 36; i++)
		domain->uuid[i] =
			(char)(text[i] >= 'A' && text[i] <= 'F' ? text[i] + ('a' - 'A') : text[i]);
	return 0;
}

/* <vcpu current='2'>4</vcpu>, and <vcpus><vcpu id='0' enabled='yes'/>... where it is there. */
static int
parse_vcpus(xmlNode *root, struct domain *domain, struct err *e)
{
	xmlNode *vcpu = child(root, "vcpu");
	AUTO_TEXT char *maximum = vcpu != NULL ? content(vcpu) : NULL;
	AUTO_TEXT char *current = vcpu != NULL ? attribute(vcpu, "current") : NULL;
	unsigned online;
	domain->vcpus = 1; /* libvirt's default */
	if (vcpu != NULL && (parse_number(maximum, DOMAIN_VCPUS_MAX, &domain->vcpus) != 0 ||
				    domain->vcpus == 0))
		return err_set(e, "<vcpu>%.40s</vcpu>: not a number from 1 to %u", shown(maximum),
			DOMAIN_VCPUS_MAX);
	online = domain->vcpus;
	if (current != NULL && parse_number(current, domain->vcpus, &online) != 0)
		return err_set(
			e, "<vcpu current='%.40s'>: not a number up to %u", current, domain->vcpus);
	domain->vcpu_online = calloc(domain->vcpus, sizeof(*domain->vcpu_online));
	if (domain->vcpu_online == NULL)
		return err_set(e, "out of memory");
	for (unsigned i = 0; i < online; i++)
		domain->vcpu_online[i] = true;
	xmlNode *one = child(child(root, "vcpus"), "vcpu");
	for (; one != NULL; one = element_from(one->next, "vcpu")) {
		AUTO_TEXT char *id = attribute(one, "id");
		AUTO_TEXT char *enabled = attribute(one, "enabled");
		unsigned number;
		if (parse_number(id, domain->vcpus - 1, &number) != 0)
			return err_set(e,
				"<vcpus><vcpu id='%.40s'>: not a vCPU of this guest, 0-%u",
				shown(id), domain->vcpus - 1);
		domain->vcpu_online[number] = enabled != NULL && strcmp(enabled, "yes") == 0;
	}
	return 0;
}

static int
compare_ids(const void *a, const void *b)
{
	unsigned left = *(const unsigned *)a, right = *(const unsigned *)b;
	return (left > right) - (left < right);
}

/*
 * <iothreads>4</iothreads> with <iothreadids><iothread id='2'/>...: those listed, and then, as
 * libvirt does, the lowest unused numbers until there are as many as <iothreads> says.
 */
static int
parse_iothreads(xmlNode *root, struct domain *domain, struct err *e)
{
	xmlNode *iothreads = child(root, "iothreads");
	AUTO_TEXT char *text = iothreads != NULL ? content(iothreads) : NULL;
	unsigned total = 0;
	if (iothreads != NULL && parse_number(text, DOMAIN_IOTHREADS_MAX, &total) != 0)
		return err_set(e, "<iothreads>%.40s</iothreads>: not a number up to %u",
			shown(text), DOMAIN_IOTHREADS_MAX);
	domain->iothreads = calloc(DOMAIN_IOTHREADS_MAX, sizeof(*domain->iothreads));
	if (domain->iothreads == NULL)
		return err_set(e, "out of memory");
	xmlNode *one = child(child(root, "iothreadids"), "iothread");
	for (; one != NULL; one = element_from(one->next, "iothread")) {
		AUTO_TEXT char *id = attribute(one, "id");
		unsigned *next = &domain->iothreads[domain->iothread_count];
		if (domain->iothread_count == DOMAIN_IOTHREADS_MAX)
			return err_set(e, "more than %u iothreads", DOMAIN_IOTHREADS_MAX);
		if (parse_number(id, 0xffffffff, next) != 0 || *next == 0)
			return err_set(e, "<iothread id='%.40s'>: not a number from 1", shown(id));
		domain->iothread_count++;
	}
	size_t listed = domain->iothread_count;
	qsort(domain->iothreads, listed, sizeof(*domain->iothreads), compare_ids);
	for (size_t i = 1; i < listed; i++)
		if (domain->iothreads[i] == domain->iothreads[i - 1])
			return err_set(e, "<iothread id='%u'>: twice", domain->iothreads[i]);
	for (unsigned id = 1; domain->iothread_count < total; id++)
		if (bsearch(&id, domain->iothreads, listed, sizeof(id), compare_ids) == NULL)
			domain->iothreads[domain->iothread_count++] = id;
	qsort(domain->iothreads, domain->iothread_count, sizeof(*domain->iothreads), compare_ids);
	return 0;
}

int
domain_parse(const char *xml, size_t length, struct domain *domain, struct err *e)
{
	AUTO_DOCUMENT xmlDoc *document = parse_document(xml, length, "domain", e);
	if (document == NULL)
		return -1;
	xmlNode *root = xmlDocGetRootElement(document);
	struct domain result = {0};
	if (parse_name(root, &result, e) != 0 || parse_id(root, &result, e) != 0 ||
		parse_uuid(root, &result, e) != 0 || parse_vcpus(root, &result, e) != 0 ||
		parse_iothreads(root, &result, e) != 0) {
		domain_free(&result);
		return -1;
	}
	*domain = result;
	return 0;
}

void
domain_free(struct domain *domain)
{
	xmlFree(domain->name);
	free(domain->vcpu_online);
	free(domain->iothreads);
	*domain = (struct domain){0};
}

/* libvirt's list: "0-3,^2", where "^2" takes away from what stands before it (virBitmapParse()). */
static int
parse_cpuset(const char *text, struct cpumask *cpus, struct err *e)
{
	const char *s = text;
	*cpus = (struct cpumask){0};
	do {
		struct cpumask item = {0};
		s += s != text;
		s += strspn(s, " \t\n");
		bool exclude = *s == '^';
		s += exclude;
		if (cpumask_parse_range(&s, &item, e) != 0)
			return err_context(e, "cpuset='%.60s'", text);
		s += strspn(s, " \t\n");
		if (exclude)
			cpumask_andnot(cpus, &item);
		else
			cpumask_or(cpus, &item);
	} while (*s == ',');
	return *s == '\0' ? 0 : err_set(e, "cpuset='%.60s': not a list of CPUs", text);
}

/*
 * All elements called name below cputune; id_attribute is NULL where there is only one such thread
 * group.
 */
static int
parse_pin_elements(xmlNode *cputune, const char *name, enum group_kind kind,
	const char *id_attribute, struct domain_pins *pins, struct err *e)
{
	for (xmlNode *pin = child(cputune, name); pin != NULL;
		pin = element_from(pin->next, name)) {
		AUTO_TEXT char *id = id_attribute != NULL ? attribute(pin, id_attribute) : NULL;
		AUTO_TEXT char *cpuset = attribute(pin, "cpuset");
		struct domain_pin *larger =
			reallocarray(pins->pins, pins->count + 1, sizeof(*larger));
		if (larger == NULL)
			return err_set(e, "out of memory");
		pins->pins = larger;
		struct domain_pin *one = &larger[pins->count];
		*one = (struct domain_pin){.group = {.kind = kind}};
		if (id_attribute != NULL && parse_number(id, 0xffffffff, &one->group.id) != 0)
			return err_set(
				e, "<%s %s='%.40s'>: not a number", name, id_attribute, shown(id));
		if (parse_cpuset(shown(cpuset), &one->cpus, e) != 0)
			return err_context(e, "<%s>", name);
		pins->count++;
	}
	return 0;
}

static int
parse_pins(xmlNode *root, struct domain_pins *pins, struct err *e)
{
	xmlNode *cputune = child(root, "cputune"), *vcpu = child(root, "vcpu");
	AUTO_TEXT char *cpuset = vcpu != NULL ? attribute(vcpu, "cpuset") : NULL;
	pins->has_default = cpuset != NULL;
	if (cpuset != NULL && parse_cpuset(cpuset, &pins->fallback, e) != 0)
		return err_context(e, "<vcpu>");
	if (parse_pin_elements(cputune, "vcpupin", GROUP_VCPU, "vcpu", pins, e) != 0 ||
		parse_pin_elements(cputune, "emulatorpin", GROUP_EMULATOR, NULL, pins, e) != 0)
		return -1;
	return parse_pin_elements(cputune, "iothreadpin", GROUP_IOTHREAD, "iothread", pins, e);
}

int
domain_parse_pins(const char *xml, size_t length, struct domain_pins *pins, struct err *e)
{
	AUTO_DOCUMENT xmlDoc *document = parse_document(xml, length, "domain", e);
	if (document == NULL)
		return -1;
	struct domain_pins result = {0};
	if (parse_pins(xmlDocGetRootElement(document), &result, e) != 0) {
		domain_pins_free(&result);
		return -1;
	}
	*pins = result;
	return 0;
}

void
domain_pins_free(struct domain_pins *pins)
{
	free(pins->pins);
	*pins = (struct domain_pins){0};
}

const struct cpumask *
domain_pins_find(const struct domain_pins *pins, struct group group)
{
	for (size_t i = 0; i < pins->count; i++)
		if (group_compare(pins->pins[i].group, group) == 0)
			return &pins->pins[i].cpus;
	return pins->has_default ? &pins->fallback : NULL;
}

int
domain_parse_status_pid(const char *xml, size_t length, struct err *e)
{
	AUTO_DOCUMENT xmlDoc *document = parse_document(xml, length, "domstatus", e);
	if (document == NULL)
		return -1;
	AUTO_TEXT char *text = attribute(xmlDocGetRootElement(document), "pid");
	unsigned pid;
	if (parse_number(text, 0x7fffffff, &pid) != 0 || pid == 0)
		return err_set(e, "<domstatus pid='%.40s'>: not a pid", shown(text));
	return (int)pid;
}
