/* Bilinear interpolation, PyTorch's way: half-pixel centres (align_corners=False), no antialias.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_TENSOR_INTERPOLATE_H
#define LANCET_TENSOR_INTERPOLATE_H

#include <stdbool.h>
#include <stddef.h>

/** Where an output position falls between two input positions, and how much it takes of each. */
typedef struct lancet_sample_place {
    size_t low, high;
    float weight_low, weight_high;
} lancet_sample_place;

/** places [out], along a side of `in` values; both at least 1. */
void lancet_interpolate_places(lancet_sample_place *places, size_t out, size_t in);

/** out [out_height, out_width, channels] from in [in_height, in_width, channels]; all sizes at least 1. False
 * if memory is out. */
bool lancet_interpolate_bilinear(float *out, size_t out_height, size_t out_width, const float *in,
                                 size_t in_height, size_t in_width, size_t channels);

#endif
