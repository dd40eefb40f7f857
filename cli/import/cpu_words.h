/* SPDX-License-Identifier: MIT */
/* A set of CPUs as a person would write it in the rules. */
#ifndef VMAFFINITY_CLI_IMPORT_CPU_WORDS_H
#define VMAFFINITY_CLI_IMPORT_CPU_WORDS_H

#include "base/cpumask.h"
#include "host/topology.h"

#include <stdio.h>

/*
 * Prints a word that means exactly these CPUs on this host ("all", "node:1", "l3:0", "pcores"), or
 * else their numbers.
 */
void cpu_words_print(FILE *out, struct topology *topology, const struct cpumask *cpus);

#endif
