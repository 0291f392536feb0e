/* The ModifiedResNet from outside: threads, batches and sizes, its options, its blocks and its attention.
 * That its numbers are right is for the golden folders (tests/cli); here, that nothing but the input decides
 * them. SPDX-License-Identifier: Apache-2.0 */
#include "lancet/lancet.h"

#include "support/files.h"

#include <math.h>

#define PICTURES 11 /* more than one pass takes at side 224 */

static lancet_model *model;
static uint8_t noise[PICTURES][60 * 90 * 3];
static lancet_picture pictures[PICTURES];

static int open_model(void **state)
{
    static lancet_error error;
    uint32_t seed = 7;

    (void)state;
    for (size_t i = 0; i < PICTURES; i++) {
        for (size_t k = 0; k < sizeof noise[i]; k++) {
            seed = seed * 1664525u + 1013904223u;
            noise[i][k] = (uint8_t)(seed >> 24);
        }
        pictures[i] = (lancet_picture){noise[i], 90, 60, 270};
    }
    return lancet_model_open(&model, TESTS_FOLDER "/golden/tiny_rn/model.safetensors", NULL, &error) !=
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
    return session;
}

static size_t floats_of(const lancet_features *features)
{
    return (1 + lancet_features_grid_height(features) * lancet_features_grid_width(features)) *
           lancet_features_width(features);
}

static lancet_features *encode(lancet_session *session, size_t picture, const lancet_feature_options *options)
{
    lancet_features *features = NULL;
    lancet_error error;

    if (lancet_features_encode(&features, session, &pictures[picture], options, &error) != LANCET_OK)
        fail_msg("%s", error.message);
    return features;
}

static void test_description(void **state)
{
    const lancet_model_description *about = lancet_model_describe(model);
    const int stages[] = {1, 2, 1, 1};

    (void)state;
    assert_string_equal(about->family, "ModifiedResNet");
    assert_int_equal(about->image_side, 128);
    assert_int_equal(about->patch_side, 32);
    assert_int_equal(about->grid_side, 4);
    assert_int_equal(about->vision_width, 192);
    assert_int_equal(about->vision_heads, 3);
    assert_int_equal(about->vision_blocks, 5);
    assert_memory_equal(about->stage_blocks, stages, sizeof stages);
    assert_int_equal(about->embedding_width, 40);
}

/* The same bytes alone, in a batch, with one thread or three, and after other work. */
static void test_only_the_input_decides(void **state)
{
    static const lancet_feature_options options[] = {{0},
                                                     {.path = LANCET_PATH_PLAIN},
                                                     {.width = 97,
                                                      .height = 224,
                                                      .pool_attention = LANCET_POOL_VV_NORM8,
                                                      .pool_class = LANCET_POOL_CLASS_VV}};

    (void)state;
    for (size_t o = 0; o < sizeof options / sizeof *options; o++) {
        lancet_session *one = session_of(1), *three = session_of(3);
        lancet_features *batch[5], *alone;
        lancet_error error;

        assert_int_equal(lancet_features_encode_batch(batch, three, pictures, 5, &options[o], &error),
                         LANCET_OK);
        for (size_t i = 0; i < 5; i++) {
            alone = encode(one, i, &options[o]);
            assert_int_equal(floats_of(alone), floats_of(batch[i]));
            assert_memory_equal(lancet_features_tokens(alone), lancet_features_tokens(batch[i]),
                                floats_of(alone) * sizeof(float));
            lancet_features_close(&alone);
            /* Another size and path between must leave no trace. */
            alone = encode(one, 1, &(lancet_feature_options){.side = 160, .path = LANCET_PATH_PLAIN});
            lancet_features_close(&alone);
        }
        for (size_t i = 0; i < 5; i++)
            lancet_features_close(&batch[i]);
        lancet_session_close(&one);
        lancet_session_close(&three);
    }
}

static void test_more_pictures_than_one_pass_takes(void **state)
{
    const lancet_feature_options options = {.side = 224};
    lancet_session *session = session_of(2);
    lancet_features *batch[PICTURES];
    lancet_error error;

    (void)state;
    assert_int_equal(lancet_features_encode_batch(batch, session, pictures, PICTURES, &options, &error),
                     LANCET_OK);
    for (size_t i = 0; i < PICTURES; i++) {
        if (i == 0 || i >= 7) {
            lancet_features *alone = encode(session, i, &options);

            assert_memory_equal(lancet_features_tokens(alone), lancet_features_tokens(batch[i]),
                                floats_of(alone) * sizeof(float));
            lancet_features_close(&alone);
        }
        lancet_features_close(&batch[i]);
    }
    lancet_session_close(&session);
}

/* Averages leave the last odd row or column out, but the first convolution rounds up. */
static void test_grids(void **state)
{
    static const int cases[][2] = {{32, 1}, {62, 1},  {63, 2},  {64, 2}, {94, 2},
                                   {95, 3}, {127, 4}, {128, 4}, {159, 5}};
    lancet_session *session = session_of(2);

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        lancet_features *features =
            encode(session, 0, &(lancet_feature_options){.width = cases[i][0], .height = 96});

        assert_int_equal(lancet_features_grid_width(features), cases[i][1]);
        assert_int_equal(lancet_features_grid_height(features), 3);
        assert_int_equal(lancet_grid_side(model, (size_t)cases[i][0]), cases[i][1]);
        for (size_t k = 0; k < floats_of(features); k++)
            assert_true(isfinite(lancet_features_tokens(features)[k]));
        lancet_features_close(&features);
    }
    lancet_session_close(&session);
}

static float largest_difference(const float *a, const float *b, size_t count)
{
    float largest = 0;

    for (size_t i = 0; i < count; i++)
        largest = fmaxf(largest, fabsf(a[i] - b[i]));
    return largest;
}

/* Each of the two options changes what it says and nothing else; the class token is CLIP's unless asked
 * otherwise. */
static void test_pool_options(void **state)
{
    static const lancet_feature_options values = {.pool_class = LANCET_POOL_CLASS_VV},
                                        sharp = {.pool_attention = LANCET_POOL_VV_NORM8},
                                        plain = {.path = LANCET_PATH_PLAIN};
    lancet_session *session = session_of(2);
    lancet_features *first = encode(session, 0, NULL), *other = encode(session, 0, &plain);
    const size_t width = lancet_features_width(first), rest = floats_of(first) - width;
    const float *tokens = lancet_features_tokens(first);

    (void)state;
    assert_int_equal(lancet_features_surgery_start(first), 0);
    assert_int_equal(lancet_features_pool_class(first), LANCET_POOL_CLASS_QK);
    assert_true(largest_difference(tokens, lancet_features_tokens(other), width) <= 1e-6f);
    assert_true(largest_difference(tokens + width, lancet_features_tokens(other) + width, rest) > 1e-2f);
    lancet_features_close(&other);
    other = encode(session, 0, &values);
    assert_int_equal(lancet_features_pool_class(other), LANCET_POOL_CLASS_VV);
    assert_true(largest_difference(tokens, lancet_features_tokens(other), width) > 1e-3f);
    assert_memory_equal(tokens + width, lancet_features_tokens(other) + width, rest * sizeof *tokens);
    lancet_features_close(&other);
    other = encode(session, 0, &sharp);
    assert_int_equal(lancet_features_pool_attention(other), LANCET_POOL_VV_NORM8);
    assert_memory_equal(tokens, lancet_features_tokens(other), width * sizeof *tokens);
    assert_true(largest_difference(tokens + width, lancet_features_tokens(other) + width, rest) > 1e-3f);
    lancet_features_close(&other);
    lancet_features_close(&first);
    assert_int_equal(lancet_features_pool_attention(NULL), LANCET_POOL_VV);
    assert_int_equal(lancet_features_pool_class(NULL), LANCET_POOL_CLASS_QK);
    lancet_session_close(&session);
}

struct walk {
    int calls, stop_at;
};

static int visit(void *context, int block, size_t tokens, size_t width, const float *original,
                 const float *surgery)
{
    static const size_t pixels[] = {32 * 24, 16 * 12, 16 * 12, 8 * 6, 4 * 3},
                        channels[] = {24, 48, 48, 96, 192};
    struct walk *walk = context;

    assert_int_equal(block, ++walk->calls);
    assert_int_equal(tokens, pixels[block - 1]);
    assert_int_equal(width, channels[block - 1]);
    assert_null(surgery);
    for (size_t i = 0; i < tokens * width; i++)
        assert_true(original[i] >= 0); /* behind a ReLU */
    return block == walk->stop_at ? 42 : 0;
}

static void test_the_walk_sees_every_block(void **state)
{
    const lancet_feature_options options = {.width = 128, .height = 96};
    lancet_session *session = session_of(2);
    struct walk walk = {0};
    lancet_error error;
    int stopped = -1;

    (void)state;
    assert_int_equal(lancet_tokens_walk(session, &pictures[0], &options, visit, &walk, &stopped, &error),
                     LANCET_OK);
    assert_int_equal(walk.calls, 5);
    assert_int_equal(stopped, 0);
    walk = (struct walk){.stop_at = 2};
    assert_int_equal(lancet_tokens_walk(session, &pictures[0], &options, visit, &walk, &stopped, &error),
                     LANCET_OK);
    assert_int_equal(walk.calls, 2);
    assert_int_equal(stopped, 42);
    lancet_session_close(&session);
}

static void test_attention_rows(void **state)
{
    float rows[3 * 17 * 17];
    lancet_session *session = session_of(2);
    lancet_error error;

    (void)state;
    for (int kind = LANCET_ATTENTION_RAW; kind <= LANCET_ATTENTION_VALUES; kind++) {
        const lancet_attention_options options = {.kind = (lancet_attention_kind)kind};

        assert_int_equal(lancet_attention_rows(rows, session, &pictures[0], NULL, &options, &error),
                         LANCET_OK);
        for (size_t i = 0; i < 3 * 17; i++) {
            double sum = 0;

            for (size_t j = 0; j < 17; j++)
                sum += (double)rows[i * 17 + j];
            assert_true(fabs(sum - 1) < 1e-5);
        }
    }
    assert_int_equal(lancet_attention_rows(rows, session, &pictures[0], NULL,
                                           &(lancet_attention_options){.block = 5}, &error),
                     LANCET_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, "only its attention pool has"));
    lancet_session_close(&session);
}

static void test_wrong_options_are_named(void **state)
{
    static const struct {
        lancet_feature_options options;
        const char *named;
    } cases[] = {
        {{.surgery_last = 1},
         "surgery_last and surgery_start: a ModifiedResNet's surgery is in its attention pool"},
        {{.surgery_start = 2}, "in its attention pool"},
        {{.pool_attention = (lancet_pool_attention)2}, "pool_attention: expected"},
        {{.pool_attention = (lancet_pool_attention)-1}, "pool_attention: expected"},
        {{.pool_class = (lancet_pool_class)2}, "pool_class: expected"},
        {{.path = LANCET_PATH_PLAIN, .pool_class = LANCET_POOL_CLASS_VV}, "the plain path has no surgery"},
        {{.path = LANCET_PATH_PLAIN, .pool_attention = LANCET_POOL_VV_NORM8},
         "the plain path has no surgery"},
        {{.side = 31}, "sides of 32 (one patch)"},
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
    lancet_session_close(&session);
}

/* Nor has a transformer an attention pool. */
static void test_a_transformer_refuses_them(void **state)
{
    lancet_model *vit = NULL;
    lancet_session *session = NULL;
    lancet_features *features = NULL;
    lancet_error error;

    (void)state;
    assert_int_equal(lancet_model_open(&vit, TESTS_FOLDER "/golden/tiny/model.safetensors", NULL, &error),
                     LANCET_OK);
    assert_int_equal(lancet_model_describe(vit)->stage_blocks[0], 0);
    assert_int_equal(lancet_session_open(&session, vit, NULL, &error), LANCET_OK);
    assert_int_equal(lancet_features_encode(&features, session, &pictures[0],
                                            &(lancet_feature_options){.pool_class = LANCET_POOL_CLASS_VV},
                                            &error),
                     LANCET_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, "a vision transformer has no attention pool"));
    lancet_session_close(&session);
    lancet_model_close(&vit);
}

/* One tower alone, and heads that the width cannot be parted into. */
static void test_towers_and_heads(void **state)
{
    const char *path = TESTS_FOLDER "/golden/tiny_rn/model.safetensors";
    lancet_model *half = NULL;
    lancet_session *session = NULL;
    lancet_features *features = NULL;
    lancet_error error;

    (void)state;
    assert_int_equal(
        lancet_model_open(&half, path, &(lancet_model_options){.towers = LANCET_TOWERS_TEXT}, &error),
        LANCET_OK);
    assert_int_equal(lancet_model_describe(half)->vision_blocks, 0);
    assert_int_equal(lancet_session_open(&session, half, NULL, &error), LANCET_OK);
    assert_int_equal(lancet_features_encode(&features, session, &pictures[0], NULL, &error),
                     LANCET_ERROR_ARGUMENT);
    lancet_session_close(&session);
    lancet_model_close(&half);
    assert_int_equal(
        lancet_model_open(&half, path, &(lancet_model_options){.towers = LANCET_TOWERS_VISION}, &error),
        LANCET_OK);
    assert_string_equal(lancet_model_describe(half)->missing, "");
    lancet_model_close(&half);
    assert_int_equal(lancet_model_open(&half, path, &(lancet_model_options){.head_width = 32}, &error),
                     LANCET_OK);
    assert_int_equal(lancet_model_describe(half)->vision_heads, 6);
    lancet_model_close(&half);
    assert_int_equal(lancet_model_open(&half, path, &(lancet_model_options){.head_width = 5}, &error),
                     LANCET_ERROR_ARGUMENT);
    assert_null(half);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_description),
        cmocka_unit_test(test_only_the_input_decides),
        cmocka_unit_test(test_more_pictures_than_one_pass_takes),
        cmocka_unit_test(test_grids),
        cmocka_unit_test(test_pool_options),
        cmocka_unit_test(test_the_walk_sees_every_block),
        cmocka_unit_test(test_attention_rows),
        cmocka_unit_test(test_wrong_options_are_named),
        cmocka_unit_test(test_a_transformer_refuses_them),
        cmocka_unit_test(test_towers_and_heads),
    };

    return cmocka_run_group_tests(tests, open_model, close_model);
}
