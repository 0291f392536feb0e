/* Text to tokens. SPDX-License-Identifier: Apache-2.0 */
#include "base/memory.h"
#include "base/utf8.h"
#include "clip/text/characters.h"
#include "clip/text/merging.h"
#include "clip/text/normalize.h"

#include <string.h>

/* What lancet_tokens keeps from one text to the next. */
struct lancet_tokens_memory {
    lancet_buffer text;
    lancet_normalizer normalizer;
    lancet_merger merger;
    int32_t *ids;
    size_t *ends;
    size_t capacity;
};

/* ---- Words ----------------------------------------------------------------------------------- */

/* The letter s also matches the long s, wherever the published pattern has it: that is its case variant.
 * Returns the bytes it takes, 0 if text[0] is not `letter`. */
static size_t match_letter(const char *text, size_t length, char letter)
{
    if (length > 0 && text[0] == letter)
        return 1;
    if (letter == 's' && length > 1 && memcmp(text, "\u017F", 2) == 0)
        return 2;
    return 0;
}

static size_t match_literal(const char *text, size_t length, const char *literal)
{
    size_t at = 0;

    for (; *literal; literal++) {
        const size_t step = match_letter(text + at, length - at, *literal);

        if (!step)
            return 0;
        at += step;
    }
    return at;
}

static lancet_character class_at(const char *text, size_t length, size_t *step)
{
    uint32_t point;
    const unsigned char byte = (unsigned char)*text;

    if (byte < 0x80) {
        *step = 1;
        if ((byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z'))
            return LANCET_CHARACTER_LETTER;
        if (byte >= '0' && byte <= '9')
            return LANCET_CHARACTER_NUMBER;
        return byte == ' ' || (byte >= 0x09 && byte <= 0x0D) ? LANCET_CHARACTER_SPACE
                                                             : LANCET_CHARACTER_OTHER;
    }
    *step = lancet_utf8_read(&point, text, length);
    return lancet_character_class(point);
}

/* The length in bytes of the word at text[0], and in *skipped of what stands before it and belongs to no
 * word. Both are 0 at the end of the text. */
static size_t next_word(size_t *skipped, const char *text, size_t length)
{
    static const char *const literals[] = {
        LANCET_TOKEN_START, LANCET_TOKEN_END, "'s", "'t", "'re", "'ve", "'m", "'ll", "'d"};
    size_t start = 0, end, step;
    lancet_character class;

    for (;; start += step) {
        if (start == length) {
            *skipped = start;
            return 0;
        }
        class = class_at(text + start, length - start, &step);
        if (class != LANCET_CHARACTER_SPACE && class != LANCET_CHARACTER_NONE)
            break;
    }
    *skipped = start;
    if (text[start] == '<' || text[start] == '\'') {
        for (size_t i = 0; i < sizeof literals / sizeof *literals; i++) {
            const size_t taken = match_literal(text + start, length - start, literals[i]);

            if (taken)
                return taken;
        }
    }
    end = start + step;
    while (class != LANCET_CHARACTER_NUMBER && end < length &&
           class_at(text + end, length - end, &step) == class)
        end += step;
    return end - start;
}

/* ---- Tokens ---------------------------------------------------------------------------------- */

static bool push_token(lancet_tokens *tokens, int32_t id, size_t end)
{
    struct lancet_tokens_memory *memory = tokens->memory;

    if (tokens->count == memory->capacity) {
        const size_t capacity = memory->capacity ? memory->capacity * 2 : 128;
        int32_t *ids = lancet_allocate(capacity, sizeof *ids);
        size_t *ends = lancet_allocate(capacity, sizeof *ends);

        if (!ids || !ends) {
            lancet_free(ids);
            lancet_free(ends);
            return false;
        }
        if (tokens->count) {
            memcpy(ids, memory->ids, tokens->count * sizeof *ids);
            memcpy(ends, memory->ends, tokens->count * sizeof *ends);
        }
        lancet_free(memory->ids);
        lancet_free(memory->ends);
        memory->ids = ids;
        memory->ends = ends;
        memory->capacity = capacity;
    }
    memory->ids[tokens->count] = id;
    memory->ends[tokens->count++] = end;
    return true;
}

static bool is_word(const char *word, size_t length, const char *other)
{
    return length == strlen(other) && memcmp(word, other, length) == 0;
}

static bool push_word(lancet_tokens *tokens, const lancet_vocabulary *vocabulary, size_t start, size_t length)
{
    lancet_merger *merger = &tokens->memory->merger;
    const char *word = tokens->memory->text.bytes + start;

    if (is_word(word, length, LANCET_TOKEN_START))
        return push_token(tokens, vocabulary->start, start + length);
    if (is_word(word, length, LANCET_TOKEN_END))
        return push_token(tokens, vocabulary->end, start + length);
    if (!lancet_merge_word(merger, vocabulary, word, length))
        return false;
    for (uint32_t i = 0; i != UINT32_MAX; i = merger->symbols[i].next) {
        if (!push_token(tokens, merger->symbols[i].id, start + merger->symbols[i].end))
            return false;
    }
    return true;
}

static lancet_status fail(lancet_tokens *tokens, lancet_status status)
{
    tokens->count = tokens->length = 0;
    if (tokens->memory) {
        lancet_buffer_clear(&tokens->memory->text);
        tokens->ids = tokens->memory->ids; /* they may have moved before it failed */
        tokens->ends = tokens->memory->ends;
        tokens->text = tokens->memory->text.bytes;
    }
    return status;
}

lancet_status lancet_tokenize_bytes(lancet_tokens *tokens, const lancet_vocabulary *vocabulary,
                                    const char *text, size_t length, lancet_error *error)
{
    struct lancet_tokens_memory *memory;
    lancet_status status;

    if (!tokens)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "lancet_tokenize: expected a place for the tokens");
    if (!vocabulary || (!text && length))
        return fail(tokens,
                    lancet_fail(error, LANCET_ERROR_ARGUMENT, "lancet_tokenize: expected %s, found NULL",
                                vocabulary ? "a text" : "a vocabulary"));
    if (length > LANCET_TEXT_LENGTH_MAX)
        return fail(tokens, lancet_fail(error, LANCET_ERROR_ARGUMENT,
                                        "expected a text of at most %zu bytes, found %zu",
                                        LANCET_TEXT_LENGTH_MAX, length));
    if (!tokens->memory)
        tokens->memory = lancet_allocate_zero(1, sizeof *tokens->memory);
    memory = tokens->memory;
    if (!memory)
        return fail(tokens, lancet_fail_memory(error, "tokens"));
    status = lancet_normalize(&memory->text, &memory->normalizer, text, length, error);
    if (status != LANCET_OK)
        return fail(tokens, status);
    tokens->count = 0;
    for (size_t at = 0, word, skipped; at < memory->text.length; at += skipped + word) {
        word = next_word(&skipped, memory->text.bytes + at, memory->text.length - at);
        if (word && !push_word(tokens, vocabulary, at + skipped, word))
            return fail(tokens, lancet_fail_memory(error, "tokens"));
    }
    tokens->ids = memory->ids;
    tokens->ends = memory->ends;
    tokens->text = memory->text.bytes;
    tokens->length = memory->text.length;
    return LANCET_OK;
}

lancet_status lancet_tokenize(lancet_tokens *tokens, const lancet_vocabulary *vocabulary, const char *text,
                              lancet_error *error)
{
    if (tokens && !text)
        return fail(tokens, lancet_fail(error, LANCET_ERROR_ARGUMENT,
                                        "lancet_tokenize: expected a text, found NULL"));
    return lancet_tokenize_bytes(tokens, vocabulary, text, text ? strlen(text) : 0, error);
}

void lancet_tokens_close(lancet_tokens *tokens)
{
    if (!tokens)
        return;
    if (tokens->memory) {
        lancet_buffer_close(&tokens->memory->text);
        lancet_normalizer_close(&tokens->memory->normalizer);
        lancet_merger_close(&tokens->memory->merger);
        lancet_free(tokens->memory->ids);
        lancet_free(tokens->memory->ends);
        lancet_free(tokens->memory);
    }
    *tokens = (lancet_tokens){0};
}

/* ---- Context --------------------------------------------------------------------------------- */

/* Where the text begins that the first `kept` tokens do not show: at a character that is not a space. */
static size_t rest_of_text(const lancet_tokens *tokens, size_t kept)
{
    size_t at = kept > 0 ? tokens->ends[kept - 1] : 0;

    while (at > 0 && at < tokens->length && ((unsigned char)tokens->text[at] & 0xC0) == 0x80)
        at--; /* the cut went through a character */
    while (at < tokens->length && tokens->text[at] == ' ')
        at++;
    return at;
}

lancet_status lancet_tokens_context(int32_t *ids, size_t context, lancet_tokens_loss *loss,
                                    const lancet_tokens *tokens, const lancet_vocabulary *vocabulary,
                                    lancet_error *error)
{
    size_t kept;

    if (!ids || !tokens || !vocabulary)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "lancet_tokens_context: expected %s, found NULL",
                           !ids      ? "a place for the ids"
                           : !tokens ? "tokens"
                                     : "a vocabulary");
    if (context < 2)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                           "lancet_tokens_context: expected a context of at least 2, found %zu", context);
    kept = tokens->count < context - 2 ? tokens->count : context - 2;
    ids[0] = vocabulary->start;
    if (kept)
        memcpy(ids + 1, tokens->ids, kept * sizeof *ids);
    ids[kept + 1] = vocabulary->end;
    if (context > kept + 2)
        memset(ids + kept + 2, 0, (context - kept - 2) * sizeof *ids);
    if (loss) {
        loss->count = tokens->count - kept;
        loss->offset = loss->count ? rest_of_text(tokens, kept) : tokens->length;
    }
    return LANCET_OK;
}
