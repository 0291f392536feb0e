/* Bilinear interpolation, PyTorch's way: half-pixel centres (align_corners=False), no antialias.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_TENSOR_INTERPOLATE_H
#define LANCET_TENSOR_INTERPOLATE_H

#include <stdbool.h>
#include <stddef.h>

/** out [out_height, out_width, channels] from in [in_height, in_width, channels]; all sizes at least 1. False
 * if memory is out. */
bool lancet_interpolate_bilinear(float *out, size_t out_height, size_t out_width, const float *in,
                                 size_t in_height, size_t in_width, size_t channels);

#endif
