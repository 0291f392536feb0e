/* Floats as narrower numbers, each the nearest there is. SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_TENSOR_NARROW_H
#define LANCET_TENSOR_NARROW_H

#include <stddef.h>
#include <stdint.h>

/** The nearest IEEE half, the even one of two that are equally near; infinite from 65520 on. */
void lancet_narrow_half(uint16_t *out, const float *in, size_t count);

/** The nearest bfloat16, in the same way. */
void lancet_narrow_bfloat(uint16_t *out, const float *in, size_t count);

/** The scale of a row of finite numbers: its largest absolute value over 127. */
float lancet_narrow_scale(const float *row, size_t count);

/** out[i] = row[i] / scale to the nearest whole number, the even one of two, within -127 to 127; all 0 if the
 * scale is. */
void lancet_narrow_whole(int8_t *out, const float *row, size_t count, float scale);

#endif
