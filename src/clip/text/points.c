/* SPDX-License-Identifier: Apache-2.0 */
#include "clip/text/points.h"

#include "base/utf8.h"

#include <string.h>

bool lancet_points_reserve(lancet_points *points, size_t more)
{
    size_t need, capacity;
    uint32_t *grown;

    if (!lancet_add(&need, points->count, more))
        return false;
    if (need <= points->capacity)
        return true;
    capacity = points->capacity <= SIZE_MAX / 2 ? points->capacity * 2 : need;
    if (capacity < need)
        capacity = need;
    if (capacity < 64)
        capacity = 64;
    grown = lancet_allocate(capacity, sizeof *grown);
    if (!grown)
        return false;
    if (points->count)
        memcpy(grown, points->points, points->count * sizeof *grown);
    lancet_free(points->points);
    points->points = grown;
    points->capacity = capacity;
    return true;
}

bool lancet_points_append(lancet_points *points, const uint32_t *more, size_t count)
{
    if (!lancet_points_reserve(points, count))
        return false;
    if (count)
        memcpy(points->points + points->count, more, count * sizeof *more);
    points->count += count;
    return true;
}

bool lancet_points_decode(lancet_points *points, const char *text, size_t length)
{
    size_t at = 0;

    if (!lancet_points_reserve(points, length)) /* never more points than bytes */
        return false;
    while (at < length) {
        uint32_t point;
        const size_t step = lancet_utf8_read(&point, text + at, length - at);

        if (!step) /* the caller has checked the text; this only keeps a mistake from looping for ever */
            break;
        points->points[points->count++] = point;
        at += step;
    }
    return true;
}

bool lancet_points_encode(lancet_buffer *text, const lancet_points *points)
{
    char chunk[256]; /* appending byte by byte would cost more than the encoding */
    size_t used = 0;

    for (size_t i = 0; i < points->count; i++) {
        if (used > sizeof chunk - 4) {
            lancet_buffer_append(text, chunk, used);
            used = 0;
        }
        used += lancet_utf8_write(chunk + used, points->points[i]);
    }
    lancet_buffer_append(text, chunk, used);
    return !text->failed;
}

void lancet_points_swap(lancet_points *a, lancet_points *b)
{
    const lancet_points kept = *a;

    *a = *b;
    *b = kept;
}

void lancet_points_close(lancet_points *points)
{
    lancet_free(points->points);
    *points = (lancet_points){0};
}
