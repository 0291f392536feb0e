/* From pictures to the first layer's input. SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_CLIP_VISION_PIXELS_H
#define LANCET_CLIP_VISION_PIXELS_H

#include "clip/model.h"
#include "lancet/features.h"

/** Checks options against the model and the picture and fills in every default: afterwards height and width,
 * surgery_start (0 on the plain path), mean and deviation say what is meant. Errors: ARGUMENT. */
lancet_status lancet_feature_options_resolve(lancet_feature_options *resolved, const lancet_model *model,
                                             const lancet_picture *picture,
                                             const lancet_feature_options *options, lancet_error *error);

/** pixels [3, height, width] with resolved options. Errors: MEMORY. */
lancet_status lancet_pixels_fill(float *pixels, const lancet_picture *picture,
                                 const lancet_feature_options *resolved, lancet_error *error);

#endif
