/* SPDX-License-Identifier: MIT */
#include "cli/virt_library.h"

#include <dlfcn.h>
#include <stddef.h>

/* The ABI of libvirt that its headers describe; libvirt has not broken it since 0.1. */
#define LIBRARY "libvirt.so.0"

struct virt_library libvirt;

static void
be_quiet(void *data, virErrorPtr error)
{
	(void)data;
	(void)error;
}

int
virt_library_load(struct err *e)
{
	static void *library;
	if (library != NULL)
		return 0;
	void *handle = dlopen(LIBRARY, RTLD_NOW);
	if (handle == NULL)
		return err_set(e, "%s", dlerror());
#define LOAD(name)                                                                                 \
	if ((libvirt.name = (__typeof__(name) *)dlsym(handle, #name)) == NULL)                     \
		return err_set(e, "%s: no " #name, LIBRARY);
	VIRT_FUNCTIONS(LOAD)
	libvirt.virSetErrorFunc(NULL, be_quiet);
	library = handle;
	return 0;
}

int
virt_library_error(struct err *e)
{
	return err_set(e, "%s", libvirt.virGetLastErrorMessage());
}
