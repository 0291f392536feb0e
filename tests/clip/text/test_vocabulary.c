/* Vocabularies: every form gives the same one, and they are found where they should be.
 * SPDX-License-Identifier: Apache-2.0 */
#include "clip/text/vocabularies.h"

#include "base/memory.h"
#include "checkpoint/safetensors.h"
#include "clip/text/vocabulary_read.h"

#include <zlib.h>

/* Fails unless `path` opens to a vocabulary with the ids of data/. */
static void check_same(const char *path, const char *read_from)
{
    lancet_vocabulary *vocabulary = vocabulary_open(path);
    json_t *tokens = vocabulary_tokens();
    lancet_tokens found = {0};

    assert_int_equal(lancet_vocabulary_size(vocabulary), TEXT_DATA_SIZE);
    assert_int_equal(lancet_vocabulary_start(vocabulary), TEXT_DATA_SIZE - 2);
    assert_int_equal(lancet_vocabulary_end(vocabulary), TEXT_DATA_SIZE - 1);
    assert_string_equal(lancet_vocabulary_path(vocabulary), read_from);
    assert_int_equal(lancet_tokenize(&found, vocabulary, "the caf\u00E9, cab", NULL), LANCET_OK);
    assert_int_equal(found.count, 5);
    assert_int_equal(found.ids[0], json_integer_value(json_object_get(tokens, "the</w>")));
    assert_int_equal(found.ids[1], json_integer_value(json_object_get(tokens, "caf\u00C3\u00A9</w>")));
    assert_int_equal(found.ids[2], json_integer_value(json_object_get(tokens, ",</w>")));
    assert_string_equal(lancet_vocabulary_token(vocabulary, found.ids[1]), "caf\u00E9 ");
    assert_string_equal(lancet_vocabulary_token(vocabulary, found.ids[3]), "ca");
    assert_string_equal(lancet_vocabulary_token(vocabulary, found.ids[4]), "b ");
    assert_string_equal(lancet_vocabulary_token(vocabulary, TEXT_DATA_SIZE - 1), "<|endoftext|>");
    assert_string_equal(lancet_vocabulary_token(vocabulary, 255), "<AD>"); /* a byte that is no character */
    assert_string_equal(lancet_vocabulary_token(vocabulary, 188), "<00>");
    assert_null(lancet_vocabulary_token(vocabulary, -1));
    assert_null(lancet_vocabulary_token(vocabulary, TEXT_DATA_SIZE));
    lancet_tokens_close(&found);
    json_decref(tokens);
    lancet_vocabulary_close(&vocabulary);
    assert_null(vocabulary);
}

static void copy(const char *to, const char *from)
{
    size_t length;
    char *bytes = file_read(from, &length);

    assert_non_null(bytes);
    file_write(to, bytes, length);
    free(bytes);
}

static void test_forms(void **state)
{
    char *folder = folder_make();
    char merges[TEST_PATH_SIZE], json[TEST_PATH_SIZE], zipped[TEST_PATH_SIZE], tokenizer[TEST_PATH_SIZE];
    size_t length;
    char *text = file_read(TEXT_DATA "/merges.txt", &length);
    lancet_buffer lines = {0};
    gzFile file;

    (void)state;
    snprintf(merges, sizeof merges, "%s", path_of(folder, "merges.txt"));
    snprintf(json, sizeof json, "%s", path_of(folder, "vocab.json"));
    snprintf(zipped, sizeof zipped, "%s", path_of(folder, "bpe.txt.gz"));
    snprintf(tokenizer, sizeof tokenizer, "%s", path_of(folder, "tokenizer.json"));

    /* Merges alone, by CLIP's rule; without their first line; with the line ends of Windows; zipped. */
    copy(merges, TEXT_DATA "/merges.txt");
    check_same(merges, merges);
    check_same(folder, merges);
    file_write_text(merges, strchr(text, '\n') + 1);
    check_same(merges, merges);
    for (size_t i = 0; i < length; i++)
        lancet_buffer_print(&lines, text[i] == '\n' ? "\r\n" : "%c", text[i]);
    file_write(merges, lines.bytes, lines.length);
    check_same(merges, merges);
    file = gzopen(zipped, "wb");
    assert_int_equal(gzwrite(file, text, (unsigned)length), (int)length);
    assert_int_equal(gzclose(file), Z_OK);
    check_same(zipped, zipped);

    /* vocab.json and merges.txt, from either end. */
    copy(json, TEXT_DATA "/vocab.json");
    copy(merges, TEXT_DATA "/merges.txt");
    check_same(merges, merges);
    check_same(json, json);
    check_same(folder, json);

    /* tokenizer.json, old and new. */
    json_write(tokenizer, vocabulary_tokenizer(false));
    check_same(tokenizer, tokenizer);
    json_write(tokenizer, vocabulary_tokenizer(true));
    check_same(tokenizer, tokenizer);
    check_same(folder, tokenizer);
    lancet_buffer_close(&lines);
    folder_remove(folder);
    free(text);
}

/* vocab.json decides the ids, also where they are not in CLIP's order; a token that no merge makes is no
 * harm. */
static void test_own_ids(void **state)
{
    char *folder = folder_make();
    json_t *tokens = vocabulary_tokens(), *turned = json_object(), *id;
    lancet_vocabulary *vocabulary;
    lancet_tokens found = {0};
    const char *token;

    (void)state;
    json_object_foreach(tokens, token, id)
    {
        json_object_set_new(turned, token, json_integer(TEXT_DATA_SIZE - json_integer_value(id)));
    }
    json_object_set_new(turned, "<pad>", json_integer(0));
    copy(path_of(folder, "merges.txt"), TEXT_DATA "/merges.txt");
    json_write(path_of(folder, "vocab.json"), turned);
    vocabulary = vocabulary_open(folder);
    assert_int_equal(lancet_vocabulary_size(vocabulary), TEXT_DATA_SIZE + 1);
    assert_int_equal(lancet_vocabulary_end(vocabulary), 1);
    assert_string_equal(lancet_vocabulary_token(vocabulary, 0), "<pad>");
    assert_int_equal(lancet_tokenize(&found, vocabulary, "cat", NULL), LANCET_OK);
    assert_int_equal(found.count, 1);
    assert_int_equal(found.ids[0], TEXT_DATA_SIZE - json_integer_value(json_object_get(tokens, "cat</w>")));
    lancet_tokens_close(&found);
    lancet_vocabulary_close(&vocabulary);
    json_decref(tokens);
    folder_remove(folder);
}

/* ---- Written down ---------------------------------------------------------------------------- */

/* The same tokens with the same ids, and the same words made of them. */
static void check_equal(const lancet_vocabulary *a, const lancet_vocabulary *b)
{
    static const char *const texts[] = {"the caf\u00E9, cab", "cats <|endoftext|> x9 \u4E2D\u6587",
                                        "photographs!?"};
    lancet_tokens of_a = {0}, of_b = {0};

    assert_int_equal(lancet_vocabulary_size(a), lancet_vocabulary_size(b));
    assert_int_equal(lancet_vocabulary_start(a), lancet_vocabulary_start(b));
    assert_int_equal(lancet_vocabulary_end(a), lancet_vocabulary_end(b));
    for (int32_t id = 0; (size_t)id < lancet_vocabulary_size(a); id++)
        assert_string_equal(lancet_vocabulary_token(a, id), lancet_vocabulary_token(b, id));
    assert_int_equal(a->merge_count, b->merge_count);
    assert_memory_equal(a->merges, b->merges, a->merge_count * sizeof *a->merges);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_int_equal(lancet_tokenize(&of_a, a, texts[i], NULL), LANCET_OK);
        assert_int_equal(lancet_tokenize(&of_b, b, texts[i], NULL), LANCET_OK);
        assert_int_equal(of_a.count, of_b.count);
        assert_memory_equal(of_a.ids, of_b.ids, of_a.count * sizeof *of_a.ids);
    }
    lancet_tokens_close(&of_a);
    lancet_tokens_close(&of_b);
}

/* Writes a vocabulary down, reads that, and writes it again. Returns the text; free it. */
static char *check_written(const lancet_vocabulary *vocabulary, lancet_vocabulary_kind kind)
{
    lancet_buffer text = {0}, again = {0};
    lancet_bytes file = {.name = "written"};
    lancet_vocabulary *read;
    lancet_error error;
    char *copied;

    assert_true(lancet_vocabulary_print(&text, vocabulary));
    file.bytes = text.bytes;
    file.length = text.length;
    assert_int_equal(lancet_vocabulary_recognise(&file), kind);
    if (lancet_vocabulary_read(&read, &file, NULL, &error) != LANCET_OK)
        fail_msg("%s", error.message);
    check_equal(vocabulary, read);
    assert_true(lancet_vocabulary_print(&again, read));
    assert_string_equal(text.bytes, again.bytes);
    copied = strdup(text.bytes);
    lancet_vocabulary_close(&read);
    lancet_buffer_close(&text);
    lancet_buffer_close(&again);
    return copied;
}

/* By CLIP's rule a vocabulary is its merges, whatever it was read from: the very lines of merges.txt. */
static void test_written_as_merges(void **state)
{
    char *expected = file_read(TEXT_DATA "/merges.txt", NULL), *folder = folder_make(), *text;
    const char *tokenizer = path_of(folder, "tokenizer.json"), *own = clip_vocabulary();
    lancet_vocabulary *vocabulary = vocabulary_open(TEXT_DATA "/merges.txt");

    (void)state;
    for (int json = 0; json < 2; json++) {
        text = check_written(vocabulary, LANCET_VOCABULARY_MERGES_TEXT);
        assert_string_equal(strchr(text, '\n'), strchr(expected, '\n'));
        free(text);
        lancet_vocabulary_close(&vocabulary);
        json_write(tokenizer, vocabulary_tokenizer(json));
        vocabulary = vocabulary_open(tokenizer);
    }
    lancet_vocabulary_close(&vocabulary);
    if (own) {
        vocabulary = vocabulary_open(own);
        free(check_written(vocabulary, LANCET_VOCABULARY_MERGES_TEXT));
        lancet_vocabulary_close(&vocabulary);
    }
    folder_remove(folder);
    free(expected);
}

/* Other ids; tokens that no merge makes, one of them with everything that JSON must escape; one with a space
 * in a merge; no merges at all. */
static void test_written_as_tokenizer(void **state)
{
    char *folder = folder_make();
    const char *tokenizer = path_of(folder, "tokenizer.json");

    (void)state;
    for (int kind = 0; kind < 5; kind++) {
        json_t *root = vocabulary_tokenizer(true), *model = json_object_get(root, "model");
        json_t *tokens = json_object_get(model, "vocab"), *merges = json_object_get(model, "merges"), *id;
        lancet_vocabulary *vocabulary;
        const char *token;

        if (kind == 0) {
            json_object_set_new(tokens, "a \"quoted\" \\ \t \x1B \u00E9", json_integer(TEXT_DATA_SIZE));
        } else if (kind == 1) {
            json_object_foreach(tokens, token, id)
                json_integer_set(id, TEXT_DATA_SIZE - 1 - json_integer_value(id));
        } else if (kind == 2) { /* start and end the other way round */
            json_object_set_new(tokens, "<|startoftext|>", json_integer(TEXT_DATA_SIZE - 1));
            json_object_set_new(tokens, "<|endoftext|>", json_integer(TEXT_DATA_SIZE - 2));
        } else if (kind == 3) {
            json_object_set_new(tokens, "a b", json_integer(TEXT_DATA_SIZE));
            json_object_set_new(tokens, "a bc", json_integer(TEXT_DATA_SIZE + 1));
            json_array_append_new(merges, json_pack("[s, s]", "a b", "c"));
        } else {
            json_array_clear(merges);
        }
        json_object_del(root, "added_tokens");
        json_write(tokenizer, root);
        vocabulary = vocabulary_open(tokenizer);
        free(check_written(vocabulary, LANCET_VOCABULARY_JSON));
        lancet_vocabulary_close(&vocabulary);
    }
    folder_remove(folder);
}

/* ---- Search ---------------------------------------------------------------------------------- */

static void check_found(const char *path, const char *model, const char *expected)
{
    lancet_vocabulary *vocabulary;
    lancet_error error = {LANCET_OK, "nothing said"};

    if (lancet_vocabulary_find(&vocabulary, path, model, &error) != LANCET_OK)
        fail_msg("%s", error.message);
    assert_string_equal(lancet_vocabulary_path(vocabulary), expected);
    lancet_vocabulary_close(&vocabulary);
}

static void check_not_found(const char *model, lancet_status status, const char *const *words)
{
    lancet_vocabulary *vocabulary;
    lancet_error error;

    assert_int_equal(lancet_vocabulary_find(&vocabulary, NULL, model, &error), status);
    assert_null(vocabulary);
    for (; *words; words++) {
        if (!strstr(error.message, *words))
            fail_msg("expected \"%s\" in \"%s\"", *words, error.message);
    }
}

static void make_folder(char path[TEST_PATH_SIZE], const char *parent, const char *name)
{
    snprintf(path, TEST_PATH_SIZE, "%s", path_of(parent, name));
    assert_int_equal(mkdir(path, 0777), 0);
}

static void test_search(void **state)
{
    char *folder = folder_make();
    char model[TEST_PATH_SIZE], data[TEST_PATH_SIZE], home[TEST_PATH_SIZE], named[TEST_PATH_SIZE];
    char weights[TEST_PATH_SIZE], beside[TEST_PATH_SIZE], variable[TEST_PATH_SIZE], users[TEST_PATH_SIZE];
    char *inside;

    (void)state;
    make_folder(model, folder, "model");
    make_folder(named, folder, "named");
    make_folder(home, folder, "home");
    make_folder(data, home, ".local");
    make_folder(data, home, ".local/share");
    make_folder(data, home, ".local/share/lancet");
    snprintf(weights, sizeof weights, "%s", path_of(model, "weights.safetensors"));
    snprintf(beside, sizeof beside, "%s", path_of(model, "merges.txt"));
    snprintf(variable, sizeof variable, "%s", path_of(named, "merges.txt"));
    snprintf(users, sizeof users, "%s", path_of(data, "merges.txt"));
    unsetenv("LANCET_VOCABULARY");
    unsetenv("XDG_DATA_HOME");
    setenv("HOME", home, 1);

    check_not_found(weights, LANCET_ERROR_IO,
                    (const char *[]){"no vocabulary found", "bpe_simple_vocab_16e6.txt.gz", model, data,
                                     "$LANCET_VOCABULARY (not set)", NULL});
    check_not_found(NULL, LANCET_ERROR_IO, (const char *[]){data, NULL});
    copy(users, TEXT_DATA "/merges.txt");
    check_found(NULL, weights, users);
    check_found(NULL, NULL, users);
    setenv("XDG_DATA_HOME", folder, 1);
    check_not_found(NULL, LANCET_ERROR_IO, (const char *[]){path_of(folder, "lancet"), NULL});
    unsetenv("XDG_DATA_HOME");
    setenv("LANCET_VOCABULARY", named, 1);
    check_not_found(weights, LANCET_ERROR_IO, (const char *[]){"$LANCET_VOCABULARY: ", named, NULL});
    copy(variable, TEXT_DATA "/merges.txt");
    check_found(NULL, weights, variable);
    copy(beside, TEXT_DATA "/merges.txt");
    check_found(NULL, weights, beside);
    check_found(NULL, model, beside);
    check_found(TEXT_DATA, weights, TEXT_DATA "/vocab.json");
    /* Inside the model's own file goes before what lies beside it. */
    inside = file_read(TEXT_DATA "/merges.txt", NULL);
    assert_int_equal(lancet_safetensors_write(weights, NULL, 0, (const char *const[]){LANCET_VOCABULARY_KEY},
                                              (const char *const[]){inside}, 1, NULL),
                     LANCET_OK);
    check_found(NULL, weights, weights);
    check_found(TEXT_DATA, weights, TEXT_DATA "/vocab.json");
    assert_int_equal(lancet_safetensors_write(weights, NULL, 0, (const char *const[]){LANCET_VOCABULARY_KEY},
                                              (const char *const[]){"a"}, 1, NULL),
                     LANCET_OK);
    check_not_found(weights, LANCET_ERROR_INPUT,
                    (const char *[]){weights, ": lancet.vocabulary: line 1: expected two symbols", NULL});
    assert_int_equal(lancet_safetensors_write(weights, NULL, 0, NULL, NULL, 0, NULL), LANCET_OK);
    check_found(NULL, weights, beside);
    free(inside);
    /* Broken is not the same as missing: the search ends there. */
    file_write_text(beside, "not a merge file\n");
    check_not_found(weights, LANCET_ERROR_INPUT, (const char *[]){beside, NULL});
    unsetenv("LANCET_VOCABULARY");
    folder_remove(folder);
}

/* What a model's file has inside is checked as any file is; the message names both. */
static void test_inside_must_fail(void **state)
{
    enum { LONG = 33 << 20 };
    char *folder = folder_make(), *huge = malloc(LONG + 1);
    const char *path = path_of(folder, "model.safetensors");
    const struct {
        const char *text, *says;
        lancet_status status;
    } cases[] = {
        {"", "expected a vocabulary, found no merges", LANCET_ERROR_INPUT},
        {"#version: 0.2\n", "expected a vocabulary, found no merges", LANCET_ERROR_INPUT},
        {"a b\nab c d\n", "line 2: expected two symbols", LANCET_ERROR_INPUT},
        {"a b\na b\n", "line 2: makes \"ab\", which is token 512 already", LANCET_ERROR_INPUT},
        {"a xyz\n", "line 1: the symbol \"xyz\" is neither", LANCET_ERROR_INPUT},
        {"{", "not JSON", LANCET_ERROR_INPUT},
        {"{\"a\":0}", "expected its merges.txt beside it, found none", LANCET_ERROR_INPUT},
        {"{\"model\":{\"type\":\"Unigram\"}}", "expected a tokenizer of CLIP's kind",
         LANCET_ERROR_UNSUPPORTED},
        {huge, "expected a vocabulary of at most 33554432 bytes, found 34603008", LANCET_ERROR_INPUT},
    };

    (void)state;
    memset(huge, 'a', LONG);
    huge[LONG] = '\0';
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(lancet_safetensors_write(path, NULL, 0, (const char *const[]){LANCET_VOCABULARY_KEY},
                                                  (const char *const[]){cases[i].text}, 1, NULL),
                         LANCET_OK);
        check_not_found(path, cases[i].status,
                        (const char *[]){"model.safetensors: lancet.vocabulary: ", cases[i].says, NULL});
    }
    free(huge);
    folder_remove(folder);
}

static void test_wrong_calls(void **state)
{
    lancet_vocabulary *vocabulary = NULL;
    lancet_error error;

    (void)state;
    assert_int_equal(lancet_vocabulary_open(NULL, TEXT_DATA, &error), LANCET_ERROR_ARGUMENT);
    assert_int_equal(lancet_vocabulary_open(&vocabulary, NULL, &error), LANCET_ERROR_ARGUMENT);
    assert_int_equal(lancet_vocabulary_find(NULL, NULL, NULL, NULL), LANCET_ERROR_ARGUMENT);
    lancet_vocabulary_close(&vocabulary);
    lancet_vocabulary_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_own_ids),
        cmocka_unit_test(test_written_as_merges),
        cmocka_unit_test(test_written_as_tokenizer),
        cmocka_unit_test(test_search),
        cmocka_unit_test(test_inside_must_fail),
        cmocka_unit_test(test_wrong_calls),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
