/* A residual attention block's weights, ready to run. Both towers are made of these.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_CLIP_BLOCK_H
#define LANCET_CLIP_BLOCK_H

#include "checkpoint/checkpoint.h"
#include "checkpoint/clip_weights.h"
#include "tensor/linear.h"
#include "tensor/rows.h"

typedef struct lancet_block {
    lancet_norm norm_1, norm_2;
    lancet_linear *query, *key, *value, *out; /* [D, D] */
    lancet_linear *expand, *contract;         /* [hidden, D], [D, hidden] */
    float *norms;                             /* what the two norms point to */
} lancet_block;

/** Packs a block. On failure *block may be half made: lancet_block_close it all the same.
 * Errors: MEMORY, UNSUPPORTED. */
lancet_status lancet_block_open(lancet_block *block, const lancet_block_weights *weights,
                                lancet_packed_kind kind, const lancet_checkpoint *checkpoint,
                                lancet_pool *pool, lancet_error *error);
void lancet_block_close(lancet_block *block);

/** Packs one linear layer and lets go of its pages. bias may be NULL. */
lancet_status lancet_pack(lancet_linear **linear, const lancet_tensor *weight, const lancet_tensor *bias,
                          bool transposed, lancet_packed_kind kind, const lancet_checkpoint *checkpoint,
                          lancet_pool *pool, lancet_error *error);

/** What the layers of a block are multiplied as ... */
lancet_packed_kind lancet_block_kind(lancet_precision precision);
/** ... and those before and behind the blocks, of which whole numbers would lose more than they save. */
lancet_packed_kind lancet_edge_kind(lancet_precision precision);

/** A copy of `count` tensors as floats, one after the other; NULL if memory is out. lancet_free it. */
float *lancet_copy_tensors(const lancet_tensor *const *tensors, size_t count);

#endif
