/* Pictures through windows: against windows cut and averaged by hand, pixel by pixel; sizes, limits, and that
 * nothing but the input decides. The numbers are also held against numpy's, in the golden folders
 * (tests/cli). SPDX-License-Identifier: Apache-2.0 */
#include "clip/text/labels.h"
#include "lancet/lancet.h"

#include "support/files.h"

#include <math.h>

#define WIDTH  104
#define HEIGHT 72

/* What looks, and what for. */
static struct eye {
    lancet_model *model;
    lancet_session *session;
    lancet_labels *labels;
    size_t patch;
} eye = {.patch = 8};

static uint8_t noise[HEIGHT * WIDTH * 3];

static int open_all(void **state)
{
    static const char *const texts[] = {"cat", "a red door", "sky"};
    const lancet_label_options options = {.redundant = LANCET_REDUNDANT_EMPTY};
    uint32_t seed = 11;

    (void)state;
    for (size_t i = 0; i < sizeof noise; i++) {
        seed = seed * 1664525u + 1013904223u;
        noise[i] = (uint8_t)(seed >> 24);
    }
    if (lancet_model_open(&eye.model, TESTS_FOLDER "/golden/tiny/model.safetensors", NULL, NULL) !=
            LANCET_OK ||
        lancet_session_open(&eye.session, eye.model, &(lancet_session_options){2}, NULL) != LANCET_OK)
        return 1;
    return lancet_labels_encode(&eye.labels, eye.session, texts, 3, &options, NULL) != LANCET_OK;
}

static int close_all(void **state)
{
    (void)state;
    lancet_labels_close(&eye.labels);
    lancet_session_close(&eye.session);
    lancet_model_close(&eye.model);
    return 0;
}

/* The part of the noise that begins at (y, x): a picture whose rows are further apart than they are long. */
static lancet_picture view(size_t y, size_t x, size_t height, size_t width)
{
    return (lancet_picture){noise + 3 * (y * WIDTH + x), width, height, 3 * WIDTH};
}

static lancet_maps *slide(lancet_session *with, const lancet_picture *picture,
                          const lancet_feature_options *features, const lancet_window_options *windows,
                          const lancet_map_options *options)
{
    lancet_maps *maps = NULL;
    lancet_error error;

    if (lancet_maps_slide(&maps, with, picture, eye.labels, features, windows, options, &error) != LANCET_OK)
        fail_msg("%s", error.message);
    return maps;
}

static lancet_maps *look(const lancet_picture *picture, const lancet_feature_options *features,
                         const lancet_map_options *options)
{
    lancet_features *encoded = NULL;
    lancet_maps *maps = NULL;
    lancet_error error;

    if (lancet_features_encode(&encoded, eye.session, picture, features, &error) != LANCET_OK ||
        lancet_maps_compute(&maps, encoded, eye.labels, options, &error) != LANCET_OK)
        fail_msg("%s", error.message);
    lancet_features_close(&encoded);
    return maps;
}

static void assert_same(const lancet_maps *a, const lancet_maps *b)
{
    const size_t count = lancet_maps_count(a), height = lancet_maps_grid_height(a),
                 width = lancet_maps_grid_width(a);

    assert_int_equal(count, lancet_maps_count(b));
    assert_int_equal(height, lancet_maps_grid_height(b));
    assert_int_equal(width, lancet_maps_grid_width(b));
    assert_int_equal(lancet_maps_redundant(a), lancet_maps_redundant(b));
    assert_memory_equal(lancet_maps_scores(a), lancet_maps_scores(b), count * height * width * sizeof(float));
    assert_memory_equal(lancet_maps_class_scores(a), lancet_maps_class_scores(b), count * sizeof(float));
    for (size_t t = 0; t < count; t++)
        assert_string_equal(lancet_maps_text(a, t), lancet_maps_text(b, t));
}

/* ---- Numbers ------------------------------------------------------------------------------------------- */

static const lancet_map_options map_options[] = {
    {.redundant = LANCET_REDUNDANT_LABELS},
    {.redundant = LANCET_REDUNDANT_LABELS, .form = LANCET_FORM_PAPER, .tau = 5},
    {.redundant = LANCET_REDUNDANT_EMPTY, .order = LANCET_ORDER_PAPER},
};

/* One window is the picture: also where it is resized first, on either path. */
static void test_one_window_is_the_picture(void **state)
{
    static const lancet_feature_options features[] = {
        {.side = 48}, {.side = 64, .path = LANCET_PATH_PLAIN}, {.side = 64, .surgery_last = 2}};
    const lancet_picture picture = view(0, 0, HEIGHT, WIDTH);

    (void)state;
    for (size_t i = 0; i < 3; i++)
        for (size_t stride = 0; stride <= 11; stride += 11) {
            const lancet_window_options windows = {.side = features[i].side, .stride = (int)stride};
            lancet_maps *whole = look(&picture, &features[i], &map_options[i]);
            lancet_maps *through = slide(eye.session, &picture, &features[i], &windows, &map_options[i]);
            float *map = calloc(2 * 50 * 40, sizeof *map);

            assert_same(whole, through);
            /* And so do the maps, which know of their order. */
            assert_int_equal(lancet_maps_write(whole, 1, 50, 40, map, NULL), LANCET_OK);
            assert_int_equal(lancet_maps_write(through, 1, 50, 40, map + 50 * 40, NULL), LANCET_OK);
            assert_memory_equal(map, map + 50 * 40, 50 * 40 * sizeof *map);
            free(map);
            lancet_maps_close(&whole);
            lancet_maps_close(&through);
        }
}

/* What a person would do: cut every window out, look at it alone, paint its patches over the pixels, divide.
 */
static void average_by_hand(double *sums, double *class_sums, size_t height, size_t width, size_t side,
                            size_t stride, const lancet_map_options *options)
{
    double *covered = calloc(height * width, sizeof *covered);
    size_t count = 0;

    for (size_t y = 0, last_y = 0; !last_y; y += stride) {
        last_y = y + side >= height;
        y = last_y ? height - side : y;
        for (size_t x = 0, last_x = 0; !last_x; x += stride) {
            last_x = x + side >= width;
            x = last_x ? width - side : x;
            const lancet_picture cut = view(y, x, side, side);
            lancet_maps *maps = look(&cut, &(lancet_feature_options){.side = (int)side}, options);
            const size_t patch = eye.patch, grid = side / patch;

            for (size_t i = 0; i < side; i++)
                for (size_t k = 0; k < side; k++) {
                    covered[(y + i) * width + x + k] += 1;
                    for (size_t t = 0; t < 3; t++)
                        sums[(t * height + y + i) * width + x + k] +=
                            (double)lancet_maps_scores(maps)[(t * grid + i / patch) * grid + k / patch];
                }
            for (size_t t = 0; t < 3; t++)
                class_sums[t] += (double)lancet_maps_class_scores(maps)[t];
            count++;
            lancet_maps_close(&maps);
        }
    }
    for (size_t t = 0; t < 3; t++) {
        class_sums[t] /= (double)count;
        for (size_t i = 0; i < height * width; i++)
            sums[t * height * width + i] /= covered[i];
    }
    free(covered);
}

static void test_windows_by_hand(void **state)
{
    static const struct {
        size_t height, width, side, stride, cell;
    } cases[] = {
        {72, 104, 32, 16, 8}, {72, 104, 40, 40, 8}, {48, 80, 48, 24, 8}, /* one row of windows */
        {72, 104, 32, 12, 4},                                            /* patches that do not meet */
        {41, 47, 32, 32, 1},                                             /* nor do the borders */
        {50, 46, 40, 13, 2}, /* two windows each way: the stride is not reached, 10 and 6 are */
    };
    static double sums[3 * HEIGHT * WIDTH], class_sums[3];

    (void)state;
    for (size_t n = 0; n < sizeof cases / sizeof *cases; n++) {
        const size_t height = cases[n].height, width = cases[n].width, cell = cases[n].cell;
        const lancet_feature_options features = {.width = (int)width, .height = (int)height};
        const lancet_window_options windows = {.side = (int)cases[n].side, .stride = (int)cases[n].stride};
        const lancet_picture picture = view(0, 0, height, width);
        lancet_maps *maps = slide(eye.session, &picture, &features, &windows, &map_options[n % 3]);

        memset(sums, 0, sizeof sums);
        memset(class_sums, 0, sizeof class_sums);
        average_by_hand(sums, class_sums, height, width, cases[n].side, cases[n].stride, &map_options[n % 3]);
        assert_int_equal(lancet_maps_grid_height(maps), height / cell);
        assert_int_equal(lancet_maps_grid_width(maps), width / cell);
        assert_int_equal(lancet_window_cell(eye.model, &features, &windows), cell);
        for (size_t t = 0; t < 3; t++) {
            const float *scores = lancet_maps_scores(maps) + t * (height / cell) * (width / cell);

            /* The same floats added in double: only the last rounding is left. */
            assert_true(fabs((double)lancet_maps_class_scores(maps)[t] - class_sums[t]) < 1e-7);
            for (size_t y = 0; y < height; y++)
                for (size_t x = 0; x < width; x++)
                    assert_true(fabs((double)scores[y / cell * (width / cell) + x / cell] -
                                     sums[(t * height + y) * width + x]) < 1e-7);
        }
        lancet_maps_close(&maps);
    }
}

/* A ModifiedResNet's windows are its pictures, as a transformer's are; its tokens stand for 32 x 32 pixels.
 */
static void test_windows_of_a_resnet(void **state)
{
    static double sums[3 * HEIGHT * WIDTH], class_sums[3];
    static float words[3 * 64];
    static char *texts[] = {"a", "b", "c"};
    const char *path = path_of(golden_needed("rn_a"), "model.safetensors");
    const lancet_picture picture = view(0, 0, 64, 96);
    const lancet_feature_options features = {.width = 96, .height = 64};
    const lancet_window_options windows = {.side = 64};
    const struct eye before = eye;
    lancet_labels bank = {.count = 3, .width = 64, .texts = texts, .features = words};
    lancet_maps *maps;
    lancet_error error;

    (void)state;
    if (lancet_model_open(&eye.model, path, NULL, &error) != LANCET_OK ||
        lancet_session_open(&eye.session, eye.model, NULL, &error) != LANCET_OK)
        fail_msg("%s", error.message);
    assert_int_equal(lancet_model_describe(eye.model)->embedding_width, 64);
    for (size_t i = 0; i < 3 * 64; i++)
        words[i] = (float)(int)(i * 37 % 11 - 5) / 25;
    strcpy(bank.model_hash, lancet_model_describe(eye.model)->hash);
    eye.labels = &bank;
    eye.patch = 32;
    maps = slide(eye.session, &picture, &features, &windows, &map_options[1]);
    memset(sums, 0, sizeof sums);
    memset(class_sums, 0, sizeof class_sums);
    average_by_hand(sums, class_sums, 64, 96, 64, 32, &map_options[1]);
    assert_int_equal(lancet_maps_grid_height(maps), 2);
    assert_int_equal(lancet_maps_grid_width(maps), 3);
    for (size_t t = 0; t < 3; t++)
        for (size_t y = 0; y < 64; y++)
            for (size_t x = 0; x < 96; x++)
                assert_true(fabs((double)lancet_maps_scores(maps)[(t * 2 + y / 32) * 3 + x / 32] -
                                 sums[(t * 64 + y) * 96 + x]) < 1e-7);
    lancet_maps_close(&maps);
    lancet_session_close(&eye.session);
    lancet_model_close(&eye.model);
    eye = before;
}

/* More windows than one batch takes (4,096 of one patch): any number of threads, any history, the same bytes.
 */
static void test_only_the_input_decides(void **state)
{
    const lancet_picture picture = view(0, 0, HEIGHT, WIDTH);
    const lancet_feature_options features = {.width = WIDTH, .height = HEIGHT};
    const lancet_window_options windows = {.side = 8, .stride = 1};
    lancet_session *one = NULL, *three = NULL;
    lancet_maps *first, *second, *third;

    (void)state;
    assert_int_equal(lancet_session_open(&one, eye.model, &(lancet_session_options){1}, NULL), LANCET_OK);
    assert_int_equal(lancet_session_open(&three, eye.model, &(lancet_session_options){3}, NULL), LANCET_OK);
    first = slide(one, &picture, &features, &windows, NULL);
    second = slide(three, &picture, &features, &windows, NULL);
    assert_same(first, second);
    lancet_maps_close(&second);
    second = slide(three, &picture, NULL, NULL, NULL);
    third = slide(three, &picture, &features, &windows, NULL);
    assert_same(first, third);
    lancet_maps_close(&first);
    lancet_maps_close(&second);
    lancet_maps_close(&third);
    lancet_session_close(&one);
    lancet_session_close(&three);
}

static void test_one_call(void **state)
{
    static const char *const texts[] = {"cat", "a red door", "sky"};
    const lancet_picture picture = view(0, 0, HEIGHT, WIDTH);
    const lancet_window_options windows = {.side = 40};
    const lancet_explain_options options = {.windows = &windows, .features = {.short_side = 56}};
    lancet_maps *expected = slide(eye.session, &picture, &options.features, &windows, NULL), *maps = NULL;
    lancet_error error;

    (void)state;
    assert_int_equal(lancet_explain(&maps, eye.model, &picture, texts, 3, &options, &error), LANCET_OK);
    assert_same(expected, maps);
    lancet_maps_close(&expected);
    lancet_maps_close(&maps);
}

/* ---- Options ------------------------------------------------------------------------------------------- */

static void test_sizes(void **state)
{
    static const struct {
        size_t height, width; /* of the picture */
        lancet_feature_options features;
        lancet_window_options windows;
        int resized_height, resized_width, side, stride;
    } cases[] = {
        {72, 104, {0}, {0}, 72, 104, 48, 24},
        {71, 101, {0}, {0}, 72, 104, 48, 24},          /* 8.875 and 12.625 patches */
        {68, 99, {0}, {0}, 72, 96, 48, 24},            /* 8.5, upwards, and 12.375 */
        {20, 30, {0}, {0}, 48, 72, 48, 24},            /* enlarged until a window fits, its shape kept */
        {44, 30, {0}, {0}, 72, 48, 48, 24},            /* 70.4: 8.8 patches */
        {72, 104, {0}, {.side = 40}, 72, 104, 40, 24}, /* half of five patches, upwards */
        {72, 104, {0}, {.side = 8}, 72, 104, 8, 8},
        {72, 104, {0}, {.side = 40, .stride = 7}, 72, 104, 40, 7},
        {72, 104, {.side = 60}, {0}, 60, 60, 48, 24},
        {72, 104, {.short_side = 100}, {0}, 104, 144, 48, 24}, /* 12.5 and 18.06 patches */
        {72, 104, {.width = 6000, .height = 5000}, {.side = 400}, 5000, 6000, 400, 200}, /* beyond one pass */
        {60, 104, {.path = LANCET_PATH_PLAIN}, {0}, 64, 104, 48, 24},
    };

    (void)state;
    for (size_t n = 0; n < sizeof cases / sizeof *cases; n++) {
        const lancet_picture picture = view(0, 0, cases[n].height, cases[n].width);
        lancet_feature_options features;
        lancet_window_options windows;
        lancet_error error;

        if (lancet_window_options_resolve(&features, &windows, eye.model, &picture, &cases[n].features,
                                          &cases[n].windows, &error) != LANCET_OK)
            fail_msg("%zu: %s", n, error.message);
        assert_int_equal(features.height, cases[n].resized_height);
        assert_int_equal(features.width, cases[n].resized_width);
        assert_int_equal(windows.side, cases[n].side);
        assert_int_equal(windows.stride, cases[n].stride);
        assert_int_equal(features.surgery_start, features.path == LANCET_PATH_PLAIN ? 0 : 3);
        assert_true(features.deviation[0] > 0);
    }
}

static void test_wrong_options_are_named(void **state)
{
    static const struct {
        lancet_feature_options features;
        lancet_window_options windows;
        const char *named;
    } cases[] = {
        {{0}, {.side = 44}, "window: expected whole patches of 8 pixels, up to 4096 pixels, found 44"},
        {{0}, {.side = -8}, "window"},
        {{0}, {.side = 4104}, "window"},
        {{0}, {.stride = -1}, "stride: expected 1 to 48 (the window), found -1"},
        {{0}, {.side = 40, .stride = 41}, "stride: expected 1 to 40"},
        {{.side = 40},
         {.side = 48},
         "window: expected at most the resized picture's 40 x 40 pixels, found 48"},
        {{.width = 48, .height = 47}, {0}, "48 x 47 pixels, found 48"},
        {{.side = 48, .short_side = 48}, {0}, "give one of the three"},
        {{.side = -48}, {0}, "side: expected a number of pixels"},
        {{.width = 65536, .height = 48}, {0}, "sides of at most 65535 pixels, found 65536 x 48"},
        {{.width = 65535, .height = 65535}, {.side = 48}, "stride: expected at most 65536 windows"},
        {{.width = 4145, .height = 4145},
         {.side = 4096, .stride = 7},
         "at most 16777216 cells, found 17181025"},
        {{.surgery_last = 9}, {0}, "surgery_last: expected 1 to 8"},
        {{.path = (lancet_path)99}, {0}, "path"},
    };
    const lancet_picture picture = view(0, 0, HEIGHT, WIDTH);
    lancet_maps *maps = NULL;
    lancet_error error;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(lancet_maps_slide(&maps, eye.session, &picture, eye.labels, &cases[i].features,
                                           &cases[i].windows, NULL, &error),
                         LANCET_ERROR_ARGUMENT);
        if (!strstr(error.message, cases[i].named))
            fail_msg("expected \"%s\" in \"%s\"", cases[i].named, error.message);
        assert_null(maps);
    }
    assert_int_equal(lancet_maps_slide(&maps, eye.session, &picture, eye.labels, NULL, NULL,
                                       &(lancet_map_options){.tau = -1}, &error),
                     LANCET_ERROR_ARGUMENT);
    assert_null(maps);
    assert_int_equal(lancet_maps_slide(NULL, eye.session, &picture, eye.labels, NULL, NULL, NULL, NULL),
                     LANCET_ERROR_ARGUMENT);
    assert_int_equal(lancet_maps_slide(&maps, NULL, &picture, eye.labels, NULL, NULL, NULL, NULL),
                     LANCET_ERROR_ARGUMENT);
    assert_int_equal(lancet_maps_slide(&maps, eye.session, NULL, eye.labels, NULL, NULL, NULL, NULL),
                     LANCET_ERROR_ARGUMENT);
    assert_int_equal(lancet_maps_slide(&maps, eye.session, &picture, NULL, NULL, NULL, NULL, NULL),
                     LANCET_ERROR_ARGUMENT);
}

struct watch {
    size_t calls, done, total, stop_at;
};

static bool watch(void *context, size_t done, size_t total)
{
    struct watch *w = context;

    assert_true(done > w->done && done <= total);
    w->done = done;
    w->total = total;
    return ++w->calls != w->stop_at;
}

static void test_progress(void **state)
{
    const lancet_picture picture = view(0, 0, HEIGHT, WIDTH);
    struct watch seen = {0};
    lancet_window_options windows = {.side = 8, .stride = 1, .progress = watch, .progress_context = &seen};
    lancet_maps *maps = slide(eye.session, &picture, NULL, &windows, NULL);
    lancet_error error;

    (void)state;
    assert_int_equal(seen.total, (size_t)65 * 97);
    assert_int_equal(seen.done, seen.total);
    assert_int_equal(seen.calls, 2);
    lancet_maps_close(&maps);
    seen = (struct watch){.stop_at = 1};
    assert_int_equal(
        lancet_maps_slide(&maps, eye.session, &picture, eye.labels, NULL, &windows, NULL, &error),
        LANCET_ERROR_ARGUMENT);
    assert_string_equal(error.message, "stopped");
    assert_null(maps);
    assert_int_equal(seen.calls, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_window_is_the_picture),
        cmocka_unit_test(test_windows_by_hand),
        cmocka_unit_test(test_windows_of_a_resnet),
        cmocka_unit_test(test_only_the_input_decides),
        cmocka_unit_test(test_one_call),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_wrong_options_are_named),
        cmocka_unit_test(test_progress),
    };

    return cmocka_run_group_tests(tests, open_all, close_all);
}
