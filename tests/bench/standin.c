/* SPDX-License-Identifier: MIT */
/*
 * Stands in for a guest where a machine holds no more QEMU processes, or no guest with so many
 * vCPUs: a process of so many threads that do nothing, and that holds its pid file locked as QEMU
 * does. Says "ready" and stays until its stdin is closed. Its cgroups are the caller's to make.
 *
 * usage: standin PIDFILE THREADS
 */
#include <err.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void *
idle(void *nothing)
{
	for (;;)
		pause();
	return nothing;
}

int
main(int argc, char **argv)
{
	char byte;
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	pthread_t thread;
	pthread_attr_t attributes;
	if (argc != 3)
		errx(2, "usage: standin PIDFILE THREADS");
	int fd = open(argv[1], O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0 || fcntl(fd, F_SETLK, &lock) != 0 || dprintf(fd, "%d", (int)getpid()) < 0)
		err(1, "%s", argv[1]);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, (size_t)PTHREAD_STACK_MIN);
	for (int i = atoi(argv[2]); i > 1; i--)
		if (pthread_create(&thread, &attributes, idle, NULL) != 0)
			err(1, "thread");
	puts("ready");
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	return 0;
}
