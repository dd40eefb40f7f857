/* SPDX-License-Identifier: MIT */
/* The guests that a command is to work on, and their XML. */
#ifndef VMAFFINITY_CLI_GUESTS_H
#define VMAFFINITY_CLI_GUESTS_H

#include "cli/command.h"
#include "cli/failures.h"
#include "cli/virt.h"

#include "cgroup/qemu_process.h"

/* A guest's XML. source names it in messages until its name is known: "stdin", a path. */
struct guest_xml {
	const char *source;
	char *text;
	size_t length;
};

/*
 * Reads a file of XML, or stdin if path is "-". Returns 0 (caller frees xml->text), or -1 with the
 * reason, which xml->source belongs before.
 */
int read_xml(const char *path, struct guest_xml *xml, struct err *e);

/*
 * Asks libvirt for the guests named in options->words, each a name, a UUID, an id or a pattern of
 * running guests' names, or, without words, for all running guests.
 * Adds each name that libvirt does not know to failures. Returns 0, or -1
 * after complaining. The caller calls virt_close() in any case.
 */
int guests_find(const struct options *options, struct virt *virt, struct failures *failures);

enum guests_result {
	GUESTS_FAILED = -1,
	GUESTS_OK = 0,
	GUESTS_PASSED_OVER, /* the guest has ended, and was not named on the command line */
};

/*
 * Asks libvirt for a guest's XML. Returns GUESTS_OK (caller frees xml->text), GUESTS_PASSED_OVER,
 * or GUESTS_FAILED with the reason.
 */
enum guests_result guests_xml(const struct options *options, const struct virt_guest *guest,
	struct guest_xml *xml, struct err *e);

/*
 * True if a guest that does not run here does run under the daemon of --connect: in a user's
 * session, or on another host. Its rules can never apply.
 */
bool guests_run_elsewhere(const struct options *options, const struct virt_guest *guest);

/* Says that of a guest; takes the URI. */
#define GUESTS_ELSEWHERE                                                                           \
	"runs under %s, but not under qemu:///system of this host: it cannot be pinned"

/*
 * The running guests by name, for a command that needs libvirt for a guest's XML at most. With
 * --connect libvirt lists them, else the kernel and /run/libvirt do, and no daemon need answer.
 */
struct guests {
	const struct options *options;
	struct virt virt; /* connected on first need */
	bool connected;
	struct running_guests running;
	const char **names; /* of virt, of running or of options->words */
	size_t count;
};

/*
 * Takes the guests named in options->words, as guests_find() does, or, without words, all running
 * guests. Adds each word that names none to failures; without --connect a plain name need not
 * exist. Returns 0, or -1 after complaining. The caller calls guests_close() in
 * any case.
 */
int guests_open(struct guests *guests, const struct options *options, struct failures *failures);
void guests_close(struct guests *guests);

/* Asks libvirt for the XML of a guest. Returns 0 (caller frees *xml), or -1 with the reason. */
int guests_read_xml(struct guests *guests, const char *name, char **xml, struct err *e);

#endif
