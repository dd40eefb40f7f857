/* SPDX-License-Identifier: MIT */
/*
 * The system log of the private host: binds the datagram socket SOCKET and
 * appends each datagram to FILE as one line, "<PRI>..." as syslog(3) sent it.
 * Goes to the background once the socket is bound; its pid goes to PIDFILE.
 *
 * usage: logd SOCKET FILE PIDFILE
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { DATAGRAM_MAX = 65536 };

int
main(int argc, char **argv)
{
	static char line[DATAGRAM_MAX + 1];
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	FILE *pidfile;
	int sock, log;

	if (argc != 4 || strlen(argv[1]) >= sizeof addr.sun_path)
		errx(2, "usage: logd SOCKET FILE PIDFILE");
	/* Close the caller's pipes: a process that waits for their end must not wait for this one.
	 */
	close_range(3, ~0U, 0);
	memcpy(addr.sun_path, argv[1], strlen(argv[1]));
	sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (sock < 0 || bind(sock, (struct sockaddr *)&addr, sizeof addr) != 0 ||
		chmod(argv[1], 0666) != 0)
		err(1, "%s", argv[1]);
	log = open(argv[2], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (log < 0)
		err(1, "%s", argv[2]);
	if (daemon(0, 0) != 0)
		err(1, "daemon");
	pidfile = fopen(argv[3], "we");
	if (!pidfile || fprintf(pidfile, "%d\n", (int)getpid()) < 0 || fclose(pidfile) != 0)
		return 1;
	for (;;) {
		ssize_t len = recv(sock, line, DATAGRAM_MAX, 0);

		if (len < 0)
			return 1;
		while (len > 0 && (line[len - 1] == '\0' || line[len - 1] == '\n'))
			len--;
		for (ssize_t i = 0; i < len; i++)
			if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
				line[i] = '?';
		line[len++] = '\n';
		if (write(log, line, (size_t)len) != len)
			return 1;
	}
}
