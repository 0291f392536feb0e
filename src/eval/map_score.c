/* One map against its ground truth. SPDX-License-Identifier: Apache-2.0 */
#include "lancet/metrics.h"

#include "base/status.h"

#include <string.h>

#define OTSU_BINS 256

/* How many thresholds k / 100 lie strictly below a value of 0..1. The guess is right but for rounding. */
static size_t thresholds_below(double value)
{
    size_t k = (size_t)(value * LANCET_THRESHOLDS);

    k = k < LANCET_THRESHOLDS ? k : LANCET_THRESHOLDS;
    while (k < LANCET_THRESHOLDS && value > (double)k / LANCET_THRESHOLDS)
        k++;
    while (k > 0 && !(value > (double)(k - 1) / LANCET_THRESHOLDS))
        k--;
    return k;
}

/* The value that parts the histogram of a map so that the variance between the two parts is greatest (Otsu
 * 1979); the upper edge of a bin. 0 for a map of one value. */
static double otsu(const float *map, size_t count)
{
    uint64_t bins[OTSU_BINS] = {0};
    double sum = 0, below_sum = 0, best = 0, threshold = 0;
    uint64_t below = 0;

    for (size_t i = 0; i < count; i++) {
        const size_t bin = (size_t)((double)map[i] * OTSU_BINS);

        bins[bin < OTSU_BINS ? bin : OTSU_BINS - 1]++;
    }
    for (size_t i = 0; i < OTSU_BINS; i++)
        sum += (double)i * (double)bins[i];
    for (size_t i = 0; i + 1 < OTSU_BINS; i++) {
        double apart, between;

        below += bins[i];
        below_sum += (double)i * (double)bins[i];
        if (below == 0 || below == count)
            continue;
        apart = below_sum / (double)below - (sum - below_sum) / (double)(count - below);
        between = (double)below * (double)(count - below) * apart * apart;
        if (between > best) {
            best = between;
            threshold = (double)(i + 1) / OTSU_BINS;
        }
    }
    return threshold;
}

static void count_pixel(lancet_overlap *overlap, uint8_t truth)
{
    overlap->on += truth == LANCET_TRUTH_ON;
    overlap->off += truth == LANCET_TRUTH_OFF;
}

/* A pixel that is above the thresholds 0 .. k - 1 is noted at k, and summed up from the top afterwards. */
static void sum_up(lancet_map_score *score, const lancet_overlap *reached)
{
    lancet_overlap sum = {0, 0};

    for (size_t k = LANCET_THRESHOLDS; k-- > 0;) {
        sum.on += reached[k + 1].on;
        sum.off += reached[k + 1].off;
        score->at[k] = sum;
    }
}

static lancet_status check(const float *map, const uint8_t *truth, size_t count, lancet_error *error)
{
    for (size_t i = 0; i < count; i++) {
        if (!(map[i] >= 0 && map[i] <= 1))
            return lancet_fail(error, LANCET_ERROR_ARGUMENT, "map: expected values of 0 to 1, found %g",
                               (double)map[i]);
        if (truth[i] > LANCET_TRUTH_UNKNOWN)
            return lancet_fail(error, LANCET_ERROR_ARGUMENT, "truth: expected 0, 1 or 2, found %d", truth[i]);
    }
    return LANCET_OK;
}

lancet_status lancet_map_score_compute(lancet_map_score *score, const float *map, const uint8_t *truth,
                                       size_t count, lancet_error *error)
{
    lancet_overlap reached[LANCET_THRESHOLDS + 1] = {{0, 0}};
    double threshold, mean = 0;
    lancet_status status;

    if (!score || !map || !truth)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "lancet_map_score_compute: %s is NULL",
                           !score ? "score"
                           : !map ? "map"
                                  : "truth");
    status = check(map, truth, count, error);
    if (status != LANCET_OK)
        return status;
    memset(score, 0, sizeof *score);
    threshold = otsu(map, count);
    for (size_t i = 0; i < count; i++)
        mean += (double)map[i];
    mean = count ? mean / (double)count : 0;
    for (size_t i = 0; i < count; i++) {
        const double value = (double)map[i];

        count_pixel(&reached[thresholds_below(value)], truth[i]);
        if (value >= threshold && threshold > 0)
            count_pixel(&score->at_otsu, truth[i]);
        if (value > mean)
            count_pixel(&score->at_mean, truth[i]);
        if (truth[i] == LANCET_TRUTH_ON) {
            score->foreground++;
            score->foreground_sum += value;
        } else if (truth[i] == LANCET_TRUTH_OFF) {
            score->background++;
            score->background_sum += value;
        }
    }
    sum_up(score, reached);
    return LANCET_OK;
}

bool lancet_map_score_contrast(const lancet_map_score *score, double *contrast)
{
    if (!score->foreground || !score->background)
        return false;
    *contrast =
        score->foreground_sum / (double)score->foreground - score->background_sum / (double)score->background;
    return true;
}

double lancet_overlap_iou(const lancet_overlap *overlap, uint64_t foreground)
{
    const uint64_t either = foreground + overlap->off;

    return either ? (double)overlap->on / (double)either : 0;
}
