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

static lancet_status check(size_t width, size_t height, double threshold, lancet_error *error)
{
    if (width < 1 || height < 1 || width > LANCET_PICTURE_SIDE_MAX || height > LANCET_PICTURE_SIDE_MAX)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                           "picture size: expected sides of 1 to %d, found %zux%zu", LANCET_PICTURE_SIDE_MAX,
                           width, height);
    if (!(threshold <= 1))
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "threshold: expected 0 to 1, found %g", threshold);
    return LANCET_OK;
}

static lancet_status check_index(const lancet_maps *maps, size_t index, lancet_error *error)
{
    if (index >= maps->count)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "index: expected 0 to %zu, found %zu",
                           maps->count - 1, index);
    return LANCET_OK;
}

/* One map's cells at half the grid's size, and where the points of a call go. */
struct points {
    const lancet_maps *maps;
    size_t rows, columns;
    struct cell *cells; /* [rows, columns], ascending */
    float *halved;
    double least;    /* of a positive cell */
    size_t selected; /* positives; as many negatives */
    size_t width, height;
    lancet_point *out;
    size_t count, capacity;
};

static lancet_status open_points(struct points *p, const lancet_maps *maps, double threshold,
                                 lancet_error *error)
{
    p->maps = maps;
    p->rows = maps->height / 2 ? maps->height / 2 : 1;
    p->columns = maps->width / 2 ? maps->width / 2 : 1;
    p->least = threshold < 0 ? DEFAULT_THRESHOLD : threshold;
    p->cells = lancet_allocate(p->rows * p->columns, sizeof *p->cells);
    p->halved = lancet_allocate(p->rows * p->columns, sizeof *p->halved);
    return p->cells && p->halved ? LANCET_OK : lancet_fail_memory(error, "points");
}

static void close_points(struct points *p)
{
    lancet_free(p->cells);
    lancet_free(p->halved);
}

/* The scores at half the grid's size, scaled to 0..1, ascending; how many are positive. */
static lancet_status rank_cells(struct points *p, const float *scores, lancet_error *error)
{
    const size_t all = p->rows * p->columns;

    if (!lancet_interpolate_bilinear(p->halved, p->rows, p->columns, scores, p->maps->height, p->maps->width,
                                     1))
        return lancet_fail_memory(error, "points");
    lancet_map_normalise(p->halved, all);
    for (size_t i = 0; i < all; i++)
        p->cells[i] = (struct cell){p->halved[i], i};
    qsort(p->cells, all, sizeof *p->cells, compare_cells);
    p->selected = 0;
    /* A constant map is all zeros after scaling: no cell stands out, so there are no points. */
    while (p->cells[all - 1].value > 0 && p->selected < all &&
           p->cells[all - 1 - p->selected].value >= p->least)
        p->selected++;
    if (p->selected > all / 2)
        p->selected = all / 2;
    return LANCET_OK;
}

/* Appends the positive points, best last, or the negative ones, worst first. */
static lancet_status append(struct points *p, bool positive, lancet_error *error)
{
    const size_t first = positive ? p->rows * p->columns - p->selected : 0;

    if (p->selected > p->capacity - p->count)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "points: expected room for %zu, found %zu",
                           p->count + p->selected, p->capacity);
    for (size_t i = 0; i < p->selected; i++) {
        const size_t cell = p->cells[first + i].index;

        p->out[p->count++] = (lancet_point){middle(cell % p->columns, p->columns, p->width),
                                            middle(cell / p->columns, p->rows, p->height), positive};
    }
    return LANCET_OK;
}

static const float *scores_of(const lancet_maps *maps, size_t index)
{
    return maps->scores + index * maps->height * maps->width;
}

lancet_status lancet_maps_points(const lancet_maps *maps, size_t index, size_t width, size_t height,
                                 double threshold, lancet_point *points, size_t capacity, size_t *count,
                                 lancet_error *error)
{
    struct points p = {.width = width, .height = height, .out = points, .capacity = capacity};
    lancet_status status;

    if (!maps || !points || !count)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "lancet_maps_points: %s is NULL",
                           !maps     ? "maps"
                           : !points ? "points"
                                     : "count");
    *count = 0;
    status = check_index(maps, index, error);
    if (status == LANCET_OK)
        status = check(width, height, threshold, error);
    if (status != LANCET_OK)
        return status;
    status = open_points(&p, maps, threshold, error);
    if (status == LANCET_OK)
        status = rank_cells(&p, scores_of(maps, index), error);
    if (status == LANCET_OK && 2 * p.selected > capacity)
        status = lancet_fail(error, LANCET_ERROR_ARGUMENT, "points: expected room for %zu, found %zu",
                             2 * p.selected, capacity);
    if (status == LANCET_OK)
        status = append(&p, true, error);
    if (status == LANCET_OK)
        status = append(&p, false, error);
    if (status == LANCET_OK)
        *count = p.count;
    close_points(&p);
    return status;
}

/* The mean of several maps, each scaled to 0..1, so that none outweighs the others. */
static void average_maps(float *mean, float *scaled, const lancet_maps *maps, const size_t *indices,
                         size_t index_count)
{
    const size_t cells = maps->height * maps->width;

    memset(mean, 0, cells * sizeof *mean);
    for (size_t k = 0; k < index_count; k++) {
        memcpy(scaled, scores_of(maps, indices[k]), cells * sizeof *scaled);
        lancet_map_normalise(scaled, cells);
        for (size_t i = 0; i < cells; i++)
            mean[i] += scaled[i] / (float)index_count;
    }
}

lancet_status lancet_maps_points_combined(const lancet_maps *maps, const size_t *indices, size_t index_count,
                                          size_t width, size_t height, double threshold, lancet_point *points,
                                          size_t capacity, size_t *count, lancet_error *error)
{
    struct points p = {.width = width, .height = height, .out = points, .capacity = capacity};
    float *mean = NULL, *scaled = NULL;
    lancet_status status;

    if (!maps || !indices || !points || !count)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "lancet_maps_points_combined: %s is NULL",
                           !maps      ? "maps"
                           : !indices ? "indices"
                           : !points  ? "points"
                                      : "count");
    *count = 0;
    status = check(width, height, threshold, error);
    if (status == LANCET_OK && !index_count)
        status = lancet_fail(error, LANCET_ERROR_ARGUMENT, "indices: expected at least one, found none");
    for (size_t k = 0; k < index_count && status == LANCET_OK; k++)
        status = check_index(maps, indices[k], error);
    if (status != LANCET_OK)
        return status;
    status = open_points(&p, maps, threshold, error);
    if (status != LANCET_OK)
        goto done;
    mean = lancet_allocate(maps->height * maps->width, sizeof *mean);
    scaled = lancet_allocate(maps->height * maps->width, sizeof *scaled);
    if (!mean || !scaled) {
        status = lancet_fail_memory(error, "points");
        goto done;
    }
    average_maps(mean, scaled, maps, indices, index_count);
    status = rank_cells(&p, mean, error);
    if (status == LANCET_OK)
        status = append(&p, false, error);
    for (size_t k = 0; k < index_count && status == LANCET_OK; k++) {
        status = rank_cells(&p, scores_of(maps, indices[k]), error);
        if (status == LANCET_OK)
            status = append(&p, true, error);
    }
    if (status == LANCET_OK)
        *count = p.count;
done:
    close_points(&p);
    lancet_free(mean);
    lancet_free(scaled);
    return status;
}
