/* SPDX-License-Identifier: MIT */
/*
 * The functions of domain_parse.c and domain_pins_parse.c by way of the module that has them, which
 * is loaded at the first call. Linked in place of those files.
 */
#include "guest/xml_module.h"

#include "base/cleanup.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef XML_MODULE
#define XML_MODULE "/usr/lib/vmaffinity/xml.so"
#endif
#define PROGRAM "/proc/self/exe"

/* Most program headers that are looked at; a linker makes about ten. */
#define HEADERS_MAX 64

static bool prefer_beside;

void
xml_module_prefer_beside(void)
{
	prefer_beside = true;
}

/* Formats the path of xml.so in the program's directory. Returns true if there is such a file. */
static bool
find_beside(char path[PATH_MAX])
{
	char program[PATH_MAX];
	ssize_t length = readlink(PROGRAM, program, sizeof(program));
	if (length <= 0 || (size_t)length == sizeof(program) || program[0] != '/')
		return false;
	while (program[length - 1] != '/')
		length--;
	int n = snprintf(path, PATH_MAX, "%.*sxml.so", (int)length, program);
	return n > 0 && n < PATH_MAX && access(path, F_OK) == 0;
}

/*
 * True if the file ends before a segment that it says it has: a mapping would then end in SIGBUS,
 * where dlopen(3) reports nothing. False for what is no ELF file of this machine, which dlopen()
 * reports.
 */
static bool
is_truncated(int fd, off_t size)
{
	ElfW(Ehdr) header;
	ElfW(Phdr) segments[HEADERS_MAX];
	if (pread(fd, &header, sizeof(header), 0) != (ssize_t)sizeof(header) ||
		memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
		header.e_phentsize != sizeof(segments[0]) || header.e_phnum > HEADERS_MAX)
		return false;
	size_t length = header.e_phnum * sizeof(segments[0]);
	if (pread(fd, segments, length, (off_t)header.e_phoff) != (ssize_t)length)
		return true;
	for (size_t i = 0; i < header.e_phnum; i++)
		if (segments[i].p_offset > (size_t)size ||
			segments[i].p_filesz > (size_t)size - segments[i].p_offset)
			return true;
	return false;
}

/*
 * Returns -1 with the reason if dlopen(3) would search for the module, or if another user than root
 * could write it. A module beside the program may also belong to the program's owner.
 */
static int
check_file(const char *path, bool beside, struct err *e)
{
	if (path[0] != '/')
		return err_set(e, "%s: is not an absolute path", path);
	struct stat st, program;
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) != 0)
		return err_errno(e, "%s", path);
	bool owned = st.st_uid == 0 ||
		     (beside && stat(PROGRAM, &program) == 0 && program.st_uid == st.st_uid);
	if (!S_ISREG(st.st_mode) || !owned || (st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return err_set(e, "%s: is not a file that root alone may write", path);
	if (is_truncated(fd, st.st_size))
		return err_set(
			e, "%s cannot be loaded: it is cut short; install vmaffinity again", path);
	return 0;
}

/* Returns the module, which stays loaded, or NULL with the reason. */
static const struct xml_module *
load_module(struct err *e)
{
	static const struct xml_module *loaded;
	char path[PATH_MAX] = XML_MODULE;
	if (loaded != NULL)
		return loaded;
	bool beside = prefer_beside && find_beside(path);
	if (!beside)
		snprintf(path, sizeof(path), "%s", XML_MODULE);
	if (check_file(path, beside, e) != 0)
		return NULL;
	/* The module is linked with "-z now": its own symbols must all be there. Only what libxml2
	 * needs of other libraries is bound when it is called, which saves a tenth of the time. */
	void *handle = dlopen(path, RTLD_LAZY | RTLD_LOCAL);
	const struct xml_module *module = handle != NULL ? dlsym(handle, XML_MODULE_SYMBOL) : NULL;
	if (module == NULL) {
		err_set(e, "%s cannot be loaded: %s", path, dlerror());
		return NULL;
	}
	if (strncmp(module->version, VERSION, sizeof(module->version)) != 0 ||
		module->domain_size != sizeof(struct domain) ||
		module->pins_size != sizeof(struct domain_pins)) {
		err_set(e,
			"%s is of version %.*s and this program of " VERSION
			"; install vmaffinity again, and restart what still runs of it",
			path, (int)sizeof(module->version), module->version);
		return NULL;
	}
	loaded = module;
	return loaded;
}

int
xml_module_load(struct err *e)
{
	return load_module(e) != NULL ? 0 : -1;
}

int
domain_parse(const char *xml, size_t length, struct domain *domain, struct err *e)
{
	const struct xml_module *module = load_module(e);
	return module != NULL ? module->parse(xml, length, domain, e) : -1;
}

int
domain_parse_pins(const char *xml, size_t length, struct domain_pins *pins, struct err *e)
{
	const struct xml_module *module = load_module(e);
	return module != NULL ? module->parse_pins(xml, length, pins, e) : -1;
}
