/* Masks and label maps as other people's files have them. SPDX-License-Identifier: Apache-2.0 */
#include "lancet/masks.h"

#include "base/memory.h"
#include "base/status.h"
#include "eval/runs.h"
#include "lancet/picture.h"

#include <string.h>

static lancet_status check_sides(const void *first, const void *second, size_t width, size_t height,
                                 lancet_error *error)
{
    if (!first || !second)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                           "mask: expected a mask and its other form, found NULL");
    if (width < 1 || height < 1 || width > LANCET_PICTURE_SIDE_MAX || height > LANCET_PICTURE_SIDE_MAX ||
        width * height > LANCET_MASK_PIXELS_MAX)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                           "mask: expected sides from 1 to %d and at most %zu pixels, found %zu x %zu",
                           LANCET_PICTURE_SIDE_MAX, LANCET_MASK_PIXELS_MAX, width, height);
    return LANCET_OK;
}

/* Lengths come as they are, from the fourth on as what they differ by from the one before last. */
typedef struct encoder {
    lancet_buffer out;
    int64_t before[2];
    size_t count;
} encoder;

static void put_length(encoder *e, size_t length)
{
    int64_t rest = (int64_t)length - (e->count > 2 ? e->before[e->count % 2] : 0);
    bool more = true;

    e->before[e->count++ % 2] = (int64_t)length;
    while (more) {
        const int low = (int)(rest & 31);
        char code;

        rest = (rest - low) / 32; /* a shift that is the same for negative numbers everywhere */
        more = low & 16 ? rest != -1 : rest != 0;
        code = (char)('0' + low + (more ? 32 : 0));
        lancet_buffer_append(&e->out, &code, 1);
    }
}

lancet_status lancet_rle_encode(char **text, const uint8_t *mask, size_t width, size_t height,
                                lancet_error *error)
{
    encoder e = {0};
    lancet_status status;
    bool on = false;
    size_t length = 0;

    if (text)
        *text = NULL;
    status = check_sides(text, mask, width, height, error);
    if (status != LANCET_OK)
        return status;
    for (size_t x = 0; x < width; x++)
        for (size_t y = 0; y < height; y++) {
            if ((mask[y * width + x] != 0) != on) {
                put_length(&e, length);
                length = 0;
                on = !on;
            }
            length++;
        }
    put_length(&e, length);
    if (e.out.failed) {
        lancet_buffer_close(&e.out);
        return lancet_fail_memory(error, "run lengths");
    }
    *text = e.out.bytes;
    return LANCET_OK;
}

void lancet_rle_close(char **text)
{
    if (!text)
        return;
    lancet_free(*text);
    *text = NULL;
}

lancet_status lancet_rle_decode(uint8_t *mask, const char *text, size_t width, size_t height,
                                lancet_error *error)
{
    lancet_runs runs = {0};
    lancet_status status = check_sides(mask, text, width, height, error);

    if (status == LANCET_OK)
        status = lancet_runs_decode(&runs, text, strlen(text), width, height, error);
    if (status == LANCET_OK) {
        memset(mask, 0, width * height);
        lancet_runs_paint(&runs, mask, width, height, 1);
    }
    lancet_runs_close(&runs);
    return status;
}

lancet_status lancet_polygon_fill(uint8_t *mask, const double *xy, size_t points, size_t width, size_t height,
                                  lancet_error *error)
{
    lancet_polygon polygon = {.width = width, .height = height};
    lancet_runs runs = {0};
    lancet_status status = check_sides(mask, xy, width, height, error);

    for (size_t i = 0; i < points && status == LANCET_OK; i++)
        status = lancet_polygon_corner(&polygon, xy[2 * i], xy[2 * i + 1], error);
    if (status == LANCET_OK)
        status = lancet_polygon_end(&polygon, &runs, error);
    if (status == LANCET_OK)
        lancet_runs_paint(&runs, mask, width, height, 1);
    lancet_polygon_close(&polygon);
    lancet_runs_close(&runs);
    return status;
}

void lancet_label_palette(uint8_t palette[768])
{
    for (unsigned value = 0; value < 256; value++) {
        memset(palette + 3 * value, 0, 3);
        for (unsigned bit = 0; bit < 8; bit++)
            if (value >> bit & 1)
                palette[3 * value + bit % 3] |= (uint8_t)(128u >> bit / 3);
    }
}

bool lancet_label_of_colour(uint8_t *value, const uint8_t rgb[3])
{
    unsigned found = 0, left[3] = {rgb[0], rgb[1], rgb[2]};

    for (unsigned bit = 0; bit < 8; bit++) {
        const unsigned mask = 128u >> bit / 3;

        if (left[bit % 3] & mask) {
            found |= 1u << bit;
            left[bit % 3] &= ~mask;
        }
    }
    *value = (uint8_t)found;
    return !left[0] && !left[1] && !left[2];
}
