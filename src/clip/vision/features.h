/* The inside of features. SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_CLIP_VISION_FEATURES_H
#define LANCET_CLIP_VISION_FEATURES_H

#include "lancet/features.h"
#include "lancet/model.h"

struct lancet_features {
    float *tokens; /* [1 + grid_height * grid_width, width] */
    size_t grid_height, grid_width, width;
    size_t input_height, input_width, picture_height, picture_width; /* pixels */
    lancet_path path;
    lancet_pool_attention pool_attention;
    lancet_pool_class pool_class;
    int surgery_start;
    char model_hash[LANCET_HASH_SIZE];
};

#endif
