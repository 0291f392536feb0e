/* SPDX-License-Identifier: Apache-2.0 */
#include <immintrin.h>
#include <stdbool.h>
#include <string.h>

#define LANES        8
#define PACKED_ROWS  6
#define KERNELS      lancet_kernels_avx2
#define KERNELS_NAME "avx2"

static inline __m256 half_to_vector(const void *from)
{
    return _mm256_cvtph_ps(_mm_loadu_si128(from));
}

/* Two 16-bit numbers of each lane times two, and their sum. */
#define WHOLE_GROUP  2
#define BFLOAT_GROUP 1

static inline __m256 dot_whole(__m256 sums, __m256 a, __m256 b)
{
    return _mm256_castsi256_ps(_mm256_add_epi32(
        _mm256_castps_si256(sums), _mm256_madd_epi16(_mm256_castps_si256(a), _mm256_castps_si256(b))));
}

/* As a > b ? a : b for each lane, so b where one is no number. */
static inline __m256 larger(__m256 a, __m256 b)
{
    return _mm256_max_ps(a, b);
}

static inline __m256 reciprocal(__m256 x)
{
    return _mm256_div_ps(_mm256_set1_ps(1.0f), x);
}

static inline __m256 round_up(__m256 x)
{
    return _mm256_round_ps(x, 0x0A); /* to a whole number, no exceptions */
}

/* 2^n times 2^f, |f| <= 1/2, by the polynomial of the least relative error of those that are 1 at 0: with
 * rounding 8e-8. Below 2^-126 it stays there, which beside the 1 of the highest is nothing. */
static inline __m256 power_of_two(__m256 x, const bool brief)
{
    const __m256 shift = _mm256_set1_ps(12582912.0f); /* 1.5 * 2^23: adding it rounds to an integer */
    __m256 n, f, p;

    (void)brief;
    x = _mm256_max_ps(_mm256_set1_ps(-126.0f), x);
    n = _mm256_add_ps(x, shift);
    f = _mm256_sub_ps(x, _mm256_sub_ps(n, shift));
    p = _mm256_set1_ps(0.00015353362f);
    p = _mm256_fmadd_ps(p, f, _mm256_set1_ps(0.0013398875f));
    p = _mm256_fmadd_ps(p, f, _mm256_set1_ps(0.00961843692f));
    p = _mm256_fmadd_ps(p, f, _mm256_set1_ps(0.0555033237f));
    p = _mm256_fmadd_ps(p, f, _mm256_set1_ps(0.240226477f));
    p = _mm256_fmadd_ps(p, f, _mm256_set1_ps(0.693147182f));
    p = _mm256_fmadd_ps(p, f, _mm256_set1_ps(1.0f));
    return (__m256)_mm256_add_epi32((__m256i)p, _mm256_slli_epi32((__m256i)n, 23));
}

static inline void transpose_vectors(__m256 rows[8])
{
    __m256 pairs[8];

    for (int i = 0; i < 8; i += 2) {
        pairs[i] = _mm256_unpacklo_ps(rows[i], rows[i + 1]);
        pairs[i + 1] = _mm256_unpackhi_ps(rows[i], rows[i + 1]);
    }
    for (int i = 0; i < 8; i += 4) {
        rows[i] = _mm256_shuffle_ps(pairs[i], pairs[i + 2], 0x44);
        rows[i + 1] = _mm256_shuffle_ps(pairs[i], pairs[i + 2], 0xEE);
        rows[i + 2] = _mm256_shuffle_ps(pairs[i + 1], pairs[i + 3], 0x44);
        rows[i + 3] = _mm256_shuffle_ps(pairs[i + 1], pairs[i + 3], 0xEE);
    }
    for (int k = 0; k < 4; k++) {
        const __m256 low = rows[k];

        rows[k] = _mm256_permute2f128_ps(low, rows[4 + k], 0x20);
        rows[4 + k] = _mm256_permute2f128_ps(low, rows[4 + k], 0x31);
    }
}

#include "tensor/kernels_vector.h"
