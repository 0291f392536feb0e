/* Points for prompt-driven segmenters (section 4.4 of the paper). SPDX-License-Identifier: Apache-2.0 */
#include "explain/maps.h"

#include "base/memory.h"
#include "base/status.h"
#include "tensor/interpolate.h"

#include <stdlib.h>
#include <string.h>

#define DEFAULT_THRESHOLD 0.8

struct cell {
    float value;
    size_t index;
};

/* Ascending; equal cells in reading order, so that the result does not depend on the sort. */
static int compare_cells(const void *a, const void *b)
{
    const struct cell *x = a, *y = b;

    if (x->value != y->value)
        return x->value < y->value ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

static int middle(size_t cell, size_t cells, size_t pixels)
{
    const double at = ((double)cell + 0.5) * (double)pixels / (double)cells;

    return (int)(at < (double)(pixels - 1) ? at : (double)(pixels - 1));
}

static lancet_status check(const lancet_maps *maps, size_t index, size_t width, size_t height,
                           double threshold, lancet_error *error)
{
    if (index >= maps->count)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "index: expected 0 to %zu, found %zu",
                           maps->count - 1, index);
    if (width < 1 || height < 1 || width > LANCET_PICTURE_SIDE_MAX || height > LANCET_PICTURE_SIDE_MAX)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                           "picture size: expected sides of 1 to %d, found %zux%zu", LANCET_PICTURE_SIDE_MAX,
                           width, height);
    if (!(threshold <= 1))
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "threshold: expected 0 to 1, found %g", threshold);
    return LANCET_OK;
}

/* The scores at half the grid's size, scaled to 0..1, ascending. */
static bool rank_cells(struct cell *cells, float *halved, const float *scores, size_t rows, size_t columns,
                       const lancet_maps *maps)
{
    if (!lancet_interpolate_bilinear(halved, rows, columns, scores, maps->height, maps->width, 1))
        return false;
    lancet_map_normalise(halved, rows * columns);
    for (size_t i = 0; i < rows * columns; i++)
        cells[i] = (struct cell){halved[i], i};
    qsort(cells, rows * columns, sizeof *cells, compare_cells);
    return true;
}

lancet_status lancet_maps_points(const lancet_maps *maps, size_t index, size_t width, size_t height,
                                 double threshold, lancet_point *points, size_t capacity, size_t *count,
                                 lancet_error *error)
{
    const double least = threshold < 0 ? DEFAULT_THRESHOLD : threshold;
    lancet_status status;

    if (!maps || !points || !count)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "lancet_maps_points: %s is NULL",
                           !maps     ? "maps"
                           : !points ? "points"
                                     : "count");
    *count = 0;
    status = check(maps, index, width, height, threshold, error);
    if (status != LANCET_OK)
        return status;

    const size_t rows = maps->height / 2 ? maps->height / 2 : 1,
                 columns = maps->width / 2 ? maps->width / 2 : 1;
    const size_t all = rows * columns;
    struct cell *cells = lancet_allocate(all, sizeof *cells);
    float *halved = lancet_allocate(all, sizeof *halved);
    size_t positives = 0;

    if (!cells || !halved ||
        !rank_cells(cells, halved, maps->scores + index * maps->height * maps->width, rows, columns, maps)) {
        status = lancet_fail_memory(error, "points");
        goto done;
    }
    /* A constant map is all zeros after scaling: no cell stands out, so there are no points. */
    while (cells[all - 1].value > 0 && positives < all && cells[all - 1 - positives].value >= least)
        positives++;
    if (positives > all / 2)
        positives = all / 2;
    if (2 * positives > capacity) {
        status = lancet_fail(error, LANCET_ERROR_ARGUMENT, "points: expected room for %zu, found %zu",
                             2 * positives, capacity);
        goto done;
    }
    for (size_t i = 0; i < 2 * positives; i++) {
        const bool positive = i < positives;
        const size_t cell = cells[positive ? all - positives + i : i - positives].index;

        points[i] = (lancet_point){middle(cell % columns, columns, width),
                                   middle(cell / columns, rows, height), positive};
    }
    *count = 2 * positives;
done:
    lancet_free(cells);
    lancet_free(halved);
    return status;
}
