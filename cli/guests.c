/* SPDX-License-Identifier: MIT */
#include "cli/guests.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "guest/domain.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

int
read_xml(const char *path, struct guest_xml *xml)
{
	bool from_stdin = strcmp(path, "-") == 0;
	*xml = (struct guest_xml){.source = from_stdin ? "stdin" : path};
	AUTO_CLOSE int fd = from_stdin ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && file_read_all(fd, DOMAIN_XML_MAX, &xml->text, &xml->length) == 0)
		return 0;
	if (errno == EFBIG)
		complain("%s: the XML is larger than %zu MiB", xml->source,
			DOMAIN_XML_MAX / 1024 / 1024);
	else
		complain("%s: %s", xml->source, strerror(errno));
	return -1;
}

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

enum guests_result
guests_xml(const struct options *options, const struct virt_guest *guest, struct guest_xml *xml,
	struct err *e)
{
	*xml = (struct guest_xml){.source = guest->name};
	switch (virt_xml(guest, &xml->text, e)) {
	case VIRT_OK:
		xml->length = strlen(xml->text);
		return GUESTS_OK;
	case VIRT_GONE:
		return options->word_count == 0 ? GUESTS_PASSED_OVER : GUESTS_FAILED;
	case VIRT_TRANSIENT:
	case VIRT_FAILED:
		break;
	}
	return GUESTS_FAILED;
}
