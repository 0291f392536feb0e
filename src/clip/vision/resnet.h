/* CLIP's ModifiedResNet as picture tower: a trunk of bottlenecks, and an attention pool where the class token
 * arises. Behind the same calls as the transformer (tower.h), and not to be called past them.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_CLIP_VISION_RESNET_H
#define LANCET_CLIP_VISION_RESNET_H

#include "clip/vision/tower.h"
#include "tensor/convolution.h"

/** 1x1, 3x3, 1x1; what goes around them is added. */
typedef struct lancet_bottleneck {
    lancet_convolution *reduce, *spatial, *expand;
    lancet_convolution *shortcut; /* NULL: what goes around stays as it is */
    bool halves;                  /* the picture, by averaging behind `spatial` and before `shortcut` */
} lancet_bottleneck;

struct lancet_resnet {
    lancet_convolution *stem[3];
    lancet_bottleneck *blocks;
    size_t block_count;
    lancet_convolution *query, *key, *value, *out; /* [D, D], [C, D] */
    float *positions;                              /* [1 + g g, D], as stored */
};

lancet_status lancet_resnet_open(lancet_resnet **resnet, const lancet_checkpoint *checkpoint,
                                 const lancet_clip_configuration *configuration, lancet_pool *pool,
                                 lancet_error *error);
void lancet_resnet_close(lancet_resnet **resnet);

/** Positions of the last layer along `pixels` pixels of the picture. */
size_t lancet_resnet_grid(size_t pixels);

/** As lancet_vision_tower_run. */
lancet_status lancet_resnet_run(lancet_session *session, lancet_vision_job *job, lancet_error *error);

/** What the attention pool works on. */
typedef struct lancet_attention_pool {
    size_t pictures, grid_height, grid_width;
    const float *pixels; /* [pictures, grid_height, grid_width, D]: the trunk's result */
    size_t stride;       /* floats between them */
} lancet_attention_pool;

/** Bytes that the run takes from the session's arena. */
size_t lancet_attention_pool_need(lancet_session *session, const lancet_attention_pool *pool);

/** job->tokens, or job->attention's rows, from the trunk's result. Errors: MEMORY. */
lancet_status lancet_attention_pool_run(lancet_session *session, const lancet_attention_pool *pool,
                                        const lancet_vision_job *job, lancet_error *error);

#endif
