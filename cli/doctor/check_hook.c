/* SPDX-License-Identifier: MIT */
/* The hook: the guard in libvirt's hooks directory, the worker that it runs, and other hooks. */
#include "cli/doctor/checks.h"
#include "cli/doctor/hook_script.h"
#include "cli/subprocess.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define HOOK "/etc/libvirt/hooks/qemu"
#define HOOK_DIRECTORY HOOK ".d"
#define HOOK_BESIDE HOOK_DIRECTORY "/50-vmaffinity"

/* The guard takes some 50 KiB, ten times as much with sanitizers. */
#define GUARD_MAX ((size_t)16 * 1024 * 1024)

/* The guard contains this, then its version, a space, its worker's path and a NUL: hook/guard.c. */
static const char marker[] = "vmaffinity-guard ";

#define WORKER_LIMIT_MS 10000

struct hook {
	bool there; /* a regular file */
	bool runs;  /* executable, so libvirt runs it */
	bool ours;
	bool runs_qemu_d;	    /* a script that runs what libvirt also runs */
	char fault[HOOK_FAULT_MAX]; /* why it cannot be run; "" if nothing is known against it */
	struct stat st;
	char version[32];
	char worker[PATH_MAX];
};

/* True for the names under which editors, package managers and people leave copies of a file. */
static bool
is_leftover(const char *name)
{
	static const char *const patterns[] = {"*~", "#*#", ".*", "*.bak", "*.dpkg-*", "*.new",
		"*.old", "*.orig", "*.rej", "*.rpmnew", "*.rpmorig", "*.rpmsave", "*.save", "*.sw?",
		"*.tmp", "*.ucf-*", "*.disabled", "*.off"};
	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++)
		if (fnmatch(patterns[i], name, 0) == 0)
			return true;
	return false;
}

/* Reads version and worker from a guard. True if it is one; a script that contains the marker is
 * not. */
static bool
read_marker(const char *data, size_t length, struct hook *hook)
{
	if (length < 4 || memcmp(data, "\177ELF", 4) != 0)
		return false;
	const char *found = memmem(data, length, marker, sizeof(marker) - 1);
	if (found == NULL)
		return false;
	found += sizeof(marker) - 1;
	const char *end = memchr(found, '\0', (size_t)(data + length - found));
	const char *space = end != NULL ? memchr(found, ' ', (size_t)(end - found)) : NULL;
	if (space == NULL || (size_t)(space - found) >= sizeof(hook->version) ||
		(size_t)(end - space) > sizeof(hook->worker) || space[1] != '/')
		return true; /* ours, of a version without them */
	memcpy(hook->version, found, (size_t)(space - found));
	memcpy(hook->worker, space + 1, (size_t)(end - space));
	return true;
}

/* Reads what the content of a hook says: that it is ours, or what is wrong with another one. */
static void
read_content(const struct doctor *doctor, const char *data, size_t length, struct hook *hook)
{
	hook->ours = read_marker(data, length, hook);
	if (hook->ours)
		return;
	bool is_tree = doctor->options->sysroot != NULL;
	if (!hook_find_fault(doctor->root, is_tree, data, length, hook->fault))
		hook->fault[0] = '\0';
	hook->runs_qemu_d = hook_runs_qemu_d(data, length);
}

/*
 * Reads a hook. libvirt runs a regular file with any of the three x bits, following links
 * (virFileIsExecutable()). Returns 0, or -1 with errno set; a missing file is no error.
 */
static int
read_hook(const struct doctor *doctor, int directory, const char *path, struct hook *hook)
{
	AUTO_FREE char *data = NULL;
	size_t length;
	*hook = (struct hook){0};
	if (fstatat(directory, path, &hook->st, 0) != 0)
		return errno == ENOENT ? 0 : -1;
	if (!S_ISREG(hook->st.st_mode))
		return 0;
	hook->there = true;
	hook->runs = (hook->st.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) != 0;
	AUTO_CLOSE int fd = openat(directory, path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	if (file_read_all(fd, GUARD_MAX, &data, &length) == 0)
		read_content(doctor, data, length, hook);
	else if (errno != EFBIG)
		return -1;
	return 0;
}

/* Notes a hook's age. libvirt remembers only that there is a hook, so the oldest one counts. */
static void
report_age(struct doctor *doctor, const struct hook *hook)
{
	const struct timespec *t = &hook->st.st_ctim, *since = &doctor->hooked_since;
	if (!doctor->hooked || t->tv_sec < since->tv_sec ||
		(t->tv_sec == since->tv_sec && t->tv_nsec < since->tv_nsec))
		doctor->hooked_since = *t;
	doctor->hooked = true;
}

/* Checks that only root can change what libvirt runs as root. Returns true if so. */
static bool
check_owner(struct doctor *doctor, const char *path, const struct stat *st)
{
	if (st->st_uid == 0 && (st->st_mode & (S_IWGRP | S_IWOTH)) == 0)
		return true;
	doctor_say(doctor, DOCTOR_FAIL,
		"%s can be changed by others than root (owner %u, mode %04o)", path, st->st_uid,
		st->st_mode & 07777u);
	doctor_advise(doctor, "chown root:root %s; chmod 755 %s", path, path);
	return false;
}

/* Checks the guard that libvirt runs. */
static void
check_ours(struct doctor *doctor, const char *path, const struct hook *hook)
{
	if (!check_owner(doctor, path, &hook->st))
		return;
	if (hook->worker[0] == '\0' || strcmp(hook->version, VERSION) != 0) {
		doctor_say(doctor, DOCTOR_WARN, "%s is from vmaffinity %s, and this is " VERSION,
			path, hook->version[0] != '\0' ? hook->version : "(unknown)");
		doctor_advise(doctor, "reinstall vmaffinity: sudo ./install.sh");
	} else {
		doctor_say(doctor, DOCTOR_PASS, "%s is in place and executable", path);
	}
	snprintf(doctor->worker, sizeof(doctor->worker), "%s", hook->worker);
}

/* Reports another executable that libvirt runs as a hook. */
static void
check_other(struct doctor *doctor, const char *path, const char *name, const struct hook *hook)
{
	if (hook->ours) {
		doctor_say(doctor, DOCTOR_WARN,
			"%s is vmaffinity's hook a second time: libvirt runs both", path);
		doctor_advise(doctor, "rm '%s'", path);
	} else if (hook->fault[0] != '\0') {
		doctor_say(doctor, DOCTOR_FAIL,
			"%s cannot be run: it %s. libvirt refuses every start and, at its next "
			"restart, kills every running guest",
			path, hook->fault);
		doctor_advise(doctor, "remove it, or install it again from where it came");
	} else if (is_leftover(name)) {
		doctor_say(doctor, DOCTOR_WARN,
			"%s looks like a leftover, and libvirt runs it as a hook: it runs every "
			"executable file there",
			path);
		doctor_advise(doctor, "rm '%s', or move it out of " HOOK_DIRECTORY, path);
	} else if (hook->runs_qemu_d) {
		doctor_say(doctor, DOCTOR_WARN,
			"%s runs the hooks in " HOOK_DIRECTORY ", which libvirt 6.5 and later also "
			"runs: each runs twice, and perhaps once without the guest's XML",
			path);
		doctor_advise(doctor, "remove that loop from %s", path);
	} else {
		doctor_say(doctor, DOCTOR_NOTE,
			"%s, of another program, runs as well; if it fails, libvirt kills the "
			"guest",
			path);
	}
}

/* True for all but "." and "..", as in libvirt's virDirRead(). */
static int
is_entry(const struct dirent *entry)
{
	return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

struct hook_search {
	bool found;	     /* a guard that libvirt runs */
	char idle[PATH_MAX]; /* a guard that is not executable; "" if there is none */
};

/* Checks a file that may be a hook. */
static void
check_hook_file(struct doctor *doctor, struct hook_search *search, int directory, const char *name,
	const char *path)
{
	struct hook hook;
	if (read_hook(doctor, directory, name, &hook) != 0) {
		doctor_say(doctor, DOCTOR_WARN, "%s: %s", path, strerror(errno));
		doctor_advise(doctor, "run doctor as root");
		return;
	}
	if (hook.ours && !hook.runs)
		snprintf(search->idle, sizeof(search->idle), "%s", path);
	if (!hook.runs)
		return;
	report_age(doctor, &hook);
	if (hook.ours && !search->found)
		check_ours(doctor, path, &hook);
	else
		check_other(doctor, path, strrchr(path, '/') + 1, &hook);
	search->found |= hook.ours;
}

/* Checks the hooks in qemu.d. */
static void
check_hook_directory(struct doctor *doctor, struct hook_search *search)
{
	AUTO_CLOSE int directory =
		openat(doctor->root, &HOOK_DIRECTORY[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent **entries;
	int count = directory >= 0
			    ? scandirat(directory, ".", &entries, is_entry, file_compare_names)
			    : -1;
	if (count < 0 && errno != ENOENT && errno != ENOTDIR) {
		doctor_say(doctor, DOCTOR_WARN, HOOK_DIRECTORY ": %s", strerror(errno));
		doctor_advise(doctor, "run doctor as root");
	}
	for (int i = 0; i < count; i++) {
		char path[sizeof(HOOK_DIRECTORY) + 1 + sizeof(entries[i]->d_name)];
		snprintf(path, sizeof(path), "%s/%s", HOOK_DIRECTORY, entries[i]->d_name);
		check_hook_file(doctor, search, directory, entries[i]->d_name, path);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
}

void
check_hook(struct doctor *doctor)
{
	struct hook_search search = {0};
	struct stat st;
	check_hook_file(doctor, &search, doctor->root, &HOOK[1], HOOK);
	bool taken = fstatat(doctor->root, &HOOK[1], &st, AT_SYMLINK_NOFOLLOW) == 0;
	check_hook_directory(doctor, &search);
	if (search.found)
		return;
	if (search.idle[0] != '\0') {
		doctor_say(doctor, DOCTOR_FAIL, "%s is not executable, so libvirt does not run it",
			search.idle);
		doctor_advise(doctor, "chmod 755 %s", search.idle);
	} else if (taken) {
		doctor_say(doctor, DOCTOR_FAIL,
			HOOK " belongs to another program, and vmaffinity's hook is not installed");
		doctor_advise(doctor,
			"reinstall vmaffinity: it leaves that hook alone and goes to " HOOK_BESIDE);
	} else {
		doctor_say(
			doctor, DOCTOR_FAIL, "there is no hook: neither " HOOK " nor " HOOK_BESIDE);
		doctor_advise(doctor, "install vmaffinity: sudo ./install.sh");
	}
}

/* Runs the worker with --version. A missing library is then the loader's message in its output. */
static void
run_worker(struct doctor *doctor)
{
	struct program_result result;
	struct err e;
	const char *const arguments[] = {doctor->worker, "--version", NULL};
	if (program_run(arguments, WORKER_LIMIT_MS, &result, &e) != 0) {
		doctor_say(doctor, DOCTOR_FAIL, "the hook cannot run its worker: %s", e.text);
		doctor_advise(doctor, "reinstall vmaffinity: sudo ./install.sh");
	} else if (!WIFEXITED(result.status) || WEXITSTATUS(result.status) != 0) {
		bool killed = WIFSIGNALED(result.status);
		doctor_say(doctor, DOCTOR_FAIL, "%s does not run (%s %d): %s", doctor->worker,
			killed ? "ended by signal" : "exit status",
			killed ? WTERMSIG(result.status) : WEXITSTATUS(result.status),
			result.output[0] != '\0' ? result.output : "no message");
		doctor_advise(doctor, "if a library is named, install it, or build vmaffinity "
				      "anew with the one that is there: sudo ./install.sh");
	} else if (strcmp(result.output, "vmaffinity-hook " VERSION) != 0) {
		doctor_say(doctor, DOCTOR_WARN, "%s reports version '%s', and this is " VERSION,
			doctor->worker, result.output);
		doctor_advise(doctor, "reinstall vmaffinity: sudo ./install.sh");
	} else {
		doctor_say(doctor, DOCTOR_PASS, "%s runs and finds its libraries", doctor->worker);
	}
}

void
check_worker(struct doctor *doctor)
{
	struct stat st;
	const char *path = doctor->worker;
	if (path[0] == '\0')
		return;
	if (fstatat(doctor->root, path + 1, &st, 0) != 0) {
		doctor_say(doctor, DOCTOR_FAIL, "the hook runs %s, which is not there: %s", path,
			strerror(errno));
		doctor_advise(doctor, "reinstall vmaffinity: sudo ./install.sh");
	} else if (!S_ISREG(st.st_mode) || (st.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) == 0) {
		doctor_say(doctor, DOCTOR_FAIL, "%s is not an executable file", path);
		doctor_advise(doctor, "reinstall vmaffinity: sudo ./install.sh");
	} else if (check_owner(doctor, path, &st)) {
		/* A tree of files describes another host; nothing in it is run. */
		if (doctor->options->sysroot == NULL)
			run_worker(doctor);
		else
			doctor_say(doctor, DOCTOR_PASS, "%s is in place and executable", path);
	}
}
