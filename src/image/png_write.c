/* PNG files written through libpng. SPDX-License-Identifier: Apache-2.0 */
#include "image/pixels.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/status.h"
#include "base/utf8.h"
#include "image/png_trouble.h"

#include <stdio.h>
#include <string.h>

#define KEYWORD_MAX   79
#define DEFAULT_LEVEL 2

typedef struct writer {
    png_structp library;
    png_infop info;
    lancet_buffer out;
    png_text *texts;
    lancet_png_trouble trouble;
} writer;

static void on_write(png_structp library, png_bytep bytes, size_t length)
{
    writer *w = png_get_io_ptr(library);

    if (!lancet_buffer_append(&w->out, bytes, length)) {
        w->trouble.out_of_memory = true;
        png_error(library, "out of memory");
    }
}

static void on_flush(png_structp library)
{
    (void)library;
}

static size_t row_bytes(const lancet_png *png)
{
    switch (png->form) {
    case LANCET_PNG_RGB:
        return png->width * 3;
    case LANCET_PNG_GREY16:
        return png->width * 2;
    default:
        return png->width;
    }
}

/* PNG's rules: printable Latin-1, no space at either end, no two in a row. Words of the writer's own are
 * ASCII. */
static bool keyword_valid(const char *keyword)
{
    const size_t length = keyword ? strlen(keyword) : 0;

    if (length < 1 || length > KEYWORD_MAX || keyword[0] == ' ' || keyword[length - 1] == ' ')
        return false;
    for (size_t i = 0; i < length; i++) {
        const unsigned char c = (unsigned char)keyword[i];

        if (c < 32 || (c > 126 && c < 161) || (c == ' ' && keyword[i + 1] == ' '))
            return false;
    }
    return true;
}

static lancet_status check_texts(const lancet_png *png, lancet_error *error)
{
    if (png->text_count && !png->texts)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "PNG: expected %zu texts, found NULL",
                           png->text_count);
    if (png->text_count > 1000)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "PNG: expected at most 1000 texts, found %zu",
                           png->text_count);
    for (size_t i = 0; i < png->text_count; i++) {
        const lancet_png_text *text = &png->texts[i];

        if (!keyword_valid(text->keyword))
            return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                               "PNG: expected a keyword of 1 to %d printable characters, found \"%.90s\"",
                               KEYWORD_MAX, text->keyword ? text->keyword : "NULL");
        if (!text->value || lancet_utf8_check(text->value, strlen(text->value)) != strlen(text->value))
            return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                               "PNG: text \"%s\": expected a value in UTF-8, found %s", text->keyword,
                               text->value ? "other bytes" : "NULL");
    }
    return LANCET_OK;
}

static lancet_status check_palette(const lancet_png *png, size_t stride, lancet_error *error)
{
    if (!png->palette || png->palette_count < 1 || png->palette_count > 256)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                           "PNG: expected a palette of 1 to 256 colours, found %zu",
                           png->palette ? png->palette_count : 0);
    for (size_t y = 0; y < png->height; y++) {
        const uint8_t *row = (const uint8_t *)png->samples + y * stride;

        for (size_t x = 0; x < png->width; x++)
            if (row[x] >= png->palette_count)
                return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                                   "PNG: expected samples below %zu, found %d at column %zu, row %zu",
                                   png->palette_count, row[x], x, y);
    }
    return LANCET_OK;
}

static lancet_status check(const lancet_png *png, size_t stride, lancet_error *error)
{
    if (!png->samples)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "PNG: expected samples, found NULL");
    if ((unsigned)png->form > LANCET_PNG_PALETTE)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "PNG: expected a form from 0 to %d, found %d",
                           LANCET_PNG_PALETTE, (int)png->form);
    if (png->width < 1 || png->height < 1 || png->width > LANCET_PICTURE_SIDE_MAX ||
        png->height > LANCET_PICTURE_SIDE_MAX)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "PNG: expected sides from 1 to %d, found %zu x %zu",
                           LANCET_PICTURE_SIDE_MAX, png->width, png->height);
    if (stride < row_bytes(png))
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "PNG: expected a stride of at least %zu, found %zu",
                           row_bytes(png), stride);
    if (png->form == LANCET_PNG_GREY16 && ((uintptr_t)png->samples % 2 || stride % 2))
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "PNG: expected 16-bit samples at even addresses");
    if (png->level < 0 || png->level > 9)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                           "PNG: expected a level from 1 to 9 (0: the default), found %d", png->level);
    if (png->form == LANCET_PNG_PALETTE) {
        const lancet_status status = check_palette(png, stride, error);

        if (status != LANCET_OK)
            return status;
    }
    return check_texts(png, error);
}

static bool is_ascii(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text >= 128)
            return false;
    return true;
}

static void write_header(writer *w, const lancet_png *png)
{
    static const int types[] = {PNG_COLOR_TYPE_RGB, PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY,
                                PNG_COLOR_TYPE_PALETTE};

    png_set_compression_level(w->library, png->level ? png->level : DEFAULT_LEVEL);
    /* One filter for all rows, as trying all five on each takes longer than the compression; none for
     * palettes, whose neighbouring numbers say nothing about each other. */
    png_set_filter(w->library, PNG_FILTER_TYPE_BASE,
                   png->form == LANCET_PNG_PALETTE ? PNG_FILTER_NONE : PNG_FILTER_SUB);
    png_set_IHDR(w->library, w->info, (png_uint_32)png->width, (png_uint_32)png->height,
                 png->form == LANCET_PNG_GREY16 ? 16 : 8, types[png->form], PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    if (png->form == LANCET_PNG_PALETTE) {
        png_color colours[256];

        for (size_t i = 0; i < png->palette_count; i++)
            colours[i] = (png_color){png->palette[3 * i], png->palette[3 * i + 1], png->palette[3 * i + 2]};
        png_set_PLTE(w->library, w->info, colours, (int)png->palette_count);
    }
    if (png->text_count)
        png_set_text(w->library, w->info, w->texts, (int)png->text_count);
    png_write_info(w->library, w->info);
}

/* Under setjmp; nothing here returns early. */
static void write_all(writer *w, const lancet_png *png, size_t stride)
{
    const uint16_t one = 1;

    png_set_write_fn(w->library, w, on_write, on_flush);
    write_header(w, png);
    if (png->form == LANCET_PNG_GREY16 && *(const uint8_t *)&one == 1)
        png_set_swap(w->library); /* PNG is big-endian */
    for (size_t y = 0; y < png->height; y++)
        png_write_row(w->library, (png_const_bytep)png->samples + y * stride);
    png_write_end(w->library, NULL);
}

static lancet_status write_under_guard(writer *w, const lancet_png *png, size_t stride, lancet_error *error)
{
    w->texts = lancet_allocate_zero(png->text_count, sizeof *w->texts);
    if (!w->texts)
        return lancet_fail_memory(error, "writing a PNG");
    for (size_t i = 0; i < png->text_count; i++) {
        w->texts[i].compression =
            is_ascii(png->texts[i].value) ? PNG_TEXT_COMPRESSION_NONE : PNG_ITXT_COMPRESSION_NONE;
        w->texts[i].key = (png_charp)png->texts[i].keyword;
        w->texts[i].text = (png_charp)png->texts[i].value;
    }
    w->library = png_create_write_struct_2(PNG_LIBPNG_VER_STRING, &w->trouble, lancet_png_on_error,
                                           lancet_png_on_warning, &w->trouble, lancet_png_on_allocate,
                                           lancet_png_on_free);
    w->info = w->library ? png_create_info_struct(w->library) : NULL;
    if (!w->info)
        return lancet_fail_memory(error, "writing a PNG");
    if (setjmp(png_jmpbuf(w->library)) == 0) {
        write_all(w, png, stride);
        return LANCET_OK;
    }
    if (w->trouble.out_of_memory)
        return lancet_fail_memory(error, "writing a PNG");
    return lancet_fail(error, LANCET_ERROR_ARGUMENT, "PNG: cannot be written: %s", w->trouble.message);
}

lancet_status lancet_png_encode(uint8_t **bytes, size_t *length, const lancet_png *png, lancet_error *error)
{
    writer *w = NULL;
    lancet_status status;
    size_t stride;

    if (!bytes || !length || !png)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                           "PNG: expected a picture and a place for the result, found NULL");
    *bytes = NULL;
    *length = 0;
    stride = png->stride ? png->stride : row_bytes(png);
    status = check(png, stride, error);
    if (status != LANCET_OK)
        return status;
    w = lancet_allocate_zero(1, sizeof *w);
    if (!w)
        return lancet_fail_memory(error, "writing a PNG");
    status = write_under_guard(w, png, stride, error);
    if (w->library)
        png_destroy_write_struct(&w->library, &w->info);
    if (status == LANCET_OK) {
        *bytes = (uint8_t *)w->out.bytes;
        *length = w->out.length;
    } else {
        lancet_buffer_close(&w->out);
    }
    lancet_free(w->texts);
    lancet_free(w);
    return status;
}

void lancet_png_bytes_close(uint8_t **bytes)
{
    if (!bytes)
        return;
    lancet_free(*bytes);
    *bytes = NULL;
}

lancet_status lancet_png_write(const char *path, const lancet_png *png, lancet_error *error)
{
    uint8_t *bytes = NULL;
    size_t length = 0;
    lancet_status status;

    if (!path)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "PNG: expected a path, found NULL");
    status = lancet_png_encode(&bytes, &length, png, error);
    if (status == LANCET_OK)
        status = lancet_file_write(path, bytes, length, error);
    lancet_png_bytes_close(&bytes);
    return status;
}
