/* SPDX-License-Identifier: MIT */
#include "cli/command.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "guest/domain.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Options, each a bit for the table of commands. */
enum {
	WORD = 1, /* no option: getopt_long(3) about a '-' in front of its short options */
	OPTION_SYSROOT = 2,
	OPTION_CONNECT = 4,
	OPTION_XML = 8,
	OPTION_JSON = 16,
	OPTION_HELP = 32,
	OPTION_VERSION = 64,
	OPTION_ALL = 128,
	OPTION_CONFIG = 256,
	OPTION_AGAINST = 512,
	OPTION_SVG = 1024,
};

static const struct option long_options[] = {
	{"config", required_argument, NULL, OPTION_CONFIG},
	{"sysroot", required_argument, NULL, OPTION_SYSROOT},
	{"connect", required_argument, NULL, OPTION_CONNECT},
	{"xml", required_argument, NULL, OPTION_XML},
	{"against", required_argument, NULL, OPTION_AGAINST},
	{"svg", required_argument, NULL, OPTION_SVG},
	{"json", no_argument, NULL, OPTION_JSON},
	{"all", no_argument, NULL, OPTION_ALL},
	{"help", no_argument, NULL, OPTION_HELP},
	{"version", no_argument, NULL, OPTION_VERSION},
	{NULL, 0, NULL, 0},
};

struct command {
	const char *name;
	enum exit_status (*run)(const struct options *);
	int options;
	size_t words_max;
	const char *help;
};

static const struct command commands[] = {
	{"plan", command_plan,
		OPTION_CONFIG | OPTION_SYSROOT | OPTION_CONNECT | OPTION_XML | OPTION_JSON, 1,
		"Usage: vmaffinity plan [OPTION...] [GUEST]\n"
		"       vmaffinity plan [OPTION...] --xml FILE\n"
		"       vmaffinity plan [OPTION...] < FILE\n"
		"\n"
		"Shows what the hook would write, and the rule that says so; writes nothing.\n"
		"GUEST: a guest that libvirt runs; without it, all of them.\n"
		"\n"
		"      --xml FILE     a guest's XML, from 'virsh dumpxml'; may be repeated; '-' is "
		"stdin\n"
		"      --config FILE  read the rules from FILE, not /etc/vmaffinity.ini and "
		"/etc/vmaffinity.d\n"
		"      --sysroot DIR  read /etc, /proc, /run and /sys below DIR\n"
		"      --connect URI  the libvirt daemon (qemu:///system)\n"
		"      --json         one JSON object for each guest\n"
		"      --help         this text\n"
		"\n"
		"Exit status: 0, or 2 if it could not be shown or could not be applied.\n"},
	{"check", command_check,
		OPTION_CONFIG | OPTION_SYSROOT | OPTION_CONNECT | OPTION_XML | OPTION_AGAINST |
			OPTION_JSON,
		(size_t)-1,
		"Usage: vmaffinity check [OPTION...] [FILE...]\n"
		"       vmaffinity check [OPTION...] [FILE...] --against HOSTFILE...\n"
		"\n"
		"Shows every error in the rules, and what is allowed but is not what it seems.\n"
		"FILE: rules to look at; without it, /etc/vmaffinity.ini and /etc/vmaffinity.d.\n"
		"\n"
		"      --xml FILE     look at the rules for this guest too; may be repeated; "
		"without it, for the\n"
		"                     guests that libvirt knows, if no FILE is given and a daemon "
		"answers\n"
		"      --against HOSTFILE  not this host, but the one that 'vmaffinity capture' "
		"wrote "
		"to\n"
		"                     HOSTFILE; and those in the words behind it\n"
		"      --config FILE  the same as FILE\n"
		"      --sysroot DIR  read /etc, /proc, /run and /sys below DIR\n"
		"      --connect URI  the libvirt daemon (qemu:///system)\n"
		"      --json         one JSON object\n"
		"      --help         this text\n"
		"\n"
		"Exit status: 0 if there is nothing to say, 1 if there is, 2 if it could not "
		"look.\n"},
	{"apply", command_apply, OPTION_ALL | OPTION_CONFIG | OPTION_CONNECT, (size_t)-1,
		"Usage: vmaffinity apply [OPTION...] [GUEST...]\n"
		"\n"
		"Does to running guests what the hook does when they start: after an edit of the "
		"rules, say.\n"
		"GUEST: guests that run; without it, all of them.\n"
		"\n"
		"      --all          all that run: the default\n"
		"      --config FILE  read the rules from FILE, not /etc/vmaffinity.ini and "
		"/etc/vmaffinity.d\n"
		"      --connect URI  the libvirt daemon (qemu:///system)\n"
		"      --help         this text\n"
		"\n"
		"Exit status: 0, 1 if it failed for a guest, 2 if for none of them could it be "
		"tried.\n"},
	{"status", command_status, OPTION_CONFIG | OPTION_SYSROOT | OPTION_CONNECT | OPTION_JSON,
		(size_t)-1,
		"Usage: vmaffinity status [OPTION...] [GUEST...]\n"
		"\n"
		"Shows what the rules say of running guests next to what the kernel says of their "
		"threads;\n"
		"marks with '!' where the two differ. Writes nothing.\n"
		"GUEST: guests that run; without it, all of them.\n"
		"\n"
		"      --config FILE  read the rules from FILE, not /etc/vmaffinity.ini and "
		"/etc/vmaffinity.d\n"
		"      --sysroot DIR  read /etc, /proc, /run and /sys below DIR\n"
		"      --connect URI  the libvirt daemon (qemu:///system)\n"
		"      --json         one JSON object for each guest\n"
		"      --help         this text\n"
		"\n"
		"Exit status: 0 if all is as ruled, 1 if something is not, 2 if it could not "
		"look.\n"},
	{"map", command_map, OPTION_SYSROOT | OPTION_JSON | OPTION_SVG, 0,
		"Usage: vmaffinity map [OPTION...]\n"
		"\n"
		"Shows the host, core by core, and which guests' threads may run on each CPU. "
		"Writes nothing\n"
		"but FILE.\n"
		"\n"
		"      --sysroot DIR  read /proc, /run and /sys below DIR\n"
		"      --svg FILE     have lstopo draw it, and write that to FILE\n"
		"      --json         one JSON object\n"
		"      --help         this text\n"
		"\n"
		"'!': more vCPUs than CPUs. 'idle': no guest may run there; 'free': only those "
		"that may run\n"
		"on every CPU. '1:1' and the rest: see vmaffinity(8).\n"
		"Exit status: 0, or 2 if it could not be shown, or not all guests.\n"},
	{"doctor", command_doctor, OPTION_SYSROOT | OPTION_JSON, 0,
		"Usage: vmaffinity doctor [OPTION...]\n"
		"\n"
		"Looks whether this host is set up so that guests are pinned, and says what to do "
		"where it is\n"
		"not. Changes nothing.\n"
		"\n"
		"      --sysroot DIR  read /etc, /proc, /run, /sys and /usr below DIR; run "
		"nothing\n"
		"      --json         one JSON object\n"
		"      --help         this text\n"
		"\n"
		"Exit status: 0 if all is well, 1 if there is a WARN or a FAIL, 2 if it could not "
		"look.\n"},
	{"watch", command_watch, OPTION_CONFIG | OPTION_CONNECT, 0,
		"Usage: vmaffinity watch [OPTION...]\n"
		"\n"
		"Goes on until it is ended, and keeps running guests as the rules say: pins what "
		"is plugged\n"
		"in, guests whose hook did not run, and what an edit of the rules changes. What "
		"others change\n"
		"is told, and left unless [global] has enforce = yes. vmaffinity-watch.service "
		"runs "
		"it.\n"
		"\n"
		"      --config FILE  read the rules from FILE, not /etc/vmaffinity.ini and "
		"/etc/vmaffinity.d\n"
		"      --connect URI  the libvirt daemon (qemu:///system)\n"
		"      --help         this text\n"
		"\n"
		"Signals: HUP reads the rules again, TERM and INT end it.\n"
		"Exit status: 0 when it was ended, 2 if it could not go on.\n"},
	{"capture", command_capture, OPTION_SYSROOT, (size_t)-1,
		"Usage: vmaffinity capture [OPTION...] [GUEST...]\n"
		"\n"
		"Shows this host's topology, and the cgroups of each GUEST that runs, as one "
		"text:\n"
		"for a bug report, or to look at rules as if they were on that host.\n"
		"\n"
		"      --sysroot DIR  read /proc, /run and /sys below DIR\n"
		"      --help         this text\n"
		"\n"
		"Exit status: 0, or 2 if something is there and could not be taken.\n"},
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static const char general_help[] =
	"Usage: vmaffinity COMMAND [OPTION...] [WORD...]\n"
	"\n"
	"Says which host CPUs libvirt's guests may use, by the rules in /etc/vmaffinity.ini.\n"
	"The hook applies them by itself when a guest starts; this is for the rest.\n"
	"\n"
	"  plan [GUEST]        what would be written where, and which rule says so\n"
	"  check [FILE...]     the errors and traps in the rules\n"
	"  apply [GUEST...]    does it to guests that run: after an edit of the rules\n"
	"  status [GUEST...]   are guests that run as ruled, thread by thread\n"
	"  map                 the host, core by core, and which guests are on each CPU\n"
	"  doctor              is the hook in place, does it work, is the host as the rules need "
	"it\n"
	"  watch               goes on and keeps running guests as ruled: hotplug, edits\n"
	"  capture [GUEST...]  this host's topology and a guest's cgroups as one text\n"
	"  help [COMMAND]      this text, or a command's\n"
	"\n"
	"      --help       this text\n"
	"      --version    the version\n"
	"\n"
	"The rules: vmaffinity.ini(5). The rest: vmaffinity(8).\n";

enum exit_status
misuse(void)
{
	fputs("Try 'vmaffinity --help'\n", stderr);
	return EXIT_CANNOT;
}

int
read_xml(const char *path, struct guest_xml *xml)
{
	bool from_stdin = strcmp(path, "-") == 0;
	*xml = (struct guest_xml){.source = from_stdin ? "stdin" : path};
	AUTO_CLOSE int fd = from_stdin ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && file_read_all(fd, DOMAIN_XML_MAX, &xml->text, &xml->length) == 0)
		return 0;
	if (errno == EFBIG)
		complain("%s: the XML is larger than %zu MiB", xml->source,
			DOMAIN_XML_MAX / 1024 / 1024);
	else
		complain("%s: %s", xml->source, strerror(errno));
	return -1;
}

static const struct command *
find_command(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

static enum exit_status
help(const struct options *options)
{
	const struct command *command =
		options->word_count > 0 ? find_command(options->words[0]) : NULL;
	if (options->word_count > 0 && command == NULL) {
		complain("unknown command '%s'", options->words[0]);
		return misuse();
	}
	if (options->word_count > 1) {
		complain("'help' takes no more than 1 word, and there is '%s'", options->words[1]);
		return misuse();
	}
	fputs(command != NULL ? command->help : general_help, stdout);
	return EXIT_OK;
}

static enum exit_status
run(const struct command *command, struct options *options, int given)
{
	int foreign = given & ~command->options;
	for (const struct option *o = long_options; foreign != 0 && o->name != NULL; o++)
		if ((o->val & foreign) != 0) {
			complain("'%s' has no option '--%s'", command->name, o->name);
			return misuse();
		}
	if (command->words_max == 0 && options->word_count > 0) {
		complain(
			"'%s' takes no words, and there is '%s'", command->name, options->words[0]);
		return misuse();
	}
	if (options->word_count > command->words_max) {
		complain("'%s' takes no more than %zu word, and there is '%s'", command->name,
			command->words_max, options->words[command->words_max]);
		return misuse();
	}
	const char *root = options->sysroot != NULL ? options->sysroot : "/";
	options->root = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (options->root < 0) {
		complain("%s: %s", root, strerror(errno));
		return EXIT_CANNOT;
	}
	enum exit_status status = command->run(options);
	close(options->root);
	return status;
}

/* Returns the options that were given, as bits, or -1 after getopt_long() has complained. */
static int
parse_options(int argc, char *argv[], struct options *options)
{
	int given = 0, option, last = 0;
	for (; (option = getopt_long(argc, argv, "-", long_options, NULL)) != -1; last = option) {
		if (option == '?')
			return -1;
		if (option == WORD && last == OPTION_AGAINST)
			option = OPTION_AGAINST; /* "--against *.txt" */
		given |= option;
		if (option == WORD)
			options->words[options->word_count++] = optarg;
		else if (option == OPTION_AGAINST)
			options->against[options->against_count++] = optarg;
		else if (option == OPTION_CONFIG)
			options->config = optarg;
		else if (option == OPTION_SYSROOT)
			options->sysroot = optarg;
		else if (option == OPTION_CONNECT)
			options->connect = optarg;
		else if (option == OPTION_SVG)
			options->svg = optarg;
		else if (option == OPTION_XML)
			options->xml[options->xml_count++] = optarg;
		else if (option == OPTION_JSON)
			options->json = true;
		else if (option == OPTION_ALL)
			options->all = true;
	}
	while (optind < argc) /* behind "--" */
		options->words[options->word_count++] = argv[optind++];
	return given & ~WORD;
}

static enum exit_status
dispatch(int argc, char *argv[], struct options *options)
{
	int given = parse_options(argc, argv, options);
	if (given < 0)
		return misuse();
	if ((given & OPTION_VERSION) != 0) {
		puts("vmaffinity " VERSION);
		return EXIT_OK;
	}
	if (options->word_count > 0 && strcmp(options->words[0], "help") == 0) {
		options->words++;
		options->word_count--;
		given |= OPTION_HELP;
	}
	if ((given & OPTION_HELP) != 0)
		return help(options);
	if (options->word_count == 0) {
		complain("which command?");
		return misuse();
	}
	const struct command *command = find_command(options->words[0]);
	if (command == NULL) {
		complain("unknown command '%s'", options->words[0]);
		return misuse();
	}
	options->words++;
	options->word_count--;
	return run(command, options, given);
}

int
main(int argc, char *argv[])
{
	size_t room = (size_t)argc;
	char **lists = calloc(3 * room, sizeof(*lists));
	struct options options = {.xml = lists};
	enum exit_status status = EXIT_CANNOT;
	argv[0] = (char[]){"vmaffinity"}; /* for getopt_long()'s messages */
	if (lists == NULL) {
		complain("out of memory");
	} else {
		options.against = lists + room;
		options.words = lists + 2 * room;
		status = dispatch(argc, argv, &options);
	}
	free(lists);
	/* A full disk or a closed pipe behind us must not look like success. */
	errno = 0;
	if (fflush(stdout) != 0 || ferror(stdout)) {
		complain("standard output: %s",
			errno != 0 ? strerror(errno) : "not all could be written");
		status = EXIT_CANNOT;
	}
	return (int)status;
}
