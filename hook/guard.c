/* SPDX-License-Identifier: MIT */
/*
 * Runs as the hook, /etc/libvirt/hooks/qemu GUEST OPERATION SUB-OPERATION EXTRA, with the domain's
 * XML on stdin.
 *
 * libvirt kills the guest if its hook ends in anything but 0: on "reconnect", when the daemon has
 * restarted, even a guest that has run for a year. libvirt sets the hook no time limit, and waits
 * until no process holds the hook's stdout and stderr (docs/hooks.html, virHookCall(),
 * qemuProcessReconnect()). So this program needs nothing but libc, leaves the work to the worker,
 * and turns every way in which the worker can end into a harmless status.
 */
#include "hook/worker_status.h"

#include "base/escape.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#ifndef WORKER
#define WORKER "/usr/sbin/vmaffinity-hook"
#endif
#ifndef TIME_LIMIT_MS
#define TIME_LIMIT_MS 10000
#endif

/*
 * After the time limit: for the worker to be gone, and for syslog(3), which can block on a full
 * socket.
 */
#ifndef GRACE_MS
#define GRACE_MS 1000
#endif

/*
 * The worker's reason for a refusal, which virsh shows; what a loader or a sanitizer says when all
 * is lost.
 */
#define MESSAGE_MAX 4096

extern char **environ;

/* By this install.sh and "vmaffinity doctor" know the hook as ours, and what it runs. */
__attribute__((used)) static const char marker[] = "vmaffinity-guard " VERSION " " WORKER;

/* The guest's state, for the log. A worker that was ended midway may have done a part of its work.
 */
static const char not_pinned[] = "not pinned", perhaps[] = "perhaps not pinned, or in part";

/* The exit status, also of a guard that is stuck and that SIGALRM ends. */
static volatile sig_atomic_t verdict;

struct worker {
	pid_t pid;
	int messages; /* read end of its stderr */
	int failure;  /* read end of a pipe with the errno of an exec that failed */
	int signals;  /* signalfd(2) for SIGCHLD */
	size_t length;
	char message[MESSAGE_MAX + 1];
};

static void
end_now(int signal)
{
	(void)signal;
	_exit(verdict);
}

/* No signal may end the guard: to libvirt that is a failure. SIGALRM alone does, with the verdict.
 */
static void
harden(void)
{
	struct sigaction act = {.sa_handler = end_now};
	sigset_t set;
	sigaction(SIGALRM, &act, NULL);
	act.sa_handler = SIG_DFL; /* an inherited "ignore" would hide how the worker ended */
	sigaction(SIGCHLD, &act, NULL);
	sigfillset(&set);
	sigdelset(&set, SIGALRM);
	sigprocmask(SIG_SETMASK, &set, NULL);
	alarm((TIME_LIMIT_MS + 2 * GRACE_MS + 999) / 1000);
}

static long
now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* No other program can report a fault of the guard: without syslog it goes to the console. */
__attribute__((format(printf, 3, 4))) static void
complain(const char *guest, const char *state, const char *format, ...)
{
	char name[256], text[512], safe[512];
	va_list args;
	va_start(args, format);
	if (vsnprintf(text, sizeof(text), format, args) >= (int)sizeof(text))
		memcpy(text + sizeof(text) - 4, "...", 4);
	va_end(args);
	openlog("vmaffinity", LOG_PID | LOG_CONS, LOG_DAEMON);
	syslog(LOG_CRIT, "%s: %s, runs on: %s", escape_name(name, sizeof(name), guest), state,
		escape_unprintable(safe, sizeof(safe), text));
}

/*
 * In the child: becomes the worker, with no signal blocked or ignored and nothing that libvirt
 * waits for. Opening /dev/null can block, as an exec can: stdout and stderr are given up before.
 */
__attribute__((noreturn)) static void
become_worker(int messages, int failure, char *const arguments[])
{
	sigset_t none;
	setpgid(0, 0);
	dup2(messages, STDOUT_FILENO);
	dup2(messages, STDERR_FILENO);
	fcntl(STDERR_FILENO, F_SETFD, 0); /* messages may be stderr, if that was closed */
	for (int i = 1; i < NSIG; i++)
		signal(i, SIG_DFL); /* fails for those that cannot be ignored either */
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (null >= 0)
		dup2(null, STDOUT_FILENO);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (null >= 0)
		execve(WORKER, arguments, environ);
	int error = errno;
	(void)!write(failure, &error, sizeof(error));
	_exit(127);
}

/*
 * Starts the worker on our stdin, in a process group of its own. By fork(2): posix_spawn(3) and
 * vfork(2) suspend the parent until the exec is done, which a virus scanner that watches execs
 * (fanotify(7), FAN_OPEN_EXEC_PERM) can hold for as long as it likes. Returns 0, or an errno.
 */
static int
start_worker(struct worker *w, char *const arguments[])
{
	int out[2], failure[2];
	sigset_t chld;
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	w->signals = signalfd(-1, &chld, SFD_CLOEXEC | SFD_NONBLOCK);
	if (w->signals < 0 || pipe2(out, O_CLOEXEC | O_NONBLOCK) != 0 ||
		pipe2(failure, O_CLOEXEC | O_NONBLOCK) != 0)
		return errno;
	w->messages = out[0];
	w->failure = failure[0];
	w->pid = fork();
	if (w->pid == 0)
		become_worker(out[1], failure[1], arguments);
	int error = w->pid < 0 ? errno : 0;
	if (error == 0)
		setpgid(w->pid, w->pid); /* whichever of both is first */
	close(out[1]);
	close(failure[1]);
	return error;
}

/* Returns the errno for which the worker could not be executed, 0 if it was. To be called after its
 * end. */
static int
exec_error(const struct worker *w)
{
	int error;
	return read(w->failure, &error, sizeof(error)) == sizeof(error) ? error : 0;
}

/*
 * Takes what the worker has written so far; what is more than fits is read and dropped, so that it
 * cannot block.
 */
static void
read_messages(struct worker *w)
{
	char rest[512];
	for (;;) {
		size_t room = MESSAGE_MAX - w->length;
		ssize_t n = room > 0 ? read(w->messages, w->message + w->length, room)
				     : read(w->messages, rest, sizeof(rest));
		if (n <= 0)
			return;
		if (room > 0)
			w->length += (size_t)n;
	}
}

/* Waits for the worker's end, at most until the deadline. Returns false if it has not ended then.
 */
static bool
wait_worker(struct worker *w, long deadline, int *status)
{
	for (;;) {
		struct pollfd fds[] = {{.fd = w->signals, .events = POLLIN},
			{.fd = w->messages, .events = POLLIN}};
		if (waitpid(w->pid, status, WNOHANG) == w->pid) {
			read_messages(w);
			return true;
		}
		long left = deadline - now_ms();
		if (left <= 0)
			return false;
		/*
		 * Once the other end is closed the pipe is always ready: then only the signal is
		 * waited for.
		 */
		if (poll(fds, w->messages >= 0 ? 2 : 1, (int)left) <= 0)
			continue;
		struct signalfd_siginfo info;
		if ((fds[0].revents & POLLIN) != 0 && read(w->signals, &info, sizeof(info)) < 0)
			continue;
		read_messages(w);
		if ((fds[1].revents & (POLLHUP | POLLERR)) != 0) {
			close(w->messages);
			w->messages = -1;
		}
	}
}

/*
 * Turns the worker's end into the hook's exit status, with a message for all that the worker could
 * not say itself.
 */
static int
judge_worker(const struct worker *w, int status, const char *guest, bool may_refuse)
{
	const char *words = w->length > 0 ? w->message : "without a word";
	int first_line = (int)strcspn(words, "\n");
	if (WIFSIGNALED(status)) {
		complain(guest, perhaps, "%s was ended by signal %d (%s); try 'vmaffinity plan'",
			WORKER, WTERMSIG(status), strsignal(WTERMSIG(status)));
		return 0;
	}
	switch (WEXITSTATUS(status)) {
	case WORKER_DONE:
		return 0;
	case WORKER_REFUSED:
		if (!may_refuse) {
			complain(guest, not_pinned, "%s refused it, which only a start can be",
				WORKER);
			return 0;
		}
		verdict = 1;
		if (write(STDERR_FILENO, w->message, w->length) < 0)
			complain(guest, not_pinned, "refused: %.*s", first_line, words);
		return 1;
	case WORKER_FAILED:
		if (w->length == 0)
			return 0; /* it has logged why */
	}
	complain(guest, not_pinned,
		"%s ended with status %d (%.*s); install vmaffinity again, or remove this hook",
		WORKER, WEXITSTATUS(status), first_line, words);
	return 0;
}

int
main(int argc, char *argv[])
{
	if (argc < 3 || (strcmp(argv[2], "started") != 0 && strcmp(argv[2], "reconnect") != 0))
		return 0;
	if (geteuid() != 0)
		return 0; /* qemu:///session runs this hook too; it has no cgroups to write */
	harden();
	const char *guest = argv[1];
	static struct worker w;
	argv[0] = (char[]){WORKER};
	int status, error = start_worker(&w, argv);
	if (error == 0 && !wait_worker(&w, now_ms() + TIME_LIMIT_MS, &status)) {
		kill(-w.pid, SIGKILL);
		wait_worker(&w, now_ms() + GRACE_MS, &status);
		complain(guest, perhaps,
			"%s did not end within %g s and was killed; try 'vmaffinity plan'", WORKER,
			TIME_LIMIT_MS / 1e3);
		return 0;
	}
	if (error == 0)
		error = exec_error(&w);
	if (error != 0) {
		complain(guest, not_pinned,
			"%s cannot be run: %s; install vmaffinity again, or remove this hook",
			WORKER, strerror(error));
		return 0;
	}
	return judge_worker(&w, status, guest, strcmp(argv[2], "started") == 0);
}
