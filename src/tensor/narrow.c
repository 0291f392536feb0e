/* SPDX-License-Identifier: Apache-2.0 */
#include "tensor/narrow.h"

#include <math.h>
#include <string.h>

static uint32_t bits_of(float value)
{
    uint32_t bits;

    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static uint16_t half_of(float value)
{
    const uint32_t bits = bits_of(value), size = bits & 0x7FFFFFFFu;
    const uint16_t sign = (uint16_t)(bits >> 16 & 0x8000u);

    if (size > 0x7F800000u) /* not a number */
        return sign | 0x7E00u;
    if (size >= 0x477FF000u) /* 65520, halfway from the largest to what would follow */
        return sign | 0x7C00u;
    if (size >= 0x38800000u) /* 2^-14: what is added carries into the kept bits where it should */
        return sign | (uint16_t)((size - 0x38000000u + 0x0FFFu + (size >> 13 & 1)) >> 13);
    /* Halves below that are multiples of 2^-24, as floats from 0.5 to 1 are: the addition rounds. */
    return sign | (uint16_t)(bits_of(fabsf(value) + 0.5f) - 0x3F000000u);
}

void lancet_narrow_half(uint16_t *out, const float *in, size_t count)
{
    for (size_t i = 0; i < count; i++)
        out[i] = half_of(in[i]);
}

void lancet_narrow_bfloat(uint16_t *out, const float *in, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const uint32_t bits = bits_of(in[i]);

        out[i] = (uint16_t)((bits & 0x7FFFFFFFu) > 0x7F800000u ? bits >> 16 | 0x40u
                                                               : (bits + 0x7FFFu + (bits >> 16 & 1)) >> 16);
    }
}

float lancet_narrow_scale(const float *row, size_t count)
{
    float largest = 0;

    for (size_t i = 0; i < count; i++)
        largest = fabsf(row[i]) > largest ? fabsf(row[i]) : largest;
    return largest / 127;
}

void lancet_narrow_whole(int8_t *out, const float *row, size_t count, float scale)
{
    const float large =
        0x1.8p23f; /* floats of this size are whole numbers: adding rounds, subtracting undoes */

    if (scale == 0) {
        memset(out, 0, count);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const float exact = row[i] / scale;
        const float within = exact > 127 ? 127 : exact < -127 ? -127 : exact;

        out[i] = (int8_t)(within + large - large);
    }
}
