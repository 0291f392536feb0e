/* The kernels over vectors, compiled by each instruction set's file, which defines before including this:
 *   LANES              floats in a vector (8, 16)
 *   PACKED_ROWS        rows of a register tile, which is 2 vectors wide: 2 * PACKED_ROWS sums
 *   KERNELS            the table's symbol, and KERNELS_NAME its name
 *   half_to_vector     LANES halves (unaligned) to a vector
 *   larger             of two vectors, for each lane
 *   round_up           to a whole number, for each lane
 *   power_of_two       2^x for x <= 126; `brief`: for results that are rounded to bfloat16
 *   reciprocal         1 / x for x from 2^-126 to 2^126
 *   transpose_vectors  LANES vectors as a matrix, in place
 *   dot_whole          sums plus the products of whole numbers, all as 32 bits (WHOLE_GROUP of them)
 *   DOT_BFLOAT         if there is dot_bfloat(sums, a, b): sums plus the products of pairs of bfloat16,
 *                      bfloat_pairs(a, b): [a0 b0 a1 b1 ..], bfloat_halves(a, b): [a0 a1 .. b0 b1 ..]
 *   BFLOAT_GROUP       bfloat16 numbers in a unit of a packed product: 2 if there is, or 1
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "tensor/kernels.h"

#include <math.h>
#include <string.h>

typedef float vector __attribute__((vector_size(4 * LANES)));
typedef int32_t integers __attribute__((vector_size(4 * LANES)));

#define LOG2_E 1.44269504088896341f

static inline vector load(const float *from)
{
    vector v;

    memcpy(&v, from, sizeof v);
    return v;
}

static inline void store(float *to, vector v)
{
    memcpy(to, &v, sizeof v);
}

static inline vector splat(float value)
{
    return value - (vector){0};
}

static inline float add_up(vector v)
{
    float lanes[LANES];

    memcpy(lanes, &v, sizeof lanes);
    for (int width = LANES / 2; width; width /= 2)
        for (int i = 0; i < width; i++)
            lanes[i] += lanes[i + width];
    return lanes[0];
}

/* e^x for x <= 0 */
static inline vector exponential(vector x)
{
    return power_of_two(x * LOG2_E, false);
}

static void layer_norm(float *out, const float *in, const float *weight, const float *bias, size_t width,
                       float epsilon)
{
    const size_t whole = width - width % LANES, fourths = width - width % (4 * LANES);
    vector sums[4] = {{0}}, squares[4] = {{0}}; /* four at a time: each addition waits for the one before */
    float sum, square;

    for (size_t i = 0; i < fourths; i += 4 * LANES)
        for (size_t k = 0; k < 4; k++)
            sums[k] += load(in + i + k * LANES);
    for (size_t i = fourths; i < whole; i += LANES)
        sums[0] += load(in + i);
    sum = add_up(sums[0] + sums[1] + (sums[2] + sums[3]));
    for (size_t i = whole; i < width; i++)
        sum += in[i];
    const float mean = sum / (float)width;
    for (size_t i = 0; i < fourths; i += 4 * LANES)
        for (size_t k = 0; k < 4; k++) {
            const vector d = load(in + i + k * LANES) - mean;

            squares[k] += d * d;
        }
    for (size_t i = fourths; i < whole; i += LANES) {
        const vector d = load(in + i) - mean;

        squares[0] += d * d;
    }
    square = add_up(squares[0] + squares[1] + (squares[2] + squares[3]));
    for (size_t i = whole; i < width; i++)
        square += (in[i] - mean) * (in[i] - mean);
    const float factor = 1 / sqrtf(square / (float)width + epsilon);
    for (size_t i = 0; i < whole; i += LANES)
        store(out + i, (load(in + i) - mean) * factor * load(weight + i) + load(bias + i));
    for (size_t i = whole; i < width; i++)
        out[i] = (in[i] - mean) * factor * weight[i] + bias[i];
}

#include "tensor/kernels_path.h"

static void from_half(float *out, const void *in, size_t count)
{
    size_t i = 0;

    for (; i + LANES <= count; i += LANES)
        store(out + i, half_to_vector((const char *)in + 2 * i));
    lancet_kernels_scalar.from_half(out + i, (const char *)in + 2 * i, count - i);
}

static void from_bfloat(float *out, const void *in, size_t count)
{
    typedef uint16_t sixteens __attribute__((vector_size(2 * LANES)));
    size_t i = 0;

    for (; i + LANES <= count; i += LANES) {
        sixteens upper;

        memcpy(&upper, (const char *)in + 2 * i, sizeof upper);
        store(out + i, (vector)(__builtin_convertvector(upper, integers) << 16));
    }
    lancet_kernels_scalar.from_bfloat(out + i, (const char *)in + 2 * i, count - i);
}

#include "tensor/kernels_packed.h"
#include "tensor/kernels_units.h"

#include "tensor/kernels_convolution.h"

#include "tensor/kernels_attention.h"
#include "tensor/kernels_multiply.h"
#include "tensor/kernels_symmetric.h"

const lancet_kernels KERNELS = {
    .name = KERNELS_NAME,
    .layer_norm = layer_norm,
    .attention = attention,
    .attention_bfloat = attention_bfloat,
    .symmetric_attention = symmetric_attention,
    .symmetric_attention_bfloat = symmetric_attention_bfloat,
    .attention_scratch = attention_scratch,
    .path_attention = path_attention,
    .path_attention_scratch = path_attention_scratch,
    .multiply = multiply,
    .panel = 2 * LANES,
    .packed_product = packed_product,
    .packed_group = {1, BFLOAT_GROUP, WHOLE_GROUP},
    .packed_row = packed_row,
    .packed_column = packed_column,
    .transpose = transpose_units,
    .split_pairs = split_pairs,
    .winograd_in = winograd_in,
    .winograd_out = winograd_out,
    .from_half = from_half,
    .from_bfloat = from_bfloat,
};
