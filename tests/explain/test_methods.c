/* The registry of methods, and what their paths refuse. The tokens themselves are held to the golden sets.
 * SPDX-License-Identifier: Apache-2.0 */
#include "support/files.h"

#include "lancet/lancet.h"

#define TINY   TESTS_FOLDER "/golden/tiny/model.safetensors"
#define RESNET TESTS_FOLDER "/golden/tiny_rn/model.safetensors"

static void test_registry(void **state)
{
    const size_t count = lancet_method_count();

    (void)state;
    assert_true(count >= 12);
    assert_string_equal(lancet_method_at(0)->name, "surgery");
    assert_null(lancet_method_at(count));
    assert_null(lancet_method_find("no such"));
    assert_null(lancet_method_find(NULL));
    for (size_t i = 0; i < count; i++) {
        const lancet_method *method = lancet_method_at(i);

        assert_ptr_equal(lancet_method_find(method->name), method); /* so no name is there twice */
        assert_true(*method->title && *method->summary);
        assert_true((unsigned)method->path < LANCET_PATHS);
    }
}

static void test_apply(void **state)
{
    lancet_feature_options features = {.side = 96};
    lancet_map_options maps = {.tau = 3};

    (void)state;
    lancet_method_apply(lancet_method_find("rclip"), &features, &maps);
    assert_int_equal(features.path, LANCET_PATH_PLAIN);
    assert_int_equal(features.side, 96);
    assert_true(maps.reversed && maps.tau == 3);
    assert_int_equal(maps.redundant, LANCET_REDUNDANT_NONE);
    lancet_method_apply(lancet_method_find("surgery"), &features, NULL);
    assert_int_equal(features.path, LANCET_PATH_SURGERY);
    lancet_method_apply(lancet_method_find("surgery"), NULL, &maps);
    assert_false(maps.reversed);
}

typedef struct bench {
    lancet_model *model;
    lancet_session *session;
    uint8_t rgb[40 * 30 * 3];
    lancet_picture picture;
} bench;

static void bench_open(bench *b, const char *path, lancet_towers towers)
{
    lancet_error error;

    *b = (bench){0};
    for (size_t i = 0; i < sizeof b->rgb; i++)
        b->rgb[i] = (uint8_t)(i * i * 7 + i / 90);
    b->picture = (lancet_picture){b->rgb, 40, 30, 0};
    if (lancet_model_open(&b->model, path, &(lancet_model_options){.towers = towers}, &error) != LANCET_OK ||
        lancet_session_open(&b->session, b->model, &(lancet_session_options){.threads = 2}, &error) !=
            LANCET_OK)
        fail_msg("%s", error.message);
}

static void bench_close(bench *b)
{
    lancet_session_close(&b->session);
    lancet_model_close(&b->model);
}

/* The class token is CLIP's own whatever the second path does, and a batch gives the same bytes as one by
 * one. */
static void test_class_token_and_batch(void **state)
{
    lancet_features *plain = NULL;
    lancet_error error;
    size_t differ = 0;
    bench b;

    (void)state;
    bench_open(&b, TINY, LANCET_TOWERS_VISION);
    const size_t width = (size_t)lancet_model_describe(b.model)->embedding_width * sizeof(float);

    assert_int_equal(lancet_features_encode(&plain, b.session, &b.picture,
                                            &(lancet_feature_options){.path = LANCET_PATH_PLAIN}, NULL),
                     LANCET_OK);
    for (int path = 0; path < LANCET_PATHS; path++) {
        const lancet_feature_options options = {.path = (lancet_path)path};
        const lancet_picture pictures[2] = {b.picture, b.picture};
        lancet_features *one = NULL, *two[2] = {NULL, NULL};

        if (lancet_features_encode(&one, b.session, &b.picture, &options, &error) != LANCET_OK ||
            lancet_features_encode_batch(two, b.session, pictures, 2, &options, &error) != LANCET_OK)
            fail_msg("path %d: %s", path, error.message);
        const size_t bytes = (1 + lancet_features_grid_height(one) * lancet_features_grid_width(one)) * width;

        assert_memory_equal(lancet_features_tokens(one), lancet_features_tokens(plain), width);
        assert_memory_equal(lancet_features_tokens(one), lancet_features_tokens(two[0]), bytes);
        assert_memory_equal(lancet_features_tokens(one), lancet_features_tokens(two[1]), bytes);
        differ += memcmp(lancet_features_tokens(one), lancet_features_tokens(plain), bytes) != 0;
        lancet_features_close(&one);
        lancet_features_close(&two[0]);
        lancet_features_close(&two[1]);
    }
    assert_int_equal(differ, LANCET_PATHS - 1);
    lancet_features_close(&plain);
    bench_close(&b);
}

static void test_reversed(void **state)
{
    static const char *const texts[] = {"cat", "a wooden table"};
    lancet_features *features = NULL;
    lancet_labels *labels = NULL;
    lancet_maps *maps = NULL, *reversed = NULL;
    float map[30 * 40], other[30 * 40];
    bench b;

    (void)state;
    bench_open(&b, TINY, LANCET_TOWERS_BOTH);
    assert_int_equal(lancet_labels_encode(&labels, b.session, texts, 2, NULL, NULL), LANCET_OK);
    assert_int_equal(lancet_features_encode(&features, b.session, &b.picture, NULL, NULL), LANCET_OK);
    assert_int_equal(lancet_maps_compute(&maps, features, labels, NULL, NULL), LANCET_OK);
    assert_int_equal(
        lancet_maps_compute(&reversed, features, labels, &(lancet_map_options){.reversed = true}, NULL),
        LANCET_OK);
    for (size_t t = 0; t < 2; t++) {
        assert_int_equal(lancet_maps_write(maps, t, 40, 30, map, NULL), LANCET_OK);
        assert_int_equal(lancet_maps_write(reversed, t, 40, 30, other, NULL), LANCET_OK);
        for (size_t i = 0; i < 30 * 40; i++)
            assert_true(map[i] + other[i] > 1 - 1e-5f && map[i] + other[i] < 1 + 1e-5f);
        assert_true(lancet_maps_class_scores(maps)[t] == lancet_maps_class_scores(reversed)[t]);
    }
    lancet_maps_close(&maps);
    lancet_maps_close(&reversed);
    lancet_features_close(&features);
    lancet_labels_close(&labels);
    bench_close(&b);
}

static void refused(bench *b, const lancet_feature_options *options, const char *words)
{
    lancet_features *features = NULL;
    lancet_error error;

    assert_int_equal(lancet_features_encode(&features, b->session, &b->picture, options, &error),
                     LANCET_ERROR_ARGUMENT);
    assert_null(features);
    if (!strstr(error.message, words))
        fail_msg("expected \"%s\", found \"%s\"", words, error.message);
}

static void test_refusals(void **state)
{
    float rows[2];
    bench b;

    (void)state;
    bench_open(&b, TINY, LANCET_TOWERS_VISION);
    refused(&b, &(lancet_feature_options){.path = LANCET_PATH_SCLIP, .surgery_last = 2}, "last block alone");
    refused(&b, &(lancet_feature_options){.path = LANCET_PATH_NACLIP, .surgery_start = 1},
            "last block alone");
    refused(&b, &(lancet_feature_options){.path = (lancet_path)LANCET_PATHS}, "lancet_path");
    bench_close(&b);
    if (access(RESNET, R_OK) != 0)
        return;
    bench_open(&b, RESNET, LANCET_TOWERS_VISION);
    refused(&b, &(lancet_feature_options){.path = LANCET_PATH_CLEARCLIP}, "ModifiedResNet");
    assert_int_equal(lancet_branches_encode(rows, b.session, &b.picture, NULL, true, NULL),
                     LANCET_ERROR_ARGUMENT);
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_registry),
        cmocka_unit_test(test_apply),
        cmocka_unit_test(test_class_token_and_batch),
        cmocka_unit_test(test_reversed),
        cmocka_unit_test(test_refusals),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
