/* A picture's size, from its first bytes. SPDX-License-Identifier: Apache-2.0 */
#include "lancet/image.h"

#include "base/file.h"
#include "base/status.h"
#include "image/decode.h"
#include "image/png_trouble.h"

#include <string.h>

#include <webp/decode.h>

/* The frame header, behind any number of other segments. */
static bool measure_jpeg(size_t *width, size_t *height, const uint8_t *bytes, size_t length)
{
    size_t at = 2;

    while (length - at >= 4) {
        const unsigned marker = bytes[at + 1];
        size_t size;

        if (bytes[at] != 0xFF)
            return false;
        if (marker == 0xFF || marker == 0x01 || (marker >= 0xD0 && marker <= 0xD8)) {
            at += marker == 0xFF ? 1 : 2; /* padding, or a marker that stands alone */
            continue;
        }
        size = (size_t)bytes[at + 2] << 8 | bytes[at + 3];
        if (marker == 0xDA || marker == 0xD9 || size < 2 || size > length - at - 2)
            return false;
        if (marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC) {
            if (size < 8)
                return false;
            *height = (size_t)bytes[at + 5] << 8 | bytes[at + 6];
            *width = (size_t)bytes[at + 7] << 8 | bytes[at + 8];
            return true;
        }
        at += 2 + size;
    }
    return false;
}

static bool measure(size_t *width, size_t *height, lancet_format format, const lancet_mapping *mapping)
{
    uint32_t columns, rows;
    int across, down;

    switch (format) {
    case LANCET_FORMAT_JPEG:
        return measure_jpeg(width, height, mapping->bytes, mapping->length);
    case LANCET_FORMAT_PNG:
        if (!lancet_png_header(mapping->bytes, mapping->length, &columns, &rows))
            return false;
        *width = columns;
        *height = rows;
        return true;
    default:
        if (!WebPGetInfo(mapping->bytes, mapping->length, &across, &down) || across < 1 || down < 1)
            return false;
        *width = (size_t)across;
        *height = (size_t)down;
        return true;
    }
}

lancet_status lancet_image_measure(const char *path, size_t *width, size_t *height, lancet_error *error)
{
    lancet_mapping mapping = {0};
    const char *name = NULL;
    lancet_format format;
    lancet_status status;

    if (!path || !width || !height)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                           "image: expected a path and places for the result, found NULL");
    *width = *height = 0;
    status = lancet_mapping_open(&mapping, path, error);
    if (status != LANCET_OK)
        return status;
    format = lancet_format_detect(&name, mapping.bytes, mapping.length);
    if (format == LANCET_FORMAT_OTHER)
        status = lancet_fail(error, LANCET_ERROR_UNSUPPORTED,
                             "%s: expected a JPEG, PNG or WebP picture, found the format %s", path, name);
    else if (format == LANCET_FORMAT_NONE)
        status = lancet_fail(error, LANCET_ERROR_INPUT, "%s: expected a JPEG, PNG or WebP picture, found %s",
                             path, mapping.length ? "something else" : "an empty file");
    else if (!measure(width, height, format, &mapping))
        status =
            lancet_fail(error, LANCET_ERROR_INPUT, "%s: damaged %s: its size cannot be found", path, name);
    lancet_mapping_close(&mapping);
    return status;
}
