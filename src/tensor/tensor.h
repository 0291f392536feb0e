/* Tensors: named views of numbers in a file. SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_TENSOR_TENSOR_H
#define LANCET_TENSOR_TENSOR_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LANCET_RANK_MAX 8

typedef enum lancet_dtype {
    LANCET_F32 = 0,
    LANCET_F16,
    LANCET_BF16,
    LANCET_I64,
    LANCET_I32,
    LANCET_U8,
    LANCET_I8,   /* whole numbers, each row (of the first dimension) with a scale of its own */
    LANCET_Q4_0, /* quantised, as ggml does it: 32 numbers of a row share a scale (quantised.h) */
    LANCET_Q4_1,
    LANCET_Q5_0,
    LANCET_Q5_1,
    LANCET_Q8_0,
    LANCET_DTYPES /* how many there are */
} lancet_dtype;

/** Bytes of one element; of one block in a quantised type. */
size_t lancet_dtype_size(lancet_dtype dtype);
/** Elements that are stored together: 1, or those of a block. A row (along the last dimension) holds a whole
 * number of them. */
size_t lancet_dtype_block(lancet_dtype dtype);
/** Can lancet_tensor_read read it? I8 it can: no view of such a tensor is without its scales. */
bool lancet_dtype_is_readable(lancet_dtype dtype);
/** "F32", "F16", ...: safetensors' names; "Q8_0", ...: ggml's. */
const char *lancet_dtype_name(lancet_dtype dtype);

/** A dense row-major view; owns nothing. data need not be aligned. */
typedef struct lancet_tensor {
    const char *name; /* as in the file; lives as long as the file is open */
    lancet_dtype dtype;
    size_t rank;
    size_t shape[LANCET_RANK_MAX];
    size_t count; /* product of the shape */
    const void *data;
    const float *scales; /* I8: [shape[0]], what a row's numbers are multiplied by; NULL otherwise */
} lancet_tensor;

/** Bytes of all elements, without their scales. */
size_t lancet_tensor_bytes(const lancet_tensor *tensor);

/** Writes "[2,3]" (or "[]") into text. */
void lancet_shape_print(char *text, size_t size, const size_t *shape, size_t rank);

/** The view's rows first .. first + rows - 1 (of its first dimension, rank >= 1). The caller keeps them in
 * range and, in a quantised tensor of rank 1, at the start of a block. */
lancet_tensor lancet_tensor_rows(const lancet_tensor *tensor, size_t first, size_t rows);

/** Converts `count` elements starting at element `first`, any of them, to float. Readable types only. */
void lancet_tensor_read(float *out, const lancet_tensor *tensor, size_t first, size_t count);

#endif
