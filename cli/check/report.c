#include "cli/check/report.h"

#include "base/cpumask.h"
#include "base/file.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *
make_where(const char *guest, const char *host)
{
	char *where = NULL;
	int n = guest == NULL && host == NULL ? 0
		: host == NULL		      ? asprintf(&where, "guest '%s'", guest)
		: guest == NULL		      ? asprintf(&where, "on %s", host)
					      : asprintf(&where, "guest '%s' on %s", guest, host);
	return n < 0 ? NULL : where;
}

static void
take_one(struct findings *findings, const struct note *note, const char *where)
{
	for (size_t i = 0; i < findings->count; i++)
		if (strcmp(findings->items[i].text, note->text) == 0) {
			findings->items[i].more += where != NULL;
			return;
		}
	struct finding_note *larger = NULL;
	struct finding_note one = {.level = note->level,
		.text = strdup(note->text),
		.where = where != NULL ? strdup(where) : NULL,
		.number = findings->count};
	if (findings->count < NOTES_MAX && one.text != NULL)
		larger = reallocarray(findings->items, findings->count + 1, sizeof(*larger));
	if (larger == NULL) {
		free(one.text);
		free(one.where);
		findings->dropped++;
		return;
	}
	findings->items = larger;
	larger[findings->count++] = one;
}

void
findings_take(
	struct findings *findings, const struct notes *notes, const char *guest, const char *host)
{
	AUTO_FREE char *where = make_where(guest, host);
	for (size_t i = 0; i < notes->count; i++)
		if (notes->items[i].level > NOTE_INFO)
			take_one(findings, &notes->items[i], where);
	findings->dropped += notes->dropped;
}

/* Which file and line a text begins with; the longest name, for one may begin another. */
static void
find_place(struct finding_note *finding, char *const files[], size_t count)
{
	size_t longest = 0;
	finding->file = 0;
	for (size_t i = 0; i < count; i++) {
		size_t length = strlen(files[i]);
		if (length <= longest || strncmp(finding->text, files[i], length) != 0 ||
			finding->text[length] != ':')
			continue;
		const char *number = finding->text + length + 1;
		if (cpumask_parse_number(&number, UINT_MAX, &finding->line) != 0)
			continue;
		longest = length;
		finding->file = i + 1;
	}
}

static int
compare(const void *a, const void *b)
{
	const struct finding_note *left = a, *right = b;
	if (left->file != right->file)
		return left->file < right->file ? -1 : 1;
	if (left->line != right->line)
		return left->line < right->line ? -1 : 1;
	return left->number < right->number ? -1 : left->number > right->number;
}

void
findings_tell(struct findings *findings, char *const files[], size_t count, struct notes *notes)
{
	for (size_t i = 0; i < findings->count; i++)
		find_place(&findings->items[i], files, count);
	if (findings->count > 0)
		qsort(findings->items, findings->count, sizeof(*findings->items), compare);
	for (size_t i = 0; i < findings->count; i++) {
		const struct finding_note *f = &findings->items[i];
		if (f->where == NULL)
			notes_add(notes, f->level, "%s", f->text);
		else if (f->more == 0)
			notes_add(notes, f->level, "%s (%s)", f->text, f->where);
		else
			notes_add(notes, f->level, "%s (%s and %zu more)", f->text, f->where,
				f->more);
	}
	notes->dropped += findings->dropped;
}

void
findings_free(struct findings *findings)
{
	for (size_t i = 0; i < findings->count; i++) {
		free(findings->items[i].text);
		free(findings->items[i].where);
	}
	free(findings->items);
	*findings = (struct findings){0};
}
