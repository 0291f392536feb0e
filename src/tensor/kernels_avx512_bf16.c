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

typedef float avx512_vector __attribute__((vector_size(64)));

#define DOT_BFLOAT
#define BFLOAT_GROUP 2
#define dot_bfloat   dot_bfloat_avx512

static inline avx512_vector dot_bfloat_avx512(avx512_vector sums, avx512_vector a, avx512_vector b)
{
    return _mm512_dpbf16_ps(sums, (__m512bh)b, (__m512bh)a);
}

/* Four signed bytes of each lane times four unsigned ones. */
#define WHOLE_GROUP 4
#define dot_whole   dot_whole_avx512

static inline avx512_vector dot_whole_avx512(avx512_vector sums, avx512_vector a, avx512_vector b)
{
    return _mm512_castsi512_ps(
        _mm512_dpbusd_epi32(_mm512_castps_si512(sums), _mm512_castps_si512(b), _mm512_castps_si512(a)));
}

#include "tensor/kernels_vector.h"
