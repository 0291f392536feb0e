/* SPDX-License-Identifier: Apache-2.0 */
#include "tensor/kernels_avx512.h"

#define KERNELS      lancet_kernels_avx512
#define KERNELS_NAME "avx512"

/* Two 16-bit numbers of each lane times two, and their sum. */
#define WHOLE_GROUP  2
#define BFLOAT_GROUP 1

static inline __m512 dot_whole(__m512 sums, __m512 a, __m512 b)
{
    return _mm512_castsi512_ps(_mm512_add_epi32(
        _mm512_castps_si512(sums), _mm512_madd_epi16(_mm512_castps_si512(a), _mm512_castps_si512(b))));
}

#include "tensor/kernels_vector.h"
