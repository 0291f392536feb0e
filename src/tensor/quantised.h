/* Numbers in blocks of 32 that share a scale, as ggml's files hold them. SPDX-License-Identifier: Apache-2.0
 */
#ifndef LANCET_TENSOR_QUANTISED_H
#define LANCET_TENSOR_QUANTISED_H

#include "tensor/tensor.h"

/** Numbers in a block. */
#define LANCET_QUANTISED_BLOCK 32

/** Converts `count` numbers to float, from the one at place `skip` (0 to 31) of the first of `blocks` on; no
 * byte of a later block than the last one's is read. A block's bytes, scale d and low m being IEEE halves:
 *
 *   Q4_0  d, q[16]           (q - 8) d    q[j]: number j in the lower four bits, number 16 + j in the upper
 *   Q4_1  d, m, q[16]        q d + m
 *   Q5_0  d, h[4], q[16]     (q - 16) d   bit j of h, little-endian, is the fifth bit of number j
 *   Q5_1  d, m, h[4], q[16]  q d + m
 *   Q8_0  d, q[32]           q d          q: signed bytes
 *
 * A product has 18 bits at most, and so is exact in float. `blocks` need not be aligned. */
void lancet_quantised_read(float *out, lancet_dtype dtype, const void *blocks, size_t skip, size_t count);

#endif
