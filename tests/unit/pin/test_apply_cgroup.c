/* SPDX-License-Identifier: MIT */
/*
 * apply() on a real cpuset hierarchy, where the kernel itself refuses a mask. That is cgroup v1: v2
 * takes any mask. A machine that has no such hierarchy can only show it on a tree of files, in
 * test_apply.c; then the one test here says so by its name, instead of passing for what it is not.
 */
#include "pin/apply.h"

#include "base/cleanup.h"
#include "base/file.h"

#include "support/mask.h"
#include "support/threads.h"
#include "support/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { EMULATOR, VCPU0, VCPU1, GROUPS };
static const struct thread_group groups[GROUPS] = {
	{GROUP_EMULATOR, 0}, {GROUP_VCPU, 0}, {GROUP_VCPU, 1}};
static const size_t group_of[] = {EMULATOR, EMULATOR, VCPU0, VCPU1};
#define THREADS COUNT(group_of)

static int base = -1; /* our own cgroup in the hierarchy; the directory is made below it */
static char directory[64];
static struct threads threads;
static struct cgroup cgroup = {.mount = -1, .directory = -1};
static unsigned a, b; /* two CPUs of it */
static struct cpumask both, one, other;
static struct cpumask refused; /* what the kernel takes for no group of the guest's */
static struct cpumask now[GROUPS];
static struct plan_step steps[GROUPS];
static struct plan plan = {.steps = steps, .step_count = GROUPS};

/*
 * Our line of the v1 hierarchy with the cpuset: its controllers, and our path in it; false if there
 * is none.
 */
static bool
find_hierarchy(char *controllers, char *path, size_t size)
{
	FILE *file = fopen("/proc/self/cgroup", "re");
	char *line = NULL;
	size_t room = 0;
	bool found = false;
	assert_non_null(file);
	while (!found && getline(&line, &room, file) > 0) {
		char *rest = line;
		(void)strsep(&rest, ":");
		const char *words = strsep(&rest, ":");
		char list[256];
		snprintf(list, sizeof(list), ",%s,", words != NULL ? words : "");
		if (rest == NULL || strstr(list, ",cpuset,") == NULL)
			continue;
		snprintf(controllers, size, "%s", words);
		snprintf(path, size, "%.*s", (int)strcspn(rest, "\n"), rest);
		found = true;
	}
	free(line);
	fclose(file);
	return found;
}

/* Mounts the hierarchy anew, for this process alone: nothing shows in any directory. */
static int
mount_hierarchy(char *controllers)
{
	int fs = (int)syscall(SYS_fsopen, "cgroup", FSOPEN_CLOEXEC);
	if (fs < 0)
		return -1;
	for (char *word; (word = strsep(&controllers, ",")) != NULL;)
		if (syscall(SYS_fsconfig, fs, FSCONFIG_SET_FLAG, word, NULL, 0) != 0)
			return -1;
	if (syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) != 0)
		return -1;
	int mount = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, 0);
	close(fs);
	return mount;
}

static const char *
group_path(size_t group, const char *file)
{
	static char path[128];
	char name[THREAD_GROUP_NAME_MAX];
	snprintf(path, sizeof(path), "%s/%s/%s", directory, thread_group_name(groups[group], name),
		file);
	return path;
}

/* Signal-safe, for an end before the teardown. The kernel needs a moment for the last thread. */
static void
remove_all(void)
{
	static const char *const names[] = {"/emulator", "/vcpu0", "/vcpu1", ""};
	if (threads.pid > 0)
		kill(threads.pid, SIGKILL);
	for (size_t i = 0; i < COUNT(names) && base >= 0; i++) {
		char path[128];
		size_t length = strlen(directory);
		memcpy(path, directory, length);
		memcpy(path + length, names[i], strlen(names[i]) + 1);
		for (int tries = 0; tries < 1000; tries++) {
			if (unlinkat(base, path, AT_REMOVEDIR) == 0 || errno != EBUSY)
				break;
			usleep(5000);
		}
	}
}

static void
end_early(int signal)
{
	(void)signal;
	remove_all();
	_exit(1);
}

static void
write_file(const char *path, const char *text)
{
	if (file_write_value(base, path, text, strlen(text)) != 0)
		fail_msg("%s to %s: %s", text, path, strerror(errno));
}

static void
write_list(const char *path, const struct cpumask *cpus)
{
	char list[CPULIST_MAX];
	write_file(path, cpumask_format(cpus, list, sizeof(list)));
}

static struct cpumask
read_list(const char *path)
{
	char list[CPULIST_MAX];
	if (file_read_value(base, path, list, sizeof(list)) != 0)
		fail_msg("%s: %s", path, strerror(errno));
	return mask_of(list);
}

/* A new cpuset of v1 has neither CPUs nor memory until they are given. */
static void
make_group(const char *path, const char *mems)
{
	char file[160];
	if (mkdirat(base, path, 0755) != 0)
		fail_msg("mkdir %s: %s", path, strerror(errno));
	snprintf(file, sizeof(file), "%s/cpuset.mems", path);
	write_file(file, mems);
	snprintf(file, sizeof(file), "%s/cpuset.cpus", path);
	write_list(file, &both);
}

static void
choose_cpus(void)
{
	struct cpumask all = read_list("cpuset.effective_cpus");
	a = cpumask_next(&all, 0);
	b = cpumask_next(&all, a + 1);
	if (b == CPUMASK_CPUS)
		fail_msg("this test needs two CPUs");
	/*
	 * A third one is outside of the guest's directory (EACCES); no machine has the last one
	 * (ERANGE).
	 */
	unsigned third = cpumask_next(&all, b + 1);
	if (third == CPUMASK_CPUS)
		third = CPUMASK_CPUS - 1;
	cpumask_set_range(&one, a, a);
	cpumask_set_range(&other, b, b);
	cpumask_set_range(&refused, third, third);
	both = one;
	cpumask_or(&both, &other);
}

static int
setup(void **state)
{
	(void)state;
	char controllers[512], path[512], mems[4096], name[128];
	assert_true(find_hierarchy(controllers, path, sizeof(path)));
	AUTO_CLOSE int mount = mount_hierarchy(controllers);
	if (mount < 0)
		fail_msg("the cpuset hierarchy cannot be mounted: %s", strerror(errno));
	base = file_open_directory(mount, path[1] == '\0' ? "." : path + 1);
	if (base < 0)
		fail_msg("%s: %s", path, strerror(errno));
	signal(SIGALRM, end_early);
	signal(SIGTERM, end_early);
	signal(SIGINT, end_early);
	snprintf(directory, sizeof(directory), "vmaffinity-unit-%d", (int)getpid());
	choose_cpus();
	if (file_read_value(base, "cpuset.effective_mems", mems, sizeof(mems)) != 0)
		fail_msg("cpuset.effective_mems: %s", strerror(errno));
	make_group(directory, mems);
	threads_start(&threads, THREADS);
	for (size_t i = 0; i < GROUPS; i++) {
		char group[THREAD_GROUP_NAME_MAX];
		snprintf(name, sizeof(name), "%s/%s", directory,
			thread_group_name(groups[i], group));
		make_group(name, mems);
	}
	for (size_t i = 0; i < THREADS; i++) {
		char tid[16];
		snprintf(tid, sizeof(tid), "%d\n", (int)threads.tids[i]);
		write_file(group_path(group_of[i], "tasks"), tid);
	}
	cgroup.path = directory;
	cgroup.directory = file_open_directory(base, directory);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	remove_all();
	threads_stop(&threads);
	remove_all();
	bool left = base >= 0 && faccessat(base, directory, F_OK, 0) == 0;
	cleanup_close(&cgroup.directory);
	cleanup_close(&base);
	return left ? -1 : 0;
}

static struct cpumask
affinity(size_t thread)
{
	struct cpumask cpus = {0};
	assert_int_equal(
		sched_getaffinity(threads.tids[thread], sizeof(cpus), (cpu_set_t *)&cpus), 0);
	return cpus;
}

/* As libvirt leaves a guest: masks of both CPUs, and some threads with an affinity of their own. */
static void
start_over(void)
{
	const struct cpumask *const own[THREADS] = {&both, &one, &other, &both};
	for (size_t i = 0; i < GROUPS; i++)
		write_list(group_path(i, "cpuset.cpus"), &both);
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(sched_setaffinity(threads.tids[i], sizeof(*own[i]),
					 (const cpu_set_t *)own[i]),
			0);
}

static void
plan_for(const struct cpumask *emulator, const struct cpumask *vcpu0, const struct cpumask *vcpu1)
{
	const struct cpumask *const desired[GROUPS] = {emulator, vcpu0, vcpu1};
	for (size_t i = 0; i < GROUPS; i++) {
		now[i] = read_list(group_path(i, "cpuset.cpus"));
		steps[i] = (struct plan_step){.group = groups[i],
			.now = &now[i],
			.cpus = desired[i],
			.write = !cpumask_equal(desired[i], &now[i])};
	}
}

struct state {
	struct cpumask masks[GROUPS], affinities[THREADS];
};

static struct state
state_now(void)
{
	struct state state;
	for (size_t i = 0; i < GROUPS; i++)
		state.masks[i] = read_list(group_path(i, "cpuset.cpus"));
	for (size_t i = 0; i < THREADS; i++)
		state.affinities[i] = affinity(i);
	return state;
}

static void
root_undoes_all_when_a_real_kernel_refuses_any_mask(void **unused)
{
	(void)unused;
	const struct cpumask *desired[GROUPS];
	for (size_t k = 0; k < GROUPS; k++) {
		struct apply_result result;
		struct err e;
		start_over();
		const struct state before = state_now();
		desired[EMULATOR] = &one;
		desired[VCPU0] = &one;
		desired[VCPU1] = &other;
		desired[k] = &refused;
		plan_for(desired[EMULATOR], desired[VCPU0], desired[VCPU1]);
		assert_int_equal(apply(&plan, &cgroup, &result, &e), -1);
		assert_memory_equal(e.text, "cannot write ", 13);
		assert_null(strstr(e.text, "put back"));
		const struct state after = state_now();
		assert_memory_equal(&before, &after, sizeof(before));
		assert_int_equal(result.masks, k);
	}
}

/* Affinities too that had to be widened: masks that are put back do not bring them back. */
static void
root_undoes_affinities_when_a_real_kernel_refuses_a_mask(void **unused)
{
	(void)unused;
	struct apply_result result;
	struct err e;
	start_over();
	const struct state before = state_now();
	plan_for(&both, &both, &refused);
	assert_int_equal(apply(&plan, &cgroup, &result, &e), -1);
	assert_int_equal(result.threads, 2);
	const struct state after = state_now();
	assert_memory_equal(&before, &after, sizeof(before));
}

static void
root_sets_real_masks_and_affinities(void **unused)
{
	(void)unused;
	struct apply_result result;
	struct err e;
	start_over();
	plan_for(&one, &one, &other);
	if (apply(&plan, &cgroup, &result, &e) != 0)
		fail_msg("%s", e.text);
	assert_int_equal(result.masks, 3);
	for (size_t i = 0; i < THREADS; i++) {
		struct cpumask cpus = affinity(i);
		assert_true(cpumask_equal(&cpus, steps[group_of[i]].cpus));
	}
	for (size_t i = 0; i < GROUPS; i++) {
		struct cpumask cpus = read_list(group_path(i, "cpuset.cpus"));
		assert_true(cpumask_equal(&cpus, steps[i].cpus));
	}
	plan_for(&one, &one, &other);
	assert_int_equal(apply(&plan, &cgroup, &result, &e), 0);
	assert_int_equal(result.masks + result.threads, 0);
	/* to both again: the affinity that was set a moment ago must not hold a thread back */
	plan_for(&both, &both, &both);
	assert_int_equal(apply(&plan, &cgroup, &result, &e), 0);
	for (size_t i = 0; i < THREADS; i++) {
		struct cpumask cpus = affinity(i);
		assert_true(cpumask_equal(&cpus, &both));
	}
}

static void
machine_has_none(void **unused)
{
	(void)unused;
	char controllers[512], path[512];
	assert_false(find_hierarchy(controllers, path, sizeof(path)));
}

int
main(void)
{
	alarm(120);
	const struct CMUnitTest real[] = {
		cmocka_unit_test_setup_teardown(
			root_undoes_all_when_a_real_kernel_refuses_any_mask, setup, teardown),
		cmocka_unit_test_setup_teardown(
			root_undoes_affinities_when_a_real_kernel_refuses_a_mask, setup, teardown),
		cmocka_unit_test_setup_teardown(
			root_sets_real_masks_and_affinities, setup, teardown),
	};
	const struct CMUnitTest none[] = {
		{.name = "no_cgroup_v1_on_this_machine_so_undoing_was_tested_on_the_fake_tree_only",
			.test_func = machine_has_none},
	};
	char controllers[512], path[512];
	atexit(remove_all); /* cmocka has no teardown for a setup that fails */
	if (find_hierarchy(controllers, path, sizeof(path)))
		return cmocka_run_group_tests_name("apply on cgroup v1", real, NULL, NULL);
	return cmocka_run_group_tests_name("apply on cgroup v1", none, NULL, NULL);
}
