/* SPDX-License-Identifier: MIT */
/* From a guest's name and the rules to a plan, and from the plan to a pinned guest. */
#ifndef VMAFFINITY_PIN_PIN_H
#define VMAFFINITY_PIN_PIN_H

#include "base/err.h"
#include "base/messages.h"
#include "cgroup/cgroup.h"
#include "cgroup/partition.h"
#include "desired/claims.h"
#include "desired/cpuset_expr.h"
#include "desired/desired.h"
#include "guest/domain.h"
#include "guest/domain_pins.h"
#include "host/topology.h"
#include "pin/apply.h"
#include "pin/plan.h"
#include "rules/rules.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * The rules, and the part of the host that was read for them, each file once; shared by all guests.
 * The parts point into one another, so a struct pin_host is never copied.
 */
struct pin_host {
	int root; /* directory fd; not owned */
	struct rules rules;
	struct topology topology;
	struct cpuset_expr expr;
	struct claims claims; /* of all guests, if they were read for a plan that is only shown */
};

/*
 * Reads and checks all rules: the files in the standard places below root or, if count is not 0,
 * the given files in that order (paths as the caller sees them). Returns 0, or -1 with every error
 * in messages; host->rules then serve for rules_on_error() only. The caller frees host with
 * pin_host_free() in either case.
 */
int pin_host_load(struct pin_host *host, int root, const char *const files[], size_t count,
	struct messages *messages);
void pin_host_free(struct pin_host *host);

/*
 * Forgets all that was read of the host, and reads further from the directory fd root. The rules
 * stay. For another host, or for the same one after it may have changed.
 */
void pin_host_change(struct pin_host *host, int root);

/* One guest. The parts point into one another, so a struct pin is never copied. */
struct pin {
	struct pin_host *host;
	char *name;		    /* as libvirt says it; NULL until it is known */
	struct domain domain;	    /* its name is NULL unless the XML was read and understood */
	struct matched matched;	    /* its rules */
	bool ruled;		    /* one of them wants a change */
	int lock;		    /* see lock.h; -1 if not held */
	int choice_lock;	    /* the same, of a guest whose CPUs are its own */
	bool running;		    /* cgroup is there */
	struct cgroup cgroup;	    /* if running */
	bool limited;		    /* it does not run, and partition is there */
	struct partition partition; /* the cgroup that it would be put into */
	struct claims claims;	    /* of a guest whose CPUs are its own, or that lacks CPUs */
	struct desired desired;
	struct plan plan;
	const char *incomplete;	  /* a rule that was left out, and why; NULL: all are followed */
	struct cpumask *given;	  /* the CPUs of pin_give_back() */
	double since;		  /* when pin_prepare() began, in ms of CLOCK_MONOTONIC */
	struct messages messages; /* what is to be said; with an error among them the plan cannot be
				     applied */
};

/* Initialises a struct pin that holds nothing; pin_free() leaves the same. */
#define PIN_NONE                                                                                   \
	{                                                                                          \
		.lock = -1, .choice_lock = -1                                                      \
	}

/* The purpose of a plan. */
enum pin_intent {
	PIN_CHECK, /* to be checked: as PIN_SHOW, as if no other guest ran */
	PIN_SHOW,  /* to be shown: the guest need not run here */
	PIN_APPLY, /* to be applied: the guest must run, and is locked until pin_free() */
	/* The same for a guest that no rule matches as well, for pin_give_back(). */
	PIN_SHOW_ALL,
	PIN_APPLY_ALL,
};

/* The result for one guest. */
enum pin_result {
	PIN_FAILED = -1,
	PIN_OK = 0,	 /* prepared; or applied, and all was as planned already */
	PIN_NO_RULE,	 /* no rule, or with PIN_APPLY none that wants a change, matches it; /sys
			    and cgroups were not read */
	PIN_NOT_RUNNING, /* with PIN_APPLY: it does not run here, or has ended meanwhile */
	PIN_CHANGED,	 /* applied, and something had to be set */
};

/*
 * True if a rule that is or may be about the guest of that name asks for what only its XML says: a
 * "uuid:" pattern, or a placement other than float.
 */
bool pin_needs_xml(const struct pin_host *host, const char *name);

/*
 * Makes a plan for a guest. name is what libvirt calls it; NULL: what its XML does. The kernel says
 * where it runs and which groups it has. Its XML is parsed with PIN_SHOW, or if pin_needs_xml(); it
 * changes neither which guest that is nor what rules that do not need it want. xml is NULL if it
 * could not be read, for the reason in *e. XML that is needed and cannot be read leaves out the
 * rules that need it: pin->incomplete.
 *
 * host must live until pin_free(), which is to be called whatever this returns: PIN_OK,
 * PIN_NO_RULE, or with the reason PIN_NOT_RUNNING or PIN_FAILED.
 */
enum pin_result pin_prepare(struct pin *pin, struct pin_host *host, const char *xml, size_t length,
	const char *name, enum pin_intent intent, struct err *e);

/*
 * True if a group of the running guest, which no rule decides, has not all CPUs or memory nodes
 * that it might: an earlier rule's, or those of libvirt's record.
 */
bool pin_is_confined(const struct pin *pin);

/*
 * Adds to the plan of PIN_SHOW_ALL or PIN_APPLY_ALL the groups that no rule decides and that have
 * other CPUs or nodes than libvirt would give them. record: the pins in the XML of the running
 * guest, which must live as long as pin. Returns 0 with the number of these groups, or -1 without
 * memory.
 */
int pin_give_back(struct pin *pin, const struct domain_pins *record, size_t *count, struct err *e);

/* The first error among the messages, for which the plan cannot be applied; NULL if there is none.
 */
const char *pin_obstacle(const struct pin *pin);

#define PIN_DONE_MAX 640

/*
 * Applies the plan of a pin prepared with PIN_APPLY. Returns PIN_OK; PIN_CHANGED with what was set,
 * and in how long, in done ("emulator 0-1, vcpu0-3 4-7 (5 masks and 3 threads set in 0.7 ms)");
 * PIN_NOT_RUNNING or PIN_FAILED with the reason, and all is as before then.
 */
enum pin_result pin_apply(struct pin *pin, char done[PIN_DONE_MAX], struct err *e);

/*
 * Calls pin_prepare() with PIN_APPLY, then pin_apply(), and returns the result of the last call.
 * The caller frees pin with pin_free() in any case.
 */
enum pin_result pin_guest(struct pin *pin, struct pin_host *host, const char *xml, size_t length,
	const char *name, char done[PIN_DONE_MAX], struct err *e);

/* True if the guest has ended since pin_prepare(), which explains any failure since then. */
bool pin_has_ended(const struct pin *pin);

void pin_free(struct pin *pin);

#endif
