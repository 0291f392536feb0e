/* The position embedding of picture tokens. SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_CLIP_VISION_POSITIONS_H
#define LANCET_CLIP_VISION_POSITIONS_H

#include <stdbool.h>
#include <stddef.h>

/** out [1 + height width, channels]: the stored embedding [1 + grid grid, channels], its rows but the first
 * (the class token's) interpolated if the grid is another. Always from what is stored, never from one
 * interpolated before. False if memory is out. */
bool lancet_positions_place(float *out, size_t height, size_t width, const float *stored, size_t grid,
                            size_t channels);

#endif
