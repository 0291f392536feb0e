/* The small vocabulary of the tests in all the forms that people have. SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_CLIP_TEXT_VOCABULARIES_H
#define TESTS_CLIP_TEXT_VOCABULARIES_H

#include "support/files.h"

#include "lancet/text.h"

#include <jansson.h>

/** Where merges.txt, vocab.json and strings.jsonl lie (tools/generate/text_cases.py made them and says
 * how). */
#define TEXT_DATA TESTS_FOLDER "/clip/text/data"

/** The 512 symbols, 517 merges and two special tokens of data/. */
#define TEXT_DATA_SIZE 1031

/** Opens a vocabulary that has to be sound. */
static inline lancet_vocabulary *vocabulary_open(const char *path)
{
    lancet_vocabulary *vocabulary;
    lancet_error error = {LANCET_OK, "nothing said"};

    if (lancet_vocabulary_open(&vocabulary, path, &error) != LANCET_OK)
        fail_msg("%s", error.message);
    return vocabulary;
}

/** data/vocab.json; json_decref it. */
static inline json_t *vocabulary_tokens(void)
{
    json_t *tokens = json_load_file(TEXT_DATA "/vocab.json", JSON_REJECT_DUPLICATES, NULL);

    assert_non_null(tokens);
    return tokens;
}

/** data/vocab.json and data/merges.txt as a tokenizer.json. pairs: each merge as a list of two, as
 * newer files have it. json_decref it. */
static inline json_t *vocabulary_tokenizer(bool pairs)
{
    char *text = file_read(TEXT_DATA "/merges.txt", NULL);
    json_t *merges = json_array(), *added = json_array(), *tokens = vocabulary_tokens();
    static const char *const special[] = {"<|startoftext|>", "<|endoftext|>"};
    json_t *root;

    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        char *space = strchr(line, ' ');

        if (line[0] == '#' && line[1] == 'v')
            continue;
        assert_non_null(space);
        json_array_append_new(merges, pairs ? json_pack("[s%, s]", line, (size_t)(space - line), space + 1)
                                            : json_string(line));
    }
    for (int i = 0; i < 2; i++)
        json_array_append_new(
            added, json_pack("{s:O, s:s}", "id", json_object_get(tokens, special[i]), "content", special[i]));
    root = json_pack("{s:s, s:o, s:{s:s, s:s, s:o, s:o}}", "version", "1.0", "added_tokens", added, "model",
                     "type", "BPE", "end_of_word_suffix", "</w>", "vocab", tokens, "merges", merges);
    assert_non_null(root);
    free(text);
    return root;
}

/** Writes and frees a JSON value. */
static inline void json_write(const char *path, json_t *value)
{
    assert_int_equal(json_dump_file(value, path, 0), 0);
    json_decref(value);
}

/** CLIP's own vocabulary, which is not part of this repository: beside the golden vectors. NULL if it
 * is not here. */
static inline const char *clip_vocabulary(void)
{
    const char *golden = golden_folder(".");
    const char *path = golden ? path_of(golden, "../vocabulary/bpe_simple_vocab_16e6.txt.gz") : NULL;

    return path && path_exists(path) ? path : NULL;
}

/** The same, leaving the test as skipped where it is not. */
static inline const char *clip_vocabulary_needed(void)
{
    const char *path = clip_vocabulary();

    if (!path) {
        print_message("skipped: CLIP's own vocabulary is not here\n");
        skip();
    }
    return path;
}

#endif
