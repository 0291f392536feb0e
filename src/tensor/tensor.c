/* SPDX-License-Identifier: Apache-2.0 */
#include "tensor/tensor.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    size_t size;
} types[] = {
    [LANCET_F32] = {"F32", 4}, [LANCET_F16] = {"F16", 2}, [LANCET_BF16] = {"BF16", 2},
    [LANCET_I64] = {"I64", 8}, [LANCET_I32] = {"I32", 4}, [LANCET_U8] = {"U8", 1},
};

size_t lancet_dtype_size(lancet_dtype dtype)
{
    return types[dtype].size;
}

const char *lancet_dtype_name(lancet_dtype dtype)
{
    return types[dtype].name;
}

void lancet_shape_print(char *text, size_t size, const size_t *shape, size_t rank)
{
    size_t used = 0;

    for (size_t i = 0; i < rank && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, i ? ",%zu" : "[%zu", shape[i]);
    if (used < size)
        snprintf(text + used, size - used, rank ? "]" : "[]");
}

lancet_tensor lancet_tensor_rows(const lancet_tensor *tensor, size_t first, size_t rows)
{
    const size_t row = tensor->shape[0] ? tensor->count / tensor->shape[0] : 0;
    lancet_tensor view = *tensor;

    view.shape[0] = rows;
    view.count = rows * row;
    if (tensor->data)
        view.data = (const char *)tensor->data + first * row * lancet_dtype_size(tensor->dtype);
    return view;
}

static float from_bits(uint32_t bits)
{
    float value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

/* IEEE 754 binary16, exact: every half is a float. */
static float from_half(uint16_t half)
{
    const uint32_t sign = (uint32_t)(half & 0x8000) << 16;
    const uint32_t exponent = half >> 10 & 0x1F, fraction = half & 0x3FF;

    if (exponent == 0x1F) /* infinity, or NaN with its payload */
        return from_bits(sign | 0x7F800000 | fraction << 13);
    if (exponent)
        return from_bits(sign | (exponent + 112) << 23 | fraction << 13);
    /* Subnormal: fraction x 2^-24, which float's multiplication gives exactly. */
    const float magnitude = (float)fraction * 0x1p-24f;
    return sign ? -magnitude : magnitude;
}

void lancet_tensor_read(float *out, const lancet_tensor *tensor, size_t first, size_t count)
{
    /* Files do not align their tensors, hence memcpy throughout. */
    const char *bytes = (const char *)tensor->data + first * lancet_dtype_size(tensor->dtype);

    if (!count)
        return;
    if (tensor->dtype == LANCET_F32) {
        memcpy(out, bytes, count * sizeof *out);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        uint16_t bits;

        memcpy(&bits, bytes + 2 * i, sizeof bits);
        out[i] = tensor->dtype == LANCET_F16 ? from_half(bits) : from_bits((uint32_t)bits << 16);
    }
}
