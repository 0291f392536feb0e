/* SPDX-License-Identifier: Apache-2.0 */
#include "tensor/quantised.h"

#include "tensor/kernels.h"

#include <string.h>

#define HALF (LANCET_QUANTISED_BLOCK / 2)

/* Number j of a block in the lower four bits of byte j, number 16 + j in the upper, the fifth bits apart. */
static void unpack(float out[LANCET_QUANTISED_BLOCK], const uint8_t *nibbles, uint32_t fifth, int zero)
{
    for (int i = 0; i < HALF; i++) {
        const int low = nibbles[i] & 15, high = nibbles[i] >> 4;

        out[i] = (float)((low | (int)(fifth >> i & 1) << 4) - zero);
        out[HALF + i] = (float)((high | (int)(fifth >> (HALF + i) & 1) << 4) - zero);
    }
}

static uint32_t read_fifth(const uint8_t *bytes)
{
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

/* One whole block. */
static void read_block(float out[LANCET_QUANTISED_BLOCK], lancet_dtype dtype, const uint8_t *block)
{
    const bool has_low = dtype == LANCET_Q4_1 || dtype == LANCET_Q5_1;
    float ends[2] = {0, 0}; /* scale, low */

    lancet_kernels_get()->from_half(ends, block, has_low ? 2 : 1);
    block += has_low ? 4 : 2;
    switch (dtype) {
    case LANCET_Q4_0:
        unpack(out, block, 0, 8);
        break;
    case LANCET_Q4_1:
        unpack(out, block, 0, 0);
        break;
    case LANCET_Q5_0:
        unpack(out, block + 4, read_fifth(block), 16);
        break;
    case LANCET_Q5_1:
        unpack(out, block + 4, read_fifth(block), 0);
        break;
    default:
        for (int i = 0; i < LANCET_QUANTISED_BLOCK; i++)
            out[i] = (float)(int8_t)block[i];
    }
    for (int i = 0; i < LANCET_QUANTISED_BLOCK; i++)
        out[i] = out[i] * ends[0] + ends[1];
}

void lancet_quantised_read(float *out, lancet_dtype dtype, const void *blocks, size_t skip, size_t count)
{
    const size_t size = lancet_dtype_size(dtype);
    float whole[LANCET_QUANTISED_BLOCK];

    for (const uint8_t *block = blocks; count; block += size) {
        size_t taken = LANCET_QUANTISED_BLOCK - skip;

        if (taken > count)
            taken = count;
        if (taken == LANCET_QUANTISED_BLOCK) {
            read_block(out, dtype, block);
        } else {
            read_block(whole, dtype, block);
            memcpy(out, whole + skip, taken * sizeof *out);
        }
        out += taken;
        count -= taken;
        skip = 0;
    }
}
