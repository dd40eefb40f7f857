/* SPDX-License-Identifier: MIT */
/*
 * exec-gate FILE: holds every exec of FILE, as a virus scanner that watches execs does
 * (fanotify(7), FAN_OPEN_EXEC_PERM), until stdin ends. Prints "ready" when it does so.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/fanotify.h>
#include <unistd.h>

int
main(int argc, char *argv[])
{
	char byte;
	int gate = fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC, O_RDONLY);
	if (argc != 2 || gate < 0 ||
		fanotify_mark(gate, FAN_MARK_ADD, FAN_OPEN_EXEC_PERM, AT_FDCWD, argv[1]) != 0) {
		perror("exec-gate");
		return 1;
	}
	puts("ready");
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	return 0;
}
