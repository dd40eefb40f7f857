/* SPDX-License-Identifier: MIT */
#include "guest/domain.h"

#include "support/mask.h"
#include "support/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char whole[] =
	"<domain type='kvm' id='2'>\n"
	"  <name>db1</name>\n"
	"  <uuid>6F1C0D5A-5d2c-4b0e-9f0e-0b1d7c1f3a11</uuid>\n"
	"  <metadata>\n"
	"    <a:app xmlns:a='urn:a'><a:name>other</a:name><vcpu>99</vcpu></a:app>\n"
	"    <app xmlns='urn:b'><name>other</name><vcpu current='1'>98</vcpu></app>\n"
	"  </metadata>\n"
	"  <vcpu placement='static' current='2'>4</vcpu>\n"
	"  <vcpus>\n"
	"    <vcpu id='0' enabled='yes' hotpluggable='no' order='1'/>\n"
	"    <vcpu id='1' enabled='no' hotpluggable='yes'/>\n"
	"    <vcpu id='2' enabled='yes' hotpluggable='yes' order='2'/>\n"
	"    <vcpu id='3' enabled='no' hotpluggable='yes'/>\n"
	"  </vcpus>\n"
	"  <iothreads>2</iothreads>\n"
	"</domain>\n";

static struct domain
parsed(const char *xml)
{
	struct domain domain;
	struct err e;
	memset(&domain, 0x5a, sizeof(domain));
	if (domain_parse(xml, strlen(xml), &domain, &e) != 0)
		fail_msg("%s: %s", xml, e.text);
	return domain;
}

/* A domain called x with more in it. */
static const char *
around(const char *more)
{
	static char xml[1024];
	snprintf(xml, sizeof(xml), "<domain><name>x</name>%s</domain>", more);
	return xml;
}

/* "y" and "n" for each vCPU. */
static const char *
online(const struct domain *domain)
{
	static char text[64];
	for (unsigned i = 0; i < domain->vcpus && i < 63; i++)
		text[i] = domain->vcpu_online[i] ? 'y' : 'n';
	text[domain->vcpus] = '\0';
	return text;
}

static const char *
iothreads(const struct domain *domain)
{
	static char text[256];
	size_t used = 0;
	text[0] = '\0';
	for (size_t i = 0; i < domain->iothread_count; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%u", i > 0 ? " " : "",
			domain->iothreads[i]);
	return text;
}

static void
reads_the_threads_of_a_core(void **state)
{
	(void)state;
	static const struct {
		const char *xml;
		unsigned threads;
	} cases[] = {
		{"", 1},
		{"<cpu mode='host-passthrough'/>", 1},
		{"<cpu><topology sockets='2' dies='1' cores='2' threads='2'/></cpu>", 2},
		{"<cpu><topology sockets='1' cores='4'/></cpu>", 1},
		{"<cpu><topology threads='4096'/></cpu>", 4096},
		{"<topology threads='2'/>", 1},
	};
	static const char *const wrong[] = {"0", "4097", "-1", "x", ""};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct domain domain = parsed(around(cases[i].xml));
		assert_int_equal(domain.threads, cases[i].threads);
		domain_free(&domain);
	}
	for (size_t i = 0; i < COUNT(wrong); i++) {
		char more[128], reason[128];
		struct domain domain;
		struct err e;
		snprintf(more, sizeof(more), "<cpu><topology threads='%s'/></cpu>", wrong[i]);
		snprintf(reason, sizeof(reason),
			"<topology threads='%s'>: not a number from 1 to 4096", wrong[i]);
		const char *xml = around(more);
		assert_int_equal(domain_parse(xml, strlen(xml), &domain, &e), -1);
		assert_string_equal(e.text, reason);
	}
}

static void
reads_the_dies_of_the_topology(void **state)
{
	(void)state;
	static const struct {
		const char *xml;
		unsigned vcpus;
		const char *word;
	} cases[] = {
		{"", 0, NULL},
		{"<cpu><topology sockets='1' dies='2' cores='2' threads='2'/></cpu>", 4, "die"},
		{"<cpu><topology dies='2' clusters='2' cores='2' threads='1'/></cpu>", 2,
			"cluster"},
		{"<cpu><topology sockets='2' cores='2' threads='2'/></cpu>", 4, "socket"},
		{"<cpu><topology sockets='8' cores='1' threads='1'/></cpu>", 0, NULL},
		{"<cpu><topology dies='2' cores='8' threads='1'/></cpu>", 0, NULL},
		{"<cpu><topology dies='2' cores='4096' threads='4096'/></cpu>", 0, NULL},
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		char more[128];
		snprintf(more, sizeof(more), "<vcpu>8</vcpu>%s", cases[i].xml);
		struct domain domain = parsed(around(more));
		assert_int_equal(domain.die_vcpus, cases[i].vcpus);
		if (cases[i].word == NULL)
			assert_null(domain.die_word);
		else
			assert_string_equal(domain.die_word, cases[i].word);
		domain_free(&domain);
	}
}

static void
reads_the_cells_of_numa(void **state)
{
	(void)state;
	static const struct {
		const char *cells, *of; /* each vCPU's */
	} cases[] = {
		{"<cell id='0' cpus='0-1'/><cell id='1' cpus='2,3'/>", "0011"},
		{"<cell cpus='2-3'/><cell cpus='0-1'/>", "1100"},
		{"<cell id='1' cpus='0-9'/>", "1111"},
		{"<cell id='2' cpus='0-3,^1'/><cell id='5'/>", "2-22"},
	};
	static const struct {
		const char *cells, *reason;
	} wrong[] = {
		{"<cell id='1024'/>", "<numa><cell id='1024'>: not a number up to 1023"},
		{"<cell id='x'/>", "<numa><cell id='x'>: not a number up to 1023"},
		{"<cell cpus='x'/>", "<numa><cell>: cpus='x': a CPU number is missing"},
	};
	char more[256];
	for (size_t i = 0; i < COUNT(cases); i++) {
		snprintf(more, sizeof(more), "<vcpu>4</vcpu><cpu><numa>%s</numa></cpu>",
			cases[i].cells);
		struct domain domain = parsed(around(more));
		for (size_t j = 0; j < 4; j++)
			assert_int_equal(domain.vcpu_cells[j],
				cases[i].of[j] == '-' ? -1 : cases[i].of[j] - '0');
		domain_free(&domain);
	}
	struct domain domain = parsed(around("<vcpu>4</vcpu><cpu><numa/></cpu>"));
	assert_null(domain.vcpu_cells);
	domain_free(&domain);
	for (size_t i = 0; i < COUNT(wrong); i++) {
		struct err e;
		snprintf(more, sizeof(more), "<cpu><numa>%s</numa></cpu>", wrong[i].cells);
		const char *xml = around(more);
		assert_int_equal(domain_parse(xml, strlen(xml), &domain, &e), -1);
		assert_string_equal(e.text, wrong[i].reason);
	}
}

static void
reads_the_nodes_of_numatune(void **state)
{
	(void)state;
	static const struct {
		const char *xml, *nodes;
	} cases[] = {
		{"", ""},
		{"<numatune/>", ""},
		{"<numatune><memory mode='strict' nodeset='1'/></numatune>", "1"},
		{"<numatune><memory placement='auto'/></numatune>", ""},
		{"<numatune><memory nodeset='0-3,^2'/><memnode cellid='0' nodeset='5'/>"
		 "<memnode cellid='1' mode='preferred' nodeset='7'/></numatune>",
			"0-1,3,5,7"},
		{"<metadata><numatune><memory nodeset='1'/></numatune></metadata>", ""},
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct domain domain = parsed(around(cases[i].xml));
		assert_mask(&domain.numatune, cases[i].nodes);
		domain_free(&domain);
	}
	const char *wrong = around("<numatune><memnode nodeset='x'/></numatune>");
	struct domain domain;
	struct err e;
	assert_int_equal(domain_parse(wrong, strlen(wrong), &domain, &e), -1);
	assert_string_equal(e.text, "<numatune><memnode>: nodeset='x': a CPU number is missing");
}

static void
reads_a_running_guest(void **state)
{
	(void)state;
	struct domain domain = parsed(whole);
	assert_string_equal(domain.name, "db1");
	assert_string_equal(domain.uuid, "6f1c0d5a-5d2c-4b0e-9f0e-0b1d7c1f3a11");
	assert_int_equal(domain.id, 2);
	assert_int_equal(domain.vcpus, 4);
	assert_string_equal(online(&domain), "ynyn");
	assert_string_equal(iothreads(&domain), "1 2");
	domain_free(&domain);
	assert_null(domain.name);
}

static void
has_defaults_for_what_is_not_there(void **state)
{
	(void)state;
	struct domain domain = parsed("<domain><name>x</name></domain>");
	assert_string_equal(domain.uuid, "");
	assert_int_equal(domain.id, -1);
	assert_int_equal(domain.vcpus, 1);
	assert_string_equal(online(&domain), "y");
	assert_int_equal(domain.iothread_count, 0);
	domain_free(&domain);
}

static const struct {
	const char *name, *xml, *text;
} names[] = {
	{"entities", "a&amp;b&lt;&gt;&quot;&apos;", "a&b<>\"'"},
	{"newline", "a&#10;b", "a\nb"},
	{"UTF-8", "caf\xc3\xa9", "caf\xc3\xa9"},
	{"spaces are its own", " a b ", " a b "},
	{"CDATA", "<![CDATA[<a>]]>", "<a>"},
	{"comment within", "a<!-- c -->b", "ab"},
};

static void
reads_odd_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		char xml[256];
		snprintf(xml, sizeof(xml), "<domain><name>%s</name></domain>", names[i].xml);
		struct domain domain = parsed(xml);
		if (strcmp(domain.name, names[i].text) != 0)
			fail_msg("%s: '%s'", names[i].name, domain.name);
		domain_free(&domain);
	}
}

static const struct {
	const char *xml, *online;
} vcpus[] = {
	{"<vcpu>1</vcpu>", "y"},
	{"<vcpu>4</vcpu>", "yyyy"},
	{"<vcpu>\n 4\t</vcpu>", "yyyy"},
	{"<vcpu current='2'>4</vcpu>", "yynn"},
	{"<vcpu current='4'>4</vcpu>", "yyyy"},
	{"<vcpu current='2'>4</vcpu><vcpus/>", "yynn"},
	{"<vcpu current='1'>2</vcpu><vcpus><vcpu id='1' enabled='yes'/>"
	 "<vcpu id='0' enabled='no'/></vcpus>",
		"ny"},
	{"<vcpu current='2'>4</vcpu><vcpus><vcpu id='0'/><x/><vcpu id='3' enabled='yes'/></vcpus>",
		"nyny"},
	{"<vcpu xmlns='urn:x'>9</vcpu><vcpu>2</vcpu>", "yy"},
	{"<metadata><vcpu>9</vcpu></metadata>", "y"},
	{"<!-- <vcpu>9</vcpu> --><vcpu>3</vcpu>", "yyy"},
	{"<vcpu>2</vcpu><vcpus><q:vcpu xmlns:q='urn:q' id='7' enabled='no'/></vcpus>", "yy"},
};

static void
reads_which_vcpus_are_online(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(vcpus); i++) {
		struct domain domain = parsed(around(vcpus[i].xml));
		if (strcmp(online(&domain), vcpus[i].online) != 0)
			fail_msg("%s: %s", vcpus[i].xml, online(&domain));
		domain_free(&domain);
	}
}

/* As virDomainIOThreadIDDefArrayInit() numbers them. */
static const struct {
	const char *xml, *ids;
} threads[] = {
	{"<iothreads>4</iothreads>", "1 2 3 4"},
	{"<iothreads>0</iothreads>", ""},
	{"<iothreads>4</iothreads><iothreadids/>", "1 2 3 4"},
	{"<iothreads>4</iothreads><iothreadids><iothread id='2'/></iothreadids>", "1 2 3 4"},
	{"<iothreads>3</iothreads><iothreadids><iothread id='2'/><iothread id='5'/></iothreadids>",
		"1 2 5"},
	{"<iothreads>4</iothreads><iothreadids><iothread id='5'/><iothread id='1'/></iothreadids>",
		"1 2 3 5"},
	{"<iothreads>1</iothreads><iothreadids><iothread id='9'/><iothread id='3'/></iothreadids>",
		"3 9"},
	{"<iothreadids><iothread id='4294967295'/></iothreadids>", "4294967295"},
	{"<metadata><iothreads>9</iothreads></metadata>", ""},
};

static void
numbers_iothreads_as_libvirt_does(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(threads); i++) {
		struct domain domain = parsed(around(threads[i].xml));
		if (strcmp(iothreads(&domain), threads[i].ids) != 0)
			fail_msg("%s: %s", threads[i].xml, iothreads(&domain));
		domain_free(&domain);
	}
}

/* Metadata that libvirt stores and passes on, though the standard on namespaces forbids it. */
static void
passes_over_any_metadata(void **state)
{
	(void)state;
	static const char *const metadata[] = {
		"<e:x xmlns:e='my app'/>",
		"<foo:bar/>",
		"<xmlns:q/>",
		"<x foo:a='1'/>",
		"<e:x xmlns:e='urn:e' xmlns:f='urn:e' e:a='1' f:a='2'/>",
		"<a:b:c/>",
		"<y:/><:z/>",
		"<?a:b c?>",
		"<x xmlns='urn:x'><vcpu xmlns=''>9</vcpu></x>",
		"<\xf0\x9f\x98\x80/>",
		"<x \xf0\xa0\xae\xb7='&lt;/metadata>'/><![CDATA[</metadata><vcpu>9</vcpu>]]>",
	};
	for (size_t i = 0; i < COUNT(metadata); i++) {
		char more[256];
		snprintf(more, sizeof(more), "<metadata>%s</metadata><vcpu>2</vcpu>", metadata[i]);
		struct domain domain = parsed(around(more));
		assert_int_equal(domain.vcpus, 2);
		domain_free(&domain);
	}
}

/* In the place of the document's end, the XML's own words. */
static const struct {
	const char *xml, *reason;
} wrong[] = {
	{"", "the XML is empty"},
	{"<domstatus/>", "the XML is not a <domain>"},
	{"<domain/>", "the domain has no <name>"},
	{"<domain><name>x</name><devices><\xf0\x9f\x98\x80/></devices><vcpu>0</vcpu></domain>",
		"<vcpu>0</vcpu>: not a number from 1 to 4096"},
	{"<domain><name/></domain>", "the domain has no <name>"},
	{"<domain><metadata><name>x</name></metadata></domain>", "the domain has no <name>"},
	{"<domain><name xmlns='urn:x'>x</name></domain>", "the domain has no <name>"},
	{"<domain id='x'><name>x</name></domain>", "<domain id='x'>: not a number"},
	{"<domain id='-1'><name>x</name></domain>", "<domain id='-1'>: not a number"},
	{"<domain id='2147483648'><name>x</name></domain>",
		"<domain id='2147483648'>: not a number"},
	{"<domain><name>x</name><uuid>6f1c</uuid></domain>", "<uuid>6f1c</uuid>: not a UUID"},
	{"<domain><name>x</name><vcpu>0</vcpu></domain>",
		"<vcpu>0</vcpu>: not a number from 1 to 4096"},
	{"<domain><name>x</name><vcpu>4097</vcpu></domain>",
		"<vcpu>4097</vcpu>: not a number from 1 to 4096"},
	{"<domain><name>x</name><vcpu>4294967297</vcpu></domain>",
		"<vcpu>4294967297</vcpu>: not a number from 1 to 4096"},
	{"<domain><name>x</name><vcpu/></domain>", "<vcpu></vcpu>: not a number from 1 to 4096"},
	{"<domain><name>x</name><vcpu>-1</vcpu></domain>",
		"<vcpu>-1</vcpu>: not a number from 1 to 4096"},
	{"<domain><name>x</name><vcpu>4 4</vcpu></domain>",
		"<vcpu>4 4</vcpu>: not a number from 1 to 4096"},
	{"<domain><name>x</name><vcpu current='3'>2</vcpu></domain>",
		"<vcpu current='3'>: not a number up to 2"},
	{"<domain><name>x</name><vcpu current=''>2</vcpu></domain>",
		"<vcpu current=''>: not a number up to 2"},
	{"<domain><name>x</name><vcpu>2</vcpu><vcpus><vcpu id='2'/></vcpus></domain>",
		"<vcpus><vcpu id='2'>: not a vCPU of this guest, 0-1"},
	{"<domain><name>x</name><vcpu>2</vcpu><vcpus><vcpu enabled='yes'/></vcpus></domain>",
		"<vcpus><vcpu id=''>: not a vCPU of this guest, 0-1"},
	{"<domain><name>x</name><iothreads>4097</iothreads></domain>",
		"<iothreads>4097</iothreads>: not a number up to 4096"},
	{"<domain><name>x</name><iothreadids><iothread id='0'/></iothreadids></domain>",
		"<iothread id='0'>: not a number from 1"},
	{"<domain><name>x</name><iothreadids><iothread id='3'/><iothread id='1'/>"
	 "<iothread id='3'/></iothreadids></domain>",
		"<iothread id='3'>: twice"},
	{"<domain><name>x</name><iothreadids><iothread/></iothreadids></domain>",
		"<iothread id=''>: not a number from 1"},
	{"<domain><name>x</name><iothreadids><iothread id='4294967296'/></iothreadids></domain>",
		"<iothread id='4294967296'>: not a number from 1"},
	{"<!DOCTYPE domain><domain><name>x</name></domain>",
		"the XML has a DOCTYPE, which libvirt never writes; refused"},
	{"<!DOCTYPE domain SYSTEM '/etc/passwd'><domain><name>x</name></domain>",
		"the XML has a DOCTYPE, which libvirt never writes; refused"},
	{"<!DOCTYPE d [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><domain><name>&e;</name></domain>",
		"the XML has a DOCTYPE, which libvirt never writes; refused"},
};

static void
refuses_what_is_no_domain(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		struct domain domain = {.id = 77};
		struct err e;
		if (domain_parse(wrong[i].xml, strlen(wrong[i].xml), &domain, &e) != -1)
			fail_msg("taken: %s", wrong[i].xml);
		if (strcmp(e.text, wrong[i].reason) != 0)
			fail_msg("%s\ngives:  %s\nwanted: %s", wrong[i].xml, e.text,
				wrong[i].reason);
		assert_int_equal(domain.id, 77);
		assert_null(domain.name);
	}
}

/* Documents that are not well-formed; libxml2's words differ between its versions. */
static const char *const broken[] = {
	"x",
	"<",
	"<domain",
	"<domain><name>x</name>",
	"<domain><name>x</domain>",
	"<domain><name>&nothing;</name></domain>",
	"<domain><name>x</name></domain><domain/>",
	"<domain><name>\x01</name></domain>",
	"<domain><name>\xff\xfe</name></domain>",
	"<domain id=2><name>x</name></domain>",
	"<domain id='1' id='2'><name>x</name></domain>",
	"\n<?xml version='1.0'?><domain><name>x</name></domain>",
};

static void
refuses_what_is_not_well_formed(void **state)
{
	(void)state;
	static const char start[] = "the XML is not well-formed: line ";
	for (size_t i = 0; i < COUNT(broken); i++) {
		struct domain domain;
		struct err e;
		if (domain_parse(broken[i], strlen(broken[i]), &domain, &e) != -1)
			fail_msg("taken: %s", broken[i]);
		assert_memory_equal(e.text, start, sizeof(start) - 1);
		assert_null(strchr(e.text, '\n'));
	}
	struct domain domain;
	struct err e;
	static const char nul[] = "<domain>\0<name>x</name></domain>";
	assert_int_equal(domain_parse(nul, sizeof(nul) - 1, &domain, &e), -1);
}

/* Each beginning of the document is an error, up to the last '>'. */
static void
refuses_it_cut_at_any_byte(void **state)
{
	(void)state;
	for (size_t length = 0; length < sizeof(whole) - 2; length++) {
		char *xml = malloc(length + 1); /* so that a read past its end is seen */
		struct domain domain;
		struct err e;
		assert_non_null(xml);
		memcpy(xml, whole, length);
		if (domain_parse(xml, length, &domain, &e) != -1)
			fail_msg("taken when cut at %zu", length);
		free(xml);
	}
}

static void
refuses_a_billion_laughs(void **state)
{
	(void)state;
	char xml[4096];
	size_t used = (size_t)snprintf(xml, sizeof(xml), "<!DOCTYPE d [<!ENTITY e0 'ha'>");
	for (int i = 1; i < 30; i++) {
		used += (size_t)snprintf(xml + used, sizeof(xml) - used, "<!ENTITY e%d '", i);
		for (int j = 0; j < 10; j++)
			used += (size_t)snprintf(xml + used, sizeof(xml) - used, "&e%d;", i - 1);
		used += (size_t)snprintf(xml + used, sizeof(xml) - used, "'>");
	}
	used += (size_t)snprintf(
		xml + used, sizeof(xml) - used, "]><domain><name>&e29;</name></domain>");
	assert_true(used < sizeof(xml));
	struct domain domain;
	struct err e;
	assert_int_equal(domain_parse(xml, used, &domain, &e), -1);
}

/* <x> in <x>, depth of them, within a domain. */
static int
parse_nested(size_t depth, struct err *e)
{
	size_t size = 64 + depth * 7, used;
	char *xml = malloc(size);
	struct domain domain;
	assert_non_null(xml);
	used = (size_t)snprintf(xml, size, "<domain><name>x</name>");
	for (size_t i = 0; i < depth; i++, used += 3)
		memcpy(xml + used, "<x>", 3);
	for (size_t i = 0; i < depth; i++, used += 4)
		memcpy(xml + used, "</x>", 4);
	used += (size_t)snprintf(xml + used, size - used, "</domain>");
	int r = domain_parse(xml, used, &domain, e);
	if (r == 0)
		domain_free(&domain);
	free(xml);
	return r;
}

/* libvirt itself takes 256 levels, or as many as its libxml2 does with XML_PARSE_HUGE. */
static void
takes_elements_as_deep_as_libvirt_does(void **state)
{
	(void)state;
	struct err e;
	assert_int_equal(parse_nested(255, &e), 0);
	assert_int_equal(parse_nested(1000, &e), 0);
	/* from 2.12 on there is a limit, far above what libvirt stores */
	(void)parse_nested(1000000, &e);
}

/* A domain in which the text more, repeated up to size bytes, lies between head and tail. */
static void
parse_long(const char *head, const char *more, size_t size, const char *tail)
{
	size_t step = strlen(more), used = strlen(head);
	char *xml = malloc(size + used + step + strlen(tail) + 1);
	struct domain domain;
	struct err e;
	assert_non_null(xml);
	memcpy(xml, head, used);
	for (size_t i = 0; i < size; i += step, used += step)
		memcpy(xml + used, more, step);
	strcpy(xml + used, tail);
	if (domain_parse(xml, strlen(xml), &domain, &e) != 0)
		fail_msg("%s...: %s", head, e.text);
	assert_int_equal(domain.vcpus, 2);
	domain_free(&domain);
	free(xml);
}

static void
takes_long_attributes_and_texts(void **state)
{
	(void)state;
	size_t size = (size_t)20 * 1024 * 1024;
	parse_long("<domain><name>x</name><metadata><e:x xmlns:e='urn:e' a='", "0123456789", size,
		"'/></metadata><vcpu>2</vcpu></domain>");
	parse_long("<domain><name>x</name><metadata><e:x xmlns:e='urn:e'>", "0123456789", size,
		"</e:x></metadata><vcpu>2</vcpu></domain>");
	parse_long("<domain><name>x</name><metadata>", "<u:x u:a='1'/>", size / 16,
		"</metadata><vcpu>2</vcpu></domain>");
}

/* size bytes of a domain, filled up with one-MiB comments. */
static char *
sized_domain(size_t size)
{
	static const char head[] = "<domain><name>x</name>", tail[] = "</domain>";
	char *xml = malloc(size), *s = xml;
	assert_non_null(xml);
	memset(xml, ' ', size);
	memcpy(s, head, sizeof(head) - 1);
	s += sizeof(head) - 1;
	while ((size_t)(xml + size - s) > (1 << 20) + sizeof(tail)) {
		memcpy(s, "<!--", 4);
		s += (1 << 20) - 3;
		memcpy(s, "-->", 3);
		s += 3;
	}
	memcpy(xml + size - (sizeof(tail) - 1), tail, sizeof(tail) - 1);
	return xml;
}

static void
takes_64_mib_and_no_more(void **state)
{
	(void)state;
	struct domain domain;
	struct err e;
	char *xml = sized_domain(DOMAIN_XML_MAX);
	if (domain_parse(xml, DOMAIN_XML_MAX, &domain, &e) != 0)
		fail_msg("%s", e.text);
	domain_free(&domain);
	free(xml);
	xml = sized_domain(DOMAIN_XML_MAX + 1);
	assert_int_equal(domain_parse(xml, DOMAIN_XML_MAX + 1, &domain, &e), -1);
	assert_string_equal(e.text, "the XML is larger than 64 MiB");
	free(xml);
}

static void
takes_the_most_iothreads_and_vcpus(void **state)
{
	(void)state;
	size_t size = 200000, used = 0;
	char *xml = malloc(size);
	assert_non_null(xml);
	for (unsigned count = 4096; count <= 4097; count++) {
		used = (size_t)snprintf(
			xml, size, "<domain><name>x</name><vcpu>4096</vcpu><iothreadids>");
		for (unsigned i = count; i > 0; i--)
			used += (size_t)snprintf(xml + used, size - used, "<iothread id='%u'/>", i);
		used += (size_t)snprintf(xml + used, size - used, "</iothreadids></domain>");
		assert_true(used < size);
		struct domain domain;
		struct err e;
		int r = domain_parse(xml, used, &domain, &e);
		assert_int_equal(r, count == 4096 ? 0 : -1);
		if (r != 0) {
			assert_string_equal(e.text, "more than 4096 iothreads");
			continue;
		}
		assert_int_equal(domain.vcpus, 4096);
		assert_true(domain.vcpu_online[4095]);
		assert_int_equal(domain.iothread_count, 4096);
		assert_int_equal(domain.iothreads[0], 1);
		assert_int_equal(domain.iothreads[4095], 4096);
		domain_free(&domain);
	}
	free(xml);
}

int
main(void)
{
	alarm(120); /* "without end" is a fault that is looked for here */
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(passes_over_any_metadata),
		cmocka_unit_test(reads_a_running_guest),
		cmocka_unit_test(reads_the_threads_of_a_core),
		cmocka_unit_test(reads_the_dies_of_the_topology),
		cmocka_unit_test(reads_the_cells_of_numa),
		cmocka_unit_test(reads_the_nodes_of_numatune),
		cmocka_unit_test(has_defaults_for_what_is_not_there),
		cmocka_unit_test(reads_odd_names),
		cmocka_unit_test(reads_which_vcpus_are_online),
		cmocka_unit_test(numbers_iothreads_as_libvirt_does),
		cmocka_unit_test(refuses_what_is_no_domain),
		cmocka_unit_test(refuses_what_is_not_well_formed),
		cmocka_unit_test(refuses_it_cut_at_any_byte),
		cmocka_unit_test(refuses_a_billion_laughs),
		cmocka_unit_test(takes_elements_as_deep_as_libvirt_does),
		cmocka_unit_test(takes_long_attributes_and_texts),
		cmocka_unit_test(takes_64_mib_and_no_more),
		cmocka_unit_test(takes_the_most_iothreads_and_vcpus),
	};
	return cmocka_run_group_tests_name("domain", tests, NULL, NULL);
}
