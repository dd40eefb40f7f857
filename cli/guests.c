/* SPDX-License-Identifier: MIT */
/* Lists the guests that a command is about, and reads their XML. */
#include "cli/guests.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "guest/domain.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
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

bool
guests_run_elsewhere(const struct options *options, const struct virt_guest *guest)
{
	return options->connect != NULL && virt_is_running(guest);
}

/* Takes the names from the command line or, without any, from the kernel and /run/libvirt. */
static int
guests_list_running(struct guests *guests)
{
	const struct options *options = guests->options;
	struct running_guests *running = &guests->running;
	struct err e;
	if (options->word_count == 0 && running_guests(options->root, running, &e) != 0) {
		complain("%s", e.text);
		return -1;
	}
	bool named = options->word_count > 0;
	guests->count = named ? options->word_count : running->count;
	guests->names = calloc(guests->count + 1, sizeof(*guests->names));
	if (guests->names == NULL) {
		complain("out of memory");
		return -1;
	}
	for (size_t i = 0; i < guests->count; i++)
		guests->names[i] = named ? options->words[i] : running->names[i];
	return 0;
}

int
guests_open(struct guests *guests, const struct options *options, size_t *unknown)
{
	*guests = (struct guests){.options = options};
	*unknown = 0;
	if (options->connect == NULL)
		return guests_list_running(guests);
	guests->connected = true;
	if (guests_find(options, &guests->virt, unknown) != 0)
		return -1;
	guests->names = calloc(guests->virt.count + 1, sizeof(*guests->names));
	if (guests->names == NULL) {
		complain("out of memory");
		return -1;
	}
	guests->count = guests->virt.count;
	for (size_t i = 0; i < guests->count; i++)
		guests->names[i] = guests->virt.guests[i].name;
	return 0;
}

void
guests_close(struct guests *guests)
{
	if (guests->connected)
		virt_close(&guests->virt);
	running_guests_free(&guests->running);
	free(guests->names);
}

int
guests_read_xml(struct guests *guests, const char *name, char **xml, struct err *e)
{
	struct virt *virt = &guests->virt;
	if (virt->connection == NULL) {
		guests->connected = true;
		if (virt_open(virt, guests->options->connect, e) != 0)
			return -1;
	}
	if (virt_known(virt, name) == NULL && virt_find(virt, name, e) != 0)
		return -1;
	return virt_xml(virt_known(virt, name), xml, e) == VIRT_OK ? 0 : -1;
}
