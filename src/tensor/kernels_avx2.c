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

#include "tensor/kernels_vector.h"
