/* SPDX-License-Identifier: MIT */
#include "cli/watch/cpu_events.h"

#include <errno.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The multicast group of the kernel itself; udev sends to another one. */
#define KERNEL_GROUP 1u

int
cpu_events_open(void)
{
	const struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = KERNEL_GROUP};
	int fd = socket(
		AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);
	if (fd < 0)
		return -1;
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	close(fd);
	return -1;
}

/* True if a message begins with "online@" or "offline@" and the path of a CPU. */
static bool
is_about_cpu(const char *message)
{
	const char *path = strchr(message, '@');
	static const char cpu[] = "@/devices/system/cpu/cpu";
	return path != NULL && strncmp(path, cpu, sizeof(cpu) - 1) == 0 &&
	       (strncmp(message, "online@", strlen("online@")) == 0 ||
		       strncmp(message, "offline@", strlen("offline@")) == 0);
}

bool
cpu_events_read(int fd)
{
	bool changed = false;
	for (;;) {
		char message[8192];
		struct sockaddr_nl from = {0};
		socklen_t size = sizeof(from);
		ssize_t length = recvfrom(
			fd, message, sizeof(message) - 1, 0, (struct sockaddr *)&from, &size);
		if (length < 0 && errno == ENOBUFS)
			changed = true;
		else if (length < 0)
			return changed;
		if (length < 0 || from.nl_pid != 0) /* 0 is the kernel */
			continue;
		message[length] = '\0';
		changed |= is_about_cpu(message);
	}
}
