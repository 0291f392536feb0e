/* Opening a ModifiedResNet. SPDX-License-Identifier: Apache-2.0 */
#include "clip/vision/resnet.h"

#include "base/memory.h"
#include "checkpoint/clip_resnet.h"

/* Batch norm's, the same in every ResNet of CLIP. */
#define EPSILON 1e-5

/* F(4x4, 3x3) has about half the products of F(2x2, 3x3) but 2.25 times the weights, which come from memory
 * once for each picture: it pays where there are squares enough to use them on. Sides are those of the
 * model's own picture, so that the choice, and with it the rounding, is the model's. */
#define SIDE_OF_LARGE_SQUARES 20

/* Beyond this the larger weights alone would fill the third-level cache, and the memory. */
#define CHANNELS_OF_LARGE_SQUARES 256

static lancet_winograd choose_tile(size_t side, size_t channels)
{
    return side >= SIDE_OF_LARGE_SQUARES && channels <= CHANNELS_OF_LARGE_SQUARES ? LANCET_WINOGRAD_4
                                                                                  : LANCET_WINOGRAD_2;
}

typedef struct opening {
    const lancet_checkpoint *checkpoint;
    lancet_pool *pool;
    lancet_error *error;
} opening;

static lancet_status open_layer(const opening *o, lancet_convolution **convolution,
                                const lancet_resnet_layer *layer, lancet_convolution_kind kind, size_t side)
{
    const lancet_convolution_source source = {.kind = kind,
                                              .weight = &layer->weight,
                                              .norm = &layer->norm,
                                              .epsilon = EPSILON,
                                              .tile = choose_tile(side, layer->weight.shape[0])};
    const lancet_status status = lancet_convolution_open(convolution, &source, o->pool, o->error);

    lancet_checkpoint_drop(o->checkpoint, &layer->weight);
    return status;
}

static lancet_status open_linear(const opening *o, lancet_convolution **convolution,
                                 const lancet_tensor *weight, const lancet_tensor *bias)
{
    const lancet_convolution_source source = {.kind = LANCET_CONVOLUTION_1X1, .weight = weight, .bias = bias};
    const lancet_status status = lancet_convolution_open(convolution, &source, o->pool, o->error);

    lancet_checkpoint_drop(o->checkpoint, weight);
    return status;
}

/* side: of what goes in */
static lancet_status open_block(const opening *o, lancet_bottleneck *block,
                                const lancet_bottleneck_weights *weights, size_t side)
{
    lancet_status status = open_layer(o, &block->reduce, &weights->reduce, LANCET_CONVOLUTION_1X1, side);

    if (status == LANCET_OK)
        status = open_layer(o, &block->spatial, &weights->spatial, LANCET_CONVOLUTION_3X3, side);
    if (status == LANCET_OK)
        status = open_layer(o, &block->expand, &weights->expand, LANCET_CONVOLUTION_1X1, side);
    if (status == LANCET_OK && weights->shortcut.weight.count)
        status = open_layer(o, &block->shortcut, &weights->shortcut, LANCET_CONVOLUTION_1X1, side);
    return status;
}

static lancet_status open_trunk(const opening *o, lancet_resnet *resnet, const lancet_resnet_weights *weights,
                                const lancet_clip_configuration *configuration)
{
    size_t side = configuration->image_side / 2, at = 0;
    lancet_status status = LANCET_OK;

    for (size_t i = 0; i < 3 && status == LANCET_OK; i++)
        status = open_layer(o, &resnet->stem[i], &weights->stem[i],
                            i ? LANCET_CONVOLUTION_3X3 : LANCET_CONVOLUTION_PICTURE, side);
    side /= 2;
    for (size_t stage = 0; stage < LANCET_RESNET_STAGES; stage++)
        for (size_t i = 0; i < configuration->stage_blocks[stage] && status == LANCET_OK; i++, at++) {
            resnet->block_count = at + 1; /* also a block that fails half-way is to be closed */
            resnet->blocks[at].halves = stage && i == 0;
            status = open_block(o, &resnet->blocks[at], &weights->blocks[at], side);
            if (resnet->blocks[at].halves)
                side /= 2;
        }
    return status;
}

static lancet_status open_pool(const opening *o, lancet_resnet *resnet, const lancet_resnet_weights *weights)
{
    lancet_status status = open_linear(o, &resnet->query, &weights->query_weight, &weights->query_bias);

    if (status == LANCET_OK)
        status = open_linear(o, &resnet->key, &weights->key_weight, &weights->key_bias);
    if (status == LANCET_OK)
        status = open_linear(o, &resnet->value, &weights->value_weight, &weights->value_bias);
    if (status == LANCET_OK)
        status = open_linear(o, &resnet->out, &weights->out_weight, &weights->out_bias);
    return status;
}

lancet_status lancet_resnet_open(lancet_resnet **result, const lancet_checkpoint *checkpoint,
                                 const lancet_clip_configuration *configuration, lancet_pool *pool,
                                 lancet_error *error)
{
    const opening o = {checkpoint, pool, error};
    lancet_resnet *resnet = NULL;
    lancet_resnet_weights weights;
    lancet_status status = lancet_resnet_weights_read(&weights, checkpoint, configuration, error);

    *result = NULL;
    if (status != LANCET_OK)
        return status;
    const lancet_tensor *positions[] = {&weights.positional_embedding};

    resnet = lancet_allocate_zero(1, sizeof *resnet);
    if (resnet) {
        resnet->blocks = lancet_allocate_zero(weights.block_count, sizeof *resnet->blocks);
        resnet->positions = lancet_copy_tensors(positions, 1);
    }
    if (!resnet || !resnet->blocks || !resnet->positions)
        status = lancet_fail_memory(error, "the vision tower");
    if (status == LANCET_OK)
        status = open_trunk(&o, resnet, &weights, configuration);
    if (status == LANCET_OK)
        status = open_pool(&o, resnet, &weights);
    if (status == LANCET_OK) {
        *result = resnet;
        resnet = NULL;
    }
    lancet_resnet_weights_close(&weights);
    lancet_resnet_close(&resnet);
    return status;
}

void lancet_resnet_close(lancet_resnet **result)
{
    lancet_resnet *resnet = result ? *result : NULL;

    if (!resnet)
        return;
    for (size_t i = 0; i < 3; i++)
        lancet_convolution_close(&resnet->stem[i]);
    for (size_t i = 0; i < resnet->block_count; i++) {
        lancet_convolution_close(&resnet->blocks[i].reduce);
        lancet_convolution_close(&resnet->blocks[i].spatial);
        lancet_convolution_close(&resnet->blocks[i].expand);
        lancet_convolution_close(&resnet->blocks[i].shortcut);
    }
    lancet_convolution_close(&resnet->query);
    lancet_convolution_close(&resnet->key);
    lancet_convolution_close(&resnet->value);
    lancet_convolution_close(&resnet->out);
    lancet_free(resnet->positions);
    lancet_free(resnet->blocks);
    lancet_free(resnet);
    *result = NULL;
}
