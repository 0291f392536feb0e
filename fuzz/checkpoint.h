/* Any bytes as a checkpoint: table, configuration, weights. SPDX-License-Identifier: Apache-2.0 */
#ifndef FUZZ_CHECKPOINT_H
#define FUZZ_CHECKPOINT_H

#include "checkpoint/clip_resnet.h"
#include "checkpoint/clip_weights.h"

#include <stdlib.h>
#include <string.h>

/* Touches the first and last number, as whoever trusts the shape would. */
static inline void touch(const lancet_tensor *tensor)
{
    float number;

    if (!tensor->count || !lancet_dtype_is_readable(tensor->dtype))
        return;
    lancet_tensor_read(&number, tensor, 0, 1);
    lancet_tensor_read(&number, tensor, tensor->count - 1, 1);
}

static inline void touch_blocks(const lancet_block_weights *blocks, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        touch(&blocks[i].qkv_weight[2]);
        touch(&blocks[i].qkv_bias[2]);
        touch(&blocks[i].contract_weight);
    }
}

static inline void read_model(const lancet_checkpoint *checkpoint, const lancet_model_options *options)
{
    lancet_clip_configuration configuration;
    lancet_vision_weights vision;
    lancet_resnet_weights resnet;
    lancet_text_weights text;
    lancet_error error;

    if (lancet_clip_configuration_read(&configuration, checkpoint, options, &error) != LANCET_OK)
        return;
    if (configuration.family == LANCET_FAMILY_RESNET) {
        if (lancet_resnet_weights_read(&resnet, checkpoint, &configuration, &error) == LANCET_OK) {
            touch(&resnet.stem[2].weight);
            touch(&resnet.blocks[resnet.block_count - 1].expand.norm.variance);
            touch(&resnet.out_weight);
            lancet_resnet_weights_close(&resnet);
        }
    } else if (configuration.has_vision &&
               lancet_vision_weights_read(&vision, checkpoint, &configuration, &error) == LANCET_OK) {
        touch(&vision.patch_weight);
        touch_blocks(vision.blocks, vision.block_count);
        lancet_vision_weights_close(&vision);
    }
    if (configuration.has_text &&
        lancet_text_weights_read(&text, checkpoint, &configuration, &error) == LANCET_OK) {
        touch(&text.token_embedding);
        touch_blocks(text.blocks, text.block_count);
        lancet_text_weights_close(&text);
    }
}

static inline void fuzz_checkpoint(const uint8_t *data, size_t size)
{
    lancet_checkpoint *checkpoint;
    lancet_error error;

    if (lancet_checkpoint_open_memory(&checkpoint, data, size, "fuzz", &error) != LANCET_OK) {
        if (!strlen(error.message) || strlen(error.message) >= LANCET_ERROR_MESSAGE_SIZE)
            abort(); /* a refusal says why */
        return;
    }
    for (size_t i = 0; i < lancet_checkpoint_count(checkpoint); i++) {
        const lancet_tensor *tensor = lancet_checkpoint_tensor(checkpoint, i);

        touch(tensor);
        if (lancet_checkpoint_find(checkpoint, tensor->name) != tensor)
            abort();
    }
    for (int width = 1; width <= 2; width++)
        for (int towers = LANCET_TOWERS_BOTH; towers <= LANCET_TOWERS_TEXT; towers++)
            read_model(checkpoint,
                       &(lancet_model_options){.head_width = width, .towers = (lancet_towers)towers});
    lancet_checkpoint_close(&checkpoint);
}

#endif
