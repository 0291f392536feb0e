/* The finished vocabulary. SPDX-License-Identifier: Apache-2.0 */
#include "clip/text/vocabulary.h"

#include "base/utf8.h"
#include "clip/text/alphabet.h"
#include "clip/text/vocabulary_builder.h"

#include <string.h>

/* Indexes the merges by their pairs, in a table at most half full. */
static lancet_status index_merges(lancet_vocabulary *vocabulary, lancet_error *error)
{
    size_t slots = 1024;

    while (slots < vocabulary->merge_count * 2)
        slots *= 2;
    vocabulary->slots = lancet_allocate_zero(slots, sizeof *vocabulary->slots);
    if (!vocabulary->slots)
        return lancet_fail_memory(error, "a vocabulary");
    vocabulary->slot_mask = slots - 1;
    vocabulary->seed = lancet_fresh_seed(vocabulary);
    for (size_t rank = 0; rank < vocabulary->merge_count; rank++) {
        const lancet_merge *merge = &vocabulary->merges[rank];
        const size_t slot = lancet_vocabulary_slot(vocabulary, merge->left, merge->right);

        if (vocabulary->slots[slot])
            return lancet_fail(error, LANCET_ERROR_INPUT, "%s: merges %u and %zu are the same pair",
                               vocabulary->path, vocabulary->slots[slot], rank + 1);
        vocabulary->slots[slot] = (uint32_t)rank + 1;
    }
    return LANCET_OK;
}

/* The bytes that a symbol (without its word end) is spelled for; false if it is spelled for none, or memory
 * is out. */
static bool unspell(lancet_buffer *bytes, const char *symbol, size_t length)
{
    lancet_buffer_clear(bytes);
    for (size_t at = 0; at < length;) {
        uint32_t point;
        const size_t step = lancet_utf8_read(&point, symbol + at, length - at);
        const int byte = step ? lancet_alphabet_byte(point) : -1;
        const char spelled = (char)byte;

        if (byte < 0 || !lancet_buffer_append(bytes, &spelled, 1))
            return false;
        at += step;
    }
    return true;
}

/* Appends one token as people see it, with its zero. */
static bool show(lancet_buffer *texts, lancet_buffer *bytes, const char *symbol, size_t length)
{
    const bool end = length > 4 && memcmp(symbol + length - 4, LANCET_WORD_END, 4) == 0;

    if (!unspell(bytes, symbol, end ? length - 4 : length)) {
        lancet_buffer_append(texts, symbol, length); /* an added token, in its own words */
    } else {
        for (size_t at = 0; at < bytes->length;) {
            uint32_t point;
            const size_t step = lancet_utf8_read(&point, bytes->bytes + at, bytes->length - at);

            if (step && point >= ' ' && point != 0x7F)
                lancet_buffer_append(texts, bytes->bytes + at, step);
            else
                lancet_buffer_print(texts, "<%02X>", (unsigned)(unsigned char)bytes->bytes[at]);
            at += step ? step : 1;
        }
        lancet_buffer_append(texts, " ", end);
    }
    lancet_buffer_append(texts, "", 1);
    return !texts->failed && !bytes->failed;
}

static lancet_status show_all(lancet_vocabulary *vocabulary, const lancet_builder *builder,
                              lancet_error *error)
{
    lancet_buffer texts = {0}, bytes = {0};
    lancet_status status = LANCET_OK;

    vocabulary->text_at = lancet_allocate(builder->count, sizeof *vocabulary->text_at);
    if (!vocabulary->text_at)
        return lancet_fail_memory(error, "a vocabulary");
    for (size_t id = 0; id < builder->count && status == LANCET_OK; id++) {
        size_t length;
        const char *symbol = lancet_builder_text(builder, id, &length);

        vocabulary->text_at[id] = texts.length;
        if (!show(&texts, &bytes, symbol, length))
            status = lancet_fail_memory(error, "a vocabulary");
    }
    lancet_buffer_close(&bytes);
    vocabulary->texts = texts.bytes; /* freed with the vocabulary, also if cut short */
    return status;
}

/* Looks up the tokens that every vocabulary needs. */
static lancet_status find_base(lancet_vocabulary *vocabulary, const lancet_builder *builder,
                               lancet_error *error)
{
    vocabulary->start = lancet_builder_find(builder, LANCET_TOKEN_START, strlen(LANCET_TOKEN_START));
    vocabulary->end = lancet_builder_find(builder, LANCET_TOKEN_END, strlen(LANCET_TOKEN_END));
    if (vocabulary->start < 0 || vocabulary->end < 0)
        return lancet_fail(error, LANCET_ERROR_INPUT, "%s: the token \"%s\" is missing", builder->name,
                           vocabulary->start < 0 ? LANCET_TOKEN_START : LANCET_TOKEN_END);
    for (unsigned byte = 0; byte < 256; byte++) {
        for (unsigned end = 0; end < 2; end++) {
            char symbol[8];
            const size_t length = lancet_alphabet_spell(symbol, byte, end != 0);
            const int32_t id = lancet_builder_find(builder, symbol, length);

            if (id < 0)
                return lancet_fail(
                    error, LANCET_ERROR_INPUT,
                    "%s: the token \"%.*s\" of byte 0x%02X is missing: expected all 256 byte symbols, "
                    "with and without " LANCET_WORD_END,
                    builder->name, (int)length, symbol, byte);
            vocabulary->bytes[byte][end] = id;
        }
    }
    return LANCET_OK;
}

lancet_status lancet_builder_finish(lancet_vocabulary **result, lancet_builder *builder, lancet_error *error)
{
    lancet_vocabulary *vocabulary = lancet_allocate_zero(1, sizeof *vocabulary);
    lancet_status status;

    *result = NULL;
    if (!vocabulary)
        return lancet_fail_memory(error, "a vocabulary");
    vocabulary->size = builder->count;
    vocabulary->path = lancet_copy_text(builder->name, strlen(builder->name));
    status =
        vocabulary->path ? find_base(vocabulary, builder, error) : lancet_fail_memory(error, "a vocabulary");
    if (status != LANCET_OK)
        goto done;
    vocabulary->merges = builder->merges;
    vocabulary->merge_count = builder->merge_count;
    builder->merges = NULL;
    builder->merge_count = builder->merge_capacity = 0;
    status = index_merges(vocabulary, error);
    if (status == LANCET_OK)
        status = show_all(vocabulary, builder, error);
    vocabulary->symbols = builder->symbols.bytes;
    vocabulary->symbol_at = builder->symbol_at;
    builder->symbols = (lancet_buffer){0};
    builder->symbol_at = NULL;
done:
    if (status != LANCET_OK)
        lancet_vocabulary_close(&vocabulary);
    *result = vocabulary;
    return status;
}

void lancet_vocabulary_close(lancet_vocabulary **vocabulary)
{
    if (!vocabulary || !*vocabulary)
        return;
    lancet_free((*vocabulary)->path);
    lancet_free((*vocabulary)->merges);
    lancet_free((*vocabulary)->slots);
    lancet_free((*vocabulary)->symbols);
    lancet_free((*vocabulary)->symbol_at);
    lancet_free((*vocabulary)->texts);
    lancet_free((*vocabulary)->text_at);
    lancet_free(*vocabulary);
    *vocabulary = NULL;
}

const char *lancet_vocabulary_path(const lancet_vocabulary *vocabulary)
{
    return vocabulary->path;
}

size_t lancet_vocabulary_size(const lancet_vocabulary *vocabulary)
{
    return vocabulary->size;
}

int32_t lancet_vocabulary_start(const lancet_vocabulary *vocabulary)
{
    return vocabulary->start;
}

int32_t lancet_vocabulary_end(const lancet_vocabulary *vocabulary)
{
    return vocabulary->end;
}

const char *lancet_vocabulary_token(const lancet_vocabulary *vocabulary, int32_t id)
{
    if (id < 0 || (size_t)id >= vocabulary->size)
        return NULL;
    return vocabulary->texts + vocabulary->text_at[id];
}
