/* SPDX-License-Identifier: Apache-2.0 */
#include "clip/text/compose.h"

#include <string.h>
#include <utf8proc.h>

/* Longer runs of marks are ordered by counting, shorter ones by insertion. */
enum { SHORT_RUN = 24 };

static unsigned combining_class(uint32_t point)
{
    return (unsigned)utf8proc_get_property((utf8proc_int32_t)point)->combining_class;
}

static bool decompose(lancet_points *out, const lancet_points *in)
{
    if (!lancet_points_reserve(out, in->count))
        return false;
    for (size_t i = 0; i < in->count; i++) {
        utf8proc_int32_t parts[8]; /* the longest canonical decomposition is four */
        int boundary = 0;
        utf8proc_ssize_t count;

        if (in->points[i] < 0xC0) {
            if (!lancet_points_push(out, in->points[i]))
                return false;
            continue;
        }
        count = utf8proc_decompose_char((utf8proc_int32_t)in->points[i], parts, 8,
                                        UTF8PROC_STABLE | UTF8PROC_DECOMPOSE, &boundary);
        for (utf8proc_ssize_t k = 0; k < count && k < 8; k++) {
            if (!lancet_points_push(out, (uint32_t)parts[k]))
                return false;
        }
    }
    return true;
}

/* Stable, by combining class; `spare` has room for `count` points. */
static void order_run(uint32_t *run, size_t count, uint32_t *spare)
{
    if (count <= SHORT_RUN) {
        for (size_t i = 1; i < count; i++) {
            const uint32_t point = run[i];
            const unsigned class = combining_class(point);
            size_t at = i;

            for (; at > 0 && combining_class(run[at - 1]) > class; at--)
                run[at] = run[at - 1];
            run[at] = point;
        }
    } else {
        size_t next[256] = {0}, start = 0;

        for (size_t i = 0; i < count; i++)
            next[combining_class(run[i]) & 255]++;
        for (size_t class = 0; class < 256; class ++) {
            const size_t here = next[class];

            next[class] = start;
            start += here;
        }
        for (size_t i = 0; i < count; i++)
            spare[next[combining_class(run[i]) & 255]++] = run[i];
        memcpy(run, spare, count * sizeof *run);
    }
}

static void order_marks(lancet_points *text, uint32_t *spare)
{
    size_t at = 0;

    while (at < text->count) {
        size_t end = at;

        while (end < text->count && text->points[end] >= 0x300 && combining_class(text->points[end]) != 0)
            end++;
        if (end - at > 1)
            order_run(text->points + at, end - at, spare);
        at = end + 1;
    }
}

bool lancet_compose(lancet_points *text, lancet_points *spare)
{
    utf8proc_ssize_t count;
    size_t first = 0;

    while (first < text->count && text->points[first] < 0x300) /* below it everything is composed already */
        first++;
    if (first == text->count)
        return true;
    spare->count = 0;
    if (!decompose(spare, text))
        return false;
    lancet_points_swap(text, spare);
    if (spare->capacity < text->count) {
        spare->count = 0;
        if (!lancet_points_reserve(spare, text->count))
            return false;
    }
    order_marks(text, spare->points);
    count = utf8proc_normalize_utf32((utf8proc_int32_t *)text->points, (utf8proc_ssize_t)text->count,
                                     UTF8PROC_STABLE | UTF8PROC_COMPOSE);
    if (count >= 0)
        text->count = (size_t)count;
    return true;
}
