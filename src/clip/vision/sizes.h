/* How large a picture is made before the first layer takes it. SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_CLIP_VISION_SIZES_H
#define LANCET_CLIP_VISION_SIZES_H

#include "base/status.h"
#include "lancet/features.h"

/** pixels / of, which need not be whole, as the nearest whole number of patches (at least one), in pixels.
 * What does not fit is INT_MAX. */
int lancet_whole_patches(uint64_t pixels, uint64_t of, int patch);

/** Sets width and height to what was asked for in one of three ways, and side and short_side to zero; width
 * and height stay zero if nothing was. Neither is held to any limit yet. Errors: ARGUMENT (more than one way,
 * a negative number, only one of width and height). */
lancet_status lancet_size_resolve(lancet_feature_options *resolved, const lancet_picture *picture, int patch,
                                  lancet_error *error);

#endif
