/* SPDX-License-Identifier: MIT */
/*
 * The least that pinning can cost: reads stdin to its end, then writes the masks that its
 * arguments name and sets the affinities. It looks for nothing, checks nothing and reads nothing
 * back.
 *
 * usage: floor CPUS VCPUS IOTHREADS WORD...
 *
 * WORD is the directory of a guest's groups: emulator and iothreads go to CPU 0, vCPU n to n %
 * CPUS; or TID:CPU, a thread's affinity.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void
write_mask(const char *directory, const char *group, unsigned number, unsigned cpu)
{
	char path[4096], list[16];
	snprintf(path, sizeof(path), "%s/%s%.*u/cpuset.cpus", directory, group,
		number == ~0u ? 0 : -1, number == ~0u ? 0 : number);
	int length = snprintf(list, sizeof(list), "%u", cpu);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, list, (size_t)length) != length) {
		perror(path);
		exit(1);
	}
	close(fd);
}

static void
set_affinity(const char *word)
{
	char *end;
	cpu_set_t cpus;
	pid_t tid = (pid_t)strtol(word, &end, 10);
	CPU_ZERO(&cpus);
	CPU_SET((size_t)strtoul(end + 1, NULL, 10), &cpus);
	if (sched_setaffinity(tid, sizeof(cpus), &cpus) != 0) {
		perror(word);
		exit(1);
	}
}

int
main(int argc, char **argv)
{
	static char input[65536];
	if (argc < 4)
		return 2;
	unsigned cpus = (unsigned)atoi(argv[1]), vcpus = (unsigned)atoi(argv[2]);
	unsigned iothreads = (unsigned)atoi(argv[3]);
	while (read(STDIN_FILENO, input, sizeof(input)) > 0)
		;
	for (char **word = argv + 4; *word != NULL; word++) {
		if (**word != '/') {
			set_affinity(*word);
			continue;
		}
		write_mask(*word, "emulator", ~0u, 0);
		for (unsigned i = 0; i < vcpus; i++)
			write_mask(*word, "vcpu", i, i % cpus);
		for (unsigned i = 1; i <= iothreads; i++)
			write_mask(*word, "iothread", i, 0);
	}
	return 0;
}
