/* Explainability: each present label's map against its own binary truth (spec: mIoU and mSC).
 *
 * Record: for each variant the number of samples, then for each its class and its lancet_map_score.
 * SPDX-License-Identifier: Apache-2.0 */
#include "eval/protocol.h"

#include "base/status.h"
#include "eval/fingerprint.h"
#include "eval/paper.h"
#include "eval/sheet.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct sample {
    uint64_t label;
    lancet_map_score score;
} sample;

_Static_assert(sizeof(sample) % 8 == 0, "records are whole eights");

static lancet_status measure_label(lancet_buffer *record, const lancet_maps *maps, const lancet_truth *truth,
                                   size_t label, float *map, uint8_t *mask, lancet_error *error)
{
    sample s = {.label = label};
    lancet_status status = lancet_truth_mask(truth, label, mask, error);

    if (status == LANCET_OK)
        status = lancet_maps_write(maps, label, truth->width, truth->height, map, error);
    if (status == LANCET_OK)
        status = lancet_map_score_compute(&s.score, map, mask, truth->width * truth->height, error);
    if (status == LANCET_OK && !lancet_buffer_append(record, &s, sizeof s))
        status = lancet_fail_memory(error, "a record");
    return status;
}

static lancet_status measure_variant(lancet_buffer *record, lancet_run *run, size_t variant,
                                     const lancet_picture *picture, const lancet_truth *truth, float *map,
                                     uint8_t *mask, lancet_error *error)
{
    const uint64_t count = truth->present_count;
    lancet_maps *maps = NULL;
    lancet_status status = lancet_run_maps(&maps, run, variant, picture, error);

    if (status == LANCET_OK && !lancet_buffer_append(record, &count, sizeof count))
        status = lancet_fail_memory(error, "a record");
    for (size_t i = 0; i < truth->present_count && status == LANCET_OK; i++)
        status = measure_label(record, maps, truth, truth->present[i], map, mask, error);
    lancet_maps_close(&maps);
    return status;
}

static lancet_status measure(lancet_buffer *record, lancet_run *run, const lancet_picture *picture,
                             const lancet_truth *truth, lancet_error *error)
{
    float *map = lancet_allocate(truth->width * truth->height, sizeof *map);
    uint8_t *mask = lancet_allocate(truth->width * truth->height, sizeof *mask);
    lancet_status status = map && mask ? LANCET_OK : lancet_fail_memory(error, "a map");

    for (size_t v = 0; v < run->evaluation->variant_count && status == LANCET_OK; v++)
        status = measure_variant(record, run, v, picture, truth, map, mask, error);
    lancet_free(map);
    lancet_free(mask);
    return status;
}

/* Appends the samples of one variant in one record; the scores stay where they are. */
static lancet_status take_samples(lancet_buffer *samples, const lancet_run *run, const lancet_record *record,
                                  size_t variant, lancet_error *error)
{
    lancet_cursor cursor = {record->bytes, record->length};

    for (size_t v = 0; v <= variant; v++) {
        const uint64_t *count = lancet_cursor_take(&cursor, sizeof *count);

        if (!count || *count > run->class_count)
            return lancet_fail_record(record, error);
        for (uint64_t i = 0; i < *count; i++) {
            const sample *s = lancet_cursor_take(&cursor, sizeof *s);

            if (!s || s->label >= run->class_count)
                return lancet_fail_record(record, error);
            if (v == variant &&
                !lancet_buffer_append(samples,
                                      &(lancet_sample){(size_t)record->picture, (size_t)s->label, &s->score},
                                      sizeof(lancet_sample)))
                return lancet_fail_memory(error, "the samples");
        }
    }
    return LANCET_OK;
}

static void put_threshold(lancet_cell *row, size_t column, int k)
{
    if (k >= 0)
        lancet_cell_number(row, column, (double)k / LANCET_THRESHOLDS);
}

static void put_classes(lancet_report *report, const lancet_run *run, const lancet_class_total *classes,
                        const char *variant, const char *name)
{
    static const char *const columns[] = {"class:t", "samples:c",   "mIoU:n",
                                          "mSC:n",   "threshold:n", "mIoU of everything:n"};
    char title[256];
    lancet_table *table;

    snprintf(title, sizeof title, "Classes: %s", variant);
    table = lancet_report_table(report, name, title, columns, 6);
    for (size_t c = 0; c < run->class_count; c++) {
        lancet_cell *row = lancet_table_row(report, table);

        lancet_cell_text(report, row, 0, lancet_run_class(run, c));
        lancet_cell_count(row, 1, classes[c].samples);
        lancet_cell_number(row, 2, classes[c].iou);
        lancet_cell_number(row, 3, classes[c].contrast);
        if (classes[c].samples)
            put_threshold(row, 4, classes[c].threshold);
        lancet_cell_number(row, 5, classes[c].foreground_share);
    }
}

/* Everything of one variant but its row in the first table, which has to be complete before others begin. */
typedef struct outcome {
    lancet_totals totals;
    lancet_class_total *classes;
} outcome;

static lancet_status total_variant(outcome *o, const lancet_run *run, const lancet_record *records,
                                   size_t count, size_t variant, lancet_error *error)
{
    lancet_buffer samples = {0};
    lancet_status status = LANCET_OK;

    o->classes = lancet_allocate_zero(run->class_count, sizeof *o->classes);
    if (!o->classes)
        status = lancet_fail_memory(error, "the classes");
    for (size_t i = 0; i < count && status == LANCET_OK; i++)
        status = take_samples(&samples, run, &records[i], variant, error);
    if (status == LANCET_OK)
        status = lancet_totals_compute(&o->totals, o->classes, (lancet_sample *)(void *)samples.bytes,
                                       samples.length / sizeof(lancet_sample), run->class_count,
                                       &run->evaluation->totals, error);
    lancet_buffer_close(&samples);
    return status;
}

static void put_summary(lancet_report *report, const lancet_run *run, const outcome *outcomes)
{
    static const char *const columns[] = {"method:t",      "mIoU:f",      "paper's mIoU:n",       "mSC:f",
                                          "paper's mSC:n", "threshold:n", "mIoU of everything:n", "samples:c",
                                          "pictures:c",    "classes:c"};
    lancet_table *table =
        lancet_report_table(report, "summary", "Summary (per cent; 95 % bootstrap intervals)", columns,
                            sizeof columns / sizeof *columns);

    for (size_t v = 0; v < run->evaluation->variant_count; v++) {
        const lancet_totals *t = &outcomes[v].totals;
        lancet_cell *row = lancet_table_row(report, table);
        const char *name = run->evaluation->variants[v].name;

        lancet_cell_text(report, row, 0, name);
        lancet_cell_figure(row, 1, t->miou);
        lancet_cell_number(row, 2, lancet_paper_figure(LANCET_PAPER_MIOU, run, name));
        lancet_cell_figure(row, 3, t->msc);
        lancet_cell_number(row, 4, lancet_paper_figure(LANCET_PAPER_MSC, run, name));
        put_threshold(row, 5, t->threshold);
        lancet_cell_number(row, 6, t->everything);
        lancet_cell_count(row, 7, t->samples);
        lancet_cell_count(row, 8, t->pictures);
        lancet_cell_count(row, 9, t->classes);
    }
}

static void put_curves(lancet_report *report, const lancet_run *run, const outcome *outcomes)
{
    lancet_plot *plot =
        lancet_report_plot(report, "thresholds", "mIoU over the threshold", "threshold", "mIoU in per cent");
    double x[LANCET_THRESHOLDS];

    for (size_t k = 0; k < LANCET_THRESHOLDS; k++)
        x[k] = (double)k / LANCET_THRESHOLDS;
    for (size_t v = 0; v < run->evaluation->variant_count; v++)
        lancet_plot_line(report, plot, run->evaluation->variants[v].name, x, outcomes[v].totals.curve,
                         LANCET_THRESHOLDS);
}

static void put_settings(lancet_report *report, const lancet_totals_options *o)
{
    static const char *const thresholds[] = {"the best of 0.00 to 0.99 over all samples",
                                             "the best of 0.00 to 0.99 for each class",
                                             "the best of 0.00 to 0.99 for each sample",
                                             "Otsu's of each map",
                                             "each map's mean",
                                             "fixed"};

    if (o->threshold == LANCET_THRESHOLD_FIXED)
        lancet_report_setting(report, "threshold", "fixed, %.2f", (double)o->fixed / LANCET_THRESHOLDS);
    else
        lancet_report_setting(report, "threshold", "%s", thresholds[o->threshold]);
    lancet_report_setting(report, "mask", "map > threshold");
    lancet_report_setting(report, "unlabelled pixels", "left out of foreground and background");
}

/* IoU of a sample at the threshold that the totals chose. */
static double grade(const lancet_sample *s, const lancet_class_total *classes, lancet_threshold threshold)
{
    const uint64_t foreground = s->score->foreground;
    double best = 0;

    if (threshold == LANCET_THRESHOLD_OTSU)
        return lancet_overlap_iou(&s->score->at_otsu, foreground);
    if (threshold == LANCET_THRESHOLD_MEAN)
        return lancet_overlap_iou(&s->score->at_mean, foreground);
    if (threshold != LANCET_THRESHOLD_PER_IMAGE)
        return lancet_overlap_iou(&s->score->at[classes[s->label].threshold], foreground);
    for (size_t k = 0; k < LANCET_THRESHOLDS; k++)
        best = fmax(best, lancet_overlap_iou(&s->score->at[k], foreground));
    return best;
}

/* The best and the worst of the last variant, which in the paper's tables is its own method. */
static lancet_status put_sheet(lancet_report *report, const lancet_run *run, const lancet_record *records,
                               size_t count, const outcome *last, lancet_error *error)
{
    lancet_buffer found = {0};
    const lancet_sample *samples;
    lancet_graded *graded = NULL;
    size_t kept = 0, all;
    lancet_status status = LANCET_OK;

    for (size_t i = 0; i < count && status == LANCET_OK; i++)
        status = take_samples(&found, run, &records[i], run->evaluation->variant_count - 1, error);
    samples = (const lancet_sample *)(const void *)found.bytes;
    all = found.length / sizeof *samples;
    if (status == LANCET_OK) {
        graded = lancet_allocate(all, sizeof *graded);
        status = graded ? LANCET_OK : lancet_fail_memory(error, "the samples");
    }
    for (size_t i = 0; i < all && status == LANCET_OK; i++)
        if (samples[i].score->foreground)
            graded[kept++] =
                (lancet_graded){samples[i].picture, samples[i].label,
                                grade(&samples[i], last->classes, run->evaluation->totals.threshold)};
    if (status == LANCET_OK)
        status = lancet_report_sheet(report, run, graded, kept, error);
    lancet_free(graded);
    lancet_buffer_close(&found);
    return status;
}

static lancet_status total(lancet_report *report, const lancet_run *run, const lancet_record *records,
                           size_t count, lancet_error *error)
{
    const size_t variants = run->evaluation->variant_count;
    outcome *outcomes = lancet_allocate_zero(variants, sizeof *outcomes);
    lancet_status status = outcomes ? LANCET_OK : lancet_fail_memory(error, "the totals");

    for (size_t v = 0; v < variants && status == LANCET_OK; v++)
        status = total_variant(&outcomes[v], run, records, count, v, error);
    if (status == LANCET_OK) {
        lancet_report_average(report, run);
        put_settings(report, &run->evaluation->totals);
        put_summary(report, run, outcomes);
        put_curves(report, run, outcomes);
        for (size_t v = 0; v < variants; v++) {
            char name[32];

            snprintf(name, sizeof name, variants > 1 ? "classes-%zu" : "classes", v + 1);
            put_classes(report, run, outcomes[v].classes, run->evaluation->variants[v].name, name);
        }
    }
    if (status == LANCET_OK && !run->evaluation->no_sheet)
        status = put_sheet(report, run, records, count, &outcomes[variants - 1], error);
    for (size_t v = 0; outcomes && v < variants; v++)
        lancet_free(outcomes[v].classes);
    lancet_free(outcomes);
    return status;
}

const lancet_protocol_steps lancet_explainability = {
    .name = "explainability",
    .title = "Explainability",
    .summary = "mIoU and mSC of the map of each label that is in a picture, against that label's pixels.",
    .version = 1,
    .needs_masks = true,
    .measure = measure,
    .total = total,
};
