/* Segmentation: label maps against label maps, by the data set's confusion matrix (spec: mIoU of section 3).
 *
 * Record: for each variant the number of pairs, then the pairs of classes that met in this picture and in how
 * many pixels.
 * SPDX-License-Identifier: Apache-2.0 */
#include "eval/protocol.h"

#include "base/status.h"
#include "eval/bootstrap.h"
#include "eval/paper.h"
#include "lancet/tasks.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* predicted: class_count for none. */
typedef struct pair {
    uint32_t truth, predicted;
    uint64_t pixels;
} pair;

static lancet_status segment(uint16_t *segments, lancet_run *run, size_t variant,
                             const lancet_picture *picture, lancet_error *error)
{
    const lancet_variant *v = &run->evaluation->variants[variant];
    lancet_maps *maps = NULL;
    lancet_status status;

    if (v->crop_columns || v->crop_rows) {
        const lancet_segment_task task = {.features = v->features,
                                          .maps = v->maps,
                                          .crop_columns = v->crop_columns,
                                          .crop_rows = v->crop_rows};

        return lancet_segment(segments, run->session, picture, run->labels, &task, error);
    }
    status = lancet_run_maps(&maps, run, variant, picture, error);
    if (status == LANCET_OK)
        status = lancet_maps_segment(segments, maps, picture->width, picture->height, NULL, error);
    lancet_maps_close(&maps);
    return status;
}

/* Appends the pairs that occur. */
static lancet_status append_pairs(lancet_buffer *record, const uint64_t *confusion, const uint64_t *missed,
                                  size_t classes, lancet_error *error)
{
    uint64_t count = 0;

    for (size_t i = 0; i < classes * classes; i++)
        count += confusion[i] > 0;
    for (size_t t = 0; t < classes; t++)
        count += missed[t] > 0;
    lancet_buffer_append(record, &count, sizeof count);
    for (size_t t = 0; t < classes; t++)
        for (size_t p = 0; p <= classes; p++) {
            const pair met = {(uint32_t)t, (uint32_t)p, p < classes ? confusion[t * classes + p] : missed[t]};

            if (met.pixels)
                lancet_buffer_append(record, &met, sizeof met);
        }
    return record->failed ? lancet_fail_memory(error, "a record") : LANCET_OK;
}

static lancet_status measure(lancet_buffer *record, lancet_run *run, const lancet_picture *picture,
                             const lancet_truth *truth, lancet_error *error)
{
    const size_t classes = run->class_count, pixels = truth->width * truth->height;
    const size_t cells = classes * classes;
    uint16_t *segments = lancet_allocate(pixels, sizeof *segments);
    uint64_t *confusion = lancet_allocate(cells + classes, sizeof *confusion);
    lancet_status status = segments && confusion ? LANCET_OK : lancet_fail_memory(error, "a label map");

    for (size_t v = 0; v < run->evaluation->variant_count && status == LANCET_OK; v++) {
        memset(confusion, 0, (cells + classes) * sizeof *confusion);
        status = segment(segments, run, v, picture, error);
        if (status == LANCET_OK)
            status = lancet_confusion_add(confusion, confusion + cells, classes, truth->labels, segments,
                                          pixels, error);
        if (status == LANCET_OK)
            status = append_pairs(record, confusion, confusion + cells, classes, error);
    }
    lancet_free(segments);
    lancet_free(confusion);
    return status;
}

/* ---- Totals -------------------------------------------------------------------------------------------- */

/* The pairs of one variant: those of picture i are items[starts[i]] .. items[starts[i + 1] - 1]. */
typedef struct pairs {
    const pair **starts;
    size_t *counts; /* [picture_count] */
    size_t picture_count;
} pairs;

static lancet_status find_pairs(pairs *found, const lancet_run *run, const lancet_record *records,
                                size_t count, size_t variant, lancet_error *error)
{
    for (size_t i = 0; i < count; i++) {
        lancet_cursor cursor = {records[i].bytes, records[i].length};

        for (size_t v = 0; v <= variant; v++) {
            const uint64_t *number = lancet_cursor_take(&cursor, sizeof *number);

            if (!number || *number > cursor.length / sizeof(pair))
                return lancet_fail_record(&records[i], error);
            found->counts[i] = (size_t)*number;
            found->starts[i] = lancet_cursor_take(&cursor, found->counts[i] * sizeof(pair));
        }
        for (size_t k = 0; k < found->counts[i]; k++)
            if (found->starts[i][k].truth >= run->class_count ||
                found->starts[i][k].predicted > run->class_count)
                return lancet_fail_record(&records[i], error);
    }
    return LANCET_OK;
}

/* The confusion matrix of all pictures, each counted `drawn` times (NULL: once). */
static void add_up(uint64_t *confusion, size_t classes, const pairs *found, const uint32_t *drawn)
{
    uint64_t *missed = confusion + classes * classes;

    memset(confusion, 0, (classes * classes + classes) * sizeof *confusion);
    for (size_t i = 0; i < found->picture_count; i++)
        for (size_t k = 0; k < found->counts[i]; k++) {
            const pair *p = &found->starts[i][k];
            uint64_t *cell =
                p->predicted < classes ? &confusion[p->truth * classes + p->predicted] : &missed[p->truth];

            *cell += p->pixels * (drawn ? drawn[i] : 1);
        }
}

/* What one variant came to. */
typedef struct outcome {
    lancet_figure miou, accuracy;
    double *iou;         /* [class_count] */
    uint64_t *confusion; /* [class_count, class_count], then those missed [class_count] */
} outcome;

static lancet_status bootstrap(outcome *o, const lancet_run *run, const pairs *found, lancet_error *error)
{
    const size_t resamples = lancet_bootstrap_resamples(&run->evaluation->totals), classes = run->class_count;
    uint32_t *drawn = lancet_allocate(found->picture_count, sizeof *drawn);
    double *values = lancet_allocate(2 * resamples, sizeof *values);
    uint64_t state = run->evaluation->totals.seed;
    size_t good = 0;

    if (!drawn || !values) {
        lancet_free(drawn);
        lancet_free(values);
        return lancet_fail_memory(error, "the bootstrap");
    }
    for (size_t r = 0; r < resamples; r++) {
        double mean, accuracy;

        lancet_bootstrap_draw(drawn, found->picture_count, &state);
        add_up(o->confusion, classes, found, drawn);
        lancet_confusion_iou(o->iou, &mean, &accuracy, o->confusion, o->confusion + classes * classes,
                             classes);
        if (isnan(mean) || isnan(accuracy)) /* nothing labelled was drawn */
            continue;
        values[good] = mean;
        values[resamples + good++] = accuracy;
    }
    lancet_bootstrap_interval(&o->miou, values, good);
    lancet_bootstrap_interval(&o->accuracy, values + resamples, good);
    lancet_free(drawn);
    lancet_free(values);
    return LANCET_OK;
}

static lancet_status total_variant(outcome *o, const lancet_run *run, const lancet_record *records,
                                   size_t count, size_t variant, lancet_error *error)
{
    const size_t classes = run->class_count;
    pairs found = {.starts = lancet_allocate(count, sizeof *found.starts),
                   .counts = lancet_allocate(count, sizeof *found.counts),
                   .picture_count = count};
    lancet_status status = LANCET_OK;

    o->iou = lancet_allocate(classes, sizeof *o->iou);
    o->confusion = lancet_allocate(classes * classes + classes, sizeof *o->confusion);
    if (!found.starts || !found.counts || !o->iou || !o->confusion)
        status = lancet_fail_memory(error, "the totals");
    if (status == LANCET_OK)
        status = find_pairs(&found, run, records, count, variant, error);
    if (status == LANCET_OK)
        status = bootstrap(o, run, &found, error);
    if (status == LANCET_OK) {
        add_up(o->confusion, classes, &found, NULL);
        lancet_confusion_iou(o->iou, &o->miou.value, &o->accuracy.value, o->confusion,
                             o->confusion + classes * classes, classes);
    }
    lancet_free(found.starts);
    lancet_free(found.counts);
    return status;
}

static void put_summary(lancet_report *report, const lancet_run *run, const outcome *outcomes)
{
    static const char *const columns[] = {"method:t", "mIoU:f", "paper's mIoU:n", "pixels right:f"};
    lancet_table *table =
        lancet_report_table(report, "summary", "Summary (per cent; 95 % bootstrap intervals)", columns, 4);

    for (size_t v = 0; v < run->evaluation->variant_count; v++) {
        const char *name = run->evaluation->variants[v].name;
        lancet_cell *row = lancet_table_row(report, table);

        lancet_cell_text(report, row, 0, name);
        lancet_cell_figure(row, 1, outcomes[v].miou);
        lancet_cell_number(row, 2, lancet_paper_figure(LANCET_PAPER_SEGMENTATION, run, name));
        lancet_cell_figure(row, 3, outcomes[v].accuracy);
    }
}

/* The class that most of a class's wrong pixels were taken for. */
static size_t find_mistake(const outcome *o, size_t classes, size_t class)
{
    size_t most = class;

    for (size_t p = 0; p < classes; p++)
        if (p != class && o->confusion[class * classes + p] > 0 &&
            (most == class || o->confusion[class * classes + p] > o->confusion[class * classes + most]))
            most = p;
    return most;
}

static void put_classes(lancet_report *report, const lancet_run *run, const outcome *o, size_t variant)
{
    static const char *const columns[] = {"class:t", "IoU:n",   "pixels:c",
                                          "found:c", "right:c", "most often taken for:t"};
    const size_t classes = run->class_count;
    char name[32], title[256];
    lancet_table *table;

    snprintf(name, sizeof name, run->evaluation->variant_count > 1 ? "classes-%zu" : "classes", variant + 1);
    snprintf(title, sizeof title, "Classes: %s", run->evaluation->variants[variant].name);
    table = lancet_report_table(report, name, title, columns, 6);
    for (size_t c = 0; c < classes; c++) {
        lancet_cell *row = lancet_table_row(report, table);
        uint64_t pixels = o->confusion[classes * classes + c], found = 0;
        const size_t mistake = find_mistake(o, classes, c);

        for (size_t k = 0; k < classes; k++) {
            pixels += o->confusion[c * classes + k];
            found += o->confusion[k * classes + c];
        }
        lancet_cell_text(report, row, 0, lancet_run_class(run, c));
        lancet_cell_number(row, 1, o->iou[c]);
        lancet_cell_count(row, 2, pixels);
        lancet_cell_count(row, 3, found);
        lancet_cell_count(row, 4, o->confusion[c * classes + c]);
        if (mistake != c)
            lancet_cell_text(report, row, 5, lancet_run_class(run, mistake));
    }
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
        lancet_report_setting(report, "label map", "the class with the highest score, enlarged bilinearly");
        lancet_report_setting(report, "unlabelled pixels", "not counted");
        put_summary(report, run, outcomes);
        for (size_t v = 0; v < variants; v++)
            put_classes(report, run, &outcomes[v], v);
    }
    for (size_t v = 0; outcomes && v < variants; v++) {
        lancet_free(outcomes[v].iou);
        lancet_free(outcomes[v].confusion);
    }
    lancet_free(outcomes);
    return status;
}

const lancet_protocol_steps lancet_segmentation = {
    .name = "segmentation",
    .title = "Segmentation",
    .summary = "mIoU of label maps from the data set's confusion matrix, over its own classes.",
    .version = 1,
    .needs_masks = true,
    .measure = measure,
    .total = total,
};
