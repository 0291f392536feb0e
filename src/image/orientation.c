/* EXIF orientation: finding it and undoing it. SPDX-License-Identifier: Apache-2.0 */
#include "image/decode.h"

#include "base/memory.h"
#include "base/status.h"

#include <libexif/exif-data.h>
#include <string.h>

#define EXIF_HEADER_LENGTH 6
#define EXIF_LENGTH_MAX    (1u << 20) /* real ones are below 64 KiB; no need to hand megabytes to a parser */

static const char exif_header[EXIF_HEADER_LENGTH] = {'E', 'x', 'i', 'f', 0, 0};

lancet_status lancet_exif_orientation(int *orientation, const uint8_t *bytes, size_t length,
                                      lancet_error *error)
{
    const ExifEntry *entry;
    uint8_t *headed = NULL;
    ExifData *data = NULL;

    *orientation = 1;
    if (length < EXIF_HEADER_LENGTH || length > EXIF_LENGTH_MAX)
        return LANCET_OK;
    if (memcmp(bytes, exif_header, EXIF_HEADER_LENGTH) != 0) {
        /* PNG and WebP leave the header out, libexif insists on it. */
        headed = lancet_allocate(length + EXIF_HEADER_LENGTH, 1);
        if (!headed)
            return lancet_fail_memory(error, "an EXIF block");
        memcpy(headed, exif_header, EXIF_HEADER_LENGTH);
        memcpy(headed + EXIF_HEADER_LENGTH, bytes, length);
        bytes = headed;
        length += EXIF_HEADER_LENGTH;
    }
    data = exif_data_new();
    if (!data) {
        lancet_free(headed);
        return lancet_fail_memory(error, "an EXIF block");
    }
    exif_data_unset_option(data, EXIF_DATA_OPTION_FOLLOW_SPECIFICATION); /* read, do not repair */
    exif_data_load_data(data, bytes, (unsigned)length);
    entry = exif_content_get_entry(data->ifd[EXIF_IFD_0], EXIF_TAG_ORIENTATION);
    if (entry && entry->format == EXIF_FORMAT_SHORT && entry->components >= 1 && entry->size >= 2) {
        const int value = exif_get_short(entry->data, exif_data_get_byte_order(data));

        *orientation = value >= 1 && value <= 8 ? value : 1;
    }
    exif_data_unref(data);
    lancet_free(headed);
    return LANCET_OK;
}

/* Where the pixel at (0, 0) of the result comes from, and how far a step right and a step down go in the
 * source. */
typedef struct walk {
    ptrdiff_t start, right, down;
    bool turned; /* width and height change places */
} walk;

static walk walk_of(int orientation, ptrdiff_t width, ptrdiff_t height)
{
    const ptrdiff_t x = 3, y = 3 * width, x_last = 3 * (width - 1), y_last = y * (height - 1);

    switch (orientation) {
    case 2: /* mirrored left to right */
        return (walk){x_last, -x, y, false};
    case 3: /* upside down */
        return (walk){x_last + y_last, -x, -y, false};
    case 4: /* mirrored top to bottom */
        return (walk){y_last, x, -y, false};
    case 5: /* mirrored about the main diagonal */
        return (walk){0, y, x, true};
    case 6: /* needs a quarter turn clockwise */
        return (walk){y_last, -y, x, true};
    case 7: /* mirrored about the other diagonal */
        return (walk){x_last + y_last, -y, -x, true};
    case 8: /* needs a quarter turn anticlockwise */
        return (walk){x_last, y, -x, true};
    default:
        return (walk){0, x, y, false};
    }
}

lancet_status lancet_image_orient(lancet_image *image, int orientation, lancet_error *error)
{
    const walk w = walk_of(orientation, (ptrdiff_t)image->width, (ptrdiff_t)image->height);
    const size_t width = w.turned ? image->height : image->width,
                 height = w.turned ? image->width : image->height;
    const size_t tile = 64; /* so that a turned picture's column steps stay within the cache */
    uint8_t *turned;

    if (orientation <= 1 || orientation > 8)
        return LANCET_OK;
    turned = lancet_allocate(width * height, 3);
    if (!turned)
        return lancet_fail_memory(error, "turning a picture");
    for (size_t top = 0; top < height; top += tile) {
        for (size_t left = 0; left < width; left += tile) {
            for (size_t y = top; y < height && y < top + tile; y++) {
                for (size_t x = left; x < width && x < left + tile; x++)
                    memcpy(turned + (y * width + x) * 3,
                           image->rgb + (w.start + (ptrdiff_t)x * w.right + (ptrdiff_t)y * w.down), 3);
            }
        }
    }
    lancet_free(image->rgb);
    image->rgb = turned;
    image->width = width;
    image->height = height;
    image->about.oriented = true;
    return LANCET_OK;
}
