/* SPDX-License-Identifier: Apache-2.0 */
#include <immintrin.h>
#include <string.h>

#define LANES          8
#define TILE_ROWS      6
#define PACKED_ROWS    6
#define KERNELS        lancet_kernels_avx2
#define KERNELS_NAME   "avx2"
#define half_to_vector half_to_vector_f16c

static inline float __attribute__((vector_size(32))) half_to_vector_f16c(const void *from)
{
    return _mm256_cvtph_ps(_mm_loadu_si128(from));
}

/* Two 16-bit numbers of each lane times two, and their sum. */
#define WHOLE_GROUP  2
#define BFLOAT_GROUP 1
#define dot_whole    dot_whole_avx2

static inline float __attribute__((vector_size(32)))
dot_whole_avx2(float __attribute__((vector_size(32))) sums, float __attribute__((vector_size(32))) a,
               float __attribute__((vector_size(32))) b)
{
    return _mm256_castsi256_ps(_mm256_add_epi32(
        _mm256_castps_si256(sums), _mm256_madd_epi16(_mm256_castps_si256(a), _mm256_castps_si256(b))));
}

#include "tensor/kernels_vector.h"
