/* SPDX-License-Identifier: Apache-2.0 */
#include "image/png_trouble.h"

#include "base/memory.h"

#include <stdio.h>

void lancet_png_on_error(png_structp library, png_const_charp message)
{
    lancet_png_trouble *trouble = png_get_error_ptr(library);

    snprintf(trouble->message, sizeof trouble->message, "%s", message);
    png_longjmp(library, 1);
}

void lancet_png_on_warning(png_structp library, png_const_charp message)
{
    (void)library;
    (void)message;
}

png_voidp lancet_png_on_allocate(png_structp library, png_alloc_size_t size)
{
    lancet_png_trouble *trouble = png_get_mem_ptr(library);
    void *memory = lancet_allocate(size, 1);

    trouble->out_of_memory |= !memory;
    return memory;
}

void lancet_png_on_free(png_structp library, png_voidp memory)
{
    (void)library;
    lancet_free(memory);
}
