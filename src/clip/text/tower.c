/* Opening the text tower. SPDX-License-Identifier: Apache-2.0 */
#include "clip/text/tower.h"

#include "base/memory.h"

lancet_status lancet_text_tower_open(lancet_text_tower *tower, const lancet_checkpoint *checkpoint,
                                     const lancet_clip_configuration *configuration, lancet_pool *pool,
                                     lancet_error *error)
{
    const lancet_packed_kind kind = lancet_block_kind(configuration->precision),
                             edge = lancet_edge_kind(configuration->precision);
    lancet_text_weights weights;
    lancet_status status = lancet_text_weights_read(&weights, checkpoint, configuration, error);

    if (status != LANCET_OK)
        return status;
    tower->width = configuration->text_width;
    tower->heads = configuration->text_heads;
    tower->hidden = configuration->text_hidden;
    tower->context = configuration->context_length;
    tower->vocabulary = configuration->vocabulary_size;
    tower->embedding = configuration->embedding_width;
    tower->epsilon = configuration->layer_norm_epsilon;
    tower->quick = configuration->activation == LANCET_ACTIVATION_QUICK_GELU;
    tower->token_embedding = weights.token_embedding;

    const lancet_tensor *small[] = {&weights.ln_final_weight, &weights.ln_final_bias,
                                    &weights.positional_embedding};

    tower->norms = lancet_copy_tensors(small, sizeof small / sizeof *small);
    tower->blocks = lancet_allocate_zero(weights.block_count, sizeof *tower->blocks);
    if (!tower->norms || !tower->blocks) {
        status = lancet_fail_memory(error, "the text tower");
        goto done;
    }
    tower->norm_final = (lancet_norm){tower->norms, tower->norms + tower->width};
    tower->positions = tower->norms + 2 * tower->width;
    status = lancet_pack(&tower->projection, &weights.projection,
                         weights.projection_bias.count ? &weights.projection_bias : NULL,
                         !weights.projection_transposed, edge, checkpoint, pool, error);
    for (size_t i = 0; i < weights.block_count && status == LANCET_OK; i++) {
        tower->block_count = i + 1; /* also a block that fails half-way is to be closed */
        status = lancet_block_open(&tower->blocks[i], &weights.blocks[i], kind, checkpoint, pool, error);
    }
done:
    lancet_text_weights_close(&weights);
    if (status != LANCET_OK)
        lancet_text_tower_close(tower);
    return status;
}

void lancet_text_tower_close(lancet_text_tower *tower)
{
    for (size_t i = 0; i < tower->block_count; i++)
        lancet_block_close(&tower->blocks[i]);
    lancet_free(tower->blocks);
    lancet_linear_close(&tower->projection);
    lancet_free(tower->norms);
    *tower = (lancet_text_tower){0};
}
