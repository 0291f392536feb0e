/* Linear layers: out = activation(in W^T + bias), or out += in W^T + bias. oneDNN does the products; no other
 * room knows it.
 *
 * A layer's weights are packed once, in chunks of columns. Each chunk times a tile of rows is one task,
 * computed by one thread with the same arithmetic whatever the thread count, so results do not depend on it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_TENSOR_LINEAR_H
#define LANCET_TENSOR_LINEAR_H

#include "base/threads.h"
#include "tensor/tensor.h"

/** What follows the product and the bias. */
typedef enum lancet_linear_after {
    LANCET_AFTER_NOTHING = 0,
    LANCET_AFTER_QUICK_GELU, /* x sigmoid(1.702 x) */
    LANCET_AFTER_GELU,       /* x Phi(x) */
    LANCET_AFTER_ADD         /* adds to what `out` holds: the residual */
} lancet_linear_after;

/** A row's result does not depend on its tile, neither on the rows beside it nor on how many there are, where
 * groups are of a multiple of this many rows: oneDNN's products for AVX2 take 6 or 12 rows at a time and sum
 * those that are left over in another order. */
#define LANCET_LINEAR_ROWS 12

/** Packed weights, immutable and shared between threads. */
typedef struct lancet_linear lancet_linear;

/** Where a layer's weights come from. */
typedef struct lancet_linear_source {
    const lancet_tensor
        *weight; /* [out, in], or [in, out] if transposed; higher ranks are flattened after the first */
    const lancet_tensor *bias; /* [out]; NULL: none */
    bool transposed;
} lancet_linear_source;

/** Converts and packs. Errors: MEMORY, UNSUPPORTED (oneDNN refuses; cannot happen on x86-64 or Arm). */
lancet_status lancet_linear_open(lancet_linear **linear, const lancet_linear_source *source,
                                 lancet_pool *pool, lancet_error *error);
void lancet_linear_close(lancet_linear **linear);
size_t lancet_linear_in(const lancet_linear *linear);
size_t lancet_linear_out(const lancet_linear *linear);

/** One product to do. Rows are `*_stride` floats apart. */
typedef struct lancet_linear_job {
    const lancet_linear *linear;
    const float *in; /* [rows, in] */
    float *out;      /* [rows, out] */
    size_t rows;
    size_t group; /* rows are tiled within groups of this many (one picture's tokens), so that a batch gives
                     the same bytes as its pictures one by one; 0: all rows are one group */
    size_t in_stride,
        out_stride; /* in_stride is `in` on every path that has to be fast, or groups are of one row */
    lancet_linear_after after;
} lancet_linear_job;

/** Compiled products and the workers' scratch memory of one session. */
typedef struct lancet_linear_cache lancet_linear_cache;

lancet_status lancet_linear_cache_open(lancet_linear_cache **cache, lancet_pool *pool, lancet_error *error);
void lancet_linear_cache_close(lancet_linear_cache **cache);

/** Does all jobs in one parallel region. Errors: MEMORY, UNSUPPORTED (as above). */
lancet_status lancet_linear_run(lancet_linear_cache *cache, const lancet_linear_job *jobs, size_t count,
                                lancet_error *error);

#endif
