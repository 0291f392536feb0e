/* libpng's call-backs, for the readers and the writer alike. SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_IMAGE_PNG_TROUBLE_H
#define LANCET_IMAGE_PNG_TROUBLE_H

#include <png.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Both libpng's error pointer and its memory pointer. Zero-initialise. */
typedef struct lancet_png_trouble {
    bool out_of_memory;
    char message[200];
} lancet_png_trouble;

/** libpng's call-backs: the message is kept and the jump taken, warnings are dropped (what the library warns
 * of does not change the pixels), memory comes from lancet_allocate. */
void lancet_png_on_error(png_structp library, png_const_charp message);
void lancet_png_on_warning(png_structp library, png_const_charp message);
png_voidp lancet_png_on_allocate(png_structp library, png_alloc_size_t size);
void lancet_png_on_free(png_structp library, png_voidp memory);

/** A file in memory, as libpng reads it through lancet_png_on_read. */
typedef struct lancet_png_bytes {
    const uint8_t *bytes;
    size_t length, at;
} lancet_png_bytes;

/** libpng's read call-back; png_set_read_fn's pointer is a lancet_png_bytes. */
void lancet_png_on_read(png_structp library, png_bytep out, size_t length);

/** Only what the pixels need is parsed: no profiles, no compressed texts that could swell. */
void lancet_png_skip_the_rest(png_structp library);

/** Signature and IHDR: what a PNG file begins with. */
#define LANCET_PNG_HEADER 33

/** *width, *height = what the IHDR chunk says, unchecked; false if there is none. */
bool lancet_png_header(const uint8_t *bytes, size_t length, uint32_t *width, uint32_t *height);

#endif
