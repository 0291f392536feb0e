/* SPDX-License-Identifier: Apache-2.0 */
#include "tensor/tensor.h"

#include "tensor/kernels.h"
#include "tensor/quantised.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    size_t size, block;
} types[LANCET_DTYPES] = {
    [LANCET_F32] = {"F32", 4, 1},
    [LANCET_F16] = {"F16", 2, 1},
    [LANCET_BF16] = {"BF16", 2, 1},
    [LANCET_I64] = {"I64", 8, 1},
    [LANCET_I32] = {"I32", 4, 1},
    [LANCET_U8] = {"U8", 1, 1},
    [LANCET_I8] = {"I8", 1, 1},
    [LANCET_Q4_0] = {"Q4_0", 18, LANCET_QUANTISED_BLOCK},
    [LANCET_Q4_1] = {"Q4_1", 20, LANCET_QUANTISED_BLOCK},
    [LANCET_Q5_0] = {"Q5_0", 22, LANCET_QUANTISED_BLOCK},
    [LANCET_Q5_1] = {"Q5_1", 24, LANCET_QUANTISED_BLOCK},
    [LANCET_Q8_0] = {"Q8_0", 34, LANCET_QUANTISED_BLOCK},
};

size_t lancet_dtype_size(lancet_dtype dtype)
{
    return types[dtype].size;
}

size_t lancet_dtype_block(lancet_dtype dtype)
{
    return types[dtype].block;
}

bool lancet_dtype_is_readable(lancet_dtype dtype)
{
    return dtype == LANCET_F32 || dtype == LANCET_F16 || dtype == LANCET_BF16 || dtype == LANCET_I8 ||
           types[dtype].block == LANCET_QUANTISED_BLOCK;
}

/* The place of an element that starts a block. */
static size_t bytes_of(const lancet_tensor *tensor, size_t count)
{
    return count / types[tensor->dtype].block * types[tensor->dtype].size;
}

size_t lancet_tensor_bytes(const lancet_tensor *tensor)
{
    return bytes_of(tensor, tensor->count);
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
        view.data = (const char *)tensor->data + bytes_of(tensor, first * row);
    if (tensor->scales)
        view.scales = tensor->scales + first;
    return view;
}

/* A row, or what is asked of it, at a time: it has one scale. */
static void read_scaled(float *out, const lancet_tensor *tensor, const int8_t *numbers, size_t first,
                        size_t count)
{
    const size_t row = tensor->count / tensor->shape[0];

    while (count) {
        const size_t left = row - first % row, taken = left < count ? left : count;
        const float scale = tensor->scales[first / row];

        for (size_t i = 0; i < taken; i++)
            out[i] = (float)numbers[i] * scale;
        out += taken;
        numbers += taken;
        first += taken;
        count -= taken;
    }
}

void lancet_tensor_read(float *out, const lancet_tensor *tensor, size_t first, size_t count)
{
    const char *bytes = (const char *)tensor->data + bytes_of(tensor, first);

    if (!count)
        return;
    if (tensor->dtype == LANCET_F32)
        memcpy(out, bytes, count * sizeof *out); /* files do not align their tensors */
    else if (tensor->dtype == LANCET_F16)
        lancet_kernels_get()->from_half(out, bytes, count);
    else if (tensor->dtype == LANCET_BF16)
        lancet_kernels_get()->from_bfloat(out, bytes, count);
    else if (tensor->dtype == LANCET_I8)
        read_scaled(out, tensor, (const int8_t *)bytes, first, count);
    else
        lancet_quantised_read(out, tensor->dtype, bytes, first % types[tensor->dtype].block, count);
}
