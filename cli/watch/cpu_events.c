/* SPDX-License-Identifier: MIT */
#include "cli/watch/cpu_events.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The multicast group of the kernel itself; udev sends to another one. */
#define KERNEL_GROUP 1u

/* The first four bytes of "online@..." and "offline@...", as a filter loads them. */
#define ONLINE 0x6f6e6c69u
#define OFFLINE 0x6f66666cu

/*
 * Lets through what begins with "onli" or "offl", so that no other event wakes this process: there
 * is one for each device of each guest and container.
 */
static int
filter_events(int fd)
{
	struct sock_filter code[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ONLINE, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, OFFLINE, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX), BPF_STMT(BPF_RET | BPF_K, 0)};
	const struct sock_fprog program = {.len = sizeof(code) / sizeof(code[0]), .filter = code};
	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

int
cpu_events_open(void)
{
	const struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = KERNEL_GROUP};
	int fd = socket(
		AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);
	if (fd < 0)
		return -1;
	if (filter_events(fd) == 0 &&
		bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
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
