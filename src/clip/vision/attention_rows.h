/* Attention weights, for those who want to see them. SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_CLIP_VISION_ATTENTION_ROWS_H
#define LANCET_CLIP_VISION_ATTENTION_ROWS_H

#include "lancet/features.h"

/** The attention weights that a pass over one picture is to show. */
typedef struct lancet_vision_attention {
    size_t block; /* 1-based; of a ModifiedResNet no matter: it has one attention, the pool's */
    lancet_attention_kind kind;
    size_t count; /* of rows, from the class token's on */
    float *rows;  /* [heads, count, tokens] */
} lancet_vision_attention;

/** What they come from: [tokens, heads * head_width], rows `stride` floats apart; of the two kinds only what
 * is asked for has to be there. */
typedef struct lancet_projections {
    const float *query, *key, *value;
    size_t tokens, stride, heads, head_width;
} lancet_projections;

/** Fills attention->rows. */
void lancet_attention_show(const lancet_vision_attention *attention, const lancet_projections *projections);

#endif
