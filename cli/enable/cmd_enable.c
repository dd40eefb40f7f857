/* SPDX-License-Identifier: MIT */
/* vmaffinity enable: puts the hook into libvirt's directory, and makes running daemons look for it.
 */
#include "cli/command.h"
#include "cli/enable/place.h"
#include "cli/enable/reload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void
print_result(const struct places *places, enum place_result result)
{
	if (places->qemu == PLACE_FOREIGN)
		print_line(HOOK " belongs to another program and is left alone");
	print_line("%s: %s", places->chosen,
		result == PLACE_PUT	   ? "put in place"
		: result == PLACE_REPLACED ? "replaced"
					   : "was in place");
	if (strcmp(places->chosen, HOOK) == 0 && places->beside == PLACE_OURS)
		print_line(HOOK_BESIDE ": removed; libvirt would have run both");
}

/* Makes one daemon look for the hook, unless it has. Returns false if it may not have. */
static bool
tell_daemon(
	const struct daemon_host *host, const struct daemon_process *daemon, struct timespec since)
{
	struct err e;
	time_t start;
	enum daemon_knowledge known = daemon_knows_hook(host, daemon, since, &start);
	const char *how = NULL;
	if (known == DAEMON_STARTED_LATER) {
		how = "was started after that";
	} else if (known == DAEMON_RELOADED_LATER) {
		how = "was reloaded after that";
	} else {
		enum reload_result result = reload_daemon(host, daemon, &e);
		if (result == RELOAD_SEEN)
			how = "reloaded";
		else if (result == RELOAD_UNKNOWN &&
			 daemon_knows_hook(host, daemon, since, &start) == DAEMON_RELOADED_LATER)
			how = "reloaded, as systemd reports";
		else if (result == RELOAD_UNKNOWN)
			err_set(&e,
				"it was sent SIGHUP, and this kernel does not show if it reacts");
	}
	if (how != NULL)
		print_line("%s (%d): %s; it looks for hooks", daemon->name, (int)daemon->pid, how);
	else
		print_line("%s (%d): not reloaded: %s", daemon->name, (int)daemon->pid, e.text);
	return how != NULL;
}

/* The last line, in capitals, since nothing works until somebody has read it. */
static void
print_remainder(const struct daemon_host *host, const struct daemon_process *daemon)
{
	char how[64];
	if (daemon_is_unit(host, daemon))
		snprintf(how, sizeof(how), "systemctl restart %s", daemon->name);
	else
		snprintf(how, sizeof(how), "its pid is %d", (int)daemon->pid);
	print_line("NOT DONE YET: RESTART %s (%s). UNTIL THEN IT MAY NOT RUN THE HOOK. GUESTS RUN "
		   "ON MEANWHILE",
		daemon->name, how);
}

/* Makes all running daemons look for the hook. Returns EXIT_FINDINGS if one may not have. */
static enum exit_status
tell_daemons(const struct daemon_host *host, struct timespec since)
{
	struct daemon_process *daemons = NULL;
	size_t count = 0, left = 0;
	if (daemon_list(host, &daemons, &count) != 0) {
		print_line("NOT DONE YET: RESTART libvirtd OR virtqemud IF ONE RUNS: /proc CANNOT "
			   "BE READ");
		return EXIT_FINDINGS;
	}
	for (size_t i = 0; i < count; i++)
		if (!tell_daemon(host, &daemons[i], since))
			daemons[left++] = daemons[i];
	if (count == 0)
		print_line(
			place_has_daemon(host->root)
				? "no libvirt daemon is running; it finds the hook when it starts"
				: "no libvirt daemon is installed here; it finds the hook when it "
				  "starts");
	for (size_t i = 0; i < left; i++)
		print_remainder(host, &daemons[i]);
	free(daemons);
	return left > 0 ? EXIT_FINDINGS : EXIT_OK;
}

static enum exit_status
run_enable(const struct options *options)
{
	struct places places;
	struct timespec since;
	struct err e;
	const struct daemon_host host = {options->root, options->sysroot != NULL};
	if (options->dry_run) {
		if (place_choose(options->root, &places, &e) != 0) {
			complain("enable: %s", e.text);
			return EXIT_CANNOT;
		}
		print_line("%s: the hook would be put there", places.chosen);
		return EXIT_OK;
	}
	if (!host.is_tree && geteuid() != 0) {
		complain("enable needs root");
		return EXIT_CANNOT;
	}
	umask(022); /* libvirt's daemons and doctor read the directories that may be made */
	enum place_result result = place_put(options->root, &places, &since, &e);
	if (result == PLACE_FAILED) {
		complain("enable: %s. Nothing was changed", e.text);
		return EXIT_CANNOT;
	}
	print_result(&places, result);
	return host.is_tree ? EXIT_OK : tell_daemons(&host, since);
}

const struct command command_enable = {
	.name = "enable",
	.run = run_enable,
	.options = OPTION_DRY_RUN | OPTION_SYSROOT | OPTION_QUIET,
	.summary = "put the hook in place; running daemons look for it",
	.help = "Usage: vmaffinity enable [OPTION...]\n"
		"\n"
		"Puts the hook into " HOOKS ", and makes running libvirt\n"
		"daemons look for it. They are reloaded, never restarted; guests run on. If\n"
		"another program has hooks/qemu, that file is left alone and the hook goes to\n"
		"hooks/qemu.d/50-vmaffinity (libvirt 6.5 or later). An older hook of vmaffinity's\n"
		"is replaced.\n"
		"\n"
		"      --dry-run      say where the hook would go, and change nothing\n"
		"      --sysroot DIR  put it below DIR; no daemon is reloaded\n"
		"  -q, --quiet        print nothing to standard output\n"
		"  -h, --help         this text\n"
		"\n"
		"If a running daemon may not look for the hook, the last line says what to do.\n"
		"Exit status: 0; 1 in that case, 3 if the hook could not be put in place.\n",
};
