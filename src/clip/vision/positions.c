/* SPDX-License-Identifier: Apache-2.0 */
#include "clip/vision/positions.h"

#include "tensor/interpolate.h"

#include <string.h>

bool lancet_positions_place(float *out, size_t height, size_t width, const float *stored, size_t grid,
                            size_t channels)
{
    const bool same = height == grid && width == grid;

    memcpy(out, stored, (same ? 1 + height * width : 1) * channels * sizeof *out);
    return same || lancet_interpolate_bilinear(out + channels, height, width, stored + channels, grid, grid,
                                               channels);
}
