/* The inside of features. SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_CLIP_VISION_FEATURES_H
#define LANCET_CLIP_VISION_FEATURES_H

#include "lancet/features.h"
#include "lancet/model.h"

struct lancet_features {
    float *tokens; /* [1 + grid * grid, width] */
    size_t grid, width, picture_width, picture_height;
    lancet_path path;
    int side, surgery_start;
    char model_hash[LANCET_HASH_SIZE];
};

#endif
