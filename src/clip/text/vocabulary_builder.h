/* Putting a vocabulary together, whatever file it comes from. SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_CLIP_TEXT_VOCABULARY_BUILDER_H
#define LANCET_CLIP_TEXT_VOCABULARY_BUILDER_H

#include "base/memory.h"
#include "clip/text/vocabulary.h"

/** A vocabulary in the making: symbols get the ids 0, 1, 2, ... in the order they are added.
 * Zero-initialised is empty. */
typedef struct lancet_builder {
    const char *name;      /**< the file that messages name */
    lancet_buffer symbols; /**< every symbol, spelled in CLIP's byte alphabet, one after the other */
    size_t *symbol_at;     /**< [count + 1] where each begins */
    size_t count, capacity;
    uint32_t *slots; /**< open addressing over the symbols: id + 1, or 0 */
    size_t slot_mask;
    uint64_t seed;
    lancet_merge *merges; /**< [merge_count] */
    size_t merge_count, merge_capacity;
    lancet_buffer joined; /**< working memory of lancet_builder_merge */
} lancet_builder;

/** A number that a file cannot foresee, for the hash tables (where the system happened to put this
 * process). */
uint64_t lancet_fresh_seed(const void *memory);

/** The id of a symbol; -1 if there is none. */
int32_t lancet_builder_find(const lancet_builder *builder, const char *symbol, size_t length);

/** Symbol `id` and its length; not zero-terminated. */
const char *lancet_builder_text(const lancet_builder *builder, size_t id, size_t *length);

/** Adds a symbol with the next id.
 * Errors: INPUT (it is there already, it is empty, too many), MEMORY. */
lancet_status lancet_builder_symbol(lancet_builder *builder, const char *symbol, size_t length,
                                    lancet_error *error);

/** Adds the 512 byte symbols in CLIP's order. */
lancet_status lancet_builder_alphabet(lancet_builder *builder, lancet_error *error);

/** The two parts of a merge, as a file spells them. */
typedef struct lancet_merge_text {
    const char *left, *right;
    size_t left_length, right_length;
    const char *file; /**< for messages */
    size_t number;    /**< for messages: the line, or the place in the list, from 1 */
    const char *unit; /**< for messages: "line" or "merge" */
} lancet_merge_text;

/** Adds a merge with the next rank. If `is_new`, what it makes is a new symbol and gets the next id;
 * otherwise it has to be there.
 * Errors: INPUT (a part is unknown, ...), MEMORY. */
lancet_status lancet_builder_merge(lancet_builder *builder, const lancet_merge_text *text, bool is_new,
                                   lancet_error *error);

/** Makes the vocabulary; the builder can only be closed afterwards.
 * Errors: INPUT (a byte symbol or special token is missing, a merge is there twice), MEMORY. */
lancet_status lancet_builder_finish(lancet_vocabulary **vocabulary, lancet_builder *builder,
                                    lancet_error *error);

void lancet_builder_close(lancet_builder *builder);

#endif
