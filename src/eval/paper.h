/* The figures of the paper's tables, to stand beside ours. SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_EVAL_PAPER_H
#define LANCET_EVAL_PAPER_H

#include "eval/protocol.h"

typedef enum lancet_paper_metric {
    LANCET_PAPER_MIOU,         /* Tables 1 to 3 */
    LANCET_PAPER_MSC,          /* Tables 1 to 4 */
    LANCET_PAPER_SEGMENTATION, /* Table 5 */
    LANCET_PAPER_MAP           /* Tables 3 and 6 */
} lancet_paper_metric;

/** The paper's figure in per cent for the data set, the model and the variant at hand; NaN if it has none.
 * Data sets go by their layout and number of classes, models by their shape: whose weights they are cannot be
 * told. */
double lancet_paper_figure(lancet_paper_metric metric, const lancet_run *run, const char *variant);

#endif
