/* A picture above a strip of words. SPDX-License-Identifier: Apache-2.0 */
#include "image/canvas.h"

#include "base/status.h"

#define WIDTH_LEAST_DEFAULT 320
#define WIDTH_LEAST_MOST    4096
#define ENLARGED_MOST       1280 /* no side grows beyond this by enlarging */

lancet_status lancet_figure_check(const lancet_picture *picture, size_t width_least, const char *what,
                                  lancet_error *error)
{
    const lancet_status status = lancet_picture_check(picture, what, error);

    if (status == LANCET_OK && width_least > WIDTH_LEAST_MOST)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                           "%s: expected a least width of at most %d, found %zu", what, WIDTH_LEAST_MOST,
                           width_least);
    return status;
}

/* By how much a picture is enlarged to be `least` wide; tall slim ones stay smaller. */
static size_t factor_of(const lancet_picture *picture, size_t least)
{
    const size_t wanted = (least + picture->width - 1) / picture->width;
    const size_t most = ENLARGED_MOST / (picture->width > picture->height ? picture->width : picture->height);

    return wanted < most ? wanted : most ? most : 1;
}

lancet_figure lancet_figure_of(const lancet_picture *picture, size_t width_least)
{
    const size_t least = width_least ? width_least : WIDTH_LEAST_DEFAULT;
    const size_t factor = factor_of(picture, least), width = picture->width * factor;

    return (lancet_figure){factor, width > least ? width : least, picture->height * factor};
}

lancet_status lancet_figure_begin(lancet_image **image, const lancet_picture *picture,
                                  const lancet_figure *figure, size_t strip_height, lancet_error *error)
{
    const size_t width = picture->width * figure->factor;
    lancet_picture shown = *picture;
    lancet_image *large = NULL;
    lancet_status status = LANCET_OK;

    if (figure->factor > 1) {
        status = lancet_image_resize(&large, picture, width, figure->height, error);
        shown = lancet_image_picture(large);
    }
    if (status == LANCET_OK)
        status = lancet_image_create(image, figure->width, figure->height + strip_height, error);
    if (status == LANCET_OK) {
        lancet_canvas_fill(*image, 0, 0, figure->width, figure->height + strip_height, lancet_paper);
        lancet_canvas_place(*image, (figure->width - width) / 2, 0, &shown);
    }
    lancet_image_close(&large);
    return status;
}

lancet_status lancet_figure_end(lancet_image *image, const lancet_font *font, lancet_error *error)
{
    image->about.font_missing = !lancet_font_found(font);
    return lancet_font_failed(font) ? lancet_fail_memory(error, "drawing words") : LANCET_OK;
}
