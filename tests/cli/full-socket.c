/* SPDX-License-Identifier: MIT */
/*
 * A system log that does not read: binds the datagram socket SOCKET and fills its queue, so that
 * whoever sends to it waits. Prints a line once it is full, and ends with its stdin.
 *
 * usage: full-socket SOCKET
 */
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int
main(int argc, char *argv[])
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int to = socket(AF_UNIX, SOCK_DGRAM, 0);
	int from = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	char byte;
	if (argc != 2 || strlen(argv[1]) >= sizeof(address.sun_path))
		errx(2, "usage: full-socket SOCKET");
	memcpy(address.sun_path, argv[1], strlen(argv[1]));
	if (bind(to, (struct sockaddr *)&address, sizeof(address)) != 0 ||
		connect(from, (struct sockaddr *)&address, sizeof(address)) != 0)
		err(1, "%s", argv[1]);
	while (send(from, "full", 4, 0) == 4)
		continue;
	if (errno != EAGAIN)
		err(1, "send");
	puts("full");
	fflush(stdout);
	return read(STDIN_FILENO, &byte, 1) < 0;
}
