/* How numbers are laid out for packed products, over vectors; kernels_vector.h includes this, and says what
 * an instruction set's file defines before. SPDX-License-Identifier: Apache-2.0 */

typedef int8_t bytes __attribute__((vector_size(LANES)));
typedef int16_t shorts __attribute__((vector_size(2 * LANES)));
typedef uint16_t sixteens __attribute__((vector_size(2 * LANES)));

/* ---- Transposes ---------------------------------------------------------------------------------------- */

static void transpose_units(void *to, size_t to_stride, const void *from, size_t from_stride, size_t rows,
                            size_t columns)
{
    vector square[LANES];

    for (size_t i = 0; i < rows; i += LANES) {
        const size_t high = rows - i < LANES ? rows - i : LANES;

        for (size_t j = 0; j < columns; j += LANES) {
            const size_t wide = columns - j < LANES ? columns - j : LANES;
            const char *in = (const char *)from + 4 * (i * from_stride + j);
            char *out = (char *)to + 4 * (j * to_stride + i);

            if (high == LANES && wide == LANES) {
#pragma GCC unroll 16
                for (size_t k = 0; k < LANES; k++)
                    memcpy(&square[k], in + 4 * k * from_stride, sizeof *square);
                transpose_vectors(square);
#pragma GCC unroll 16
                for (size_t k = 0; k < LANES; k++)
                    memcpy(out + 4 * k * to_stride, &square[k], sizeof *square);
                continue;
            }
            memset(square, 0, sizeof square);
            for (size_t k = 0; k < high; k++)
                memcpy(&square[k], in + 4 * k * from_stride, 4 * wide);
            transpose_vectors(square);
            for (size_t k = 0; k < wide; k++)
                memcpy(out + 4 * k * to_stride, &square[k], 4 * high);
        }
    }
}

/* ---- Narrower numbers ---------------------------------------------------------------------------------- */

/* Each as the bits of the nearest bfloat16, the even one of two, in the upper half. */
static inline integers round_bfloat(vector v)
{
    const integers bits = (integers)v, nan = v != v;
    const integers rounded = bits + 0x7FFF + (bits >> 16 & 1);

    return ((bits | 0x400000) & nan) | (rounded & ~nan);
}

static ALWAYS_INLINE vector as_bfloat(vector value)
{
    return (vector)(round_bfloat(value) & (int32_t)0xFFFF0000);
}

#ifdef DOT_BFLOAT
static void bfloat_row(void *units, const float *in, size_t depth)
{
    uint16_t *out = units;

    for (size_t d = 0; d < depth; d += LANES) {
        const size_t left = depth - d;
        const sixteens narrow =
            __builtin_convertvector(round_bfloat(load_some(in + d, left)) >> 16, sixteens);

        if (left >= LANES)
            memcpy(out + d, &narrow, sizeof narrow);
        else /* the lane behind an odd last one is 0 */
            memcpy(out + d, &narrow, (left + left % 2) * sizeof *out);
    }
}
#else
/* Vector by vector, so that a row may be rounded in place. */
static void bfloat_row(void *units, const float *in, size_t depth)
{
    float *out = units;

    for (size_t d = 0; d < depth; d += LANES)
        store_some(out + d, as_bfloat(load_some(in + d, depth - d)), depth - d);
}
#endif

static float largest(const float *in, size_t depth)
{
    vector most = {0};
    float lanes[LANES], result = 0;

    for (size_t d = 0; d < depth; d += LANES) {
        const vector v = load_some(in + d, depth - d);

        most = larger((vector)((integers)v & INT32_MAX),
                      most); /* in this order what is no number is passed over */
    }
    memcpy(lanes, &most, sizeof lanes);
    for (int i = 0; i < LANES; i++)
        result = lanes[i] > result ? lanes[i] : result;
    return result;
}

/* The numbers over `scale`, rounded to the nearest, the even one of two. Divided, as the specification does
 * it: the product with an inverse rounds some the other way. */
static inline integers whole_numbers(vector v, float scale)
{
    const vector shift = splat(12582912.0f); /* 1.5 * 2^23: adding it rounds */
    const vector within = larger(splat(-127), -larger(splat(-127), -(v / scale)));

    return (integers)(within + shift) - (integers)shift;
}

/* `flip` 128: as unsigned bytes, 128 more than they are. Returns their sum. */
static int32_t whole_row(void *units, float scale, const float *in, size_t depth, int32_t flip)
{
    const size_t padded = (depth + WHOLE_GROUP - 1) / WHOLE_GROUP * WHOLE_GROUP;
    const size_t size = 4 / WHOLE_GROUP;
    integers sums = {0};
    int32_t sum = 0;

    if (scale == 0) {
        memset(units, 0, padded * size);
        return 0;
    }
    for (size_t d = 0; d < depth; d += LANES) {
        const size_t count = depth - d < LANES ? padded - d : LANES;
        const vector v = load_some(in + d, depth - d);
        const integers numbers = whole_numbers(v, scale);

        sums += numbers;
#if WHOLE_GROUP == 4
        const bytes narrow = __builtin_convertvector(numbers ^ flip, bytes);
#else
        const shorts narrow = __builtin_convertvector(numbers, shorts);
#endif
        memcpy((char *)units + d * size, &narrow, count * size);
    }
    for (int i = 0; i < LANES; i++)
        sum += sums[i];
    (void)flip;
    return sum;
}

static void packed_row(lancet_packed_kind kind, void *units, float *scale, int32_t *offset, const float *in,
                       size_t depth)
{
    if (kind == LANCET_PACKED_FLOAT) {
        memmove(units, in, depth * sizeof *in);
    } else if (kind == LANCET_PACKED_BFLOAT) {
        bfloat_row(units, in, depth);
    } else {
        *scale = largest(in, depth) / 127;
        *offset = whole_row(units, *scale, in, depth, 0) * (WHOLE_GROUP == 4 ? 128 : 0);
    }
}

static void packed_column(lancet_packed_kind kind, void *units, float *scale, const float *in, size_t depth)
{
    int32_t offset;

    if (kind != LANCET_PACKED_WHOLE) {
        packed_row(kind, units, scale, &offset, in, depth);
        return;
    }
    *scale = largest(in, depth) / 127;
    whole_row(units, *scale, in, depth, 128);
}

static void split_pairs(void *panel, size_t units, size_t width)
{
    char *at = panel;

    for (size_t d = 0; d < units; d++, at += 4 * width) {
        sixteens even[2] = {{0}}, odd[2] = {{0}};

        for (size_t j = 0; j < width / LANES; j++) {
            integers both;

            memcpy(&both, at + 4 * LANES * j, sizeof both);
            even[j] = __builtin_convertvector(both, sixteens);
            odd[j] = __builtin_convertvector(both >> 16, sixteens);
        }
        memcpy(at, even, 2 * width);
        memcpy(at + 2 * width, odd, 2 * width);
    }
}
