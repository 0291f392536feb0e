/* PNG through libpng. SPDX-License-Identifier: Apache-2.0 */
#include "image/decode.h"

#include "base/memory.h"
#include "base/status.h"
#include "image/png_trouble.h"

#include <stdio.h>
#include <string.h>

/* All that must survive a jump out of the library lives here, not in local variables. */
typedef struct reader {
    lancet_png_bytes source;
    png_structp library;
    png_infop info;
    lancet_image *image;
    uint8_t *rgba; /* [height, width, 4], only to blend */
    lancet_png_trouble trouble;
} reader;

static uint32_t number_at(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* The orientation may stand behind the pixels, where the library would not have come yet. */
static lancet_status find_orientation(int *orientation, const uint8_t *bytes, size_t length,
                                      lancet_error *error)
{
    size_t at = 8;

    while (length - at >= 12) {
        const uint32_t size = number_at(bytes + at);

        if (size > length - at - 12)
            break;
        if (memcmp(bytes + at + 4, "eXIf", 4) == 0)
            return lancet_exif_orientation(orientation, bytes + at + 8, size, error);
        at += 12 + (size_t)size;
    }
    return LANCET_OK;
}

/* Runs under setjmp: every failure of the library jumps out, ours return. */
static lancet_status read_pixels(reader *r, const lancet_source *source, lancet_error *error)
{
    png_structp library = r->library;
    bool alpha, blend;
    int passes;

    png_set_read_fn(library, &r->source, lancet_png_on_read);
    png_set_user_limits(library, LANCET_PICTURE_SIDE_MAX, LANCET_PICTURE_SIDE_MAX);
    lancet_png_skip_the_rest(library);
    png_read_info(library, r->info);
    alpha = (png_get_color_type(library, r->info) & PNG_COLOR_MASK_ALPHA) ||
            png_get_valid(library, r->info, PNG_INFO_tRNS);
    blend = alpha && source->options->blend;
    r->image->about.had_alpha = alpha;

    png_set_expand(library); /* palette to RGB, fewer bits to 8, a transparent colour to an alpha channel */
    png_set_strip_16(library);
    png_set_gray_to_rgb(library);
    if (blend) {
        r->rgba = lancet_allocate(r->image->width * r->image->height, 4);
        if (!r->rgba)
            return lancet_fail_memory(error, "a picture");
    } else {
        png_set_strip_alpha(library);
    }
    passes = png_set_interlace_handling(library);
    png_read_update_info(library, r->info);
    if (png_get_rowbytes(library, r->info) != r->image->width * (blend ? 4 : 3))
        png_error(library, "rows of an unexpected length");
    for (int pass = 0; pass < passes; pass++)
        for (size_t y = 0; y < r->image->height; y++)
            png_read_row(library,
                         blend ? r->rgba + y * r->image->width * 4 : r->image->rgb + y * r->image->width * 3,
                         NULL);
    if (blend)
        lancet_decode_blend(r->image->rgb, r->rgba, r->image->width * r->image->height, source->options);
    return LANCET_OK; /* what follows the last row does not matter */
}

static lancet_status read_under_guard(reader *r, const lancet_source *source, lancet_error *error)
{
    r->library = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, &r->trouble, lancet_png_on_error,
                                          lancet_png_on_warning, &r->trouble, lancet_png_on_allocate,
                                          lancet_png_on_free);
    r->info = r->library ? png_create_info_struct(r->library) : NULL;
    if (!r->info)
        return lancet_fail_memory(error, "a PNG reader");
    if (setjmp(png_jmpbuf(r->library)) == 0)
        return read_pixels(r, source, error);
    if (r->trouble.out_of_memory)
        return lancet_fail_memory(error, "decoding a PNG");
    return lancet_fail(error, LANCET_ERROR_INPUT, "damaged PNG: %s", r->trouble.message);
}

lancet_status lancet_png_read(lancet_image **image, const lancet_source *source, lancet_error *error)
{
    uint32_t width, height;
    reader *r = NULL;
    lancet_status status;

    *image = NULL;
    if (!lancet_png_header(source->bytes, source->length, &width, &height))
        return lancet_fail(error, LANCET_ERROR_INPUT,
                           "damaged PNG: expected an IHDR chunk at the beginning, found none");
    r = lancet_allocate_zero(1, sizeof *r);
    if (!r)
        return lancet_fail_memory(error, "a PNG reader");
    r->source = (lancet_png_bytes){.bytes = source->bytes, .length = source->length};
    status = lancet_decode_create(&r->image, source, "PNG", width, height, error);
    if (status == LANCET_OK)
        status = read_under_guard(r, source, error);
    if (r->library)
        png_destroy_read_struct(&r->library, &r->info, NULL);
    if (status == LANCET_OK)
        status = find_orientation(&r->image->about.orientation, source->bytes, source->length, error);
    if (status == LANCET_OK)
        *image = r->image;
    else
        lancet_image_close(&r->image);
    lancet_free(r->rgba);
    lancet_free(r);
    return status;
}
