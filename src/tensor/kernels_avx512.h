/* What the kernels over vectors need from AVX-512: both of its tables include this. SPDX-License-Identifier:
 * Apache-2.0 */
#include <immintrin.h>
#include <stdbool.h>
#include <string.h>

#define LANES       16
#define PACKED_ROWS 14

static inline __m512 half_to_vector(const void *from)
{
    return _mm512_cvtph_ps(_mm256_loadu_si256(from));
}

/* As a > b ? a : b for each lane, so b where one is no number. */
static inline __m512 larger(__m512 a, __m512 b)
{
    return _mm512_max_ps(a, b);
}

/* 1 / x for x from 2^-126 to 2^126, to about a unit in the last place: the estimate's 14 bits, doubled. */
static inline __m512 reciprocal(__m512 x)
{
    const __m512 estimate = _mm512_rcp14_ps(x);

    return _mm512_fmadd_ps(_mm512_fnmadd_ps(x, estimate, _mm512_set1_ps(1.0f)), estimate, estimate);
}

static inline __m512 round_up(__m512 x)
{
    return _mm512_roundscale_ps(x, 0x0A); /* to a whole number, no exceptions */
}

/* 2^floor(x) times 2^f, 0 <= f < 1, by the polynomial of the least relative error of those that are 1 at 0:
 * with rounding 6.5e-8, or 3e-6 of the short one. 2^-infinity is 0. */
static inline __m512 power_of_two(__m512 x, const bool brief)
{
    const __m512 f = _mm512_reduce_ps(x, 0x09); /* x - floor(x), no exceptions */
    __m512 p;

    if (brief) {
        p = _mm512_set1_ps(0.0134266894f);
        p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(0.0522424653f));
        p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(0.241280213f));
        p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(0.693044841f));
    } else {
        p = _mm512_set1_ps(0.000216129207f);
        p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(0.00124678446f));
        p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(0.00967545155f));
        p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(0.0554852821f));
        p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(0.240229309f));
        p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(0.693147063f));
    }
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(1.0f));
    return _mm512_scalef_ps(p, x);
}

/* Row i and row i ^ step exchange the halves of each group of 2 step lanes; unpacking does so within 128
 * bits. */
static inline void transpose_vectors(__m512 rows[16])
{
    __m512 pairs[16];

    for (int i = 0; i < 16; i += 2) {
        pairs[i] = _mm512_unpacklo_ps(rows[i], rows[i + 1]);
        pairs[i + 1] = _mm512_unpackhi_ps(rows[i], rows[i + 1]);
    }
    for (int i = 0; i < 16; i += 4) {
        rows[i] = _mm512_shuffle_ps(pairs[i], pairs[i + 2], 0x44);
        rows[i + 1] = _mm512_shuffle_ps(pairs[i], pairs[i + 2], 0xEE);
        rows[i + 2] = _mm512_shuffle_ps(pairs[i + 1], pairs[i + 3], 0x44);
        rows[i + 3] = _mm512_shuffle_ps(pairs[i + 1], pairs[i + 3], 0xEE);
    }
    /* rows[i + k] holds, of rows i .. i + 3, columns k, 4 + k, 8 + k and 12 + k. */
    for (int k = 0; k < 4; k++) {
        pairs[k] = _mm512_shuffle_f32x4(rows[k], rows[4 + k], 0x88);
        pairs[4 + k] = _mm512_shuffle_f32x4(rows[k], rows[4 + k], 0xDD);
        pairs[8 + k] = _mm512_shuffle_f32x4(rows[8 + k], rows[12 + k], 0x88);
        pairs[12 + k] = _mm512_shuffle_f32x4(rows[8 + k], rows[12 + k], 0xDD);
    }
    for (int k = 0; k < 4; k++) {
        rows[k] = _mm512_shuffle_f32x4(pairs[k], pairs[8 + k], 0x88);
        rows[8 + k] = _mm512_shuffle_f32x4(pairs[k], pairs[8 + k], 0xDD);
        rows[4 + k] = _mm512_shuffle_f32x4(pairs[4 + k], pairs[12 + k], 0x88);
        rows[12 + k] = _mm512_shuffle_f32x4(pairs[4 + k], pairs[12 + k], 0xDD);
    }
}
