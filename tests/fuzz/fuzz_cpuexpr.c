/* SPDX-License-Identifier: MIT */
/*
 * CPU-set expressions: a line each, the first ones named sets "NAME=EXPRESSION", the last one the
 * expression that is evaluated; "~" in it stands for a newline. On a host whose CPUs are known.
 */
#include "fuzz.h"

#include "desired/cpuset_expr.h"

#include <string.h>

#define SETS 8

struct input {
	char *text;
	struct named_set sets[SETS];
	struct rules rules;
	struct value value;
};

static char file[] = "fuzz.ini";

static void
make_input(const uint8_t *data, size_t size, struct input *input)
{
	*input = (struct input){.text = malloc(size + 1)};
	PROMISE(input->text != NULL);
	if (size > 0)
		memcpy(input->text, data, size);
	input->text[size] = '\0';
	unsigned line = 1;
	char *rest = input->text, *equals;
	for (char *end; (end = strchr(rest, '\n')) != NULL; rest = end + 1, line++) {
		*end = '\0';
		equals = strchr(rest, '=');
		if (equals == NULL || equals == rest || input->rules.set_count == SETS)
			continue;
		*equals = '\0';
		input->sets[input->rules.set_count++] = (struct named_set){
			.name = rest,
			.value = {.text = equals + 1, .file = file, .line = line, .column = 1},
		};
	}
	input->value = (struct value){.text = rest, .file = file, .line = line, .column = 1};
	for (char *s = input->text; s < input->text + size; s++)
		if (*s == '~')
			*s = '\n';
	input->rules.sets = input->sets;
}

/* "fuzz.ini:LINE:COLUMN: reason" of a place that there is in one of the values. */
static void
check_place(const struct input *input, const char *text)
{
	unsigned line = 0, column = 0;
	int end = 0;
	PROMISE(sscanf(text, "fuzz.ini:%u:%u: %n", &line, &column, &end) == 2);
	PROMISE(end > 0 && text[end] != '\0');
	PROMISE(line >= 1 && column >= 1);
	bool found = false;
	for (size_t i = 0; i <= input->rules.set_count && !found; i++) {
		const struct value *value =
			i < input->rules.set_count ? &input->sets[i].value : &input->value;
		const char *s = value->text;
		for (unsigned n = value->line; n < line && s != NULL; n++)
			if ((s = strchr(s, '\n')) != NULL)
				s++;
		found = s != NULL && line >= value->line && column <= strcspn(s, "\n") + 1;
	}
	PROMISE(found);
}

/* All objects of a kind have size of CPUs 0-15, the last one what is left. */
static void
fake_objects(struct topology *topology, enum topology_kind kind, unsigned size)
{
	static uint16_t cpus[16];
	static struct topology_object items[TOPOLOGY_KINDS][17];
	struct topology_objects *objects = &topology->objects[kind];
	*objects = (struct topology_objects){.items = items[kind], .known = true};
	for (unsigned i = 0; i < 16; i++)
		cpus[i] = (uint16_t)i;
	for (unsigned first = 0; first < 16; first += size)
		items[kind][objects->count++] = (struct topology_object){
			.number = first,
			.cpus = &cpus[first],
			.cpu_count = first + size <= 16 ? size : 16 - first,
		};
}

/* Some cores are in two packages; node 2 has memory only. */
static void
fake_host(struct topology *topology)
{
	*topology = (struct topology){.root = -1};
	for (int i = 0; i < TOPOLOGY_SETS; i++)
		topology->sets[i].known = true;
	cpumask_set_range(&topology->sets[TOPOLOGY_ONLINE].mask, 0, 15);
	cpumask_set_range(&topology->sets[TOPOLOGY_PRESENT].mask, 0, 31);
	cpumask_set_range(&topology->sets[TOPOLOGY_ISOLATED].mask, 8, 11);
	cpumask_set_range(&topology->sets[TOPOLOGY_PCORES].mask, 0, 7);
	cpumask_set_range(&topology->sets[TOPOLOGY_ECORES].mask, 8, 15);
	fake_objects(topology, TOPOLOGY_NODE, 8);
	topology->objects[TOPOLOGY_NODE].items[2].cpu_count = 0;
	topology->objects[TOPOLOGY_NODE].count++;
	fake_objects(topology, TOPOLOGY_PACKAGE, 8);
	fake_objects(topology, TOPOLOGY_L3, 4);
	fake_objects(topology, TOPOLOGY_CORE, 3);
	fake_objects(topology, TOPOLOGY_PU, 1);
}

/* Evaluates once; true with *mask, or false. */
static bool
evaluate(const struct input *input, struct cpuset_expr *expr, struct cpumask *mask)
{
	struct cpumask before;
	struct err e = {.text = ""};
	memset(mask, 0x5a, sizeof(*mask));
	before = *mask;
	if (cpuset_expr_eval(expr, &input->value, mask, &e) != 0) {
		PROMISE(cpumask_equal(mask, &before));
		check_place(input, e.text);
		return false;
	}
	PROMISE(expr->depth == 0);
	return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input;
	make_input(data, size, &input);
	struct topology host, other;
	fake_host(&host);
	struct cpuset_expr expr = {.rules = &input.rules, .topology = &host};
	struct cpumask mask, again;
	bool good = evaluate(&input, &expr, &mask);
	if (good)
		PROMISE(!cpumask_empty(&mask));

	/* The second time with every name known already; the answer does not change. */
	PROMISE(evaluate(&input, &expr, &again) == good);
	PROMISE(!good || cpumask_equal(&mask, &again));
	cpuset_expr_free(&expr);

	/* A text that can be evaluated on some host passes the check without a host. */
	struct cpuset_expr check = {.rules = &input.rules};
	bool sound = evaluate(&input, &check, &again);
	PROMISE(!good || sound);
	cpuset_expr_free(&check);

	/* On a host without isolated CPUs it fails, or means the same or less or more, never
	 * nothing. */
	fake_host(&other);
	other.sets[TOPOLOGY_ISOLATED].mask = (struct cpumask){0};
	struct cpuset_expr elsewhere = {.rules = &input.rules, .topology = &other};
	if (evaluate(&input, &elsewhere, &again))
		PROMISE(!cpumask_empty(&again) && good && cpumask_equal(&mask, &again));
	cpuset_expr_free(&elsewhere);

	size_t offset = SIZE_MAX, length = 0;
	if (cpuset_expr_exclusion_first(input.value.text, &offset, &length)) {
		PROMISE(offset + length <= strlen(input.value.text) && length > 0);
		PROMISE(input.value.text[offset] == '^');
	}
	free(input.text);
	return 0;
}
