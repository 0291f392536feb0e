/* Attention of one token of each picture to all of them, without keys. The score of a query q with token j is
 *
 *      <q, W_k x_j + b_k> = <W_k^T q, x_j> + <q, b_k>,
 *
 * in each head, and what does not depend on j leaves the softmax as it is. So W_k is multiplied by one row a
 * picture and not by all of them, and its bias is not needed.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_TENSOR_KEYLESS_H
#define LANCET_TENSOR_KEYLESS_H

#include "base/threads.h"
#include "tensor/packed.h"

/** One attention for each picture and head: out = sum over j of softmax_j(scale <query, W_k x_j>) value_j. */
typedef struct lancet_keyless {
    lancet_packed_matrix keys;         /* W_k, [in, heads * head width] */
    const float *queries;              /* [pictures, heads * head width] */
    const float *tokens;               /* x: [pictures, count, in] */
    const float *values;               /* [pictures, count, heads * head width] */
    float *out;                        /* [pictures, heads * head width] */
    size_t query_stride, out_stride;   /* floats from picture to picture */
    size_t token_stride, value_stride; /* floats from token to token, of all pictures */
    size_t pictures, count, heads;
    float scale;
    float *scratch; /* lancet_keyless_scratch floats, 64-byte aligned */
} lancet_keyless;

/** Floats of scratch memory that such a run needs; `in` as of the keys. */
size_t lancet_keyless_scratch(size_t in, size_t pictures, size_t count, size_t heads,
                              const lancet_pool *pool);

void lancet_keyless_run(lancet_pool *pool, const lancet_keyless *job);

#endif
