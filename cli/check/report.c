/* SPDX-License-Identifier: MIT */
/* Merges what check finds for several guests and hosts, and sorts it by FILE:LINE. */
#include "cli/check/report.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/number.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *
report_where(const char *guest, const char *host)
{
	char *where = NULL;
	int n = guest == NULL && host == NULL ? 0
		: host == NULL		      ? asprintf(&where, "guest '%s'", guest)
		: guest == NULL		      ? asprintf(&where, "on %s", host)
					      : asprintf(&where, "guest '%s' on %s", guest, host);
	return n < 0 ? NULL : where;
}

static void
report_add_one(struct report *report, const struct message *message, const char *where)
{
	for (size_t i = 0; i < report->count; i++)
		if (strcmp(report->items[i].text, message->text) == 0) {
			report->items[i].more += where != NULL;
			return;
		}
	struct report_entry *larger = NULL;
	struct report_entry one = {.level = message->level,
		.text = strdup(message->text),
		.where = where != NULL ? strdup(where) : NULL,
		.number = report->count};
	if (report->count < MESSAGES_MAX && one.text != NULL)
		larger = array_grow(report->items, report->count, sizeof(*larger));
	if (larger == NULL) {
		free(one.text);
		free(one.where);
		report->dropped++;
		return;
	}
	report->items = larger;
	larger[report->count++] = one;
}

void
report_add(
	struct report *report, const struct messages *messages, const char *guest, const char *host)
{
	AUTO_FREE char *where = report_where(guest, host);
	for (size_t i = 0; i < messages->count; i++)
		if (messages->items[i].level > MESSAGE_INFO)
			report_add_one(report, &messages->items[i], where);
	report->dropped += messages->dropped;
}

/* Finds the file and line that a text begins with: the longest name, as one may begin another. */
static void
report_find_place(struct report_entry *finding, char *const files[], size_t count)
{
	size_t longest = 0;
	finding->file = 0;
	for (size_t i = 0; i < count; i++) {
		size_t length = strlen(files[i]);
		if (length <= longest || strncmp(finding->text, files[i], length) != 0 ||
			finding->text[length] != ':')
			continue;
		const char *number = finding->text + length + 1;
		if (number_parse(&number, UINT_MAX, &finding->line) != 0)
			continue;
		longest = length;
		finding->file = i + 1;
	}
}

static int
report_compare(const void *a, const void *b)
{
	const struct report_entry *left = a, *right = b;
	if (left->file != right->file)
		return left->file < right->file ? -1 : 1;
	if (left->line != right->line)
		return left->line < right->line ? -1 : 1;
	return left->number < right->number ? -1 : left->number > right->number;
}

void
report_flush(struct report *report, char *const files[], size_t count, struct messages *messages)
{
	for (size_t i = 0; i < report->count; i++)
		report_find_place(&report->items[i], files, count);
	if (report->count > 0)
		qsort(report->items, report->count, sizeof(*report->items), report_compare);
	for (size_t i = 0; i < report->count; i++) {
		const struct report_entry *f = &report->items[i];
		if (f->where == NULL)
			messages_add(messages, f->level, "%s", f->text);
		else if (f->more == 0)
			messages_add(messages, f->level, "%s (%s)", f->text, f->where);
		else
			messages_add(messages, f->level, "%s (%s and %zu more)", f->text, f->where,
				f->more);
	}
	messages->dropped += report->dropped;
}

void
report_free(struct report *report)
{
	for (size_t i = 0; i < report->count; i++) {
		free(report->items[i].text);
		free(report->items[i].where);
	}
	free(report->items);
	*report = (struct report){0};
}
