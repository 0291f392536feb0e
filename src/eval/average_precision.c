/* Average precision of a ranking. SPDX-License-Identifier: Apache-2.0 */
#include "lancet/metrics.h"

#include "base/memory.h"
#include "base/status.h"

#include <math.h>
#include <stdlib.h>

typedef struct ranked {
    float score;
    size_t place; /* in the order given: breaks ties, so that the sort is stable */
    bool positive;
} ranked;

static int compare(const void *left, const void *right)
{
    const ranked *a = left, *b = right;

    if (a->score != b->score)
        return a->score > b->score ? -1 : 1;
    return a->place < b->place ? -1 : a->place > b->place;
}

lancet_status lancet_average_precision(double *precision, const float *scores, const uint8_t *positive,
                                       size_t count, lancet_error *error)
{
    ranked *items;
    size_t used = 0, found = 0;
    double sum = 0;

    if (!precision || !scores || !positive)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "lancet_average_precision: %s is NULL",
                           !precision ? "precision"
                           : !scores  ? "scores"
                                      : "positive");
    items = lancet_allocate(count, sizeof *items);
    if (!items)
        return lancet_fail_memory(error, "average precision");
    for (size_t i = 0; i < count; i++) {
        if (isnan(scores[i])) {
            lancet_free(items);
            return lancet_fail(error, LANCET_ERROR_ARGUMENT, "scores: number %zu is NaN", i);
        }
        if (positive[i] <= 1)
            items[used++] = (ranked){scores[i], i, positive[i] == 1};
    }
    if (used)
        qsort(items, used, sizeof *items, compare);
    for (size_t i = 0; i < used; i++)
        if (items[i].positive) {
            found++;
            sum += (double)found / (double)(i + 1);
        }
    *precision = found ? sum / (double)found : NAN;
    lancet_free(items);
    return LANCET_OK;
}
