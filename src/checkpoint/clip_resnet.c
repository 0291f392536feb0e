/* SPDX-License-Identifier: Apache-2.0 */
#include "checkpoint/clip_resnet.h"

#include "base/memory.h"
#include "checkpoint/clip_recognise.h"
#include "checkpoint/show.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* A layer's two names, behind its block's: the convolution and its norm. */
typedef struct layer_name {
    const char *convolution, *norm;
} layer_name;

static const layer_name stem_names[] = {{"conv1", "bn1"}, {"conv2", "bn2"}, {"conv3", "bn3"}};
static const layer_name shortcut_name = {"downsample.0", "downsample.1"};
static const char *const norm_parts[] = {"weight", "bias", "running_mean", "running_var"};
static const char *const pool_names[] = {"positional_embedding", "q_proj.weight", "q_proj.bias",
                                         "k_proj.weight",        "k_proj.bias",   "v_proj.weight",
                                         "v_proj.bias",          "c_proj.weight", "c_proj.bias"};

bool lancet_clip_is_resnet(const lancet_checkpoint *checkpoint)
{
    return lancet_checkpoint_find_prefix(checkpoint, "visual.layer1.") != NULL;
}

/* ---- Sizes --------------------------------------------------------------------------------------------- */

/* "visual.layer<stage + 1>.<block>.": what follows it; NULL if the name is not of that form. A number is not
 * told exactly beyond what any model has. */
static const char *read_block(const char *name, size_t *stage, size_t *block)
{
    static const char start[] = "visual.layer";
    const char *at = name + sizeof start - 1;

    if (strncmp(name, start, sizeof start - 1) != 0 || *at < '1' || *at > '0' + LANCET_RESNET_STAGES ||
        at[1] != '.')
        return NULL;
    *stage = (size_t)(*at - '1');
    *block = 0;
    for (at += 2, name = at; *at >= '0' && *at <= '9'; at++)
        if (*block <= LANCET_BLOCKS_MAX)
            *block = *block * 10 + (size_t)(*at - '0');
    return at > name && *at == '.' ? at + 1 : NULL;
}

/* By the highest number: a gap then shows as a tensor that is missing, by its name; and so does a stage
 * without blocks. */
static lancet_status count_blocks(lancet_clip_configuration *c, const lancet_checkpoint *checkpoint,
                                  lancet_error *error)
{
    const size_t names = lancet_checkpoint_names(checkpoint);
    char shown[96];

    for (size_t i = 0; i < LANCET_RESNET_STAGES; i++)
        c->stage_blocks[i] = 1;
    for (size_t i = 0; i < names; i++) {
        const char *name = lancet_checkpoint_name(checkpoint, i);
        size_t stage, block;

        if (!read_block(name, &stage, &block))
            continue;
        if (block >= LANCET_BLOCKS_MAX)
            return lancet_fail(error, LANCET_ERROR_INPUT, "%s: tensor %s: expected at most %d blocks",
                               lancet_checkpoint_path(checkpoint), lancet_show(shown, sizeof shown, name),
                               LANCET_BLOCKS_MAX);
        if (block >= c->stage_blocks[stage])
            c->stage_blocks[stage] = block + 1;
    }
    c->vision_blocks = 0;
    for (size_t i = 0; i < LANCET_RESNET_STAGES; i++)
        c->vision_blocks += c->stage_blocks[i];
    return LANCET_OK;
}

lancet_status lancet_clip_resnet_read(lancet_clip_configuration *c, const lancet_checkpoint *checkpoint,
                                      lancet_error *error)
{
    lancet_tensor first, positions;
    lancet_status status = count_blocks(c, checkpoint, error);
    char expected[64];

    if (status == LANCET_OK)
        status = lancet_role_find(&first, checkpoint, "visual.layer1.0.conv1.weight", 4, "[width,width,1,1]",
                                  error);
    if (status == LANCET_OK)
        status = lancet_role_find(&positions, checkpoint, "visual.attnpool.positional_embedding", 2,
                                  "[1 + a square,32 width]", error);
    if (status != LANCET_OK)
        return status;
    c->stem_width = first.shape[0];
    c->patch_side = LANCET_RESNET_STRIDE;
    c->grid_side = (size_t)sqrt((double)(positions.shape[0] - 1));
    c->vision_width = positions.shape[1];
    if (c->grid_side == 0 || 1 + c->grid_side * c->grid_side != positions.shape[0] ||
        positions.shape[1] / 32 != c->stem_width || positions.shape[1] % 32 != 0) {
        snprintf(expected, sizeof expected, "[1 + a square,32 x %zu]", c->stem_width);
        return lancet_role_fail_shape(checkpoint, &positions, expected, error);
    }
    return LANCET_OK;
}

/* ---- Tensors ------------------------------------------------------------------------------------------- */

typedef struct taking {
    const lancet_checkpoint *checkpoint;
    lancet_error *error;
} taking;

/* One tensor, of exactly this shape. */
static lancet_status take(const taking *t, lancet_tensor *tensor, const char *name, const size_t *shape,
                          size_t rank)
{
    char expected[LANCET_SHAPE_SIZE];
    lancet_status status;

    lancet_shape_print(expected, sizeof expected, shape, rank);
    status = lancet_role_find(tensor, t->checkpoint, name, rank, expected, t->error);
    if (status != LANCET_OK || memcmp(shape, tensor->shape, rank * sizeof *shape) == 0)
        return status;
    return lancet_role_fail_shape(t->checkpoint, tensor, expected, t->error);
}

/* A root is taken of each. */
static lancet_status check_variances(const taking *t, const lancet_tensor *variance)
{
    float numbers[256];

    for (size_t first = 0; first < variance->count; first += 256) {
        const size_t left = variance->count - first, count = left < 256 ? left : 256;

        lancet_tensor_read(numbers, variance, first, count);
        for (size_t i = 0; i < count; i++)
            if (!isfinite(numbers[i]) || numbers[i] < 0)
                return lancet_fail(
                    t->error, LANCET_ERROR_INPUT,
                    "%s: tensor %s: expected finite variances of 0 or more, found %g at place %zu",
                    lancet_checkpoint_path(t->checkpoint), variance->name, (double)numbers[i], first + i);
    }
    return LANCET_OK;
}

/* A convolution [out,in,k,k] and its norm; prefix: what stands before both names. */
static lancet_status take_layer(const taking *t, lancet_resnet_layer *layer, const char *prefix,
                                const layer_name *names, size_t out, size_t in, size_t kernel)
{
    lancet_tensor *const parts[] = {&layer->norm.weight, &layer->norm.bias, &layer->norm.mean,
                                    &layer->norm.variance};
    const size_t shape[] = {out, in, kernel, kernel};
    char name[LANCET_TENSOR_NAME_SIZE];
    lancet_status status;

    snprintf(name, sizeof name, "%s%s.weight", prefix, names->convolution);
    status = take(t, &layer->weight, name, shape, 4);
    for (size_t i = 0; i < 4 && status == LANCET_OK; i++) {
        snprintf(name, sizeof name, "%s%s.%s", prefix, names->norm, norm_parts[i]);
        status = take(t, parts[i], name, shape, 1);
    }
    return status == LANCET_OK ? check_variances(t, &layer->norm.variance) : status;
}

static lancet_status take_blocks(const taking *t, lancet_bottleneck_weights *block,
                                 const lancet_clip_configuration *c)
{
    size_t in = c->stem_width;
    lancet_status status = LANCET_OK;
    char prefix[64];

    for (size_t stage = 0; stage < LANCET_RESNET_STAGES; stage++) {
        const size_t planes = c->stem_width << stage, out = LANCET_RESNET_EXPANSION * planes;

        for (size_t i = 0; i < c->stage_blocks[stage] && status == LANCET_OK; i++, block++, in = out) {
            snprintf(prefix, sizeof prefix, "visual.layer%zu.%zu.", stage + 1, i);
            status = take_layer(t, &block->reduce, prefix, &stem_names[0], planes, in, 1);
            if (status == LANCET_OK)
                status = take_layer(t, &block->spatial, prefix, &stem_names[1], planes, planes, 3);
            if (status == LANCET_OK)
                status = take_layer(t, &block->expand, prefix, &stem_names[2], out, planes, 1);
            if (status == LANCET_OK && i == 0)
                status = take_layer(t, &block->shortcut, prefix, &shortcut_name, out, in, 1);
        }
    }
    return status;
}

static lancet_status take_pool(const taking *t, lancet_resnet_weights *weights,
                               const lancet_clip_configuration *c)
{
    const size_t width = c->vision_width, embedding = c->embedding_width;
    const struct {
        lancet_tensor *tensor;
        size_t shape[2], rank;
    } parts[] = {
        {&weights->positional_embedding, {1 + c->grid_side * c->grid_side, width}, 2},
        {&weights->query_weight, {width, width}, 2},
        {&weights->query_bias, {width}, 1},
        {&weights->key_weight, {width, width}, 2},
        {&weights->key_bias, {width}, 1},
        {&weights->value_weight, {width, width}, 2},
        {&weights->value_bias, {width}, 1},
        {&weights->out_weight, {embedding, width}, 2},
        {&weights->out_bias, {embedding}, 1},
    };
    lancet_status status = LANCET_OK;

    for (size_t i = 0; i < sizeof parts / sizeof *parts && status == LANCET_OK; i++) {
        char name[LANCET_TENSOR_NAME_SIZE];

        snprintf(name, sizeof name, "visual.attnpool.%s", pool_names[i]);
        status = take(t, parts[i].tensor, name, parts[i].shape, parts[i].rank);
    }
    return status;
}

/* Is `name`, from which the block's name is cut, one of a layer's? */
static bool is_layer(const char *name, const layer_name *names)
{
    const size_t convolution = strlen(names->convolution), norm = strlen(names->norm);

    if (strncmp(name, names->convolution, convolution) == 0 && strcmp(name + convolution, ".weight") == 0)
        return true;
    if (strncmp(name, names->norm, norm) != 0 || name[norm] != '.')
        return false;
    for (size_t i = 0; i < 4; i++)
        if (strcmp(name + norm + 1, norm_parts[i]) == 0)
            return true;
    return false;
}

static bool is_known(const char *name, const lancet_clip_configuration *c)
{
    static const char tower[] = "visual.", pool[] = "visual.attnpool.";
    size_t stage, block;
    const char *rest = read_block(name, &stage, &block);
    char again[64];

    if (rest) {
        /* The number may be written otherwise than it was asked for. */
        snprintf(again, sizeof again, "visual.layer%zu.%zu.", stage + 1, block);
        if (block >= c->stage_blocks[stage] || strncmp(name, again, strlen(again)) != 0)
            return false;
        if (block == 0 && is_layer(rest, &shortcut_name))
            return true;
    } else if (strncmp(name, pool, sizeof pool - 1) == 0) {
        for (size_t i = 0; i < sizeof pool_names / sizeof *pool_names; i++)
            if (strcmp(name + sizeof pool - 1, pool_names[i]) == 0)
                return true;
        return false;
    } else {
        rest = name + sizeof tower - 1;
    }
    for (size_t i = 0; i < 3; i++)
        if (is_layer(rest, &stem_names[i]))
            return true;
    return false;
}

/* With tensors of no role the tower computes something else than would be computed here. */
static lancet_status check_strangers(const taking *t, const lancet_clip_configuration *c)
{
    static const char tower[] = "visual.", counter[] = ".num_batches_tracked";
    const size_t count = lancet_checkpoint_count(t->checkpoint);
    char shown[96];

    for (size_t i = 0; i < count; i++) {
        const lancet_tensor *tensor = lancet_checkpoint_tensor(t->checkpoint, i);
        const size_t length = strlen(tensor->name);

        if (strncmp(tensor->name, tower, sizeof tower - 1) != 0 || !lancet_dtype_is_readable(tensor->dtype))
            continue;
        /* Training counts batches, in floats where a file was cast as a whole; nothing comes of it. */
        if (length >= sizeof counter && strcmp(tensor->name + length - (sizeof counter - 1), counter) == 0)
            continue;
        if (!is_known(tensor->name, c))
            return lancet_fail(
                t->error, LANCET_ERROR_UNSUPPORTED,
                "%s: tensor %s: not part of any tower that is supported: the model would compute "
                "something else",
                lancet_checkpoint_path(t->checkpoint), lancet_show(shown, sizeof shown, tensor->name));
    }
    return LANCET_OK;
}

lancet_status lancet_resnet_weights_read(lancet_resnet_weights *weights, const lancet_checkpoint *checkpoint,
                                         const lancet_clip_configuration *c, lancet_error *error)
{
    const taking t = {checkpoint, error};
    const size_t width = c->stem_width;
    lancet_status status = LANCET_OK;

    *weights = (lancet_resnet_weights){.block_count = c->vision_blocks};
    weights->blocks = lancet_allocate_zero(weights->block_count, sizeof *weights->blocks);
    if (!weights->blocks)
        status = lancet_fail_memory(error, lancet_checkpoint_path(checkpoint));
    for (size_t i = 0; i < 3 && status == LANCET_OK; i++)
        status = take_layer(&t, &weights->stem[i], "visual.", &stem_names[i], i == 2 ? width : width / 2,
                            i ? width / 2 : 3, 3);
    if (status == LANCET_OK)
        status = take_blocks(&t, weights->blocks, c);
    if (status == LANCET_OK)
        status = take_pool(&t, weights, c);
    /* After the rest, so that a name misspelt is told as the tensor that is missing. */
    if (status == LANCET_OK)
        status = check_strangers(&t, c);
    if (status != LANCET_OK)
        lancet_resnet_weights_close(weights);
    return status;
}

void lancet_resnet_weights_close(lancet_resnet_weights *weights)
{
    if (!weights)
        return;
    lancet_free(weights->blocks);
    *weights = (lancet_resnet_weights){0};
}
