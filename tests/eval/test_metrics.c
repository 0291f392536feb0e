/* Metrics: against numpy on random and adversarial inputs, and by hand. SPDX-License-Identifier: Apache-2.0
 */
#include "image/pillow.h"

#include "base/memory.h"
#include "lancet/metrics.h"

#include <math.h>

#define SAMPLES 60
#define CLASSES 7

/* What metrics.py is given, and what was computed here, in the order of its results. */
typedef struct exchange {
    FILE *file;
    double found[4096];
    size_t count;
} exchange;

static void put_number(exchange *e, uint64_t number)
{
    fwrite(&number, sizeof number, 1, e->file);
}

static void note(exchange *e, double value)
{
    assert_true(e->count < sizeof e->found / sizeof *e->found);
    e->found[e->count++] = value;
}

/* Values on thresholds and just beside them, extremes, constants; truth of every kind. */
static void make_map(float *map, uint8_t *truth, size_t count, size_t i, uint64_t *state)
{
    for (size_t k = 0; k < count; k++) {
        const uint64_t r = random_next(state);
        const float exact = (float)((double)(r % 101) / 100);

        switch (i % 6) {
        case 0:
            map[k] = (float)(r % 100003) / 100002;
            break;
        case 1:
            map[k] = exact;
            break;
        case 2:
            map[k] = exact > 0 && exact < 1 ? nextafterf(exact, (float)(r >> 8 & 1)) : exact;
            break;
        case 3:
            map[k] = i % 12 == 3 ? 0 : 1;
            break;
        case 4:
            map[k] = (float)(r & 1);
            break;
        default:
            map[k] = 0.25f;
        }
        truth[k] = i % 10 == 7 ? LANCET_TRUTH_ON : i % 10 == 8 ? LANCET_TRUTH_OFF : (uint8_t)((r >> 20) % 3);
    }
}

static void exchange_samples(exchange *e, uint64_t seed)
{
    static lancet_map_score scores[SAMPLES];
    static lancet_sample samples[SAMPLES];
    uint64_t state = seed;
    lancet_error error;

    put_number(e, 0);
    put_number(e, SAMPLES);
    put_number(e, CLASSES);
    for (size_t i = 0; i < SAMPLES; i++) {
        const size_t count = 1 + random_next(&state) % 400;
        const size_t label = random_next(&state) % (CLASSES - 1); /* the last class has no sample */
        float map[400];
        uint8_t truth[400];

        make_map(map, truth, count, i, &state);
        put_number(e, label);
        put_number(e, count);
        fwrite(map, sizeof *map, count, e->file);
        fwrite(truth, 1, count, e->file);
        if (lancet_map_score_compute(&scores[i], map, truth, count, &error) != LANCET_OK)
            fail_msg("%s", error.message);
        samples[i] = (lancet_sample){i / 3, label, &scores[i]};
    }
    for (int average = 0; average < 2; average++) {
        lancet_totals totals = {0};
        double miou[6], everything, msc;
        int best = 0;

        for (int way = 0; way < 6; way++) {
            const lancet_totals_options options = {.threshold = (lancet_threshold)way,
                                                   .average = (lancet_average)average,
                                                   .fixed = way == LANCET_THRESHOLD_FIXED ? 37 : 0,
                                                   .resamples = -1};

            if (lancet_totals_compute(&totals, NULL, samples, SAMPLES, CLASSES, &options, &error) !=
                LANCET_OK)
                fail_msg("%s", error.message);
            miou[way] = totals.miou.value;
            if (way == LANCET_THRESHOLD_BEST)
                best = totals.threshold;
        }
        msc = totals.msc.value;
        everything = totals.everything;
        for (int way = 0; way < 6; way++)
            note(e, miou[way]);
        note(e, msc);
        note(e, everything);
        note(e, best);
    }
}

static void exchange_confusion(exchange *e, uint64_t seed)
{
    uint64_t confusion[CLASSES * CLASSES] = {0}, missed[CLASSES] = {0}, state = seed;
    uint16_t truth[3000], prediction[3000];
    double iou[CLASSES], mean, accuracy;

    put_number(e, 1);
    put_number(e, CLASSES);
    put_number(e, 3000);
    for (size_t i = 0; i < 3000; i++) {
        const uint64_t r = random_next(&state);

        truth[i] = r % 9 == 8 ? 0xFFFF : (uint16_t)(r % 5);
        prediction[i] = (r >> 20) % 3 == 0 ? truth[i] : (uint16_t)((r >> 30) % 6);
        if (prediction[i] == 5 || prediction[i] == 0xFFFF)
            prediction[i] = 0xFFFE;
    }
    fwrite(truth, sizeof *truth, 3000, e->file);
    fwrite(prediction, sizeof *prediction, 3000, e->file);
    /* in pieces, as pictures come */
    for (size_t at = 0; at < 3000; at += 1000)
        assert_int_equal(
            lancet_confusion_add(confusion, missed, CLASSES, truth + at, prediction + at, 1000, NULL), 0);
    lancet_confusion_iou(iou, &mean, &accuracy, confusion, missed, CLASSES);
    for (size_t c = 0; c < CLASSES; c++)
        note(e, iou[c]);
    note(e, mean);
    note(e, accuracy);
}

static void exchange_ranking(exchange *e, uint64_t seed)
{
    const size_t count = 1 + seed % 300;
    uint64_t state = seed;
    float scores[300];
    uint8_t positive[300];
    double precision;

    put_number(e, 2);
    put_number(e, count);
    for (size_t i = 0; i < count; i++) {
        const uint64_t r = random_next(&state);

        scores[i] = seed % 3 ? (float)(r % 7) : (float)(r % 1000003) * 1e-3f; /* many ties, or none */
        positive[i] = seed % 5 == 0 ? 0 : (uint8_t)((r >> 24) % 3);
    }
    fwrite(scores, sizeof *scores, count, e->file);
    fwrite(positive, 1, count, e->file);
    assert_int_equal(lancet_average_precision(&precision, scores, positive, count, NULL), 0);
    note(e, precision);
}

static void exchange_share(exchange *e, uint64_t seed)
{
    uint64_t state = seed;
    float map[500];
    uint8_t truth[500];
    double share;

    put_number(e, 3);
    put_number(e, 500);
    make_map(map, truth, 500, 0, &state);
    fwrite(map, sizeof *map, 500, e->file);
    fwrite(truth, 1, 500, e->file);
    assert_true(lancet_foreground_share(&share, map, truth, 500));
    note(e, share);
    note(e, lancet_map_distance(map, NULL, 500));
}

static void numpy_needed(void)
{
    if (system("'" LANCET_PYTHON "' -c 'import numpy' >/dev/null 2>&1") != 0) {
        print_message("skipped: %s cannot import numpy (Debian: python3-numpy)\n",
                      *LANCET_PYTHON ? LANCET_PYTHON : "(no python3)");
        skip();
    }
}

static void test_numpy(void **state)
{
    static exchange e;
    char path[1100], command[1200];
    uint8_t *expected;
    size_t length;
    char *folder;

    (void)state;
    numpy_needed();
    folder = folder_make();
    snprintf(path, sizeof path, "%s/cases.raw", folder);
    e.file = fopen(path, "wb");
    for (uint64_t seed = 1; seed <= 12; seed++)
        exchange_samples(&e, seed);
    for (uint64_t seed = 1; seed <= 10; seed++)
        exchange_confusion(&e, seed);
    for (uint64_t seed = 1; seed <= 100; seed++)
        exchange_ranking(&e, seed * 17);
    for (uint64_t seed = 1; seed <= 10; seed++)
        exchange_share(&e, seed);
    fclose(e.file);
    snprintf(command, sizeof command, "'%s' '%s/eval/metrics.py' '%s'", LANCET_PYTHON, TESTS_FOLDER, folder);
    assert_int_equal(system(command), 0);
    expected = file_read(folder, "results.raw", &length);
    assert_int_equal(length, e.count * sizeof(double));
    for (size_t i = 0; i < e.count; i++) {
        double value;

        memcpy(&value, expected + i * sizeof value, sizeof value);
        if (isnan(value) != isnan(e.found[i]) || fabs(value - e.found[i]) > 1e-9 * fmax(1, fabs(value)))
            fail_msg("figure %zu: expected %.12g, found %.12g", i, value, e.found[i]);
    }
    print_message("%zu figures as numpy's\n", e.count);
    free(expected);
    folder_remove(folder);
}

static lancet_map_score score_of(const float *map, const uint8_t *truth, size_t count)
{
    lancet_map_score score;

    assert_int_equal(lancet_map_score_compute(&score, map, truth, count, NULL), LANCET_OK);
    return score;
}

/* The mask M > 0 of a constant map is everything, or nothing for zeros: what the data set's check rests on.
 */
static void test_constant_maps(void **state)
{
    static const float zeros[4] = {0, 0, 0, 0}, ones[4] = {1, 1, 1, 1};
    static const uint8_t truth[4] = {1, 0, 0, 0};
    const lancet_map_score nothing = score_of(zeros, truth, 4), all = score_of(ones, truth, 4);
    double contrast = 9;

    (void)state;
    assert_int_equal(nothing.at[0].on + nothing.at[0].off, 0);
    assert_true(lancet_overlap_iou(&nothing.at[0], 1) == 0);
    assert_true(lancet_overlap_iou(&all.at[0], 1) == 0.25);
    assert_true(lancet_overlap_iou(&all.at[99], 1) == 0.25);
    assert_true(lancet_map_score_contrast(&all, &contrast) && contrast == 0);
    assert_int_equal(all.at_otsu.on + all.at_otsu.off, 0);
    assert_int_equal(all.at_mean.on + all.at_mean.off, 0);
}

/* RCLIP's table: the contrast of 1 - M is the negative of M's, exactly where the numbers are. */
static void test_reversed_map(void **state)
{
    static const float map[4] = {0.25f, 0.5f, 1, 0}, reversed[4] = {0.75f, 0.5f, 0, 1};
    static const uint8_t truth[4] = {1, 0, 1, 0};
    const lancet_map_score a = score_of(map, truth, 4), b = score_of(reversed, truth, 4);
    double x, y;

    (void)state;
    assert_true(lancet_map_score_contrast(&a, &x) && lancet_map_score_contrast(&b, &y));
    assert_true(x == 0.375 && y == -0.375);
}

/* Hand-made: two classes of one and two samples tell the two averages apart. */
static void test_averages(void **state)
{
    static const float good[4] = {1, 1, 0, 0}, bad[4] = {0, 0, 1, 1};
    static const uint8_t truth[4] = {1, 1, 0, 0};
    const lancet_map_score scores[2] = {score_of(good, truth, 4), score_of(bad, truth, 4)};
    const lancet_sample samples[3] = {{0, 0, &scores[0]}, {1, 1, &scores[0]}, {2, 1, &scores[1]}};
    lancet_class_total classes[3];
    lancet_totals totals;

    (void)state;
    assert_int_equal(lancet_totals_compute(&totals, classes, samples, 3, 3, NULL, NULL), LANCET_OK);
    assert_true(totals.miou.value == 75 && totals.msc.value == 50 && totals.everything == 50);
    assert_true(totals.threshold == 0 && totals.samples == 3 && totals.pictures == 3 && totals.classes == 2);
    assert_true(classes[0].iou == 100 && classes[1].iou == 50 && classes[1].samples == 2);
    assert_true(isnan(classes[2].iou) && isnan(classes[2].contrast) && classes[2].samples == 0);
    assert_true(totals.miou.low <= 75 && totals.miou.high >= 75 && totals.miou.low < totals.miou.high);
    assert_int_equal(lancet_totals_compute(&totals, NULL, samples, 3, 3,
                                           &(lancet_totals_options){.average = LANCET_AVERAGE_SAMPLE}, NULL),
                     LANCET_OK);
    assert_true(fabs(totals.miou.value - 200.0 / 3) < 1e-12 && fabs(totals.msc.value - 100.0 / 3) < 1e-12);
}

/* The bootstrap draws pictures, not samples: with one picture there is nothing to vary, and a seed fixes all.
 */
static void test_bootstrap(void **state)
{
    static const float maps[3][4] = {{1, 1, 0, 0}, {0, 0, 1, 1}, {1, 0, 0, 0}};
    static const uint8_t truth[4] = {1, 1, 0, 0};
    lancet_map_score scores[40];
    lancet_sample samples[40];
    lancet_totals totals, again;
    const lancet_totals_options seeded = {.seed = 5, .resamples = 400};

    (void)state;
    for (size_t i = 0; i < 40; i++) {
        scores[i] = score_of(maps[i * i % 3], truth, 4);
        samples[i] = (lancet_sample){77, i % 2, &scores[i]};
    }
    assert_int_equal(lancet_totals_compute(&totals, NULL, samples, 40, 2, NULL, NULL), LANCET_OK);
    assert_true(totals.miou.low == totals.miou.value && totals.miou.high == totals.miou.value);
    for (size_t i = 0; i < 40; i++)
        samples[i].picture = 1000 - i;
    assert_int_equal(lancet_totals_compute(&totals, NULL, samples, 40, 2, &seeded, NULL), LANCET_OK);
    assert_int_equal(lancet_totals_compute(&again, NULL, samples, 40, 2, &seeded, NULL), LANCET_OK);
    assert_memory_equal(&totals, &again, sizeof totals);
    /* 40 values of spread s: the interval of the mean is about 4 s / sqrt(40) wide */
    assert_true(totals.msc.low < totals.msc.value && totals.msc.value < totals.msc.high);
    assert_true(totals.msc.high - totals.msc.low > 20 && totals.msc.high - totals.msc.low < 80);
}

static void test_points(void **state)
{
    static const uint8_t truth[6] = {1, 0, 2, 1, 1, 0}; /* [2, 3] */
    static const lancet_point points[] = {{0, 0, true},  {1, 0, true},  {2, 0, true},  {2, 1, false},
                                          {1, 1, false}, {3, 0, false}, {0, -1, true}, {0, 2, true}};
    lancet_points_score score = {0};

    (void)state;
    lancet_points_score_add(&score, points, 8, truth, 3, 2);
    assert_int_equal(score.positive, 4);
    assert_int_equal(score.positive_right, 1);
    assert_int_equal(score.negative, 3);
    assert_int_equal(score.negative_right, 1);
}

static void refused(lancet_status status, const lancet_error *error, const char *words)
{
    assert_int_equal(status, LANCET_ERROR_ARGUMENT);
    if (!strstr(error->message, words))
        fail_msg("expected \"%s\", found \"%s\"", words, error->message);
}

static void test_refusals(void **state)
{
    static const float map[2] = {0, 1}, wrong[2] = {0, 1.5f}, nan_map[2] = {0, NAN};
    static const uint8_t truth[2] = {1, 0}, strange[2] = {1, 3}, none[2] = {0, 0};
    static const uint16_t labels[2] = {0, 1}, outside[2] = {0, 9};
    uint64_t confusion[4] = {0};
    lancet_map_score score = score_of(map, none, 2), fine = score_of(map, truth, 2);
    const lancet_sample empty = {0, 0, &score}, sample = {0, 5, &fine};
    lancet_totals totals;
    lancet_error error;
    double value;

    (void)state;
    refused(lancet_map_score_compute(&score, wrong, truth, 2, &error), &error, "1.5");
    refused(lancet_map_score_compute(&score, nan_map, truth, 2, &error), &error, "nan");
    refused(lancet_map_score_compute(&score, map, strange, 2, &error), &error, "found 3");
    refused(lancet_map_score_compute(NULL, map, truth, 2, &error), &error, "NULL");
    score = score_of(map, none, 2);
    refused(lancet_totals_compute(&totals, NULL, &empty, 1, 1, NULL, &error), &error, "foreground");
    refused(lancet_totals_compute(&totals, NULL, &sample, 1, 5, NULL, &error), &error, "none of the classes");
    refused(lancet_totals_compute(&totals, NULL, &empty, 1, 1, &(lancet_totals_options){.fixed = 3}, &error),
            &error, "fixed");
    refused(
        lancet_totals_compute(&totals, NULL, &empty, 1, 1, &(lancet_totals_options){.resamples = -2}, &error),
        &error, "resamples");
    refused(lancet_average_precision(&value, nan_map, truth, 2, &error), &error, "NaN");
    refused(lancet_confusion_add(confusion, NULL, 2, labels, outside, 2, &error), &error, "found 9");
    assert_int_equal(confusion[0], 0);
}

static void test_memory(void **state)
{
    static const float map[4] = {1, 0, 0, 1};
    static const uint8_t truth[4] = {1, 1, 0, 0};
    const lancet_map_score score = score_of(map, truth, 4);
    const lancet_sample samples[2] = {{0, 0, &score}, {1, 1, &score}};
    lancet_totals totals;
    size_t failures = 0;
    double value;

    (void)state;
    for (uint64_t n = 1;; n++) {
        lancet_status status;

        lancet_memory_fail_at(n);
        status = lancet_totals_compute(&totals, NULL, samples, 2, 2, NULL, NULL);
        if (status == LANCET_OK)
            break;
        assert_int_equal(status, LANCET_ERROR_MEMORY);
        failures++;
    }
    lancet_memory_fail_at(1);
    assert_int_equal(lancet_average_precision(&value, map, truth, 4, NULL), LANCET_ERROR_MEMORY);
    lancet_memory_fail_at(0);
    assert_true(failures >= 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numpy),        cmocka_unit_test(test_constant_maps),
        cmocka_unit_test(test_reversed_map), cmocka_unit_test(test_averages),
        cmocka_unit_test(test_bootstrap),    cmocka_unit_test(test_points),
        cmocka_unit_test(test_refusals),     cmocka_unit_test(test_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
