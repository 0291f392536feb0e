/* Every allocation made to fail once: a clean error, nothing lost, and the same call works afterwards.
 * SPDX-License-Identifier: Apache-2.0 */
#include "clip/text/vocabularies.h"

#include "base/memory.h"

#include <zlib.h>

/* Runs `action` with the first, second, ... allocation failing, until one run meets no failure. */
static void fail_each(lancet_status (*action)(const void *context, lancet_error *error), const void *context)
{
    for (uint64_t n = 1;; n++) {
        lancet_error error = {LANCET_OK, ""};
        lancet_status status;
        uint64_t requests;

        lancet_memory_fail_at(n);
        status = action(context, &error);
        requests = lancet_memory_requests();
        lancet_memory_fail_at(0);
        if (requests < n) {
            assert_int_equal(status, LANCET_OK);
            assert_true(n > 1);
            return;
        }
        if (status != LANCET_ERROR_MEMORY)
            fail_msg("allocation %u: expected to be out of memory, found %s: %s", (unsigned)n,
                     lancet_status_name(status), error.message);
        assert_int_equal(error.status, LANCET_ERROR_MEMORY);
        assert_non_null(strstr(error.message, "out of memory"));
    }
}

static lancet_status open_vocabulary(const void *context, lancet_error *error)
{
    lancet_vocabulary *vocabulary;
    const lancet_status status = lancet_vocabulary_open(&vocabulary, context, error);

    assert_true((status == LANCET_OK) == (vocabulary != NULL));
    lancet_vocabulary_close(&vocabulary);
    return status;
}

static lancet_status find_vocabulary(const void *context, lancet_error *error)
{
    lancet_vocabulary *vocabulary;
    const lancet_status status = lancet_vocabulary_find(&vocabulary, NULL, context, error);

    lancet_vocabulary_close(&vocabulary);
    return status;
}

static void test_open(void **state)
{
    char *folder = folder_make();
    size_t length;
    char *text = file_read(TEXT_DATA "/merges.txt", &length);
    gzFile file = gzopen(path_of(folder, "merges.gz"), "wb");

    (void)state;
    assert_int_equal(gzwrite(file, text, (unsigned)length), (int)length);
    assert_int_equal(gzclose(file), Z_OK);
    json_write(path_of(folder, "t.json"), vocabulary_tokenizer(true));
    fail_each(open_vocabulary, TEXT_DATA);
    fail_each(open_vocabulary, path_of(folder, "merges.gz"));
    fail_each(open_vocabulary, path_of(folder, "t.json"));
    fail_each(find_vocabulary, TEXT_DATA "/weights.safetensors");
    folder_remove(folder);
    free(text);
}

static lancet_status tokenize_fresh(const void *context, lancet_error *error)
{
    static const char *const texts[] = {
        "a photo of a cat.", "na\u00EFve &amp;amp; e\u0301 \uFB03 \u03A3\u0391\u03A3 <|startoftext|>\n<&lt;",
        ""};
    lancet_tokens tokens = {0};
    lancet_status status = LANCET_OK;

    for (size_t i = 0; i < 3 && status == LANCET_OK; i++) {
        status = lancet_tokenize(&tokens, context, texts[i], error);
        if (status != LANCET_OK) { /* empty, and good for another text */
            assert_int_equal(tokens.count, 0);
            assert_int_equal(lancet_tokenize(&tokens, context, "a cat", NULL), LANCET_OK);
            assert_int_equal(tokens.count, 2);
        }
    }
    lancet_tokens_close(&tokens);
    return status;
}

/* One long text makes every array grow. */
static lancet_status tokenize_long(const void *context, lancet_error *error)
{
    char text[3000];
    lancet_tokens tokens = {0};
    lancet_status status;

    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)(i % 97 == 0 ? ' ' : i % 101 == 0 ? '&' : 'a' + (int)(i * i % 26));
    status = lancet_tokenize_bytes(&tokens, context, text, sizeof text, error);
    lancet_tokens_close(&tokens);
    return status;
}

static void test_tokenize(void **state)
{
    lancet_vocabulary *vocabulary = vocabulary_open(TEXT_DATA);

    (void)state;
    fail_each(tokenize_fresh, vocabulary);
    fail_each(tokenize_long, vocabulary);
    lancet_vocabulary_close(&vocabulary);
}

static lancet_status open_templates(const void *context, lancet_error *error)
{
    lancet_templates *templates;
    const lancet_status status = lancet_templates_open(&templates, context, error);

    lancet_templates_close(&templates);
    return status;
}

static void test_templates(void **state)
{
    char *folder = folder_make();

    (void)state;
    file_write_text(path_of(folder, "own.txt"), "a {}\nthe {}\n");
    fail_each(open_templates, path_of(folder, "own.txt"));
    fail_each(open_templates, "85");
    folder_remove(folder);
}

/* ---- The same for what jansson allocates ----------------------------------------------------- */

static uint64_t json_requests, json_fail_at;

static void *json_allocate(size_t size)
{
    return ++json_requests == json_fail_at ? NULL : malloc(size);
}

static void test_json(void **state)
{
    bool done = false;

    (void)state;
    json_set_alloc_funcs(json_allocate, free);
    /* Every failure would take long; the first hundred, then samples. */
    for (uint64_t n = 1; !done; n += n < 100 ? 1 : 37) {
        lancet_vocabulary *vocabulary;
        lancet_error error = {LANCET_OK, ""};
        lancet_status status;

        json_requests = 0;
        json_fail_at = n;
        status = lancet_vocabulary_open(&vocabulary, TEXT_DATA "/vocab.json", &error);
        done = json_requests < n;
        /* jansson takes some of its own failed allocations for a mistake in the file, and says so. */
        if (done ? status != LANCET_OK : status != LANCET_ERROR_MEMORY && status != LANCET_ERROR_INPUT)
            fail_msg("allocation %u: found %s: %s", (unsigned)n, lancet_status_name(status), error.message);
        assert_true((status == LANCET_OK) == (vocabulary != NULL));
        lancet_vocabulary_close(&vocabulary);
    }
    json_set_alloc_funcs(malloc, free);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_open),
        cmocka_unit_test(test_tokenize),
        cmocka_unit_test(test_templates),
        cmocka_unit_test(test_json),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
