/* ModifiedResNet picture towers: their sizes, and every tensor by its role, its shape checked.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_CHECKPOINT_CLIP_RESNET_H
#define LANCET_CHECKPOINT_CLIP_RESNET_H

#include "checkpoint/clip_configuration.h"
#include "tensor/convolution.h"

/** Pixels of the picture for each position of the last layer, along a side: the trunk halves five times. */
#define LANCET_RESNET_STRIDE 32

/** What a bottleneck puts out, in what its first convolutions do. */
#define LANCET_RESNET_EXPANSION 4

/** Is the picture tower in this file one? */
bool lancet_clip_is_resnet(const lancet_checkpoint *checkpoint);

/** Reads stem_width, stage_blocks, vision_blocks, vision_width, patch_side, grid_side and image_side off the
 * tensors, and embedding_width where it is not known yet. Errors: INPUT, UNSUPPORTED. */
lancet_status lancet_clip_resnet_read(lancet_clip_configuration *configuration,
                                      const lancet_checkpoint *checkpoint, lancet_error *error);

/** A convolution and the batch norm behind it. */
typedef struct lancet_resnet_layer {
    lancet_tensor weight; /* [out,in,k,k]; count 0: there is none */
    lancet_batch_norm norm;
} lancet_resnet_layer;

/** A bottleneck of `planes` channels: 1x1, 3x3, 1x1 to 4 planes, and what becomes of its input on the way
 * around. */
typedef struct lancet_bottleneck_weights {
    lancet_resnet_layer reduce, spatial, expand;
    lancet_resnet_layer shortcut; /* each stage's first one only */
} lancet_bottleneck_weights;

/** Views into the checkpoint, which must outlive them; D is 32 times the stem's width. All are of a floating
 * type, and variances are finite and not negative. */
typedef struct lancet_resnet_weights {
    lancet_resnet_layer stem[3];
    lancet_bottleneck_weights *blocks; /* of all four stages */
    size_t block_count;
    lancet_tensor positional_embedding; /* [1 + grid * grid,D] */
    lancet_tensor query_weight, query_bias, key_weight, key_bias, value_weight, value_bias; /* [D,D], [D] */
    lancet_tensor out_weight, out_bias;                                                     /* [C,D], [C] */
} lancet_resnet_weights;

/** Finds and checks all tensors. On failure *weights is all zero.
 * Errors: INPUT (a tensor missing, of another shape, or a variance that cannot be one), UNSUPPORTED (a data
 * type that is not read, or tensors that belong to another architecture), MEMORY. */
lancet_status lancet_resnet_weights_read(lancet_resnet_weights *weights, const lancet_checkpoint *checkpoint,
                                         const lancet_clip_configuration *configuration, lancet_error *error);

/** Frees the array of blocks and zeroes; accepts NULL. */
void lancet_resnet_weights_close(lancet_resnet_weights *weights);

#endif
