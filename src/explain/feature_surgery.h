/* Feature surgery (the paper's section 3.3). SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_EXPLAIN_FEATURE_SURGERY_H
#define LANCET_EXPLAIN_FEATURE_SURGERY_H

#include "base/status.h"
#include "lancet/maps.h"

/** What is subtracted, and how. */
typedef struct lancet_feature_surgery {
    const float *tokens; /* [rows, width], class token first, of any length */
    size_t rows, width;
    const float *labels; /* [count, width], of unit length */
    size_t count;
    const float *empty; /* [width]: subtracted from every label; NULL: see over_labels */
    bool over_labels;   /* subtract the labels' weighted mean */
    lancet_surgery_form form;
    float tau;
} lancet_feature_surgery;

/** scores [rows, count]. Errors: MEMORY. */
lancet_status lancet_feature_surgery_run(float *scores, const lancet_feature_surgery *surgery,
                                         lancet_error *error);

#endif
