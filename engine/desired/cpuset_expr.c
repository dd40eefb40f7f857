/* SPDX-License-Identifier: MIT */
/* Evaluates CPU-set expressions, named sets included. */
#include "desired/cpuset_expr.h"

#include "base/suggest.h"
#include "desired/cpuset_words.h"
#include "desired/host_sets.h"
#include "desired/item_scan.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Limits how deep named sets may name other sets: deeper than any use, safe for the stack. */
#define DEPTH_MAX 64u

struct cpuset_expr_set {
	enum { SET_UNKNOWN, SET_BUSY, SET_GOOD, SET_BAD } state;
	bool host;	     /* true if the set depends on the host */
	unsigned level;	     /* depth of names within names, this name included */
	struct cpumask mask; /* if SET_GOOD */
};

/* The state of evaluating one expression. */
struct run {
	struct cpuset_expr *expr;
	const struct value *value;
	const char *at; /* the item that is being read; on an error the fault */
	bool host;	/* true if an item depends on the host */
	bool placed;	/* the fault is in a named set, and the error names its place */
	unsigned level; /* the highest level of the named sets */
};

static int eval(struct cpuset_expr *expr, const struct value *value, struct cpumask *mask,
	struct run *run, struct err *e);

static int
too_deep(const struct named_set *named, struct err *e)
{
	return err_set(e, "'@%s': more than %u names within one another", named->name, DEPTH_MAX);
}

static int
eval_host_set(struct run *run, enum topology_set word, struct cpumask *mask, struct err *e)
{
	run->host = true;
	if (run->expr->topology == NULL)
		return 0;
	const struct cpumask *set;
	if (host_set_get(run->expr->topology, word, &set, e) != 0)
		return -1;
	cpumask_or(mask, set);
	return 0;
}

static int
eval_words(struct run *run, const char *text, size_t length, struct cpumask *mask, struct err *e)
{
	run->host = true;
	return cpuset_words_eval(run->expr->topology, text, length, mask, &run->at, e);
}

/* Reports text, up to 40 bytes of an item, as an unknown word. Returns -1. */
static int
unknown_item(const char *text, struct err *e)
{
	static const char *const names[] = {"all", "isolated", "pcores", "ecores", "node",
		"package", "socket", "l3", "ccx", "core", "pu"};
	const char *nearest = suggest_nearest(text, names, sizeof(names) / sizeof(names[0]));
	if (nearest != NULL && strcmp(nearest, text) == 0)
		return err_set(e, "an index is missing, as in %s:0", text);
	if (nearest != NULL)
		return err_set(e, "unknown word '%s'; did you mean '%s'?", text, nearest);
	return err_set(e,
		"'%s' is not a CPU, a range, '@NAME' or a word: all, isolated, pcores, ecores, "
		"node:N, package:N, l3:N, core:N, pu:N",
		text);
}

/*
 * Evaluates a named set, once. *reported is true if the error needs no place in front: it has one,
 * or is among the messages already.
 */
static int
eval_set(struct cpuset_expr *expr, const struct named_set *named, bool *reported, struct err *e)
{
	*reported = false;
	if (expr->sets == NULL)
		expr->sets = calloc(expr->rules->set_count, sizeof(*expr->sets));
	if (expr->sets == NULL)
		return err_set(e, "out of memory");
	struct cpuset_expr_set *set = &expr->sets[named - expr->rules->sets];
	switch (set->state) {
	case SET_GOOD:
		return 0;
	case SET_BUSY:
		return err_set(e, "'@%s' is defined by way of itself", named->name);
	case SET_BAD:
		*reported = expr->messages != NULL;
		return err_set(e, "'@%s' has an error", named->name);
	case SET_UNKNOWN:
		break;
	}
	if (expr->depth >= DEPTH_MAX)
		return too_deep(named, e);
	set->state = SET_BUSY;
	expr->depth++;
	struct run run;
	int r = eval(expr, &named->value, &set->mask, &run, e);
	expr->depth--;
	/* Without messages every user of the set gets its error: evaluate it again. */
	set->state = r == 0 ? SET_GOOD : expr->messages != NULL ? SET_BAD : SET_UNKNOWN;
	set->host = run.host;
	set->level = run.level + 1;
	if (r != 0 && !run.placed && expr->messages != NULL)
		messages_add(expr->messages, MESSAGE_ERROR, "set-invalid", "%s", e->text);
	*reported = r != 0;
	return r;
}

static int
eval_named(struct run *run, const char *name, size_t length, struct cpumask *mask, struct err *e)
{
	const struct named_set *named = rules_find_set(run->expr->rules, name, length);
	if (named == NULL)
		return err_set(e, "'@%.*s': no such name in [cpus]",
			(int)(length < 64 ? length : 64), name);
	if (eval_set(run->expr, named, &run->placed, e) != 0)
		return -1;
	const struct cpuset_expr_set *set = &run->expr->sets[named - run->expr->rules->sets];
	/*
	 * A cached set can exceed the depth limit; refuse it, so that the result does not depend on
	 * the order of evaluation.
	 */
	if (run->expr->depth > 0 && set->level >= DEPTH_MAX)
		return too_deep(named, e);
	if (set->level > run->level)
		run->level = set->level;
	run->host |= set->host;
	cpumask_or(mask, &set->mask);
	return 0;
}

/* Adds the CPUs of one item to *mask: length bytes at text, after any '^'. */
static int
eval_item(struct run *run, const char *text, size_t length, struct cpumask *mask, struct err *e)
{
	if (item_check(text, length, e) != 0)
		return -1;
	if (*text == '!' || *text == '~')
		return err_set(e, "to leave CPUs out, write '^%.*s'",
			(int)(length < 40 ? length - 1 : 40), text + 1);
	if (*text == '@')
		return eval_named(run, text + 1, length - 1, mask, e);
	if (*text >= '0' && *text <= '9') {
		const char *s = text;
		int r = cpumask_parse_range(&s, mask, e);
		if (r == 0 && s != text + length)
			r = err_set(e, "'%.*s' is not a CPU or a range of CPUs",
				(int)(length < 40 ? length : 40), text);
		run->at = r == 0 ? text : s;
		return r;
	}
	if (cpuset_words_here(text))
		return eval_words(run, text, length, mask, e);
	enum topology_set set = host_set_named(text, length);
	if (set != TOPOLOGY_SETS)
		return eval_host_set(run, set, mask, e);
	char word[41];
	snprintf(word, sizeof(word), "%.*s", (int)(length < 40 ? length : 40), text);
	if (strcmp(word, "keep") == 0)
		return err_set(e, "'keep' is a value by itself, in a rule");
	if (cpuset_words_is_cpu(text, length))
		return cpuset_words_report_cpu(text, length, e);
	return unknown_item(word, e);
}

/*
 * Refuses a number after "core:0-3, ": it may be meant as a CPU or as one more core. Without the
 * blank it is part of the word's list (cpuset_words_item()) and does not come here.
 */
static int
check_number(const char *item, size_t length, const char *words, size_t words_length, struct err *e)
{
	if (!isdigit((unsigned char)item[*item == '^']))
		return 0;
	return err_set(e,
		"is '%.*s' a CPU, or one more of '%.*s'? For a CPU put a blank in place of the "
		"comma, else write the word again",
		(int)(length < 40 ? length : 40), item,
		(int)(words_length < 40 ? words_length : 40), words);
}

/* Adds the CPUs of the items to *plus, and the CPUs of those after a '^' to *minus. */
static int
eval_items(struct run *run, struct cpumask *plus, struct cpumask *minus, struct err *e)
{
	struct item_scan scan;
	const char *words = NULL;
	size_t length = 0;
	item_scan_start(&scan, run->value->text);
	while (*scan.at != '\0') {
		bool exclude = *scan.at == '^';
		const char *item = scan.at + exclude;
		size_t words_length = length;
		run->at = scan.at;
		length = cpuset_words_item(item);
		if (scan.after_comma && words != NULL &&
			check_number(scan.at, length + exclude, words, words_length, e) != 0)
			return -1;
		words = cpuset_words_here(item) ? item : NULL;
		run->at = item;
		if (eval_item(run, item, length, exclude ? minus : plus, e) != 0)
			return -1;
		int r = item_scan_next(&scan, item + length, e);
		run->at = scan.at;
		if (r != 0)
			return -1;
	}
	run->at = run->value->text;
	return 0;
}

/*
 * Evaluates value, adds its CPUs to *mask and fills in *run. On failure *mask is undefined. Callers
 * that only check, without a host, may pass a mask that holds CPUs already.
 */
static int
eval(struct cpuset_expr *expr, const struct value *value, struct cpumask *mask, struct run *run,
	struct err *e)
{
	*run = (struct run){.expr = expr, .value = value, .at = value->text};
	struct cpumask plus, minus;
	int r;
	if (strchr(value->text, '^') == NULL) {
		r = eval_items(run, mask, mask, e);
	} else {
		plus = minus = (struct cpumask){0};
		r = eval_items(run, &plus, &minus, e);
		cpumask_andnot(&plus, &minus);
		*mask = plus;
	}
	if (r == 0 && (expr->topology != NULL || !run->host) && cpumask_empty(mask))
		r = err_set(e, "'%.80s' leaves no CPU", value->text);
	if (r != 0 && !run->placed) {
		char place[VALUE_PLACE_MAX];
		err_context(e, "%s", value_place(value, (size_t)(run->at - value->text), place));
	}
	return r;
}

int
cpuset_expr_eval(
	struct cpuset_expr *expr, const struct value *value, struct cpumask *mask, struct err *e)
{
	struct run run;
	struct cpumask result = {0};
	if (eval(expr, value, &result, &run, e) != 0)
		return -1;
	*mask = result;
	return 0;
}

void
cpuset_expr_check_rules(const struct rules *rules, struct messages *messages)
{
	struct cpuset_expr expr = {.rules = rules, .messages = messages};
	struct cpumask mask = {0};
	struct err e;
	for (size_t i = 0; i < rules->set_count; i++) {
		bool reported;
		(void)eval_set(&expr, &rules->sets[i], &reported, &e);
	}
	for (size_t i = 0; i < rules->rule_count; i++)
		for (size_t j = 0; j < rules->rules[i].setting_count; j++) {
			const struct setting *s = &rules->rules[i].settings[j];
			struct run run;
			if (!setting_is_keep(s) && eval(&expr, &s->value, &mask, &run, &e) != 0 &&
				!run.placed)
				messages_add(messages, MESSAGE_ERROR, "set-invalid", "%s", e.text);
		}
	cpuset_expr_free(&expr);
}

bool
cpuset_expr_exclusion_first(const char *text, size_t *offset, size_t *length)
{
	bool found = false;
	for (const char *s = text + strspn(text, ITEM_SEPARATORS); *s != '\0';
		s += strspn(s, ITEM_SEPARATORS)) {
		size_t exclude = *s == '^', item = exclude + cpuset_words_item(s + exclude);
		if (*s != '^' && found)
			return true;
		if (*s == '^' && !found) {
			found = true;
			*offset = (size_t)(s - text);
			*length = item;
		}
		s += item;
	}
	return false;
}

void
cpuset_expr_free(struct cpuset_expr *expr)
{
	free(expr->sets);
	expr->sets = NULL;
}
