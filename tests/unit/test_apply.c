#include "../../engine/apply.h"

#include "../../engine/file.h"

#include "mask.h"
#include "threads.h"
#include "tree.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * The guest: groups, threads by their number, and CPUs by letters: a and b are the first two that this
 * process may use. One thread of the emulator and the vCPUs' were given an affinity of their own.
 */
enum { EMULATOR, VCPU0, VCPU1, IOTHREAD1, GROUPS };
static const struct group groups[GROUPS] = {
	{GROUP_EMULATOR, 0}, {GROUP_VCPU, 0}, {GROUP_VCPU, 1}, {GROUP_IOTHREAD, 1}};
static const size_t group_of[] = {EMULATOR, EMULATOR, VCPU0, VCPU1, IOTHREAD1};
static const char *const affinities[] = {"ab", "a", "b", "ab", "b"};
#define THREADS COUNT(group_of)
#define SPARE THREADS /* one more thread, in no group at first */

static struct fixture {
	const struct tree *tree; /* NULL: a real cgroup hierarchy */
	int base;		 /* where the guest's directory is */
	char directory[64];
	struct threads threads;
	struct scope scope;
	struct cpumask now[GROUPS], wished[GROUPS];
	struct plan_step steps[GROUPS];
	struct plan plan;
	struct apply_result result;
	struct err e;
} f;

/* The kernel: what it counts, and how it is to behave. */
static struct kernel {
	unsigned writes, sets, gets;
	unsigned fail_write, fail_set, fail_get; /* which of them fails; 0: none */
	int error;
	bool for_good;	  /* all after it fail as well */
	bool old;	  /* before 6.2: a written mask replaces affinities */
	bool stingy;	  /* v2: grants vcpu0 one CPU less than was asked for */
	void (*on_set)(void); /* called behind each sched_setaffinity() */
	void (*on_write)(void);
} kernel;

ssize_t __real_pwrite(int fd, const void *bytes, size_t length, off_t offset);
ssize_t __wrap_pwrite(int fd, const void *bytes, size_t length, off_t offset);
int __real_sched_setaffinity(pid_t tid, size_t size, const cpu_set_t *cpus);
int __wrap_sched_setaffinity(pid_t tid, size_t size, const cpu_set_t *cpus);
int __real_sched_getaffinity(pid_t tid, size_t size, cpu_set_t *cpus);
int __wrap_sched_getaffinity(pid_t tid, size_t size, cpu_set_t *cpus);

/* "ab", "a", "b" or "" as a mask. */
static struct cpumask
lettered(const char *letters)
{
	static unsigned cpus[2];
	struct cpumask own = {0}, mask = {0};
	if (cpus[1] == 0) {
		assert_true(__real_sched_getaffinity(0, sizeof(own), (cpu_set_t *)&own) > 0 ||
			    !cpumask_empty(&own));
		cpus[0] = cpumask_next(&own, 0);
		cpus[1] = cpumask_next(&own, cpus[0] + 1);
		if (cpus[1] == CPUMASK_CPUS)
			fail_msg("this test needs two CPUs");
	}
	for (const char *s = letters; *s != '\0'; s++)
		cpumask_set_range(&mask, cpus[*s - 'a'], cpus[*s - 'a']);
	return mask;
}

static const char *
list_of(const char *letters)
{
	static char list[64];
	struct cpumask mask = lettered(letters);
	return cpumask_format(&mask, list, sizeof(list));
}

static void
set_affinity(size_t thread, const struct cpumask *cpus)
{
	if (__real_sched_setaffinity(
		    f.threads.tids[thread], sizeof(*cpus), (const cpu_set_t *)cpus) != 0)
		fail_msg("sched_setaffinity: %s", strerror(errno));
}

static struct cpumask
affinity(size_t thread)
{
	struct cpumask cpus = {0};
	if (__real_sched_getaffinity(f.threads.tids[thread], sizeof(cpus), (cpu_set_t *)&cpus) < 0)
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

/* What a cpuset does that a file does not: takes a value as a whole, and grants it. */
static void
grant(const char *path, const char *list)
{
	char file[256];
	struct err e;
	struct cpumask mask;
	assert_int_equal(cpumask_parse(strcmp(list, "\n") == 0 ? "" : list, &mask, &e), 0);
	const char *name = strrchr(path, '/');
	snprintf(file, sizeof(file), "%.*s/%s", (int)(name - path), path,
		scope_effective_file(&f.scope));
	if (cpumask_empty(&mask))
		mask = lettered("ab");
	if (kernel.stingy && strstr(path, "vcpu0") != NULL)
		mask = lettered("b");
	char text[64];
	tree_put(f.tree, file, cpumask_format(&mask, text, sizeof(text)));
	for (size_t i = 0; i < THREADS && kernel.old; i++) {
		char group[GROUP_NAME_MAX];
		snprintf(file, sizeof(file), "g/%s/", group_name(groups[group_of[i]], group));
		if (strncmp(path, file, strlen(file)) == 0)
			set_affinity(i, &mask);
	}
}

ssize_t
__wrap_pwrite(int fd, const void *bytes, size_t length, off_t offset)
{
	kernel.writes++;
	if (fails(kernel.writes, kernel.fail_write))
		return -1;
	if (f.tree == NULL)
		return __real_pwrite(fd, bytes, length, offset);
	char link[64], path[256], list[256];
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, path, sizeof(path) - 1);
	assert_true(n > 0 && length < sizeof(list));
	path[n] = '\0';
	memcpy(list, bytes, length);
	list[length] = '\0';
	assert_int_equal(offset, 0);
	assert_int_equal(ftruncate(fd, 0), 0);
	n = __real_pwrite(fd, bytes, length, 0);
	grant(path + strlen(f.tree->path) + 1, list);
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
	return __real_sched_getaffinity(tid, size, cpus);
}

/* A group's file, below the base directory. */
static const char *
group_path(size_t group, const char *file)
{
	static char path[128];
	char name[GROUP_NAME_MAX];
	snprintf(path, sizeof(path), "%s/%s/%s", f.directory, group_name(groups[group], name), file);
	return path;
}

/* Masks and affinities, to be compared with what they were. */
static const char *
snapshot(void)
{
	static char text[2][2048];
	static unsigned turn;
	char *out = text[turn++ % 2], list[CPULIST_MAX];
	size_t used = 0;
	for (size_t i = 0; i < GROUPS; i++) {
		struct cpumask mask;
		struct err e;
		if (file_read_value(f.base, group_path(i, "cpuset.cpus"), list, sizeof(list)) != 0)
			strcpy(list, "gone");
		else if (cpumask_parse(list, &mask, &e) != 0)
			fail_msg("%s", e.text);
		else
			cpumask_format(&mask, list, sizeof(list));
		used += (size_t)snprintf(out + used, 2048 - used, "%zu: %s\n", i, list);
	}
	for (size_t i = 0; i < THREADS; i++) {
		struct cpumask mask = affinity(i);
		used += (size_t)snprintf(out + used, 2048 - used, "thread %zu: %s\n", i,
			cpumask_format(&mask, list, sizeof(list)));
	}
	return out;
}

/* Wishes, by letters, for each group; NULL: leave it. */
static void
plan_for(const char *emulator, const char *vcpu_0, const char *vcpu_1, const char *iothread)
{
	const char *const letters[GROUPS] = {emulator, vcpu_0, vcpu_1, iothread};
	f.plan = (struct plan){.steps = f.steps, .step_count = GROUPS};
	for (size_t i = 0; i < GROUPS; i++) {
		char list[CPULIST_MAX];
		struct err e;
		struct plan_step *step = &f.steps[i];
		if (file_read_value(f.base, group_path(i, "cpuset.cpus"), list, sizeof(list)) != 0 ||
			cpumask_parse(list, &f.now[i], &e) != 0)
			fail_msg("%s", group_path(i, "cpuset.cpus"));
		*step = (struct plan_step){.group = groups[i], .now = &f.now[i]};
		if (letters[i] == NULL)
			continue;
		f.wished[i] = lettered(letters[i]);
		step->cpus = &f.wished[i];
		step->write = !cpumask_equal(step->cpus, step->now);
	}
}

static void
put_tasks(size_t group, const char *more)
{
	char text[128] = "";
	size_t used = 0;
	for (size_t i = 0; i < THREADS; i++)
		if (group_of[i] == group)
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%d\n",
				(int)f.threads.tids[i]);
	snprintf(text + used, sizeof(text) - used, "%s", more);
	tree_put(f.tree, group_path(group, f.scope.v2 ? "cgroup.threads" : "tasks"), text);
}

/* The files and affinities as at the beginning; the kernel as it should be. */
static void
start_over(const char *letters)
{
	kernel = (struct kernel){.error = EACCES};
	for (size_t i = 0; i < GROUPS; i++) {
		tree_put(f.tree, group_path(i, "cpuset.cpus"), list_of(letters));
		tree_put(f.tree, group_path(i, scope_effective_file(&f.scope)), list_of("ab"));
		put_tasks(i, "");
	}
	for (size_t i = 0; i < THREADS; i++) {
		struct cpumask mask = lettered(affinities[i]);
		set_affinity(i, &mask);
	}
	plan_for("a", "a", "b", "ab");
}

static int
setup(void **state)
{
	if (tree_setup(state) != 0)
		return -1;
	f = (struct fixture){.tree = *state, .base = ((struct tree *)*state)->fd, .directory = "g"};
	tree_make(f.tree, "g/");
	f.scope = (struct scope){.path = (char *)"/cg/g",
		.mount = -1,
		.directory = file_open_directory(f.base, "g")};
	threads_start(&f.threads, THREADS + 1);
	start_over("ab");
	return 0;
}

static int
setup_v2(void **state)
{
	if (setup(state) != 0)
		return -1;
	f.scope.v2 = true;
	start_over("");
	return 0;
}

static int
teardown(void **state)
{
	kernel = (struct kernel){0};
	threads_stop(&f.threads);
	close(f.scope.directory);
	return tree_teardown(state);
}

static int
run_apply(void)
{
	memset(&f.result, 0x5a, sizeof(f.result));
	f.e.text[0] = '\0';
	return apply(&f.plan, &f.scope, &f.result, &f.e);
}

static void
assert_done(void)
{
	for (size_t i = 0; i < THREADS; i++) {
		struct cpumask mask = affinity(i);
		assert_true(cpumask_equal(&mask, &f.wished[group_of[i]]));
	}
	for (size_t i = 0; i < GROUPS; i++) {
		char list[CPULIST_MAX];
		struct err e;
		struct cpumask mask;
		assert_int_equal(
			file_read_value(f.base, group_path(i, "cpuset.cpus"), list, sizeof(list)), 0);
		assert_int_equal(cpumask_parse(list, &mask, &e), 0);
		assert_true(cpumask_equal(&mask, &f.wished[i]));
	}
}

static void
sets_masks_and_affinities(void **state)
{
	(void)state;
	if (run_apply() != 0)
		fail_msg("%s", f.e.text);
	assert_done();
	/* on v2 iothread1 has no mask of its own yet; one thread of the emulator's has its affinity */
	assert_int_equal(f.result.masks, f.scope.v2 ? 4 : 3);
	assert_int_equal(f.result.threads, 4);
	assert_int_equal(kernel.writes, f.result.masks);
}

static void
writes_nothing_where_all_is_as_wished(void **state)
{
	(void)state;
	struct stat before, after;
	assert_int_equal(run_apply(), 0);
	plan_for("a", "a", "b", "ab");
	kernel = (struct kernel){0};
	assert_int_equal(fstatat(f.base, group_path(VCPU0, "cpuset.cpus"), &before, 0), 0);
	assert_int_equal(run_apply(), 0);
	assert_int_equal(fstatat(f.base, group_path(VCPU0, "cpuset.cpus"), &after, 0), 0);
	assert_int_equal(f.result.masks + f.result.threads, 0);
	assert_int_equal(kernel.writes + kernel.sets, 0);
	assert_memory_equal(&before.st_mtim, &after.st_mtim, sizeof(before.st_mtim));
}

static void
touches_no_group_without_a_wish(void **state)
{
	(void)state;
	plan_for(NULL, "a", NULL, NULL);
	tree_put(f.tree, group_path(EMULATOR, "tasks"), "not even read\n");
	assert_int_equal(run_apply(), 0);
	assert_int_equal(kernel.writes, 1);
	assert_int_equal(kernel.sets, 1);
	assert_string_equal(tree_get(f.tree, group_path(EMULATOR, "cpuset.cpus")), list_of("ab"));
}

/* The mask stands, but a thread keeps to less (FACTS.md 4). */
static void
brings_threads_along_where_the_mask_stands(void **state)
{
	(void)state;
	plan_for(NULL, "ab", NULL, NULL);
	assert_false(f.steps[VCPU0].write);
	assert_int_equal(run_apply(), 0);
	assert_int_equal(f.result.masks, 0);
	assert_int_equal(f.result.threads, 1);
	assert_int_equal(kernel.writes, 0);
	struct cpumask now = affinity(2);
	assert_true(cpumask_equal(&now, &f.wished[VCPU0]));
}

static void
passes_over_threads_that_have_ended(void **state)
{
	(void)state;
	char tid[16];
	threads_end_one(&f.threads, SPARE);
	snprintf(tid, sizeof(tid), "%d\n", (int)f.threads.tids[SPARE]);
	for (size_t i = 0; i < GROUPS; i++)
		put_tasks(i, tid);
	if (run_apply() != 0)
		fail_msg("%s", f.e.text);
	assert_done();
}

/* A thread ends between the look at its affinity and its setting. */
static void
passes_over_a_thread_that_ends_meanwhile(void **state)
{
	(void)state;
	kernel.fail_set = 2;
	kernel.error = ESRCH;
	if (run_apply() != 0)
		fail_msg("%s", f.e.text);
	assert_done(); /* it did not end, so it is seen once more */
	kernel = (struct kernel){.error = ESRCH};
	for (kernel.fail_get = 1; kernel.fail_get < 20; kernel.fail_get++) {
		unsigned which = kernel.fail_get;
		start_over("ab");
		kernel.error = ESRCH;
		kernel.fail_get = which;
		if (run_apply() != 0)
			fail_msg("%u: %s", which, f.e.text);
	}
}

static void
add_a_thread(void)
{
	char tid[16];
	if (kernel.sets != 2)
		return;
	snprintf(tid, sizeof(tid), "%d\n", (int)f.threads.tids[SPARE]);
	put_tasks(VCPU0, tid);
	put_tasks(IOTHREAD1, tid); /* a look at which is still to come */
}

static void
sees_a_thread_that_turns_up(void **state)
{
	(void)state;
	struct cpumask mask = lettered("b");
	set_affinity(SPARE, &mask);
	plan_for("a", "a", "a", NULL);
	kernel.on_set = add_a_thread;
	assert_int_equal(run_apply(), 0);
	struct cpumask now = affinity(SPARE);
	assert_true(cpumask_equal(&now, &f.wished[VCPU0]));
	assert_int_equal(f.result.threads, 4);
}

/* One that turned up and was set is put back as well when a later step fails. */
static void
puts_back_a_thread_that_turned_up(void **state)
{
	(void)state;
	struct cpumask mask = lettered("b");
	set_affinity(SPARE, &mask);
	plan_for("a", "a", "b", NULL);
	kernel.on_set = add_a_thread;
	kernel.fail_write = 3;
	assert_int_equal(run_apply(), -1);
	struct cpumask now = affinity(SPARE);
	assert_true(cpumask_equal(&now, &mask));
}

static void
fight(void)
{
	struct cpumask mask = lettered("b");
	set_affinity(0, &mask);
}

static void
gives_up_where_something_else_sets_the_threads(void **state)
{
	(void)state;
	char reason[256];
	kernel.on_set = fight;
	assert_int_equal(run_apply(), -1);
	snprintf(reason, sizeof(reason),
		"emulator: its threads do not keep to CPUs %s: something else sets their affinity",
		list_of("a"));
	assert_string_equal(f.e.text, reason);
}

static void
refuses_a_thread_of_another_pid_namespace(void **state)
{
	(void)state;
	const char *before = snapshot();
	put_tasks(VCPU1, "0\n");
	assert_int_equal(run_apply(), -1);
	assert_string_equal(
		f.e.text, "/cg/g/vcpu1: cannot list its threads: Protocol error");
	assert_int_equal(kernel.writes + kernel.sets, 0);
	assert_string_equal(snapshot(), before);
}

static void
remove_vcpu1(void)
{
	if (tree_has(f.tree, "g/vcpu1"))
		tree_remove(f.tree, "g/vcpu1");
}

/* A vCPU is unplugged: before, and once the first mask, or the last one, was written. */
static void
passes_over_a_group_that_goes_away(void **state)
{
	(void)state;
	for (unsigned when = 0; when < 2; when++) {
		start_over("ab");
		if (when == 0)
			remove_vcpu1();
		kernel.on_write = when == 1 ? remove_vcpu1 : NULL;
		if (run_apply() != 0)
			fail_msg("%u: %s", when, f.e.text);
		assert_int_equal(f.result.masks, 2);
		assert_string_equal(
			tree_get(f.tree, group_path(VCPU0, "cpuset.cpus")), list_of("a"));
	}
	start_over("ab");
	plan_for(NULL, NULL, "a", NULL); /* gone before it is verified */
	kernel.on_set = remove_vcpu1;
	if (run_apply() != 0)
		fail_msg("%s", f.e.text);
}

static void
remove_vcpu1_once_written(void)
{
	if (kernel.writes == 3)
		remove_vcpu1();
}

/* It went away with its mask written; what is left to put back is. */
static void
undoes_what_is_left_of_it(void **state)
{
	(void)state;
	plan_for("a", "a", "a", "a");
	kernel.on_write = remove_vcpu1_once_written;
	kernel.fail_write = 4;
	assert_int_equal(run_apply(), -1);
	assert_false(tree_has(f.tree, "g/vcpu1"));
	assert_null(strstr(f.e.text, "could not be put back"));
	assert_string_equal(tree_get(f.tree, group_path(VCPU0, "cpuset.cpus")), list_of("ab"));
}

/* Fails the k-th of what *which counts, for every k, until there is none left; returns how many there were. */
static unsigned
fail_each(unsigned *which, const unsigned *count, bool old, const char *letters)
{
	for (unsigned k = 1;; k++) {
		start_over(letters);
		char before[2048];
		strcpy(before, snapshot());
		kernel.old = old;
		*which = k;
		int r = run_apply();
		if (*count < k) {
			assert_int_equal(r, 0);
			return k - 1;
		}
		if (r != -1 || strstr(f.e.text, "Permission denied") == NULL ||
			strstr(f.e.text, "put back") != NULL)
			fail_msg("%u: %d %s", k, r, f.e.text);
		if (strcmp(snapshot(), before) != 0)
			fail_msg("%u: %s\n--- was\n%s--- is\n%s", k, f.e.text, before, snapshot());
		assert_true(k < 100);
	}
}

static void
undoes_all_when_a_mask_is_refused(void **state)
{
	(void)state;
	assert_int_equal(fail_each(&kernel.fail_write, &kernel.writes, false, "ab"), 3);
	start_over("ab");
	kernel.fail_write = 2;
	kernel.error = ENOSPC;
	assert_int_equal(run_apply(), -1);
	char reason[128];
	snprintf(reason, sizeof(reason),
		"cannot write %s to /cg/g/vcpu0/cpuset.cpus: No space left on device", list_of("a"));
	assert_string_equal(f.e.text, reason);
}

static void
undoes_all_when_an_affinity_is_refused(void **state)
{
	(void)state;
	assert_int_equal(fail_each(&kernel.fail_set, &kernel.sets, false, "ab"), 4);
}

/* Two looks at least at every thread: before, and behind. */
static void
undoes_all_when_an_affinity_cannot_be_read(void **state)
{
	(void)state;
	assert_true(fail_each(&kernel.fail_get, &kernel.gets, false, "ab") >= 2 * THREADS);
}

/* Where a mask replaces affinities, these have to be put back behind the masks. */
static void
undoes_all_on_a_kernel_before_6_2(void **state)
{
	(void)state;
	assert_int_equal(fail_each(&kernel.fail_write, &kernel.writes, true, "ab"), 3);
	assert_true(fail_each(&kernel.fail_set, &kernel.sets, true, "ab") >= 1);
	assert_true(fail_each(&kernel.fail_get, &kernel.gets, true, "ab") >= 2 * THREADS);
}

/* v2: where nothing was written, nothing stands again; all four groups are to be written. */
static void
undoes_all_on_v2(void **state)
{
	(void)state;
	assert_int_equal(fail_each(&kernel.fail_write, &kernel.writes, false, ""), 4);
	start_over("");
	kernel.fail_write = 4;
	assert_int_equal(run_apply(), -1);
	assert_string_equal(tree_get(f.tree, group_path(EMULATOR, "cpuset.cpus")), "\n");
	assert_string_equal(tree_get(f.tree, group_path(VCPU1, "cpuset.cpus")), "\n");
	assert_string_equal(tree_get(f.tree, group_path(IOTHREAD1, "cpuset.cpus")), "");
}

static void
tells_what_could_not_be_put_back(void **state)
{
	(void)state;
	kernel.fail_write = 3; /* and those that would put two masks back */
	kernel.for_good = true;
	assert_int_equal(run_apply(), -1);
	static const char start[] =
		"2 masks or affinities could not be put back after this failure: cannot write ";
	assert_memory_equal(f.e.text, start, sizeof(start) - 1);
	start_over("ab");
	kernel.fail_set = 3; /* two affinities are set by then */
	kernel.for_good = true;
	assert_int_equal(run_apply(), -1);
	assert_memory_equal(f.e.text, start, strlen("2 masks or affinities could not be put back"));
}

/* v2 takes any mask; what it grants shows in another file. */
static void
undoes_all_when_the_kernel_grants_less(void **state)
{
	(void)state;
	char reason[128];
	start_over("");
	plan_for("a", "ab", "b", "ab");
	char before[2048];
	strcpy(before, snapshot());
	kernel.stingy = true;
	assert_int_equal(run_apply(), -1);
	int n = snprintf(reason, sizeof(reason), "/cg/g/vcpu0: asked for CPUs %s, ", list_of("ab"));
	snprintf(reason + n, sizeof(reason) - (size_t)n, "the kernel grants %s", list_of("b"));
	assert_string_equal(f.e.text, reason);
	assert_string_equal(snapshot(), before);
}

static void
remove_effective(void)
{
	if (tree_has(f.tree, "g/vcpu0/cpuset.cpus.effective"))
		tree_remove(f.tree, "g/vcpu0/cpuset.cpus.effective");
}

static void
undoes_all_when_what_is_granted_cannot_be_read(void **state)
{
	(void)state;
	char before[2048];
	strcpy(before, snapshot());
	kernel.on_write = remove_effective;
	assert_int_equal(run_apply(), -1);
	assert_string_equal(f.e.text, "/cg/g: vcpu0/cpuset.cpus.effective: controller cpuset is not "
				      "available here");
	assert_string_equal(snapshot(), before);
}

/* More threads than the first room for them. */
static void
brings_many_threads_along(void **state)
{
	(void)state;
	char text[8192];
	size_t used = 0;
	struct threads more[20];
	struct cpumask mask = lettered("b");
	for (size_t i = 0; i < COUNT(more); i++) {
		threads_start(&more[i], THREADS_MAX);
		for (size_t j = 0; j < THREADS_MAX; j++) {
			pid_t tid = more[i].tids[j];
			__real_sched_setaffinity(tid, sizeof(mask), (const cpu_set_t *)&mask);
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%d\n", (int)tid);
		}
	}
	tree_put(f.tree, group_path(EMULATOR, "tasks"), text);
	kernel.fail_write = 3;
	assert_int_equal(run_apply(), -1);
	bool back = true;
	for (size_t i = 0; i < COUNT(more); i++) {
		for (size_t j = 0; j < THREADS_MAX; j++) {
			struct cpumask now = {0};
			__real_sched_getaffinity(
				more[i].tids[j], sizeof(now), (cpu_set_t *)&now);
			back = back && cpumask_equal(&now, &mask);
		}
		threads_stop(&more[i]);
	}
	assert_true(back);
	assert_true(kernel.sets >= 2 * COUNT(more) * THREADS_MAX);
}

#define apply_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define apply_v2_test(name) cmocka_unit_test_setup_teardown(name, setup_v2, teardown)

int
main(void)
{
	alarm(300);
	const struct CMUnitTest tests[] = {
		apply_test(sets_masks_and_affinities),
		apply_v2_test(sets_masks_and_affinities),
		apply_test(writes_nothing_where_all_is_as_wished),
		apply_test(touches_no_group_without_a_wish),
		apply_test(brings_threads_along_where_the_mask_stands),
		apply_test(passes_over_threads_that_have_ended),
		apply_test(passes_over_a_thread_that_ends_meanwhile),
		apply_test(sees_a_thread_that_turns_up),
		apply_test(puts_back_a_thread_that_turned_up),
		apply_test(gives_up_where_something_else_sets_the_threads),
		apply_test(refuses_a_thread_of_another_pid_namespace),
		apply_test(passes_over_a_group_that_goes_away),
		apply_test(undoes_what_is_left_of_it),
		apply_test(undoes_all_when_a_mask_is_refused),
		apply_test(undoes_all_when_an_affinity_is_refused),
		apply_test(undoes_all_when_an_affinity_cannot_be_read),
		apply_test(undoes_all_on_a_kernel_before_6_2),
		apply_v2_test(undoes_all_on_v2),
		apply_test(tells_what_could_not_be_put_back),
		apply_v2_test(undoes_all_when_the_kernel_grants_less),
		apply_v2_test(undoes_all_when_what_is_granted_cannot_be_read),
		apply_test(brings_many_threads_along),
	};
	return cmocka_run_group_tests_name("apply", tests, NULL, NULL);
}
