/* SPDX-License-Identifier: MIT */
/* The command line of vmaffinity(8): finds the command, reads its options, prints the help. */
#include "cli/command.h"

#include "base/suggest.h"
#include "guest/xml_module.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * The short options of getopt_long(3): "-" has it return each argument that is no option, as
 * NO_OPTION; ":" has it leave messages to us.
 */
#define SHORT_OPTIONS "-:hVqvc:"
#define NO_OPTION 1

static const struct option long_options[] = {
	{"config", required_argument, NULL, OPTION_CONFIG},
	{"sysroot", required_argument, NULL, OPTION_SYSROOT},
	{"connect", required_argument, NULL, OPTION_CONNECT},
	{"xml", required_argument, NULL, OPTION_XML},
	{"against", required_argument, NULL, OPTION_AGAINST},
	{"svg", required_argument, NULL, OPTION_SVG},
	{"json", no_argument, NULL, OPTION_JSON},
	{"all", no_argument, NULL, OPTION_ALL},
	{"verbose", no_argument, NULL, OPTION_VERBOSE},
	{"wide", no_argument, NULL, OPTION_WIDE},
	{"metrics", no_argument, NULL, OPTION_METRICS},
	{"nagios", no_argument, NULL, OPTION_NAGIOS},
	{"quiet", no_argument, NULL, OPTION_QUIET},
	{"dry-run", no_argument, NULL, OPTION_DRY_RUN},
	{"help", no_argument, NULL, OPTION_HELP},
	{"version", no_argument, NULL, OPTION_VERSION},
	{NULL, 0, NULL, 0},
};

/* In the order of the general help. */
static const struct command *const commands[] = {&command_plan, &command_check, &command_apply,
	&command_release, &command_record, &command_status, &command_map, &command_doctor,
	&command_watch, &command_import, &command_capture, &command_enable, &command_disable};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static const struct command *
find_command(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}

/* Complains of a word that is not known, and names the one that may be meant. */
static void
complain_unknown(const char *what, const char *prefix, const char *word, const char *const known[],
	size_t count)
{
	const char *nearest = NULL;
	for (size_t i = count; i-- > 0 && word[0] != '\0';) /* an abbreviation */
		if (strncmp(known[i], word, strlen(word)) == 0)
			nearest = known[i];
	if (nearest == NULL)
		nearest = suggest_nearest(word, known, count);
	if (nearest != NULL)
		complain("unknown %s '%s%s'; did you mean '%s%s'?", what, prefix, word, prefix,
			nearest);
	else
		complain("unknown %s '%s%s'", what, prefix, word);
}

static enum exit_status
unknown_command(const char *word)
{
	const char *names[COMMANDS];
	for (size_t i = 0; i < COMMANDS; i++)
		names[i] = commands[i]->name;
	complain_unknown("command", "", word, names, COMMANDS);
	return misuse(NULL);
}

static void
print_general_help(void)
{
	printf("Usage: vmaffinity COMMAND [OPTION...] [ARGUMENT...]\n"
	       "\n"
	       "Shows, checks and applies the rules in /etc/vmaffinity.ini: on which host CPUs\n"
	       "each libvirt guest may run. The hook applies them whenever a guest starts.\n"
	       "\n");
	for (size_t i = 0; i < COMMANDS; i++) {
		const struct command *c = commands[i];
		int used = printf("  %s%s%s", c->name, c->words != NULL ? " " : "",
			c->words != NULL ? c->words : "");
		printf("%*s%s\n", 22 - used, "", c->summary);
	}
	printf("  help [COMMAND]      show this text, or a command's\n"
	       "\n"
	       "  -h, --help       this text\n"
	       "  -V, --version    the version\n"
	       "\n"
	       "The rules: vmaffinity.ini(5). The commands: vmaffinity(8).\n");
}

static enum exit_status
help(const struct options *options)
{
	const struct command *command =
		options->word_count > 0 ? find_command(options->words[0]) : NULL;
	if (options->word_count > 0 && command == NULL)
		return unknown_command(options->words[0]);
	if (options->word_count > 1) {
		complain("help: unexpected argument '%s'", options->words[1]);
		return misuse(NULL);
	}
	if (command != NULL)
		fputs(command->help, stdout);
	else
		print_general_help();
	return EXIT_OK;
}

/* True if an argument is the whole name of an option, perhaps with "=VALUE". */
static bool
is_long_option(const char *argument)
{
	size_t length = strcspn(argument + 2, "=");
	for (const struct option *o = long_options; o->name != NULL; o++)
		if (strlen(o->name) == length && strncmp(o->name, argument + 2, length) == 0)
			return true;
	return false;
}

static enum exit_status
run(const struct command *command, struct options *options, int given)
{
	int foreign = given & ~command->options;
	for (const struct option *o = long_options; foreign != 0 && o->name != NULL; o++)
		if ((o->val & foreign) != 0) {
			complain("'%s' has no option '--%s'", command->name, o->name);
			return misuse(command);
		}
	if (options->against_count > 1 && !command->many_hosts) {
		complain("%s: one HOSTFILE at a time", command->name);
		return misuse(command);
	}
	if (options->word_count > command->words_max) {
		complain("%s: unexpected argument '%s'", command->name,
			options->words[command->words_max]);
		return misuse(command);
	}
	if (command->needs_root && geteuid() != 0) {
		complain("%s needs root", command->name);
		return EXIT_CANNOT;
	}
	if ((given & OPTION_QUIET) != 0 &&
		(given & (OPTION_JSON | OPTION_METRICS | OPTION_NAGIOS | OPTION_VERBOSE)) != 0) {
		complain("%s: --quiet excludes --json, --metrics, --nagios and --verbose",
			command->name);
		return misuse(command);
	}
	if ((given & OPTION_QUIET) != 0 && freopen("/dev/null", "w", stdout) == NULL) {
		complain("/dev/null: %s", strerror(errno));
		return EXIT_CANNOT;
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

/* Complains of an argument that is no option of ours, or lacks its own argument. */
static void
complain_option(const char *argument, bool lacks)
{
	const char *names[sizeof(long_options) / sizeof(long_options[0])];
	char word[32];
	size_t count = 0;
	for (const struct option *o = long_options; o->name != NULL; o++)
		names[count++] = o->name;
	if (lacks)
		complain("option '%s' requires an argument", argument);
	else if (strncmp(argument, "--", 2) != 0)
		complain("unknown option '-%c'", optopt);
	else if (strchr(argument, '=') != NULL && is_long_option(argument))
		complain("option '%.*s' takes no argument", (int)strcspn(argument, "="), argument);
	else {
		snprintf(word, sizeof(word), "%.*s", (int)strcspn(argument + 2, "="), argument + 2);
		complain_unknown("option", "--", word, names, count);
	}
}

/* Returns the OPTION_ bit of a short option, or option itself. */
static int
long_form(int option)
{
	switch (option) {
	case 'h':
		return OPTION_HELP;
	case 'V':
		return OPTION_VERSION;
	case 'c':
		return OPTION_CONFIG;
	case 'v':
		return OPTION_VERBOSE;
	case 'q':
		return OPTION_QUIET;
	default:
		return option;
	}
}

/*
 * Returns the next option as getopt_long(3) does. An abbreviation is no option: it would mean
 * another one, or none, once there are more options.
 */
static int
next_option(int argc, char *argv[])
{
	const char *argument = optind < argc ? argv[optind] : "";
	int option = getopt_long(argc, argv, SHORT_OPTIONS, long_options, NULL);
	bool is_long = strncmp(argument, "--", 2) == 0 && argument[2] != '\0';
	if (option == ':' || option == '?' ||
		(is_long && option != NO_OPTION && option != -1 && !is_long_option(argument))) {
		complain_option(argument, option == ':');
		return '?';
	}
	return long_form(option);
}

/* True if the command, which comes first, takes several host files: "--against *.txt". */
static bool
takes_many_hosts(const struct options *options)
{
	const struct command *command =
		options->word_count > 0 ? find_command(options->words[0]) : NULL;
	return command != NULL && command->many_hosts;
}

/* Returns the options that were given, as bits, or -1 after a complaint. */
static int
parse_options(int argc, char *argv[], struct options *options)
{
	int given = 0, option, last = 0;
	for (; (option = next_option(argc, argv)) != -1; last = option) {
		if (option == '?')
			return -1;
		if (option == NO_OPTION && last == OPTION_AGAINST && takes_many_hosts(options))
			option = OPTION_AGAINST;
		given |= option;
		if (option == NO_OPTION)
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
	}
	options->json = (given & OPTION_JSON) != 0;
	options->all = (given & OPTION_ALL) != 0;
	options->verbose = (given & OPTION_VERBOSE) != 0;
	options->wide = (given & OPTION_WIDE) != 0;
	options->metrics = (given & OPTION_METRICS) != 0;
	options->nagios = (given & OPTION_NAGIOS) != 0;
	options->dry_run = (given & OPTION_DRY_RUN) != 0;
	while (optind < argc) /* after "--" */
		options->words[options->word_count++] = argv[optind++];
	return given & ~NO_OPTION;
}

static enum exit_status
dispatch(int argc, char *argv[], struct options *options)
{
	int given = parse_options(argc, argv, options);
	const struct command *command =
		options->word_count > 0 ? find_command(options->words[0]) : NULL;
	if (given < 0)
		return misuse(command);
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
		complain("no command given");
		return misuse(NULL);
	}
	if (command == NULL)
		return unknown_command(options->words[0]);
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
	xml_module_prefer_beside();
	if (lists == NULL) {
		complain("out of memory");
	} else {
		options.against = lists + room;
		options.words = lists + 2 * room;
		status = dispatch(argc, argv, &options);
	}
	free(lists);
	/* Output lost to a full disk or a closed pipe must not look like success. */
	errno = 0;
	if (fflush(stdout) != 0 || ferror(stdout)) {
		complain("standard output: %s",
			errno != 0 ? strerror(errno) : "not all could be written");
		status = EXIT_CANNOT;
	}
	return (int)status;
}
