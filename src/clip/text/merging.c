/* The published rule: among the neighbours of a word take the pair of the lowest rank, merge all its
 * occurrences from left to right, and start again until no pair is known. Doing so literally costs the square
 * of the word's length. Here a queue holds every known pair by rank and then position; one round takes all
 * entries of one rank. What a round brings forth waits until the round is over if its rank is lower, as it
 * would in the literal form (that happens only in vocabularies where several merges make the same token).
 * SPDX-License-Identifier: Apache-2.0 */
#include "clip/text/merging.h"

#include "base/memory.h"

#include <string.h>

#define NOBODY UINT32_MAX

/* `array` with room for `need` elements: itself, or a larger copy in its place; NULL (and `array` kept) if
 * memory is out. */
static void *reserve(void *array, size_t *capacity, size_t count, size_t need, size_t size)
{
    size_t grown = *capacity ? *capacity : 64;
    void *memory;

    if (need <= *capacity)
        return array;
    while (grown < need)
        grown *= 2;
    memory = lancet_allocate(grown, size);
    if (!memory)
        return NULL;
    if (count)
        memcpy(memory, array, count * size);
    lancet_free(array);
    *capacity = grown;
    return memory;
}

/* Appends to one of the two arrays of entries. */
static bool append(uint64_t **entries, size_t *count, size_t *capacity, uint64_t entry)
{
    uint64_t *grown = reserve(*entries, capacity, *count, *count + 1, sizeof entry);

    if (!grown)
        return false;
    *entries = grown;
    grown[(*count)++] = entry;
    return true;
}

static bool queue_push(lancet_merger *merger, uint64_t entry)
{
    size_t at = merger->queue_count;

    if (!append(&merger->queue, &merger->queue_count, &merger->queue_capacity, entry))
        return false;
    while (at > 0 && merger->queue[(at - 1) / 2] > entry) {
        merger->queue[at] = merger->queue[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    merger->queue[at] = entry;
    return true;
}

static uint64_t queue_pop(lancet_merger *merger)
{
    const uint64_t first = merger->queue[0];
    const uint64_t moved = merger->queue[--merger->queue_count];
    const size_t count = merger->queue_count;
    size_t at = 0;

    for (size_t child = 1; child < count; child = 2 * at + 1) {
        if (child + 1 < count && merger->queue[child + 1] < merger->queue[child])
            child++;
        if (merger->queue[child] >= moved)
            break;
        merger->queue[at] = merger->queue[child];
        at = child;
    }
    if (count)
        merger->queue[at] = moved;
    return first;
}

/* Puts the pair that begins at `left` into the queue, or aside if a round of a higher rank is under way. */
static bool offer(lancet_merger *merger, const lancet_vocabulary *vocabulary, uint32_t left, uint64_t round)
{
    const uint32_t right = merger->symbols[left].next;
    uint64_t rank;

    if (right == NOBODY)
        return true;
    rank = lancet_vocabulary_rank(vocabulary, merger->symbols[left].id, merger->symbols[right].id);
    if (rank == UINT32_MAX)
        return true;
    if (rank >= round)
        return queue_push(merger, rank << 32 | left);
    return append(&merger->later, &merger->later_count, &merger->later_capacity, rank << 32 | left);
}

/* All merges of the rank that is first in the queue. */
static bool merge_round(lancet_merger *merger, const lancet_vocabulary *vocabulary)
{
    const uint64_t rank = merger->queue[0] >> 32;
    const lancet_merge *merge = &vocabulary->merges[rank];

    while (merger->queue_count && merger->queue[0] >> 32 == rank) {
        const uint32_t at = (uint32_t)queue_pop(merger);
        lancet_symbol *left = &merger->symbols[at];
        lancet_symbol *right = left->next == NOBODY ? NULL : &merger->symbols[left->next];

        /* Either side may have gone into another merge since the pair was queued. */
        if (!right || left->id != merge->left || right->id != merge->right)
            continue;
        left->id = merge->result;
        left->end = right->end;
        left->next = right->next;
        right->id = -1;
        if (left->next != NOBODY)
            merger->symbols[left->next].previous = at;
        if (!offer(merger, vocabulary, at, rank))
            return false;
        if (left->previous != NOBODY && !offer(merger, vocabulary, left->previous, rank))
            return false;
    }
    while (merger->later_count) {
        if (!queue_push(merger, merger->later[--merger->later_count]))
            return false;
    }
    return true;
}

bool lancet_merge_word(lancet_merger *merger, const lancet_vocabulary *vocabulary, const char *word,
                       size_t length)
{
    lancet_symbol *symbols =
        reserve(merger->symbols, &merger->symbol_capacity, 0, length, sizeof *merger->symbols);

    if (!symbols)
        return false;
    merger->symbols = symbols;
    merger->queue_count = merger->later_count = 0;
    for (size_t i = 0; i < length; i++) {
        lancet_symbol *symbol = &merger->symbols[i];

        symbol->id = vocabulary->bytes[(unsigned char)word[i]][i + 1 == length];
        symbol->previous = i > 0 ? (uint32_t)i - 1 : NOBODY;
        symbol->next = i + 1 < length ? (uint32_t)i + 1 : NOBODY;
        symbol->end = (uint32_t)i + 1;
    }
    for (size_t i = 0; i + 1 < length; i++) {
        if (!offer(merger, vocabulary, (uint32_t)i, 0))
            return false;
    }
    while (merger->queue_count) {
        if (!merge_round(merger, vocabulary))
            return false;
    }
    return true;
}

void lancet_merger_close(lancet_merger *merger)
{
    lancet_free(merger->symbols);
    lancet_free(merger->queue);
    lancet_free(merger->later);
    *merger = (lancet_merger){0};
}
