/* Segments against numpy's argmax of interpolated scores; whole pictures, windows and crops against the same
 * done by hand; classes of several words. SPDX-License-Identifier: Apache-2.0 */
#include "clip/text/labels.h"
#include "explain/maps.h"
#include "lancet/image.h"

#include "support/eye.h"

#define LABELS_MOST 300

static lancet_maps maps_of(float *scores, size_t count, size_t height, size_t width)
{
    return (lancet_maps){.count = count, .height = height, .width = width, .scores = scores};
}

/* Each pixel's label has the best score, to within float's rounding; background is where the reference says.
 */
static void check_segments(const uint16_t *segments, size_t count, size_t pixels,
                           const lancet_segment_options *options)
{
    lancet_npy enlarged = eye_read("enlarged.npy"), probability = eye_read("probability.npy");
    const float *scores = enlarged.values, *probabilities = probability.values;
    const lancet_background background = options ? options->background : LANCET_BACKGROUND_NEVER;
    size_t close = 0, none = 0;

    assert_int_equal(enlarged.count, count * pixels);
    for (size_t i = 0; i < pixels; i++) {
        float best = -INFINITY, value;

        for (size_t t = 0; t < count; t++)
            best = fmaxf(best, scores[t * pixels + i]);
        value = background == LANCET_BACKGROUND_SCORE ? best : probabilities[i];
        if (background && fabsf(value - options->threshold) < 1e-5f) {
            close++;
        } else if (background && value < options->threshold) {
            assert_int_equal(segments[i], LANCET_SEGMENT_NONE);
            none++;
        } else {
            assert_true(segments[i] < count);
            /* Scores are of about 1, and four of them are summed. */
            assert_true(scores[segments[i] * pixels + i] >= best - 1e-6f);
        }
    }
    assert_true(close * 100 <= pixels);
    assert_true(!background || (none > 0 && none + close < pixels)); /* there was something to decide */
    lancet_npy_close(&enlarged);
    lancet_npy_close(&probability);
}

static void test_against_numpy(void **state)
{
    static const struct {
        size_t count, grid_height, grid_width, height, width;
        lancet_segment_options options;
    } cases[] = {
        {3, 7, 7, 53, 41, {0}},
        {LABELS_MOST, 4, 9, 60, 100, {0}},
        {2, 1, 1, 5, 5, {0}},
        {5, 3, 3, 4, 2500, {0}}, /* more than one strip of columns */
        {4, 6, 5, 2, 3, {0}},    /* smaller than the grid */
        {6, 14, 14, 100, 140, {LANCET_BACKGROUND_PROBABILITY, 0.4f, 3}},
        {6, 14, 14, 100, 140, {LANCET_BACKGROUND_PROBABILITY, 0.99f, 0}},
        {6, 14, 14, 100, 140, {LANCET_BACKGROUND_SCORE, 0.4f, 0}},
    };

    (void)state;
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        const size_t cells = cases[k].grid_height * cases[k].grid_width;
        const size_t pixels = cases[k].height * cases[k].width;
        const size_t shape[] = {cases[k].count, cases[k].grid_height, cases[k].grid_width};
        float *scores = malloc(cases[k].count * cells * sizeof *scores);
        uint16_t *segments = malloc(pixels * sizeof *segments);
        lancet_maps maps = maps_of(scores, shape[0], shape[1], shape[2]);
        char arguments[100];

        for (size_t i = 0; i < shape[0] * cells; i++)
            scores[i] = eye_number();
        eye_write("scores.npy", scores, shape, 3);
        snprintf(arguments, sizeof arguments, "segment %zu %zu %g", cases[k].width, cases[k].height,
                 cases[k].options.scale > 0 ? (double)cases[k].options.scale : 100);
        eye_reference(arguments);
        assert_int_equal(
            lancet_maps_segment(segments, &maps, cases[k].width, cases[k].height, &cases[k].options, NULL),
            LANCET_OK);
        check_segments(segments, cases[k].count, pixels, &cases[k].options);
        free(scores);
        free(segments);
    }
}

/* As argmax does it. */
static void test_ties_go_to_the_first(void **state)
{
    float scores[] = {1, 2, 2, 1, /* */ 1, 2, 2, 1, /* */ 1, 2, 3, 1};
    lancet_maps maps = maps_of(scores, 3, 2, 2);
    uint16_t segments[4];

    (void)state;
    assert_int_equal(lancet_maps_segment(segments, &maps, 2, 2, NULL, NULL), LANCET_OK);
    assert_int_equal(segments[0], 0);
    assert_int_equal(segments[1], 0);
    assert_int_equal(segments[2], 2);
    assert_int_equal(segments[3], 0);
}

/* One label is better everywhere; scaled to 0..1 each, the other would win in places. */
static void test_no_normalisation(void **state)
{
    float scores[] = {0.30f, 0.30f, 0.30f, 0.31f, /* */ 0.1f, 0.2f, 0.1f, 0.2f};
    lancet_maps maps = maps_of(scores, 2, 2, 2);
    uint16_t segments[64];

    (void)state;
    assert_int_equal(lancet_maps_segment(segments, &maps, 8, 8, NULL, NULL), LANCET_OK);
    for (size_t i = 0; i < 64; i++)
        assert_int_equal(segments[i], 0);
}

static void segment_by_hand(uint16_t *segments, size_t width, size_t height, const lancet_picture *picture,
                            const lancet_feature_options *options)
{
    lancet_features *features = NULL;
    lancet_maps *maps = NULL;
    lancet_error error;

    if (lancet_features_encode(&features, eye.session, picture, options, &error) != LANCET_OK ||
        lancet_maps_compute(&maps, features, eye.labels,
                            &(lancet_map_options){.redundant = LANCET_REDUNDANT_NONE}, &error) != LANCET_OK ||
        lancet_maps_segment(segments, maps, width, height, NULL, &error) != LANCET_OK)
        fail_msg("%s", error.message);
    lancet_maps_close(&maps);
    lancet_features_close(&features);
}

static void segment(uint16_t *segments, const lancet_segment_task *task)
{
    lancet_error error;

    if (lancet_segment(segments, eye.session, &eye.picture, eye.labels, task, &error) != LANCET_OK)
        fail_msg("%s", error.message);
}

#define PIXELS (EYE_WIDTH * EYE_HEIGHT)

static void test_whole_picture(void **state)
{
    static uint16_t found[PIXELS], expected[PIXELS];
    const lancet_segment_task task = {.features = {.side = 64}};

    (void)state;
    segment(found, &task);
    segment_by_hand(expected, EYE_WIDTH, EYE_HEIGHT, &eye.picture, &task.features);
    assert_memory_equal(found, expected, sizeof found);
    segment(found, NULL);
    segment_by_hand(expected, EYE_WIDTH, EYE_HEIGHT, &eye.picture, NULL);
    assert_memory_equal(found, expected, sizeof found);
}

static void test_windows(void **state)
{
    static uint16_t found[PIXELS], expected[PIXELS];
    const lancet_window_options windows = {.side = 48, .stride = 24};
    const lancet_map_options plain = {.redundant = LANCET_REDUNDANT_NONE};
    const lancet_segment_task task = {.windows = &windows};
    lancet_maps *maps = NULL;

    (void)state;
    segment(found, &task);
    assert_int_equal(
        lancet_maps_slide(&maps, eye.session, &eye.picture, eye.labels, NULL, &windows, &plain, NULL),
        LANCET_OK);
    assert_int_equal(lancet_maps_segment(expected, maps, EYE_WIDTH, EYE_HEIGHT, NULL, NULL), LANCET_OK);
    assert_memory_equal(found, expected, sizeof found);
    lancet_maps_close(&maps);
}

/* Crops of a picture that divides evenly, and of one that does not: pictures of their own, side by side. */
static void check_crops(size_t columns, size_t rows, size_t side)
{
    static uint16_t found[PIXELS], crop[PIXELS];
    const lancet_segment_task task = {
        .features = {.side = (int)side}, .crop_columns = (int)columns, .crop_rows = (int)rows};
    lancet_image *resized = NULL;
    lancet_picture whole;

    segment(found, &task);
    assert_int_equal(lancet_image_resize(&resized, &eye.picture, columns * side, rows * side, NULL),
                     LANCET_OK);
    whole = lancet_image_picture(resized);
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < columns; c++) {
            const size_t top = (size_t)lround((double)(r * EYE_HEIGHT) / (double)rows),
                         bottom = (size_t)lround((double)((r + 1) * EYE_HEIGHT) / (double)rows),
                         left = (size_t)lround((double)(c * EYE_WIDTH) / (double)columns),
                         right = (size_t)lround((double)((c + 1) * EYE_WIDTH) / (double)columns);
            const size_t stride = whole.stride ? whole.stride : 3 * whole.width;
            const lancet_picture part = {whole.rgb + r * side * stride + 3 * c * side, side, side, stride};

            segment_by_hand(crop, right - left, bottom - top, &part,
                            &(lancet_feature_options){.side = (int)side});
            for (size_t y = top; y < bottom; y++)
                assert_memory_equal(found + y * EYE_WIDTH + left, crop + (y - top) * (right - left),
                                    (right - left) * sizeof *found);
        }
    lancet_image_close(&resized);
}

static void test_crops(void **state)
{
    (void)state;
    check_crops(2, 1, 48);
    check_crops(4, 2, 32);
    check_crops(7, 5, 16); /* 104 / 7 and 72 / 5 are no whole numbers */
}

/* The mean's direction, for words in order; one word stays what it is. */
static void test_group(void **state)
{
    const size_t counts[] = {1, 3}, width = lancet_labels_width(eye.labels);
    const float *words = lancet_labels_features(eye.labels), *classes;
    lancet_labels *grouped = NULL;
    double length = 0, sums[64];

    (void)state;
    assert_int_equal(width, 64);
    assert_int_equal(lancet_labels_group(&grouped, eye.labels, counts, 2, NULL), LANCET_OK);
    assert_int_equal(lancet_labels_count(grouped), 2);
    assert_string_equal(lancet_labels_text(grouped, 0), "cat");
    assert_string_equal(lancet_labels_text(grouped, 1), "a red door");
    assert_string_equal(lancet_labels_model_hash(grouped), lancet_labels_model_hash(eye.labels));
    assert_memory_equal(lancet_labels_empty(grouped, false), lancet_labels_empty(eye.labels, false),
                        width * sizeof(float));
    assert_memory_equal(lancet_labels_empty(grouped, true), lancet_labels_empty(eye.labels, true),
                        width * sizeof(float));
    classes = lancet_labels_features(grouped);
    for (size_t c = 0; c < width; c++) {
        sums[c] = (double)words[width + c] + (double)words[2 * width + c] + (double)words[3 * width + c];
        length += sums[c] * sums[c];
    }
    for (size_t c = 0; c < width; c++) {
        assert_float_equal(classes[c], words[c], 1e-7);
        assert_float_equal(classes[width + c], sums[c] / sqrt(length), 1e-7);
    }
    lancet_labels_close(&grouped);
    assert_null(lancet_labels_lost(grouped, 0));
}

static void expect_says(lancet_status status, const lancet_error *error, const char *says)
{
    assert_int_equal(status, LANCET_ERROR_ARGUMENT);
    if (!strstr(error->message, says))
        fail_msg("expected \"%s\", found: %s", says, error->message);
}

static void test_wrong_options_are_named(void **state)
{
    static uint16_t segments[PIXELS];
    const lancet_window_options windows = {0};
    const size_t none[] = {0}, few[] = {1, 2}, many[] = {1, 4};
    float scores[4] = {0};
    lancet_maps maps = maps_of(scores, 1, 2, 2);
    lancet_labels *grouped = NULL;
    lancet_error e;

#define SEGMENT(...)                                                                                         \
    lancet_segment(segments, eye.session, &eye.picture, eye.labels, &(lancet_segment_task){__VA_ARGS__}, &e)
    (void)state;
    expect_says(SEGMENT(.crop_columns = 2), &e, "crops: expected 1 to 64 along each side, found 2x0");
    expect_says(SEGMENT(.crop_columns = 65, .crop_rows = 1), &e, "found 65x1");
    expect_says(SEGMENT(.crop_columns = 2, .crop_rows = -1), &e, "found 2x-1");
    expect_says(SEGMENT(.crop_columns = 64, .crop_rows = 1, .features = {.side = 2048}), &e,
                "expected sides of at most");
    expect_says(SEGMENT(.crop_columns = 2, .crop_rows = 1, .windows = &windows), &e, "crops and windows");
    expect_says(SEGMENT(.crop_columns = 2, .crop_rows = 1, .features = {.short_side = 48}), &e, "short_side");
    expect_says(SEGMENT(.segments = {.background = (lancet_background)3}), &e, "background");
    expect_says(SEGMENT(.segments = {.threshold = NAN}), &e, "threshold");
    expect_says(SEGMENT(.segments = {.scale = -1}), &e, "scale");
    expect_says(SEGMENT(.features = {.side = -1}), &e, "side");
    expect_says(lancet_segment(segments, NULL, &eye.picture, eye.labels, NULL, &e), &e, "session is NULL");
    expect_says(lancet_segment(NULL, eye.session, &eye.picture, eye.labels, NULL, &e), &e,
                "segments is NULL");
    expect_says(lancet_segment(segments, eye.session, &eye.picture, NULL, NULL, &e), &e, "labels is NULL");
    expect_says(lancet_maps_segment(NULL, &maps, 2, 2, NULL, &e), &e, "segments is NULL");
    expect_says(lancet_maps_segment(segments, NULL, 2, 2, NULL, &e), &e, "maps is NULL");
    expect_says(lancet_maps_segment(segments, &maps, 0, 2, NULL, &e), &e, "found 0x2");
    maps.count = LANCET_SEGMENT_CLASSES_MAX + 1;
    expect_says(lancet_maps_segment(segments, &maps, 2, 2, NULL, &e), &e, "expected at most 65000");
    expect_says(lancet_labels_group(NULL, eye.labels, few, 2, &e), &e, "classes is NULL");
    expect_says(lancet_labels_group(&grouped, NULL, few, 2, &e), &e, "words is NULL");
    expect_says(lancet_labels_group(&grouped, eye.labels, NULL, 2, &e), &e, "counts is NULL");
    expect_says(lancet_labels_group(&grouped, eye.labels, few, 0, &e), &e, "found none");
    expect_says(lancet_labels_group(&grouped, eye.labels, none, 1, &e), &e, "class 1: expected 1 to 4");
    expect_says(lancet_labels_group(&grouped, eye.labels, few, 2, &e), &e,
                "expected 4 words in all, found 3");
    expect_says(lancet_labels_group(&grouped, eye.labels, many, 2, &e), &e, "class 2: expected 1 to 3");
    assert_null(grouped);
}

static lancet_status crops_call(lancet_error *error)
{
    static uint16_t segments[PIXELS];

    return lancet_segment(segments, eye.session, &eye.picture, eye.labels,
                          &(lancet_segment_task){.features = {.side = 32}, .crop_columns = 2, .crop_rows = 1},
                          error);
}

static lancet_status windows_call(lancet_error *error)
{
    static uint16_t segments[PIXELS];
    const lancet_window_options windows = {.side = 48};

    return lancet_segment(segments, eye.session, &eye.picture, eye.labels,
                          &(lancet_segment_task){.features = {.side = 64}, .windows = &windows}, error);
}

static lancet_status group_call(lancet_error *error)
{
    lancet_labels *grouped = NULL;
    const lancet_status status = lancet_labels_group(&grouped, eye.labels, (const size_t[]){3, 1}, 2, error);

    assert_true((status == LANCET_OK) == (grouped != NULL));
    lancet_labels_close(&grouped);
    return status;
}

static void test_memory(void **state)
{
    (void)state;
    eye_fail_each(crops_call);
    eye_fail_each(windows_call);
    eye_fail_each(group_call);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_numpy),
        cmocka_unit_test(test_ties_go_to_the_first),
        cmocka_unit_test(test_no_normalisation),
        cmocka_unit_test(test_whole_picture),
        cmocka_unit_test(test_windows),
        cmocka_unit_test(test_crops),
        cmocka_unit_test(test_group),
        cmocka_unit_test(test_wrong_options_are_named),
        cmocka_unit_test(test_memory),
    };

    return cmocka_run_group_tests_name("segment", tests, eye_open, eye_close);
}
