/* Inside a vocabulary. SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_CLIP_TEXT_VOCABULARY_H
#define LANCET_CLIP_TEXT_VOCABULARY_H

#include "base/memory.h"
#include "base/status.h"
#include "lancet/text.h"

/** Ids, ranks and sizes stay below this, far above any CLIP. */
#define LANCET_VOCABULARY_SIZE_MAX ((size_t)1 << 20)

/** The two special tokens. */
#define LANCET_TOKEN_START "<|startoftext|>"
#define LANCET_TOKEN_END   "<|endoftext|>"

/** One merge: `left` next to `right` becomes `result`. */
typedef struct lancet_merge {
    int32_t left, right, result;
} lancet_merge;

struct lancet_vocabulary {
    char *path;
    size_t size;
    int32_t start, end;
    int32_t bytes[256][2]; /**< the symbol of each byte, and of that byte at the end of a word */

    lancet_merge *merges; /**< [merge_count], by rank: the earlier merge wins */
    size_t merge_count;
    uint32_t *slots; /**< [slot_mask + 1]: open addressing over the merges by their pair: rank + 1, or 0 */
    size_t slot_mask;
    uint64_t seed; /**< another in each run, so that no file can be made to collide */

    char *symbols;     /**< the tokens as files spell them, one after the other */
    size_t *symbol_at; /**< [size + 1] where each begins */

    char *texts;     /**< the tokens as shown to people, each with its zero */
    size_t *text_at; /**< [size] where each begins */
};

/** The slot of the merge of two tokens, or the empty slot where it would be. */
static inline size_t lancet_vocabulary_slot(const lancet_vocabulary *vocabulary, int32_t left, int32_t right)
{
    uint64_t hash = ((uint64_t)(uint32_t)left << 32 | (uint32_t)right) ^ vocabulary->seed;
    size_t slot;

    hash *= 0x9E3779B97F4A7C15u;
    hash ^= hash >> 32;
    hash *= 0xD6E8FEB86659FD93u;
    slot = (size_t)(hash >> 32) & vocabulary->slot_mask;
    while (vocabulary->slots[slot]) {
        const lancet_merge *merge = &vocabulary->merges[vocabulary->slots[slot] - 1];

        if (merge->left == left && merge->right == right)
            break;
        slot = (slot + 1) & vocabulary->slot_mask;
    }
    return slot;
}

/** The rank of the merge of two tokens; UINT32_MAX if they do not merge. */
static inline uint32_t lancet_vocabulary_rank(const lancet_vocabulary *vocabulary, int32_t left,
                                              int32_t right)
{
    return vocabulary->slots[lancet_vocabulary_slot(vocabulary, left, right)] - 1;
}

/** Appends the vocabulary as a text from which lancet_vocabulary_read makes the same one: a merges.txt if its
 * ids follow CLIP's rule, a tokenizer.json otherwise. False if memory is out. */
bool lancet_vocabulary_print(lancet_buffer *out, const lancet_vocabulary *vocabulary);

#endif
