/* mFSR (Eq. 4, Fig. 4): how much of a token's attention lies on the thing that the token is of.
 *
 * The token is the one where the variant's map of the label is highest; its attention is that of the last
 * block, raw on the plain path and values with values on the others, averaged over the heads and enlarged to
 * the picture. Record: label_values.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "eval/label_values.h"

#include "base/status.h"

#include <math.h>

#define CURVE 101

static const lancet_value_column columns[] = {{"mFSR", false}};

/* Working memory of one picture. */
typedef struct work {
    float *map;    /* [height, width] of the truth */
    uint8_t *mask; /* the same */
    float *rows;   /* [heads, tokens, tokens] */
    float *grid;   /* [tokens - 1] */
    size_t heads, tokens;
} work;

/* Bilinear with half-pixel centres, as maps are enlarged. */
static void enlarge(float *map, size_t width, size_t height, const float *grid, size_t columns_in,
                    size_t rows_in)
{
    for (size_t y = 0; y < height; y++) {
        const double at_y = fmax(0, ((double)y + 0.5) * (double)rows_in / (double)height - 0.5);
        const size_t y0 = (size_t)at_y, y1 = y0 + 1 < rows_in ? y0 + 1 : y0;
        const double dy = at_y - (double)y0;

        for (size_t x = 0; x < width; x++) {
            const double at_x = fmax(0, ((double)x + 0.5) * (double)columns_in / (double)width - 0.5);
            const size_t x0 = (size_t)at_x, x1 = x0 + 1 < columns_in ? x0 + 1 : x0;
            const double dx = at_x - (double)x0;
            const double top =
                (1 - dx) * (double)grid[y0 * columns_in + x0] + dx * (double)grid[y0 * columns_in + x1];
            const double bottom =
                (1 - dx) * (double)grid[y1 * columns_in + x0] + dx * (double)grid[y1 * columns_in + x1];

            map[y * width + x] = (float)((1 - dy) * top + dy * bottom);
        }
    }
}

static size_t highest(const float *scores, size_t count)
{
    size_t best = 0;

    for (size_t i = 1; i < count; i++)
        if (scores[i] > scores[best])
            best = i;
    return best;
}

/* The row of one token without the class token's column, averaged over the heads. */
static void average_heads(work *w, size_t token)
{
    for (size_t i = 0; i + 1 < w->tokens; i++) {
        double sum = 0;

        for (size_t h = 0; h < w->heads; h++)
            sum += (double)w->rows[(h * w->tokens + token) * w->tokens + 1 + i];
        w->grid[i] = (float)(sum / (double)w->heads);
    }
}

static lancet_status get_attention(work *w, lancet_run *run, size_t variant, const lancet_picture *picture,
                                   const lancet_maps *maps, lancet_error *error)
{
    const lancet_variant *v = &run->evaluation->variants[variant];
    const lancet_attention_options options = {
        .kind = v->features.path == LANCET_PATH_PLAIN ? LANCET_ATTENTION_RAW : LANCET_ATTENTION_VALUES};
    lancet_feature_options features = v->features;
    size_t size;

    w->heads = (size_t)lancet_model_describe(lancet_session_model(run->session))->vision_heads;
    w->tokens = 1 + lancet_maps_grid_height(maps) * lancet_maps_grid_width(maps);
    lancet_free(w->rows);
    lancet_free(w->grid);
    w->grid = lancet_allocate(w->tokens, sizeof *w->grid);
    w->rows = lancet_multiply(&size, w->heads * w->tokens, w->tokens) ? lancet_allocate(size, sizeof *w->rows)
                                                                      : NULL;
    if (!w->rows || !w->grid)
        return lancet_fail_memory(error, "the attention");
    /* The attention is the original path's; only how the picture is prepared counts. */
    features.path = LANCET_PATH_PLAIN;
    features.surgery_last = features.surgery_start = 0;
    features.pool_attention = LANCET_POOL_VV;
    features.pool_class = LANCET_POOL_CLASS_QK;
    return lancet_attention_rows(w->rows, run->session, picture, &features, &options, error);
}

static lancet_status measure_variant(lancet_buffer *record, lancet_run *run, size_t variant,
                                     const lancet_picture *picture, const lancet_truth *truth, work *w,
                                     lancet_error *error)
{
    lancet_maps *maps = NULL;
    lancet_status status = lancet_run_maps(&maps, run, variant, picture, error);

    if (status == LANCET_OK)
        status = get_attention(w, run, variant, picture, maps, error);
    lancet_label_values_begin(record, truth->present_count);
    for (size_t i = 0; i < truth->present_count && status == LANCET_OK; i++) {
        lancet_label_values sample = {.label = truth->present[i]};
        const size_t patches = w->tokens - 1;

        average_heads(w, 1 + highest(lancet_maps_scores(maps) + sample.label * patches, patches));
        enlarge(w->map, truth->width, truth->height, w->grid, lancet_maps_grid_width(maps),
                lancet_maps_grid_height(maps));
        status = lancet_truth_mask(truth, sample.label, w->mask, error);
        if (status == LANCET_OK &&
            !lancet_foreground_share(&sample.values[0], w->map, w->mask, truth->width * truth->height))
            sample.values[0] = NAN;
        lancet_label_values_append(record, &sample);
    }
    lancet_maps_close(&maps);
    return status;
}

static lancet_status measure(lancet_buffer *record, lancet_run *run, const lancet_picture *picture,
                             const lancet_truth *truth, lancet_error *error)
{
    work w = {.map = lancet_allocate(truth->width * truth->height, sizeof *w.map),
              .mask = lancet_allocate(truth->width * truth->height, sizeof *w.mask)};
    lancet_status status = w.map && w.mask ? LANCET_OK : lancet_fail_memory(error, "a map");

    for (size_t v = 0; v < run->evaluation->variant_count && status == LANCET_OK; v++)
        status = measure_variant(record, run, v, picture, truth, &w, error);
    lancet_free(w.map);
    lancet_free(w.mask);
    lancet_free(w.rows);
    lancet_free(w.grid);
    return status;
}

/* Fig. 4(b): how many samples lie above each threshold. */
static lancet_status put_curve(lancet_report *report, lancet_plot *plot, const lancet_run *run,
                               const lancet_record *records, size_t count, size_t variant,
                               lancet_error *error)
{
    lancet_buffer samples = {0}, pictures = {0};
    double x[CURVE], y[CURVE];
    const lancet_status status =
        lancet_label_values_take(&samples, &pictures, run, records, count, variant, error);
    const lancet_label_values *s = (const lancet_label_values *)(const void *)samples.bytes;

    for (size_t k = 0; k < CURVE && status == LANCET_OK; k++) {
        size_t above = 0, all = 0;

        x[k] = (double)k / (CURVE - 1);
        for (size_t i = 0; i < samples.length / sizeof *s; i++) {
            all += !isnan(s[i].values[0]);
            above += s[i].values[0] > x[k];
        }
        y[k] = all ? (double)above / (double)all : NAN;
    }
    if (status == LANCET_OK)
        lancet_plot_line(report, plot, run->evaluation->variants[variant].name, x, y, CURVE);
    lancet_buffer_close(&samples);
    lancet_buffer_close(&pictures);
    return status;
}

static lancet_status total(lancet_report *report, const lancet_run *run, const lancet_record *records,
                           size_t count, lancet_error *error)
{
    lancet_plot *plot = lancet_report_plot(report, "fsr", "Samples whose FSR is above a threshold (Fig. 4)",
                                           "threshold", "share of samples");
    lancet_status status = LANCET_OK;

    for (size_t v = 0; v < run->evaluation->variant_count && status == LANCET_OK; v++)
        status = put_curve(report, plot, run, records, count, v, error);
    lancet_report_setting(
        report, "attention",
        "the last block's, of the token where the map is highest, mean of the heads; raw on CLIP's "
        "own path, values with values otherwise");
    if (status != LANCET_OK)
        return status;
    return lancet_label_values_total(report, run, records, count, columns, sizeof columns / sizeof *columns,
                                     error);
}

const lancet_protocol_steps lancet_fsr = {
    .name = "fsr",
    .title = "Foreground share of attention",
    .summary =
        "mFSR: how much of a token's attention lies on the thing that the token is of (Eq. 4, Fig. 4).",
    .version = 1,
    .needs_masks = true,
    .measure = measure,
    .total = total,
};
