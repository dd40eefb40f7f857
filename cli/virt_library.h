/* SPDX-License-Identifier: MIT */
/*
 * libvirt's functions, loaded on first need: the library brings 60 others, more than any command
 * does that needs none of them, and doctor must run where one of those is broken. For virt.c and
 * virt_loop.c alone.
 */
#ifndef VMAFFINITY_CLI_VIRT_LIBRARY_H
#define VMAFFINITY_CLI_VIRT_LIBRARY_H

#include "base/err.h"

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

/* clang-format off */
#define VIRT_FUNCTIONS(X) \
	X(virConnectClose) \
	X(virConnectDomainEventDeregisterAny) \
	X(virConnectDomainEventRegisterAny) \
	X(virConnectListAllDomains) \
	X(virConnectOpen) \
	X(virConnectOpenReadOnly) \
	X(virConnectRegisterCloseCallback) \
	X(virConnectUnregisterCloseCallback) \
	X(virDomainFree) \
	X(virDomainGetMetadata) \
	X(virDomainGetName) \
	X(virDomainGetState) \
	X(virDomainGetXMLDesc) \
	X(virDomainIsPersistent) \
	X(virDomainLookupByID) \
	X(virDomainLookupByName) \
	X(virDomainLookupByUUIDString) \
	X(virDomainPinEmulator) \
	X(virDomainPinIOThread) \
	X(virDomainPinVcpuFlags) \
	X(virDomainSetMetadata) \
	X(virEventAddHandle) \
	X(virEventRegisterDefaultImpl) \
	X(virEventRunDefaultImpl) \
	X(virGetLastErrorCode) \
	X(virGetLastErrorMessage) \
	X(virGetVersion) \
	X(virSetErrorFunc)
/* clang-format on */

#define VIRT_MEMBER(name) __typeof__(name) *name; /* NOLINT(bugprone-macro-parentheses) */
struct virt_library {
	VIRT_FUNCTIONS(VIRT_MEMBER)
};

/* Usable once virt_library_load() has returned 0. */
extern struct virt_library libvirt;

/*
 * Loads the library unless that is done, and keeps it from printing each error to stderr, as it
 * does by default. Returns 0, or -1 with the reason.
 */
int virt_library_load(struct err *e);

/* Sets e to libvirt's last error. Returns -1. */
int virt_library_error(struct err *e);

#endif
