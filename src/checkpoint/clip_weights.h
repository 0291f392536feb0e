/* Every tensor of a CLIP model by its role, its shape checked. SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_CHECKPOINT_CLIP_WEIGHTS_H
#define LANCET_CHECKPOINT_CLIP_WEIGHTS_H

#include "checkpoint/clip_configuration.h"

/** One residual attention block; D is the tower's width. */
typedef struct lancet_block_weights {
    lancet_tensor ln_1_weight, ln_1_bias, ln_2_weight, ln_2_bias; /* [D] */
    lancet_tensor qkv_weight[3], qkv_bias[3];                     /* q, k, v: [D,D], [D] */
    lancet_tensor out_weight, out_bias;                           /* [D,D], [D] */
    lancet_tensor expand_weight, expand_bias;                     /* [hidden,D], [hidden] */
    lancet_tensor contract_weight, contract_bias;                 /* [D,hidden], [D] */
} lancet_block_weights;

/** Views into the checkpoint, which must outlive them. All are of a floating type. */
typedef struct lancet_vision_weights {
    lancet_tensor class_embedding;                                          /* [D] */
    lancet_tensor positional_embedding;                                     /* [1 + grid * grid, D] */
    lancet_tensor patch_weight;                                             /* [D,3,patch,patch] */
    lancet_tensor ln_pre_weight, ln_pre_bias, ln_post_weight, ln_post_bias; /* [D] */
    lancet_tensor projection;                                               /* [D,C], transposed: [C,D] */
    bool projection_transposed;
    lancet_block_weights *blocks;
    size_t block_count;
} lancet_vision_weights;

typedef struct lancet_text_weights {
    lancet_tensor token_embedding;                /* [vocabulary,D] */
    lancet_tensor positional_embedding;           /* [context,D] */
    lancet_tensor ln_final_weight, ln_final_bias; /* [D] */
    lancet_tensor projection;                     /* [D,C], transposed: [C,D] */
    bool projection_transposed;
    lancet_tensor projection_bias; /* [C]; count 0: there is none */
    lancet_block_weights *blocks;
    size_t block_count;
} lancet_text_weights;

/** Finds and checks all tensors of a tower that the configuration has. On failure *weights is all zero.
 * Errors: ARGUMENT (the configuration has no such tower), INPUT (a tensor missing, or of another shape),
 * UNSUPPORTED (a data type that is not read), MEMORY. */
lancet_status lancet_vision_weights_read(lancet_vision_weights *weights, const lancet_checkpoint *checkpoint,
                                         const lancet_clip_configuration *configuration, lancet_error *error);
lancet_status lancet_text_weights_read(lancet_text_weights *weights, const lancet_checkpoint *checkpoint,
                                       const lancet_clip_configuration *configuration, lancet_error *error);

/** Frees the arrays of blocks and zeroes; accepts NULL. The views belong to the checkpoint. */
void lancet_vision_weights_close(lancet_vision_weights *weights);
void lancet_text_weights_close(lancet_text_weights *weights);

#endif
