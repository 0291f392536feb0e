/* Binary masks and label maps in the forms that others read and write: COCO's run lengths and polygons, VOC's
 * colours. Part of liblancet-eval.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_MASKS_H
#define LANCET_MASKS_H

#include "lancet/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The largest mask that is read or written, in pixels: 2^26 (8192 x 8192). */
#define LANCET_MASK_PIXELS_MAX ((size_t)1 << 26)

/** *text = COCO's compressed run lengths of `mask` [height, width], non-zero is on: the string that stands
 * under "counts" beside "size": [height, width] in a COCO segmentation, the same bytes as pycocotools'
 * encode. Zero-terminated printable ASCII (48 to 111, which includes the backslash that JSON escapes). On
 * success *text is the caller's (lancet_rle_close), on failure NULL. Errors: ARGUMENT (a NULL, a side of 0 or
 * beyond LANCET_PICTURE_SIDE_MAX, more than LANCET_MASK_PIXELS_MAX pixels), MEMORY. */
LANCET_API lancet_status lancet_rle_encode(char **text, const uint8_t *mask, size_t width, size_t height,
                                           lancet_error *error);

/** Frees *text and sets it to NULL; NULL and a pointer to NULL are fine. */
LANCET_API void lancet_rle_close(char **text);

/** mask [height, width] = 1 where the compressed run lengths are on, 0 elsewhere. Errors: as above, and INPUT
 * (a character that is none of the code's, a run that is cut short or negative, runs that do not add up to
 * width x height); the mask is then unchanged. */
LANCET_API lancet_status lancet_rle_decode(uint8_t *mask, const char *text, size_t width, size_t height,
                                           lancet_error *error);

/** Sets `mask` [height, width] to 1 inside of the polygon through `points` x, y pairs (closed, even-odd rule)
 * and leaves the rest as it is: the same pixels as pycocotools' frPyObjects, which walks the boundary on a
 * grid five times as fine. Several polygons of one thing are a union: call once for each. xy: [points, 2], at
 * least 3 points, 0 to width and 0 to height; up to one picture's size beyond is allowed and cut off. Errors:
 * ARGUMENT, INPUT (a coordinate beyond that or NaN, a boundary too long), MEMORY. */
LANCET_API lancet_status lancet_polygon_fill(uint8_t *mask, const double *xy, size_t points, size_t width,
                                             size_t height, lancet_error *error);

/** palette [256, 3] = the colours that PASCAL VOC's label maps give their values: 0 black, 1 (128, 0, 0),
 * ..., 255 (224, 224, 192). The bits of a value are dealt out to R, G, B in turn, highest bits of the colour
 * first.
 */
LANCET_API void lancet_label_palette(uint8_t palette[768]);

/** The value of such a colour; false if no value has it. */
LANCET_API bool lancet_label_of_colour(uint8_t *value, const uint8_t rgb[3]);

#ifdef __cplusplus
}
#endif
#endif
