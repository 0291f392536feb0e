/* SPDX-License-Identifier: Apache-2.0 */
#include "checkpoint/clip_configuration.h"

#include "checkpoint/clip_recognise.h"
#include "checkpoint/clip_resnet.h"
#include "checkpoint/clip_roles.h"
#include "checkpoint/clip_settle.h"
#include "checkpoint/show.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Far above any model, far below what overflows an int or a product of two. */
#define SIDE_MAX  ((size_t)1 << 15)
#define WIDTH_MAX ((size_t)1 << 16)
#define ROWS_MAX  ((size_t)1 << 26)

static lancet_status find_role(lancet_tensor *tensor, const lancet_checkpoint *checkpoint,
                               const lancet_role *role, const lancet_tower_names *names, lancet_error *error)
{
    const char *letters = lancet_role_shape(role, names->naming);
    char name[LANCET_TENSOR_NAME_SIZE], expected[LANCET_SHAPE_SIZE];

    lancet_role_print(expected, letters);
    return lancet_role_find(tensor, checkpoint, lancet_role_name(name, names, role), strlen(letters),
                            expected, error);
}

/* Once here, nobody further up needs to think about overflow. */
static lancet_status check_limit(const lancet_checkpoint *checkpoint, const char *what, size_t size,
                                 size_t limit, lancet_error *error)
{
    return size <= limit
               ? LANCET_OK
               : lancet_fail(error, LANCET_ERROR_UNSUPPORTED, "%s: expected a %s of at most %zu, found %zu",
                             lancet_checkpoint_path(checkpoint), what, limit, size);
}

/* Two variants of the ViT lack whole tensors, which is not the same as a damaged file. */
static lancet_status check_variant(const lancet_checkpoint *checkpoint, const lancet_tower_names *names,
                                   size_t positions, lancet_error *error)
{
    const lancet_role *roles = lancet_vision_roles;
    const size_t side = (size_t)sqrt((double)positions);
    const char *path = lancet_checkpoint_path(checkpoint);
    char name[LANCET_TENSOR_NAME_SIZE], bias[LANCET_TENSOR_NAME_SIZE];

    lancet_role_name(name, names, &roles[LANCET_ROLE_CLASS_EMBEDDING]);
    if (!lancet_role_is_there(checkpoint, name) && side * side == positions)
        return lancet_fail(
            error, LANCET_ERROR_UNSUPPORTED,
            "%s: found a picture tower without class token (no %s, and %zu positions), which is not "
            "supported",
            path, name, positions);
    lancet_role_name(name, names, &roles[LANCET_ROLE_LN_PRE_WEIGHT]);
    lancet_role_name(bias, names, &roles[LANCET_ROLE_LN_PRE_BIAS]);
    if (!lancet_role_is_there(checkpoint, name) && !lancet_role_is_there(checkpoint, bias))
        return lancet_fail(
            error, LANCET_ERROR_UNSUPPORTED,
            "%s: found a picture tower without its first layer norm (no %s), which is not supported", path,
            name);
    return LANCET_OK;
}

/* Usually four times the width, but nothing depends on that. The first block speaks for all. */
static lancet_status read_hidden(size_t *hidden, const lancet_checkpoint *checkpoint,
                                 const lancet_tower_names *names, size_t width, lancet_error *error)
{
    const lancet_role *role = lancet_block_filed(checkpoint, names, 0, LANCET_ROLE_EXPAND_WEIGHT, width);
    char name[LANCET_TENSOR_NAME_SIZE], expected[LANCET_SHAPE_SIZE];
    lancet_tensor tensor;
    lancet_status status;

    lancet_role_print(expected,
                      lancet_role_shape(&lancet_block_roles[LANCET_ROLE_EXPAND_WEIGHT], names->naming));
    status =
        lancet_role_find(&tensor, checkpoint, lancet_block_name(name, names, 0, role), 2, expected, error);
    if (status == LANCET_OK) {
        *hidden = tensor.shape[0];
        status = check_limit(checkpoint, "hidden width", *hidden, 16 * WIDTH_MAX, error);
    }
    return status;
}

/* Width of the embedding: both towers must name the same. */
static lancet_status read_embedding(lancet_clip_configuration *c, const lancet_checkpoint *checkpoint,
                                    const lancet_role *role, const lancet_tower_names *names, size_t width,
                                    lancet_error *error)
{
    const bool transposed = lancet_role_shape(role, names->naming)[0] == 'C';
    char expected[96];
    lancet_tensor tensor;
    size_t embedding;
    char name[LANCET_TENSOR_NAME_SIZE];
    lancet_status status;

    /* Other models use towers on their own and leave out what was there for the two of them. */
    if (!lancet_role_is_there(checkpoint, lancet_role_name(name, names, role)))
        return lancet_fail(
            error, LANCET_ERROR_UNSUPPORTED,
            "%s: found a %s tower without its projection (no %s)%s, which is not supported: it "
            "has no space in common with %s",
            lancet_checkpoint_path(checkpoint), names->vision ? "picture" : "text", name,
            names->vision ? "" : ", as in Stable Diffusion", names->vision ? "words" : "pictures");
    status = find_role(&tensor, checkpoint, role, names, error);
    if (status != LANCET_OK)
        return status;
    embedding = c->embedding_width ? c->embedding_width : tensor.shape[!transposed];
    snprintf(expected, sizeof expected, "[%zu,%zu]", transposed ? embedding : width,
             transposed ? width : embedding);
    if (tensor.shape[transposed] != width || tensor.shape[!transposed] != embedding)
        return lancet_role_fail_shape(checkpoint, &tensor, expected, error);
    c->embedding_width = embedding;
    return check_limit(checkpoint, "embedding width", embedding, WIDTH_MAX, error);
}

/* Everything about a vision transformer that its shapes tell, in the order in which one needs the other. */
static lancet_status read_vit(lancet_clip_configuration *c, const lancet_checkpoint *checkpoint,
                              const lancet_tower_names *names, lancet_error *error)
{
    const lancet_role *roles = lancet_vision_roles;
    lancet_tensor patch, positions;
    lancet_status status = find_role(&patch, checkpoint, &roles[LANCET_ROLE_PATCH], names, error);
    char expected[64];

    if (status == LANCET_OK && (patch.shape[1] != 3 || patch.shape[2] != patch.shape[3])) {
        snprintf(expected, sizeof expected, "[%zu,3,patch,patch]", patch.shape[0]);
        return lancet_role_fail_shape(checkpoint, &patch, expected, error);
    }
    if (status == LANCET_OK)
        status = find_role(&positions, checkpoint, &roles[LANCET_ROLE_VISION_POSITIONS], names, error);
    if (status == LANCET_OK)
        status = check_variant(checkpoint, names, positions.shape[0], error);
    if (status != LANCET_OK)
        return status;
    c->vision_width = patch.shape[0];
    c->patch_side = patch.shape[2];
    c->grid_side = (size_t)sqrt((double)(positions.shape[0] - 1));
    if (c->grid_side == 0 || 1 + c->grid_side * c->grid_side != positions.shape[0] ||
        positions.shape[1] != c->vision_width) {
        snprintf(expected, sizeof expected, "[1 + a square,%zu]", c->vision_width);
        return lancet_role_fail_shape(checkpoint, &positions, expected, error);
    }
    return LANCET_OK;
}

static lancet_status read_vision(lancet_clip_configuration *c, const lancet_checkpoint *checkpoint,
                                 lancet_error *error)
{
    static const lancet_role pool = {.openai = "visual.attnpool.c_proj.weight", .shape = "CD"};
    const bool resnet = c->family == LANCET_FAMILY_RESNET;
    const lancet_tower_names names = lancet_tower_names_of(c, true);
    lancet_status status =
        resnet ? lancet_clip_resnet_read(c, checkpoint, error) : read_vit(c, checkpoint, &names, error);

    if (status == LANCET_OK)
        status = check_limit(checkpoint, "picture width", c->vision_width, WIDTH_MAX, error);
    if (status == LANCET_OK)
        status = check_limit(checkpoint, "patch side", c->patch_side, SIDE_MAX, error);
    if (status == LANCET_OK)
        status = check_limit(checkpoint, "grid side", c->grid_side, SIDE_MAX, error);
    c->image_side = c->patch_side * c->grid_side;
    if (status == LANCET_OK)
        status = check_limit(checkpoint, "picture side", c->image_side, SIDE_MAX, error);
    if (status == LANCET_OK)
        status = read_embedding(c, checkpoint,
                                resnet ? &pool : &lancet_vision_roles[LANCET_ROLE_VISION_PROJECTION], &names,
                                c->vision_width, error);
    if (status == LANCET_OK && !resnet)
        status = read_hidden(&c->vision_hidden, checkpoint, &names, c->vision_width, error);
    return status;
}

/* A matrix in most models, a linear layer in others. */
static lancet_status read_text_projection(lancet_clip_configuration *c, const lancet_checkpoint *checkpoint,
                                          const lancet_tower_names *names, lancet_error *error)
{
    const lancet_role *matrix = &lancet_text_roles[LANCET_ROLE_TEXT_PROJECTION];
    const lancet_role *layer = &lancet_text_roles[LANCET_ROLE_TEXT_PROJECTION_WEIGHT];
    char matrix_name[LANCET_TENSOR_NAME_SIZE], layer_name[LANCET_TENSOR_NAME_SIZE], shown[96];
    const char *known = lancet_role_name(matrix_name, names, matrix), *other;

    /* Its weight, or a bias that would go with nothing. */
    snprintf(layer_name, sizeof layer_name, "%stext_projection.", names->prefix);
    other = lancet_checkpoint_find_prefix(checkpoint, layer_name);
    if (lancet_role_is_there(checkpoint, known) && other)
        return lancet_fail(error, LANCET_ERROR_INPUT, "%s: expected one text projection, found %s and %s",
                           lancet_checkpoint_path(checkpoint), matrix_name,
                           lancet_show(shown, sizeof shown, other));
    return read_embedding(c, checkpoint, other || !known ? layer : matrix, names, c->text_width, error);
}

/* Width and vocabulary from the token embedding, the context from its positions. */
static lancet_status read_text(lancet_clip_configuration *c, const lancet_checkpoint *checkpoint,
                               lancet_error *error)
{
    const lancet_role *roles = lancet_text_roles;
    const lancet_tower_names names = lancet_tower_names_of(c, false);
    lancet_tensor tokens, positions;
    lancet_status status = find_role(&tokens, checkpoint, &roles[LANCET_ROLE_TOKEN_EMBEDDING], &names, error);

    if (status == LANCET_OK)
        status = find_role(&positions, checkpoint, &roles[LANCET_ROLE_TEXT_POSITIONS], &names, error);
    if (status != LANCET_OK)
        return status;
    c->vocabulary_size = tokens.shape[0];
    c->text_width = tokens.shape[1];
    c->context_length = positions.shape[0];
    if (positions.shape[1] != c->text_width) {
        char expected[64];

        snprintf(expected, sizeof expected, "[%zu,%zu]", c->context_length, c->text_width);
        return lancet_role_fail_shape(checkpoint, &positions, expected, error);
    }
    status = check_limit(checkpoint, "text width", c->text_width, WIDTH_MAX, error);
    if (status == LANCET_OK)
        status = check_limit(checkpoint, "context", c->context_length, WIDTH_MAX, error);
    if (status == LANCET_OK)
        status = check_limit(checkpoint, "vocabulary", c->vocabulary_size, ROWS_MAX, error);
    if (status == LANCET_OK)
        status = read_text_projection(c, checkpoint, &names, error);
    if (status == LANCET_OK)
        status = read_hidden(&c->text_hidden, checkpoint, &names, c->text_width, error);
    return status;
}

/* Stored as a logarithm, of rank 0 or, by some writers, 1. */
static lancet_status read_scale(lancet_clip_configuration *c, const lancet_checkpoint *checkpoint,
                                lancet_error *error)
{
    const lancet_tensor *found = lancet_checkpoint_find(checkpoint, "logit_scale");
    lancet_tensor tensor;
    lancet_status status;
    float value;

    if (!found && !lancet_checkpoint_unreadable(checkpoint, "logit_scale")) {
        c->logit_scale = 100;
        c->logit_scale_assumed = true;
        lancet_clip_note(c, "The file holds no logit_scale: 100 was assumed.");
        return LANCET_OK;
    }
    status = lancet_role_find(&tensor, checkpoint, "logit_scale", found && found->rank == 1, "[]", error);
    if (status != LANCET_OK)
        return status;
    if (tensor.count != 1)
        return lancet_role_fail_shape(checkpoint, &tensor, "[]", error);
    lancet_tensor_read(&value, &tensor, 0, 1);
    if (!isfinite(value))
        return lancet_fail(error, LANCET_ERROR_INPUT,
                           "%s: tensor logit_scale: expected a finite number, found %g",
                           lancet_checkpoint_path(checkpoint), (double)value);
    /* Training holds it below ln 100; beyond this it would only make numbers that are not finite. */
    c->logit_scale = expf(fmaxf(-20, fminf(value, 20)));
    return LANCET_OK;
}

/* Weights that speak for themselves need nothing beside them: what lies there is then of another file. Memory
 * has no folder. */
static lancet_status read_files(lancet_clip_files *files, const lancet_checkpoint *checkpoint,
                                lancet_error *error)
{
    const lancet_settings *own = lancet_checkpoint_settings(checkpoint);
    const char *path = lancet_checkpoint_path(checkpoint);
    lancet_status status = LANCET_OK;

    if (own) {
        files->own = *own;
        return LANCET_OK;
    }
    if (lancet_checkpoint_is_file(checkpoint))
        status = lancet_settings_read(&files->config, LANCET_SETTINGS_HUGGING_FACE, path, error);
    if (status == LANCET_OK && lancet_checkpoint_is_file(checkpoint))
        status = lancet_settings_read(&files->preprocessor, LANCET_SETTINGS_PREPROCESSOR, path, error);
    if (status == LANCET_OK && lancet_checkpoint_is_file(checkpoint))
        status = lancet_settings_read(&files->open_clip, LANCET_SETTINGS_OPEN_CLIP, path, error);
    return status;
}

static lancet_status check_options(const lancet_model_options *options, lancet_error *error)
{
    if ((unsigned)options->activation > LANCET_ACTIVATION_GELU)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "option activation: %d is none",
                           (int)options->activation);
    if ((unsigned)options->towers > LANCET_TOWERS_NONE)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "option towers: %d is none", (int)options->towers);
    if (options->head_width < 0)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "option head_width: expected 1 or more, found %d",
                           options->head_width);
    if (options->text_head_width < 0)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                           "option text_head_width: expected 1 or more, found %d", options->text_head_width);
    return LANCET_OK;
}

lancet_status lancet_clip_configuration_read(lancet_clip_configuration *configuration,
                                             const lancet_checkpoint *checkpoint,
                                             const lancet_model_options *options, lancet_error *error)
{
    static const lancet_model_options defaults;
    lancet_clip_files files = {0};
    lancet_status status;

    *configuration = (lancet_clip_configuration){0};
    if (!options)
        options = &defaults;
    status = check_options(options, error);
    if (status == LANCET_OK)
        status = lancet_clip_recognise(configuration, checkpoint, options->towers, error);
    if (status == LANCET_OK && configuration->has_vision)
        status = read_vision(configuration, checkpoint, error);
    if (status == LANCET_OK && configuration->has_text)
        status = read_text(configuration, checkpoint, error);
    if (status == LANCET_OK)
        status = read_scale(configuration, checkpoint, error);
    if (status == LANCET_OK)
        status = read_files(&files, checkpoint, error);
    if (status == LANCET_OK)
        status = lancet_clip_settle(configuration, checkpoint, &files, options, error);
    if (status != LANCET_OK)
        return status;
    if (!configuration->has_text && options->towers != LANCET_TOWERS_VISION)
        lancet_clip_note(configuration, "The file holds no text tower.");
    if (!configuration->has_vision && options->towers != LANCET_TOWERS_TEXT)
        lancet_clip_note(configuration, "The file holds no picture tower.");
    return LANCET_OK;
}
