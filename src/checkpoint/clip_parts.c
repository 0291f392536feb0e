/* SPDX-License-Identifier: Apache-2.0 */
#include "checkpoint/clip_parts.h"

#include "base/memory.h"
#include "checkpoint/clip_resnet.h"

#include <stdio.h>
#include <string.h>

/* As many as any tower has outside its blocks at most, and a block, and a bottleneck. */
#define PARTS_OF_TOWER      32
#define PARTS_OF_BLOCK      12
#define PARTS_OF_BOTTLENECK 20

typedef struct list {
    lancet_clip_part *parts;
    size_t count;
    lancet_tower_names names; /* of the parts, not of the file */
    size_t block;
} list;

static lancet_clip_part *add(list *l, lancet_part_kind kind, const lancet_tensor *source)
{
    lancet_clip_part *part = &l->parts[l->count++];

    *part = (lancet_clip_part){.kind = kind, .rank = source->rank, .source_count = 1};
    part->sources[0] = *source;
    memcpy(part->shape, source->shape, source->rank * sizeof *part->shape);
    return part;
}

static void add_role(list *l, const lancet_role *role, lancet_part_kind kind, const lancet_tensor *source)
{
    lancet_role_name(add(l, kind, source)->name, &l->names, role);
}

static void add_block_role(list *l, size_t role, lancet_part_kind kind, const lancet_tensor *source)
{
    lancet_block_name(add(l, kind, source)->name, &l->names, l->block, &lancet_block_roles[role]);
}

/* q, k and v, which some files keep apart. */
static void add_packed(list *l, size_t role, lancet_part_kind kind, const lancet_tensor sources[3])
{
    lancet_clip_part *part;

    add_block_role(l, role, kind, &sources[0]);
    part = &l->parts[l->count - 1];
    memcpy(part->sources, sources, sizeof part->sources);
    part->source_count = 3;
    part->shape[0] *= 3;
}

/* A matrix [D, C] in OpenAI's files; [C, D] as a linear layer. */
static void add_projection(list *l, const lancet_role *role, const lancet_tensor *source, bool transposed)
{
    lancet_clip_part *part;

    add_role(l, role, LANCET_PART_PROJECTION, source);
    part = &l->parts[l->count - 1];
    part->transposed = transposed;
    if (transposed) {
        part->shape[0] = source->shape[1];
        part->shape[1] = source->shape[0];
    }
}

static void add_block(list *l, const lancet_block_weights *w)
{
    add_block_role(l, LANCET_ROLE_LN_1_WEIGHT, LANCET_PART_SMALL, &w->ln_1_weight);
    add_block_role(l, LANCET_ROLE_LN_1_BIAS, LANCET_PART_SMALL, &w->ln_1_bias);
    add_packed(l, LANCET_ROLE_QKV_WEIGHT, LANCET_PART_MATRIX, w->qkv_weight);
    add_packed(l, LANCET_ROLE_QKV_BIAS, LANCET_PART_SMALL, w->qkv_bias);
    add_block_role(l, LANCET_ROLE_OUT_WEIGHT, LANCET_PART_MATRIX, &w->out_weight);
    add_block_role(l, LANCET_ROLE_OUT_BIAS, LANCET_PART_SMALL, &w->out_bias);
    add_block_role(l, LANCET_ROLE_LN_2_WEIGHT, LANCET_PART_SMALL, &w->ln_2_weight);
    add_block_role(l, LANCET_ROLE_LN_2_BIAS, LANCET_PART_SMALL, &w->ln_2_bias);
    add_block_role(l, LANCET_ROLE_EXPAND_WEIGHT, LANCET_PART_MATRIX, &w->expand_weight);
    add_block_role(l, LANCET_ROLE_EXPAND_BIAS, LANCET_PART_SMALL, &w->expand_bias);
    add_block_role(l, LANCET_ROLE_CONTRACT_WEIGHT, LANCET_PART_MATRIX, &w->contract_weight);
    add_block_role(l, LANCET_ROLE_CONTRACT_BIAS, LANCET_PART_SMALL, &w->contract_bias);
}

static void add_vision(list *l, const lancet_vision_weights *w)
{
    const lancet_role *roles = lancet_vision_roles;

    l->names = (lancet_tower_names){LANCET_NAMING_OPENAI, true, ""};
    add_role(l, &roles[LANCET_ROLE_CLASS_EMBEDDING], LANCET_PART_SMALL, &w->class_embedding);
    add_role(l, &roles[LANCET_ROLE_VISION_POSITIONS], LANCET_PART_SMALL, &w->positional_embedding);
    add_role(l, &roles[LANCET_ROLE_PATCH], LANCET_PART_MATRIX, &w->patch_weight);
    add_role(l, &roles[LANCET_ROLE_LN_PRE_WEIGHT], LANCET_PART_SMALL, &w->ln_pre_weight);
    add_role(l, &roles[LANCET_ROLE_LN_PRE_BIAS], LANCET_PART_SMALL, &w->ln_pre_bias);
    for (l->block = 0; l->block < w->block_count; l->block++)
        add_block(l, &w->blocks[l->block]);
    add_role(l, &roles[LANCET_ROLE_LN_POST_WEIGHT], LANCET_PART_SMALL, &w->ln_post_weight);
    add_role(l, &roles[LANCET_ROLE_LN_POST_BIAS], LANCET_PART_SMALL, &w->ln_post_bias);
    add_projection(l, &roles[LANCET_ROLE_VISION_PROJECTION], &w->projection, w->projection_transposed);
}

/* ResNets have OpenAI's names wherever they are. */
static void add_as_named(list *l, lancet_part_kind kind, const lancet_tensor *source)
{
    lancet_clip_part *part = add(l, kind, source);

    snprintf(part->name, sizeof part->name, "%s", source->name);
}

static void add_layer(list *l, const lancet_resnet_layer *layer)
{
    if (!layer->weight.count)
        return;
    add_as_named(l, LANCET_PART_MATRIX, &layer->weight);
    add_as_named(l, LANCET_PART_SMALL, &layer->norm.weight);
    add_as_named(l, LANCET_PART_SMALL, &layer->norm.bias);
    add_as_named(l, LANCET_PART_SMALL, &layer->norm.mean);
    add_as_named(l, LANCET_PART_SMALL, &layer->norm.variance);
}

static void add_resnet(list *l, const lancet_resnet_weights *w)
{
    const lancet_tensor *const pool[][2] = {{&w->query_weight, &w->query_bias},
                                            {&w->key_weight, &w->key_bias},
                                            {&w->value_weight, &w->value_bias},
                                            {&w->out_weight, &w->out_bias}};

    for (size_t i = 0; i < 3; i++)
        add_layer(l, &w->stem[i]);
    for (size_t i = 0; i < w->block_count; i++) {
        add_layer(l, &w->blocks[i].reduce);
        add_layer(l, &w->blocks[i].spatial);
        add_layer(l, &w->blocks[i].expand);
        add_layer(l, &w->blocks[i].shortcut);
    }
    add_as_named(l, LANCET_PART_SMALL, &w->positional_embedding);
    for (size_t i = 0; i < sizeof pool / sizeof *pool; i++) {
        add_as_named(l, LANCET_PART_MATRIX, pool[i][0]);
        add_as_named(l, LANCET_PART_SMALL, pool[i][1]);
    }
}

/* A projection with a bias can only be a linear layer. */
static void add_text(list *l, const lancet_text_weights *w)
{
    const lancet_role *roles = lancet_text_roles;
    const bool is_layer = w->projection_bias.count != 0;

    l->names = (lancet_tower_names){LANCET_NAMING_OPENAI, false, ""};
    add_role(l, &roles[LANCET_ROLE_TOKEN_EMBEDDING], LANCET_PART_EMBEDDING, &w->token_embedding);
    add_role(l, &roles[LANCET_ROLE_TEXT_POSITIONS], LANCET_PART_SMALL, &w->positional_embedding);
    for (l->block = 0; l->block < w->block_count; l->block++)
        add_block(l, &w->blocks[l->block]);
    add_role(l, &roles[LANCET_ROLE_LN_FINAL_WEIGHT], LANCET_PART_SMALL, &w->ln_final_weight);
    add_role(l, &roles[LANCET_ROLE_LN_FINAL_BIAS], LANCET_PART_SMALL, &w->ln_final_bias);
    add_projection(l, &roles[is_layer ? LANCET_ROLE_TEXT_PROJECTION_WEIGHT : LANCET_ROLE_TEXT_PROJECTION],
                   &w->projection, w->projection_transposed != is_layer);
    if (is_layer)
        add_role(l, &roles[LANCET_ROLE_TEXT_PROJECTION_BIAS], LANCET_PART_SMALL, &w->projection_bias);
}

/* Some write it as a list of one. */
static void add_scale(list *l, const lancet_checkpoint *checkpoint)
{
    const lancet_tensor *scale = lancet_checkpoint_find(checkpoint, "logit_scale");
    lancet_clip_part *part;

    if (!scale)
        return;
    part = add(l, LANCET_PART_SMALL, scale);
    snprintf(part->name, sizeof part->name, "logit_scale");
    part->rank = 0;
}

lancet_status lancet_clip_parts_list(lancet_clip_part **parts, size_t *count,
                                     const lancet_checkpoint *checkpoint,
                                     const lancet_clip_configuration *configuration, lancet_error *error)
{
    const bool is_resnet = configuration->has_vision && configuration->family == LANCET_FAMILY_RESNET;
    lancet_vision_weights vision = {0};
    lancet_resnet_weights resnet = {0};
    lancet_text_weights text = {0};
    list l = {0};
    lancet_status status = LANCET_OK;

    *parts = NULL;
    *count = 0;
    if (is_resnet)
        status = lancet_resnet_weights_read(&resnet, checkpoint, configuration, error);
    else if (configuration->has_vision)
        status = lancet_vision_weights_read(&vision, checkpoint, configuration, error);
    if (status == LANCET_OK && configuration->has_text)
        status = lancet_text_weights_read(&text, checkpoint, configuration, error);
    if (status != LANCET_OK)
        goto done;
    l.parts = lancet_allocate(2 * PARTS_OF_TOWER + PARTS_OF_BLOCK * (vision.block_count + text.block_count) +
                                  PARTS_OF_BOTTLENECK * resnet.block_count,
                              sizeof *l.parts);
    if (!l.parts) {
        status = lancet_fail_memory(error, "a list of tensors");
        goto done;
    }
    if (is_resnet)
        add_resnet(&l, &resnet);
    else if (configuration->has_vision)
        add_vision(&l, &vision);
    if (configuration->has_text)
        add_text(&l, &text);
    add_scale(&l, checkpoint);
    for (size_t i = 0; i < l.count; i++) {
        lancet_clip_part *part = &l.parts[i];

        part->rows = part->rank ? part->shape[0] : 1;
        part->row = 1;
        for (size_t k = 1; k < part->rank; k++)
            part->row *= part->shape[k];
    }
    *parts = l.parts;
    *count = l.count;
done:
    lancet_vision_weights_close(&vision);
    lancet_resnet_weights_close(&resnet);
    lancet_text_weights_close(&text);
    return status;
}

void lancet_clip_part_read(float *out, const lancet_clip_part *part, size_t first, size_t rows)
{
    const lancet_tensor *source = part->sources;

    if (part->transposed) {
        /* A stripe of each row of the source: whole columns, one by one, would touch every page each time. */
        for (size_t i = 0; i < part->row; i++) {
            float stripe[64];

            for (size_t done = 0, taken; done < rows; done += taken) {
                taken = rows - done < 64 ? rows - done : 64;
                lancet_tensor_read(stripe, source, i * part->rows + first + done, taken);
                for (size_t k = 0; k < taken; k++)
                    out[(done + k) * part->row + i] = stripe[k];
            }
        }
        return;
    }
    for (size_t done = 0, before = 0; done < rows; source++) {
        const size_t count = source->count / part->row; /* rows of this source */
        const size_t end = before + count, from = first + done;

        if (from < end) {
            const size_t taken = end - from < rows - done ? end - from : rows - done;

            lancet_tensor_read(out + done * part->row, source, (from - before) * part->row,
                               taken * part->row);
            done += taken;
        }
        before = end;
    }
}

const char *lancet_clip_part_source(const lancet_clip_part *part)
{
    return part->sources[0].name;
}

void lancet_clip_part_drop(const lancet_clip_part *part, const lancet_checkpoint *checkpoint)
{
    for (size_t i = 0; i < part->source_count; i++)
        lancet_checkpoint_drop(checkpoint, &part->sources[i]);
}
