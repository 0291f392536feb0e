/* The image: opened by its content, resized, closed. SPDX-License-Identifier: Apache-2.0 */
#include "image/decode.h"
#include "image/resize.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/status.h"

#include <inttypes.h>

lancet_status lancet_image_create(lancet_image **image, size_t width, size_t height, lancet_error *error)
{
    *image = NULL;
    if (width < 1 || height < 1 || width > LANCET_PICTURE_SIDE_MAX || height > LANCET_PICTURE_SIDE_MAX ||
        (uint64_t)width * height > LANCET_IMAGE_PIXELS_MAX)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                           "picture: expected sides from 1 to %d and at most %" PRIu64
                           " pixels, found %zu x %zu",
                           LANCET_PICTURE_SIDE_MAX, LANCET_IMAGE_PIXELS_MAX, width, height);
    *image = lancet_allocate_zero(1, sizeof **image);
    if (*image)
        (*image)->rgb = lancet_allocate(width * height, 3);
    if (!*image || !(*image)->rgb) {
        lancet_image_close(image);
        return lancet_fail_memory(error, "a picture");
    }
    (*image)->width = width;
    (*image)->height = height;
    (*image)->about = (lancet_image_about){
        .format = "", .stored_width = width, .stored_height = height, .orientation = 1, .frames = 1};
    return LANCET_OK;
}

lancet_status lancet_decode_create(lancet_image **image, const lancet_source *source, const char *format,
                                   uint64_t width, uint64_t height, lancet_error *error)
{
    const uint64_t most = source->options->pixels_max ? source->options->pixels_max : LANCET_IMAGE_PIXELS_MAX;
    lancet_status status;

    *image = NULL;
    if (width < 1 || height < 1)
        return lancet_fail(error, LANCET_ERROR_INPUT,
                           "expected a %s picture of at least one pixel, found %" PRIu64 " x %" PRIu64,
                           format, width, height);
    if (width > LANCET_PICTURE_SIDE_MAX || height > LANCET_PICTURE_SIDE_MAX)
        return lancet_fail(error, LANCET_ERROR_INPUT,
                           "expected a %s picture of at most %d pixels a side, found %" PRIu64 " x %" PRIu64,
                           format, LANCET_PICTURE_SIDE_MAX, width, height);
    if (width * height > most || width * height > LANCET_IMAGE_PIXELS_MAX)
        return lancet_fail(error, LANCET_ERROR_INPUT,
                           "expected a %s picture of at most %" PRIu64 " pixels, found %" PRIu64 " x %" PRIu64
                           " = %" PRIu64,
                           format, most < LANCET_IMAGE_PIXELS_MAX ? most : LANCET_IMAGE_PIXELS_MAX, width,
                           height, width * height);
    status = lancet_image_create(image, (size_t)width, (size_t)height, error);
    if (status == LANCET_OK)
        (*image)->about.format = format;
    return status;
}

void lancet_decode_blend(uint8_t *rgb, const uint8_t *rgba, size_t count, const lancet_image_options *options)
{
    for (size_t i = 0; i < count; i++)
        for (size_t c = 0; c < 3; c++)
            rgb[3 * i + c] = lancet_byte_blend(options->background[c], rgba[4 * i + c], rgba[4 * i + 3]);
}

static lancet_status decode(lancet_image **image, const lancet_source *source, lancet_error *error)
{
    const char *format = NULL;

    switch (lancet_format_detect(&format, source->bytes, source->length)) {
    case LANCET_FORMAT_JPEG:
        return lancet_jpeg_read(image, source, error);
    case LANCET_FORMAT_PNG:
        return lancet_png_read(image, source, error);
    case LANCET_FORMAT_WEBP:
        return lancet_webp_read(image, source, error);
    case LANCET_FORMAT_OTHER:
        return lancet_fail(error, LANCET_ERROR_UNSUPPORTED,
                           "expected a JPEG, PNG or WebP picture, found the format %s", format);
    case LANCET_FORMAT_NONE:
        break;
    }
    if (source->length == 0)
        return lancet_fail(error, LANCET_ERROR_INPUT,
                           "expected a JPEG, PNG or WebP picture, found an empty file");
    if (source->length < 4)
        return lancet_fail(error, LANCET_ERROR_INPUT,
                           "expected a JPEG, PNG or WebP picture, found a file of %zu byte%s", source->length,
                           source->length == 1 ? "" : "s");
    return lancet_fail(
        error, LANCET_ERROR_INPUT,
        "expected a JPEG, PNG or WebP picture, found a file that begins with the bytes %02X %02X %02X %02X",
        source->bytes[0], source->bytes[1], source->bytes[2], source->bytes[3]);
}

lancet_status lancet_image_open_memory(lancet_image **image, const void *bytes, size_t length,
                                       const char *name, const lancet_image_options *options,
                                       lancet_error *error)
{
    static const lancet_image_options defaults;
    const lancet_source source = {bytes, length, options ? options : &defaults};
    lancet_status status;

    if (!image)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                           "image: expected a place for the result, found NULL");
    *image = NULL;
    if (!bytes)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "image: expected bytes, found NULL");
    status = decode(image, &source, error);
    if (status == LANCET_OK && !source.options->ignore_orientation)
        status = lancet_image_orient(*image, (*image)->about.orientation, error);
    if (status != LANCET_OK) {
        lancet_image_close(image);
        return lancet_fail_within(error, status, name ? name : "picture");
    }
    return LANCET_OK;
}

lancet_status lancet_image_open(lancet_image **image, const char *path, const lancet_image_options *options,
                                lancet_error *error)
{
    lancet_mapping mapping = {0};
    lancet_status status;

    if (!image)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                           "image: expected a place for the result, found NULL");
    *image = NULL;
    if (!path)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "image: expected a path, found NULL");
    status = lancet_mapping_open(&mapping, path, error);
    if (status == LANCET_OK)
        status = lancet_image_open_memory(image, mapping.bytes, mapping.length, path, options, error);
    lancet_mapping_close(&mapping);
    return status;
}

void lancet_image_close(lancet_image **image)
{
    if (!image || !*image)
        return;
    lancet_free((*image)->rgb);
    lancet_free(*image);
    *image = NULL;
}

lancet_picture lancet_image_picture(const lancet_image *image)
{
    if (!image)
        return (lancet_picture){0};
    return (lancet_picture){image->rgb, image->width, image->height, 3 * image->width};
}

const lancet_image_about *lancet_image_describe(const lancet_image *image)
{
    return image ? &image->about : NULL;
}

lancet_status lancet_image_resize(lancet_image **image, const lancet_picture *picture, size_t width,
                                  size_t height, lancet_error *error)
{
    lancet_status status;

    if (!image)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                           "resize: expected a place for the result, found NULL");
    *image = NULL;
    status = lancet_picture_check(picture, "resize", error);
    if (status == LANCET_OK)
        status = lancet_image_create(image, width, height, error);
    if (status == LANCET_OK)
        status = lancet_resize_bicubic((*image)->rgb, width, height, picture, error);
    if (status != LANCET_OK)
        lancet_image_close(image);
    return status;
}
