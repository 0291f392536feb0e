/* A PNG's stored numbers: label maps, whose palette says nothing. SPDX-License-Identifier: Apache-2.0 */
#include "lancet/image.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/status.h"
#include "image/decode.h"
#include "image/png_trouble.h"

#include <inttypes.h>
#include <string.h>

/* All that must survive a jump out of the library lives here, not in local variables. */
typedef struct reader {
    lancet_png_bytes source;
    png_structp library;
    png_infop info;
    lancet_png_numbers numbers;
    uint8_t *rows; /* [height, row_bytes] if interlaced, else one row */
    lancet_png_trouble trouble;
} reader;

static void put_row(uint32_t *out, const uint8_t *row, size_t width, int channels, int depth)
{
    for (size_t x = 0; x < width; x++) {
        const uint8_t *pixel = row + x * (size_t)channels * (depth == 16 ? 2 : 1);

        if (channels >= 3)
            out[x] = pixel[0] | (uint32_t)pixel[1] << 8 | (uint32_t)pixel[2] << 16;
        else
            out[x] = depth == 16 ? (uint32_t)pixel[0] << 8 | pixel[1] : pixel[0];
    }
}

/* Runs under setjmp: every failure of the library jumps out, ours return. */
static lancet_status read_rows(reader *r, lancet_error *error)
{
    const size_t width = r->numbers.width, height = r->numbers.height;
    png_structp library = r->library;
    int channels, depth, passes;
    size_t row_bytes;

    png_set_read_fn(library, &r->source, lancet_png_on_read);
    png_set_user_limits(library, LANCET_PICTURE_SIDE_MAX, LANCET_PICTURE_SIDE_MAX);
    lancet_png_skip_the_rest(library);
    png_read_info(library, r->info);
    r->numbers.colour = png_get_color_type(library, r->info) & PNG_COLOR_MASK_COLOR &&
                        png_get_color_type(library, r->info) != PNG_COLOR_TYPE_PALETTE;
    if (r->numbers.colour && png_get_bit_depth(library, r->info) == 16)
        return lancet_fail(error, LANCET_ERROR_UNSUPPORTED,
                           "expected a label map of 8 bits a channel, found colours of 16 bits");
    png_set_packing(library); /* a byte for each of the smaller numbers, which keep their value */
    passes = png_set_interlace_handling(library);
    png_read_update_info(library, r->info);
    channels = png_get_channels(library, r->info);
    depth = png_get_bit_depth(library, r->info);
    row_bytes = png_get_rowbytes(library, r->info);
    if (row_bytes != width * (size_t)channels * (depth == 16 ? 2 : 1))
        png_error(library, "rows of an unexpected length");
    r->rows = lancet_allocate_zero(passes > 1 ? height : 1, row_bytes);
    if (!r->rows)
        return lancet_fail_memory(error, "a label map");
    for (int pass = 0; pass < passes; pass++)
        for (size_t y = 0; y < height; y++) {
            uint8_t *row = passes > 1 ? r->rows + y * row_bytes : r->rows;

            png_read_row(library, row, NULL);
            if (pass == passes - 1)
                put_row(r->numbers.numbers + y * width, row, width, channels, depth);
        }
    return LANCET_OK; /* what follows the last row does not matter */
}

static lancet_status read_under_guard(reader *r, lancet_error *error)
{
    r->library = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, &r->trouble, lancet_png_on_error,
                                          lancet_png_on_warning, &r->trouble, lancet_png_on_allocate,
                                          lancet_png_on_free);
    r->info = r->library ? png_create_info_struct(r->library) : NULL;
    if (!r->info)
        return lancet_fail_memory(error, "a PNG reader");
    if (setjmp(png_jmpbuf(r->library)) == 0)
        return read_rows(r, error);
    if (r->trouble.out_of_memory)
        return lancet_fail_memory(error, "decoding a PNG");
    return lancet_fail(error, LANCET_ERROR_INPUT, "damaged PNG: %s", r->trouble.message);
}

static lancet_status allocate_numbers(reader *r, uint64_t pixels_max, lancet_error *error)
{
    uint32_t width, height;
    const char *format;

    if (lancet_format_detect(&format, r->source.bytes, r->source.length) != LANCET_FORMAT_PNG)
        return lancet_fail(error, LANCET_ERROR_INPUT, "expected a label map as PNG, found %s",
                           format             ? format
                           : r->source.length ? "something else"
                                              : "an empty file");
    if (!lancet_png_header(r->source.bytes, r->source.length, &width, &height))
        return lancet_fail(error, LANCET_ERROR_INPUT,
                           "damaged PNG: expected an IHDR chunk at the beginning, found none");
    if (!width || !height || width > LANCET_PICTURE_SIDE_MAX || height > LANCET_PICTURE_SIDE_MAX ||
        (uint64_t)width * height > pixels_max)
        return lancet_fail(error, LANCET_ERROR_INPUT,
                           "expected a label map of sides from 1 to %d and at most %" PRIu64
                           " pixels, found %" PRIu32 " x %" PRIu32,
                           LANCET_PICTURE_SIDE_MAX, pixels_max, width, height);
    r->numbers.width = width;
    r->numbers.height = height;
    r->numbers.numbers = lancet_allocate((size_t)width * height, sizeof *r->numbers.numbers);
    return r->numbers.numbers ? LANCET_OK : lancet_fail_memory(error, "a label map");
}

lancet_status lancet_png_numbers_open(lancet_png_numbers *numbers, const char *path, uint64_t pixels_max,
                                      lancet_error *error)
{
    lancet_mapping mapping = {0};
    reader *r = NULL;
    lancet_status status;

    if (!numbers || !path)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                           "label map: expected a path and a place for the result, found NULL");
    *numbers = (lancet_png_numbers){0};
    status = lancet_mapping_open(&mapping, path, error);
    if (status != LANCET_OK)
        return status;
    r = lancet_allocate_zero(1, sizeof *r);
    if (!r) {
        lancet_mapping_close(&mapping);
        return lancet_fail_memory(error, "a PNG reader");
    }
    r->source = (lancet_png_bytes){.bytes = mapping.bytes, .length = mapping.length};
    status = allocate_numbers(r, pixels_max ? pixels_max : LANCET_IMAGE_PIXELS_MAX, error);
    if (status == LANCET_OK)
        status = read_under_guard(r, error);
    if (r->library)
        png_destroy_read_struct(&r->library, &r->info, NULL);
    if (status == LANCET_OK)
        *numbers = r->numbers;
    else
        lancet_free(r->numbers.numbers);
    lancet_free(r->rows);
    lancet_free(r);
    lancet_mapping_close(&mapping);
    return status == LANCET_OK ? status : lancet_fail_within(error, status, path);
}

void lancet_png_numbers_close(lancet_png_numbers *numbers)
{
    if (!numbers)
        return;
    lancet_free(numbers->numbers);
    *numbers = (lancet_png_numbers){0};
}
