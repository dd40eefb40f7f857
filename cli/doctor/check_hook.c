/* SPDX-License-Identifier: MIT */
/* The hook: the guard in libvirt's hooks directory, the worker that it runs, and other hooks. */
#include "cli/doctor/checks.h"
#include "cli/doctor/hook_script.h"
#include "cli/hook_files.h"
#include "cli/subprocess.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "guest/xml_module.h"

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

#define WORKER_LIMIT_MS 10000

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

/* Notes a hook's age. libvirt remembers only that there is a hook, so the oldest one counts. */
static void
report_age(struct doctor *doctor, const struct hook_file *hook)
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
check_ours(struct doctor *doctor, const char *path, const struct hook_file *hook)
{
	if (!check_owner(doctor, path, &hook->st))
		return;
	if (hook->worker[0] == '\0' || strcmp(hook->version, VERSION) != 0) {
		doctor_say(doctor, DOCTOR_WARN, "%s is from vmaffinity %s, and this is " VERSION,
			path, hook->version[0] != '\0' ? hook->version : "(unknown)");
		doctor_advise(doctor, "vmaffinity enable replaces it");
	} else {
		doctor_say(doctor, DOCTOR_PASS, "%s is in place and executable", path);
	}
	snprintf(doctor->worker, sizeof(doctor->worker), "%s", hook->worker);
}

/* Reports another executable that libvirt runs as a hook. */
static void
check_other(struct doctor *doctor, const char *path, const char *name, const struct hook_file *hook)
{
	char fault[HOOK_FAULT_MAX];
	bool is_tree = doctor->options->sysroot != NULL;
	if (hook->ours) {
		doctor_say(doctor, DOCTOR_WARN,
			"%s is vmaffinity's hook a second time: libvirt runs both", path);
		doctor_advise(doctor, "rm '%s'", path);
	} else if (hook->data != NULL &&
		   hook_find_fault(doctor->root, is_tree, hook->data, hook->length, fault)) {
		doctor_say(doctor, DOCTOR_FAIL,
			"%s cannot be run: it %s. libvirt refuses every start and, at its next "
			"restart, kills every running guest",
			path, fault);
		doctor_advise(doctor, "remove it, or install it again from where it came");
	} else if (is_leftover(name)) {
		doctor_say(doctor, DOCTOR_WARN,
			"%s looks like a leftover, and libvirt runs it as a hook: it runs every "
			"executable file there",
			path);
		doctor_advise(doctor, "rm '%s', or move it out of " HOOK_DIRECTORY, path);
	} else if (hook->data != NULL && hook_runs_qemu_d(hook->data, hook->length)) {
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

struct hook_search {
	bool found;	     /* a guard that libvirt runs */
	char idle[PATH_MAX]; /* a guard that is not executable; "" if there is none */
};

/* Checks a file that may be a hook. */
static void
check_hook_file(struct doctor *doctor, struct hook_search *search, int directory, const char *name,
	const char *path)
{
	struct hook_file hook;
	if (hook_file_read(directory, name, &hook) != 0) {
		doctor_say(doctor, DOCTOR_WARN, "%s: %s", path, strerror(errno));
		doctor_advise(doctor, "run doctor as root");
	} else if (hook.runs) {
		report_age(doctor, &hook);
		if (hook.ours && !search->found)
			check_ours(doctor, path, &hook);
		else
			check_other(doctor, path, strrchr(path, '/') + 1, &hook);
		search->found |= hook.ours;
	} else if (hook.ours) {
		snprintf(search->idle, sizeof(search->idle), "%s", path);
	}
	hook_file_free(&hook);
}

/* Checks the hooks in qemu.d. */
static void
check_hook_directory(struct doctor *doctor, struct hook_search *search)
{
	AUTO_CLOSE int directory =
		openat(doctor->root, &HOOK_DIRECTORY[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent **entries;
	int count = directory >= 0 ? hook_files_list(directory, &entries) : -1;
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
			"vmaffinity enable leaves that hook alone and goes to " HOOK_BESIDE);
	} else {
		doctor_say(
			doctor, DOCTOR_FAIL, "there is no hook: neither " HOOK " nor " HOOK_BESIDE);
		doctor_advise(doctor, "vmaffinity enable puts it in place");
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
	} else if (xml_module_load(&e) != 0) {
		doctor_say(doctor, DOCTOR_FAIL, "%s; rules that need a guest's XML are left out",
			e.text);
		doctor_advise(doctor, "install libxml2 if it is missing, else reinstall "
				      "vmaffinity: sudo ./install.sh");
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
