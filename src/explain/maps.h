/* The inside of maps. SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_EXPLAIN_MAPS_H
#define LANCET_EXPLAIN_MAPS_H

#include "lancet/maps.h"

struct lancet_maps {
    size_t count, height, width; /* T, H, W */
    float *scores;               /* [T, H, W] */
    float *class_scores;         /* [T] */
    float *weights;              /* [T]: Eq. 9's w; NULL unless the labels' mean was subtracted */
    char **texts;                /* [T] */
    lancet_redundant redundant;
    lancet_map_order order;
};

/** Maps of the labels over a grid of that size, with their texts and the scores not set. Errors: MEMORY. */
lancet_status lancet_maps_make(lancet_maps **maps, const lancet_labels *labels, size_t height, size_t width,
                               lancet_error *error);

/** ARGUMENT unless features and labels are of one model. */
lancet_status lancet_maps_check_pair(const lancet_features *features, const lancet_labels *labels,
                                     lancet_error *error);

/** Scales values to 0..1 in place; a constant map becomes zeros. */
void lancet_map_normalise(float *values, size_t count);

#endif
