/* SPDX-License-Identifier: MIT */
/* Merges what check finds for several guests and hosts, and sorts it by FILE:LINE. */
#include "cli/check/report.h"

#include "cli/command.h"

#include "base/array.h"
#include "base/cleanup.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool
is_same(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* Adds a place to a finding, once. Returns 0, or -1 without memory. */
static int
add_place(struct report_entry *finding, const char *guest, const char *host)
{
	const struct report_place *end = finding->places + finding->place_count;
	if ((guest == NULL && host == NULL) ||
		(finding->place_count > 0 && is_same(end[-1].guest, guest) &&
			is_same(end[-1].host, host)))
		return 0;
	struct report_place place = {.guest = guest != NULL ? strdup(guest) : NULL, .host = host};
	struct report_place *larger = NULL;
	if (guest == NULL || place.guest != NULL)
		larger = array_grow(finding->places, finding->place_count, sizeof(*larger));
	if (larger == NULL) {
		free(place.guest);
		return -1;
	}
	finding->places = larger;
	larger[finding->place_count++] = place;
	return 0;
}

/* Adds a finding of no place yet. Returns it, or NULL if there are too many or there is no memory.
 */
static struct report_entry *
add_finding(struct report *report, const struct message *message)
{
	struct report_entry *larger = NULL;
	struct report_entry one = {
		.level = message->level, .code = message->code, .number = report->count};
	if (report->count < MESSAGES_MAX && (one.text = strdup(message->text)) != NULL)
		larger = array_grow(report->items, report->count, sizeof(*larger));
	if (larger == NULL) {
		free(one.text);
		return NULL;
	}
	report->items = larger;
	larger[report->count] = one;
	return &larger[report->count++];
}

static void
report_add_one(
	struct report *report, const struct message *message, const char *guest, const char *host)
{
	struct report_entry *finding = NULL;
	for (size_t i = 0; i < report->count && finding == NULL; i++)
		if (strcmp(report->items[i].text, message->text) == 0)
			finding = &report->items[i];
	if (finding == NULL)
		finding = add_finding(report, message);
	if (finding != NULL && add_place(finding, guest, host) == 0)
		return;
	report->dropped++;
	report->dropped_errors += message->level == MESSAGE_ERROR;
}

void
report_add(
	struct report *report, const struct messages *messages, const char *guest, const char *host)
{
	size_t errors = 0;
	for (size_t i = 0; i < messages->count; i++) {
		errors += messages->items[i].level == MESSAGE_ERROR;
		if (messages->items[i].level > MESSAGE_INFO)
			report_add_one(report, &messages->items[i], guest, host);
	}
	report->dropped += messages->dropped;
	report->dropped_errors += messages->errors - errors;
}

/*
 * Writes the places from first to end, which are of one host: "guests 'a', 'b' on rack1.txt". A
 * host without guests follows others of its kind: "on rack1.txt, rack2.txt".
 */
static void
print_run(FILE *out, const struct report_place *first, const struct report_place *end, bool follows)
{
	if (first->guest == NULL && follows) {
		fprintf(out, ", %s", first->host);
		return;
	}
	if (follows)
		fputs("; ", out);
	if (first->guest != NULL)
		fputs(end - first > 1 ? "guests " : "guest ", out);
	for (const struct report_place *place = first; place < end && place->guest != NULL; place++)
		fprintf(out, "%s'%s'", place > first ? ", " : "", place->guest);
	if (first->host != NULL)
		fprintf(out, "%son %s", first->guest != NULL ? " " : "", first->host);
}

/* Returns the places of a finding as text, which the caller frees; NULL without memory. */
static char *
report_where(const struct report_entry *finding)
{
	const struct report_place *end = finding->places + finding->place_count, *next;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	if (out == NULL)
		return NULL;
	for (const struct report_place *first = finding->places; first < end; first = next) {
		for (next = first + 1; next < end && is_same(next->host, first->host);)
			next++;
		print_run(out, first, next, first > finding->places);
	}
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

static int
report_compare(const void *a, const void *b)
{
	const struct report_entry *left = a, *right = b;
	if (left->place.file != right->place.file)
		return left->place.file < right->place.file ? -1 : 1;
	if (left->place.line != right->place.line)
		return left->place.line < right->place.line ? -1 : 1;
	return left->number < right->number ? -1 : left->number > right->number;
}

void
report_sort(struct report *report, char *const files[], size_t count)
{
	for (size_t i = 0; i < report->count; i++)
		report->items[i].place = place_find(report->items[i].text, files, count);
	if (report->count > 0)
		qsort(report->items, report->count, sizeof(*report->items), report_compare);
}

size_t
report_errors(const struct report *report)
{
	size_t errors = report->dropped_errors;
	for (size_t i = 0; i < report->count; i++)
		errors += report->items[i].level == MESSAGE_ERROR;
	return errors;
}

void
report_print(const struct report *report)
{
	for (size_t i = 0; i < report->count; i++) {
		const struct report_entry *finding = &report->items[i];
		AUTO_FREE char *where = finding->place_count > 0 ? report_where(finding) : NULL;
		print_line("%s: %s%s%s%s", message_level_name(finding->level), finding->text,
			where != NULL ? " (" : "", where != NULL ? where : "",
			where != NULL ? ")" : "");
	}
	if (report->dropped > 0)
		print_line("and %zu more", report->dropped);
}

void
report_free(struct report *report)
{
	for (size_t i = 0; i < report->count; i++) {
		for (size_t j = 0; j < report->items[i].place_count; j++)
			free(report->items[i].places[j].guest);
		free(report->items[i].places);
		free(report->items[i].text);
	}
	free(report->items);
	*report = (struct report){0};
}
