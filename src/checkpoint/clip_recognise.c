/* SPDX-License-Identifier: Apache-2.0 */
#include "checkpoint/clip_recognise.h"

#include "checkpoint/clip_resnet.h"
#include "checkpoint/clip_variants.h"
#include "checkpoint/show.h"

#include <string.h>

static bool starts(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool ends(const char *text, const char *suffix)
{
    const size_t length = strlen(text), size = strlen(suffix);

    return length >= size && strcmp(text + length - size, suffix) == 0;
}

/* "12.attn..." after a block's prefix: the number, and what follows its dot; NULL if there is no number. */
static const char *read_block(const char *text, size_t *block)
{
    const char *start = text;

    *block = 0;
    for (; *text >= '0' && *text <= '9'; text++)
        if (*block <= LANCET_BLOCKS_MAX) /* beyond that, how far is all the same */
            *block = *block * 10 + (size_t)(*text - '0');
    return text > start && *text == '.' ? text + 1 : NULL;
}

/* Blocks are counted by the highest number: a gap then shows as a tensor that is missing, by its name. */
static lancet_status count_blocks(size_t *count, const lancet_checkpoint *checkpoint,
                                  const lancet_tower_names *tower, lancet_error *error)
{
    char prefix[LANCET_TENSOR_NAME_SIZE], shown[96];
    const size_t names = lancet_checkpoint_names(checkpoint);
    const size_t length = strlen(lancet_block_prefix(prefix, tower));
    const char *path = lancet_checkpoint_path(checkpoint);

    *count = 0;
    for (size_t i = 0; i < names; i++) {
        const char *name = lancet_checkpoint_name(checkpoint, i), *rest;
        size_t block;

        if (strncmp(name, prefix, length) != 0)
            continue;
        rest = read_block(name + length, &block);
        if (!rest)
            continue;
        if (starts(rest, "ls_1.") || starts(rest, "ls_2."))
            return lancet_fail(error, LANCET_ERROR_UNSUPPORTED,
                               "%s: found a tower with LayerScale (%s), which is not supported", path,
                               lancet_show(shown, sizeof shown, name));
        if (block >= LANCET_BLOCKS_MAX)
            return lancet_fail(error, LANCET_ERROR_INPUT, "%s: tensor %s: expected at most %d blocks", path,
                               lancet_show(shown, sizeof shown, name), LANCET_BLOCKS_MAX);
        if (block >= *count)
            *count = block + 1;
    }
    return LANCET_OK;
}

/* Is there a tensor whose name starts with one of these? */
static bool is_any(const lancet_checkpoint *checkpoint, const char *const *prefixes)
{
    for (; *prefixes; prefixes++)
        if (lancet_checkpoint_find_prefix(checkpoint, *prefixes))
            return true;
    return false;
}

/* CustomTextCLIP puts "text." before the names that CLIP gives its text tower. */
static lancet_status find_text_prefix(lancet_clip_configuration *c, const lancet_checkpoint *checkpoint,
                                      lancet_error *error)
{
    static const char *const apart[] = {"text.transformer.resblocks.", "text.token_embedding.", NULL};
    static const char *const plain[] = {"transformer.resblocks.", "token_embedding.", NULL};

    c->text_apart = c->naming == LANCET_NAMING_OPENAI && is_any(checkpoint, apart);
    if (c->text_apart && is_any(checkpoint, plain))
        return lancet_fail(error, LANCET_ERROR_INPUT,
                           "%s: expected one text tower, found two: with and without \"text.\" before the "
                           "names of its tensors",
                           lancet_checkpoint_path(checkpoint));
    return LANCET_OK;
}

lancet_status lancet_clip_recognise(lancet_clip_configuration *configuration,
                                    const lancet_checkpoint *checkpoint, lancet_towers towers,
                                    lancet_error *error)
{
    static const char *const hugging_face[] = {"vision_model.", "text_model.", NULL};
    static const char *const clip_cpp[] = {"v.blk.", "v.class_embd",  "v.patch_embd.",
                                           "t.blk.", "t.token_embd.", NULL};
    static const char *const vision[][4] = {[LANCET_NAMING_OPENAI] = {"visual.", NULL},
                                            [LANCET_NAMING_HUGGING_FACE] = {"vision_model.", NULL},
                                            [LANCET_NAMING_CLIP_CPP] = {"v.", NULL}};
    static const char *const text[][7] = {
        [LANCET_NAMING_OPENAI] = {"transformer.resblocks.", "token_embedding.", "text_projection",
                                  "text.transformer.", "text.token_embedding.", "text.text_projection", NULL},
        [LANCET_NAMING_HUGGING_FACE] = {"text_model.", NULL},
        [LANCET_NAMING_CLIP_CPP] = {"t.", NULL}};
    const char *path = lancet_checkpoint_path(checkpoint);
    const lancet_naming naming = is_any(checkpoint, hugging_face) ? LANCET_NAMING_HUGGING_FACE
                                 : is_any(checkpoint, clip_cpp)   ? LANCET_NAMING_CLIP_CPP
                                                                  : LANCET_NAMING_OPENAI;
    const bool has_vision = is_any(checkpoint, vision[naming]), has_text = is_any(checkpoint, text[naming]);
    lancet_status status;

    if (!has_vision && !has_text)
        return lancet_clip_refuse_others(checkpoint, error);
    if ((towers == LANCET_TOWERS_VISION && !has_vision) || (towers == LANCET_TOWERS_TEXT && !has_text))
        return lancet_fail(error, LANCET_ERROR_INPUT, "%s: expected a %s tower, found a %s tower alone", path,
                           has_text ? "picture" : "text", has_text ? "text" : "picture");
    configuration->naming = naming;
    configuration->has_vision = has_vision && towers != LANCET_TOWERS_TEXT;
    configuration->has_text = has_text && towers != LANCET_TOWERS_VISION;
    status = lancet_clip_check_variants(configuration, checkpoint, error);
    if (status == LANCET_OK && configuration->has_text)
        status = find_text_prefix(configuration, checkpoint, error);
    /* A ResNet's blocks are counted where its sizes are read. */
    if (configuration->has_vision && naming == LANCET_NAMING_OPENAI && lancet_clip_is_resnet(checkpoint))
        configuration->family = LANCET_FAMILY_RESNET;
    if (status == LANCET_OK && configuration->has_vision && configuration->family == LANCET_FAMILY_VIT) {
        const lancet_tower_names names = lancet_tower_names_of(configuration, true);

        status = count_blocks(&configuration->vision_blocks, checkpoint, &names, error);
    }
    if (status == LANCET_OK && configuration->has_text) {
        const lancet_tower_names names = lancet_tower_names_of(configuration, false);

        status = count_blocks(&configuration->text_blocks, checkpoint, &names, error);
    }
    return status;
}

/* Does the tower use this name? The lists are short. */
static bool has_role(const char *name, const lancet_tower_names *names)
{
    const lancet_role *roles = names->vision ? lancet_vision_roles : lancet_text_roles;
    const size_t count = names->vision ? (size_t)LANCET_VISION_ROLES : (size_t)LANCET_TEXT_ROLES;
    char known[LANCET_TENSOR_NAME_SIZE];

    for (size_t i = 0; i < count; i++)
        if (lancet_role_name(known, names, &roles[i]) && strcmp(known, name) == 0)
            return true;
    return false;
}

/* The same for what follows a block's number. */
static bool has_block_role(const char *name, size_t block, const lancet_tower_names *names)
{
    char known[LANCET_TENSOR_NAME_SIZE];

    for (size_t i = 0; i < LANCET_BLOCK_ROLES; i++)
        if (lancet_block_name(known, names, block, &lancet_block_roles[i]) && strcmp(known, name) == 0)
            return true;
    return false;
}

lancet_status lancet_clip_check_strangers(const lancet_checkpoint *checkpoint,
                                          const lancet_tower_names *names, lancet_error *error)
{
    /* What the names of a tower start with; a projection has no tower's name before it. */
    static const char *const towers[][2][6] = {
        [LANCET_NAMING_OPENAI] = {{"transformer.", "token_embedding", "positional_embedding", "ln_final",
                                   "text_projection", NULL},
                                  {"visual.", NULL}},
        [LANCET_NAMING_HUGGING_FACE] = {{"text_model.", "text_projection", NULL},
                                        {"vision_model.", "visual_projection", NULL}},
        [LANCET_NAMING_CLIP_CPP] = {{"t.", "text_projection", NULL}, {"v.", "visual_projection", NULL}}};
    const char *const *tower = towers[names->naming][names->vision];
    const size_t count = lancet_checkpoint_count(checkpoint), prefix_length = strlen(names->prefix);
    char blocks[LANCET_TENSOR_NAME_SIZE], shown[96];
    const size_t length = strlen(lancet_block_prefix(blocks, names));

    for (size_t i = 0; i < count; i++) {
        const lancet_tensor *tensor = lancet_checkpoint_tensor(checkpoint, i);
        bool is_of_tower = prefix_length && starts(tensor->name, names->prefix);
        const char *rest = NULL;
        size_t block;

        for (size_t k = 0; !prefix_length && tower[k]; k++)
            is_of_tower = is_of_tower || starts(tensor->name, tower[k]);
        if (!is_of_tower)
            continue;
        /* Counters and lists of positions change no result; the latter are floats in files cast as a whole.
         * The mask is the one that every text tower has. */
        if (!lancet_dtype_is_readable(tensor->dtype) || ends(tensor->name, ".position_ids") ||
            ends(tensor->name, "attn_mask"))
            continue;
        if (starts(tensor->name, blocks))
            rest = read_block(tensor->name + length, &block);
        if (rest ? has_block_role(tensor->name, block, names) : has_role(tensor->name, names))
            continue;
        return lancet_fail(error, LANCET_ERROR_UNSUPPORTED,
                           "%s: tensor %s: not part of any tower that is supported: the model would compute "
                           "something else",
                           lancet_checkpoint_path(checkpoint),
                           lancet_show(shown, sizeof shown, tensor->name));
    }
    return LANCET_OK;
}
