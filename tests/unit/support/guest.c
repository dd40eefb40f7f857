/* SPDX-License-Identifier: MIT */
#include "support/guest.h"

#include "base/file.h"

#include "support/mask.h"
#include "support/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct guest guest;
struct kernel kernel;

const struct thread_group groups[GROUPS] = {
	{GROUP_EMULATOR, 0}, {GROUP_VCPU, 0}, {GROUP_VCPU, 1}, {GROUP_IOTHREAD, 1}};
const size_t group_of[THREADS] = {EMULATOR, EMULATOR, VCPU0, VCPU1, IOTHREAD1};
static const char *const affinities[THREADS] = {"ab", "a", "b", "ab", "b"};

ssize_t __real_pwrite(int fd, const void *bytes, size_t length, off_t offset);
ssize_t __wrap_pwrite(int fd, const void *bytes, size_t length, off_t offset);
int __real_sched_setaffinity(pid_t tid, size_t size, const cpu_set_t *cpus);
int __wrap_sched_setaffinity(pid_t tid, size_t size, const cpu_set_t *cpus);
int __real_sched_getaffinity(pid_t tid, size_t size, cpu_set_t *cpus);
int __wrap_sched_getaffinity(pid_t tid, size_t size, cpu_set_t *cpus);

struct cpumask
lettered(const char *letters)
{
	static unsigned cpus[2];
	struct cpumask own = {0}, mask = {0};
	if (cpus[1] == 0) {
		assert_int_equal(__real_sched_getaffinity(0, sizeof(own), (cpu_set_t *)&own), 0);
		cpus[0] = cpumask_next(&own, 0);
		cpus[1] = cpumask_next(&own, cpus[0] + 1);
		if (cpus[1] == CPUMASK_CPUS)
			fail_msg("this test needs two CPUs");
	}
	for (const char *s = letters; *s != '\0'; s++)
		cpumask_set_range(&mask, cpus[*s - 'a'], cpus[*s - 'a']);
	return mask;
}

const char *
list_of(const char *letters)
{
	static char list[64];
	struct cpumask mask = lettered(letters);
	return cpumask_format(&mask, list, sizeof(list));
}

void
guest_set_affinity(size_t thread, const struct cpumask *cpus)
{
	if (__real_sched_setaffinity(
		    guest.threads.tids[thread], sizeof(*cpus), (const cpu_set_t *)cpus) != 0)
		fail_msg("sched_setaffinity: %s", strerror(errno));
}

struct cpumask
guest_affinity(size_t thread)
{
	struct cpumask cpus = {0};
	if (__real_sched_getaffinity(guest.threads.tids[thread], sizeof(cpus), (cpu_set_t *)&cpus) <
		0)
		fail_msg("sched_getaffinity: %s", strerror(errno));
	return cpus;
}

static bool
fails(unsigned count, unsigned which)
{
	if (which == 0 || (kernel.for_good ? count < which : count != which))
		return false;
	errno = kernel.error;
	return true;
}

/* Does what a cpuset does and a file does not: takes a value as a whole, and grants it. */
static void
grant(const char *path, const char *list)
{
	char file[256];
	struct err e;
	struct cpumask mask;
	assert_int_equal(cpumask_parse(strcmp(list, "\n") == 0 ? "" : list, &mask, &e), 0);
	const char *name = strrchr(path, '/');
	bool memory = strcmp(name, "/cpuset.mems") == 0;
	snprintf(file, sizeof(file), "%.*s/%s", (int)(name - path), path,
		memory ? cgroup_effective_nodes_file(&guest.cgroup)
		       : cgroup_effective_file(&guest.cgroup));
	if (memory) {
		tree_put(guest.tree, file,
			kernel.poor && strstr(path, "vcpu1") != NULL ? "0" : list);
		return;
	}
	if (cpumask_empty(&mask))
		mask = lettered("ab");
	if (kernel.stingy && strstr(path, "vcpu0") != NULL)
		mask = lettered("b");
	char text[64];
	tree_put(guest.tree, file, cpumask_format(&mask, text, sizeof(text)));
	for (size_t i = 0; i < THREADS && kernel.old; i++) {
		char group[THREAD_GROUP_NAME_MAX];
		snprintf(
			file, sizeof(file), "g/%s/", thread_group_name(groups[group_of[i]], group));
		if (strncmp(path, file, strlen(file)) == 0)
			guest_set_affinity(i, &mask);
	}
}

ssize_t
__wrap_pwrite(int fd, const void *bytes, size_t length, off_t offset)
{
	kernel.writes++;
	if (fails(kernel.writes, kernel.fail_write))
		return -1;
	char link[64], path[256], list[256];
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, path, sizeof(path) - 1);
	assert_true(n > 0 && length < sizeof(list));
	path[n] = '\0';
	memcpy(list, bytes, length);
	list[length] = '\0';
	assert_int_equal(offset, 0);
	if (kernel.clings && strcmp(list, "\n") == 0) {
		errno = ENOSPC;
		return -1;
	}
	assert_int_equal(ftruncate(fd, 0), 0);
	n = __real_pwrite(fd, bytes, length, 0);
	grant(path + strlen(guest.tree->path) + 1, list);
	if (kernel.on_write != NULL)
		kernel.on_write();
	return n;
}

int
__wrap_sched_setaffinity(pid_t tid, size_t size, const cpu_set_t *cpus)
{
	kernel.sets++;
	if (fails(kernel.sets, kernel.fail_set))
		return -1;
	int r = __real_sched_setaffinity(tid, size, cpus);
	if (kernel.on_set != NULL)
		kernel.on_set();
	return r;
}

int
__wrap_sched_getaffinity(pid_t tid, size_t size, cpu_set_t *cpus)
{
	kernel.gets++;
	if (fails(kernel.gets, kernel.fail_get))
		return -1;
	int r = __real_sched_getaffinity(tid, size, cpus);
	struct cpumask granted = lettered("b");
	for (size_t i = 0; i < THREADS && kernel.stingy; i++)
		if (tid == guest.threads.tids[i] && group_of[i] == VCPU0)
			cpumask_and((struct cpumask *)cpus, &granted);
	return r;
}

const char *
guest_file(size_t group, const char *file)
{
	static char path[128];
	char name[THREAD_GROUP_NAME_MAX];
	snprintf(path, sizeof(path), "%s/%s/%s", guest.directory,
		thread_group_name(groups[group], name), file);
	return path;
}

const char *
guest_snapshot(void)
{
	static char text[2][2048];
	static unsigned turn;
	char *out = text[turn++ % 2], list[CPULIST_MAX];
	size_t used = 0;
	for (size_t i = 0; i < GROUPS; i++) {
		struct cpumask mask;
		struct err e;
		if (file_read_value(guest.base, guest_file(i, "cpuset.cpus"), list, sizeof(list)) !=
			0)
			strcpy(list, "gone");
		else if (cpumask_parse(list, &mask, &e) != 0)
			fail_msg("%s", e.text);
		else
			cpumask_format(&mask, list, sizeof(list));
		used += (size_t)snprintf(out + used, 2048 - used, "%zu: %s", i, list);
		if (file_read_value(guest.base, guest_file(i, "cpuset.mems"), list, sizeof(list)) !=
			0)
			strcpy(list, "gone");
		used += (size_t)snprintf(
			out + used, 2048 - used, ", memory %.*s\n", (int)strcspn(list, "\n"), list);
	}
	for (size_t i = 0; i < THREADS; i++) {
		struct cpumask mask = guest_affinity(i);
		used += (size_t)snprintf(out + used, 2048 - used, "thread %zu: %s\n", i,
			cpumask_format(&mask, list, sizeof(list)));
	}
	return out;
}

void
guest_plan(const char *emulator, const char *vcpu_0, const char *vcpu_1, const char *iothread)
{
	const char *const letters[GROUPS] = {emulator, vcpu_0, vcpu_1, iothread};
	guest.plan = (struct plan){.steps = guest.steps, .step_count = GROUPS};
	for (size_t i = 0; i < GROUPS; i++) {
		char list[CPULIST_MAX];
		struct err e;
		struct plan_step *step = &guest.steps[i];
		if (file_read_value(guest.base, guest_file(i, "cpuset.cpus"), list, sizeof(list)) !=
				0 ||
			cpumask_parse(list, &guest.now[i], &e) != 0)
			fail_msg("%s", guest_file(i, "cpuset.cpus"));
		*step = (struct plan_step){.group = groups[i], .now = &guest.now[i]};
		if (letters[i] == NULL)
			continue;
		guest.desired[i] = lettered(letters[i]);
		step->cpus = &guest.desired[i];
		step->write = !cpumask_equal(step->cpus, step->now);
	}
}

void
guest_plan_memory(const char *nodes)
{
	guest.desired_nodes = mask_of(nodes);
	guest.plan.nodes = &guest.desired_nodes;
	for (size_t i = 0; i < GROUPS; i++) {
		struct plan_step *step = &guest.steps[i];
		guest.nodes_now[i] = mask_of(guest.cgroup.v2 && i == VCPU0 ? "" : "0-1");
		step->nodes_now = &guest.nodes_now[i];
		step->write_nodes = !cpumask_equal(&guest.desired_nodes, step->nodes_now);
	}
}

void
guest_put_tasks(size_t group, const char *more)
{
	char text[128] = "";
	size_t used = 0;
	for (size_t i = 0; i < THREADS; i++)
		if (group_of[i] == group)
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%d\n",
				(int)guest.threads.tids[i]);
	snprintf(text + used, sizeof(text) - used, "%s", more);
	tree_put(guest.tree, guest_file(group, guest.cgroup.v2 ? "cgroup.threads" : "tasks"), text);
}

void
guest_start_over(const char *letters)
{
	kernel = (struct kernel){.error = EACCES};
	for (size_t i = 0; i < GROUPS; i++) {
		tree_put(guest.tree, guest_file(i, "cpuset.cpus"), list_of(letters));
		tree_put(guest.tree, guest_file(i, cgroup_effective_file(&guest.cgroup)),
			list_of("ab"));
		tree_put(guest.tree, guest_file(i, "cpuset.mems"),
			guest.cgroup.v2 && i == VCPU0 ? "" : "0-1");
		tree_put(guest.tree, guest_file(i, cgroup_effective_nodes_file(&guest.cgroup)),
			"0-1");
		guest_put_tasks(i, "");
	}
	for (size_t i = 0; i < THREADS; i++) {
		struct cpumask mask = lettered(affinities[i]);
		guest_set_affinity(i, &mask);
	}
	guest_plan("a", "a", "b", "ab");
}

int
guest_setup(void **state)
{
	if (tree_setup(state) != 0)
		return -1;
	guest = (struct guest){
		.tree = *state, .base = ((struct tree *)*state)->fd, .directory = "g"};
	tree_make(guest.tree, "g/");
	guest.cgroup = (struct cgroup){.path = (char *)"/cg/g",
		.mount = -1,
		.directory = file_open_directory(guest.base, "g")};
	threads_start(&guest.threads, THREADS + 1);
	guest_start_over("ab");
	return 0;
}

int
guest_setup_v2(void **state)
{
	if (guest_setup(state) != 0)
		return -1;
	guest.cgroup.v2 = true;
	guest_start_over("");
	return 0;
}

int
guest_teardown(void **state)
{
	kernel = (struct kernel){0};
	threads_stop(&guest.threads);
	close(guest.cgroup.directory);
	return tree_teardown(state);
}

int
guest_apply(void)
{
	memset(&guest.result, 0x5a, sizeof(guest.result));
	guest.e.text[0] = '\0';
	return apply(&guest.plan, &guest.cgroup, &guest.result, &guest.e);
}
