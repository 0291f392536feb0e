/* Protocols: what is measured of one picture, and what follows from all of them.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_EVAL_PROTOCOL_H
#define LANCET_EVAL_PROTOCOL_H

#include "base/memory.h"
#include "eval/journal.h"
#include "eval/report.h"

/** What stays the same from picture to picture. */
typedef struct lancet_run {
    lancet_session *session;
    const lancet_labels *labels;
    lancet_dataset *dataset;
    const lancet_evaluation *evaluation;
    size_t class_count;
    size_t skipped_before; /* by the data set, when it was opened */
    lancet_features
        *features[LANCET_VARIANTS_MAX]; /* of the picture at hand; NULL: as an earlier variant's */
} lancet_run;

/** A record's bytes being read: nothing is taken that is not there. */
typedef struct lancet_cursor {
    const uint8_t *bytes;
    size_t length;
} lancet_cursor;

/** The next `length` bytes, NULL if there are not so many. */
const void *lancet_cursor_take(lancet_cursor *cursor, size_t length);

/** A protocol. */
typedef struct lancet_protocol_steps {
    const char *name, *title, *summary;
    int version;
    bool needs_masks;
    /** Appends what was measured to `record`: whole eights of bytes, so that numbers in it are aligned. */
    lancet_status (*measure)(lancet_buffer *record, lancet_run *run, const lancet_picture *picture,
                             const lancet_truth *truth, lancet_error *error);
    /** Fills the report from the records [count], each behind its first number (see evaluate.c). */
    lancet_status (*total)(lancet_report *report, const lancet_run *run, const lancet_record *records,
                           size_t count, lancet_error *error);
} lancet_protocol_steps;

extern const lancet_protocol_steps lancet_explainability;
extern const lancet_protocol_steps lancet_segmentation;
extern const lancet_protocol_steps lancet_multi_label;
extern const lancet_protocol_steps lancet_points_protocol;
extern const lancet_protocol_steps lancet_fsr;
extern const lancet_protocol_steps lancet_label_l1;
extern const lancet_protocol_steps lancet_affinity;

/** Features of variant `index`, encoded unless an earlier variant has the same ones; the run's. */
lancet_status lancet_run_features(const lancet_features **features, lancet_run *run, size_t index,
                                  const lancet_picture *picture, lancet_error *error);

/** Maps of variant `index`; its features are encoded unless an earlier variant has the same ones. *maps is
 * the caller's. */
lancet_status lancet_run_maps(lancet_maps **maps, lancet_run *run, size_t index,
                              const lancet_picture *picture, lancet_error *error);

/** Forgets the picture's features. */
void lancet_run_forget(lancet_run *run);

/** INPUT: a record that no version of this protocol wrote. */
lancet_status lancet_fail_record(const lancet_record *record, lancet_error *error);

/** The name of a class. */
const char *lancet_run_class(const lancet_run *run, size_t class_index);

#endif
