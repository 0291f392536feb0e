/* The vision tower from outside: batches, threads, re-use, depth, sides, and the walk through its blocks.
 * That its numbers are right is for the golden folders (tests/cli); here, that nothing but the input decides
 * them. SPDX-License-Identifier: Apache-2.0 */
#include "lancet/lancet.h"

#include "support/files.h"

#include <limits.h>
#include <math.h>

static lancet_model *model;
static uint8_t noise[5][60 * 90 * 3];
static lancet_picture pictures[5];

static int open_model(void **state)
{
    static lancet_error error;
    uint32_t seed = 7;

    (void)state;
    for (size_t i = 0; i < 5; i++) {
        for (size_t k = 0; k < sizeof noise[i]; k++) {
            seed = seed * 1664525u + 1013904223u;
            noise[i][k] = (uint8_t)(seed >> 24);
        }
        pictures[i] = (lancet_picture){noise[i], 90 - 3 * i, 60, 270};
    }
    return lancet_model_open(&model, TESTS_FOLDER "/golden/tiny/model.safetensors", NULL, &error) !=
           LANCET_OK;
}

static int close_model(void **state)
{
    (void)state;
    lancet_model_close(&model);
    return 0;
}

static lancet_session *session_of(int threads)
{
    lancet_session *session = NULL;
    lancet_error error;

    assert_int_equal(lancet_session_open(&session, model, &(lancet_session_options){threads}, &error),
                     LANCET_OK);
    assert_int_equal(lancet_session_threads(session), threads);
    return session;
}

static size_t floats_of(const lancet_features *features)
{
    return (1 + lancet_features_grid_height(features) * lancet_features_grid_width(features)) *
           lancet_features_width(features);
}

static void assert_same(const lancet_features *a, const lancet_features *b)
{
    assert_int_equal(floats_of(a), floats_of(b));
    assert_memory_equal(lancet_features_tokens(a), lancet_features_tokens(b), floats_of(a) * sizeof(float));
}

static lancet_features *encode(lancet_session *session, size_t picture, const lancet_feature_options *options)
{
    lancet_features *features = NULL;
    lancet_error error;

    if (lancet_features_encode(&features, session, &pictures[picture], options, &error) != LANCET_OK)
        fail_msg("%s", error.message);
    return features;
}

/* First of all tests: what the text tower does to the process must not be there yet. */
static void test_words_leave_no_trace(void **state)
{
    lancet_session *before = session_of(1), *after = session_of(1);
    lancet_features *first = encode(before, 0, NULL), *second;
    lancet_labels *labels = NULL;
    lancet_error error;

    (void)state;
    assert_int_equal(lancet_labels_encode(&labels, after, (const char *[]){"cat"}, 1, NULL, &error),
                     LANCET_OK);
    second = encode(after, 0, NULL);
    assert_same(first, second);
    lancet_labels_close(&labels);
    lancet_features_close(&first);
    lancet_features_close(&second);
    lancet_session_close(&before);
    lancet_session_close(&after);
}

static void test_only_the_input_decides(void **state)
{
    static const lancet_feature_options options[] = {{0},
                                                     {.path = LANCET_PATH_PLAIN},
                                                     {.side = 64},
                                                     {.surgery_last = 2},
                                                     {.width = 72, .height = 40},
                                                     {.short_side = 40}};

    (void)state;
    for (size_t o = 0; o < sizeof options / sizeof *options; o++) {
        lancet_session *one = session_of(1), *three = session_of(3);
        lancet_features *batch[5], *alone;
        lancet_error error;

        assert_int_equal(lancet_features_encode_batch(batch, three, pictures, 5, &options[o], &error),
                         LANCET_OK);
        for (size_t i = 0; i < 5; i++) {
            alone = encode(one, i, &options[o]);
            assert_same(alone, batch[i]);
            lancet_features_close(&alone);
        }
        /* Another side and path between must leave no trace. */
        alone = encode(one, 1, &(lancet_feature_options){.side = 80, .path = LANCET_PATH_PLAIN});
        lancet_features_close(&alone);
        alone = encode(one, 2, &options[o]);
        assert_same(alone, batch[2]);
        lancet_features_close(&alone);
        for (size_t i = 0; i < 5; i++)
            lancet_features_close(&batch[i]);
        lancet_session_close(&one);
        lancet_session_close(&three);
    }
}

/* Pictures of 90 x 60, 87 x 60, 84 x 60 and so on; patches of 8. The long side is the short one's by the
 * aspect ratio, in whole patches: 40 * 90 / 60 = 60, 7.5 patches, the half upwards; 40 * 84 / 60 = 56. */
static void test_sizes(void **state)
{
    static const struct {
        size_t picture;
        lancet_feature_options options;
        size_t width, height;
    } cases[] = {
        {0, {0}, 48, 48},
        {0, {.side = 64}, 64, 64},
        {0, {.width = 72, .height = 41}, 72, 41},
        {0, {.short_side = 40}, 64, 40},
        {1, {.short_side = 40}, 56, 40}, /* 58: 7.25 */
        {2, {.short_side = 40}, 56, 40},
        {0, {.short_side = 44}, 64, 48}, /* 66 x 44: 8.25 and 5.5 */
        {0, {.short_side = 1}, 8, 8},
        {0, {.short_side = 2000}, 3000, 2000},
    };
    lancet_session *session = session_of(2);

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const size_t width = cases[i].width, height = cases[i].height;
        lancet_feature_options resolved, again;
        lancet_error error;

        if (lancet_feature_options_resolve(&resolved, model, &pictures[cases[i].picture], &cases[i].options,
                                           &error) != LANCET_OK)
            fail_msg("%s", error.message);
        assert_int_equal(resolved.width, width);
        assert_int_equal(resolved.height, height);
        assert_int_equal(resolved.surgery_start, 3);
        again = resolved;
        assert_int_equal(lancet_feature_options_resolve(&again, model, &pictures[0], &resolved, &error),
                         LANCET_OK);
        assert_memory_equal(&again, &resolved, sizeof again);
        if (width * height < 10000) {
            lancet_features *features = encode(session, cases[i].picture, &cases[i].options);

            assert_int_equal(lancet_features_input_width(features), width);
            assert_int_equal(lancet_features_input_height(features), height);
            assert_int_equal(lancet_features_side(features), width == height ? width : 0);
            assert_int_equal(lancet_features_grid_width(features), width / 8);
            assert_int_equal(lancet_features_grid_height(features), height / 8);
            lancet_features_close(&features);
        }
    }
    lancet_session_close(&session);
}

/* Three ways to say 64 x 64 are the same bytes. */
static void test_a_square_is_a_side(void **state)
{
    static const lancet_feature_options ways[] = {
        {.side = 64}, {.width = 64, .height = 64}, {.short_side = 64}};
    const lancet_picture square = {noise[0], 60, 60, 270};
    lancet_session *session = session_of(2);
    lancet_features *features[3];
    lancet_error error;

    (void)state;
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(lancet_features_encode(&features[i], session, &square, &ways[i], &error), LANCET_OK);
    assert_same(features[0], features[1]);
    assert_same(features[0], features[2]);
    for (size_t i = 0; i < 3; i++)
        lancet_features_close(&features[i]);
    lancet_session_close(&session);
}

static void test_more_pictures_than_one_pass_takes(void **state)
{
    lancet_session *session = session_of(2);
    const lancet_feature_options options = {.side = 8 * 40}; /* 1,601 tokens: a pass each */
    lancet_features *batch[5];
    lancet_error error;

    (void)state;
    assert_int_equal(lancet_features_encode_batch(batch, session, pictures, 5, &options, &error), LANCET_OK);
    for (size_t i = 0; i < 5; i += 4) {
        lancet_features *alone = encode(session, i, &options);

        assert_same(alone, batch[i]);
        lancet_features_close(&alone);
    }
    for (size_t i = 0; i < 5; i++)
        lancet_features_close(&batch[i]);
    lancet_session_close(&session);
}

/* The class token comes from the original path: both paths give the same. */
static void test_the_class_token_is_clips(void **state)
{
    lancet_session *session = session_of(2);
    lancet_features *surgery = encode(session, 0, NULL);
    lancet_features *plain = encode(session, 0, &(lancet_feature_options){.path = LANCET_PATH_PLAIN});
    const float *a = lancet_features_tokens(surgery), *b = lancet_features_tokens(plain);

    (void)state;
    for (size_t c = 0; c < lancet_features_width(plain); c++)
        assert_true(fabsf(a[c] - b[c]) <= 1e-5f);
    assert_int_equal(lancet_features_path(plain), LANCET_PATH_PLAIN);
    assert_int_equal(lancet_features_surgery_start(plain), 0);
    assert_int_equal(lancet_features_surgery_start(surgery), lancet_model_describe(model)->vision_blocks - 5);
    assert_int_equal(lancet_features_side(surgery), 48);
    assert_int_equal(lancet_features_picture_width(surgery), 90);
    assert_int_equal(lancet_features_picture_height(surgery), 60);
    assert_string_equal(lancet_features_model_hash(surgery), lancet_model_describe(model)->hash);
    lancet_features_close(&surgery);
    lancet_features_close(&plain);
    lancet_session_close(&session);
}

/* Surgery computes of the last block's original path the class tokens alone, and no keys at all. */
static void test_the_class_tokens_of_a_batch_are_clips(void **state)
{
    lancet_session *session = session_of(2);
    lancet_features *batch[5];
    lancet_error error;

    (void)state;
    assert_int_equal(lancet_features_encode_batch(batch, session, pictures, 5, NULL, &error), LANCET_OK);
    for (size_t i = 0; i < 5; i++) {
        lancet_features *plain = encode(session, i, &(lancet_feature_options){.path = LANCET_PATH_PLAIN});

        assert_memory_equal(lancet_features_tokens(batch[i]), lancet_features_tokens(plain),
                            lancet_features_width(plain) * sizeof(float));
        lancet_features_close(&plain);
        lancet_features_close(&batch[i]);
    }
    lancet_session_close(&session);
}

static void test_depth_by_count_and_by_start_agree(void **state)
{
    lancet_session *session = session_of(2);
    const int blocks = lancet_model_describe(model)->vision_blocks;

    (void)state;
    for (int last = 1; last <= blocks; last++) {
        lancet_features *a = encode(session, 0, &(lancet_feature_options){.surgery_last = last});
        lancet_features *b =
            encode(session, 0, &(lancet_feature_options){.surgery_start = blocks - last + 1});

        assert_same(a, b);
        assert_int_equal(lancet_features_surgery_start(a), blocks - last + 1);
        lancet_features_close(&a);
        lancet_features_close(&b);
    }
    lancet_session_close(&session);
}

struct walk {
    int calls, first_surgery, stop_at;
};

static int visit(void *context, int block, size_t tokens, size_t width, const float *original,
                 const float *surgery)
{
    struct walk *walk = context;

    assert_int_equal(block, ++walk->calls);
    assert_int_equal(tokens, 37);
    assert_int_equal(width, lancet_model_describe(model)->vision_width);
    assert_non_null(original);
    for (size_t i = 0; i < tokens * width; i++)
        assert_true(isfinite(original[i]) && (!surgery || isfinite(surgery[i])));
    if (surgery && !walk->first_surgery)
        walk->first_surgery = block;
    return block == walk->stop_at ? 42 : 0;
}

static void test_the_walk_sees_every_block(void **state)
{
    lancet_session *session = session_of(2);
    const int blocks = lancet_model_describe(model)->vision_blocks;
    struct walk walk = {0};
    lancet_error error;
    int stopped = -1;

    (void)state;
    assert_int_equal(lancet_tokens_walk(session, &pictures[0], NULL, visit, &walk, &stopped, &error),
                     LANCET_OK);
    assert_int_equal(walk.calls, blocks);
    assert_int_equal(walk.first_surgery, blocks - 5);
    assert_int_equal(stopped, 0);
    walk = (struct walk){.stop_at = 2};
    assert_int_equal(lancet_tokens_walk(session, &pictures[0],
                                        &(lancet_feature_options){.path = LANCET_PATH_PLAIN}, visit, &walk,
                                        &stopped, &error),
                     LANCET_OK);
    assert_int_equal(walk.calls, 2);
    assert_int_equal(walk.first_surgery, 0);
    assert_int_equal(stopped, 42);
    lancet_session_close(&session);
}

/* Rows of weights: each sums to 1; the class token's are the first of them; the last block is the default,
 * and the way the second path takes plays no part. (That the weights are right is for the golden folders.) */
static void test_attention_rows(void **state)
{
    static const lancet_attention_kind kinds[] = {LANCET_ATTENTION_RAW, LANCET_ATTENTION_VALUES};
    static float rows[46 * 46], again[46 * 46], raw[46 * 46];
    const lancet_feature_options wide = {.width = 72, .height = 40},
                                 plain = {.width = 72, .height = 40, .path = LANCET_PATH_PLAIN};
    const int blocks = lancet_model_describe(model)->vision_blocks;
    lancet_session *one = session_of(1), *three = session_of(3);
    lancet_error error;

    (void)state;
    assert_int_equal(lancet_model_describe(model)->vision_heads, 1);
    for (size_t k = 0; k < 2; k++) {
        lancet_attention_options options = {.kind = kinds[k]};

        assert_int_equal(lancet_attention_rows(rows, one, &pictures[0], &wide, &options, &error), LANCET_OK);
        for (size_t i = 0; i < 46; i++) {
            double sum = 0;

            for (size_t j = 0; j < 46; j++) {
                assert_true(rows[46 * i + j] >= 0);
                sum += (double)rows[46 * i + j];
            }
            assert_true(fabs(sum - 1) < 1e-5);
        }
        options.block = blocks;
        assert_int_equal(lancet_attention_rows(again, three, &pictures[0], &plain, &options, &error),
                         LANCET_OK);
        assert_memory_equal(rows, again, sizeof rows);
        options.class_only = true;
        memset(again, 0, sizeof again);
        assert_int_equal(lancet_attention_rows(again, three, &pictures[0], &wide, &options, &error),
                         LANCET_OK);
        assert_memory_equal(rows, again, 46 * sizeof *rows);
        assert_true(again[46] == 0);
        options.block = 1;
        assert_int_equal(lancet_attention_rows(again, one, &pictures[0], &wide, &options, &error), LANCET_OK);
        assert_memory_not_equal(rows, again, 46 * sizeof *rows);
        if (k == 0)
            memcpy(raw, rows, sizeof raw);
    }
    assert_memory_not_equal(rows, raw, sizeof raw);
    lancet_session_close(&one);
    lancet_session_close(&three);
}

static void test_wrong_attention_options_are_named(void **state)
{
    static const struct {
        lancet_attention_options options;
        const char *named;
    } cases[] = {
        {{.block = 9}, "block: expected 1 to 8 (the model's blocks), found 9"},
        {{.block = -1}, "block"},
        {{.kind = (lancet_attention_kind)2}, "kind"},
    };
    static float rows[37 * 37];
    lancet_session *session = session_of(1);
    lancet_error error;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(lancet_attention_rows(rows, session, &pictures[0], NULL, &cases[i].options, &error),
                         LANCET_ERROR_ARGUMENT);
        if (!strstr(error.message, cases[i].named))
            fail_msg("expected \"%s\" in \"%s\"", cases[i].named, error.message);
    }
    assert_int_equal(lancet_attention_rows(NULL, session, &pictures[0], NULL, NULL, NULL),
                     LANCET_ERROR_ARGUMENT);
    assert_int_equal(lancet_attention_rows(rows, NULL, &pictures[0], NULL, NULL, NULL),
                     LANCET_ERROR_ARGUMENT);
    assert_int_equal(lancet_attention_rows(rows, session, NULL, NULL, NULL, NULL), LANCET_ERROR_ARGUMENT);
    lancet_session_close(&session);
}

static void test_wrong_options_are_named(void **state)
{
    static const struct {
        lancet_feature_options options;
        const char *named;
    } cases[] = {
        {{.side = 7}, "input size: expected sides of 8 (one patch) to 4096 pixels, found 7 x 7"},
        {{.side = -1}, "side: expected a number of pixels, found -1"},
        {{.side = 4097}, "found 4097 x 4097"},
        {{.side = 48, .width = 48, .height = 48}, "give one of the three, found 48, 48 x 48 and 0"},
        {{.side = 48, .short_side = 48}, "give one of the three"},
        {{.short_side = 48, .height = 48}, "give one of the three"},
        {{.width = 48}, "width and height: expected two numbers of pixels, found 48 x 0"},
        {{.width = 48, .height = 7}, "found 48 x 7"},
        {{.width = 4097, .height = 48}, "found 4097 x 48"},
        {{.width = -48, .height = -48}, "found -48 x -48"},
        {{.width = 4096, .height = 4096}, "at most 131072 patches, found 262144: 4096 x 4096 pixels"},
        {{.short_side = -1}, "short_side: expected a number of pixels, found -1"},
        {{.short_side = INT_MAX}, "found 2147483647 x 2147483647"},
        {{.short_side = 4096}, "found 6144 x 4096"},
        {{.surgery_last = 3, .surgery_start = 3}, "give one of them"},
        {{.surgery_last = 9}, "surgery_last: expected 1 to 8 (the model's blocks), found 9"},
        {{.surgery_start = -1}, "surgery_start"},
        {{.path = LANCET_PATH_PLAIN, .surgery_last = 1}, "the plain path has no surgery"},
        {{.path = (lancet_path)99}, "path"},
        {{.mean = {0, 0, 0}, .deviation = {1, 0, 1}}, "mean and deviation"},
        {{.mean = {NAN, 0, 0}, .deviation = {1, 1, 1}}, "mean and deviation"},
    };
    lancet_session *session = session_of(1);
    lancet_features *features = NULL;
    lancet_error error;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(lancet_features_encode(&features, session, &pictures[0], &cases[i].options, &error),
                         LANCET_ERROR_ARGUMENT);
        if (!strstr(error.message, cases[i].named))
            fail_msg("expected \"%s\" in \"%s\"", cases[i].named, error.message);
        assert_null(features);
    }
    assert_int_equal(
        lancet_features_encode(&features, session, &(lancet_picture){NULL, 1, 1, 0}, NULL, &error),
        LANCET_ERROR_ARGUMENT);
    assert_int_equal(
        lancet_features_encode(&features, session, &(lancet_picture){noise[0], 0, 1, 0}, NULL, &error),
        LANCET_ERROR_ARGUMENT);
    assert_int_equal(
        lancet_features_encode(&features, session, &(lancet_picture){noise[0], 9, 1, 26}, NULL, &error),
        LANCET_ERROR_ARGUMENT);
    assert_int_equal(lancet_features_encode(NULL, session, &pictures[0], NULL, NULL), LANCET_ERROR_ARGUMENT);
    assert_int_equal(lancet_features_encode(&features, NULL, &pictures[0], NULL, &error),
                     LANCET_ERROR_ARGUMENT);
    lancet_session_close(&session);
    assert_int_equal(lancet_session_open(&session, model, &(lancet_session_options){257}, &error),
                     LANCET_ERROR_ARGUMENT);
    assert_int_equal(lancet_session_open(&session, NULL, NULL, &error), LANCET_ERROR_ARGUMENT);
}

static void test_a_tower_left_out_is_said(void **state)
{
    const char *path = TESTS_FOLDER "/golden/tiny/model.safetensors";
    lancet_model *half = NULL;
    lancet_session *session = NULL;
    lancet_features *features = NULL;
    lancet_labels *labels = NULL;
    lancet_error error;

    (void)state;
    assert_int_equal(
        lancet_model_open(&half, path, &(lancet_model_options){.towers = LANCET_TOWERS_TEXT}, &error),
        LANCET_OK);
    assert_int_equal(lancet_session_open(&session, half, NULL, &error), LANCET_OK);
    assert_int_equal(lancet_features_encode(&features, session, &pictures[0], NULL, &error),
                     LANCET_ERROR_ARGUMENT);
    if (!strstr(error.message, "opened without its vision tower"))
        fail_msg("%s", error.message);
    lancet_session_close(&session);
    lancet_model_close(&half);
    assert_int_equal(
        lancet_model_open(&half, path, &(lancet_model_options){.towers = LANCET_TOWERS_VISION}, &error),
        LANCET_OK);
    assert_int_equal(lancet_session_open(&session, half, NULL, &error), LANCET_OK);
    assert_int_equal(lancet_labels_encode(&labels, session, (const char *[]){"a"}, 1, NULL, &error),
                     LANCET_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, "opened without its text tower"));
    lancet_session_close(&session);
    lancet_model_close(&half);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words_leave_no_trace),
        cmocka_unit_test(test_only_the_input_decides),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_a_square_is_a_side),
        cmocka_unit_test(test_more_pictures_than_one_pass_takes),
        cmocka_unit_test(test_the_class_token_is_clips),
        cmocka_unit_test(test_the_class_tokens_of_a_batch_are_clips),
        cmocka_unit_test(test_depth_by_count_and_by_start_agree),
        cmocka_unit_test(test_the_walk_sees_every_block),
        cmocka_unit_test(test_attention_rows),
        cmocka_unit_test(test_wrong_attention_options_are_named),
        cmocka_unit_test(test_wrong_options_are_named),
        cmocka_unit_test(test_a_tower_left_out_is_said),
    };

    return cmocka_run_group_tests(tests, open_model, close_model);
}
