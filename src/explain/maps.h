/* The inside of maps. SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_EXPLAIN_MAPS_H
#define LANCET_EXPLAIN_MAPS_H

#include "lancet/maps.h"

struct lancet_maps {
    size_t count, height, width; /* T, H, W */
    float *scores;               /* [T, H, W] */
    float *class_scores;         /* [T] */
    char **texts;                /* [T] */
    lancet_redundant redundant;
    lancet_map_order order;
};

/** Scales values to 0..1 in place; a constant map becomes zeros. */
void lancet_map_normalise(float *values, size_t count);

#endif
