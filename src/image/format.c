/* Which format the first bytes show. SPDX-License-Identifier: Apache-2.0 */
#include "image/decode.h"

#include <string.h>

typedef struct signature {
    lancet_format format;
    const char *name;
    size_t offset, length;
    const char *bytes;
} signature;

/* Sorted so that a longer signature stands before one that is its beginning. */
static const signature signatures[] = {
    {LANCET_FORMAT_JPEG, "JPEG", 0, 3, "\xFF\xD8\xFF"},
    {LANCET_FORMAT_PNG, "PNG", 0, 8, "\x89PNG\r\n\x1A\n"},
    {LANCET_FORMAT_WEBP, "WebP", 8, 4, "WEBP"}, /* and "RIFF" before it, see below */
    {LANCET_FORMAT_OTHER, "GIF", 0, 6, "GIF87a"},
    {LANCET_FORMAT_OTHER, "GIF", 0, 6, "GIF89a"},
    {LANCET_FORMAT_OTHER, "TIFF", 0, 4, "II*\0"},
    {LANCET_FORMAT_OTHER, "TIFF", 0, 4, "MM\0*"},
    {LANCET_FORMAT_OTHER, "BigTIFF", 0, 4, "II+\0"},
    {LANCET_FORMAT_OTHER, "BigTIFF", 0, 4, "MM\0+"},
    {LANCET_FORMAT_OTHER, "AVIF", 4, 8, "ftypavif"},
    {LANCET_FORMAT_OTHER, "AVIF", 4, 8, "ftypavis"},
    {LANCET_FORMAT_OTHER, "HEIC", 4, 8, "ftypheic"},
    {LANCET_FORMAT_OTHER, "HEIC", 4, 8, "ftypheix"},
    {LANCET_FORMAT_OTHER, "HEIC", 4, 8, "ftyphevc"},
    {LANCET_FORMAT_OTHER, "HEIF", 4, 8, "ftypmif1"},
    {LANCET_FORMAT_OTHER, "HEIF", 4, 8, "ftypmsf1"},
    {LANCET_FORMAT_OTHER, "Canon CR3", 4, 8, "ftypcrx "},
    {LANCET_FORMAT_OTHER, "MP4 or QuickTime (a film)", 4, 4, "ftyp"},
    {LANCET_FORMAT_OTHER, "JPEG XL", 0, 12, "\0\0\0\x0CJXL \r\n\x87\n"},
    {LANCET_FORMAT_OTHER, "JPEG XL", 0, 2, "\xFF\x0A"},
    {LANCET_FORMAT_OTHER, "JPEG 2000", 0, 12, "\0\0\0\x0CjP  \r\n\x87\n"},
    {LANCET_FORMAT_OTHER, "JPEG 2000", 0, 4, "\xFF\x4F\xFF\x51"},
    {LANCET_FORMAT_OTHER, "JPEG-LS", 0, 4, "\xFF\xD8\xFF\xF7"},
    {LANCET_FORMAT_OTHER, "MNG", 0, 8, "\x8AMNG\r\n\x1A\n"},
    {LANCET_FORMAT_OTHER, "Photoshop", 0, 4, "8BPS"},
    {LANCET_FORMAT_OTHER, "OpenEXR", 0, 4, "\x76\x2F\x31\x01"},
    {LANCET_FORMAT_OTHER, "Radiance HDR", 0, 10, "#?RADIANCE"},
    {LANCET_FORMAT_OTHER, "QOI", 0, 4, "qoif"},
    {LANCET_FORMAT_OTHER, "farbfeld", 0, 8, "farbfeld"},
    {LANCET_FORMAT_OTHER, "DDS", 0, 4, "DDS "},
    {LANCET_FORMAT_OTHER, "GIMP XCF", 0, 9, "gimp xcf "},
    {LANCET_FORMAT_OTHER, "DICOM", 128, 4, "DICM"},
    {LANCET_FORMAT_OTHER, "FITS", 0, 9, "SIMPLE  ="},
    {LANCET_FORMAT_OTHER, "ICO", 0, 4, "\0\0\1\0"},
    {LANCET_FORMAT_OTHER, "PDF", 0, 5, "%PDF-"},
    {LANCET_FORMAT_OTHER, "SVG", 0, 4, "<svg"},
    {LANCET_FORMAT_OTHER, "SVG or other XML", 0, 5, "<?xml"},
    {LANCET_FORMAT_OTHER, "NumPy", 0, 6, "\x93NUMPY"},
    {LANCET_FORMAT_OTHER, "BMP", 0, 2, "BM"},
};

/* "P1" to "P7" and white space: two letters alone would catch any text. */
static bool is_netpbm(const uint8_t *bytes, size_t length)
{
    return length >= 3 && bytes[0] == 'P' && bytes[1] >= '1' && bytes[1] <= '7' &&
           (bytes[2] == '\n' || bytes[2] == ' ' || bytes[2] == '\r' || bytes[2] == '\t');
}

lancet_format lancet_format_detect(const char **name, const uint8_t *bytes, size_t length)
{
    *name = NULL;
    for (size_t i = 0; i < sizeof signatures / sizeof *signatures; i++) {
        const signature *s = &signatures[i];

        if (length < s->offset + s->length || memcmp(bytes + s->offset, s->bytes, s->length) != 0)
            continue;
        if (s->format == LANCET_FORMAT_WEBP && memcmp(bytes, "RIFF", 4) != 0)
            continue;
        if (s->format == LANCET_FORMAT_JPEG && length > 3 && bytes[3] == 0xF7)
            continue; /* JPEG-LS begins alike */
        *name = s->name;
        return s->format;
    }
    if (is_netpbm(bytes, length)) {
        *name = "PBM, PGM or PPM";
        return LANCET_FORMAT_OTHER;
    }
    return LANCET_FORMAT_NONE;
}
