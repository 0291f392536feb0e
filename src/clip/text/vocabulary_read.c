/* SPDX-License-Identifier: Apache-2.0 */
#include "clip/text/vocabulary_read.h"

#include "base/utf8.h"
#include "clip/text/excerpt.h"

#include <string.h>

/* What the first line of CLIP's own file contains, and of any file of merges that says what it is. */
static const char clip_header[] = "bpe_simple_vocab";
static const char version_header[] = "#version:";

/* One line without its end; *next is where the following one begins. */
static size_t read_line(const char *text, size_t length, size_t *next)
{
    const char *end = length ? memchr(text, '\n', length) : NULL;
    size_t line = end ? (size_t)(end - text) : length;

    *next = end ? line + 1 : length;
    return line > 0 && text[line - 1] == '\r' ? line - 1 : line;
}

static bool line_contains(const lancet_bytes *file, const char *word)
{
    const size_t length = strlen(word);
    size_t next;
    const size_t line = read_line(file->bytes, file->length, &next);

    for (size_t at = 0; at + length <= line; at++) {
        if (memcmp(file->bytes + at, word, length) == 0)
            return true;
    }
    return false;
}

lancet_vocabulary_kind lancet_vocabulary_recognise(const lancet_bytes *file)
{
    size_t at = 0;

    if (file->length >= 2 && (unsigned char)file->bytes[0] == 0x1F && (unsigned char)file->bytes[1] == 0x8B)
        return LANCET_VOCABULARY_GZIP;
    while (at < file->length && memchr(" \t\r\n", file->bytes[at], 4))
        at++;
    /* "{ x" would be a merge, but no file of merges begins with one that is this rare. */
    if (at < file->length && file->bytes[at] == '{')
        return LANCET_VOCABULARY_JSON;
    return line_contains(file, clip_header) ? LANCET_VOCABULARY_CLIP_TEXT : LANCET_VOCABULARY_MERGES_TEXT;
}

/* Splits "left right"; false if the line is anything else. */
static bool split_merge(lancet_merge_text *merge, const char *line, size_t length)
{
    const char *space = length ? memchr(line, ' ', length) : NULL;

    if (!space || space == line || space + 1 == line + length)
        return false;
    merge->left = line;
    merge->left_length = (size_t)(space - line);
    merge->right = space + 1;
    merge->right_length = length - merge->left_length - 1;
    return !memchr(merge->right, ' ', merge->right_length);
}

lancet_status lancet_read_merges(lancet_builder *builder, const lancet_bytes *text, bool is_new,
                                 lancet_error *error)
{
    const bool clip = line_contains(text, clip_header);
    const size_t most = clip ? LANCET_VOCABULARY_CLIP_MERGES : LANCET_VOCABULARY_SIZE_MAX;
    lancet_merge_text merge = {.file = text->name, .number = 1, .unit = "line"};
    const size_t wrong = lancet_utf8_check(text->bytes, text->length);
    size_t at = 0, next = 0, length, blank = 0;

    if (wrong < text->length)
        return lancet_fail(error, LANCET_ERROR_INPUT,
                           "%s: expected UTF-8 text, found byte 0x%02X at offset %zu", text->name,
                           (unsigned)(unsigned char)text->bytes[wrong], wrong);
    if (clip || line_contains(text, version_header)) {
        read_line(text->bytes, text->length, &at);
        merge.number++;
    }
    for (; at < text->length && builder->merge_count < most; at += next, merge.number++) {
        lancet_status status;

        length = read_line(text->bytes + at, text->length - at, &next);
        if (length == 0) { /* nothing at the end of the file, a mistake anywhere else */
            if (!blank)
                blank = merge.number;
            continue;
        }
        if (blank)
            return lancet_fail(error, LANCET_ERROR_INPUT, "%s: line %zu is empty, with more lines behind it",
                               text->name, blank);
        if (!split_merge(&merge, text->bytes + at, length))
            return lancet_fail(error, LANCET_ERROR_INPUT,
                               "%s: line %zu: expected two symbols with one space between them, found \"%s\"",
                               text->name, merge.number, lancet_excerpt_of(text->bytes + at, length).text);
        status = lancet_builder_merge(builder, &merge, is_new, error);
        if (status != LANCET_OK)
            return status;
    }
    if (clip && builder->merge_count < most)
        return lancet_fail(error, LANCET_ERROR_INPUT,
                           "%s: cut short: expected at least %d merges in CLIP's own vocabulary, found %zu",
                           text->name, LANCET_VOCABULARY_CLIP_MERGES, builder->merge_count);
    return LANCET_OK;
}

/* CLIP's rule for a file of merges alone: bytes, merges, special tokens. */
static lancet_status read_alone(lancet_builder *builder, const lancet_bytes *text, lancet_error *error)
{
    lancet_status status = lancet_builder_alphabet(builder, error);

    if (status == LANCET_OK)
        status = lancet_read_merges(builder, text, true, error);
    if (status == LANCET_OK && builder->merge_count == 0)
        status =
            lancet_fail(error, LANCET_ERROR_INPUT, "%s: expected a vocabulary, found no merges", text->name);
    if (status == LANCET_OK)
        status = lancet_builder_symbol(builder, LANCET_TOKEN_START, strlen(LANCET_TOKEN_START), error);
    if (status == LANCET_OK)
        status = lancet_builder_symbol(builder, LANCET_TOKEN_END, strlen(LANCET_TOKEN_END), error);
    return status;
}

lancet_status lancet_vocabulary_read(lancet_vocabulary **vocabulary, const lancet_bytes *file,
                                     const lancet_bytes *beside, lancet_error *error)
{
    lancet_builder builder = {.name = file->name};
    lancet_buffer unpacked = {0};
    lancet_status status = LANCET_OK;
    bool has_merges = true;

    *vocabulary = NULL;
    if (file->length > LANCET_VOCABULARY_FILE_MAX ||
        (beside && beside->length > LANCET_VOCABULARY_FILE_MAX)) {
        const lancet_bytes *longer = file->length > LANCET_VOCABULARY_FILE_MAX ? file : beside;

        return lancet_fail(error, LANCET_ERROR_INPUT,
                           "%s: expected a vocabulary of at most %zu bytes, found %zu", longer->name,
                           LANCET_VOCABULARY_FILE_MAX, longer->length);
    }
    switch (lancet_vocabulary_recognise(file)) {
    case LANCET_VOCABULARY_GZIP:
        status = lancet_read_gzip(&unpacked, file, error);
        if (status == LANCET_OK)
            status =
                read_alone(&builder, &(lancet_bytes){file->name, unpacked.bytes, unpacked.length}, error);
        break;
    case LANCET_VOCABULARY_CLIP_TEXT:
        status = read_alone(&builder, file, error);
        break;
    case LANCET_VOCABULARY_MERGES_TEXT:
        if (beside) {
            bool other_merges;

            status = lancet_read_json(&builder, &other_merges, beside, error);
            if (status == LANCET_OK && other_merges)
                status = lancet_fail(error, LANCET_ERROR_INPUT,
                                     "%s: expected tokens with their ids, found a tokenizer", beside->name);
            if (status == LANCET_OK)
                status = lancet_read_merges(&builder, file, false, error);
        } else {
            status = read_alone(&builder, file, error);
        }
        break;
    case LANCET_VOCABULARY_JSON:
        status = lancet_read_json(&builder, &has_merges, file, error);
        if (status == LANCET_OK && !has_merges && !beside)
            status = lancet_fail(error, LANCET_ERROR_INPUT,
                                 "%s: expected its merges.txt beside it, found none", file->name);
        else if (status == LANCET_OK && !has_merges)
            status = lancet_read_merges(&builder, beside, false, error);
        break;
    }
    if (status == LANCET_OK)
        status = lancet_builder_finish(vocabulary, &builder, error);
    lancet_buffer_close(&unpacked);
    lancet_builder_close(&builder);
    return status;
}
