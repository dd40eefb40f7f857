#include "desired/desired.h"

#include "desired/one_to_one.h"

#include <stdlib.h>

static int
compare_wishes(const void *a, const void *b)
{
	return group_compare(
		((const struct wish_group *)a)->group, ((const struct wish_group *)b)->group);
}

static void
add_group(struct wish *wish, enum group_kind kind, unsigned id)
{
	wish->groups[wish->group_count++].group = (struct group){.kind = kind, .id = id};
}

static int
list_groups(struct wish *wish, const struct matched *matched, const struct domain *domain,
	const struct group *running, size_t count)
{
	size_t most = 1 + domain->vcpus + domain->iothread_count + count, kept = 0;
	wish->groups = calloc(most, sizeof(*wish->groups));
	if (wish->groups == NULL)
		return -1;
	add_group(wish, GROUP_EMULATOR, 0);
	for (unsigned id = 0; id < domain->vcpus; id++)
		add_group(wish, GROUP_VCPU, id);
	for (size_t i = 0; i < domain->iothread_count; i++)
		add_group(wish, GROUP_IOTHREAD, domain->iothreads[i]);
	for (size_t i = 0; i < count; i++)
		add_group(wish, running[i].kind, running[i].id);
	qsort(wish->groups, wish->group_count, sizeof(*wish->groups), compare_wishes);
	for (size_t i = 0; i < wish->group_count; i++)
		if (kept == 0 || compare_wishes(&wish->groups[kept - 1], &wish->groups[i]) != 0)
			wish->groups[kept++] = wish->groups[i];
	wish->group_count = kept;
	for (size_t i = 0; i < kept; i++)
		wish->groups[i].setting = rules_setting(matched, wish->groups[i].group);
	return 0;
}

static bool
wants_mask(const struct wish_group *group)
{
	return group->setting != NULL && !setting_is_keep(group->setting);
}

/* The mask of a setting: the one that is there already, or the next free one, evaluated. */
static const struct wish_mask *
mask_of(struct wish *wish, const struct setting *setting, struct cpuexpr *expr,
	const struct cpumask *usable, struct err *e)
{
	for (size_t i = wish->mask_count; i-- > 0;)
		if (wish->masks[i].setting == setting)
			return &wish->masks[i];
	struct wish_mask *mask = &wish->masks[wish->mask_count];
	if (cpuexpr_eval(expr, &setting->value, &mask->asked, e) != 0)
		return NULL;
	mask->setting = setting;
	mask->cpus = mask->asked;
	cpumask_and(&mask->cpus, usable);
	wish->mask_count++;
	return mask;
}

/*
 * As many masks as there are different settings; neighbours mostly share theirs, so this may count
 * too many.
 */
static size_t
count_masks(const struct wish *wish)
{
	size_t count = 0;
	const struct setting *last = NULL;
	for (size_t i = 0; i < wish->group_count; i++) {
		if (wants_mask(&wish->groups[i]) && wish->groups[i].setting != last)
			count++;
		last = wish->groups[i].setting;
	}
	return count;
}

static int
evaluate(struct wish *wish, struct cpuexpr *expr, const struct cpumask *usable, struct err *e)
{
	wish->masks = calloc(count_masks(wish) + 1, sizeof(*wish->masks));
	if (wish->masks == NULL)
		return err_set(e, "out of memory");
	for (size_t i = 0; i < wish->group_count; i++) {
		struct wish_group *group = &wish->groups[i];
		if (!wants_mask(group))
			continue;
		group->mask = mask_of(wish, group->setting, expr, usable, e);
		if (group->mask == NULL)
			return -1;
	}
	return 0;
}

/*
 * A key for a single vCPU or a range that lies wholly outside the guest: a note, it may be plugged
 * in later.
 */
static void
note_absent(const struct wish *wish, const struct matched *matched, const struct domain *domain,
	struct notes *notes)
{
	for (size_t i = 0; i < matched->count; i++)
		for (size_t j = 0; j < matched->rules[i]->setting_count; j++) {
			const struct setting *s = &matched->rules[i]->settings[j];
			bool there = s->every;
			for (size_t k = 0; k < wish->group_count && !there; k++) {
				struct group group = wish->groups[k].group;
				there = group.kind == s->kind && group.id >= s->first &&
					group.id <= s->last;
			}
			char key[SETTING_KEY_MAX];
			if (there)
				continue;
			notes_add(notes, NOTE_INFO,
				"%s:%u: %s: no such %s in this guest, which %s %u", s->value.file,
				s->value.line, setting_key(s, key),
				s->kind == GROUP_VCPU ? "vCPU" : "iothread",
				s->kind == GROUP_VCPU ? "can have" : "has",
				s->kind == GROUP_VCPU ? domain->vcpus
						      : (unsigned)domain->iothread_count);
		}
}

int
placement(const struct matched *matched, const struct domain *domain, const struct group *running,
	size_t count, struct cpuexpr *expr, const struct cpumask *usable, struct wish *wish,
	struct notes *notes, struct err *e)
{
	*wish = (struct wish){0};
	if (list_groups(wish, matched, domain, running, count) != 0)
		return err_set(e, "out of memory");
	note_absent(wish, matched, domain, notes);
	const struct value *one_to_one = rules_one_to_one(matched);
	if (evaluate(wish, expr, usable, e) != 0 ||
		(one_to_one != NULL &&
			pairing(wish, one_to_one, domain, expr->topology, notes, e) != 0)) {
		wish_free(wish);
		return -1;
	}
	return 0;
}

void
wish_free(struct wish *wish)
{
	free(wish->masks);
	free(wish->singles);
	free(wish->groups);
	*wish = (struct wish){0};
}

const struct wish_group *
wish_find(const struct wish *wish, struct group group)
{
	struct wish_group key = {.group = group};
	return bsearch(&key, wish->groups, wish->group_count, sizeof(key), compare_wishes);
}
