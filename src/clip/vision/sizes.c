/* SPDX-License-Identifier: Apache-2.0 */
#include "clip/vision/sizes.h"

#include <limits.h>

int lancet_whole_patches(uint64_t pixels, uint64_t of, int patch)
{
    const uint64_t step = of * (uint64_t)patch, count = (2 * pixels + step) / (2 * step);
    const uint64_t side = (count ? count : 1) * (uint64_t)patch;

    return side > INT_MAX ? INT_MAX : (int)side;
}

lancet_status lancet_size_resolve(lancet_feature_options *resolved, const lancet_picture *picture, int patch,
                                  lancet_error *error)
{
    const int side = resolved->side, width = resolved->width, height = resolved->height,
              short_side = resolved->short_side;

    if ((side != 0) + (width || height) + (short_side != 0) > 1)
        return lancet_fail(
            error, LANCET_ERROR_ARGUMENT,
            "side, width and height, short_side: give one of the three, found %d, %d x %d and %d", side,
            width, height, short_side);
    if (side < 0 || short_side < 0)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "%s: expected a number of pixels, found %d",
                           side ? "side" : "short_side", side ? side : short_side);
    if ((width || height) && (width < 1 || height < 1))
        return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                           "width and height: expected two numbers of pixels, found %d x %d", width, height);
    if (short_side) {
        const uint64_t shorter = picture->width < picture->height ? picture->width : picture->height;

        resolved->width = lancet_whole_patches((uint64_t)short_side * picture->width, shorter, patch);
        resolved->height = lancet_whole_patches((uint64_t)short_side * picture->height, shorter, patch);
    } else if (side) {
        resolved->width = resolved->height = side;
    }
    resolved->side = resolved->short_side = 0;
    return LANCET_OK;
}
