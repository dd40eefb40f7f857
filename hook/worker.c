/* SPDX-License-Identifier: MIT */
/*
 * vmaffinity-hook GUEST OPERATION SUB-OPERATION EXTRA, the domain's XML on stdin: pins one guest as
 * the rules say. Run by the guard (hooks/qemu), which see for what libvirt makes of a hook's end.
 * Prints nothing but a refusal's reason.
 */
#include "hook/worker_status.h"

#include "base/cleanup.h"
#include "base/err.h"
#include "base/escape.h"
#include "base/file.h"
#include "pin/pin.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

/* Lines for one list of messages: a file full of garbage must not fill the log. */
#define LOG_LINES_MAX 20

struct job {
	const char *guest;
	bool starts; /* else it runs already, and nothing may refuse it */
	struct pin_host host;
	struct pin pin;
};

__attribute__((format(printf, 3, 4))) static void
log_line(const struct job *job, int priority, const char *format, ...)
{
	char name[256], text[ERR_TEXT_MAX + 512], safe[ERR_TEXT_MAX + 512];
	va_list args;
	va_start(args, format);
	if (vsnprintf(text, sizeof(text), format, args) >= (int)sizeof(text))
		memcpy(text + sizeof(text) - 4, "...", 4);
	va_end(args);
	syslog(priority, "%s: %s", escape_name(name, sizeof(name), job->guest),
		escape_unprintable(safe, sizeof(safe), text));
}

static int
priority_of(enum message_level level)
{
	return level == MESSAGE_ERROR ? LOG_ERR : level == MESSAGE_WARNING ? LOG_WARNING : LOG_INFO;
}

/*
 * Logs messages, errors first; no details, and not reason, which is logged with the failure (NULL:
 * there is none). command shows those above the limit.
 */
static void
log_messages(
	const struct job *job, struct messages *messages, const char *reason, const char *command)
{
	size_t logged = 0, left = messages->dropped;
	int left_priority = LOG_INFO;
	messages_sort(messages);
	for (size_t i = 0; i < messages->count; i++) {
		const struct message *message = &messages->items[i];
		int priority = priority_of(message->level);
		if (message->text == reason || message->level == MESSAGE_DETAIL)
			continue;
		if (logged++ < LOG_LINES_MAX)
			log_line(job, priority, "%s", message->text);
		else if (left++ == messages->dropped)
			left_priority = priority;
	}
	if (left > 0)
		log_line(job, left_priority, "%zu more; 'vmaffinity %s' shows them", left, command);
}

/* True if the rules say that the guest must not start like this: on-error = fail. */
static bool
is_to_refuse(const struct job *job)
{
	const struct domain *domain = &job->pin.domain;
	const char *uuid = domain->name != NULL ? domain->uuid : NULL;
	return job->starts && rules_on_error(&job->host.rules, job->guest, uuid) == ON_ERROR_FAIL;
}

/* Ends a job that failed; runs is false if the guest is known not to run. Returns the worker's
 * status. */
static enum worker_status
fail(const struct job *job, bool runs, const char *reason)
{
	char safe[ERR_TEXT_MAX + 512];
	bool refuse = is_to_refuse(job);
	log_line(job, LOG_ERR, "%s: %s",
		refuse ? "start refused (on-error = fail)"
		: runs ? "not pinned, runs on"
		       : "not pinned",
		reason);
	if (!refuse)
		return WORKER_FAILED;
	fprintf(stderr, "vmaffinity: start refused (on-error = fail): %s\n",
		escape_unprintable(safe, sizeof(safe), reason));
	return WORKER_REFUSED;
}

/* Reads the guest's XML from stdin. Returns it (caller frees), or NULL with the reason. */
static char *
read_xml(size_t *length, struct err *e)
{
	char *xml = NULL;
	int r = file_read_all(STDIN_FILENO, DOMAIN_XML_MAX, &xml, length);
	if (r != 0 && errno == EFBIG)
		err_set(e, "the XML is larger than %zu MiB", DOMAIN_XML_MAX / 1024 / 1024);
	else if (r != 0)
		err_errno(e, "cannot read the XML");
	return r == 0 ? xml : NULL;
}

static enum worker_status
pin(struct job *job)
{
	struct err e;
	struct pin *pin = &job->pin;
	char done[PIN_DONE_MAX];
	size_t length = 0;
	AUTO_FREE char *xml = read_xml(&length, &e);
	enum pin_result r = pin_prepare(pin, &job->host, xml, length, job->guest, PIN_APPLY, &e);
	if (pin->incomplete != NULL && is_to_refuse(job))
		return fail(job, true, pin->incomplete);
	if (r == PIN_OK)
		r = pin_apply(pin, done, &e);
	const char *incomplete = pin->incomplete;
	if (r != PIN_NO_RULE || incomplete != NULL)
		log_messages(job, &pin->messages,
			incomplete != NULL ? incomplete : pin_obstacle(pin), "plan");
	if (r == PIN_NOT_RUNNING || r == PIN_FAILED)
		return fail(job, r == PIN_FAILED, e.text);
	if (r == PIN_CHANGED)
		log_line(job, LOG_INFO, "pinned: %s", done);
	if (incomplete != NULL)
		log_line(job, LOG_ERR, "not all rules are followed: %s", incomplete);
	return incomplete != NULL ? WORKER_FAILED : WORKER_DONE;
}

/*
 * Ends a job whose rules have errors. None is applied, but what was understood of "on-error"
 * counts: it is the administrator's choice.
 */
static enum worker_status
fail_rules(struct job *job)
{
	struct err e;
	size_t length = 0;
	if (rules_need_uuid(&job->host.rules, job->guest)) {
		AUTO_FREE char *xml = read_xml(&length, &e);
		if (xml == NULL || domain_parse(xml, length, &job->pin.domain, &e) != 0)
			log_line(job, LOG_ERR, "%s", e.text);
	}
	return fail(job, true, "the rules have errors, so none is applied; see 'vmaffinity check'");
}

static enum worker_status
work(struct job *job, int root)
{
	struct messages messages = {0};
	int loaded = pin_host_load(&job->host, root, NULL, 0, &messages);
	log_messages(job, &messages, NULL, "check");
	messages_free(&messages);
	if (loaded != 0)
		return fail_rules(job);
	/* The XML is not even read then: libvirt ignores that its pipe is closed. */
	if (!rules_may_match(&job->host.rules, job->guest))
		return WORKER_DONE;
	return pin(job);
}

int
main(int argc, char *argv[])
{
	if (argc == 2 && strcmp(argv[1], "--version") == 0)
		return puts("vmaffinity-hook " VERSION) < 0 || fflush(stdout) != 0;
	if (argc < 3) {
		fputs("vmaffinity-hook: is run by libvirt; see vmaffinity-hook(8)\n", stderr);
		return (int)WORKER_FAILED;
	}
	struct job job = {
		.guest = argv[1], .starts = strcmp(argv[2], "started") == 0, .pin = PIN_NONE};
	if (!job.starts && strcmp(argv[2], "reconnect") != 0)
		return 0;
	openlog("vmaffinity", LOG_PID, LOG_DAEMON);
	AUTO_CLOSE int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return (int)fail(&job, true, "cannot open /");
	enum worker_status status = work(&job, root);
	pin_free(&job.pin);
	pin_host_free(&job.host);
	return (int)status;
}
