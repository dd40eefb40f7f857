/* SPDX-License-Identifier: MIT */
/* Judges another program's hook by its content, without running it. */
#ifndef VMAFFINITY_CLI_DOCTOR_HOOK_SCRIPT_H
#define VMAFFINITY_CLI_DOCTOR_HOOK_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>

#define HOOK_FAULT_MAX 320

/*
 * Finds why the kernel cannot execute a file with this content: it is empty, neither an ELF file
 * nor a script, or its interpreter cannot be executed (execve(2), "Interpreter scripts"). root is a
 * directory fd. With is_tree it may lack parts of a host, so an interpreter whose directory is
 * missing there is taken to exist. Returns true with the fault, for "it FAULT"; else false.
 */
bool hook_find_fault(
	int root, bool is_tree, const char *data, size_t length, char fault[HOOK_FAULT_MAX]);

/* True if the script runs every file in qemu.d, as libvirt (since 6.5.0) also does. */
bool hook_runs_qemu_d(const char *data, size_t length);

#endif
