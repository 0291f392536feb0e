/* A picture as the core sees it: RGB bytes in the caller's memory.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_PICTURE_H
#define LANCET_PICTURE_H

#include "lancet/error.h"

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The longest side that any call takes, in pixels: sizes beyond it are refused before anything is allocated.
 */
#define LANCET_PICTURE_SIDE_MAX 65535

/** A view of 8-bit RGB pixels (sRGB as stored, no colour management). Nothing is copied or kept: the memory
 * stays the caller's and must outlive the call it is given to. */
typedef struct lancet_picture {
    const uint8_t *rgb; /**< R, G, B, R, G, B, ... from the top left, row after row */
    size_t width;       /**< pixels in a row, 1 to LANCET_PICTURE_SIDE_MAX */
    size_t height;      /**< rows, 1 to LANCET_PICTURE_SIDE_MAX */
    size_t stride;      /**< bytes from one row to the next; 0 means 3 * width */
} lancet_picture;

#ifdef __cplusplus
}
#endif
#endif
