/* Affinity of a vision transformer's branches (Eq. 5, Fig. 5): how near what each attention and each
 * feed-forward network says of a picture is to the texts of the labels in it.
 *
 * Record: for each branch the mean cosine with the present labels, then the same of the picture's own
 * feature, then that feature's mean cosine with the labels that are absent. NaN without such labels.
 * SPDX-License-Identifier: Apache-2.0 */
#include "eval/protocol.h"

#include "base/status.h"
#include "eval/bootstrap.h"

#include <math.h>
#include <stdio.h>

static size_t block_count(const lancet_run *run)
{
    return (size_t)lancet_model_describe(lancet_session_model(run->session))->vision_blocks;
}

static double cosine(const float *a, const float *b, size_t width)
{
    double product = 0, a_square = 0, b_square = 0;

    for (size_t k = 0; k < width; k++) {
        product += (double)a[k] * (double)b[k];
        a_square += (double)a[k] * (double)a[k];
        b_square += (double)b[k] * (double)b[k];
    }
    return a_square > 0 && b_square > 0 ? product / sqrt(a_square * b_square) : 0;
}

/* Mean cosine of a feature with the labels that are present, or with all others. */
static double mean_cosine(const lancet_run *run, const lancet_truth *truth, const float *feature,
                          bool present)
{
    const size_t width = lancet_labels_width(run->labels);
    double sum = 0;
    size_t count = 0;

    for (size_t c = 0; c < run->class_count; c++)
        if (lancet_truth_has(truth, c) == present) {
            sum += cosine(feature, lancet_labels_features(run->labels) + c * width, width);
            count++;
        }
    return count ? sum / (double)count : NAN;
}

static lancet_status measure(lancet_buffer *record, lancet_run *run, const lancet_picture *picture,
                             const lancet_truth *truth, lancet_error *error)
{
    const size_t branches = 2 * block_count(run), width = lancet_labels_width(run->labels);
    lancet_feature_options options = run->evaluation->variants[0].features;
    float *rows = lancet_allocate(branches * width, sizeof *rows);
    const lancet_features *features;
    lancet_status status = rows ? LANCET_OK : lancet_fail_memory(error, "the branches");

    if (status == LANCET_OK)
        status = lancet_branches_encode(rows, run->session, picture, &options, true, error);
    if (status == LANCET_OK)
        status = lancet_run_features(&features, run, 0, picture, error);
    if (status == LANCET_OK) {
        for (size_t i = 0; i < branches + 2; i++) {
            const float *feature = i < branches ? rows + i * width : lancet_features_tokens(features);
            const double value = mean_cosine(run, truth, feature, i <= branches);

            lancet_buffer_append(record, &value, sizeof value);
        }
    }
    lancet_free(rows);
    return status;
}

/* Mean over pictures of one number of their records, each counted `drawn` times. */
static double mean_of(const double *const *values, size_t count, size_t index, const uint32_t *drawn)
{
    double sum = 0, weight = 0;

    for (size_t i = 0; i < count; i++) {
        const double times = drawn ? drawn[i] : 1;

        if (isnan(values[i][index]) || times == 0)
            continue;
        sum += times * values[i][index];
        weight += times;
    }
    return weight > 0 ? sum / weight : NAN;
}

static lancet_status average(lancet_figure *figures, const lancet_run *run, const double *const *values,
                             size_t count, size_t size, lancet_error *error)
{
    const size_t resamples = lancet_bootstrap_resamples(&run->evaluation->totals);
    uint32_t *drawn = lancet_allocate(count, sizeof *drawn);
    double *means = lancet_allocate(resamples, sizeof *means);

    for (size_t k = 0; k < size && drawn && means; k++) {
        uint64_t state = run->evaluation->totals.seed;
        size_t good = 0;

        figures[k] = (lancet_figure){.value = mean_of(values, count, k, NULL)};
        for (size_t r = 0; r < resamples; r++) {
            lancet_bootstrap_draw(drawn, count, &state);
            means[good] = mean_of(values, count, k, drawn);
            good += !isnan(means[good]);
        }
        lancet_bootstrap_interval(&figures[k], means, good);
    }
    lancet_free(drawn);
    lancet_free(means);
    return drawn && means ? LANCET_OK : lancet_fail_memory(error, "the bootstrap");
}

static void put_table(lancet_report *report, const lancet_figure *figures, size_t blocks)
{
    static const char *const columns[] = {"branch:t", "block:c", "affinity:f4"};
    lancet_table *table = lancet_report_table(report, "summary",
                                              "Mean cosine with the labels of the picture "
                                              "(95 % bootstrap intervals)",
                                              columns, 3);

    for (size_t i = 0; i < 2 * blocks; i++) {
        lancet_cell *row = lancet_table_row(report, table);

        lancet_cell_text(report, row, 0, i % 2 ? "feed-forward network" : "attention");
        lancet_cell_count(row, 1, i / 2 + 1);
        lancet_cell_figure(row, 2, figures[i]);
    }
    for (size_t i = 0; i < 2; i++) {
        lancet_cell *row = lancet_table_row(report, table);

        lancet_cell_text(report, row, 0, i ? "picture, absent labels" : "picture, present labels");
        lancet_cell_figure(row, 2, figures[2 * blocks + i]);
    }
}

/* Fig. 5: by block, with the picture's own as level lines. values: [4, blocks]. */
static void put_plot(lancet_report *report, const lancet_figure *figures, size_t blocks, double *values)
{
    static const char *const names[] = {"attention", "feed-forward network", "picture, present labels",
                                        "picture, absent labels"};
    lancet_plot *plot = lancet_report_plot(report, "affinity", "Affinity of each block's branches (Fig. 5)",
                                           "block", "mean cosine");
    double *x = values, *y = values + blocks;

    for (size_t line = 0; line < 4; line++) {
        for (size_t b = 0; b < blocks; b++) {
            x[b] = (double)(b + 1);
            y[b] = figures[line < 2 ? 2 * b + line : 2 * blocks + line - 2].value;
        }
        lancet_plot_line(report, plot, names[line], x, y, blocks);
    }
}

static lancet_status total(lancet_report *report, const lancet_run *run, const lancet_record *records,
                           size_t count, lancet_error *error)
{
    const size_t blocks = block_count(run), size = 2 * blocks + 2;
    const double **values = lancet_allocate(count, sizeof *values);
    lancet_figure *figures = lancet_allocate(size, sizeof *figures);
    double *points = lancet_allocate(2 * blocks, sizeof *points);
    lancet_status status = values && figures && points ? LANCET_OK : lancet_fail_memory(error, "the totals");

    for (size_t i = 0; i < count && status == LANCET_OK; i++) {
        lancet_cursor cursor = {records[i].bytes, records[i].length};

        values[i] = lancet_cursor_take(&cursor, size * sizeof(double));
        if (!values[i])
            status = lancet_fail_record(&records[i], error);
    }
    if (status == LANCET_OK)
        status = average(figures, run, values, count, size, error);
    if (status == LANCET_OK) {
        lancet_report_setting(report, "projection", "the last layer norm, then the projection");
        lancet_report_setting(report, "picture", "its class token on CLIP's own path");
        put_table(report, figures, blocks);
        put_plot(report, figures, blocks, points);
    }
    lancet_free(values);
    lancet_free(figures);
    lancet_free(points);
    return status;
}

const lancet_protocol_steps lancet_affinity = {
    .name = "affinity",
    .title = "Affinity of the branches",
    .summary = "How near each block's attention and feed-forward network are to the labels (Eq. 5, Fig. 5).",
    .version = 1,
    .needs_masks = false,
    .measure = measure,
    .total = total,
};
