/* The vision tower. SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_CLIP_VISION_TOWER_H
#define LANCET_CLIP_VISION_TOWER_H

#include "checkpoint/clip_configuration.h"
#include "clip/block.h"
#include "clip/vision/attention_rows.h"
#include "lancet/features.h"

typedef struct lancet_resnet lancet_resnet;

/** A transformer's numbers, or a ModifiedResNet's, which has a trunk of its own (resnet.h) and of the rest
 * only the width D of its attention pool's tokens, the heads, the grid, the embedding and the stride as
 * patch. */
typedef struct lancet_vision_tower {
    size_t width, heads, hidden, patch, grid, embedding; /* D, H, 4D, p, g, C */
    float epsilon;
    bool quick;                          /* QuickGELU */
    bool narrow;                         /* attention in bfloat16 */
    lancet_linear *patches, *projection; /* [D, 3 p p], [C, D] */
    lancet_norm norm_pre, norm_post;
    float *class_embedding; /* [D]; the block of floats that all below are pieces of */
    float *positions;       /* [1 + g g, D], as stored */
    lancet_block *blocks;
    size_t block_count;
    lancet_resnet *resnet; /* NULL: a transformer */
} lancet_vision_tower;

lancet_status lancet_vision_tower_open(lancet_vision_tower *tower, const lancet_checkpoint *checkpoint,
                                       const lancet_clip_configuration *configuration, lancet_pool *pool,
                                       lancet_error *error);
void lancet_vision_tower_close(lancet_vision_tower *tower);

/** How many tokens there are along `pixels` pixels of a picture: H of its height, W of its width. */
size_t lancet_vision_tower_grid(const lancet_vision_tower *tower, size_t pixels);

/** How many pictures of that size one pass is to take: more would need more memory and bring no more speed.
 */
size_t lancet_vision_tower_pictures(const lancet_vision_tower *tower, size_t height, size_t width);

/** What one pass through the tower is to do. */
typedef struct lancet_vision_job {
    const float *const *pixels; /* [pictures] of [3, height, width] */
    size_t pictures, height, width;
    const lancet_feature_options *options; /* resolved */
    size_t start;  /* 1-based first block with the surgery path; 0: the plain path alone */
    float *tokens; /* [pictures, 1 + H*W, C]; NULL: only visit */
    int (*visit)(void *context, int block, size_t tokens, size_t width, const float *original,
                 const float *surgery);
    void *context;                            /* visit needs pictures == 1 */
    int stopped;                              /* out: what visit returned */
    const lancet_vision_attention *attention; /* to be shown; then there are no tokens. NULL: none */
    float *branches;    /* [2 * blocks, C]: see lancet_branches_encode; needs pictures == 1. NULL: none */
    bool branches_norm; /* through the last norm */
} lancet_vision_job;

/** Errors: MEMORY, UNSUPPORTED. */
lancet_status lancet_vision_tower_run(lancet_session *session, lancet_vision_job *job, lancet_error *error);

/** The same of a transformer. */
lancet_status lancet_transformer_run(lancet_session *session, lancet_vision_job *job, lancet_error *error);

#endif
