/* Multi-label recognition: mAP of whole pictures' labels.
 *
 * Record: for each class whether it is in the picture, then for each variant the class token's score of each
 * class; both are filled up to whole eights.
 * SPDX-License-Identifier: Apache-2.0 */
#include "eval/protocol.h"

#include "base/status.h"
#include "eval/bootstrap.h"
#include "eval/paper.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* CLIP's own probabilities: the cosines times 100 through a softmax over the classes. */
#define SOFTMAX_SCALE 100

static size_t padded(size_t bytes)
{
    return bytes + (8 - bytes % 8) % 8;
}

static void append_padded(lancet_buffer *record, const void *bytes, size_t length)
{
    static const char padding[8];

    lancet_buffer_append(record, bytes, length);
    lancet_buffer_append(record, padding, padded(length) - length);
}

static lancet_status measure(lancet_buffer *record, lancet_run *run, const lancet_picture *picture,
                             const lancet_truth *truth, lancet_error *error)
{
    uint8_t *positive = lancet_allocate_zero(run->class_count, sizeof *positive);
    lancet_status status = LANCET_OK;

    if (!positive)
        return lancet_fail_memory(error, "a record");
    for (size_t i = 0; i < truth->present_count; i++)
        positive[truth->present[i]] = 1;
    append_padded(record, positive, run->class_count);
    lancet_free(positive);
    for (size_t v = 0; v < run->evaluation->variant_count && status == LANCET_OK; v++) {
        lancet_maps *maps = NULL;

        status = lancet_run_maps(&maps, run, v, picture, error);
        if (status == LANCET_OK)
            append_padded(record, lancet_maps_class_scores(maps), run->class_count * sizeof(float));
        lancet_maps_close(&maps);
    }
    return status;
}

/* ---- Totals -------------------------------------------------------------------------------------------- */

/* One row of the table: a variant's scores as they are, or through the softmax. */
typedef struct ranking {
    const lancet_run *run;
    const lancet_record *records; /* [count] */
    size_t count, variant;
    bool softmax;
    float *scores;     /* [class_count, count] */
    uint8_t *positive; /* [class_count, count] */
    lancet_figure map;
    double *precisions; /* [class_count] */
    size_t *positives;  /* [class_count] */
} ranking;

static void apply_softmax(float *to, const float *scores, size_t classes)
{
    double highest = -INFINITY, sum = 0;

    for (size_t c = 0; c < classes; c++)
        highest = fmax(highest, (double)scores[c]);
    for (size_t c = 0; c < classes; c++)
        sum += exp(SOFTMAX_SCALE * ((double)scores[c] - highest));
    for (size_t c = 0; c < classes; c++)
        to[c] = (float)(exp(SOFTMAX_SCALE * ((double)scores[c] - highest)) / sum);
}

/* Class after class instead of picture after picture. */
static lancet_status gather(ranking *r, lancet_error *error)
{
    const size_t classes = r->run->class_count, row = padded(classes * sizeof(float));
    float *changed = lancet_allocate(classes, sizeof *changed);
    lancet_status status = changed ? LANCET_OK : lancet_fail_memory(error, "the scores");

    for (size_t i = 0; i < r->count && status == LANCET_OK; i++) {
        lancet_cursor cursor = {r->records[i].bytes, r->records[i].length};
        const uint8_t *positive = lancet_cursor_take(&cursor, padded(classes));
        const void *before = lancet_cursor_take(&cursor, r->variant * row);
        const float *scores = before ? lancet_cursor_take(&cursor, row) : NULL;

        if (!positive || !scores) {
            status = lancet_fail_record(&r->records[i], error);
            break;
        }
        if (r->softmax) {
            apply_softmax(changed, scores, classes);
            scores = changed;
        }
        for (size_t c = 0; c < classes; c++) {
            r->scores[c * r->count + i] = scores[c];
            r->positive[c * r->count + i] = positive[c];
            r->positives[c] += positive[c] == 1;
        }
    }
    lancet_free(changed);
    return status;
}

static double mean_of(const double *values, size_t count)
{
    double sum = 0;
    size_t found = 0;

    for (size_t i = 0; i < count; i++)
        if (!isnan(values[i])) {
            sum += values[i];
            found++;
        }
    return found ? 100 * sum / (double)found : NAN;
}

/* ---- The bootstrap: sorted once, counted for each resample --------------------------------------------- */

typedef struct ranked {
    float score;
    uint32_t picture;
} ranked;

static int compare_ranked(const void *left, const void *right)
{
    const ranked *a = left, *b = right;

    if (a->score != b->score)
        return a->score > b->score ? -1 : 1;
    return a->picture < b->picture ? -1 : a->picture > b->picture;
}

/* Average precision where each picture is there as often as it was drawn, copies behind each other. */
static double weighted_precision(const ranked *order, const uint8_t *positive, size_t count,
                                 const uint32_t *drawn)
{
    uint64_t found = 0, seen = 0;
    double sum = 0;

    for (size_t i = 0; i < count; i++) {
        const uint32_t copies = drawn[order[i].picture];

        if (!positive[order[i].picture]) {
            seen += copies;
            continue;
        }
        for (uint32_t k = 0; k < copies; k++)
            sum += (double)++found / (double)++seen;
    }
    return found ? sum / (double)found : NAN;
}

static void sort_all(ranked *order, const ranking *r)
{
    for (size_t c = 0; c < r->run->class_count; c++) {
        ranked *of_class = order + c * r->count;

        for (size_t i = 0; i < r->count; i++)
            of_class[i] = (ranked){r->scores[c * r->count + i], (uint32_t)i};
        qsort(of_class, r->count, sizeof *of_class, compare_ranked);
    }
}

static lancet_status bootstrap(ranking *r, lancet_error *error)
{
    const size_t resamples = lancet_bootstrap_resamples(&r->run->evaluation->totals);
    const size_t classes = r->run->class_count;
    ranked *order = lancet_allocate(resamples ? classes * r->count : 0, sizeof *order);
    uint32_t *drawn = lancet_allocate(r->count, sizeof *drawn);
    double *values = lancet_allocate(resamples, sizeof *values), *precisions = r->precisions;
    uint64_t state = r->run->evaluation->totals.seed;
    size_t good = 0;

    if (order && drawn && values) {
        if (resamples)
            sort_all(order, r);
        for (size_t s = 0; s < resamples; s++) {
            lancet_bootstrap_draw(drawn, r->count, &state);
            for (size_t c = 0; c < classes; c++)
                precisions[c] =
                    weighted_precision(order + c * r->count, r->positive + c * r->count, r->count, drawn);
            values[good] = mean_of(precisions, classes);
            good += !isnan(values[good]);
        }
        lancet_bootstrap_interval(&r->map, values, good);
    }
    lancet_free(order);
    lancet_free(drawn);
    lancet_free(values);
    return order && drawn && values ? LANCET_OK : lancet_fail_memory(error, "the bootstrap");
}

/* ---- Rows ---------------------------------------------------------------------------------------------- */

static lancet_status rank(ranking *r, lancet_error *error)
{
    const size_t classes = r->run->class_count;
    lancet_status status;

    r->scores = lancet_allocate(classes * r->count, sizeof *r->scores);
    r->positive = lancet_allocate(classes * r->count, sizeof *r->positive);
    r->precisions = lancet_allocate(classes, sizeof *r->precisions);
    r->positives = lancet_allocate_zero(classes, sizeof *r->positives);
    if (!r->scores || !r->positive || !r->precisions || !r->positives)
        return lancet_fail_memory(error, "the scores");
    status = gather(r, error);
    if (status == LANCET_OK)
        status = bootstrap(r, error);
    for (size_t c = 0; c < classes && status == LANCET_OK; c++)
        status = lancet_average_precision(&r->precisions[c], r->scores + c * r->count,
                                          r->positive + c * r->count, r->count, error);
    if (status == LANCET_OK)
        r->map.value = mean_of(r->precisions, classes);
    /* What is large is not kept for the other rows. */
    lancet_free(r->scores);
    lancet_free(r->positive);
    r->scores = NULL;
    r->positive = NULL;
    return status;
}

static void put_row(lancet_report *report, lancet_table *summary, const ranking *r)
{
    const lancet_variant *v = &r->run->evaluation->variants[r->variant];
    lancet_cell *row = lancet_table_row(report, summary);

    lancet_cell_text(report, row, 0, v->name);
    lancet_cell_text(report, row, 1,
                     r->softmax                                   ? "softmax of 100 cosines"
                     : v->maps.redundant == LANCET_REDUNDANT_NONE ? "cosine"
                                                                  : "feature surgery");
    lancet_cell_figure(row, 2, r->map);
    /* The paper's CLIP is that of the softmax. */
    if (r->softmax || v->maps.redundant != LANCET_REDUNDANT_NONE)
        lancet_cell_number(row, 3, lancet_paper_figure(LANCET_PAPER_MAP, r->run, v->name));
    lancet_cell_count(row, 4, r->count);
}

static void put_classes(lancet_report *report, const ranking *r, size_t number)
{
    static const char *const columns[] = {"class:t", "positives:c", "AP:n"};
    char name[32], title[256];
    lancet_table *table;

    snprintf(name, sizeof name, "classes-%zu", number + 1);
    snprintf(title, sizeof title, "Classes: %s%s", r->run->evaluation->variants[r->variant].name,
             r->softmax ? ", softmax" : "");
    table = lancet_report_table(report, name, title, columns, 3);
    for (size_t c = 0; c < r->run->class_count; c++) {
        lancet_cell *row = lancet_table_row(report, table);

        lancet_cell_text(report, row, 0, lancet_run_class(r->run, c));
        lancet_cell_count(row, 1, r->positives[c]);
        lancet_cell_number(row, 2, 100 * r->precisions[c]);
    }
}

static lancet_status total(lancet_report *report, const lancet_run *run, const lancet_record *records,
                           size_t count, lancet_error *error)
{
    static const char *const columns[] = {"method:t", "score:t", "mAP:f", "paper's mAP:n", "pictures:c"};
    ranking rankings[2 * LANCET_VARIANTS_MAX];
    size_t ranked_count = 0;
    lancet_status status = LANCET_OK;
    lancet_table *summary;

    for (size_t v = 0; v < run->evaluation->variant_count && status == LANCET_OK; v++)
        for (int softmax = 0;
             softmax <= (run->evaluation->variants[v].maps.redundant == LANCET_REDUNDANT_NONE) &&
             status == LANCET_OK;
             softmax++) {
            rankings[ranked_count] =
                (ranking){.run = run, .records = records, .count = count, .variant = v, .softmax = softmax};
            status = rank(&rankings[ranked_count++], error);
        }
    if (status == LANCET_OK) {
        lancet_report_setting(report, "score", "the class token's");
        lancet_report_setting(report, "equal scores", "in the order of the pictures");
        summary = lancet_report_table(report, "summary", "Summary (per cent; 95 % bootstrap intervals)",
                                      columns, 5);
        for (size_t i = 0; i < ranked_count; i++)
            put_row(report, summary, &rankings[i]);
        for (size_t i = 0; i < ranked_count; i++)
            put_classes(report, &rankings[i], i);
    }
    for (size_t i = 0; i < ranked_count; i++) {
        lancet_free(rankings[i].scores);
        lancet_free(rankings[i].positive);
        lancet_free(rankings[i].precisions);
        lancet_free(rankings[i].positives);
    }
    return status;
}

const lancet_protocol_steps lancet_multi_label = {
    .name = "multi-label",
    .title = "Multi-label recognition",
    .summary = "mAP of the labels of whole pictures, by cosine, by CLIP's softmax and by feature surgery.",
    .version = 1,
    .needs_masks = false,
    .measure = measure,
    .total = total,
};
