/* The table of names: what a tensor is called, and how it is shaped, for each role in a CLIP model.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_CHECKPOINT_CLIP_ROLES_H
#define LANCET_CHECKPOINT_CLIP_ROLES_H

#include "checkpoint/clip_configuration.h"

/** Shapes are written in letters: D the tower's width, H its hidden width, C the embedding, P 1 + grid *
 * grid, p the patch side, T the context, V the vocabulary; 3 is itself, 9 is 3 D. */
typedef struct lancet_role {
    const char *openai, *hugging_face;      /* NULL: not in this naming */
    const char *shape, *hugging_face_shape; /* the latter is clip.cpp's too */
    bool optional;                          /* models without it are complete */
    const char *clip_cpp;
} lancet_role;

/** How the tensors of one tower are called: the words of a naming, and what stands before all of them. */
typedef struct lancet_tower_names {
    lancet_naming naming;
    bool vision;
    const char *prefix; /* "", or "text." */
} lancet_tower_names;

lancet_tower_names lancet_tower_names_of(const lancet_clip_configuration *configuration, bool vision);

enum {
    LANCET_ROLE_CLASS_EMBEDDING,
    LANCET_ROLE_VISION_POSITIONS,
    LANCET_ROLE_PATCH,
    LANCET_ROLE_LN_PRE_WEIGHT,
    LANCET_ROLE_LN_PRE_BIAS,
    LANCET_ROLE_LN_POST_WEIGHT,
    LANCET_ROLE_LN_POST_BIAS,
    LANCET_ROLE_VISION_PROJECTION,
    LANCET_VISION_ROLES
};

enum {
    LANCET_ROLE_TOKEN_EMBEDDING,
    LANCET_ROLE_TEXT_POSITIONS,
    LANCET_ROLE_LN_FINAL_WEIGHT,
    LANCET_ROLE_LN_FINAL_BIAS,
    LANCET_ROLE_TEXT_PROJECTION,        /* a matrix: OpenAI's; or */
    LANCET_ROLE_TEXT_PROJECTION_WEIGHT, /* a linear layer, whose */
    LANCET_ROLE_TEXT_PROJECTION_BIAS,   /* bias is left out by most */
    LANCET_TEXT_ROLES
};

enum {
    LANCET_ROLE_LN_1_WEIGHT,
    LANCET_ROLE_LN_1_BIAS,
    LANCET_ROLE_LN_2_WEIGHT,
    LANCET_ROLE_LN_2_BIAS,
    LANCET_ROLE_QKV_WEIGHT, /* packed: OpenAI's */
    LANCET_ROLE_QKV_BIAS,
    LANCET_ROLE_Q_WEIGHT, /* apart: Hugging Face's and clip.cpp's; k and v follow each */
    LANCET_ROLE_K_WEIGHT,
    LANCET_ROLE_V_WEIGHT,
    LANCET_ROLE_Q_BIAS,
    LANCET_ROLE_K_BIAS,
    LANCET_ROLE_V_BIAS,
    LANCET_ROLE_OUT_WEIGHT,
    LANCET_ROLE_OUT_BIAS,
    LANCET_ROLE_EXPAND_WEIGHT,
    LANCET_ROLE_EXPAND_BIAS,
    LANCET_ROLE_CONTRACT_WEIGHT,
    LANCET_ROLE_CONTRACT_BIAS,
    LANCET_BLOCK_ROLES
};

extern const lancet_role lancet_vision_roles[LANCET_VISION_ROLES];
extern const lancet_role lancet_text_roles[LANCET_TEXT_ROLES];
/** Names relative to "<prefix><number>.". */
extern const lancet_role lancet_block_roles[LANCET_BLOCK_ROLES];

#define LANCET_TENSOR_NAME_SIZE 128

/** The whole name of a tensor of the tower; NULL if the naming has none for the role. */
const char *lancet_role_name(char name[LANCET_TENSOR_NAME_SIZE], const lancet_tower_names *names,
                             const lancet_role *role);
const char *lancet_role_shape(const lancet_role *role, lancet_naming naming);

/** What a person calls it: "OpenAI", "Hugging Face", "clip.cpp". */
const char *lancet_naming_name(lancet_naming naming);

/** What comes before a block's number. */
const char *lancet_block_prefix(char prefix[LANCET_TENSOR_NAME_SIZE], const lancet_tower_names *names);

/** The whole name of a block's tensor; NULL if the naming has none for the role. */
const char *lancet_block_name(char name[LANCET_TENSOR_NAME_SIZE], const lancet_tower_names *names,
                              size_t block, const lancet_role *role);

/** The role under whose name a block files the tensor of block role `role`: itself, but for clip.cpp's
 * "ffn_down" and "ffn_up", which mean either layer of the feed-forward network, each in other files. The
 * shape of the block's own tensors tells which; `width` is the tower's. */
const lancet_role *lancet_block_filed(const lancet_checkpoint *checkpoint, const lancet_tower_names *names,
                                      size_t block, size_t role, size_t width);

/** Is there a tensor of that name, of whatever type? False for NULL. */
bool lancet_role_is_there(const lancet_checkpoint *checkpoint, const char *name);

/** Room for any shape in words. */
#define LANCET_SHAPE_SIZE 192

/** A shape's letters as words: "[width,3,patch,patch]". */
void lancet_role_print(char text[LANCET_SHAPE_SIZE], const char *letters);

/** *tensor = the floating tensor of that name and rank; `expected` is its shape for the message.
 * Errors: INPUT (missing, of another rank, not of floating type, or empty), UNSUPPORTED (a floating or
 * quantised type that is not read). */
lancet_status lancet_role_find(lancet_tensor *tensor, const lancet_checkpoint *checkpoint, const char *name,
                               size_t rank, const char *expected, lancet_error *error);

/** "path: tensor name: expected shape, found its shape". */
lancet_status lancet_role_fail_shape(const lancet_checkpoint *checkpoint, const lancet_tensor *tensor,
                                     const char *expected, lancet_error *error);

#endif
