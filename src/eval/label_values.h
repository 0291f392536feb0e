/* Protocols whose samples are a few numbers for each present label: their records and their tables.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_EVAL_LABEL_VALUES_H
#define LANCET_EVAL_LABEL_VALUES_H

#include "eval/protocol.h"

/** The most numbers of a sample. */
#define LANCET_LABEL_VALUES_MAX 4

/** What one sample came to; a number that there is not is NaN. */
typedef struct lancet_label_values {
    uint64_t label;
    double values[LANCET_LABEL_VALUES_MAX];
} lancet_label_values;

/** Begins a variant's part of a record: how many samples follow. */
void lancet_label_values_begin(lancet_buffer *record, size_t count);

void lancet_label_values_append(lancet_buffer *record, const lancet_label_values *sample);

/** What the numbers are. */
typedef struct lancet_value_column {
    const char *name;
    bool plain; /* as it is; otherwise a share, shown in per cent */
} lancet_value_column;

/** Fills the report: a summary with each number's mean and interval, and tables of the classes. */
lancet_status lancet_label_values_total(lancet_report *report, const lancet_run *run,
                                        const lancet_record *records, size_t count,
                                        const lancet_value_column *columns, size_t column_count,
                                        lancet_error *error);

/** All samples of one variant, one after the other, into `samples`. Errors: INPUT, MEMORY. */
lancet_status lancet_label_values_take(lancet_buffer *samples, lancet_buffer *pictures, const lancet_run *run,
                                       const lancet_record *records, size_t count, size_t variant,
                                       lancet_error *error);

#endif
