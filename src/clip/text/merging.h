/* Byte-pair merging of one word. SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_CLIP_TEXT_MERGING_H
#define LANCET_CLIP_TEXT_MERGING_H

#include "clip/text/vocabulary.h"

#include <stdbool.h>

/** One symbol of a word: a node in a list that shrinks as neighbours merge. */
typedef struct lancet_symbol {
    int32_t id; /**< -1: merged into a symbol before it */
    uint32_t previous, next;
    uint32_t end; /**< the offset in the word just past its last byte */
} lancet_symbol;

/** Working memory, kept from one word to the next. Zero-initialised is empty. */
typedef struct lancet_merger {
    lancet_symbol *symbols;
    size_t symbol_capacity;
    uint64_t *queue; /**< a heap of rank << 32 | position */
    size_t queue_count, queue_capacity;
    uint64_t *later; /**< what joins the queue after the present round */
    size_t later_count, later_capacity;
} lancet_merger;

/** Merges the bytes of `word` (at least one) into tokens. The result is the list that starts at
 * symbols[0] and follows `next` up to UINT32_MAX.
 * False if memory is out.
 *
 * Time is n log n in the length of the word, however it is made. */
bool lancet_merge_word(lancet_merger *merger, const lancet_vocabulary *vocabulary, const char *word,
                       size_t length);

void lancet_merger_close(lancet_merger *merger);

#endif
