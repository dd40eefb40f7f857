/* SPDX-License-Identifier: MIT */
/*
 * The worker's domain_parse() and domain_parse_status_pid(): those of the module, which is loaded
 * at the first call. Linked in place of guest/domain_parse.c.
 */
#include "hook/xml_module.h"

#include "base/cleanup.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#ifndef XML_MODULE
#define XML_MODULE "/usr/lib/vmaffinity/xml.so"
#endif

/* Returns -1 with the reason if dlopen(3) would search for the module, or others could write it. */
static int
check_file(struct err *e)
{
	static const char path[] = XML_MODULE;
	if (path[0] != '/')
		return err_set(e, "%s: is not an absolute path", path);
	struct stat st;
	AUTO_CLOSE int fd = open(XML_MODULE, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) != 0)
		return err_errno(e, "%s", XML_MODULE);
	if (!S_ISREG(st.st_mode) || st.st_uid != 0 || (st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return err_set(e, "%s: is not a file that root alone may write", XML_MODULE);
	return 0;
}

/* Returns the module, which stays loaded, or NULL with the reason. */
static const struct xml_module *
load(struct err *e)
{
	static const struct xml_module *loaded;
	if (loaded != NULL)
		return loaded;
	if (check_file(e) != 0)
		return NULL;
	void *handle = dlopen(XML_MODULE, RTLD_NOW | RTLD_LOCAL);
	const struct xml_module *module = handle != NULL ? dlsym(handle, XML_MODULE_SYMBOL) : NULL;
	if (module == NULL) {
		err_set(e, "%s cannot be loaded: %s", XML_MODULE, dlerror());
		return NULL;
	}
	if (strncmp(module->version, VERSION, sizeof(module->version)) != 0 ||
		module->domain_size != sizeof(struct domain)) {
		err_set(e, "%s is of another version; install vmaffinity again", XML_MODULE);
		return NULL;
	}
	loaded = module;
	return loaded;
}

int
domain_parse(const char *xml, size_t length, struct domain *domain, struct err *e)
{
	const struct xml_module *module = load(e);
	return module != NULL ? module->parse(xml, length, domain, e) : -1;
}

int
domain_parse_status_pid(const char *xml, size_t length, struct err *e)
{
	const struct xml_module *module = load(e);
	return module != NULL ? module->parse_status_pid(xml, length, e) : -1;
}
