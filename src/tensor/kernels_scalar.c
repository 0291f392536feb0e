/* The kernels in plain C: the specification that every other table is tested against.
 * SPDX-License-Identifier: Apache-2.0 */
#include "tensor/kernels.h"
#include "tensor/narrow.h"

#include <math.h>
#include <string.h>

static void layer_norm(float *out, const float *in, const float *weight, const float *bias, size_t width,
                       float epsilon)
{
    double sum = 0, squares = 0;

    for (size_t i = 0; i < width; i++)
        sum += in[i];
    const double mean = sum / (double)width;
    for (size_t i = 0; i < width; i++)
        squares += (in[i] - mean) * (in[i] - mean);
    const double factor = 1 / sqrt(squares / (double)width + epsilon);
    for (size_t i = 0; i < width; i++)
        out[i] = (float)((in[i] - mean) * factor) * weight[i] + bias[i];
}

static size_t attention_scratch(size_t key_count, size_t width)
{
    (void)width;
    return key_count;
}

static void attention(const lancet_attention *job, float *scores)
{
    for (size_t i = 0; i < job->query_count; i++) {
        const float *query = job->queries + i * job->query_stride;
        float *out = job->out + i * job->out_stride;
        float highest = -INFINITY, sum = 0;

        for (size_t j = 0; j < job->key_count; j++) {
            float dot = 0;

            for (size_t d = 0; d < job->width; d++)
                dot += query[d] * job->keys[j * job->key_stride + d];
            scores[j] = dot * job->scale;
            highest = scores[j] > highest ? scores[j] : highest;
        }
        for (size_t j = 0; j < job->key_count; j++) {
            scores[j] = expf(scores[j] - highest);
            sum += scores[j];
        }
        for (size_t d = 0; d < job->width; d++)
            out[d] = 0;
        for (size_t j = 0; j < job->key_count; j++)
            for (size_t d = 0; d < job->width; d++)
                out[d] += scores[j] * job->values[j * job->value_stride + d];
        for (size_t d = 0; d < job->width; d++)
            out[d] /= sum;
    }
}

/* To the nearest bfloat16 number, to even; what is no number stays none. */
static float round_bfloat(float value)
{
    uint32_t bits;

    memcpy(&bits, &value, sizeof bits);
    if (value == value)
        bits = (bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF0000u;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void attend_bfloat(const lancet_attention *job, float *scores, float query_factor, float key_factor)
{
    for (size_t i = 0; i < job->query_count; i++) {
        const float *query = job->queries + i * job->query_stride;
        float *out = job->out + i * job->out_stride;
        float highest = -INFINITY, sum = 0;

        for (size_t j = 0; j < job->key_count; j++) {
            const float *key = job->keys + j * job->key_stride;

            scores[j] = 0;
            for (size_t d = 0; d < job->width; d++)
                scores[j] += round_bfloat(query[d] * query_factor) * round_bfloat(key[d] * key_factor);
            highest = scores[j] > highest ? scores[j] : highest;
        }
        highest = ceilf(highest);
        for (size_t d = 0; d < job->width; d++)
            out[d] = 0;
        for (size_t j = 0; j < job->key_count; j++) {
            const float weight = exp2f(scores[j] - highest);

            sum += weight;
            for (size_t d = 0; d < job->width; d++)
                out[d] += round_bfloat(weight) * round_bfloat(job->values[j * job->value_stride + d]);
        }
        for (size_t d = 0; d < job->width; d++)
            out[d] /= sum;
    }
}

#define LOG2_E 1.44269504088896341f /* e^x = 2^(x log2(e)) */

static void attention_bfloat(const lancet_attention *job, float *scores)
{
    attend_bfloat(job, scores, job->scale * LOG2_E, 1);
}

static void symmetric_attention_bfloat(const lancet_attention *job, float *scores)
{
    const float factor = sqrtf(job->scale * LOG2_E);

    attend_bfloat(job, scores, factor, factor);
}

static size_t path_attention_scratch(size_t count, size_t heads)
{
    (void)heads;
    return count;
}

static void path_attention(const lancet_path_attention *job, float *scores)
{
    for (size_t head = 0; head < job->heads; head++) {
        const size_t at = head * job->width;
        float *out = job->out + at;
        float highest = -INFINITY, sum = 0;

        for (size_t j = 0; j < job->count; j++) {
            const float *key = job->keys + job->path[j] * job->stride + at;
            float dot = 0;

            for (size_t d = 0; d < job->width; d++)
                dot += job->query[at + d] * key[d];
            scores[j] = dot * job->scale;
            highest = scores[j] > highest ? scores[j] : highest;
        }
        for (size_t d = 0; d < job->width; d++)
            out[d] = 0;
        for (size_t j = 0; j < job->count; j++) {
            const float *value = job->values + job->path[j] * job->stride + at;
            const float weight = expf(scores[j] - highest);

            sum += weight;
            for (size_t d = 0; d < job->width; d++)
                out[d] += weight * value[d];
        }
        for (size_t d = 0; d < job->width; d++)
            out[d] /= sum;
    }
}

static void multiply(float *out, size_t out_stride, const float *a, size_t a_stride, const float *b,
                     size_t b_stride, size_t m, size_t n, size_t k)
{
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < n; j++) {
            float dot = 0;

            for (size_t d = 0; d < k; d++)
                dot += a[i * a_stride + d] * b[j * b_stride + d];
            out[i * out_stride + j] = dot;
        }
}

static float half_to_float(uint16_t half)
{
    const uint32_t sign = (uint32_t)(half & 0x8000u) << 16;
    uint32_t exponent = half >> 10 & 0x1F, fraction = half & 0x3FFu, bits;
    float value;

    if (exponent == 0x1F) { /* infinity, not a number */
        bits = sign | 0x7F800000u | fraction << 13;
    } else if (exponent) {
        bits = sign | (exponent + 112) << 23 | fraction << 13;
    } else if (fraction) { /* subnormal: a float holds it as a normal number */
        exponent = 113;
        while (!(fraction & 0x400u)) {
            fraction <<= 1;
            exponent--;
        }
        bits = sign | exponent << 23 | (fraction & 0x3FFu) << 13;
    } else {
        bits = sign;
    }
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void from_half(float *out, const void *in, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint16_t half;

        memcpy(&half, (const char *)in + 2 * i, sizeof half);
        out[i] = half_to_float(half);
    }
}

static void from_bfloat(float *out, const void *in, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint16_t half;
        uint32_t bits;

        memcpy(&half, (const char *)in + 2 * i, sizeof half);
        bits = (uint32_t)half << 16;
        memcpy(out + i, &bits, sizeof bits);
    }
}

/* A packed matrix of this table has panels of 8 columns, so that the processor's own vectors may serve. */
#define PANEL 8

static float finish(float value, lancet_after after)
{
    switch (after) {
    case LANCET_AFTER_RELU:
        return value < 0 ? 0 : value;
    case LANCET_AFTER_QUICK_GELU:
        return value / (1 + expf(-1.702f * value));
    case LANCET_AFTER_GELU:
        return 0.5f * value * (1 + erff(value * 0.70710678118654752f));
    default:
        return value;
    }
}

/* sums[j] = the sum of a row's units times a panel's. */
static void panel_sums(float sums[PANEL], const float *in, const float *panel, size_t depth, size_t width)
{
    memset(sums, 0, PANEL * sizeof *sums);
    for (size_t d = 0; d < depth; d++)
        for (size_t j = 0; j < width; j++)
            sums[j] += in[d] * panel[d * width + j];
}

/* The same of whole numbers, two 16-bit ones in a unit. */
static void whole_sums(int32_t sums[PANEL], const int16_t *in, const int16_t *panel, size_t depth,
                       size_t width)
{
    memset(sums, 0, PANEL * sizeof *sums);
    for (size_t d = 0; d < depth; d++)
        for (size_t j = 0; j < width; j++)
            for (size_t k = 0; k < 2; k++)
                sums[j] += in[2 * d + k] * panel[2 * (d * width + j) + k];
}

static void packed_product(const lancet_packed_product *job)
{
    const float *panel = job->matrix;

    for (size_t first = 0; first < job->columns; first += PANEL) {
        const size_t left = job->columns - first, columns = left < PANEL ? left : PANEL;
        const size_t width = left > PANEL / 2 ? PANEL : PANEL / 2;

        for (size_t i = 0; i < job->rows; i++) {
            const float *in = (const float *)job->in + i * job->in_stride;
            float sums[PANEL];
            int32_t whole[PANEL];

            if (job->kind == LANCET_PACKED_WHOLE)
                whole_sums(whole, (const int16_t *)in, (const int16_t *)panel, job->depth, width);
            else
                panel_sums(sums, in, panel, job->depth, width);
            for (size_t j = 0; j < columns; j++) {
                float value = job->kind == LANCET_PACKED_WHOLE
                                  ? (float)(whole[j] - job->offsets[i]) * job->row_scales[i] *
                                        job->column_scales[first + j]
                                  : sums[j];

                if (job->bias)
                    value += job->bias[first + j];
                if (job->add)
                    value += job->add[i * job->add_stride + first + j];
                job->out[i * job->out_stride + first + j] = finish(value, job->after);
            }
        }
        panel += job->depth * width;
    }
}

static void packed_row(lancet_packed_kind kind, void *units, float *scale, int32_t *offset, const float *in,
                       size_t depth)
{
    int8_t whole;
    uint16_t narrow;

    if (kind == LANCET_PACKED_FLOAT) {
        memmove(units, in, depth * sizeof *in);
    } else if (kind == LANCET_PACKED_BFLOAT) {
        for (size_t d = 0; d < depth; d++) {
            lancet_narrow_bfloat(&narrow, in + d, 1);
            from_bfloat((float *)units + d, &narrow, 1);
        }
    } else {
        int16_t *numbers = units;

        *scale = lancet_narrow_scale(in, depth);
        *offset = 0;
        if (depth % 2)
            numbers[depth] = 0;
        for (size_t d = 0; d < depth; d++) {
            lancet_narrow_whole(&whole, in + d, 1, *scale);
            numbers[d] = whole;
        }
    }
}

static void packed_column(lancet_packed_kind kind, void *units, float *scale, const float *in, size_t depth)
{
    int32_t offset;

    packed_row(kind, units, scale, &offset, in, depth);
}

static void transpose(void *to, size_t to_stride, const void *from, size_t from_stride, size_t rows,
                      size_t columns)
{
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j++)
            memcpy((char *)to + 4 * (j * to_stride + i), (const char *)from + 4 * (i * from_stride + j), 4);
}

static void split_pairs(void *panel, size_t units, size_t width)
{
    uint16_t numbers[2 * PANEL];
    char *at = panel;

    for (size_t d = 0; d < units; d++, at += 4 * width) {
        for (size_t j = 0; j < width; j++) {
            memcpy(&numbers[j], at + 4 * j, 2);
            memcpy(&numbers[width + j], at + 4 * j + 2, 2);
        }
        memcpy(at, numbers, 4 * width);
    }
}

/* Winograd's matrices by the points 0, 1, -1 and infinity, and 0, 1, -1, 1/2, -2 and infinity. The latter are
 * those of the least rounding error among the usual ones: half that of 0, 1, -1, 2, -2. */
static const float points_2[4][6] = {{1, 0, -1}, {0, 1, 1}, {0, -1, 1}, {0, 1, 0, -1}};
static const float outputs_2[2][6] = {{1, 1, 1}, {0, 1, -1, -1}};
static const float points_4[6][6] = {{1, -1.5f, -2, 1.5f, 1}, {0, -1, 0.5f, 2.5f, 1},
                                     {0, 1, -2.5f, 0.5f, 1},  {0, -2, -1, 2, 1},
                                     {0, 0.5f, -1, -0.5f, 1}, {0, 1, -1.5f, -2, 1.5f, 1}};
static const float outputs_4[4][6] = {
    {1, 1, 1, 1, 1}, {0, 1, -1, 0.5f, -2}, {0, 1, 1, 0.25f, 4}, {0, 1, -1, 0.125f, -8, 1}};

/* to [count, count] = matrix [count, side] from [side, side] matrix^T */
static void apply(float *to, const float (*matrix)[6], const float *from, size_t count, size_t side)
{
    float half[6][6];

    for (size_t i = 0; i < count; i++)
        for (size_t x = 0; x < side; x++) {
            half[i][x] = 0;
            for (size_t y = 0; y < side; y++)
                half[i][x] += matrix[i][y] * from[y * side + x];
        }
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < count; j++) {
            to[i * count + j] = 0;
            for (size_t x = 0; x < side; x++)
                to[i * count + j] += matrix[j][x] * half[i][x];
        }
}

static void winograd_in(lancet_winograd tile, float *out, size_t out_stride, const float *const *pixels,
                        size_t channels)
{
    const size_t side = (size_t)tile + 2;
    float square[36], points[36];

    for (size_t c = 0; c < channels; c++) {
        for (size_t i = 0; i < side * side; i++)
            square[i] = pixels[i][c];
        apply(points, tile == LANCET_WINOGRAD_2 ? points_2 : points_4, square, side, side);
        for (size_t i = 0; i < side * side; i++)
            out[i * out_stride + c] = points[i];
    }
}

static void winograd_out(lancet_winograd tile, float *const *pixels, const float *in, size_t in_stride,
                         size_t channels, const lancet_winograd_after *after)
{
    const size_t count = (size_t)tile, side = count + 2, step = after->average ? 2 : 1;
    float points[36], outputs[16];

    for (size_t c = 0; c < channels; c++) {
        for (size_t i = 0; i < side * side; i++)
            points[i] = in[i * in_stride + c];
        apply(outputs, tile == LANCET_WINOGRAD_2 ? outputs_2 : outputs_4, points, count, side);
        for (size_t i = 0; i < count * count; i++) {
            outputs[i] += after->bias[c];
            outputs[i] = after->relu && outputs[i] < 0 ? 0 : outputs[i];
        }
        for (size_t y = 0, i = 0; y < count; y += step)
            for (size_t x = 0; x < count; x += step, i++) {
                const float *at = outputs + y * count + x;

                if (pixels[i])
                    pixels[i][c] = after->average ? (at[0] + at[1] + at[count] + at[count + 1]) / 4 : at[0];
            }
    }
}

const lancet_kernels lancet_kernels_scalar = {
    .name = "scalar",
    .layer_norm = layer_norm,
    .attention = attention,
    .attention_bfloat = attention_bfloat,
    .symmetric_attention = attention,
    .symmetric_attention_bfloat = symmetric_attention_bfloat,
    .attention_scratch = attention_scratch,
    .path_attention = path_attention,
    .path_attention_scratch = path_attention_scratch,
    .multiply = multiply,
    .panel = PANEL,
    .packed_product = packed_product,
    .packed_group = {1, 1, 2},
    .packed_row = packed_row,
    .packed_column = packed_column,
    .transpose = transpose,
    .split_pairs = split_pairs,
    .winograd_in = winograd_in,
    .winograd_out = winograd_out,
    .from_half = from_half,
    .from_bfloat = from_bfloat,
};
