/* Feature surgery against the published code's own tensor written out in double, maps and points on scores
 * with known answers. SPDX-License-Identifier: Apache-2.0 */
#include "base/memory.h"
#include "clip/session.h"
#include "clip/text/labels.h"
#include "clip/vision/features.h"
#include "explain/maps.h"
#include "lancet/lancet.h"

#include "support/files.h"

#include <math.h>

static uint32_t seed = 3;

static float draw(void)
{
    seed = seed * 1664525u + 1013904223u;
    return (float)(int32_t)seed / 2147483648.0f;
}

#define WIDTH 37

/* Features and labels made by hand. */
struct pair {
    lancet_features features;
    lancet_labels labels;
    float tokens[(1 + 100) * WIDTH], words[20 * WIDTH], empty[WIDTH];
    char *texts[20];
};

static void make_pair(struct pair *pair, size_t grid, size_t count)
{
    *pair = (struct pair){
        .features = {.tokens = pair->tokens, .grid_height = grid, .grid_width = grid, .width = WIDTH},
        .labels = {.count = count,
                   .width = WIDTH,
                   .texts = pair->texts,
                   .features = pair->words,
                   .empty = pair->empty,
                   .empty_bare = pair->empty}};
    for (size_t i = 0; i < (1 + grid * grid) * WIDTH; i++)
        pair->tokens[i] = 5 * draw();
    for (size_t t = 0; t <= count; t++) {
        float *row = t < count ? pair->words + t * WIDTH : pair->empty;
        double squares = 0;

        for (size_t c = 0; c < WIDTH; c++) {
            row[c] = draw() + 0.7f; /* as CLIP's texts: all lean to one side */
            squares += (double)row[c] * row[c];
        }
        for (size_t c = 0; c < WIDTH; c++)
            row[c] = (float)(row[c] / sqrt(squares));
    }
    for (size_t t = 0; t < count; t++)
        pair->texts[t] = "a text";
}

/* The published code's arithmetic: an [N, T, C] tensor of products, in double. */
static double expected_score(const struct pair *pair, size_t row, size_t t, const lancet_map_options *options)
{
    const size_t count = pair->labels.count;
    const double tau = options->tau > 0 ? (double)options->tau : 2;
    double unit[WIDTH], class_unit[WIDTH], length = 0, class_length = 0, weights[20], sum = 0, score = 0;

    for (size_t c = 0; c < WIDTH; c++) {
        length += pow(pair->tokens[row * WIDTH + c], 2);
        class_length += pow(pair->tokens[c], 2);
    }
    for (size_t c = 0; c < WIDTH; c++) {
        unit[c] = pair->tokens[row * WIDTH + c] / sqrt(length);
        class_unit[c] = pair->tokens[c] / sqrt(class_length);
    }
    if (options->redundant == LANCET_REDUNDANT_NONE || options->redundant == LANCET_REDUNDANT_EMPTY) {
        for (size_t c = 0; c < WIDTH; c++)
            score += unit[c] * ((double)pair->words[t * WIDTH + c] -
                                (options->redundant == LANCET_REDUNDANT_EMPTY ? (double)pair->empty[c] : 0));
        return score;
    }
    for (size_t k = 0; k < count; k++) {
        double cosine = 0;

        for (size_t c = 0; c < WIDTH; c++)
            cosine += class_unit[c] * pair->words[k * WIDTH + c];
        weights[k] = exp(tau * cosine);
        sum += weights[k];
    }
    for (size_t k = 0; k < count; k++)
        weights[k] *= (double)count / sum;
    for (size_t c = 0; c < WIDTH; c++) {
        double mean = 0, first = unit[c] * pair->words[t * WIDTH + c];

        for (size_t k = 0; k < count; k++)
            mean += unit[c] * pair->words[k * WIDTH + c] * weights[k] / (double)count;
        score += (options->form == LANCET_FORM_CODE ? weights[t] * first : first) - mean;
    }
    return score;
}

/* Floats of about 1, weighed by at most the number of labels. */
static void assert_score(float found, double expected, size_t count)
{
    if (!(fabs(found - expected) <= 3e-7 * (double)(2 + count)))
        fail_msg("expected %.9g, found %.9g", expected, (double)found);
}

static void test_feature_surgery(void **state)
{
    static const lancet_map_options options[] = {
        {.redundant = LANCET_REDUNDANT_LABELS},
        {.redundant = LANCET_REDUNDANT_LABELS, .form = LANCET_FORM_PAPER},
        {.redundant = LANCET_REDUNDANT_LABELS, .tau = 9},
        {.redundant = LANCET_REDUNDANT_LABELS, .form = LANCET_FORM_PAPER, .tau = 0.5f},
        {.redundant = LANCET_REDUNDANT_EMPTY},
        {.redundant = LANCET_REDUNDANT_NONE},
    };
    static struct pair pair;
    static const size_t counts[] = {1, 2, 7, 20};
    lancet_error error;

    (void)state;
    for (size_t n = 0; n < sizeof counts / sizeof *counts; n++)
        for (size_t grid = 1; grid <= 10; grid += 3)
            for (size_t o = 0; o < sizeof options / sizeof *options; o++) {
                const size_t cells = grid * grid;
                lancet_maps *maps = NULL;

                make_pair(&pair, grid, counts[n]);
                assert_int_equal(
                    lancet_maps_compute(&maps, &pair.features, &pair.labels, &options[o], &error), LANCET_OK);
                assert_int_equal(lancet_maps_count(maps), counts[n]);
                assert_int_equal(lancet_maps_grid_width(maps), grid);
                assert_int_equal(lancet_maps_redundant(maps), options[o].redundant);
                for (size_t t = 0; t < counts[n]; t++) {
                    assert_score(lancet_maps_class_scores(maps)[t], expected_score(&pair, 0, t, &options[o]),
                                 counts[n]);
                    for (size_t i = 0; i < cells; i++)
                        assert_score(lancet_maps_scores(maps)[t * cells + i],
                                     expected_score(&pair, i + 1, t, &options[o]), counts[n]);
                }
                lancet_maps_close(&maps);
            }
}

static void test_auto_is_decided_by_the_count(void **state)
{
    static struct pair pair;
    lancet_maps *maps = NULL;
    lancet_error error;

    (void)state;
    make_pair(&pair, 3, 1);
    assert_int_equal(lancet_maps_compute(&maps, &pair.features, &pair.labels, NULL, &error), LANCET_OK);
    assert_int_equal(lancet_maps_redundant(maps), LANCET_REDUNDANT_EMPTY);
    lancet_maps_close(&maps);
    make_pair(&pair, 3, 2);
    assert_int_equal(lancet_maps_compute(&maps, &pair.features, &pair.labels, NULL, &error), LANCET_OK);
    assert_int_equal(lancet_maps_redundant(maps), LANCET_REDUNDANT_LABELS);
    lancet_maps_close(&maps);
    pair.labels.empty = NULL;
    assert_int_equal(lancet_maps_compute(&maps, &pair.features, &pair.labels,
                                         &(lancet_map_options){.redundant = LANCET_REDUNDANT_EMPTY}, &error),
                     LANCET_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, "no feature of the empty string through their templates"));
    strcpy(pair.labels.model_hash, "another");
    assert_int_equal(lancet_maps_compute(&maps, &pair.features, &pair.labels, NULL, &error),
                     LANCET_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, "those of model another"));
    pair.labels.width = 36;
    assert_int_equal(lancet_maps_compute(&maps, &pair.features, &pair.labels, NULL, &error),
                     LANCET_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, "expected 37 channels"));
    assert_null(maps);
}

static void test_wrong_options_are_named(void **state)
{
    static const lancet_map_options options[] = {{.redundant = (lancet_redundant)9},
                                                 {.form = (lancet_surgery_form)2},
                                                 {.order = (lancet_map_order)2},
                                                 {.tau = -1},
                                                 {.tau = NAN},
                                                 {.tau = INFINITY}};
    static struct pair pair;
    lancet_maps *maps = NULL;

    (void)state;
    make_pair(&pair, 2, 2);
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        assert_int_equal(lancet_maps_compute(&maps, &pair.features, &pair.labels, &options[i], NULL),
                         LANCET_ERROR_ARGUMENT);
    assert_int_equal(lancet_maps_compute(&maps, NULL, &pair.labels, NULL, NULL), LANCET_ERROR_ARGUMENT);
    assert_null(maps);
}

/* The same to the last bit on any number of threads; and no memory but what the maps are made of. */
static void test_threads_and_memory(void **state)
{
    static const lancet_map_options options[] = {
        {.redundant = LANCET_REDUNDANT_LABELS},
        {.redundant = LANCET_REDUNDANT_LABELS, .form = LANCET_FORM_PAPER, .reversed = true},
        {.redundant = LANCET_REDUNDANT_EMPTY},
    };
    static struct pair pair;
    const size_t count = 20, cells = 100;

    (void)state;
    make_pair(&pair, 10, count); /* more cells than one task takes */
    for (size_t o = 0; o < sizeof options / sizeof *options; o++) {
        lancet_maps *alone = NULL, *shared = NULL;

        lancet_memory_fail_at(0);
        assert_int_equal(lancet_maps_compute(&alone, &pair.features, &pair.labels, &options[o], NULL),
                         LANCET_OK);
        /* The handle, two kinds of scores, the texts and, over labels, their weights. */
        assert_int_equal(lancet_memory_requests(),
                         4 + count + (options[o].redundant == LANCET_REDUNDANT_LABELS));
        for (int threads = 1; threads < 5; threads++) {
            struct lancet_session session = {0};
            lancet_map_options with = options[o];

            with.session = &session;
            assert_int_equal(lancet_pool_open(&session.pool, threads, NULL), LANCET_OK);
            assert_int_equal(lancet_maps_compute(&shared, &pair.features, &pair.labels, &with, NULL),
                             LANCET_OK);
            assert_memory_equal(shared->scores, alone->scores, count * cells * sizeof(float));
            assert_memory_equal(shared->class_scores, alone->class_scores, count * sizeof(float));
            lancet_maps_close(&shared);
            lancet_pool_close(&session.pool);
        }
        lancet_maps_close(&alone);
    }
}

/* A token's length is divided out, however small or large it is; one of zeros has no direction. */
static void test_lengths_of_tokens(void **state)
{
    static const float factors[] = {1e-30f, 1e-18f, 1e-3f, 1e10f, 1e25f};
    static struct pair pair;
    lancet_maps *plain = NULL, *scaled = NULL;
    const size_t cells = 9, count = 7;

    (void)state;
    make_pair(&pair, 3, count);
    assert_int_equal(lancet_maps_compute(&plain, &pair.features, &pair.labels, NULL, NULL), LANCET_OK);
    for (size_t i = 1; i <= 5; i++)
        for (size_t c = 0; c < WIDTH; c++)
            pair.tokens[i * WIDTH + c] *= factors[i - 1];
    memset(pair.tokens + 6 * WIDTH, 0, WIDTH * sizeof(float));
    assert_int_equal(lancet_maps_compute(&scaled, &pair.features, &pair.labels, NULL, NULL), LANCET_OK);
    for (size_t t = 0; t < count; t++)
        for (size_t i = 0; i < cells; i++)
            assert_float_equal(scaled->scores[t * cells + i], i == 5 ? 0 : plain->scores[t * cells + i],
                               2e-6);
    lancet_maps_close(&plain);
    lancet_maps_close(&scaled);
}

static lancet_maps of_scores(float *scores, size_t height, size_t width, lancet_map_order order)
{
    return (lancet_maps){.count = 1, .height = height, .width = width, .scores = scores, .order = order};
}

/* Doubling a row of two cells: half-pixel centres give the quarters (PyTorch's align_corners=False). */
static void test_maps_interpolate_as_pytorch_does(void **state)
{
    float scores[] = {3, 7}, map[4];
    const float expected[] = {0, 0.25f, 0.75f, 1};
    lancet_maps maps = of_scores(scores, 1, 2, LANCET_ORDER_CODE);
    float low, high;
    lancet_error error;

    (void)state;
    assert_int_equal(lancet_maps_write(&maps, 0, 4, 1, map, &error), LANCET_OK);
    for (int i = 0; i < 4; i++)
        assert_float_equal(map[i], expected[i], 1e-6);
    assert_true(lancet_maps_range(&maps, 0, &low, &high));
    assert_true(low == 3 && high == 7);
    assert_false(lancet_maps_range(&maps, 1, &low, &high));
    assert_int_equal(lancet_maps_write(&maps, 1, 4, 1, map, &error), LANCET_ERROR_ARGUMENT);
    assert_int_equal(lancet_maps_write(&maps, 0, 0, 1, map, &error), LANCET_ERROR_ARGUMENT);
}

/* The lowest and the highest at every place of grids of every size around the width of what is looked at side
 * by side. */
static void test_range_wherever_it_is(void **state)
{
    float scores[200], low, high;

    (void)state;
    for (size_t cells = 2; cells <= 200; cells += 1 + cells / 9)
        for (size_t at = 0; at < cells; at++) {
            lancet_maps maps = of_scores(scores, 1, cells, LANCET_ORDER_CODE);

            for (size_t i = 0; i < cells; i++)
                scores[i] = 0.5f;
            scores[at] = -1;
            scores[(at + 1) % cells] = 2;
            assert_true(lancet_maps_range(&maps, 0, &low, &high));
            assert_true(low == -1 && high == 2);
            scores[at] = 0.5f;
            scores[(at + 1) % cells] = 0.5f;
            assert_false(lancet_maps_range(&maps, 0, &low, &high));
            assert_true(low == 0.5f && high == 0.5f);
        }
}

/* Three cells down to two, no antialias: the code's order does not reach 0 and 1, the paper's does. */
static void test_the_two_orders(void **state)
{
    float scores[] = {0, 2, 4}, map[2];
    lancet_maps maps = of_scores(scores, 1, 3, LANCET_ORDER_CODE);
    lancet_error error;

    (void)state;
    assert_int_equal(lancet_maps_write(&maps, 0, 2, 1, map, &error), LANCET_OK);
    assert_float_equal(map[0], 0.125f, 1e-6); /* at (0.5 * 1.5 - 0.5) = 0.25 of the way from 0 to 0.5 */
    assert_float_equal(map[1], 0.875f, 1e-6);
    maps.order = LANCET_ORDER_PAPER;
    assert_int_equal(lancet_maps_write(&maps, 0, 2, 1, map, &error), LANCET_OK);
    assert_true(map[0] == 0 && map[1] == 1);
}

static void test_a_constant_map_is_zeros_and_says_so(void **state)
{
    float scores[] = {0.3f, 0.3f, 0.3f, 0.3f, 0.3f, 0.3f, 0.3f, 0.3f, 0.3f}, map[25], low, high;
    lancet_point points[8];
    size_t count = 9;
    lancet_error error;

    (void)state;
    for (int order = 0; order < 2; order++) {
        lancet_maps maps = of_scores(scores, 3, 3, (lancet_map_order)order);

        assert_false(lancet_maps_range(&maps, 0, &low, &high));
        assert_true(low == 0.3f && high == 0.3f);
        assert_int_equal(lancet_maps_write(&maps, 0, 5, 5, map, &error), LANCET_OK);
        for (int i = 0; i < 25; i++)
            assert_true(map[i] == 0);
        assert_int_equal(lancet_maps_points(&maps, 0, 50, 50, -1, points, 8, &count, &error), LANCET_OK);
        assert_int_equal(count, 0);
    }
}

/* A 4x4 grid whose 2x2 means are 0, 1, 9, 10: of four cells at most two are positive, the best last. */
static void test_points(void **state)
{
    float scores[] = {0, 0, 1, 1, 0, 0, 1, 1, 9, 9, 10, 10, 9, 9, 10, 10};
    const lancet_maps maps = of_scores(scores, 4, 4, LANCET_ORDER_CODE);
    lancet_point points[8];
    lancet_error error;
    size_t count;

    (void)state;
    assert_int_equal(lancet_maps_points(&maps, 0, 100, 60, -1, points, 8, &count, &error), LANCET_OK);
    assert_int_equal(count, 4);
    assert_true(points[0].x == 25 && points[0].y == 45 && points[0].positive); /* 0.9 >= 0.8 */
    assert_true(points[1].x == 75 && points[1].y == 45 && points[1].positive); /* 1.0 */
    assert_true(points[2].x == 25 && points[2].y == 15 && !points[2].positive);
    assert_true(points[3].x == 75 && points[3].y == 15 && !points[3].positive);
    assert_int_equal(lancet_maps_points(&maps, 0, 100, 60, 0.95, points, 8, &count, &error), LANCET_OK);
    assert_int_equal(count, 2);
    assert_true(points[0].x == 75 && points[0].y == 45 && points[0].positive);
    assert_int_equal(lancet_maps_points(&maps, 0, 1, 1, 0, points, 4, &count, &error), LANCET_OK);
    assert_int_equal(count, 4);
    assert_true(points[3].x == 0 && points[3].y == 0);
    assert_int_equal(lancet_maps_points(&maps, 0, 1, 1, 0, points, 3, &count, &error), LANCET_ERROR_ARGUMENT);
    assert_int_equal(lancet_maps_points(&maps, 0, 1, 1, 1.5, points, 4, &count, &error),
                     LANCET_ERROR_ARGUMENT);
    assert_int_equal(lancet_maps_points(&maps, 1, 1, 1, 0, points, 4, &count, &error), LANCET_ERROR_ARGUMENT);
}

/* One cell in all: half of one is none, so there is no point. */
static void test_points_of_a_single_cell(void **state)
{
    float scores[] = {1, 2};
    const lancet_maps maps = of_scores(scores, 1, 2, LANCET_ORDER_CODE);
    lancet_point points[2];
    size_t count = 9;

    (void)state;
    assert_int_equal(lancet_maps_points(&maps, 0, 9, 9, -1, points, 2, &count, NULL), LANCET_OK);
    assert_int_equal(count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_feature_surgery),
        cmocka_unit_test(test_auto_is_decided_by_the_count),
        cmocka_unit_test(test_wrong_options_are_named),
        cmocka_unit_test(test_threads_and_memory),
        cmocka_unit_test(test_lengths_of_tokens),
        cmocka_unit_test(test_maps_interpolate_as_pytorch_does),
        cmocka_unit_test(test_range_wherever_it_is),
        cmocka_unit_test(test_the_two_orders),
        cmocka_unit_test(test_a_constant_map_is_zeros_and_says_so),
        cmocka_unit_test(test_points),
        cmocka_unit_test(test_points_of_a_single_cell),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
