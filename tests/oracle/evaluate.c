/* SPDX-License-Identifier: MIT */
/*
 * Reads CPU sets, one a line, and prints each as a mask in the form of taskset(1), for the host
 * below a directory, or the reason why it is none.
 */
#include "desired/cpuset_expr.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
print_mask(const struct cpumask *mask)
{
	unsigned last = CPUMASK_CPUS - 1;
	while (last > 0 && !cpumask_test(mask, last))
		last--;
	printf("0x");
	for (unsigned digit = last / 4 + 1; digit-- > 0;) {
		unsigned value = 0;
		for (unsigned bit = 0; bit < 4; bit++)
			value |= (unsigned)cpumask_test(mask, 4 * digit + bit) << bit;
		printf("%x", value);
	}
	putchar('\n');
}

int
main(int argc, char *argv[])
{
	if (argc != 2) {
		fputs("usage: evaluate DIRECTORY < CPU-SETS\n", stderr);
		return 2;
	}
	struct rules rules = {0};
	struct topology topology = {.root = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
	struct cpuset_expr expr = {.rules = &rules, .topology = &topology};
	char *line = NULL;
	size_t size = 0;
	for (ssize_t n; (n = getline(&line, &size, stdin)) > 0;) {
		struct cpumask mask;
		struct err e;
		line[strcspn(line, "\n")] = '\0';
		struct value value = {.text = line, .file = "stdin", .line = 1};
		if (cpuset_expr_eval(&expr, &value, &mask, &e) == 0)
			print_mask(&mask);
		else
			puts(e.text);
	}
	free(line);
	cpuset_expr_free(&expr);
	topology_free(&topology);
	return fflush(stdout) != 0;
}
