/* AVX-512 with its instructions for bfloat16 and 8-bit products (Zen 4 and later; Cooper Lake, Sapphire
 * Rapids and later). SPDX-License-Identifier: Apache-2.0 */
#include "tensor/kernels_avx512.h"

#define KERNELS      lancet_kernels_avx512_bf16
#define KERNELS_NAME "avx512-bf16"

#define DOT_BFLOAT
#define BFLOAT_GROUP 2

static inline __m512 dot_bfloat(__m512 sums, __m512 a, __m512 b)
{
    return _mm512_dpbf16_ps(sums, (__m512bh)b, (__m512bh)a);
}

/* [a0 a1 .. a15 b0 b1 .. b15], rounded. */
static inline __m512 bfloat_halves(__m512 a, __m512 b)
{
    return (__m512)_mm512_cvtne2ps_pbh(b, a);
}

/* [a0 b0 a1 b1 .. a15 b15], rounded. */
static inline __m512 bfloat_pairs(__m512 a, __m512 b)
{
    const __m512i order = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23,
                                           7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);

    return (__m512)_mm512_permutexvar_epi16(order, (__m512i)_mm512_cvtne2ps_pbh(b, a));
}

/* Four signed bytes of each lane times four unsigned ones. */
#define WHOLE_GROUP 4

static inline __m512 dot_whole(__m512 sums, __m512 a, __m512 b)
{
    return _mm512_castsi512_ps(
        _mm512_dpbusd_epi32(_mm512_castps_si512(sums), _mm512_castps_si512(b), _mm512_castps_si512(a)));
}

#include "tensor/kernels_vector.h"
