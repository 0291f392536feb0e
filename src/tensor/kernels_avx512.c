/* SPDX-License-Identifier: Apache-2.0 */
#include <immintrin.h>
#include <string.h>

#define LANES          16
#define TILE_ROWS      12
#define PACKED_ROWS    14
#define KERNELS        lancet_kernels_avx512
#define KERNELS_NAME   "avx512"
#define half_to_vector half_to_vector_avx512

static inline float __attribute__((vector_size(64))) half_to_vector_avx512(const void *from)
{
    return _mm512_cvtph_ps(_mm256_loadu_si256(from));
}

/* Two 16-bit numbers of each lane times two, and their sum. */
#define WHOLE_GROUP  2
#define BFLOAT_GROUP 1
#define dot_whole    dot_whole_avx512

static inline float __attribute__((vector_size(64)))
dot_whole_avx512(float __attribute__((vector_size(64))) sums, float __attribute__((vector_size(64))) a,
                 float __attribute__((vector_size(64))) b)
{
    return _mm512_castsi512_ps(_mm512_add_epi32(
        _mm512_castps_si512(sums), _mm512_madd_epi16(_mm512_castps_si512(a), _mm512_castps_si512(b))));
}

#include "tensor/kernels_vector.h"
