/* The kernels in plain C: the specification that every other table is tested against.
 * SPDX-License-Identifier: Apache-2.0 */
#include "tensor/kernels.h"

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
        size_t keys = job->key_count;
        float highest = -INFINITY, sum = 0;

        if (job->causal && keys > job->first_query + i + 1)
            keys = job->first_query + i + 1;
        for (size_t j = 0; j < keys; j++) {
            float dot = 0;

            for (size_t d = 0; d < job->width; d++)
                dot += query[d] * job->keys[j * job->key_stride + d];
            scores[j] = dot * job->scale;
            highest = scores[j] > highest ? scores[j] : highest;
        }
        for (size_t j = 0; j < keys; j++) {
            scores[j] = expf(scores[j] - highest);
            sum += scores[j];
        }
        for (size_t d = 0; d < job->width; d++)
            out[d] = 0;
        for (size_t j = 0; j < keys; j++)
            for (size_t d = 0; d < job->width; d++)
                out[d] += scores[j] * job->values[j * job->value_stride + d];
        for (size_t d = 0; d < job->width; d++)
            out[d] /= sum;
    }
}

static size_t multiply_scratch(size_t n, size_t k)
{
    (void)n;
    (void)k;
    return 0;
}

static void multiply(float *out, size_t out_stride, const float *a, size_t a_stride, const float *b, size_t m,
                     size_t n, size_t k, float *scratch)
{
    (void)scratch;
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < n; j++) {
            float dot = 0;

            for (size_t d = 0; d < k; d++)
                dot += a[i * a_stride + d] * b[j * k + d];
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

const lancet_kernels lancet_kernels_scalar = {
    .name = "scalar",
    .layer_norm = layer_norm,
    .attention = attention,
    .attention_scratch = attention_scratch,
    .multiply = multiply,
    .multiply_scratch = multiply_scratch,
    .from_half = from_half,
    .from_bfloat = from_bfloat,
};
