/* One reader for each format. Messages leave out the file's name: lancet_image_open puts it before them.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_IMAGE_DECODE_H
#define LANCET_IMAGE_DECODE_H

#include "image/pixels.h"

/** What a reader reads. `options` is never NULL. */
typedef struct lancet_source {
    const uint8_t *bytes;
    size_t length;
    const lancet_image_options *options;
} lancet_source;

/** Each makes *image (NULL on failure) with `about` filled in but for `oriented`: the pixels are as stored.
 */
lancet_status lancet_jpeg_read(lancet_image **image, const lancet_source *source, lancet_error *error);
lancet_status lancet_png_read(lancet_image **image, const lancet_source *source, lancet_error *error);
lancet_status lancet_webp_read(lancet_image **image, const lancet_source *source, lancet_error *error);

/** An image for a file that says it has width x height pixels. Refuses zero, a side beyond
 * LANCET_PICTURE_SIDE_MAX and more than options->pixels_max pixels with INPUT; MEMORY. */
lancet_status lancet_decode_create(lancet_image **image, const lancet_source *source, const char *format,
                                   uint64_t width, uint64_t height, lancet_error *error);

/** Lays `rgba` [count, 4] on options->background into `rgb` [count, 3]. */
void lancet_decode_blend(uint8_t *rgb, const uint8_t *rgba, size_t count,
                         const lancet_image_options *options);

/** *orientation = that of an EXIF block (with or without its "Exif" header), 1 to 8; 1 if there is none to be
 * found. Errors: MEMORY. */
lancet_status lancet_exif_orientation(int *orientation, const uint8_t *bytes, size_t length,
                                      lancet_error *error);

/** Mirrors and turns the pixels so that `orientation` (1 to 8) is undone. Errors: MEMORY (the image is
 * unchanged). */
lancet_status lancet_image_orient(lancet_image *image, int orientation, lancet_error *error);

/** What the first bytes look like. */
typedef enum lancet_format {
    LANCET_FORMAT_NONE, /**< nothing known */
    LANCET_FORMAT_JPEG,
    LANCET_FORMAT_PNG,
    LANCET_FORMAT_WEBP,
    LANCET_FORMAT_OTHER /**< known, and not read */
} lancet_format;

/** *name: what the format is called; NULL for LANCET_FORMAT_NONE. */
lancet_format lancet_format_detect(const char **name, const uint8_t *bytes, size_t length);

#endif
