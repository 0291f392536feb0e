/* Feature surgery (the paper's section 3.3). SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_EXPLAIN_FEATURE_SURGERY_H
#define LANCET_EXPLAIN_FEATURE_SURGERY_H

#include "base/threads.h"
#include "lancet/maps.h"

/** What is subtracted, and how. */
typedef struct lancet_feature_surgery {
    const float *tokens; /* [1 + cells, width], class token first, of any length */
    size_t cells, width;
    const float *labels; /* [count, width], of unit length */
    size_t count;
    const float *empty; /* [width]: subtracted from every label; NULL: see over_labels */
    bool over_labels;   /* subtract the labels' weighted mean */
    bool reversed;      /* the cells' scores negated */
    lancet_surgery_form form;
    float tau;
} lancet_feature_surgery;

/** Where the scores go. */
typedef struct lancet_surgery_scores {
    float *scores;       /* [count, cells] */
    float *class_scores; /* [count]: the class token's */
    float *weights;      /* [count]: Eq. 9's w; only over labels, else it may be NULL */
} lancet_surgery_scores;

/** Takes no memory. pool: who shares the work; NULL: the calling thread alone. The scores are the same. */
void lancet_feature_surgery_run(const lancet_surgery_scores *out, const lancet_feature_surgery *surgery,
                                lancet_pool *pool);

#endif
