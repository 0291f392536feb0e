/* From pictures to the first layer's input. SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_CLIP_VISION_PIXELS_H
#define LANCET_CLIP_VISION_PIXELS_H

#include "clip/model.h"
#include "lancet/features.h"

/** pixels [3, height, width] with resolved options. Errors: MEMORY. */
lancet_status lancet_pixels_fill(float *pixels, const lancet_picture *picture,
                                 const lancet_feature_options *resolved, lancet_error *error);

#endif
