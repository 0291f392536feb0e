/* Marks on a picture. SPDX-License-Identifier: Apache-2.0 */
#include "image/canvas.h"

#include "base/status.h"

#define RADIUS_LEAST 3

static void draw(lancet_image *image, const lancet_mark *mark, long radius)
{
    static const uint8_t white[3] = {255, 255, 255};
    const long ring = radius + 1 + radius / 4;

    for (long dy = -ring; dy <= ring; dy++)
        for (long dx = -ring; dx <= ring; dx++) {
            const long x = mark->x + dx, y = mark->y + dy, distance = dx * dx + dy * dy;

            if (x >= 0 && y >= 0 && x < (long)image->width && y < (long)image->height &&
                distance <= ring * ring)
                lancet_canvas_fill(image, (size_t)x, (size_t)y, 1, 1,
                                   distance <= radius * radius ? mark->colour : white);
        }
}

lancet_status lancet_marks_draw(lancet_image **image, const lancet_picture *picture, const lancet_mark *marks,
                                size_t count, lancet_error *error)
{
    lancet_status status;

    if (!image)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                           "marks: expected a place for the result, found NULL");
    *image = NULL;
    status = lancet_picture_check(picture, "marks", error);
    if (status == LANCET_OK && count && !marks)
        status = lancet_fail(error, LANCET_ERROR_ARGUMENT, "marks: expected marks, found NULL");
    if (status == LANCET_OK)
        status = lancet_image_create(image, picture->width, picture->height, error);
    if (status != LANCET_OK)
        return status;

    const size_t side = picture->width > picture->height ? picture->width : picture->height;
    const long radius = side / 100 > RADIUS_LEAST ? (long)(side / 100) : RADIUS_LEAST;

    lancet_canvas_place(*image, 0, 0, picture);
    for (size_t i = 0; i < count; i++)
        draw(*image, &marks[i], radius);
    return LANCET_OK;
}
