/* What goes wrong inside libpng, for the reader and the writer alike. SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_IMAGE_PNG_TROUBLE_H
#define LANCET_IMAGE_PNG_TROUBLE_H

#include <png.h>
#include <stdbool.h>

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

#endif
