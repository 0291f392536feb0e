/* Ground truth while it is made. SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_EVAL_TRUTH_H
#define LANCET_EVAL_TRUTH_H

#include "eval/runs.h"
#include "lancet/dataset.h"

/** One thing of a picture whose things may overlap. */
typedef struct lancet_truth_thing {
    uint16_t label;
    bool crowd; /* somewhere in here are many: where, nobody knows */
    uint64_t area;
    size_t order; /* as they came: decides between equal areas */
    lancet_runs runs;
} lancet_truth_thing;

/** The inside of a lancet_truth, which is its first member. */
typedef struct lancet_truth_work {
    lancet_truth truth;
    size_t class_count;
    uint16_t *labels;  /* [height, width]; NULL without masks */
    uint16_t *present; /* [class_count] */
    lancet_truth_thing *things;
    size_t thing_count, thing_capacity;
} lancet_truth_work;

/** Makes room for the labels. Errors: INPUT (a side of 0, or too many pixels), MEMORY. */
lancet_status lancet_truth_resize(lancet_truth_work *work, size_t width, size_t height, lancet_error *error);

/** A new thing, all zero, with empty runs for the caller to fill; NULL if memory is out. */
lancet_truth_thing *lancet_truth_add(lancet_truth_work *work);

/** Unites the things' runs and paints the labels from them. Errors: INPUT (things that cover the picture too
 * many times over). */
lancet_status lancet_truth_paint(lancet_truth_work *work, lancet_error *error);

/** Points the truth to its parts and finds the classes that are present, unless they are there already.
 * Errors: MEMORY. */
lancet_status lancet_truth_finish(lancet_truth_work *work, lancet_error *error);

#endif
