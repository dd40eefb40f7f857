/* SPDX-License-Identifier: MIT */
/* vmaffinity import: writes rules that say what guests' XML says. */
#include "cli/against.h"
#include "cli/command.h"
#include "cli/guests.h"
#include "cli/import/pinned_guest.h"

#include "base/array.h"
#include "rules/rules.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of a guest's name in one line of the rules, which take lines of 197. */
#define NAME_SHOWN 120

/* Bytes of a line of patterns, unless it is one. */
#define MATCH_LINE 90

/* Characters of a name that is its own pattern, and that no line of an INI file takes amiss. */
#define PLAIN "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.+@-"

struct import {
	struct topology topology;
	struct pinned_guest *guests;
	size_t count;
	struct failures failures;
};

static bool
is_plain(const char *name)
{
	return name[0] != '\0' && name[strspn(name, PLAIN)] == '\0' && strlen(name) <= NAME_SHOWN &&
	       strcmp(name, "global") != 0 && strcmp(name, "cpus") != 0;
}

static void
import_xml(struct import *import, const char *source, const char *xml, size_t length)
{
	struct err e;
	struct pinned_guest *larger = array_grow(import->guests, import->count, sizeof(*larger));
	if (larger == NULL) {
		failures_add(&import->failures, source, "out of memory");
		return;
	}
	import->guests = larger;
	if (pinned_guest_read(xml, length, &import->topology, &larger[import->count], &e) == 0)
		import->count++;
	else
		failures_add(&import->failures, source, e.text);
}

static void
import_files(struct import *import, const struct options *options)
{
	for (size_t i = 0; i < options->xml_count; i++) {
		struct guest_xml xml;
		struct err e;
		if (read_xml(options->xml[i], &xml, &e) == 0)
			import_xml(import, xml.source, xml.text, xml.length);
		else
			failures_add(&import->failures, xml.source, e.text);
		free(xml.text);
	}
}

/* Reads the XML with which each guest starts next. Returns 0, or -1 after complaining. */
static int
import_known(struct import *import, const struct options *options)
{
	struct virt virt;
	struct err e;
	int r = options->word_count > 0 ? guests_find(options, &virt, &import->failures)
					: virt_open(&virt, options->connect, &e);
	if (options->word_count == 0 && r == 0)
		r = virt_list(&virt, false, NULL, &e);
	if (options->word_count == 0 && r != 0)
		complain("%s", e.text);
	for (size_t i = 0; i < virt.count && r == 0; i++) {
		char *xml = NULL;
		enum virt_result read = virt_next_xml(&virt.guests[i], &xml, &e);
		if (read == VIRT_OK)
			import_xml(import, virt.guests[i].name, xml, strlen(xml));
		else if (read != VIRT_GONE)
			failures_add(&import->failures, virt.guests[i].name, e.text);
		free(xml);
	}
	virt_close(&virt);
	return r;
}

static int
compare_guests(const void *a, const void *b)
{
	const struct pinned_guest *left = a, *right = b;
	int order = strcmp(left->keys, right->keys);
	return order != 0 ? order : strverscmp(left->name, right->name);
}

/* True if a pattern matches the guests from first to before end, and no others. */
static bool
matches_just(const struct import *import, const char *pattern, size_t first, size_t end)
{
	for (size_t i = 0; i < import->count; i++)
		if ((fnmatch(pattern, import->guests[i].name, 0) == 0) != (i >= first && i < end))
			return false;
	return true;
}

/*
 * Writes a pattern that matches just these guests, "web-*", to out. Returns false if what their
 * names begin with does not tell them from others.
 */
static bool
common_pattern(const struct import *import, size_t first, size_t end, char *out, size_t size)
{
	const char *name = import->guests[first].name;
	size_t length = strlen(name);
	for (size_t i = first; i < end; i++) {
		const char *other = import->guests[i].name;
		size_t same = 0;
		while (same < length && other[same] == name[same])
			same++;
		length = same;
		if (!is_plain(other))
			return false;
	}
	size_t letters = length;
	while (letters > 0 && strchr("0123456789", name[letters - 1]) != NULL)
		letters--;
	snprintf(out, size, "%.*s*", (int)letters, name);
	if (letters > 0 && matches_just(import, out, first, end))
		return true;
	snprintf(out, size, "%.*s*", (int)length, name);
	return length > 0 && matches_just(import, out, first, end);
}

/*
 * Writes a pattern for one guest: its name, its UUID or, without one, '?' for what is not plain.
 * Returns out.
 */
static const char *
guest_pattern(const struct pinned_guest *guest, char out[NAME_SHOWN + 8])
{
	if (is_plain(guest->name) || guest->uuid[0] != '\0') {
		snprintf(out, NAME_SHOWN + 8, "%s%s", is_plain(guest->name) ? "" : "uuid:",
			is_plain(guest->name) ? guest->name : guest->uuid);
		return out;
	}
	snprintf(out, NAME_SHOWN + 8, "name:%.*s%s", NAME_SHOWN, guest->name,
		strlen(guest->name) > NAME_SHOWN ? "*" : "");
	for (char *s = out + strlen("name:"); *s != '\0' && s < out + strlen("name:") + NAME_SHOWN;
		s++)
		if (strchr(PLAIN, *s) == NULL)
			*s = '?';
	return out;
}

/* Prints "match = db, mail". A long value goes on in indented lines. */
static void
print_match(const struct import *import, size_t first, size_t end)
{
	char pattern[NAME_SHOWN + 8];
	size_t column = 0;
	fputs("match = ", stdout);
	for (size_t i = first; i < end; i++) {
		guest_pattern(&import->guests[i], pattern);
		if (i > first && column + strlen(pattern) > MATCH_LINE) {
			fputs(",\n\t", stdout);
			column = 0;
		} else if (i > first) {
			fputs(", ", stdout);
		}
		fputs(pattern, stdout);
		column += strlen(pattern) + 2;
	}
	putchar('\n');
}

/* Prints the rule of the guests from first to before end, which have the same keys. */
static void
print_rule(const struct import *import, size_t number, size_t first, size_t end)
{
	const struct pinned_guest *guest = &import->guests[first];
	char pattern[RULES_PATTERN_MAX + 2];
	putchar('\n');
	if (end - first == 1 && is_plain(guest->name)) {
		printf("[%s]\n", guest->name);
	} else if (end - first > 1 &&
		   common_pattern(import, first, end, pattern, sizeof(pattern))) {
		printf("; %zu guests\n[%s]\n", end - first, pattern);
	} else {
		for (size_t i = first; i < end; i++)
			if (!is_plain(import->guests[i].name))
				print_line("; '%.*s'", NAME_SHOWN / 4, import->guests[i].name);
		printf("[imported %zu]\n", number);
		print_match(import, first, end);
	}
	fputs(guest->keys, stdout);
}

/* Prints a list of guests in a comment, those with or without pins. */
static void
print_names(const struct import *import, bool pinned)
{
	for (size_t i = 0; i < import->count; i++) {
		const struct pinned_guest *guest = &import->guests[i];
		if ((guest->keys[0] != '\0') != pinned)
			continue;
		if (pinned)
			print_line(";   virsh edit '%.*s': %s", NAME_SHOWN / 4, guest->name,
				guest->elements);
		else
			print_line(";   %.*s%s", NAME_SHOWN / 4, guest->name,
				guest->automatic ? ": numad places it at each start" : "");
	}
}

static size_t
count_pinned(const struct import *import)
{
	size_t count = 0;
	for (size_t i = 0; i < import->count; i++)
		count += import->guests[i].keys[0] != '\0';
	return count;
}

static void
print_rules(struct import *import)
{
	size_t pinned = count_pinned(import), number = 0;
	if (import->count > 0)
		qsort(import->guests, import->count, sizeof(*import->guests), compare_guests);
	printf("; The pins in the XML of %zu of %zu guests, as vmaffinity import found them.\n",
		pinned, import->count);
	for (size_t i = 0, next; i < import->count; i = next) {
		for (next = i + 1; next < import->count &&
				   strcmp(import->guests[next].keys, import->guests[i].keys) == 0;)
			next++;
		if (import->guests[i].keys[0] != '\0')
			print_rule(import, ++number, i, next);
	}
	if (pinned < import->count) {
		puts("\n; Without pins, and without a rule:");
		print_names(import, false);
	}
	if (pinned == 0)
		return;
	puts("\n"
	     "; Once these rules are in force, the pins may be taken out of the XML. That is wise\n"
	     "; where a guest is to start, or migrate to, where the CPUs are others: libvirt "
	     "applies\n"
	     "; the XML's pins before any hook, and one to a CPU that is not there fails the "
	     "start.\n"
	     "; It is not while something else reads them, such as a hook that keeps the host off\n"
	     "; the guests' CPUs. To take out:");
	print_names(import, true);
}

/* Reads the guests that were asked for. Returns 0, or -1 after complaining. */
static int
read_guests(struct import *import, const struct options *options)
{
	if (options->xml_count == 0)
		return import_known(import, options);
	import_files(import, options);
	return 0;
}

static enum exit_status
import_on(const struct options *options, int root)
{
	struct import import = {.topology = {.root = root}};
	int r = read_guests(&import, options);
	if (r == 0)
		print_rules(&import);
	enum exit_status status = r == 0 && import.failures.count == 0 ? EXIT_OK : EXIT_CANNOT;
	while (import.count > 0)
		pinned_guest_free(&import.guests[--import.count]);
	free(import.guests);
	failures_free(&import.failures);
	topology_free(&import.topology);
	return status;
}

static enum exit_status
run_import(const struct options *options)
{
	struct against against;
	if (options->word_count > 0 && options->xml_count > 0) {
		complain("import: GUEST and --xml exclude each other");
		return misuse(&command_import);
	}
	if (against_open(&against, options) != 0)
		return EXIT_CANNOT;
	enum exit_status status = import_on(options, against.root);
	against_close(&against);
	return status;
}

const struct command command_import = {
	.name = "import",
	.run = run_import,
	.options = OPTION_SYSROOT | OPTION_CONNECT | OPTION_XML | OPTION_AGAINST,
	.words_max = ARGUMENTS_ANY,
	.words = "[GUEST...]",
	.summary = "write rules that say what the pins in guests' XML say",
	.help = "Usage: vmaffinity import [OPTION...] [GUEST...]\n"
		"       vmaffinity import [OPTION...] --xml FILE\n"
		"\n"
		"Prints rules that say what <vcpupin>, <emulatorpin>, <iothreadpin>,\n"
		"<vcpu cpuset=> and <numatune> in guests' XML say: with words for CPUs, and\n"
		"patterns of names, where these mean exactly the same. Comments say\n"
		"which elements the rules replace. Changes nothing.\n"
		"GUEST: a guest's name, UUID or id, or a pattern of running guests' names, as\n"
		"'web-*'; without it, every guest that libvirt knows.\n"
		"\n"
		"      --xml FILE     a guest's XML (virsh dumpxml); '-': stdin; may be repeated\n"
		"      --against HOSTFILE  take words for CPUs from the host that 'vmaffinity\n"
		"                     capture' wrote to HOSTFILE, not from this one\n"
		"      --sysroot DIR  read /sys below DIR\n"
		"      --connect URI  the libvirt daemon (qemu:///system)\n"
		"  -h, --help         this text\n"
		"\n"
		"Exit status: 0; 3 if a guest could not be read.\n",
};
