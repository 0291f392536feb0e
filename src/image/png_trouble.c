/* SPDX-License-Identifier: Apache-2.0 */
#include "image/png_trouble.h"

#include "base/memory.h"

#include <stdio.h>
#include <string.h>

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

void lancet_png_on_read(png_structp library, png_bytep out, size_t length)
{
    lancet_png_bytes *source = png_get_io_ptr(library);

    if (length > source->length - source->at)
        png_error(library, "expected more data, found the end of the file");
    memcpy(out, source->bytes + source->at, length);
    source->at += length;
}

void lancet_png_skip_the_rest(png_structp library)
{
    static const png_byte needless[] =
        "bKGD\0cHRM\0eXIf\0gAMA\0hIST\0iCCP\0iTXt\0oFFs\0pCAL\0pHYs\0sBIT\0sCAL\0"
        "sPLT\0sRGB\0tEXt\0tIME\0zTXt";

    png_set_keep_unknown_chunks(library, PNG_HANDLE_CHUNK_NEVER, needless, sizeof needless / 5);
    png_set_keep_unknown_chunks(library, PNG_HANDLE_CHUNK_NEVER, NULL, 0);
}

static uint32_t number_at(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

bool lancet_png_header(const uint8_t *bytes, size_t length, uint32_t *width, uint32_t *height)
{
    if (length < LANCET_PNG_HEADER || memcmp(bytes + 8, "\0\0\0\x0DIHDR", 8) != 0)
        return false;
    *width = number_at(bytes + 16);
    *height = number_at(bytes + 20);
    return true;
}
