/* Text to tokens, against the published tokenizer. SPDX-License-Identifier: Apache-2.0 */
#include "clip/text/vocabularies.h"

/* The start of a .npy file of int32 or int64 is all that is needed here: [rows, 77]. */
static long long npy_at(const char *bytes, size_t index)
{
    const size_t header = 10 + (size_t)(unsigned char)bytes[8] + 256 * (size_t)(unsigned char)bytes[9];
    int32_t narrow;
    long long wide;

    if (strstr(bytes + 10, "<i4")) {
        memcpy(&narrow, bytes + header + index * 4, 4);
        return narrow;
    }
    assert_non_null(strstr(bytes + 10, "<i8"));
    memcpy(&wide, bytes + header + index * 8, 8);
    return wide;
}

static void tokenize(lancet_tokens *tokens, const lancet_vocabulary *vocabulary, const char *text)
{
    lancet_error error = {LANCET_OK, "nothing said"};

    if (lancet_tokenize(tokens, vocabulary, text, &error) != LANCET_OK)
        fail_msg("\"%s\": %s", text, error.message);
}

static void check_ids(const lancet_tokens *tokens, const json_t *ids, const char *text)
{
    bool same = tokens->count == json_array_size(ids);

    for (size_t i = 0; same && i < tokens->count; i++)
        same = tokens->ids[i] == json_integer_value(json_array_get(ids, i));
    if (!same) {
        char *expected = json_dumps(ids, 0);

        print_message("\"%s\" became \"%s\"\nexpected %s\nfound    [", text, tokens->text, expected);
        for (size_t i = 0; i < tokens->count; i++)
            print_message("%s%d", i ? ", " : "", (int)tokens->ids[i]);
        fail_msg("]");
    }
}

/* Replays a file of strings; those that the published tokenizer repairs (`repair`) are left out. Returns how
 * many were compared. */
static size_t replay(const lancet_vocabulary *vocabulary, const char *path)
{
    FILE *file = fopen(path, "r");
    lancet_tokens tokens = {0};
    static char line[1 << 16];
    size_t compared = 0;

    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        json_t *string = json_loads(line, JSON_ALLOW_NUL, NULL);
        const json_t *text = json_object_get(string, "text"), *ends = json_object_get(string, "ends");
        const char *normalized = json_string_value(json_object_get(string, "normalized"));

        assert_non_null(string);
        if (!json_is_true(json_object_get(string, "repair"))) {
            assert_int_equal(lancet_tokenize_bytes(&tokens, vocabulary, json_string_value(text),
                                                   json_string_length(text), NULL),
                             LANCET_OK);
            check_ids(&tokens, json_object_get(string, "ids"), json_string_value(text));
            assert_int_equal(strlen(tokens.text), tokens.length);
            if (normalized)
                assert_string_equal(tokens.text, normalized);
            for (size_t i = 0; ends && i < tokens.count; i++)
                assert_int_equal(tokens.ends[i], json_integer_value(json_array_get(ends, i)));
            compared++;
        }
        json_decref(string);
    }
    lancet_tokens_close(&tokens);
    fclose(file);
    return compared;
}

static void test_own_strings(void **state)
{
    lancet_vocabulary *vocabulary = vocabulary_open(TEXT_DATA);

    (void)state;
    assert_int_equal(replay(vocabulary, TEXT_DATA "/strings.jsonl"), 600);
    lancet_vocabulary_close(&vocabulary);
}

static void test_golden_strings(void **state)
{
    const char *path = path_of(golden_needed("tokenizer"), "strings.jsonl");
    lancet_vocabulary *vocabulary = vocabulary_open(clip_vocabulary_needed());

    (void)state;
    assert_true(replay(vocabulary, path) > 2800);
    lancet_vocabulary_close(&vocabulary);
}

/* The token matrices of the golden models: their manifests' texts, laid out for 77 positions. */
static void check_matrix(const lancet_vocabulary *vocabulary, const char *folder)
{
    json_t *manifest = json_load_file(path_of(folder, "manifest.json"), 0, NULL);
    const json_t *texts = json_object_get(json_object_get(manifest, "model"), "token_texts");
    char *matrix = file_read(path_of(folder, "text/tokens.npy"), NULL);
    lancet_tokens tokens = {0};
    int32_t ids[77];

    assert_non_null(matrix);
    assert_true(json_array_size(texts) > 0);
    for (size_t i = 0; i < json_array_size(texts); i++) {
        lancet_tokens_loss loss;

        tokenize(&tokens, vocabulary, json_string_value(json_array_get(texts, i)));
        assert_int_equal(lancet_tokens_context(ids, 77, &loss, &tokens, vocabulary, NULL), LANCET_OK);
        for (size_t k = 0; k < 77; k++)
            assert_int_equal(ids[k], npy_at(matrix, i * 77 + k));
    }
    lancet_tokens_close(&tokens);
    json_decref(manifest);
    free(matrix);
}

static void test_golden_matrices(void **state)
{
    static const char *const names[] = {"vit_a", "rn_a"};
    lancet_vocabulary *vocabulary = vocabulary_open(clip_vocabulary_needed());

    (void)state;
    for (size_t i = 0; i < 2; i++)
        check_matrix(vocabulary, golden_needed(names[i]));
    lancet_vocabulary_close(&vocabulary);
}

/* Ids of CLIP's own vocabulary, from an implementation of the tokenizer that is independent of Lancet. */
static void test_clip_table(void **state)
{
    static const struct {
        const char *text;
        int32_t ids[12]; /* up to the zero */
    } table[] = {
        {"a photo of a cat.", {320, 1125, 539, 320, 2368, 269}},
        {"", {0}},
        {"a bad photo of a .", {320, 2103, 1125, 539, 320, 269}},
        {"a diagram", {320, 22697}},
        {"bench", {8771}},
        {"tv monitor", {1583, 10198}},
        {"it's 2023!!", {585, 568, 273, 271, 273, 274, 748}},
        {"potted plant", {48581, 3912}},
        {"there is the airplane in the scene.", {997, 533, 518, 16451, 530, 518, 3562, 269}},
        {"na\u00EFve caf\u00E9", {1097, 35689, 563, 15304}},
        {"a_b", {320, 318, 321}},
    };
    lancet_vocabulary *vocabulary = vocabulary_open(clip_vocabulary_needed());
    lancet_tokens tokens = {0};

    (void)state;
    assert_int_equal(lancet_vocabulary_size(vocabulary), 49408);
    assert_int_equal(lancet_vocabulary_start(vocabulary), 49406);
    assert_int_equal(lancet_vocabulary_end(vocabulary), 49407);
    assert_string_equal(lancet_vocabulary_token(vocabulary, 64), "a");
    assert_string_equal(lancet_vocabulary_token(vocabulary, 320), "a ");
    assert_string_equal(lancet_vocabulary_token(vocabulary, 220), " ");         /* the space byte */
    assert_string_equal(lancet_vocabulary_token(vocabulary, 512), "in");        /* the first merge */
    assert_string_equal(lancet_vocabulary_token(vocabulary, 49405), "jekyll "); /* and the last */
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        size_t count = 0;

        while (table[i].ids[count])
            count++;
        tokenize(&tokens, vocabulary, table[i].text);
        assert_int_equal(tokens.count, count);
        if (count)
            assert_memory_equal(tokens.ids, table[i].ids, count * sizeof(int32_t));
    }
    lancet_tokens_close(&tokens);
    lancet_vocabulary_close(&vocabulary);
}

/* Several merges may make one token when ids come from vocab.json, and then a merge can make way for one of a
 * lower rank. The published loop finishes its round first; expected values worked out by hand from that rule.
 */
static void test_rounds(void **state)
{
    char *folder = folder_make();
    json_t *tokens = vocabulary_tokens();
    lancet_vocabulary *vocabulary;
    lancet_tokens found = {0};
    static const char *const more[] = {"qz", "qzx", "qzxq", "zx"};

    (void)state;
    for (size_t i = 0; i < 4; i++)
        json_object_set_new(tokens, more[i], json_integer(TEXT_DATA_SIZE + (int)i));
    json_write(path_of(folder, "vocab.json"), tokens);
    file_write_text(path_of(folder, "merges.txt"), "qzx q\nz x\nq zx\n");
    vocabulary = vocabulary_open(folder);
    /* q z x q z x w: (z x) twice, then (q zx) twice, and only then would (qzx q) have its turn. */
    tokenize(&found, vocabulary, "qzxqzxw");
    assert_int_equal(found.count, 3);
    assert_int_equal(found.ids[0], TEXT_DATA_SIZE + 1);
    assert_int_equal(found.ids[1], TEXT_DATA_SIZE + 1);
    assert_string_equal(lancet_vocabulary_token(vocabulary, found.ids[2]), "w ");
    /* q z x q w: one (q zx), and (qzx q) follows. */
    tokenize(&found, vocabulary, "qzxqw");
    assert_int_equal(found.count, 2);
    assert_int_equal(found.ids[0], TEXT_DATA_SIZE + 2);
    lancet_tokens_close(&found);
    lancet_vocabulary_close(&vocabulary);
    folder_remove(folder);
}

static void test_context(void **state)
{
    lancet_vocabulary *vocabulary = vocabulary_open(TEXT_DATA);
    const int32_t start = lancet_vocabulary_start(vocabulary), end = lancet_vocabulary_end(vocabulary);
    lancet_tokens tokens = {0};
    lancet_tokens_loss loss;
    lancet_error error;
    int32_t ids[8];

    (void)state;
    tokenize(&tokens, vocabulary, "a photo of a cat.");
    assert_int_equal(tokens.count, 6);
    assert_int_equal(lancet_tokens_context(ids, 8, &loss, &tokens, vocabulary, NULL), LANCET_OK);
    assert_int_equal(ids[0], start);
    assert_memory_equal(ids + 1, tokens.ids, 6 * sizeof *ids);
    assert_int_equal(ids[7], end);
    assert_int_equal(loss.count, 0);
    assert_int_equal(loss.offset, tokens.length);

    assert_int_equal(lancet_tokens_context(ids, 6, &loss, &tokens, vocabulary, NULL), LANCET_OK);
    assert_int_equal(ids[4], tokens.ids[3]);
    assert_int_equal(ids[5], end);
    assert_int_equal(ids[6], tokens.ids[5]); /* untouched */
    assert_int_equal(loss.count, 2);
    assert_string_equal(tokens.text + loss.offset, "cat.");

    assert_int_equal(lancet_tokens_context(ids, 2, &loss, &tokens, vocabulary, NULL), LANCET_OK);
    assert_int_equal(ids[0], start);
    assert_int_equal(ids[1], end);
    assert_int_equal(loss.count, 6);
    assert_int_equal(loss.offset, 0);

    tokenize(&tokens, vocabulary, "");
    assert_int_equal(lancet_tokens_context(ids, 8, NULL, &tokens, vocabulary, NULL), LANCET_OK);
    assert_int_equal(ids[1], end);
    for (int i = 2; i < 8; i++)
        assert_int_equal(ids[i], 0);

    /* A cut inside a character shows the whole character: this one is three tokens of one byte each. */
    tokenize(&tokens, vocabulary, "a \u2603");
    assert_int_equal(tokens.count, 4);
    assert_int_equal(lancet_tokens_context(ids, 4, &loss, &tokens, vocabulary, NULL), LANCET_OK);
    assert_int_equal(loss.count, 2);
    assert_string_equal(tokens.text + loss.offset, "\u2603");

    assert_int_equal(lancet_tokens_context(ids, 1, NULL, &tokens, vocabulary, &error), LANCET_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, "at least 2, found 1"));
    assert_int_equal(lancet_tokens_context(NULL, 8, NULL, &tokens, vocabulary, &error),
                     LANCET_ERROR_ARGUMENT);
    lancet_tokens_close(&tokens);
    lancet_vocabulary_close(&vocabulary);
}

/* Wrong calls leave the tokens empty and usable. */
static void test_wrong_calls(void **state)
{
    lancet_vocabulary *vocabulary = vocabulary_open(TEXT_DATA);
    lancet_tokens tokens = {0};
    lancet_error error;
    char *long_text = malloc(LANCET_TEXT_LENGTH_MAX + 2);

    (void)state;
    assert_int_equal(lancet_tokenize(NULL, vocabulary, "a", &error), LANCET_ERROR_ARGUMENT);
    assert_int_equal(lancet_tokenize(&tokens, NULL, "a", &error), LANCET_ERROR_ARGUMENT);
    assert_int_equal(lancet_tokenize(&tokens, vocabulary, NULL, NULL), LANCET_ERROR_ARGUMENT);
    assert_int_equal(lancet_tokenize_bytes(&tokens, vocabulary, NULL, 0, NULL), LANCET_OK);
    assert_int_equal(tokens.count, 0);
    tokenize(&tokens, vocabulary, "a cat");
    assert_int_equal(lancet_tokenize(&tokens, vocabulary, "a \xFF cat", &error), LANCET_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, "byte 2"));
    assert_int_equal(tokens.count, 0);
    assert_string_equal(tokens.text, "");
    memset(long_text, 'a', LANCET_TEXT_LENGTH_MAX + 1);
    assert_int_equal(
        lancet_tokenize_bytes(&tokens, vocabulary, long_text, LANCET_TEXT_LENGTH_MAX + 1, &error),
        LANCET_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, "1048577"));
    assert_int_equal(lancet_tokenize_bytes(&tokens, vocabulary, long_text, LANCET_TEXT_LENGTH_MAX, NULL),
                     LANCET_OK);
    assert_int_equal(tokens.ends[tokens.count - 1], LANCET_TEXT_LENGTH_MAX);
    tokenize(&tokens, vocabulary, "a cat");
    assert_int_equal(tokens.count, 2);
    lancet_tokens_close(&tokens);
    lancet_tokens_close(&tokens);
    lancet_tokens_close(NULL);
    lancet_vocabulary_close(&vocabulary);
    free(long_text);
}

/* Using the memory again changes nothing: all strings forwards and backwards. */
static void test_reuse(void **state)
{
    lancet_vocabulary *vocabulary = vocabulary_open(TEXT_DATA);
    static const char *const texts[] = {"a photo of a cat.", "", "na\u00EFve &amp;amp; \u03A3\u0391\u03A3",
                                        "<|startoftext|>!!!", "it's a very long one, with many words in it."};
    lancet_tokens kept = {0}, fresh = {0};

    (void)state;
    for (size_t i = 0; i < 10; i++) {
        const char *text = texts[i < 5 ? i : 9 - i];

        tokenize(&kept, vocabulary, text);
        tokenize(&fresh, vocabulary, text);
        assert_int_equal(kept.count, fresh.count);
        if (kept.count)
            assert_memory_equal(kept.ids, fresh.ids, kept.count * sizeof *kept.ids);
        assert_string_equal(kept.text, fresh.text);
        lancet_tokens_close(&fresh);
    }
    lancet_tokens_close(&kept);
    lancet_vocabulary_close(&vocabulary);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_own_strings),     cmocka_unit_test(test_golden_strings),
        cmocka_unit_test(test_golden_matrices), cmocka_unit_test(test_clip_table),
        cmocka_unit_test(test_rounds),          cmocka_unit_test(test_context),
        cmocka_unit_test(test_wrong_calls),     cmocka_unit_test(test_reuse),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
