/* The label that fits best at each pixel. T maps at the picture's size would be gigabytes: the picture is
 * done in strips of columns, a row at a time. SPDX-License-Identifier: Apache-2.0 */
#include "tasks/segment.h"

#include "base/memory.h"
#include "base/status.h"
#include "explain/maps.h"
#include "tensor/interpolate.h"

#include <math.h>
#include <string.h>

#define STRIP         1024
#define SCALE_DEFAULT 100.0f

/* Summands of the softmax below exp(-30) of the largest vanish beside it. */
#define NEGLIGIBLE (-30.0f)

/* One strip's working memory. */
struct strip {
    const lancet_maps *maps;
    const lancet_sample_place *columns; /* [width], of the strip */
    size_t width;                       /* columns of the picture, at most STRIP */
    float *upper, *lower;               /* [T, STRIP]: rows of the grid, interpolated across */
    size_t upper_row, lower_row;        /* which; SIZE_MAX: none yet */
    float best[STRIP];
    uint16_t labels[STRIP];
};

/* A row of the grid at the strip's columns, for every label. */
static void widen(const struct strip *strip, float *out, size_t row)
{
    const lancet_maps *maps = strip->maps;

    for (size_t t = 0; t < maps->count; t++, out += STRIP) {
        const float *scores = maps->scores + (t * maps->height + row) * maps->width;

        for (size_t x = 0; x < strip->width; x++) {
            const lancet_sample_place *at = &strip->columns[x];

            out[x] = at->weight_low * scores[at->low] + at->weight_high * scores[at->high];
        }
    }
}

static void need_rows(struct strip *strip, const lancet_sample_place *row)
{
    if (strip->lower_row == row->low) { /* one further down: the lower row becomes the upper one */
        float *swap = strip->upper;

        strip->upper = strip->lower;
        strip->upper_row = strip->lower_row;
        strip->lower = swap;
        strip->lower_row = SIZE_MAX;
    }
    if (strip->upper_row != row->low)
        widen(strip, strip->upper, row->low);
    strip->upper_row = row->low;
    if (strip->lower_row != row->high)
        widen(strip, strip->lower, row->high);
    strip->lower_row = row->high;
}

static void choose(struct strip *strip, const lancet_sample_place *row)
{
    for (size_t x = 0; x < strip->width; x++) {
        strip->best[x] = -INFINITY;
        strip->labels[x] = 0;
    }
    for (size_t t = 0; t < strip->maps->count; t++) {
        const float *upper = strip->upper + t * STRIP, *lower = strip->lower + t * STRIP;

        for (size_t x = 0; x < strip->width; x++) {
            const float score = row->weight_low * upper[x] + row->weight_high * lower[x];
            const bool better = score > strip->best[x];

            strip->best[x] = better ? score : strip->best[x];
            strip->labels[x] = better ? (uint16_t)t : strip->labels[x];
        }
    }
}

/* The best label's share of softmax(scale S) at one pixel. */
static float probability(const struct strip *strip, const lancet_sample_place *row, size_t x, float scale)
{
    double sum = 0;

    for (size_t t = 0; t < strip->maps->count; t++) {
        const float score =
            row->weight_low * strip->upper[t * STRIP + x] + row->weight_high * strip->lower[t * STRIP + x];
        const float power = scale * (score - strip->best[x]);

        if (power > NEGLIGIBLE)
            sum += exp((double)power);
    }
    return (float)(1 / sum);
}

static void set_background(struct strip *strip, const lancet_sample_place *row,
                           const lancet_segment_options *options)
{
    const float scale = options->scale > 0 ? options->scale : SCALE_DEFAULT;

    if (options->background == LANCET_BACKGROUND_NEVER)
        return;
    for (size_t x = 0; x < strip->width; x++) {
        const float value = options->background == LANCET_BACKGROUND_SCORE
                                ? strip->best[x]
                                : probability(strip, row, x, scale);

        if (value < options->threshold)
            strip->labels[x] = LANCET_SEGMENT_NONE;
    }
}

lancet_status lancet_segment_into(const lancet_segment_place *place, const lancet_maps *maps,
                                  const lancet_segment_options *options, lancet_error *error)
{
    struct strip *strip = lancet_allocate(1, sizeof *strip);
    lancet_sample_place *rows = lancet_allocate(place->height, sizeof *rows);
    lancet_sample_place *columns = lancet_allocate(place->width, sizeof *columns);
    float *widened = lancet_allocate(2 * maps->count * STRIP, sizeof *widened);
    lancet_status status = LANCET_OK;

    if (!strip || !rows || !columns || !widened) {
        status = lancet_fail_memory(error, "segments");
        goto done;
    }
    lancet_interpolate_places(rows, place->height, maps->height);
    lancet_interpolate_places(columns, place->width, maps->width);
    strip->maps = maps;
    strip->upper = widened;
    strip->lower = widened + maps->count * STRIP;
    for (size_t left = 0; left < place->width; left += STRIP) {
        strip->columns = columns + left;
        strip->width = place->width - left < STRIP ? place->width - left : STRIP;
        strip->upper_row = strip->lower_row = SIZE_MAX;
        for (size_t y = 0; y < place->height; y++) {
            need_rows(strip, &rows[y]);
            choose(strip, &rows[y]);
            set_background(strip, &rows[y], options);
            memcpy(place->labels + y * place->stride + left, strip->labels,
                   strip->width * sizeof *strip->labels);
        }
    }
done:
    lancet_free(strip);
    lancet_free(rows);
    lancet_free(columns);
    lancet_free(widened);
    return status;
}

lancet_status lancet_segment_check(const lancet_segment_options *options, size_t label_count,
                                   lancet_error *error)
{
    if (options->background < LANCET_BACKGROUND_NEVER || options->background > LANCET_BACKGROUND_SCORE)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "background: expected a lancet_background, found %d",
                           (int)options->background);
    if (!isfinite(options->threshold))
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "threshold: expected a number, found %g",
                           (double)options->threshold);
    if (!(options->scale >= 0) || !isfinite(options->scale))
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "scale: expected a number above 0, found %g",
                           (double)options->scale);
    if (label_count > LANCET_SEGMENT_CLASSES_MAX)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "labels: expected at most %d, found %zu",
                           LANCET_SEGMENT_CLASSES_MAX, label_count);
    return LANCET_OK;
}

lancet_status lancet_maps_segment(uint16_t *segments, const lancet_maps *maps, size_t width, size_t height,
                                  const lancet_segment_options *given, lancet_error *error)
{
    const lancet_segment_options options = given ? *given : (lancet_segment_options){0};
    const lancet_segment_place place = {segments, width, height, width};
    lancet_status status;

    if (!segments || !maps)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "lancet_maps_segment: %s is NULL",
                           maps ? "segments" : "maps");
    if (width < 1 || height < 1 || width > LANCET_PICTURE_SIDE_MAX || height > LANCET_PICTURE_SIDE_MAX)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                           "segments' size: expected sides of 1 to %d, found %zux%zu",
                           LANCET_PICTURE_SIDE_MAX, width, height);
    status = lancet_segment_check(&options, maps->count, error);
    return status == LANCET_OK ? lancet_segment_into(&place, maps, &options, error) : status;
}
