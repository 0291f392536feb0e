/* A picture's scores against numpy, from the equations. SPDX-License-Identifier: Apache-2.0 */
#include "clip/text/labels.h"
#include "clip/vision/features.h"

#include "support/eye.h"

#define CHANNELS    37
#define LABELS_MOST 60

/* A class token and labels made by hand. */
static struct pair {
    lancet_features features;
    lancet_labels labels;
    float token[CHANNELS], words[LABELS_MOST * CHANNELS], empty[CHANNELS];
} pair;

static void draw_unit(float *row)
{
    double squares = 0;

    for (size_t c = 0; c < CHANNELS; c++) {
        row[c] = eye_number() + 0.7f; /* as CLIP's texts: all lean to one side */
        squares += (double)row[c] * (double)row[c];
    }
    for (size_t c = 0; c < CHANNELS; c++)
        row[c] = (float)((double)row[c] / sqrt(squares));
}

static void make_pair(size_t count)
{
    pair.features = (lancet_features){.tokens = pair.token, .width = CHANNELS};
    pair.labels = (lancet_labels){.count = count,
                                  .width = CHANNELS,
                                  .features = pair.words,
                                  .empty = pair.empty,
                                  .empty_bare = pair.empty};
    for (size_t c = 0; c < CHANNELS; c++)
        pair.token[c] = 5 * eye_number();
    for (size_t t = 0; t < count; t++)
        draw_unit(pair.words + t * CHANNELS);
    draw_unit(pair.empty);
}

static void recognise(lancet_recognition *scores, const lancet_recognise_options *options)
{
    lancet_error error;

    if (lancet_recognise(scores, &pair.features, &pair.labels, options, &error) != LANCET_OK)
        fail_msg("%s", error.message);
}

static void test_against_numpy(void **state)
{
    static const struct {
        size_t count;
        lancet_recognise_options options;
    } cases[] = {
        {1, {0, 0}}, {2, {0, 0}}, {7, {20.5f, 0}}, {LABELS_MOST, {100, 9}}, {LABELS_MOST, {1, 0.1f}}};

    (void)state;
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        const size_t count = cases[k].count;
        const lancet_recognise_options *options = &cases[k].options;
        lancet_recognition scores[LABELS_MOST];
        lancet_npy reference;
        char arguments[100];
        const float *e;

        make_pair(count);
        eye_write("token.npy", pair.token, (const size_t[]){CHANNELS}, 1);
        eye_write("labels.npy", pair.words, (const size_t[]){count, CHANNELS}, 2);
        eye_write("empty.npy", pair.empty, (const size_t[]){CHANNELS}, 1);
        snprintf(arguments, sizeof arguments, "recognise %.9g %.9g",
                 options->scale > 0 ? (double)options->scale : 100,
                 options->tau > 0 ? (double)options->tau : 2);
        eye_reference(arguments);
        recognise(scores, options);
        reference = eye_read("scores.npy");
        assert_int_equal(reference.count, 5 * count);
        e = reference.values;
        for (size_t t = 0; t < count; t++, e++) {
            /* Cosines are float sums of numbers below 1; the softmax has them times the scale, and surgery
             * times at most the number of labels. */
            assert_true(fabsf(scores[t].cosine - e[0]) <= 3e-7f);
            assert_true(fabsf(scores[t].probability - e[count]) <= 3e-5f);
            assert_true(fabsf(scores[t].surgery_code - e[2 * count]) <= 3e-7f * (float)(2 + count));
            assert_true(fabsf(scores[t].surgery_paper - e[3 * count]) <= 3e-7f * (float)(2 + count));
            assert_true(fabsf(scores[t].presence - e[4 * count]) <= 3e-5f);
        }
        lancet_npy_close(&reference);
    }
}

/* What a bank without the empty string cannot tell; huge scales overflow nothing. */
static void test_edges(void **state)
{
    lancet_recognition scores[3];
    double sum = 0;

    (void)state;
    make_pair(3);
    recognise(scores, &(lancet_recognise_options){.scale = 1e30f});
    for (size_t t = 0; t < 3; t++) {
        sum += (double)scores[t].probability;
        assert_true(scores[t].presence >= 0 && scores[t].presence <= 1);
    }
    assert_true(sum == 1);
    pair.labels.empty = NULL;
    recognise(scores, NULL);
    for (size_t t = 0; t < 3; t++)
        assert_true(isnan(scores[t].presence) && isfinite(scores[t].surgery_code));
    pair.labels.count = 1;
    recognise(scores, NULL);
    assert_true(scores[0].probability == 1);
    assert_true(fabsf(scores[0].surgery_code) < 1e-6f);
}

/* The class token is CLIP's own on both paths, and the maps' class scores are these. */
static void test_either_path(void **state)
{
    lancet_recognition plain[EYE_TEXTS], surgery[EYE_TEXTS];
    lancet_features *features = NULL;
    lancet_maps *maps = NULL;

    (void)state;
    assert_int_equal(lancet_features_encode(&features, eye.session, &eye.picture,
                                            &(lancet_feature_options){.path = LANCET_PATH_PLAIN}, NULL),
                     LANCET_OK);
    assert_int_equal(lancet_recognise(plain, features, eye.labels, NULL, NULL), LANCET_OK);
    lancet_features_close(&features);
    assert_int_equal(lancet_features_encode(&features, eye.session, &eye.picture, NULL, NULL), LANCET_OK);
    assert_int_equal(lancet_recognise(surgery, features, eye.labels, NULL, NULL), LANCET_OK);
    assert_int_equal(lancet_maps_compute(&maps, features, eye.labels, NULL, NULL), LANCET_OK);
    for (size_t t = 0; t < EYE_TEXTS; t++) {
        assert_true(fabsf(plain[t].cosine - surgery[t].cosine) <= 1e-5f);
        assert_true(fabsf(surgery[t].surgery_code - lancet_maps_class_scores(maps)[t]) <= 1e-6f);
    }
    lancet_maps_close(&maps);
    lancet_features_close(&features);
}

static void test_wrong_options_are_named(void **state)
{
    lancet_recognition scores[2];
    lancet_error error;

    (void)state;
    make_pair(2);
#define FAILS(says, ...)                                                                                     \
    do {                                                                                                     \
        assert_int_equal(lancet_recognise(__VA_ARGS__, &error), LANCET_ERROR_ARGUMENT);                      \
        assert_non_null(strstr(error.message, says));                                                        \
    } while (0)
    FAILS("scores is NULL", NULL, &pair.features, &pair.labels, NULL);
    FAILS("features is NULL", scores, NULL, &pair.labels, NULL);
    FAILS("labels is NULL", scores, &pair.features, NULL, NULL);
    FAILS("scale", scores, &pair.features, &pair.labels, &(lancet_recognise_options){.scale = -1});
    FAILS("scale", scores, &pair.features, &pair.labels, &(lancet_recognise_options){.scale = INFINITY});
    FAILS("tau", scores, &pair.features, &pair.labels, &(lancet_recognise_options){.tau = NAN});
    pair.features.pool_class = LANCET_POOL_CLASS_VV;
    FAILS("expected CLIP's own class token", scores, &pair.features, &pair.labels, NULL);
    pair.features.pool_class = LANCET_POOL_CLASS_QK;
    strcpy(pair.labels.model_hash, "another");
    FAILS("those of model another", scores, &pair.features, &pair.labels, NULL);
}

static lancet_status call(lancet_error *error)
{
    lancet_recognition scores[2];

    return lancet_recognise(scores, &pair.features, &pair.labels, NULL, error);
}

static void test_memory(void **state)
{
    (void)state;
    make_pair(2);
    eye_fail_each(call);
    make_pair(1);
    eye_fail_each(call);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_numpy), cmocka_unit_test(test_edges),
        cmocka_unit_test(test_either_path),   cmocka_unit_test(test_wrong_options_are_named),
        cmocka_unit_test(test_memory),
    };

    return cmocka_run_group_tests_name("recognise", tests, eye_open, eye_close);
}
