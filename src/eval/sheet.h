/* A contact sheet of samples, to look at. SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_EVAL_SHEET_H
#define LANCET_EVAL_SHEET_H

#include "eval/protocol.h"

/** The most samples at each end, and the most variants beside each other. */
#define LANCET_SHEET_SAMPLES  6
#define LANCET_SHEET_VARIANTS 6

/** A sample, and how good it is. */
typedef struct lancet_graded {
    size_t picture, label;
    double grade; /* 0 to 1 */
} lancet_graded;

/** Adds a sheet to the report: the best and the worst of `samples` [count], which are sorted on the way, a
 * row each: the picture with the label's pixels, and the maps of the first variants. Pictures are read and
 * maps computed again. */
lancet_status lancet_report_sheet(lancet_report *report, const lancet_run *run, lancet_graded *samples,
                                  size_t count, lancet_error *error);

#endif
