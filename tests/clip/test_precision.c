/* Products of narrower numbers: how far the maps of the model that comes with Lancet drift from those in
 * float32, that batches and threads decide nothing, and that what is not narrowed stays as it was.
 * SPDX-License-Identifier: Apache-2.0 */
#include "lancet/image.h"
#include "lancet/lancet.h"

#include "support/files.h"

#include <math.h>

#define MINI (TESTS_FOLDER "/../models/lancet-mini.safetensors")

static lancet_model *open_as(const char *path, lancet_precision precision)
{
    const lancet_model_options options = {.precision = precision};
    lancet_model *model = NULL;
    lancet_error error;

    if (lancet_model_open(&model, path, &options, &error) != LANCET_OK)
        fail_msg("%s", error.message);
    assert_int_equal(lancet_model_describe(model)->precision, precision);
    return model;
}

static lancet_session *session_on(const lancet_model *model, int threads)
{
    lancet_session *session = NULL;
    lancet_error error;

    assert_int_equal(lancet_session_open(&session, model, &(lancet_session_options){threads}, &error),
                     LANCET_OK);
    return session;
}

static const char *const words[] = {"cat", "whale", "snowman", "traffic light", "apple", "chair"};
#define WORDS (sizeof words / sizeof *words)

/* [WORDS] maps of the golden photograph at the picture's size, one after the other. */
static float *maps_of(lancet_session *session, const char *photograph, size_t *size)
{
    lancet_image *image = NULL;
    lancet_labels *labels = NULL;
    lancet_features *features = NULL;
    lancet_maps *maps = NULL;
    lancet_picture picture;
    lancet_error error;
    float *values;

    assert_int_equal(lancet_image_open(&image, photograph, NULL, &error), LANCET_OK);
    picture = lancet_image_picture(image);
    *size = picture.width * picture.height;
    values = malloc(WORDS * *size * sizeof *values);
    assert_non_null(values);
    if (lancet_labels_encode(&labels, session, words, WORDS, NULL, &error) != LANCET_OK ||
        lancet_features_encode(&features, session, &picture, NULL, &error) != LANCET_OK ||
        lancet_maps_compute(&maps, features, labels, NULL, &error) != LANCET_OK)
        fail_msg("%s", error.message);
    for (size_t i = 0; i < WORDS; i++)
        assert_int_equal(
            lancet_maps_write(maps, i, picture.width, picture.height, values + i * *size, &error), LANCET_OK);
    lancet_maps_close(&maps);
    lancet_features_close(&features);
    lancet_labels_close(&labels);
    lancet_image_close(&image);
    return values;
}

static double cosine(const float *a, const float *b, size_t count)
{
    double product = 0, square_a = 0, square_b = 0;

    for (size_t i = 0; i < count; i++) {
        product += (double)a[i] * (double)b[i];
        square_a += (double)a[i] * (double)a[i];
        square_b += (double)b[i] * (double)b[i];
    }
    return product / sqrt(square_a * square_b);
}

static void check_drift(lancet_precision precision, double least)
{
    static const char *const photographs[] = {TESTS_FOLDER "/golden/tiny/images/shapes.jpg",
                                              TESTS_FOLDER "/golden/tiny/images/scene.png"};
    lancet_model *exact = open_as(MINI, LANCET_PRECISION_FLOAT32), *narrow = open_as(MINI, precision);
    lancet_session *exact_session = session_on(exact, 2), *narrow_session = session_on(narrow, 2);

    for (size_t p = 0; p < sizeof photographs / sizeof *photographs; p++) {
        size_t size;
        float *expected = maps_of(exact_session, photographs[p], &size);
        float *found = maps_of(narrow_session, photographs[p], &size);
        bool differs = false;

        for (size_t i = 0; i < WORDS; i++) {
            const double similar = cosine(expected + i * size, found + i * size, size);

            if (!(similar >= least))
                fail_msg("%s, %s: expected a cosine of at least %g, found %g", photographs[p], words[i],
                         least, similar);
            differs = differs || memcmp(expected + i * size, found + i * size, size * sizeof *found) != 0;
        }
        assert_true(differs); /* it was really narrowed */
        free(expected);
        free(found);
    }
    lancet_session_close(&exact_session);
    lancet_session_close(&narrow_session);
    lancet_model_close(&exact);
    lancet_model_close(&narrow);
}

static void test_bfloat16_drifts_little(void **state)
{
    (void)state;
    check_drift(LANCET_PRECISION_BFLOAT16, 0.999);
}

static void test_int8_drifts_little(void **state)
{
    (void)state;
    check_drift(LANCET_PRECISION_INT8, 0.995);
}

/* A batch on three threads gives the bytes of its pictures one by one on one. */
static void test_same_bytes(void **state)
{
    static uint8_t noise[3][64 * 64 * 3];
    lancet_picture pictures[3];
    uint32_t seed = 3;

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        for (size_t k = 0; k < sizeof noise[i]; k++)
            noise[i][k] = (uint8_t)((seed = seed * 1664525u + 1013904223u) >> 24);
        pictures[i] = (lancet_picture){noise[i], 64, 64, 3 * 64};
    }
    for (int precision = LANCET_PRECISION_FLOAT32; precision <= LANCET_PRECISION_INT8; precision++) {
        lancet_model *model = open_as(MINI, (lancet_precision)precision);
        lancet_session *one = session_on(model, 1), *three = session_on(model, 3);
        lancet_features *batch[3] = {NULL};
        lancet_error error;

        assert_int_equal(lancet_features_encode_batch(batch, three, pictures, 3, NULL, &error), LANCET_OK);
        for (size_t i = 0; i < 3; i++) {
            lancet_features *alone = NULL;

            assert_int_equal(lancet_features_encode(&alone, one, &pictures[i], NULL, &error), LANCET_OK);
            const size_t tokens = 1 + lancet_features_grid_height(alone) * lancet_features_grid_width(alone);

            assert_memory_equal(lancet_features_tokens(alone), lancet_features_tokens(batch[i]),
                                tokens * lancet_features_width(alone) * sizeof(float));
            lancet_features_close(&alone);
            lancet_features_close(&batch[i]);
        }
        lancet_session_close(&one);
        lancet_session_close(&three);
        lancet_model_close(&model);
    }
}

/* A ModifiedResNet's pictures are float32 whatever is asked for. */
static void test_resnets_are_not_narrowed(void **state)
{
    const char *path = TESTS_FOLDER "/golden/tiny_rn/model.safetensors";
    static uint8_t rgb[64 * 64 * 3];
    const lancet_picture picture = {rgb, 64, 64, 3 * 64};
    lancet_features *features[2] = {NULL};
    lancet_error error;

    (void)state;
    for (size_t k = 0; k < sizeof rgb; k++)
        rgb[k] = (uint8_t)(k * 2654435761u >> 13);
    for (int i = 0; i < 2; i++) {
        lancet_model *model = open_as(path, i ? LANCET_PRECISION_INT8 : LANCET_PRECISION_FLOAT32);
        lancet_session *session = session_on(model, 1);

        if (lancet_features_encode(&features[i], session, &picture, NULL, &error) != LANCET_OK)
            fail_msg("%s", error.message);
        lancet_session_close(&session);
        lancet_model_close(&model);
    }
    assert_memory_equal(lancet_features_tokens(features[0]), lancet_features_tokens(features[1]),
                        lancet_features_width(features[0]) * sizeof(float));
    lancet_features_close(&features[0]);
    lancet_features_close(&features[1]);
}

static void test_unknown_precision(void **state)
{
    const lancet_model_options options = {.precision = (lancet_precision)3};
    lancet_model *model = NULL;
    lancet_error error;

    (void)state;
    assert_int_equal(lancet_model_open(&model, MINI, &options, &error), LANCET_ERROR_ARGUMENT);
    assert_string_equal(error.message, "precision: expected a lancet_precision, found 3");
    assert_null(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bfloat16_drifts_little),
        cmocka_unit_test(test_int8_drifts_little),
        cmocka_unit_test(test_same_bytes),
        cmocka_unit_test(test_resnets_are_not_narrowed),
        cmocka_unit_test(test_unknown_precision),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
