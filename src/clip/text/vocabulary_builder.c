/* SPDX-License-Identifier: Apache-2.0 */
#include "clip/text/vocabulary_builder.h"

#include "clip/text/alphabet.h"
#include "clip/text/excerpt.h"

#include <string.h>
#include <xxhash.h>

uint64_t lancet_fresh_seed(const void *memory)
{
    const uintptr_t places[2] = {(uintptr_t)memory, (uintptr_t)&memory};

    return XXH3_64bits(places, sizeof places);
}

/* ---- Symbols --------------------------------------------------------------------------------- */

const char *lancet_builder_text(const lancet_builder *builder, size_t id, size_t *length)
{
    *length = builder->symbol_at[id + 1] - builder->symbol_at[id];
    return builder->symbols.bytes + builder->symbol_at[id];
}

/* The slot that holds the symbol, or the empty one where it belongs. */
static size_t find_slot(const lancet_builder *builder, const char *symbol, size_t length)
{
    size_t slot = (size_t)XXH3_64bits_withSeed(symbol, length, builder->seed) & builder->slot_mask;

    while (builder->slots[slot]) {
        size_t other;
        const char *text = lancet_builder_text(builder, builder->slots[slot] - 1, &other);

        if (other == length && memcmp(text, symbol, length) == 0)
            break;
        slot = (slot + 1) & builder->slot_mask;
    }
    return slot;
}

int32_t lancet_builder_find(const lancet_builder *builder, const char *symbol, size_t length)
{
    return builder->slots ? (int32_t)builder->slots[find_slot(builder, symbol, length)] - 1 : -1;
}

/* Doubles the room for symbols; the table is rebuilt, half full at most. */
static lancet_status grow(lancet_builder *builder, lancet_error *error)
{
    const size_t capacity = builder->capacity ? builder->capacity * 2 : 1024;
    size_t *symbol_at = lancet_allocate(capacity + 1, sizeof *symbol_at);
    uint32_t *slots = lancet_allocate_zero(capacity * 2, sizeof *slots);

    if (!symbol_at || !slots) {
        lancet_free(symbol_at);
        lancet_free(slots);
        return lancet_fail_memory(error, "a vocabulary");
    }
    if (builder->capacity)
        memcpy(symbol_at, builder->symbol_at, (builder->count + 1) * sizeof *symbol_at);
    else
        builder->seed = lancet_fresh_seed(slots);
    symbol_at[builder->count] = builder->symbols.length;
    lancet_free(builder->symbol_at);
    lancet_free(builder->slots);
    builder->symbol_at = symbol_at;
    builder->slots = slots;
    builder->capacity = capacity;
    builder->slot_mask = capacity * 2 - 1;
    for (size_t id = 0; id < builder->count; id++) {
        size_t length;
        const char *symbol = lancet_builder_text(builder, id, &length);

        slots[find_slot(builder, symbol, length)] = (uint32_t)id + 1;
    }
    return LANCET_OK;
}

lancet_status lancet_builder_symbol(lancet_builder *builder, const char *symbol, size_t length,
                                    lancet_error *error)
{
    size_t slot;

    if (length == 0)
        return lancet_fail(error, LANCET_ERROR_INPUT, "%s: token %zu is empty", builder->name,
                           builder->count);
    if (builder->count >= LANCET_VOCABULARY_SIZE_MAX)
        return lancet_fail(error, LANCET_ERROR_INPUT, "%s: expected at most %zu tokens, found more",
                           builder->name, LANCET_VOCABULARY_SIZE_MAX);
    if (builder->count == builder->capacity) {
        const lancet_status status = grow(builder, error);

        if (status != LANCET_OK)
            return status;
    }
    slot = find_slot(builder, symbol, length);
    if (builder->slots[slot])
        return lancet_fail(error, LANCET_ERROR_INPUT,
                           "%s: the token \"%s\" is there twice, with ids %u and %zu", builder->name,
                           lancet_excerpt_of(symbol, length).text, builder->slots[slot] - 1, builder->count);
    if (!lancet_buffer_append(&builder->symbols, symbol, length))
        return lancet_fail_memory(error, "a vocabulary");
    builder->slots[slot] = (uint32_t)++builder->count;
    builder->symbol_at[builder->count] = builder->symbols.length;
    return LANCET_OK;
}

lancet_status lancet_builder_alphabet(lancet_builder *builder, lancet_error *error)
{
    for (unsigned index = 0; index < 512; index++) {
        char symbol[8];
        const size_t length =
            lancet_alphabet_spell(symbol, lancet_alphabet_ordered(index % 256), index >= 256);
        const lancet_status status = lancet_builder_symbol(builder, symbol, length, error);

        if (status != LANCET_OK)
            return status;
    }
    return LANCET_OK;
}

/* ---- Merges ---------------------------------------------------------------------------------- */

static lancet_status unknown_part(const lancet_merge_text *text, const char *part, size_t length, bool is_new,
                                  lancet_error *error)
{
    return lancet_fail(error, LANCET_ERROR_INPUT, "%s: %s %zu: the symbol \"%s\" is %s", text->file,
                       text->unit, text->number, lancet_excerpt_of(part, length).text,
                       is_new ? "neither a byte's nor made by a merge before it" : "not among the tokens");
}

static bool push_merge(lancet_builder *builder, lancet_merge merge)
{
    if (builder->merge_count == builder->merge_capacity) {
        const size_t capacity = builder->merge_capacity ? builder->merge_capacity * 2 : 1024;
        lancet_merge *merges = lancet_allocate(capacity, sizeof *merges);

        if (!merges)
            return false;
        if (builder->merge_count)
            memcpy(merges, builder->merges, builder->merge_count * sizeof *merges);
        lancet_free(builder->merges);
        builder->merges = merges;
        builder->merge_capacity = capacity;
    }
    builder->merges[builder->merge_count++] = merge;
    return true;
}

lancet_status lancet_builder_merge(lancet_builder *builder, const lancet_merge_text *text, bool is_new,
                                   lancet_error *error)
{
    lancet_buffer *joined = &builder->joined;
    lancet_merge merge;
    lancet_status status;

    merge.left = lancet_builder_find(builder, text->left, text->left_length);
    merge.right = lancet_builder_find(builder, text->right, text->right_length);
    if (merge.left < 0)
        return unknown_part(text, text->left, text->left_length, is_new, error);
    if (merge.right < 0)
        return unknown_part(text, text->right, text->right_length, is_new, error);
    if (builder->merge_count >= LANCET_VOCABULARY_SIZE_MAX)
        return lancet_fail(error, LANCET_ERROR_INPUT, "%s: expected at most %zu merges, found more",
                           text->file, LANCET_VOCABULARY_SIZE_MAX);
    lancet_buffer_clear(joined);
    lancet_buffer_append(joined, text->left, text->left_length);
    if (!lancet_buffer_append(joined, text->right, text->right_length))
        return lancet_fail_memory(error, "a vocabulary");
    merge.result = lancet_builder_find(builder, joined->bytes, joined->length);
    if (is_new && merge.result >= 0)
        return lancet_fail(
            error, LANCET_ERROR_INPUT,
            "%s: %s %zu: makes \"%s\", which is token %d already; expected a new one, as there is no "
            "vocab.json beside the file",
            text->file, text->unit, text->number, lancet_excerpt_of(joined->bytes, joined->length).text,
            (int)merge.result);
    if (!is_new && merge.result < 0)
        return lancet_fail(error, LANCET_ERROR_INPUT,
                           "%s: %s %zu: makes \"%s\", which is not among the tokens", text->file, text->unit,
                           text->number, lancet_excerpt_of(joined->bytes, joined->length).text);
    if (is_new) {
        merge.result = (int32_t)builder->count;
        status = lancet_builder_symbol(builder, joined->bytes, joined->length, error);
        if (status != LANCET_OK)
            return status;
    }
    return push_merge(builder, merge) ? LANCET_OK : lancet_fail_memory(error, "a vocabulary");
}

void lancet_builder_close(lancet_builder *builder)
{
    lancet_buffer_close(&builder->symbols);
    lancet_buffer_close(&builder->joined);
    lancet_free(builder->symbol_at);
    lancet_free(builder->slots);
    lancet_free(builder->merges);
    *builder = (lancet_builder){0};
}
