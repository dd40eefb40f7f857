/* SPDX-License-Identifier: MIT */
#include "cli/guests.h"

#include <string.h>

int
guests_find(const struct options *options, struct virt *virt, size_t *unknown)
{
	struct err e;
	*unknown = 0;
	int r = virt_open(virt, options->connect, &e);
	if (r == 0 && options->word_count == 0)
		r = virt_list(virt, true, &e);
	if (r != 0)
		complain("%s", e.text);
	for (size_t i = 0; i < options->word_count && r == 0; i++)
		if (virt_find(virt, options->words[i], &e) != 0) {
			complain("%s: %s", options->words[i], e.text);
			++*unknown;
		}
	return r;
}

int
guests_xml(const struct options *options, const struct virt_guest *guest, struct guest_xml *xml,
	struct err *e)
{
	*xml = (struct guest_xml){.source = guest->name};
	int r = virt_xml(guest, &xml->text, e);
	if (r == VIRT_GONE)
		return options->word_count == 0 ? GUESTS_PASSED_OVER : -1;
	if (r == 0)
		xml->length = strlen(xml->text);
	return r;
}
