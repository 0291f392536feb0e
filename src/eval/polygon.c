/* Polygons as COCO's tools draw them. SPDX-License-Identifier: Apache-2.0
 *
 * The boundary is walked on a grid five times as fine as the pixels. Where it passes the middle line of a
 * column of pixels, the row below which it passes is noted; between two such notes of a column, in rising
 * order, the pixels are inside. Every rounding is part of the definition: other people's masks were made with
 * it. */
#include "eval/runs.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

#define FINENESS 5
#define MIDDLE   2 /* of the fine columns 0 .. 4 of a pixel */

static lancet_status note_crossing(lancet_polygon *p, size_t pixel, lancet_error *error)
{
    if (p->count == p->capacity) {
        const size_t capacity = p->capacity ? 2 * p->capacity : 128;
        uint32_t *grown = lancet_allocate(capacity, sizeof *grown);

        if (!grown)
            return lancet_fail_memory(error, "a polygon");
        if (p->count)
            memcpy(grown, p->crossings, p->count * sizeof *grown);
        lancet_free(p->crossings);
        p->crossings = grown;
        p->capacity = capacity;
    }
    p->crossings[p->count++] = (uint32_t)pixel;
    return LANCET_OK;
}

/* The next point of the boundary, a fine step from the last one. */
static lancet_status step_to(lancet_polygon *p, int x, int y, lancet_error *error)
{
    const int left = x < p->x ? x : x - 1, top = y < p->y ? y : p->y;
    lancet_status status = LANCET_OK;

    if (p->walking && x != p->x && left >= 0 && left % FINENESS == MIDDLE &&
        (size_t)left / FINENESS < p->width) {
        /* ceil((top - MIDDLE) / FINENESS), inside of the picture */
        size_t row = top <= MIDDLE ? 0 : (size_t)(top - MIDDLE + FINENESS - 1) / FINENESS;

        if (row > p->height)
            row = p->height;
        status = note_crossing(p, (size_t)left / FINENESS * p->height + row, error);
    }
    p->walking = true;
    p->x = x;
    p->y = y;
    return status;
}

/* Along the longer axis in whole steps. It is walked from its lower end whatever the direction, as rounding
 * would differ from the other one. */
static lancet_status walk_edge(lancet_polygon *p, int from_x, int from_y, int to_x, int to_y,
                               lancet_error *error)
{
    const int across = abs(to_x - from_x), down = abs(to_y - from_y);
    const bool wide = across >= down;
    const int length = wide ? across : down;
    const bool backwards = wide ? from_x > to_x : from_y > to_y;
    const int x = backwards ? to_x : from_x, y = backwards ? to_y : from_y;
    const int end_x = backwards ? from_x : to_x, end_y = backwards ? from_y : to_y;
    const double slope = length ? (double)(wide ? end_y - y : end_x - x) / length : 0;
    lancet_status status = LANCET_OK;

    p->steps += (uint64_t)length + 1;
    if (p->steps > LANCET_POLYGON_STEPS_MAX)
        return lancet_fail(error, LANCET_ERROR_INPUT,
                           "polygon: expected boundaries of at most %llu pixels in all, found longer ones",
                           (unsigned long long)LANCET_POLYGON_STEPS_MAX / FINENESS);
    for (int i = 0; i <= length && status == LANCET_OK; i++) {
        const int along = backwards ? length - i : i;
        const double aside = slope * along; /* on its own: not to be fused with the sum */

        status = wide ? step_to(p, x + along, (int)(y + aside + 0.5), error)
                      : step_to(p, (int)(x + aside + 0.5), y + along, error);
    }
    return status;
}

/* One picture's size beyond each side is more than any honest slip. NaN is beyond, too. */
static bool in_range(double value, size_t side)
{
    return value >= -(double)side && value <= 2 * (double)side;
}

lancet_status lancet_polygon_corner(lancet_polygon *p, double x, double y, lancet_error *error)
{
    lancet_status status = LANCET_OK;
    int fine_x, fine_y;

    if (!in_range(x, p->width) || !in_range(y, p->height))
        return lancet_fail(error, LANCET_ERROR_INPUT,
                           "polygon: expected corners in a picture of %zu x %zu, found %g, %g", p->width,
                           p->height, x, y);
    fine_x = (int)(FINENESS * x + 0.5);
    fine_y = (int)(FINENESS * y + 0.5);
    if (p->corners) {
        status = walk_edge(p, p->corner_x, p->corner_y, fine_x, fine_y, error);
    } else {
        p->first_x = fine_x;
        p->first_y = fine_y;
    }
    p->corners++;
    p->corner_x = fine_x;
    p->corner_y = fine_y;
    return status;
}

static int compare_numbers(const void *left, const void *right)
{
    const uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;

    return a < b ? -1 : a > b;
}

/* Between odd and even crossings is inside; the last one may be left over, then all to the end is. */
static lancet_status fill(lancet_polygon *p, lancet_runs *runs, lancet_error *error)
{
    lancet_status status = LANCET_OK;

    if (p->count)
        qsort(p->crossings, p->count, sizeof *p->crossings, compare_numbers);
    for (size_t i = 0; i < p->count && status == LANCET_OK; i += 2)
        status = lancet_runs_append(runs, p->crossings[i],
                                    i + 1 < p->count ? p->crossings[i + 1] : p->width * p->height, error);
    return status;
}

lancet_status lancet_polygon_end(lancet_polygon *p, lancet_runs *runs, lancet_error *error)
{
    lancet_status status;

    if (p->corners < 3)
        return lancet_fail(error, LANCET_ERROR_INPUT, "polygon: expected at least 3 corners, found %zu",
                           p->corners);
    status = walk_edge(p, p->corner_x, p->corner_y, p->first_x, p->first_y, error);
    if (status == LANCET_OK)
        status = fill(p, runs, error);
    p->corners = p->count = 0;
    p->walking = false;
    return status;
}

void lancet_polygon_close(lancet_polygon *p)
{
    lancet_free(p->crossings);
    *p = (lancet_polygon){0};
}
