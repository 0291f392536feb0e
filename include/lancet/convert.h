/* Conversion: any model that can be read, as one safetensors file that is all of it.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_CONVERT_H
#define LANCET_CONVERT_H

#include "lancet/error.h"
#include "lancet/model.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** How the weights are stored. Everything is computed in float32, whatever they are stored as; what each type
 * costs is measured in docs/conversion.md. The small tensors (norms, biases, positions, the class token, the
 * logit scale; for a ResNet the batch norms with their statistics) are F32 in every type: they are less than
 * one number in a hundred.
 *
 * INT8 stores the blocks' matrices and all convolutions as whole numbers -127..127, with a float32 scale for
 * each row, which is an output channel: number = scale * whole. The token embedding and the projections at
 * the end of the towers are F16 there. */
typedef enum lancet_weight_type {
    LANCET_WEIGHTS_FP32 = 0, /**< as they are: every type that is read fits float32 exactly */
    LANCET_WEIGHTS_FP16,     /**< IEEE half: matrices, convolutions, the token embedding. Half the size */
    LANCET_WEIGHTS_BF16,     /**< bfloat16, in the same places: float32's range, 3 bits less than a half */
    LANCET_WEIGHTS_INT8      /**< whole numbers with scales. Less than a third of the size */
} lancet_weight_type;

/** All zero is the default. */
typedef struct lancet_convert_options {
    lancet_weight_type type; /**< default: FP32, which loses nothing */
    bool without_vocabulary; /**< leave the vocabulary out; default: in, if the model has one */
    bool (*progress)(void *context, size_t done,
                     size_t total); /**< called after each tensor; false stops the work with ARGUMENT
                         "stopped", and nothing is written. NULL: not called. */
    void *progress_context;
} lancet_convert_options;

/** What was stored as one data type. The error of a tensor is relative: ||stored - original|| / ||original||.
 */
typedef struct lancet_conversion_type {
    const char *name; /**< "F32", "F16", "BF16", "I8" (the scales are counted with it, not as F32) */
    size_t tensors;
    uint64_t numbers, bytes;
    double mean_error, max_error; /**< over its tensors */
    char worst[128];              /**< the tensor with the largest; "" if there is no error */
} lancet_conversion_type;

/** What a conversion did. */
typedef struct lancet_conversion {
    uint64_t bytes;  /**< of the file */
    size_t tensors;  /**< of the model, scales not counted */
    bool vocabulary; /**< whether it is inside */
    size_t type_count;
    lancet_conversion_type types[4];
    size_t dropped_count; /**< tensors of the original that have no part in the model */
    char dropped[256];    /**< their names, as many as fit whole, with commas */
} lancet_conversion;

/** Writes `model` to `path` as safetensors: all tensors of its towers under OpenAI's names and in OpenAI's
 * shapes, whatever the original calls them and however it lays them out, and the logit scale; in the metadata
 * what no tensor tells (activation, heads, epsilon, mean and deviation, the sizes), where the model comes
 * from, and its vocabulary. Such a file can be copied anywhere and needs nothing beside it: pictures and
 * words give the same bytes as with the original, if the type loses nothing (docs/files.md says what is
 * where).
 *
 * Converting a converted file is fine, and to I8 from I8 gives the same numbers. The model may be opened in
 * any way; LANCET_TOWERS_NONE is the fast one, and one tower alone gives a file with that tower alone. Beside
 * the mapped file a few megabytes of memory are used, however large the model is. The file appears whole or
 * not at all, and always with the same bytes.
 *
 * report: filled in if not NULL.
 * Errors: ARGUMENT (a NULL, a type that is none, `path` being the model's own file), INPUT (a number that is
 * not finite, or too large for the type; a vocabulary that is broken or too large; the message names the
 * tensor or line), UNSUPPORTED (a vocabulary that is not the model's), IO, MEMORY. */
LANCET_API lancet_status lancet_model_convert(lancet_conversion *report, const lancet_model *model,
                                              const char *path, const lancet_convert_options *options,
                                              lancet_error *error);

#ifdef __cplusplus
}
#endif
#endif
