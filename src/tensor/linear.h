/* Linear layers: out = after(in W^T + bias), or out += in W^T + bias.
 *
 * A layer's weights are packed once, in panels of columns. A panel times a block of rows is one task,
 * computed by one thread; each number is summed in one order whatever is computed with it, so results depend
 * neither on the thread count nor on the rows beside them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_TENSOR_LINEAR_H
#define LANCET_TENSOR_LINEAR_H

#include "base/threads.h"
#include "tensor/kernels.h"
#include "tensor/packed.h"
#include "tensor/tensor.h"

/** Packed weights, immutable and shared between threads. */
typedef struct lancet_linear lancet_linear;

/** Where a layer's weights come from, and what they are multiplied as. Floats are exact: weights of 16 bits
 * (F16, BF16) stay so in memory and are widened panel by panel, when they are used. */
typedef struct lancet_linear_source {
    const lancet_tensor
        *weight; /* [out, in], or [in, out] if transposed; higher ranks are flattened after the first */
    const lancet_tensor *bias; /* [out]; NULL: none */
    bool transposed;
    lancet_packed_kind kind;
} lancet_linear_source;

/** Converts and packs. Errors: MEMORY. */
lancet_status lancet_linear_open(lancet_linear **linear, const lancet_linear_source *source,
                                 lancet_pool *pool, lancet_error *error);
void lancet_linear_close(lancet_linear **linear);
/** The layer's weights as they lie in memory; false if they are not floats of some width. */
bool lancet_linear_matrix(lancet_packed_matrix *matrix, const lancet_linear *linear);
size_t lancet_linear_in(const lancet_linear *linear);
size_t lancet_linear_out(const lancet_linear *linear);

/** One product to do. Rows are `*_stride` floats apart; in_stride is best from lancet_linear_stride. */
typedef struct lancet_linear_job {
    const lancet_linear *linear;
    const float *in; /* [rows, in] */
    float *out;      /* [rows, out] */
    size_t rows;
    size_t in_stride, out_stride;
    lancet_after after;
} lancet_linear_job;

/** The most jobs of one run. */
#define LANCET_LINEAR_JOBS 8

/** The distance of rows of `width` floats that products read fastest: not a multiple of 1 KB, at which the
 * rows of a tile would share the few places of the first-level cache that an address can go to. */
size_t lancet_linear_stride(size_t width);

/** What one session's products need beside their operands: narrowed rows, widened panels. Grows with the
 * work. */
typedef struct lancet_linear_scratch lancet_linear_scratch;

lancet_status lancet_linear_scratch_open(lancet_linear_scratch **scratch, lancet_pool *pool,
                                         lancet_error *error);
void lancet_linear_scratch_close(lancet_linear_scratch **scratch);

/** Does all jobs side by side. Errors: MEMORY. */
lancet_status lancet_linear_run(lancet_linear_scratch *scratch, const lancet_linear_job *jobs, size_t count,
                                lancet_error *error);

#endif
