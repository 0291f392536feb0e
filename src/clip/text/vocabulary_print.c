/* Writing a vocabulary down. SPDX-License-Identifier: Apache-2.0 */
#include "clip/text/vocabulary.h"

#include "checkpoint/json.h"
#include "clip/text/alphabet.h"

static void print_symbol(lancet_buffer *out, const lancet_vocabulary *vocabulary, int32_t id)
{
    const size_t at = vocabulary->symbol_at[id];

    lancet_buffer_append(out, vocabulary->symbols + at, vocabulary->symbol_at[id + 1] - at);
}

/* Bytes in CLIP's order, what each merge makes, start, end: then the merges alone tell all. */
static bool follows_rule(const lancet_vocabulary *vocabulary)
{
    const size_t merges = vocabulary->merge_count;

    if (vocabulary->size != 512 + merges + 2 || (size_t)vocabulary->start != 512 + merges ||
        (size_t)vocabulary->end != 513 + merges)
        return false;
    for (unsigned index = 0; index < 512; index++)
        if (vocabulary->bytes[lancet_alphabet_ordered(index % 256)][index >= 256] != (int32_t)index)
            return false;
    for (size_t rank = 0; rank < merges; rank++)
        if ((size_t)vocabulary->merges[rank].result != 512 + rank)
            return false;
    return merges > 0; /* a text without merges is taken for no vocabulary at all */
}

static void print_merges(lancet_buffer *out, const lancet_vocabulary *vocabulary)
{
    lancet_buffer_print(out, "#version: 0.2\n");
    for (size_t rank = 0; rank < vocabulary->merge_count; rank++) {
        print_symbol(out, vocabulary, vocabulary->merges[rank].left);
        lancet_buffer_append(out, " ", 1);
        print_symbol(out, vocabulary, vocabulary->merges[rank].right);
        lancet_buffer_append(out, "\n", 1);
    }
}

/* `text` is working memory. */
static void print_quoted(lancet_buffer *out, lancet_buffer *text, const lancet_vocabulary *vocabulary,
                         int32_t id)
{
    lancet_buffer_clear(text);
    print_symbol(text, vocabulary, id);
    if (text->failed)
        out->failed = true;
    else
        lancet_json_print(out, text->bytes);
}

static void print_tokenizer(lancet_buffer *out, const lancet_vocabulary *vocabulary)
{
    lancet_buffer text = {0};

    lancet_buffer_print(out, "{\"model\":{\"type\":\"BPE\",\"end_of_word_suffix\":\"%s\",\"vocab\":{",
                        LANCET_WORD_END);
    for (size_t id = 0; id < vocabulary->size; id++) {
        lancet_buffer_append(out, ",", id > 0);
        print_quoted(out, &text, vocabulary, (int32_t)id);
        lancet_buffer_print(out, ":%zu", id);
    }
    lancet_buffer_print(out, "},\"merges\":[");
    for (size_t rank = 0; rank < vocabulary->merge_count; rank++) {
        lancet_buffer_print(out, rank ? ",[" : "[");
        print_quoted(out, &text, vocabulary, vocabulary->merges[rank].left);
        lancet_buffer_append(out, ",", 1);
        print_quoted(out, &text, vocabulary, vocabulary->merges[rank].right);
        lancet_buffer_append(out, "]", 1);
    }
    lancet_buffer_print(out, "]}}");
    lancet_buffer_close(&text);
}

bool lancet_vocabulary_print(lancet_buffer *out, const lancet_vocabulary *vocabulary)
{
    if (follows_rule(vocabulary))
        print_merges(out, vocabulary);
    else
        print_tokenizer(out, vocabulary);
    return !out->failed;
}
