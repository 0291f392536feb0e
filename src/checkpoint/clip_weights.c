/* SPDX-License-Identifier: Apache-2.0 */
#include "checkpoint/clip_weights.h"

#include "base/memory.h"
#include "checkpoint/clip_recognise.h"
#include "checkpoint/clip_roles.h"

#include <string.h>

static const size_t vision_offsets[LANCET_VISION_ROLES] = {
    [LANCET_ROLE_CLASS_EMBEDDING] = offsetof(lancet_vision_weights, class_embedding),
    [LANCET_ROLE_VISION_POSITIONS] = offsetof(lancet_vision_weights, positional_embedding),
    [LANCET_ROLE_PATCH] = offsetof(lancet_vision_weights, patch_weight),
    [LANCET_ROLE_LN_PRE_WEIGHT] = offsetof(lancet_vision_weights, ln_pre_weight),
    [LANCET_ROLE_LN_PRE_BIAS] = offsetof(lancet_vision_weights, ln_pre_bias),
    [LANCET_ROLE_LN_POST_WEIGHT] = offsetof(lancet_vision_weights, ln_post_weight),
    [LANCET_ROLE_LN_POST_BIAS] = offsetof(lancet_vision_weights, ln_post_bias),
    [LANCET_ROLE_VISION_PROJECTION] = offsetof(lancet_vision_weights, projection),
};

static const size_t text_offsets[LANCET_TEXT_ROLES] = {
    [LANCET_ROLE_TOKEN_EMBEDDING] = offsetof(lancet_text_weights, token_embedding),
    [LANCET_ROLE_TEXT_POSITIONS] = offsetof(lancet_text_weights, positional_embedding),
    [LANCET_ROLE_LN_FINAL_WEIGHT] = offsetof(lancet_text_weights, ln_final_weight),
    [LANCET_ROLE_LN_FINAL_BIAS] = offsetof(lancet_text_weights, ln_final_bias),
    [LANCET_ROLE_TEXT_PROJECTION] = offsetof(lancet_text_weights, projection),
    [LANCET_ROLE_TEXT_PROJECTION_WEIGHT] = offsetof(lancet_text_weights, projection),
    [LANCET_ROLE_TEXT_PROJECTION_BIAS] = offsetof(lancet_text_weights, projection_bias),
};

#define QKV(member, index) (offsetof(lancet_block_weights, member) + (index) * sizeof(lancet_tensor))

/* The packed tensors land where q belongs and are cut in three afterwards. */
static const size_t block_offsets[LANCET_BLOCK_ROLES] = {
    [LANCET_ROLE_LN_1_WEIGHT] = offsetof(lancet_block_weights, ln_1_weight),
    [LANCET_ROLE_LN_1_BIAS] = offsetof(lancet_block_weights, ln_1_bias),
    [LANCET_ROLE_LN_2_WEIGHT] = offsetof(lancet_block_weights, ln_2_weight),
    [LANCET_ROLE_LN_2_BIAS] = offsetof(lancet_block_weights, ln_2_bias),
    [LANCET_ROLE_QKV_WEIGHT] = QKV(qkv_weight, 0),
    [LANCET_ROLE_QKV_BIAS] = QKV(qkv_bias, 0),
    [LANCET_ROLE_Q_WEIGHT] = QKV(qkv_weight, 0),
    [LANCET_ROLE_K_WEIGHT] = QKV(qkv_weight, 1),
    [LANCET_ROLE_V_WEIGHT] = QKV(qkv_weight, 2),
    [LANCET_ROLE_Q_BIAS] = QKV(qkv_bias, 0),
    [LANCET_ROLE_K_BIAS] = QKV(qkv_bias, 1),
    [LANCET_ROLE_V_BIAS] = QKV(qkv_bias, 2),
    [LANCET_ROLE_OUT_WEIGHT] = offsetof(lancet_block_weights, out_weight),
    [LANCET_ROLE_OUT_BIAS] = offsetof(lancet_block_weights, out_bias),
    [LANCET_ROLE_EXPAND_WEIGHT] = offsetof(lancet_block_weights, expand_weight),
    [LANCET_ROLE_EXPAND_BIAS] = offsetof(lancet_block_weights, expand_bias),
    [LANCET_ROLE_CONTRACT_WEIGHT] = offsetof(lancet_block_weights, contract_weight),
    [LANCET_ROLE_CONTRACT_BIAS] = offsetof(lancet_block_weights, contract_bias),
};

/* The numbers behind the letters of a role's shape. */
typedef struct sizes {
    size_t width, hidden, embedding, patch, positions, context, vocabulary;
} sizes;

/* The limits on widths, set where the configuration is read, keep 3 D far from overflow. */
static size_t resolve(char letter, const sizes *s)
{
    switch (letter) {
    case 'D':
        return s->width;
    case '9':
        return 3 * s->width;
    case 'H':
        return s->hidden;
    case 'C':
        return s->embedding;
    case 'P':
        return s->positions;
    case 'p':
        return s->patch;
    case 'T':
        return s->context;
    case 'V':
        return s->vocabulary;
    default:
        return 3;
    }
}

/* One tensor, of exactly the shape that its role has in this model. */
static lancet_status take(lancet_tensor *tensor, const lancet_checkpoint *checkpoint, const char *name,
                          const char *letters, const sizes *s, lancet_error *error)
{
    const size_t rank = strlen(letters);
    char expected[LANCET_SHAPE_SIZE];
    size_t shape[LANCET_RANK_MAX];
    lancet_status status;

    for (size_t i = 0; i < rank; i++)
        shape[i] = resolve(letters[i], s);
    lancet_shape_print(expected, sizeof expected, shape, rank);
    status = lancet_role_find(tensor, checkpoint, name, rank, expected, error);
    if (status != LANCET_OK || memcmp(shape, tensor->shape, rank * sizeof *shape) == 0)
        return status;
    return lancet_role_fail_shape(checkpoint, tensor, expected, error);
}

/* All namings fill the same struct, so that no one above this room needs to know which it was. */
static lancet_status take_block(lancet_block_weights *block, const lancet_checkpoint *checkpoint,
                                const lancet_tower_names *names, size_t index, const sizes *s,
                                lancet_error *error)
{
    for (size_t i = 0; i < LANCET_BLOCK_ROLES; i++) {
        const lancet_role *role = &lancet_block_roles[i];
        const lancet_role *filed = lancet_block_filed(checkpoint, names, index, i, s->width);
        lancet_tensor *tensor = (lancet_tensor *)(void *)((char *)block + block_offsets[i]);
        char name[LANCET_TENSOR_NAME_SIZE];
        lancet_status status;

        if (!lancet_block_name(name, names, index, filed))
            continue;
        status = take(tensor, checkpoint, name, lancet_role_shape(role, names->naming), s, error);
        if (status != LANCET_OK)
            return status;
    }
    if (names->naming == LANCET_NAMING_OPENAI)
        for (size_t i = 3; i-- > 0;) { /* q, which holds all three, last */
            block->qkv_weight[i] = lancet_tensor_rows(&block->qkv_weight[0], i * s->width, s->width);
            block->qkv_bias[i] = lancet_tensor_rows(&block->qkv_bias[0], i * s->width, s->width);
        }
    return LANCET_OK;
}

/* Everything of one tower: `weights` is its struct, `offsets` where each role goes in it. */
static lancet_status take_tower(void *weights, const lancet_role *roles, const size_t *offsets,
                                size_t role_count, lancet_block_weights **blocks, size_t block_count,
                                const lancet_checkpoint *checkpoint, const lancet_tower_names *names,
                                const sizes *s, lancet_error *error)
{
    lancet_status status = LANCET_OK;
    char name[LANCET_TENSOR_NAME_SIZE];

    *blocks = lancet_allocate_zero(block_count, sizeof **blocks);
    if (!*blocks)
        return lancet_fail_memory(error, lancet_checkpoint_path(checkpoint));
    for (size_t i = 0; status == LANCET_OK && i < role_count; i++)
        if (lancet_role_name(name, names, &roles[i]) &&
            (!roles[i].optional || lancet_role_is_there(checkpoint, name)))
            status = take((lancet_tensor *)(void *)((char *)weights + offsets[i]), checkpoint, name,
                          lancet_role_shape(&roles[i], names->naming), s, error);
    for (size_t i = 0; status == LANCET_OK && i < block_count; i++)
        status = take_block(&(*blocks)[i], checkpoint, names, i, s, error);
    /* After the rest, so that a name misspelt is told as the tensor that is missing. */
    return status == LANCET_OK ? lancet_clip_check_strangers(checkpoint, names, error) : status;
}

lancet_status lancet_vision_weights_read(lancet_vision_weights *weights, const lancet_checkpoint *checkpoint,
                                         const lancet_clip_configuration *configuration, lancet_error *error)
{
    const sizes s = {
        .width = configuration->vision_width,
        .hidden = configuration->vision_hidden,
        .embedding = configuration->embedding_width,
        .patch = configuration->patch_side,
        .positions = 1 + configuration->grid_side * configuration->grid_side,
    };
    const lancet_tower_names names = lancet_tower_names_of(configuration, true);
    lancet_status status;

    *weights = (lancet_vision_weights){0};
    if (!configuration->has_vision)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "%s: no picture tower is open",
                           lancet_checkpoint_path(checkpoint));
    status = take_tower(weights, lancet_vision_roles, vision_offsets, LANCET_VISION_ROLES, &weights->blocks,
                        configuration->vision_blocks, checkpoint, &names, &s, error);
    if (status != LANCET_OK) {
        lancet_vision_weights_close(weights);
        return status;
    }
    weights->block_count = configuration->vision_blocks;
    weights->projection_transposed = configuration->naming != LANCET_NAMING_OPENAI;
    return LANCET_OK;
}

lancet_status lancet_text_weights_read(lancet_text_weights *weights, const lancet_checkpoint *checkpoint,
                                       const lancet_clip_configuration *configuration, lancet_error *error)
{
    const sizes s = {
        .width = configuration->text_width,
        .hidden = configuration->text_hidden,
        .embedding = configuration->embedding_width,
        .context = configuration->context_length,
        .vocabulary = configuration->vocabulary_size,
    };
    const lancet_tower_names names = lancet_tower_names_of(configuration, false);
    char layer[LANCET_TENSOR_NAME_SIZE];
    lancet_status status;

    *weights = (lancet_text_weights){0};
    if (!configuration->has_text)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "%s: no text tower is open",
                           lancet_checkpoint_path(checkpoint));
    status = take_tower(weights, lancet_text_roles, text_offsets, LANCET_TEXT_ROLES, &weights->blocks,
                        configuration->text_blocks, checkpoint, &names, &s, error);
    if (status != LANCET_OK) {
        lancet_text_weights_close(weights);
        return status;
    }
    weights->block_count = configuration->text_blocks;
    lancet_role_name(layer, &names, &lancet_text_roles[LANCET_ROLE_TEXT_PROJECTION_WEIGHT]);
    weights->projection_transposed = lancet_role_is_there(checkpoint, layer);
    return LANCET_OK;
}

void lancet_vision_weights_close(lancet_vision_weights *weights)
{
    if (!weights)
        return;
    lancet_free(weights->blocks);
    *weights = (lancet_vision_weights){0};
}

void lancet_text_weights_close(lancet_text_weights *weights)
{
    if (!weights)
        return;
    lancet_free(weights->blocks);
    *weights = (lancet_text_weights){0};
}
