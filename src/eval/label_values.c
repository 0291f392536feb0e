/* SPDX-License-Identifier: Apache-2.0 */
#include "eval/label_values.h"

#include "base/status.h"
#include "eval/bootstrap.h"
#include "eval/fingerprint.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void lancet_label_values_begin(lancet_buffer *record, size_t count)
{
    const uint64_t number = count;

    lancet_buffer_append(record, &number, sizeof number);
}

void lancet_label_values_append(lancet_buffer *record, const lancet_label_values *sample)
{
    lancet_buffer_append(record, sample, sizeof *sample);
}

static lancet_status take_record(lancet_buffer *samples, lancet_buffer *pictures, const lancet_run *run,
                                 const lancet_record *record, uint64_t picture, size_t variant,
                                 lancet_error *error)
{
    lancet_cursor cursor = {record->bytes, record->length};

    for (size_t v = 0; v <= variant; v++) {
        const uint64_t *count = lancet_cursor_take(&cursor, sizeof *count);

        if (!count || *count > run->class_count)
            return lancet_fail_record(record, error);
        for (uint64_t i = 0; i < *count; i++) {
            const lancet_label_values *s = lancet_cursor_take(&cursor, sizeof *s);

            if (!s || s->label >= run->class_count)
                return lancet_fail_record(record, error);
            if (v == variant) {
                lancet_buffer_append(samples, s, sizeof *s);
                lancet_buffer_append(pictures, &picture, sizeof picture);
            }
        }
    }
    return LANCET_OK;
}

lancet_status lancet_label_values_take(lancet_buffer *samples, lancet_buffer *pictures, const lancet_run *run,
                                       const lancet_record *records, size_t count, size_t variant,
                                       lancet_error *error)
{
    lancet_status status = LANCET_OK;

    for (size_t i = 0; i < count && status == LANCET_OK; i++)
        status = take_record(samples, pictures, run, &records[i], i, variant, error);
    if (status == LANCET_OK && (samples->failed || pictures->failed))
        status = lancet_fail_memory(error, "the samples");
    return status;
}

/* ---- Means --------------------------------------------------------------------------------------------- */

/* One variant's samples, and room to average one of their numbers. */
typedef struct work {
    const lancet_run *run;
    const lancet_label_values *samples; /* [count] */
    const uint64_t *pictures;           /* [count], below picture_count */
    size_t count, picture_count;
    double *sums, *weights; /* [class_count] */
} work;

static void add_up(const work *w, size_t column, const uint32_t *drawn)
{
    memset(w->sums, 0, w->run->class_count * sizeof *w->sums);
    memset(w->weights, 0, w->run->class_count * sizeof *w->weights);
    for (size_t i = 0; i < w->count; i++) {
        const double value = w->samples[i].values[column], weight = drawn ? drawn[w->pictures[i]] : 1;

        if (isnan(value) || weight == 0)
            continue;
        w->sums[w->samples[i].label] += weight * value;
        w->weights[w->samples[i].label] += weight;
    }
}

static double mean(const work *w)
{
    const bool by_class = w->run->evaluation->totals.average == LANCET_AVERAGE_CLASS;
    double sum = 0, weight = 0;

    for (size_t c = 0; c < w->run->class_count; c++) {
        if (w->weights[c] == 0)
            continue;
        sum += by_class ? w->sums[c] / w->weights[c] : w->sums[c];
        weight += by_class ? 1 : w->weights[c];
    }
    return weight > 0 ? sum / weight : NAN;
}

static lancet_status average(lancet_figure *figure, const work *w, size_t column, double scale,
                             lancet_error *error)
{
    const lancet_totals_options *options = &w->run->evaluation->totals;
    const size_t resamples = lancet_bootstrap_resamples(options);
    uint32_t *drawn = lancet_allocate(w->picture_count, sizeof *drawn);
    double *values = lancet_allocate(resamples, sizeof *values);
    uint64_t state = options->seed;
    size_t found = 0;

    *figure = (lancet_figure){0};
    if (drawn && values) {
        for (size_t r = 0; r < resamples; r++) {
            double value;

            lancet_bootstrap_draw(drawn, w->picture_count, &state);
            add_up(w, column, drawn);
            value = scale * mean(w);
            if (!isnan(value))
                values[found++] = value;
        }
        lancet_bootstrap_interval(figure, values, found);
        add_up(w, column, NULL); /* what the caller's class table is filled from */
        figure->value = scale * mean(w);
    }
    lancet_free(drawn);
    lancet_free(values);
    return drawn && values ? LANCET_OK : lancet_fail_memory(error, "the bootstrap");
}

/* ---- Tables -------------------------------------------------------------------------------------------- */

/* What the classes came to: [class_count, column_count] means, [class_count] samples. */
typedef struct outcome {
    lancet_figure figures[LANCET_LABEL_VALUES_MAX];
    double *means;
    size_t *samples, sample_count;
} outcome;

static lancet_status total_variant(outcome *o, const lancet_run *run, const lancet_record *records,
                                   size_t count, size_t variant, const lancet_value_column *columns,
                                   size_t column_count, lancet_error *error)
{
    lancet_buffer samples = {0}, pictures = {0};
    work w = {.run = run, .picture_count = count};
    lancet_status status = lancet_label_values_take(&samples, &pictures, run, records, count, variant, error);

    w.samples = (const lancet_label_values *)(const void *)samples.bytes;
    w.pictures = (const uint64_t *)(const void *)pictures.bytes;
    w.count = o->sample_count = samples.length / sizeof *w.samples;
    w.sums = lancet_allocate(run->class_count, sizeof *w.sums);
    w.weights = lancet_allocate(run->class_count, sizeof *w.weights);
    o->means = lancet_allocate_zero(run->class_count * column_count, sizeof *o->means);
    o->samples = lancet_allocate_zero(run->class_count, sizeof *o->samples);
    if (status == LANCET_OK && (!w.sums || !w.weights || !o->means || !o->samples))
        status = lancet_fail_memory(error, "the totals");
    for (size_t k = 0; k < column_count && status == LANCET_OK; k++) {
        const double scale = columns[k].plain ? 1 : 100;

        status = average(&o->figures[k], &w, k, scale, error);
        for (size_t c = 0; c < run->class_count && status == LANCET_OK; c++)
            o->means[c * column_count + k] = w.weights[c] > 0 ? scale * w.sums[c] / w.weights[c] : NAN;
    }
    for (size_t i = 0; i < w.count && status == LANCET_OK; i++)
        o->samples[w.samples[i].label]++;
    lancet_free(w.sums);
    lancet_free(w.weights);
    lancet_buffer_close(&samples);
    lancet_buffer_close(&pictures);
    return status;
}

/* Column texts "name:kind": `first`, `second`, then the numbers'. */
static lancet_table *begin_table(lancet_report *report, const char *name, const char *title,
                                 const char *first, const char *second, char kind,
                                 const lancet_value_column *columns, size_t column_count)
{
    char texts[LANCET_LABEL_VALUES_MAX][80];
    const char *all[LANCET_LABEL_VALUES_MAX + 2] = {first, second};

    for (size_t k = 0; k < column_count; k++) {
        snprintf(texts[k], sizeof texts[k], "%s:%c%d", columns[k].name, kind, columns[k].plain ? 4 : 2);
        all[2 + k] = texts[k];
    }
    return lancet_report_table(report, name, title, all, 2 + column_count);
}

static void put_summary(lancet_report *report, const lancet_run *run, const outcome *outcomes,
                        const lancet_value_column *columns, size_t column_count)
{
    lancet_table *table = begin_table(report, "summary", "Summary (95 % bootstrap intervals)", "method:t",
                                      "samples:c", 'f', columns, column_count);

    for (size_t v = 0; v < run->evaluation->variant_count; v++) {
        lancet_cell *row = lancet_table_row(report, table);

        lancet_cell_text(report, row, 0, run->evaluation->variants[v].name);
        lancet_cell_count(row, 1, outcomes[v].sample_count);
        for (size_t k = 0; k < column_count; k++)
            lancet_cell_figure(row, 2 + k, outcomes[v].figures[k]);
    }
}

static void put_classes(lancet_report *report, const lancet_run *run, const outcome *o, size_t variant,
                        const lancet_value_column *columns, size_t column_count)
{
    char name[32], title[256];
    lancet_table *table;

    snprintf(name, sizeof name, run->evaluation->variant_count > 1 ? "classes-%zu" : "classes", variant + 1);
    snprintf(title, sizeof title, "Classes: %s", run->evaluation->variants[variant].name);
    table = begin_table(report, name, title, "class:t", "samples:c", 'n', columns, column_count);
    for (size_t c = 0; c < run->class_count; c++) {
        lancet_cell *row = lancet_table_row(report, table);

        lancet_cell_text(report, row, 0, lancet_run_class(run, c));
        lancet_cell_count(row, 1, o->samples[c]);
        for (size_t k = 0; k < column_count; k++)
            lancet_cell_number(row, 2 + k, o->means[c * column_count + k]);
    }
}

lancet_status lancet_label_values_total(lancet_report *report, const lancet_run *run,
                                        const lancet_record *records, size_t count,
                                        const lancet_value_column *columns, size_t column_count,
                                        lancet_error *error)
{
    const size_t variants = run->evaluation->variant_count;
    outcome *outcomes = lancet_allocate_zero(variants, sizeof *outcomes);
    lancet_status status = outcomes ? LANCET_OK : lancet_fail_memory(error, "the totals");

    for (size_t v = 0; v < variants && status == LANCET_OK; v++)
        status = total_variant(&outcomes[v], run, records, count, v, columns, column_count, error);
    if (status == LANCET_OK) {
        lancet_report_average(report, run);
        put_summary(report, run, outcomes, columns, column_count);
        for (size_t v = 0; v < variants; v++)
            put_classes(report, run, &outcomes[v], v, columns, column_count);
    }
    for (size_t v = 0; outcomes && v < variants; v++) {
        lancet_free(outcomes[v].means);
        lancet_free(outcomes[v].samples);
    }
    lancet_free(outcomes);
    return status;
}
