/* The kernels over vectors, compiled by each instruction set's file, which defines before including this:
 *   LANES           floats in a vector (8, 16)
 *   TILE_ROWS       rows of a register tile; the tile is 2 vectors wide, so 2 * TILE_ROWS accumulators
 *   PACKED_ROWS     the same for products with a packed matrix, whose rows need fewer pointers
 *   KERNELS         the table's symbol, and KERNELS_NAME its name
 *   half_to_vector  LANES halves (unaligned) to a vector
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "tensor/kernels.h"

#include <math.h>
#include <string.h>

typedef float vector __attribute__((vector_size(4 * LANES)));
typedef int32_t integers __attribute__((vector_size(4 * LANES)));

#define TILE_COLUMNS (2 * LANES)

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

static inline vector larger(vector a, vector b)
{
    const integers mask = a > b;

    return (vector)(((integers)a & mask) | ((integers)b & ~mask));
}

static void layer_norm(float *out, const float *in, const float *weight, const float *bias, size_t width,
                       float epsilon)
{
    const size_t whole = width - width % LANES;
    vector sums = {0}, squares = {0};
    float sum, square;

    for (size_t i = 0; i < whole; i += LANES)
        sums += load(in + i);
    sum = add_up(sums);
    for (size_t i = whole; i < width; i++)
        sum += in[i];
    const float mean = sum / (float)width;
    for (size_t i = 0; i < whole; i += LANES) {
        const vector d = load(in + i) - mean;

        squares += d * d;
    }
    square = add_up(squares);
    for (size_t i = whole; i < width; i++)
        square += (in[i] - mean) * (in[i] - mean);
    const float factor = 1 / sqrtf(square / (float)width + epsilon);
    for (size_t i = 0; i < whole; i += LANES)
        store(out + i, (load(in + i) - mean) * factor * load(weight + i) + load(bias + i));
    for (size_t i = whole; i < width; i++)
        out[i] = (in[i] - mean) * factor * weight[i] + bias[i];
}

/* e^x for x <= 0 (a score less the highest): 2^n * e^r with |r| <= ln 2 / 2, e^r by its series up to r^7
 * (error below one unit in the last place). Below -87 it is 0 in a float for our purpose. */
static inline vector exponential(vector x)
{
    const vector lowest = splat(-87.0f),
                 shift = splat(12582912.0f); /* 1.5 * 2^23: adding it rounds to an integer */
    vector n, r, p;
    integers power;

    x = larger(x, lowest);
    n = x * 1.44269504088896341f + shift;
    power = (integers)n << 23;
    n -= shift;
    r = x - n * 0.693145751953125f; /* ln 2 in two parts: the first one's products are exact */
    r -= n * 1.428606765330187e-6f;
    p = splat(1.0f / 5040);
    p = p * r + 1.0f / 720;
    p = p * r + 1.0f / 120;
    p = p * r + 1.0f / 24;
    p = p * r + 1.0f / 6;
    p = p * r + 0.5f;
    p = p * r + 1.0f;
    p = p * r + 1.0f;
    return (vector)((integers)p + power);
}

/* tile[r][0..TILE_COLUMNS) = sum over d < depth of rows[r][d] * b[d * b_stride + ...]: the one register tile
 * that both products of the attention are made of. */
static inline __attribute__((always_inline)) void tile_product(vector tile[TILE_ROWS][2],
                                                               const float *const rows[TILE_ROWS],
                                                               const float *b, size_t b_stride, size_t depth)
{
    vector sums[TILE_ROWS][2] = {{{0}}};

    for (size_t d = 0; d < depth; d++) {
        const vector left = load(b + d * b_stride), right = load(b + d * b_stride + LANES);

#pragma GCC unroll 16
        for (int r = 0; r < TILE_ROWS; r++) {
            const vector a = splat(rows[r][d]);

            sums[r][0] += a * left;
            sums[r][1] += a * right;
        }
    }
#pragma GCC unroll 16
    for (int r = 0; r < TILE_ROWS; r++) {
        tile[r][0] = sums[r][0];
        tile[r][1] = sums[r][1];
    }
}

static size_t round_up(size_t count)
{
    return (count + TILE_COLUMNS - 1) / TILE_COLUMNS * TILE_COLUMNS;
}

/* to [columns][padded rows] = from [rows][columns] transposed; the padding is zero. */
static void transpose(float *to, const float *from, size_t stride, size_t rows, size_t columns)
{
    const size_t padded = round_up(rows);

    for (size_t j = 0; j < rows; j += LANES) {
        const size_t block = rows - j < LANES ? rows - j : LANES;

        for (size_t d = 0; d < columns; d++)
            for (size_t i = 0; i < block; i++)
                to[d * padded + j + i] = from[(j + i) * stride + d];
    }
    for (size_t d = 0; d < columns; d++)
        for (size_t j = rows; j < padded; j++)
            to[d * padded + j] = 0;
}

static size_t attention_scratch(size_t key_count, size_t width)
{
    return round_up(key_count) * (width + TILE_ROWS) + key_count * round_up(width);
}

/* scores (count of them, then padding) become e^(score - highest), the padding 0; returns 1 / their sum. */
static float soften(float *scores, size_t count, size_t padded)
{
    vector highest = splat(-INFINITY), sums = {0};
    float top = -INFINITY, lanes[LANES];

    for (size_t j = count; j < padded; j++)
        scores[j] = -INFINITY;
    for (size_t j = 0; j < padded; j += LANES)
        highest = larger(load(scores + j), highest);
    memcpy(lanes, &highest, sizeof lanes);
    for (int i = 0; i < LANES; i++)
        top = lanes[i] > top ? lanes[i] : top;
    for (size_t j = 0; j < padded; j += LANES)
        store(scores + j, exponential(load(scores + j) - top));
    for (size_t j = count; j < padded; j++)
        scores[j] = 0;
    for (size_t j = 0; j < padded; j += LANES)
        sums += load(scores + j);
    return 1 / add_up(sums);
}

static void attention(const lancet_attention *job, float *scratch)
{
    const size_t padded = round_up(job->key_count), wide = round_up(job->width);
    float *keys = scratch;                          /* [width, padded] */
    float *values = keys + padded * job->width;     /* [key_count, wide] */
    float *scores = values + job->key_count * wide; /* [TILE_ROWS, padded] */
    const float *rows[TILE_ROWS];
    vector tile[TILE_ROWS][2];
    float inverse[TILE_ROWS];

    transpose(keys, job->keys, job->key_stride, job->key_count, job->width);
    for (size_t j = 0; j < job->key_count; j++) {
        memcpy(values + j * wide, job->values + j * job->value_stride, job->width * sizeof *values);
        memset(values + j * wide + job->width, 0, (wide - job->width) * sizeof *values);
    }
    for (size_t first = 0; first < job->query_count; first += TILE_ROWS) {
        const size_t count = job->query_count - first < TILE_ROWS ? job->query_count - first : TILE_ROWS;

        /* Fewer rows than a tile: the last one again; its copies are computed and not stored. */
        for (size_t r = 0; r < TILE_ROWS; r++)
            rows[r] = job->queries + (first + (r < count ? r : count - 1)) * job->query_stride;
        for (size_t j = 0; j < job->key_count; j += TILE_COLUMNS) {
            tile_product(tile, rows, keys + j, padded, job->width);
            for (size_t r = 0; r < TILE_ROWS; r++) {
                store(scores + r * padded + j, tile[r][0] * job->scale);
                store(scores + r * padded + j + LANES, tile[r][1] * job->scale);
            }
        }
        for (size_t r = 0; r < TILE_ROWS; r++) {
            inverse[r] = soften(scores + r * padded, job->key_count, padded);
            rows[r] = scores + r * padded;
        }
        for (size_t d = 0; d < job->width; d += TILE_COLUMNS) {
            const size_t columns = job->width - d < TILE_COLUMNS ? job->width - d : TILE_COLUMNS;

            tile_product(tile, rows, values + d, wide, job->key_count);
            for (size_t r = 0; r < count; r++) {
                tile[r][0] *= inverse[r];
                tile[r][1] *= inverse[r];
                memcpy(job->out + (first + r) * job->out_stride + d, tile[r], columns * sizeof(float));
            }
        }
    }
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
    size_t i = 0;

    for (; i + LANES <= count; i += LANES) {
        uint16_t halves[LANES];
        integers bits;

        memcpy(halves, (const char *)in + 2 * i, sizeof halves);
        for (int lane = 0; lane < LANES; lane++)
            bits[lane] = (int32_t)((uint32_t)halves[lane] << 16);
        store(out + i, (vector)bits);
    }
    lancet_kernels_scalar.from_bfloat(out + i, (const char *)in + 2 * i, count - i);
}

#include "tensor/kernels_packed.h"
#include "tensor/kernels_units.h"

#include "tensor/kernels_convolution.h"
#include "tensor/kernels_multiply.h"

const lancet_kernels KERNELS = {
    .name = KERNELS_NAME,
    .layer_norm = layer_norm,
    .attention = attention,
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
    .widen_panel = widen_panel,
    .winograd_in = winograd_in,
    .winograd_out = winograd_out,
    .from_half = from_half,
    .from_bfloat = from_bfloat,
};
