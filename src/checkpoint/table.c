/* SPDX-License-Identifier: Apache-2.0 */
#include "checkpoint/table.h"

#include "base/memory.h"
#include "checkpoint/show.h"

#include <stdlib.h>
#include <string.h>

/* Room for one more item in a growing array of items. */
static bool reserve(void **items, size_t count, size_t *capacity, size_t size)
{
    const size_t larger = *capacity ? *capacity * 2 : 64;
    void *moved;

    if (count < *capacity)
        return true;
    moved = larger > *capacity ? lancet_allocate(larger, size) : NULL;
    if (!moved)
        return false;
    if (count)
        memcpy(moved, *items, count * size);
    lancet_free(*items);
    *items = moved;
    *capacity = larger;
    return true;
}

lancet_entry *lancet_table_add(lancet_table *table)
{
    void *items = table->entries;
    const bool done = reserve(&items, table->count, &table->capacity, sizeof *table->entries);

    table->entries = items;
    if (!done)
        return NULL;
    table->entries[table->count] = (lancet_entry){0};
    return &table->entries[table->count++];
}

lancet_pair *lancet_table_add_pair(lancet_table *table)
{
    void *items = table->pairs;
    const bool done = reserve(&items, table->pair_count, &table->pair_capacity, sizeof *table->pairs);

    table->pairs = items;
    if (!done)
        return NULL;
    table->pairs[table->pair_count] = (lancet_pair){0};
    return &table->pairs[table->pair_count++];
}

/* Readable entries first, then by place; names, of which no two are the same, break ties the same way on
 * every run. */
static int compare_places(const void *left, const void *right)
{
    const lancet_entry *a = left, *b = right;

    if ((a->unreadable != NULL) != (b->unreadable != NULL))
        return a->unreadable ? 1 : -1;
    if (a->begin != b->begin)
        return a->begin < b->begin ? -1 : 1;
    if (a->end != b->end)
        return a->end < b->end ? -1 : 1;
    return strcmp(a->tensor.name, b->tensor.name);
}

/* By place alone: what cannot be read takes up room all the same. */
static int compare_bytes(const void *left, const void *right)
{
    const lancet_entry *a = left, *b = right;

    if (a->begin != b->begin)
        return a->begin < b->begin ? -1 : 1;
    return a->end < b->end ? -1 : a->end > b->end;
}

static int compare_names(const void *left, const void *right)
{
    const lancet_entry *const *a = left, *const *b = right;

    return strcmp((*a)->tensor.name, (*b)->tensor.name);
}

static int compare_keys(const void *left, const void *right)
{
    const lancet_pair *a = left, *b = right;

    return strcmp(a->key, b->key);
}

void *lancet_table_own(lancet_table *table, size_t size)
{
    void *items = table->owned;
    const bool done = reserve(&items, table->owned_count, &table->owned_capacity, sizeof *table->owned);
    void *memory = done ? lancet_allocate(size, 1) : NULL;

    table->owned = items;
    if (memory)
        table->owned[table->owned_count++] = memory;
    return memory;
}

void lancet_table_sort(lancet_table *table)
{
    if (table->count)
        qsort(table->entries, table->count, sizeof *table->entries, compare_bytes);
}

/* Training wrappers put their own name before every tensor's; true if this one did. */
static bool strip_wrapper(lancet_table *table, const char *wrapper)
{
    const size_t length = strlen(wrapper);

    for (size_t i = 0; i < table->count; i++)
        if (strncmp(table->entries[i].tensor.name, wrapper, length) != 0)
            return false;
    for (size_t i = 0; i < table->count; i++)
        table->entries[i].tensor.name += length;
    return table->count > 0;
}

/* They come one inside another, in any order; each once at most. */
static void strip_wrappers(lancet_table *table)
{
    const char *wrappers[] = {"state_dict.", "module.", "_orig_mod.", "model."};
    bool again = true;

    while (again) {
        again = false;
        for (size_t i = 0; i < sizeof wrappers / sizeof *wrappers; i++)
            if (wrappers[i] && strip_wrapper(table, wrappers[i])) {
                wrappers[i] = NULL;
                again = true;
            }
    }
}

/* Sorted names rather than a hash: a file's author can make names collide, but cannot make a sort slow. */
lancet_status lancet_table_finish(lancet_table *table, const char *path, lancet_error *error)
{
    char shown[96];

    strip_wrappers(table);
    if (table->count)
        qsort(table->entries, table->count, sizeof *table->entries, compare_places);
    if (table->pair_count)
        qsort(table->pairs, table->pair_count, sizeof *table->pairs, compare_keys);
    table->by_name = lancet_allocate(table->count, sizeof *table->by_name);
    if (!table->by_name)
        return lancet_fail_memory(error, path);
    for (size_t i = 0; i < table->count; i++) {
        table->by_name[i] = &table->entries[i];
        table->readable += !table->entries[i].unreadable;
    }
    if (table->count)
        qsort(table->by_name, table->count, sizeof *table->by_name, compare_names);
    for (size_t i = 1; i < table->count; i++)
        if (compare_names(&table->by_name[i - 1], &table->by_name[i]) == 0)
            return lancet_fail(error, LANCET_ERROR_INPUT, "%s: tensor %s: is there twice", path,
                               lancet_show(shown, sizeof shown, table->by_name[i]->tensor.name));
    for (size_t i = 1; i < table->pair_count; i++)
        if (compare_keys(&table->pairs[i - 1], &table->pairs[i]) == 0)
            return lancet_fail(error, LANCET_ERROR_INPUT, "%s: metadata %s: is there twice", path,
                               lancet_show(shown, sizeof shown, table->pairs[i].key));
    return LANCET_OK;
}

/* The first entry that is not before `name`. */
static size_t lower_bound(const lancet_table *table, const char *name)
{
    size_t low = 0, high = table->count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;

        if (strcmp(table->by_name[middle]->tensor.name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const lancet_entry *lancet_table_find(const lancet_table *table, const char *name)
{
    const size_t i = lower_bound(table, name);

    return i < table->count && strcmp(table->by_name[i]->tensor.name, name) == 0 ? table->by_name[i] : NULL;
}

const lancet_entry *lancet_table_find_prefix(const lancet_table *table, const char *prefix)
{
    const size_t i = lower_bound(table, prefix);

    return i < table->count && strncmp(table->by_name[i]->tensor.name, prefix, strlen(prefix)) == 0
               ? table->by_name[i]
               : NULL;
}

void lancet_table_close(lancet_table *table)
{
    lancet_free(table->entries);
    lancet_free(table->by_name);
    lancet_free(table->pairs);
    lancet_free(table->strings);
    for (size_t i = 0; i < table->owned_count; i++)
        lancet_free(table->owned[i]);
    lancet_free(table->owned);
    *table = (lancet_table){0};
}
