/* The text tower: a text comes out the same, to the last bit, alone and among others, in any order and on any
 * number of threads. What comes out is held to the golden numbers elsewhere (tests/cli/test_verify.c).
 *
 * CMake also runs this with the lesser instruction sets. SPDX-License-Identifier: Apache-2.0 */
#include "lancet/lancet.h"

#include "clip/session.h"
#include "support/files.h"

#include <math.h>

#define TEXTS 700

static const char *const model_names[] = {"tiny", "tiny_hf", "tiny_odd"};
static uint32_t seed = 1;

static uint32_t draw(uint32_t below)
{
    seed = seed * 1664525u + 1013904223u;
    return (uint32_t)((uint64_t)seed * below >> 32);
}

struct bench {
    lancet_model *model;
    lancet_session *session;
    size_t context, width;
    int32_t *ids; /* [TEXTS, context] */
    lancet_text_row texts[TEXTS];
    float *features; /* [TEXTS, width] */
    float *one;      /* [width] */
};

static struct bench begin(const char *name, int threads)
{
    struct bench bench = {0};
    lancet_error error;
    char path[TEST_PATH_SIZE];

    snprintf(path, sizeof path, "%s/golden/%s/model.safetensors", TESTS_FOLDER, name);
    if (lancet_model_open(&bench.model, path, NULL, &error) != LANCET_OK ||
        lancet_session_open(&bench.session, bench.model, &(lancet_session_options){.threads = threads},
                            &error) != LANCET_OK)
        fail_msg("%s", error.message);
    bench.context = bench.model->text.context;
    bench.width = bench.model->text.embedding;
    bench.ids = calloc(TEXTS * bench.context, sizeof *bench.ids);
    bench.features = calloc(TEXTS * bench.width, sizeof *bench.features);
    bench.one = calloc(bench.width, sizeof *bench.one);
    for (size_t i = 0; i < TEXTS; i++)
        bench.texts[i].ids = bench.ids + i * bench.context;
    return bench;
}

static void end(struct bench *bench)
{
    free(bench->ids);
    free(bench->features);
    free(bench->one);
    lancet_session_close(&bench->session);
    lancet_model_close(&bench->model);
}

static void run(float *features, const struct bench *bench, const lancet_text_row *texts, size_t count)
{
    lancet_error error;

    if (lancet_text_tower_run(features, bench->session, texts, count, NULL, &error) != LANCET_OK)
        fail_msg("%s", error.message);
}

/* All at once, then each alone. */
static void check(const struct bench *bench, size_t count)
{
    run(bench->features, bench, bench->texts, count);
    for (size_t i = 0; i < count; i++) {
        run(bench->one, bench, &bench->texts[i], 1);
        for (size_t c = 0; c < bench->width; c++)
            assert_true(isfinite(bench->one[c]));
        if (memcmp(bench->one, bench->features + i * bench->width, bench->width * sizeof(float)) != 0)
            fail_msg("text %zu of %zu (%zu tokens) comes out otherwise among the others", i, count,
                     bench->texts[i].length);
    }
}

/* Texts of 1 to `longest` tokens: the beginning of an earlier one, up to all of it, then tokens of their own.
 */
static void make_texts(struct bench *bench, size_t count, size_t longest)
{
    const uint32_t vocabulary = (uint32_t)bench->model->text.vocabulary;

    for (size_t i = 0; i < count; i++) {
        const size_t like = i ? draw((uint32_t)i) : 0, length = 1 + draw((uint32_t)longest);
        const size_t shared = i ? draw((uint32_t)bench->texts[like].length + 1) : 0;
        int32_t *ids = bench->ids + i * bench->context;

        bench->texts[i].length = length;
        for (size_t k = 0; k < length; k++)
            ids[k] = k < shared ? bench->texts[like].ids[k] : (int32_t)draw(vocabulary);
    }
}

static void test_alone_and_together(void **state)
{
    (void)state;
    for (size_t m = 0; m < sizeof model_names / sizeof *model_names; m++) {
        struct bench bench = begin(model_names[m], 2);

        for (size_t count = 1; count < 40; count += count) {
            make_texts(&bench, count, 12);
            check(&bench, count);
        }
        make_texts(&bench, 300, 20); /* several passes */
        check(&bench, 300);
        make_texts(&bench, 60, bench.context);
        check(&bench, 60);
        end(&bench);
    }
}

static void test_full_context(void **state)
{
    struct bench bench = begin("tiny", 2);

    (void)state;
    for (size_t i = 0; i < 40; i++) { /* more than one pass takes, alike but for the last i tokens */
        bench.texts[i].length = bench.context;
        for (size_t k = 0; k < bench.context; k++)
            bench.ids[i * bench.context + k] = (int32_t)(k + i < bench.context ? k : 100 + i);
    }
    check(&bench, 40);
    end(&bench);
}

/* Thousands of times the same text, and it once more with a token more. */
static void test_duplicates(void **state)
{
    struct bench bench = begin("tiny_odd", 2);

    (void)state;
    for (size_t i = 0; i < TEXTS; i++) {
        bench.texts[i].length = i == 300 ? 5 : 4;
        for (int32_t k = 0; k < 5; k++)
            bench.ids[i * bench.context + (size_t)k] = 3 * k;
    }
    run(bench.features, &bench, bench.texts, TEXTS);
    for (size_t i = 0; i < TEXTS; i++) {
        const bool same = memcmp(bench.features, bench.features + i * bench.width,
                                 bench.width * sizeof *bench.features) == 0;

        assert_true(same == (i != 300));
    }
    check(&bench, 302);
    end(&bench);
}

static void test_order_and_threads(void **state)
{
    struct bench bench = begin("tiny_hf", 1);
    float *backwards = calloc(TEXTS * bench.width, sizeof *backwards);
    static lancet_text_row turned[TEXTS];

    (void)state;
    make_texts(&bench, TEXTS, 24);
    run(bench.features, &bench, bench.texts, TEXTS);
    for (size_t i = 0; i < TEXTS; i++)
        turned[i] = bench.texts[TEXTS - 1 - i];
    run(backwards, &bench, turned, TEXTS);
    for (size_t i = 0; i < TEXTS; i++)
        assert_memory_equal(backwards + i * bench.width, bench.features + (TEXTS - 1 - i) * bench.width,
                            bench.width * sizeof *backwards);
    for (int threads = 2; threads < 6; threads++) {
        lancet_session *session = NULL;

        assert_int_equal(
            lancet_session_open(&session, bench.model, &(lancet_session_options){.threads = threads}, NULL),
            LANCET_OK);
        memset(backwards, 0, TEXTS * bench.width * sizeof *backwards);
        assert_int_equal(lancet_text_tower_run(backwards, session, bench.texts, TEXTS, NULL, NULL),
                         LANCET_OK);
        assert_memory_equal(backwards, bench.features, TEXTS * bench.width * sizeof *backwards);
        lancet_session_close(&session);
    }
    free(backwards);
    end(&bench);
}

/* What a token sees is what stands before it: another end changes nothing, another beginning everything. */
static void test_looks_back_only(void **state)
{
    struct bench bench = begin("tiny", 2);
    int32_t *ids = bench.ids;

    (void)state;
    for (size_t i = 0; i < 3; i++)
        for (int32_t k = 0; k < 8; k++)
            ids[i * bench.context + (size_t)k] = 10 + k;
    ids[bench.context + 7] = 500; /* the second text: the token after the one that is read */
    ids[2 * bench.context] = 500; /* the third: the first token */
    for (size_t i = 0; i < 3; i++)
        bench.texts[i].length = 7;
    run(bench.features, &bench, bench.texts, 3);
    assert_memory_equal(bench.features, bench.features + bench.width, bench.width * sizeof(float));
    assert_memory_not_equal(bench.features, bench.features + 2 * bench.width, bench.width * sizeof(float));
    end(&bench);
}

struct watched {
    size_t calls, last, stop_at;
};

static bool watch_done(void *context, size_t texts)
{
    struct watched *watched = context;

    assert_true(texts > watched->last);
    watched->last = texts;
    return ++watched->calls != watched->stop_at;
}

static void test_watch(void **state)
{
    struct bench bench = begin("tiny", 2);
    struct watched watched = {0};
    const lancet_text_watch watch = {watch_done, &watched};
    lancet_error error;

    (void)state;
    make_texts(&bench, TEXTS, 24);
    assert_int_equal(lancet_text_tower_run(bench.features, bench.session, bench.texts, TEXTS, &watch, &error),
                     LANCET_OK);
    assert_int_equal(watched.last, TEXTS);
    assert_true(watched.calls > 2);
    watched = (struct watched){.stop_at = 2};
    assert_int_equal(lancet_text_tower_run(bench.features, bench.session, bench.texts, TEXTS, &watch, &error),
                     LANCET_ERROR_ARGUMENT);
    assert_string_equal(error.message, "stopped");
    assert_int_equal(watched.calls, 2);
    assert_true(watched.last < TEXTS);
    check(&bench, 20); /* nothing is left behind */
    end(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alone_and_together), cmocka_unit_test(test_full_context),
        cmocka_unit_test(test_duplicates),         cmocka_unit_test(test_order_and_threads),
        cmocka_unit_test(test_looks_back_only),    cmocka_unit_test(test_watch),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
