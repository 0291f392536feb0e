/* The values of a pickle and their memory. SPDX-License-Identifier: Apache-2.0 */
#include "checkpoint/pickle.h"

#include "base/memory.h"

#include <string.h>

#define BLOCK_SIZE ((size_t)64 << 10)

/* Values never move, because they point at each other; so memory comes in blocks that are linked. */
typedef struct lancet_pickle_block {
    struct lancet_pickle_block *before;
    size_t size;
    _Alignas(16) char bytes[];
} block;

/* A piece of memory of the pickle's, aligned for pointers. */
static void *take(lancet_pickle *pickle, size_t size)
{
    block *newest = pickle->memory;
    void *piece;

    size = (size + 15) & ~(size_t)15;
    if (!newest || size > newest->size - pickle->memory_used) {
        const size_t whole = size > BLOCK_SIZE ? size : BLOCK_SIZE;

        pickle->full = whole > LANCET_PICKLE_MEMORY_MAX - pickle->memory_total;
        if (pickle->full)
            return NULL;
        newest = lancet_allocate(1, sizeof *newest + whole);
        if (!newest)
            return NULL;
        *newest = (block){.before = pickle->memory, .size = whole};
        pickle->memory = newest;
        pickle->memory_used = 0;
        pickle->memory_total += whole;
    }
    piece = newest->bytes + pickle->memory_used;
    pickle->memory_used += size;
    return piece;
}

lancet_pickle_value *lancet_pickle_new(lancet_pickle *pickle, lancet_pickle_kind kind)
{
    lancet_pickle_value *value = take(pickle, sizeof *value);

    if (value)
        *value = (lancet_pickle_value){.kind = kind};
    return value;
}

bool lancet_pickle_append(lancet_pickle *pickle, lancet_pickle_value *value,
                          lancet_pickle_value *const *items, size_t count)
{
    if (count > value->capacity - value->count) {
        /* Exactly what is asked for at first: tuples never grow. The old items are left to the blocks. */
        const size_t need = value->count + count, twice = value->capacity * 2;
        const size_t capacity = need > twice ? need : twice;
        lancet_pickle_value **moved;

        moved = take(pickle, capacity * sizeof *moved);
        if (!moved)
            return false;
        if (value->count)
            memcpy(moved, value->items, value->count * sizeof *moved);
        value->items = moved;
        value->capacity = capacity;
    }
    if (count)
        memcpy(value->items + value->count, items, count * sizeof *items);
    value->count += count;
    return true;
}

bool lancet_pickle_is(const lancet_pickle_value *value, const char *text)
{
    return value->kind == LANCET_PICKLE_TEXT && value->count == strlen(text) &&
           memcmp(value->bytes, text, value->count) == 0;
}

const lancet_pickle_value *lancet_pickle_find(const lancet_pickle_value *dictionary, const char *key)
{
    for (size_t i = dictionary->count; i >= 2; i -= 2)
        if (lancet_pickle_is(dictionary->items[i - 2], key))
            return dictionary->items[i - 1];
    return NULL;
}

const char *lancet_pickle_kind_name(lancet_pickle_kind kind)
{
    static const char *const names[] = {
        [LANCET_PICKLE_NONE] = "None",
        [LANCET_PICKLE_BOOLEAN] = "a truth value",
        [LANCET_PICKLE_INTEGER] = "a whole number",
        [LANCET_PICKLE_LARGE] = "a whole number of more than 64 bits",
        [LANCET_PICKLE_REAL] = "a number",
        [LANCET_PICKLE_TEXT] = "a text",
        [LANCET_PICKLE_BYTES] = "bytes",
        [LANCET_PICKLE_TUPLE] = "a tuple",
        [LANCET_PICKLE_LIST] = "a list",
        [LANCET_PICKLE_SET] = "a set",
        [LANCET_PICKLE_DICTIONARY] = "a dictionary",
        [LANCET_PICKLE_NAME] = "a function or class",
        [LANCET_PICKLE_CALL] = "an object",
        [LANCET_PICKLE_PERSISTENT] = "a storage",
    };

    return names[kind];
}

void lancet_pickle_close(lancet_pickle *pickle)
{
    for (block *at = pickle->memory, *before; at; at = before) {
        before = at->before;
        lancet_free(at);
    }
    *pickle = (lancet_pickle){0};
}
