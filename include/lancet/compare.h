/* Comparison: how two models differ, tensor by tensor.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_COMPARE_H
#define LANCET_COMPARE_H

#include "lancet/error.h"
#include "lancet/model.h"

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Two models held against each other. Immutable; stands on its own once made. */
typedef struct lancet_comparison lancet_comparison;

/** One tensor's numbers in a model. */
typedef struct lancet_tensor_place {
    const char *type; /**< as stored: "F32", "F16", "I8", "Q8_0", ...; NULL: the model has no such tensor */
    int rank;
    size_t shape[4]; /**< as OpenAI's files have it */
} lancet_tensor_place;

/** How one tensor differs; a and b are the two models' numbers as float32. */
typedef struct lancet_tensor_difference {
    const char *name; /**< OpenAI's, whatever the files call it */
    lancet_tensor_place a, b;
    bool comparable;     /**< both have it, in the same shape; otherwise the numbers below are 0 */
    bool equal;          /**< every number is the same */
    double max_absolute; /**< max |b - a| */
    double relative; /**< ||b - a|| / ||a||; infinite if a is all zero, or a number in either is not finite */
    double cosine;   /**< a b / (||a|| ||b||); 1 for two zeros; 0 if a number is not finite */
} lancet_tensor_difference;

/** Compares the towers that both models have open: by what a tensor is for, so that files under different
 * names and in different containers can be compared. The models may be opened in any way; LANCET_TOWERS_NONE
 * is the fast one. Beside the mapped files a few megabytes of memory are used, however large they are.
 *
 * On success *comparison is the caller's (lancet_comparison_close). On failure it is NULL.
 * Errors: ARGUMENT (a NULL), MEMORY. */
LANCET_API lancet_status lancet_models_compare(lancet_comparison **comparison, const lancet_model *a,
                                               const lancet_model *b, lancet_error *error);

/** Frees and nulls; accepts NULL and a pointer to NULL. */
LANCET_API void lancet_comparison_close(lancet_comparison **comparison);

/** How many tensors either model has. */
LANCET_API size_t lancet_comparison_count(const lancet_comparison *comparison);

/** Tensor `index` (from 0), the worst first: those that only one model has, those of different shapes, then
 * by `relative`; NULL if there is none. Lives as long as the comparison. */
LANCET_API const lancet_tensor_difference *lancet_comparison_tensor(const lancet_comparison *comparison,
                                                                    size_t index);

#ifdef __cplusplus
}
#endif
#endif
