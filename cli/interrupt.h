/* SPDX-License-Identifier: MIT */
/* Signals that end a command, held back until what it does to a guest is whole. */
#ifndef VMAFFINITY_CLI_INTERRUPT_H
#define VMAFFINITY_CLI_INTERRUPT_H

#include <stdbool.h>

/*
 * From now on the first SIGINT, SIGTERM, SIGHUP or SIGQUIT is only noted; one that is ignored, as
 * nohup(1) has it, stays so. The second ends the program at once, unless a guest is being changed.
 */
void interrupt_catch(void);

/* Says whether a guest is being changed from now on. */
void interrupt_changing(bool changing);

/* Returns the signal that was noted, or 0. */
int interrupt_signal(void);

/* Ends the program by the signal that was noted, so that a shell's loop ends too; returns if none
 * was. */
void interrupt_end(void);

#endif
