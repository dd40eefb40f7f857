/* SPDX-License-Identifier: MIT */
/* Tests where a guest's XML pins its groups, and the pid of a status file. */
#include "guest/domain_pins.h"

#include "guest/domain.h"

#include "support/mask.h"
#include "support/unit.h"

#include <stdio.h>
#include <string.h>

/* A domain called x with more in it. */
static const char *
around(const char *more)
{
	static char xml[1024];
	snprintf(xml, sizeof(xml), "<domain><name>x</name>%s</domain>", more);
	return xml;
}

static void
reads_the_pins(void **state)
{
	(void)state;
	const char *xml =
		around("<vcpu cpuset='0-7,^3'>4</vcpu><cputune>"
		       "<vcpupin vcpu='0' cpuset='2'/><vcpupin vcpu='3' cpuset='4-7,^5,5-5'/>"
		       "<emulatorpin cpuset=' 0 , 1 '/><iothreadpin iothread='2' cpuset='^8,0-8'/>"
		       "</cputune>");
	struct domain_pins pins;
	struct err e;
	if (domain_parse_pins(xml, strlen(xml), &pins, &e) != 0)
		fail_msg("%s", e.text);
	assert_int_equal(pins.count, 4);
	assert_mask(domain_pins_find(&pins, (struct thread_group){GROUP_VCPU, 0}), "2");
	assert_mask(domain_pins_find(&pins, (struct thread_group){GROUP_VCPU, 3}), "4-7");
	assert_mask(domain_pins_find(&pins, (struct thread_group){GROUP_VCPU, 1}), "0-2,4-7");
	assert_mask(domain_pins_find(&pins, (struct thread_group){GROUP_EMULATOR, 0}), "0-1");
	assert_mask(domain_pins_find(&pins, (struct thread_group){GROUP_IOTHREAD, 2}), "0-8");
	assert_mask(domain_pins_find(&pins, (struct thread_group){GROUP_IOTHREAD, 3}), "0-2,4-7");
	domain_pins_free(&pins);
	assert_null(pins.pins);
	xml = around("<vcpu>2</vcpu><cputune><shares>5</shares></cputune>");
	assert_int_equal(domain_parse_pins(xml, strlen(xml), &pins, &e), 0);
	assert_null(domain_pins_find(&pins, (struct thread_group){GROUP_VCPU, 0}));
	assert_false(pins.automatic);
	domain_pins_free(&pins);
	xml = around("<vcpu placement='auto' current='1'>2</vcpu>");
	assert_int_equal(domain_parse_pins(xml, strlen(xml), &pins, &e), 0);
	assert_true(pins.automatic);
	domain_pins_free(&pins);
}

/* libvirt writes the nodes of two modes to cpuset.mems, and no others. */
static void
reads_the_nodes(void **state)
{
	static const struct {
		const char *memory, *nodes;
		bool automatic;
	} cases[] = {
		{"<memory nodeset='1'/>", "1", false},
		{"<memory mode='strict' nodeset='0-2,^1'/>", "0,2", false},
		{"<memory mode='restrictive' nodeset='1'/><memnode cellid='0' nodeset='0'/>", "1",
			false},
		{"<memory mode='strict' placement='auto'/>", "", true},
		{"<memory mode='preferred' nodeset='1'/>", "", false},
		{"<memory mode='interleave' placement='auto'/>", "", false},
		{"<memnode cellid='0' mode='strict' nodeset='1'/>", "", false},
		{"", "", false},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[256];
		struct domain_pins pins;
		struct err e;
		snprintf(text, sizeof(text), "<numatune>%s</numatune>", cases[i].memory);
		const char *xml = around(text);
		if (domain_parse_pins(xml, strlen(xml), &pins, &e) != 0)
			fail_msg("%s", e.text);
		assert_mask(&pins.nodes, cases[i].nodes);
		assert_int_equal(pins.nodes_automatic, cases[i].automatic);
		domain_pins_free(&pins);
	}
}

static const struct {
	const char *xml, *reason;
} wrong_pins[] = {
	{"<vcpu cpuset='0-'>1</vcpu>", "<vcpu>: cpuset='0-': a CPU number is missing"},
	{"<numatune><memory nodeset='a'/></numatune>",
		"<numatune><memory>: nodeset='a': a CPU number is missing"},
	{"<vcpu cpuset='0 1'>1</vcpu>", "<vcpu>: cpuset='0 1': not a list"},
	{"<vcpu cpuset=''>1</vcpu>", "<vcpu>: cpuset='': a CPU number is missing"},
	{"<vcpu cpuset='0,'>1</vcpu>", "<vcpu>: cpuset='0,': a CPU number is missing"},
	{"<cputune><vcpupin vcpu='x' cpuset='1'/></cputune>", "<vcpupin vcpu='x'>: not a number"},
	{"<cputune><vcpupin cpuset='1'/></cputune>", "<vcpupin vcpu=''>: not a number"},
	{"<cputune><vcpupin vcpu='0'/></cputune>", "<vcpupin>: cpuset='': a CPU number is missing"},
	{"<cputune><emulatorpin cpuset='9999'/></cputune>",
		"<emulatorpin>: cpuset='9999': CPU 9999 is above the limit, 8191"},
	{"<cputune><vcpupin vcpu='0' cpuset='1'/><iothreadpin iothread='1' cpuset='x'/></cputune>",
		"<iothreadpin>: cpuset='x': a CPU number is missing"},
};

static void
says_what_is_wrong_with_a_pin(void **state)
{
	(void)state;
	struct err e;
	for (size_t i = 0; i < COUNT(wrong_pins); i++) {
		struct domain_pins pins = {.count = 77};
		const char *xml = around(wrong_pins[i].xml);
		if (domain_parse_pins(xml, strlen(xml), &pins, &e) != -1)
			fail_msg("taken: %s", xml);
		assert_string_equal(e.text, wrong_pins[i].reason);
		assert_int_equal(pins.count, 77);
	}
	assert_int_equal(domain_parse_pins("<x/>", 4, &(struct domain_pins){0}, &e), -1);
	assert_string_equal(e.text, "the XML is not a <domain>");
}

static void
reads_schedulers_and_host_devices(void **state)
{
	(void)state;
	static const char xml[] =
		"<domain><name>x</name><cputune><vcpusched vcpus='0-1' scheduler='fifo'/>"
		"<vcpusched vcpus='3' scheduler='batch'/></cputune><devices>"
		"<hostdev type='pci'><source><address domain='0x0000' bus='0x01' slot='0x00' "
		"function='0x0'/></source></hostdev>"
		"<hostdev type='usb'><source><vendor id='0x1'/><product id='0x2'/></source>"
		"</hostdev></devices></domain>";
	struct domain_pins pins;
	struct err e;
	if (domain_parse_pins(xml, strlen(xml), &pins, &e) != 0)
		fail_msg("%s", e.text);
	assert_mask(&pins.realtime, "0-1");
	assert_string_equal(pins.devices, "pci 0x0000 0x01 0x00 0x0    \nusb       0x1 0x2\n");
	assert_true(domain_pins_share_device(pins.devices, "usb       0x1 0x2\n"));
	assert_false(domain_pins_share_device(pins.devices, "usb       0x1 0x20\n"));
	assert_false(domain_pins_share_device(pins.devices, NULL));
	assert_false(domain_pins_share_device(NULL, pins.devices));
	domain_pins_free(&pins);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_the_pins),
		cmocka_unit_test(reads_the_nodes),
		cmocka_unit_test(says_what_is_wrong_with_a_pin),
		cmocka_unit_test(reads_schedulers_and_host_devices),
	};
	return cmocka_run_group_tests_name("domain_pins", tests, NULL, NULL);
}
