/* The inside of lancet_image, and what the room's files share. SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_IMAGE_PIXELS_H
#define LANCET_IMAGE_PIXELS_H

#include "base/picture.h"
#include "lancet/image.h"

struct lancet_image {
    lancet_image_about about;
    size_t width, height;
    uint8_t *rgb; /* [height, width, 3] */
};

/** Pixels of that size, not set. Errors: ARGUMENT (a side of zero or beyond the limits), MEMORY. */
lancet_status lancet_image_create(lancet_image **image, size_t width, size_t height, lancet_error *error);

/** Where row `y` begins. */
static inline const uint8_t *lancet_picture_row(const lancet_picture *picture, size_t y)
{
    return picture->rgb + y * (picture->stride ? picture->stride : picture->width * 3);
}

/** a * b / 255, rounded to nearest without a division; a and b are 0..255. */
static inline uint8_t lancet_byte_product(unsigned a, unsigned b)
{
    const unsigned t = a * b + 128;

    return (uint8_t)((t + (t >> 8)) >> 8);
}

/** What of `below` and `above` is seen where `above` covers `alpha` / 255, rounded to nearest. */
static inline uint8_t lancet_byte_blend(unsigned below, unsigned above, unsigned alpha)
{
    const unsigned t = below * (255 - alpha) + above * alpha + 128;

    return (uint8_t)((t + (t >> 8)) >> 8);
}

#endif
