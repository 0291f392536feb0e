/* Row-wise operators and attention over a pool of threads. SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_TENSOR_ROWS_H
#define LANCET_TENSOR_ROWS_H

#include "base/threads.h"
#include "tensor/kernels.h"

/** A layer norm's learned numbers. */
typedef struct lancet_norm {
    const float *weight, *bias; /* [width] */
} lancet_norm;

/** out [rows, width] = layer norm of in [rows, width]; rows are `*_stride` floats apart; in may be out. */
void lancet_norm_rows(lancet_pool *pool, float *out, size_t out_stride, const float *in, size_t in_stride,
                      size_t rows, size_t width, const lancet_norm *norm, float epsilon);

/** out [rows, width] = in, or zeros if in is NULL. */
void lancet_copy_rows(lancet_pool *pool, float *out, const float *in, size_t rows, size_t width);

/** Runs independent attentions, in bfloat16 where `bfloat` says so (kernels.h), the longest first for the
 * threads' sake. Those of many tokens whose queries are their keys take the symmetric kernel, each as one
 * task; the others may be cut. scratch[worker]: enough for each job, 64-byte aligned. */
void lancet_attention_run(lancet_pool *pool, const lancet_attention *jobs, size_t count, bool bfloat,
                          float *const *scratch);

/** In place: rows [count, width] become softmax(scale row). */
void lancet_softmax_rows(float *rows, size_t count, size_t width, float scale);

/** out [query_count, key_count]: an attention's weights themselves, softmax_j(scale <queries[i], keys[j]>).
 * Its values and `out` play no part. */
void lancet_attention_weigh(float *out, const lancet_attention *attention);

#endif
