/* SPDX-License-Identifier: Apache-2.0 */
#include "image/canvas.h"

#include "base/status.h"
#include "base/utf8.h"

#include <string.h>

const uint8_t lancet_paper[3] = {255, 255, 255};
const uint8_t lancet_ink[3] = {32, 33, 36};
const uint8_t lancet_quiet_ink[3] = {105, 110, 118};
const uint8_t lancet_line[3] = {190, 194, 200};

void lancet_canvas_fill(lancet_image *image, size_t left, size_t top, size_t width, size_t height,
                        const uint8_t colour[3])
{
    for (size_t y = top; y < image->height && y - top < height; y++) {
        uint8_t *row = image->rgb + y * image->width * 3;

        for (size_t x = left; x < image->width && x - left < width; x++)
            memcpy(row + 3 * x, colour, 3);
    }
}

void lancet_canvas_place(lancet_image *image, size_t left, size_t top, const lancet_picture *picture)
{
    if (left >= image->width)
        return;
    const size_t room = image->width - left, width = picture->width < room ? picture->width : room;

    for (size_t y = 0; y < picture->height && top + y < image->height; y++)
        memcpy(image->rgb + ((top + y) * image->width + left) * 3, lancet_picture_row(picture, y), 3 * width);
}

void lancet_canvas_bar(lancet_image *image, size_t left, size_t top, size_t width, size_t height,
                       const uint8_t *table)
{
    for (size_t x = 0; x < width; x++)
        lancet_canvas_fill(image, left + x, top, 1, height,
                           table + 3 * (width > 1 ? x * 255 / (width - 1) : 0));
}

lancet_status lancet_text_check(const char *text, const char *what, lancet_error *error)
{
    if (text && lancet_utf8_check(text, strlen(text)) != strlen(text))
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "%s: expected words in UTF-8, found other bytes",
                           what);
    return LANCET_OK;
}
