/* SPDX-License-Identifier: Apache-2.0 */
#include "checkpoint/clip_roles.h"

#include <stdio.h>
#include <string.h>

const lancet_role lancet_vision_roles[LANCET_VISION_ROLES] = {
    [LANCET_ROLE_CLASS_EMBEDDING] = {"visual.class_embedding", "vision_model.embeddings.class_embedding", "D",
                                     "D", .clip_cpp = "v.class_embd"},
    [LANCET_ROLE_VISION_POSITIONS] = {"visual.positional_embedding",
                                      "vision_model.embeddings.position_embedding.weight", "PD", "PD",
                                      .clip_cpp = "v.position_embd.weight"},
    [LANCET_ROLE_PATCH] = {"visual.conv1.weight", "vision_model.embeddings.patch_embedding.weight", "D3pp",
                           "D3pp", .clip_cpp = "v.patch_embd.weight"},
    /* "layrnorm" is how the other library spells it. */
    [LANCET_ROLE_LN_PRE_WEIGHT] = {"visual.ln_pre.weight", "vision_model.pre_layrnorm.weight", "D", "D",
                                   .clip_cpp = "v.pre_ln.weight"},
    [LANCET_ROLE_LN_PRE_BIAS] = {"visual.ln_pre.bias", "vision_model.pre_layrnorm.bias", "D", "D",
                                 .clip_cpp = "v.pre_ln.bias"},
    [LANCET_ROLE_LN_POST_WEIGHT] = {"visual.ln_post.weight", "vision_model.post_layernorm.weight", "D", "D",
                                    .clip_cpp = "v.post_ln.weight"},
    [LANCET_ROLE_LN_POST_BIAS] = {"visual.ln_post.bias", "vision_model.post_layernorm.bias", "D", "D",
                                  .clip_cpp = "v.post_ln.bias"},
    [LANCET_ROLE_VISION_PROJECTION] = {"visual.proj", "visual_projection.weight", "DC", "CD",
                                       .clip_cpp = "visual_projection.weight"},
};

const lancet_role lancet_text_roles[LANCET_TEXT_ROLES] = {
    [LANCET_ROLE_TOKEN_EMBEDDING] = {"token_embedding.weight", "text_model.embeddings.token_embedding.weight",
                                     "VD", "VD", .clip_cpp = "t.token_embd.weight"},
    [LANCET_ROLE_TEXT_POSITIONS] = {"positional_embedding", "text_model.embeddings.position_embedding.weight",
                                    "TD", "TD", .clip_cpp = "t.position_embd.weight"},
    [LANCET_ROLE_LN_FINAL_WEIGHT] = {"ln_final.weight", "text_model.final_layer_norm.weight", "D", "D",
                                     .clip_cpp = "t.post_ln.weight"},
    [LANCET_ROLE_LN_FINAL_BIAS] = {"ln_final.bias", "text_model.final_layer_norm.bias", "D", "D",
                                   .clip_cpp = "t.post_ln.bias"},
    [LANCET_ROLE_TEXT_PROJECTION] = {"text_projection", NULL, "DC", NULL, true, .clip_cpp = NULL},
    [LANCET_ROLE_TEXT_PROJECTION_WEIGHT] = {"text_projection.weight", "text_projection.weight", "CD", "CD",
                                            true, .clip_cpp = "text_projection.weight"},
    [LANCET_ROLE_TEXT_PROJECTION_BIAS] = {"text_projection.bias", "text_projection.bias", "C", "C", true,
                                          .clip_cpp = "text_projection.bias"},
};

const lancet_role lancet_block_roles[LANCET_BLOCK_ROLES] = {
    [LANCET_ROLE_LN_1_WEIGHT] = {"ln_1.weight", "layer_norm1.weight", "D", "D", .clip_cpp = "ln1.weight"},
    [LANCET_ROLE_LN_1_BIAS] = {"ln_1.bias", "layer_norm1.bias", "D", "D", .clip_cpp = "ln1.bias"},
    [LANCET_ROLE_LN_2_WEIGHT] = {"ln_2.weight", "layer_norm2.weight", "D", "D", .clip_cpp = "ln2.weight"},
    [LANCET_ROLE_LN_2_BIAS] = {"ln_2.bias", "layer_norm2.bias", "D", "D", .clip_cpp = "ln2.bias"},
    [LANCET_ROLE_QKV_WEIGHT] = {"attn.in_proj_weight", NULL, "9D", NULL, .clip_cpp = NULL},
    [LANCET_ROLE_QKV_BIAS] = {"attn.in_proj_bias", NULL, "9", NULL, .clip_cpp = NULL},
    [LANCET_ROLE_Q_WEIGHT] = {NULL, "self_attn.q_proj.weight", NULL, "DD", .clip_cpp = "attn_q.weight"},
    [LANCET_ROLE_K_WEIGHT] = {NULL, "self_attn.k_proj.weight", NULL, "DD", .clip_cpp = "attn_k.weight"},
    [LANCET_ROLE_V_WEIGHT] = {NULL, "self_attn.v_proj.weight", NULL, "DD", .clip_cpp = "attn_v.weight"},
    [LANCET_ROLE_Q_BIAS] = {NULL, "self_attn.q_proj.bias", NULL, "D", .clip_cpp = "attn_q.bias"},
    [LANCET_ROLE_K_BIAS] = {NULL, "self_attn.k_proj.bias", NULL, "D", .clip_cpp = "attn_k.bias"},
    [LANCET_ROLE_V_BIAS] = {NULL, "self_attn.v_proj.bias", NULL, "D", .clip_cpp = "attn_v.bias"},
    [LANCET_ROLE_OUT_WEIGHT] = {"attn.out_proj.weight", "self_attn.out_proj.weight", "DD", "DD",
                                .clip_cpp = "attn_out.weight"},
    [LANCET_ROLE_OUT_BIAS] = {"attn.out_proj.bias", "self_attn.out_proj.bias", "D", "D",
                              .clip_cpp = "attn_out.bias"},
    [LANCET_ROLE_EXPAND_WEIGHT] = {"mlp.c_fc.weight", "mlp.fc1.weight", "HD", "HD",
                                   .clip_cpp = "ffn_down.weight"},
    [LANCET_ROLE_EXPAND_BIAS] = {"mlp.c_fc.bias", "mlp.fc1.bias", "H", "H", .clip_cpp = "ffn_down.bias"},
    [LANCET_ROLE_CONTRACT_WEIGHT] = {"mlp.c_proj.weight", "mlp.fc2.weight", "DH", "DH",
                                     .clip_cpp = "ffn_up.weight"},
    [LANCET_ROLE_CONTRACT_BIAS] = {"mlp.c_proj.bias", "mlp.fc2.bias", "D", "D", .clip_cpp = "ffn_up.bias"},
};

lancet_tower_names lancet_tower_names_of(const lancet_clip_configuration *configuration, bool vision)
{
    return (lancet_tower_names){configuration->naming, vision,
                                !vision && configuration->text_apart ? "text." : ""};
}

static const char *role_words(const lancet_role *role, lancet_naming naming)
{
    return naming == LANCET_NAMING_OPENAI         ? role->openai
           : naming == LANCET_NAMING_HUGGING_FACE ? role->hugging_face
                                                  : role->clip_cpp;
}

const char *lancet_role_name(char name[LANCET_TENSOR_NAME_SIZE], const lancet_tower_names *names,
                             const lancet_role *role)
{
    const char *words = role_words(role, names->naming);

    if (!words)
        return NULL;
    snprintf(name, LANCET_TENSOR_NAME_SIZE, "%s%s", names->prefix, words);
    return name;
}

const char *lancet_role_shape(const lancet_role *role, lancet_naming naming)
{
    return naming == LANCET_NAMING_OPENAI ? role->shape : role->hugging_face_shape;
}

const char *lancet_naming_name(lancet_naming naming)
{
    static const char *const names[] = {[LANCET_NAMING_OPENAI] = "OpenAI",
                                        [LANCET_NAMING_HUGGING_FACE] = "Hugging Face",
                                        [LANCET_NAMING_CLIP_CPP] = "clip.cpp"};

    return names[naming];
}

const char *lancet_block_prefix(char prefix[LANCET_TENSOR_NAME_SIZE], const lancet_tower_names *names)
{
    static const char *const words[][2] = {
        [LANCET_NAMING_OPENAI] = {"transformer.resblocks.", "visual.transformer.resblocks."},
        [LANCET_NAMING_HUGGING_FACE] = {"text_model.encoder.layers.", "vision_model.encoder.layers."},
        [LANCET_NAMING_CLIP_CPP] = {"t.blk.", "v.blk."}};

    snprintf(prefix, LANCET_TENSOR_NAME_SIZE, "%s%s", names->prefix, words[names->naming][names->vision]);
    return prefix;
}

const char *lancet_block_name(char name[LANCET_TENSOR_NAME_SIZE], const lancet_tower_names *names,
                              size_t block, const lancet_role *role)
{
    const char *suffix = role_words(role, names->naming);
    size_t used;

    if (!suffix)
        return NULL;
    used = strlen(lancet_block_prefix(name, names));
    snprintf(name + used, LANCET_TENSOR_NAME_SIZE - used, "%zu.%s", block, suffix);
    return name;
}

/* clip.cpp calls the layer that expands "ffn_down", llama.cpp and what learned from it "ffn_up". Where both
 * layers are square, clip.cpp's own use stands. */
const lancet_role *lancet_block_filed(const lancet_checkpoint *checkpoint, const lancet_tower_names *names,
                                      size_t block, size_t role, size_t width)
{
    static const size_t others[LANCET_BLOCK_ROLES] = {
        [LANCET_ROLE_EXPAND_WEIGHT] = LANCET_ROLE_CONTRACT_WEIGHT,
        [LANCET_ROLE_EXPAND_BIAS] = LANCET_ROLE_CONTRACT_BIAS,
        [LANCET_ROLE_CONTRACT_WEIGHT] = LANCET_ROLE_EXPAND_WEIGHT,
        [LANCET_ROLE_CONTRACT_BIAS] = LANCET_ROLE_EXPAND_BIAS,
    };
    char name[LANCET_TENSOR_NAME_SIZE];
    const lancet_tensor *down;

    if (names->naming != LANCET_NAMING_CLIP_CPP || !others[role])
        return &lancet_block_roles[role];
    down = lancet_checkpoint_find(
        checkpoint, lancet_block_name(name, names, block, &lancet_block_roles[LANCET_ROLE_EXPAND_WEIGHT]));
    if (down && down->rank == 2 && down->shape[0] == width && down->shape[1] != width)
        role = others[role];
    return &lancet_block_roles[role];
}

bool lancet_role_is_there(const lancet_checkpoint *checkpoint, const char *name)
{
    return name &&
           (lancet_checkpoint_find(checkpoint, name) || lancet_checkpoint_unreadable(checkpoint, name));
}

/* The letters as words: "[width,3,patch,patch]". */
void lancet_role_print(char text[LANCET_SHAPE_SIZE], const char *letters)
{
    static const char known[] = "DHCPpTV39";
    static const char *const words[] = {"width",   "hidden",     "embedding", "positions", "patch",
                                        "context", "vocabulary", "3",         "3 width"};
    size_t used = 0;

    for (size_t i = 0; letters[i] && used < LANCET_SHAPE_SIZE; i++)
        used += (size_t)snprintf(text + used, LANCET_SHAPE_SIZE - used, "%s%s", i ? "," : "[",
                                 words[strchr(known, letters[i]) - known]);
    if (used < LANCET_SHAPE_SIZE)
        snprintf(text + used, LANCET_SHAPE_SIZE - used, *letters ? "]" : "[]");
}

lancet_status lancet_role_fail_shape(const lancet_checkpoint *checkpoint, const lancet_tensor *tensor,
                                     const char *expected, lancet_error *error)
{
    char found[LANCET_SHAPE_SIZE];

    lancet_shape_print(found, sizeof found, tensor->shape, tensor->rank);
    return lancet_fail(error, LANCET_ERROR_INPUT, "%s: tensor %s: expected %s, found %s",
                       lancet_checkpoint_path(checkpoint), tensor->name, expected, found);
}

lancet_status lancet_role_find(lancet_tensor *tensor, const lancet_checkpoint *checkpoint, const char *name,
                               size_t rank, const char *expected, lancet_error *error)
{
    const lancet_tensor *found = lancet_checkpoint_find(checkpoint, name);
    const char *path = lancet_checkpoint_path(checkpoint);
    const char *type =
        found ? lancet_dtype_name(found->dtype) : lancet_checkpoint_unreadable(checkpoint, name);

    if (!type)
        return lancet_fail(error, LANCET_ERROR_INPUT, "%s: tensor %s: expected %s, but it is missing", path,
                           name, expected);
    if (!found || !lancet_dtype_is_readable(found->dtype)) {
        const bool quantised = strchr("QTM", type[0]) || strncmp(type, "IQ", 2) == 0;

        return lancet_fail(error, quantised || type[0] == 'F' ? LANCET_ERROR_UNSUPPORTED : LANCET_ERROR_INPUT,
                           "%s: tensor %s: expected F32, F16%s, found %s", path, name,
                           quantised ? ", Q8_0, Q5_1, Q5_0, Q4_1 or Q4_0" : " or BF16", type);
    }
    if (found->rank != rank || found->count == 0)
        return lancet_role_fail_shape(checkpoint, found, expected, error);
    *tensor = *found;
    return LANCET_OK;
}
