/* Points for several texts at once, against numpy. SPDX-License-Identifier: Apache-2.0 */
#include "explain/maps.h"

#include "support/eye.h"

#define TEXTS_MOST 5
#define CELLS_MOST 400

static float scores[TEXTS_MOST * CELLS_MOST];
static const size_t all[] = {0, 1, 2, 3, 4};

/* Smooth ones, so that more than one cell is high. */
static lancet_maps make_maps(size_t count, size_t height, size_t width)
{
    for (size_t t = 0; t < count; t++) {
        const double x = (double)eye_number(), y = (double)eye_number(),
                     scale = exp(3 * (double)eye_number());

        for (size_t i = 0; i < height * width; i++)
            scores[t * height * width + i] =
                (float)(scale * (sin(x * 6 + (double)(i / width)) + cos(y * 6 + (double)(i % width) / 2)) +
                        0.1 * scale * (double)eye_number());
    }
    return (lancet_maps){.count = count, .height = height, .width = width, .scores = scores};
}

static void test_against_numpy(void **state)
{
    static const struct {
        size_t count, grid_height, grid_width, width, height;
        double threshold;
    } cases[] = {
        {2, 14, 14, 500, 281, 0.8}, {5, 20, 16, 64, 1000, 0.5}, {3, 7, 7, 224, 224, 0.8},
        {1, 9, 12, 33, 44, 0.8},    {2, 4, 5, 3, 2, 0},         {2, 16, 16, 640, 480, 1},
    };

    (void)state;
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        const lancet_maps maps = make_maps(cases[k].count, cases[k].grid_height, cases[k].grid_width);
        const size_t capacity = (cases[k].count + 1) * (maps.height * maps.width / 8 + 1);
        lancet_point *points = malloc(capacity * sizeof *points);
        lancet_npy reference;
        char arguments[100];
        const float *e;
        size_t count;

        eye_write("scores.npy", scores, (const size_t[]){maps.count, maps.height, maps.width}, 3);
        snprintf(arguments, sizeof arguments, "points %g %zu %zu", cases[k].threshold, cases[k].width,
                 cases[k].height);
        eye_reference(arguments);
        assert_int_equal(lancet_maps_points_combined(&maps, all, cases[k].count, cases[k].width,
                                                     cases[k].height, cases[k].threshold, points, capacity,
                                                     &count, NULL),
                         LANCET_OK);
        reference = eye_read("points.npy");
        assert_int_equal(count * 3, reference.count);
        assert_true(count >= 2);
        e = reference.values;
        for (size_t i = 0; i < count; i++, e += 3) {
            assert_int_equal(points[i].x, e[0]);
            assert_int_equal(points[i].y, e[1]);
            assert_int_equal(points[i].positive, e[2]);
        }
        lancet_npy_close(&reference);
        free(points);
    }
}

/* Of one text they are those of lancet_maps_points, with the negative ones first. */
static void test_one_text(void **state)
{
    const lancet_maps maps = make_maps(3, 14, 14);
    lancet_point single[60], combined[60];
    size_t single_count, combined_count;

    (void)state;
    assert_int_equal(lancet_maps_points(&maps, 2, 500, 300, -1, single, 60, &single_count, NULL), LANCET_OK);
    assert_int_equal(
        lancet_maps_points_combined(&maps, &all[2], 1, 500, 300, -1, combined, 60, &combined_count, NULL),
        LANCET_OK);
    assert_int_equal(single_count, combined_count);
    assert_true(single_count > 0);
    for (size_t i = 0; i < single_count; i++) {
        const lancet_point *same = &combined[(i + single_count / 2) % single_count];

        assert_int_equal(single[i].x, same->x);
        assert_int_equal(single[i].y, same->y);
        assert_int_equal(single[i].positive, same->positive);
    }
}

/* A map that says nothing gives no points, and takes none from the other. */
static void test_constant(void **state)
{
    lancet_maps maps = make_maps(2, 8, 8);
    lancet_point points[60];
    size_t count = 9, positive = 0;

    (void)state;
    for (size_t i = 0; i < 64; i++)
        scores[i] = 3;
    assert_int_equal(lancet_maps_points_combined(&maps, all, 1, 50, 50, -1, points, 60, &count, NULL),
                     LANCET_OK);
    assert_int_equal(count, 0);
    assert_int_equal(lancet_maps_points_combined(&maps, all, 2, 50, 50, -1, points, 60, &count, NULL),
                     LANCET_OK);
    for (size_t i = 0; i < count; i++)
        positive += points[i].positive;
    assert_true(positive > 0);
    assert_int_equal(count, 2 * positive);
}

static void test_wrong_options_are_named(void **state)
{
    const lancet_maps maps = make_maps(2, 8, 8);
    const size_t beyond[] = {0, 2};
    lancet_point points[60];
    size_t count = 9;
    lancet_error e;

    (void)state;
#define FAILS(says, ...)                                                                                     \
    do {                                                                                                     \
        assert_int_equal(lancet_maps_points_combined(__VA_ARGS__), LANCET_ERROR_ARGUMENT);                   \
        assert_non_null(strstr(e.message, says));                                                            \
    } while (0)
    FAILS("maps is NULL", NULL, all, 2, 9, 9, -1, points, 60, &count, &e);
    FAILS("indices is NULL", &maps, NULL, 2, 9, 9, -1, points, 60, &count, &e);
    FAILS("points is NULL", &maps, all, 2, 9, 9, -1, NULL, 60, &count, &e);
    FAILS("count is NULL", &maps, all, 2, 9, 9, -1, points, 60, NULL, &e);
    FAILS("found none", &maps, all, 0, 9, 9, -1, points, 60, &count, &e);
    FAILS("expected 0 to 1, found 2", &maps, beyond, 2, 9, 9, -1, points, 60, &count, &e);
    FAILS("found 0x9", &maps, all, 2, 0, 9, -1, points, 60, &count, &e);
    FAILS("threshold", &maps, all, 2, 9, 9, 1.5, points, 60, &count, &e);
    FAILS("expected room for", &maps, all, 2, 9, 9, -1, points, 1, &count, &e);
    assert_int_equal(count, 0);
}

static lancet_status call(lancet_error *error)
{
    const lancet_maps maps = {.count = 2, .height = 8, .width = 8, .scores = scores};
    lancet_point points[60];
    size_t count;

    return lancet_maps_points_combined(&maps, all, 2, 50, 50, -1, points, 60, &count, error);
}

static void test_memory(void **state)
{
    (void)state;
    make_maps(2, 8, 8);
    eye_fail_each(call);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_numpy), cmocka_unit_test(test_one_text),
        cmocka_unit_test(test_constant),      cmocka_unit_test(test_wrong_options_are_named),
        cmocka_unit_test(test_memory),
    };

    return cmocka_run_group_tests_name("points", tests, eye_open, eye_close);
}
