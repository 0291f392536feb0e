/* Metrics of a few lines each. SPDX-License-Identifier: Apache-2.0 */
#include "lancet/metrics.h"

#include <math.h>

bool lancet_foreground_share(double *share, const float *map, const uint8_t *truth, size_t count)
{
    double on = 0, all = 0;

    for (size_t i = 0; i < count; i++) {
        if (truth[i] == LANCET_TRUTH_UNKNOWN)
            continue;
        all += (double)map[i];
        if (truth[i] == LANCET_TRUTH_ON)
            on += (double)map[i];
    }
    *share = all > 0 ? on / all : 0;
    return all > 0;
}

void lancet_points_score_add(lancet_points_score *score, const lancet_point *points, size_t count,
                             const uint8_t *truth, size_t width, size_t height)
{
    for (size_t i = 0; i < count; i++) {
        const lancet_point *p = &points[i];
        const bool inside = p->x >= 0 && p->y >= 0 && (size_t)p->x < width && (size_t)p->y < height;
        const int found = inside ? truth[(size_t)p->y * width + (size_t)p->x] : -1;

        if (found == LANCET_TRUTH_UNKNOWN)
            continue;
        if (p->positive) {
            score->positive++;
            score->positive_right += found == LANCET_TRUTH_ON;
        } else {
            score->negative++;
            score->negative_right += found == LANCET_TRUTH_OFF;
        }
    }
}

double lancet_map_distance(const float *map, const float *other, size_t count)
{
    double sum = 0;

    for (size_t i = 0; i < count; i++)
        sum += fabs((double)map[i] - (other ? (double)other[i] : 0));
    return count ? sum / (double)count : 0;
}
