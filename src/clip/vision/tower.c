/* The vision tower, of whichever family it is. SPDX-License-Identifier: Apache-2.0 */
#include "clip/vision/tower.h"

#include "base/memory.h"
#include "clip/session.h"
#include "clip/vision/resnet.h"

/* Tokens of one pass of a transformer: more would only need more memory, since tiles are a picture's. */
#define ROWS_OF_PASS 2048

/* Pixels of one pass of a ResNet: its weights come from memory once for so many. */
#define PIXELS_OF_PASS (8 * 224 * 224)

static lancet_status open_transformer(lancet_vision_tower *tower, const lancet_checkpoint *checkpoint,
                                      const lancet_clip_configuration *configuration, lancet_pool *pool,
                                      lancet_error *error)
{
    const size_t width = configuration->vision_width;
    const lancet_packed_kind kind = lancet_block_kind(configuration->precision),
                             edge = lancet_edge_kind(configuration->precision);
    lancet_vision_weights weights;
    lancet_status status = lancet_vision_weights_read(&weights, checkpoint, configuration, error);

    if (status != LANCET_OK)
        return status;

    const lancet_tensor *small[] = {&weights.class_embedding, &weights.ln_pre_weight,
                                    &weights.ln_pre_bias,     &weights.ln_post_weight,
                                    &weights.ln_post_bias,    &weights.positional_embedding};

    tower->class_embedding = lancet_copy_tensors(small, sizeof small / sizeof *small);
    tower->blocks = lancet_allocate_zero(weights.block_count, sizeof *tower->blocks);
    if (!tower->class_embedding || !tower->blocks) {
        status = lancet_fail_memory(error, "the vision tower");
        goto done;
    }
    tower->norm_pre = (lancet_norm){tower->class_embedding + width, tower->class_embedding + 2 * width};
    tower->norm_post = (lancet_norm){tower->class_embedding + 3 * width, tower->class_embedding + 4 * width};
    tower->positions = tower->class_embedding + 5 * width;
    status = lancet_pack(&tower->patches, &weights.patch_weight, NULL, false, edge, checkpoint, pool, error);
    if (status == LANCET_OK)
        status = lancet_pack(&tower->projection, &weights.projection, NULL, !weights.projection_transposed,
                             edge, checkpoint, pool, error);
    for (size_t i = 0; i < weights.block_count && status == LANCET_OK; i++) {
        tower->block_count = i + 1; /* also a block that fails half-way is to be closed */
        status = lancet_block_open(&tower->blocks[i], &weights.blocks[i], kind, checkpoint, pool, error);
    }
done:
    lancet_vision_weights_close(&weights);
    return status;
}

lancet_status lancet_vision_tower_open(lancet_vision_tower *tower, const lancet_checkpoint *checkpoint,
                                       const lancet_clip_configuration *configuration, lancet_pool *pool,
                                       lancet_error *error)
{
    lancet_status status;

    tower->width = configuration->vision_width;
    tower->heads = configuration->vision_heads;
    tower->hidden = configuration->vision_hidden;
    tower->patch = configuration->patch_side;
    tower->grid = configuration->grid_side;
    tower->embedding = configuration->embedding_width;
    tower->epsilon = configuration->layer_norm_epsilon;
    tower->quick = configuration->activation == LANCET_ACTIVATION_QUICK_GELU;
    tower->narrow = configuration->precision != LANCET_PRECISION_FLOAT32;
    if (configuration->family == LANCET_FAMILY_RESNET)
        status = lancet_resnet_open(&tower->resnet, checkpoint, configuration, pool, error);
    else
        status = open_transformer(tower, checkpoint, configuration, pool, error);
    if (status != LANCET_OK)
        lancet_vision_tower_close(tower);
    return status;
}

void lancet_vision_tower_close(lancet_vision_tower *tower)
{
    for (size_t i = 0; i < tower->block_count; i++)
        lancet_block_close(&tower->blocks[i]);
    lancet_free(tower->blocks);
    lancet_linear_close(&tower->patches);
    lancet_linear_close(&tower->projection);
    lancet_free(tower->class_embedding);
    lancet_resnet_close(&tower->resnet);
    *tower = (lancet_vision_tower){0};
}

size_t lancet_vision_tower_grid(const lancet_vision_tower *tower, size_t pixels)
{
    return tower->resnet ? lancet_resnet_grid(pixels) : pixels / tower->patch;
}

size_t lancet_vision_tower_pictures(const lancet_vision_tower *tower, size_t height, size_t width)
{
    const size_t tokens =
        1 + lancet_vision_tower_grid(tower, height) * lancet_vision_tower_grid(tower, width);
    const size_t count = tower->resnet ? PIXELS_OF_PASS / (height * width) : ROWS_OF_PASS / tokens;

    return count ? count : 1;
}

lancet_status lancet_vision_tower_run(lancet_session *session, lancet_vision_job *job, lancet_error *error)
{
    return session->model->vision.resnet ? lancet_resnet_run(session, job, error)
                                         : lancet_transformer_run(session, job, error);
}
