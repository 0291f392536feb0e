/* AVX-512 with its instructions for bfloat16 and 8-bit products (Zen 4 and later; Cooper Lake, Sapphire
 * Rapids and later). SPDX-License-Identifier: Apache-2.0 */
#include <immintrin.h>
#include <string.h>

#define LANES          16
#define TILE_ROWS      12
#define PACKED_ROWS    14
#define KERNELS        lancet_kernels_avx512_bf16
#define KERNELS_NAME   "avx512-bf16"
#define half_to_vector half_to_vector_avx512_bf16

static inline float __attribute__((vector_size(64))) half_to_vector_avx512_bf16(const void *from)
{
    return _mm512_cvtph_ps(_mm256_loadu_si256(from));
}

#include "tensor/kernels_vector.h"
