/* SPDX-License-Identifier: Apache-2.0 */
#include "base/picture.h"

lancet_status lancet_picture_check(const lancet_picture *picture, const char *what, lancet_error *error)
{
    if (!picture || !picture->rgb)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "%s: expected a picture, found NULL", what);
    if (picture->width < 1 || picture->height < 1 || picture->width > LANCET_PICTURE_SIDE_MAX ||
        picture->height > LANCET_PICTURE_SIDE_MAX)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                           "%s: expected a picture with sides from 1 to %d, found %zu x %zu", what,
                           LANCET_PICTURE_SIDE_MAX, picture->width, picture->height);
    if (picture->stride && picture->stride < 3 * picture->width)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "%s: expected a stride of at least %zu, found %zu",
                           what, 3 * picture->width, picture->stride);
    return LANCET_OK;
}
