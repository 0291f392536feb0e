/* Text as an array of code points: what the normalisation steps read and write.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_CLIP_TEXT_POINTS_H
#define LANCET_CLIP_TEXT_POINTS_H

#include "base/memory.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Code points that grow. Zero-initialised is empty. */
typedef struct lancet_points {
    uint32_t *points;
    size_t count, capacity;
} lancet_points;

/** Makes room for `more` points behind those that are there; false if memory is out. */
bool lancet_points_reserve(lancet_points *points, size_t more);

/** Appends; false if memory is out. */
static inline bool lancet_points_push(lancet_points *points, uint32_t point)
{
    if (points->count == points->capacity && !lancet_points_reserve(points, 1))
        return false;
    points->points[points->count++] = point;
    return true;
}

bool lancet_points_append(lancet_points *points, const uint32_t *more, size_t count);

/** Appends well-formed UTF-8; false if memory is out. */
bool lancet_points_decode(lancet_points *points, const char *text, size_t length);

/** Appends the points as UTF-8 to `text`; false if memory is out. */
bool lancet_points_encode(lancet_buffer *text, const lancet_points *points);

void lancet_points_swap(lancet_points *a, lancet_points *b);
void lancet_points_close(lancet_points *points);

#endif
