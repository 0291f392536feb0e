/* Bicubic resize of 8-bit pixels, bit for bit as Pillow does it. Links no codec: the core compiles it too.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_IMAGE_RESIZE_H
#define LANCET_IMAGE_RESIZE_H

#include "lancet/picture.h"

/** Writes `picture` scaled to width x height into `out` [height, width, 3], which the caller owns (3 * width
 * * height bytes, rows without gaps, not overlapping the picture).
 *
 * Equal to Pillow's Image.resize((width, height), BICUBIC) of an RGB picture: kernel a = -1/2, widened by
 * the ratio when shrinking, weights of 22 fractional bits, across first (rounded to 8 bits), then down; an
 * axis whose size stays is left alone. Working memory: a few MiB, whatever the sizes. Sides: 1 to
 * LANCET_PICTURE_SIDE_MAX. Errors: ARGUMENT (a NULL, a side out of range, a stride shorter than a row),
 * MEMORY. */
lancet_status lancet_resize_bicubic(uint8_t *out, size_t width, size_t height, const lancet_picture *picture,
                                    lancet_error *error);

/** The same for one channel: `in` [in_height, in_width] -> `out` [height, width], both without gaps. */
lancet_status lancet_resize_bicubic_grey(uint8_t *out, size_t width, size_t height, const uint8_t *in,
                                         size_t in_width, size_t in_height, lancet_error *error);

#endif
