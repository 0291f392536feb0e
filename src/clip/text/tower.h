/* The text transformer. SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_CLIP_TEXT_TOWER_H
#define LANCET_CLIP_TEXT_TOWER_H

#include "checkpoint/clip_configuration.h"
#include "clip/block.h"
#include "lancet/session.h"

typedef struct lancet_text_tower {
    size_t width, heads, hidden, context, vocabulary, embedding; /* D, H, 4D, tokens, tokens, C */
    float epsilon;
    bool quick;                    /* QuickGELU */
    lancet_tensor token_embedding; /* [vocabulary, D], left in the file: a text touches a few rows of it */
    lancet_linear *projection;     /* [C, D], in some models with a bias */
    lancet_norm norm_final;
    float *norms;     /* what norm_final points to, then: */
    float *positions; /* [context, D] */
    lancet_block *blocks;
    size_t block_count;
} lancet_text_tower;

lancet_status lancet_text_tower_open(lancet_text_tower *tower, const lancet_checkpoint *checkpoint,
                                     const lancet_clip_configuration *configuration, lancet_pool *pool,
                                     lancet_error *error);
void lancet_text_tower_close(lancet_text_tower *tower);

/** One text's tokens, start token first, up to and with the one whose row is read (the end token): attention
 * looks back only, so nothing after it matters. */
typedef struct lancet_text_row {
    const int32_t *ids; /* [length], each below the tower's vocabulary */
    size_t length;      /* 1 .. context */
} lancet_text_row;

/** features [count, C], not normalised. Errors: MEMORY, UNSUPPORTED. */
lancet_status lancet_text_tower_run(float *features, lancet_session *session, const lancet_text_row *texts,
                                    size_t count, lancet_error *error);

#endif
