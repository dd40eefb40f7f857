/* SPDX-License-Identifier: MIT */
/* Lists the guests that a command is about, and reads their XML. */
#include "cli/guests.h"

#include "cli/no_guests.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "guest/domain.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int
read_xml(const char *path, struct guest_xml *xml, struct err *e)
{
	bool from_stdin = strcmp(path, "-") == 0;
	*xml = (struct guest_xml){.source = from_stdin ? "stdin" : path};
	AUTO_CLOSE int fd = from_stdin ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && file_read_all(fd, DOMAIN_XML_MAX, &xml->text, &xml->length) == 0)
		return 0;
	if (errno == EFBIG)
		return err_set(e, "the XML is larger than %zu MiB", DOMAIN_XML_MAX / 1024 / 1024);
	return err_set(e, "%s", strerror(errno));
}

/* True for a word that a shell would take for a pattern. */
static bool
is_glob(const char *word)
{
	return strpbrk(word, "*?[") != NULL;
}

/* True for a UUID, in any of the forms that libvirt takes, or an id. */
static bool
is_id(const char *word)
{
	return word[0] != '\0' && word[strspn(word, "0123456789abcdefABCDEF-")] == '\0' &&
	       (strlen(word) >= 32 || word[strspn(word, "0123456789")] == '\0');
}

static int
report_no_match(struct err *e)
{
	return err_set(e, "no running guest's name matches this pattern");
}

/*
 * Adds the guests that a word names: one by its name, UUID or id, or those that run by a pattern. A
 * name comes first: it may look like any of these.
 */
static int
find_guests(struct virt *virt, const char *word, struct err *e)
{
	struct err ignored;
	if (virt_find(virt, word, e) == 0 ||
		(is_id(word) && virt_find_by_id(virt, word, &ignored) == 0))
		return 0;
	if (!is_glob(word))
		return -1;
	if (virt_list(virt, true, word, e) != 0)
		return -1;
	for (size_t i = 0; i < virt->count; i++)
		if (fnmatch(word, virt->guests[i].name, 0) == 0)
			return 0;
	return report_no_match(e);
}

/* Complains that no guest can be found, for that reason, and says so to programs. */
static void
report_failure(const struct options *options, const struct err *e)
{
	complain("%s", e->text);
	no_guests_print(options, EXIT_CANNOT, e->text, NULL, NULL);
}

int
guests_find(const struct options *options, struct virt *virt, struct failures *failures)
{
	struct err e;
	int r = virt_open(virt, options->connect, &e);
	if (r == 0 && options->word_count == 0)
		r = virt_list(virt, true, NULL, &e);
	if (r != 0)
		report_failure(options, &e);
	for (size_t i = 0; i < options->word_count && r == 0; i++)
		if (find_guests(virt, options->words[i], &e) != 0)
			failures_add(failures, options->words[i], e.text);
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

static int
add_name(struct guests *guests, const char *name)
{
	const char **larger = array_grow(guests->names, guests->count, sizeof(*larger));
	if (larger == NULL) {
		complain("out of memory");
		return -1;
	}
	guests->names = larger;
	guests->names[guests->count++] = name;
	return 0;
}

static bool
has_name(const struct guests *guests, const char *name)
{
	for (size_t i = 0; i < guests->count; i++)
		if (strcmp(guests->names[i], name) == 0)
			return true;
	return false;
}

/* Adds those guests of running that match a pattern. */
static int
add_matching(struct guests *guests, const char *pattern, struct failures *failures)
{
	struct err e;
	bool any = false;
	for (size_t i = 0; i < guests->running.count; i++) {
		const char *name = guests->running.names[i];
		if (fnmatch(pattern, name, 0) != 0)
			continue;
		any = true;
		if (!has_name(guests, name) && add_name(guests, name) != 0)
			return -1;
	}
	if (any)
		return 0;
	report_no_match(&e);
	failures_add(failures, pattern, e.text);
	return 0;
}

/* Connects to libvirt unless that is done. Returns 0, or -1 with the reason. */
static int
connect_once(struct guests *guests, struct err *e)
{
	if (guests->virt.connection != NULL)
		return 0;
	guests->connected = true;
	return virt_open(&guests->virt, guests->options->connect, e);
}

/* Adds the guest that has a UUID or an id, which only libvirt knows. */
static int
add_by_id(struct guests *guests, const char *id, struct failures *failures)
{
	struct virt *virt = &guests->virt;
	struct err e;
	if (connect_once(guests, &e) == 0 && virt_find_by_id(virt, id, &e) == 0)
		return add_name(guests, virt->guests[virt->count - 1].name);
	failures_add(failures, id, e.text);
	return 0;
}

/* Adds the guests that a word names, without a question to libvirt for a name or a pattern. */
static int
add_word(struct guests *guests, const char *word, struct failures *failures)
{
	pid_t pid;
	struct err e;
	if ((!is_glob(word) && !is_id(word)) ||
		qemu_process_find(guests->options->root, word, &pid, &e) == QEMU_PROCESS_FOUND)
		return add_name(guests, word);
	return is_glob(word) ? add_matching(guests, word, failures)
			     : add_by_id(guests, word, failures);
}

/* Takes the names from the command line or, without any, from the kernel and /run/libvirt. */
static int
guests_list_running(struct guests *guests, struct failures *failures)
{
	const struct options *options = guests->options;
	struct running_guests *running = &guests->running;
	struct err e;
	bool list = options->word_count == 0;
	for (size_t i = 0; i < options->word_count; i++)
		list |= is_glob(options->words[i]);
	if (list && running_guests(options->root, running, &e) != 0) {
		report_failure(options, &e);
		return -1;
	}
	for (size_t i = 0; i < options->word_count; i++)
		if (add_word(guests, options->words[i], failures) != 0)
			return -1;
	for (size_t i = 0; i < running->count && options->word_count == 0; i++)
		if (add_name(guests, running->names[i]) != 0)
			return -1;
	return 0;
}

int
guests_open(struct guests *guests, const struct options *options, struct failures *failures)
{
	*guests = (struct guests){.options = options};
	if (options->connect == NULL)
		return guests_list_running(guests, failures);
	guests->connected = true;
	if (guests_find(options, &guests->virt, failures) != 0)
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
	if (connect_once(guests, e) != 0)
		return -1;
	if (virt_known(virt, name) == NULL && virt_find(virt, name, e) != 0)
		return -1;
	return virt_xml(virt_known(virt, name), xml, e) == VIRT_OK ? 0 : -1;
}
