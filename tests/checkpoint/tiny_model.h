/* A model small enough to write in a test: every number of it different, under either naming.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_CHECKPOINT_TINY_MODEL_H
#define TESTS_CHECKPOINT_TINY_MODEL_H

#include "support/files.h"

#include "checkpoint/safetensors.h"

#define TINY_TENSORS 128
enum { TINY_WIDTH = 4, TINY_HIDDEN = 6, TINY_EMBEDDING = 3, TINY_PATCH = 2, TINY_GRID = 2, TINY_BLOCKS = 2 };
enum {
    TINY_TEXT_WIDTH = 2,
    TINY_TEXT_HIDDEN = 5,
    TINY_VOCABULARY = 7,
    TINY_CONTEXT = 5,
    TINY_TEXT_BLOCKS = 1
};

/* Big enough for the whole model as floats. */
typedef struct tiny_model {
    lancet_tensor tensors[TINY_TENSORS];
    char names[TINY_TENSORS][96];
    size_t count;
    float numbers[2048];
    size_t used;
} tiny_model;

/* The next tensor, its numbers going on where the last one's ended; letters as in the table of roles. */
static inline lancet_tensor *tiny_add(tiny_model *m, const char *name, size_t rank, const size_t *shape)
{
    lancet_tensor *tensor = &m->tensors[m->count];

    snprintf(m->names[m->count], sizeof m->names[0], "%s", name);
    *tensor = (lancet_tensor){.name = m->names[m->count], .dtype = LANCET_F32, .rank = rank, .count = 1};
    for (size_t i = 0; i < rank; i++) {
        tensor->shape[i] = shape[i];
        tensor->count *= shape[i];
    }
    tensor->data = m->numbers + m->used;
    for (size_t i = 0; i < tensor->count; i++, m->used++)
        m->numbers[m->used] = (float)m->used * 0.25f + 1;
    m->count++;
    return tensor;
}

#define TINY_ADD(m, name, ...)                                                                               \
    tiny_add(m, name, sizeof((size_t[]){__VA_ARGS__}) / sizeof(size_t), (const size_t[]){__VA_ARGS__})

static inline void tiny_add_block(tiny_model *m, const char *prefix, bool openai, size_t width, size_t hidden)
{
    static const char *const names[][2] = {{"layer_norm1.weight", "ln_1.weight"},
                                           {"layer_norm1.bias", "ln_1.bias"},
                                           {"layer_norm2.weight", "ln_2.weight"},
                                           {"layer_norm2.bias", "ln_2.bias"},
                                           {"mlp.fc1.weight", "mlp.c_fc.weight"},
                                           {"mlp.fc1.bias", "mlp.c_fc.bias"},
                                           {"mlp.fc2.weight", "mlp.c_proj.weight"},
                                           {"mlp.fc2.bias", "mlp.c_proj.bias"},
                                           {"self_attn.out_proj.weight", "attn.out_proj.weight"},
                                           {"self_attn.out_proj.bias", "attn.out_proj.bias"}};
    char name[96];

#define NAME(i) (snprintf(name, sizeof name, "%s%s", prefix, names[i][openai]), name)
    for (size_t i = 0; i < 4; i++)
        TINY_ADD(m, NAME(i), width);
    TINY_ADD(m, NAME(4), hidden, width);
    TINY_ADD(m, NAME(5), hidden);
    TINY_ADD(m, NAME(6), width, hidden);
    TINY_ADD(m, NAME(7), width);
    TINY_ADD(m, NAME(8), width, width);
    TINY_ADD(m, NAME(9), width);
#undef NAME
    if (openai) {
        snprintf(name, sizeof name, "%sattn.in_proj_weight", prefix);
        TINY_ADD(m, name, 3 * width, width);
        snprintf(name, sizeof name, "%sattn.in_proj_bias", prefix);
        TINY_ADD(m, name, 3 * width);
        return;
    }
    /* In the order of the packed tensors, so that the numbers are the same. */
    for (const char *kind = "weight"; kind; kind = *kind == 'w' ? "bias" : NULL)
        for (const char *letter = "qkv"; *letter; letter++) {
            snprintf(name, sizeof name, "%sself_attn.%c_proj.%s", prefix, *letter, kind);
            if (*kind == 'w')
                TINY_ADD(m, name, width, width);
            else
                TINY_ADD(m, name, width);
        }
}

static inline void tiny_add_vision(tiny_model *m, bool openai)
{
    char prefix[64];

    TINY_ADD(m, openai ? "visual.class_embedding" : "vision_model.embeddings.class_embedding", TINY_WIDTH);
    TINY_ADD(m, openai ? "visual.positional_embedding" : "vision_model.embeddings.position_embedding.weight",
             1 + TINY_GRID * TINY_GRID, TINY_WIDTH);
    TINY_ADD(m, openai ? "visual.conv1.weight" : "vision_model.embeddings.patch_embedding.weight", TINY_WIDTH,
             3, TINY_PATCH, TINY_PATCH);
    TINY_ADD(m, openai ? "visual.ln_pre.weight" : "vision_model.pre_layrnorm.weight", TINY_WIDTH);
    TINY_ADD(m, openai ? "visual.ln_pre.bias" : "vision_model.pre_layrnorm.bias", TINY_WIDTH);
    TINY_ADD(m, openai ? "visual.ln_post.weight" : "vision_model.post_layernorm.weight", TINY_WIDTH);
    TINY_ADD(m, openai ? "visual.ln_post.bias" : "vision_model.post_layernorm.bias", TINY_WIDTH);
    if (openai)
        TINY_ADD(m, "visual.proj", TINY_WIDTH, TINY_EMBEDDING);
    else
        TINY_ADD(m, "visual_projection.weight", TINY_EMBEDDING, TINY_WIDTH);
    for (int i = 0; i < TINY_BLOCKS; i++) {
        snprintf(prefix, sizeof prefix,
                 openai ? "visual.transformer.resblocks.%d." : "vision_model.encoder.layers.%d.", i);
        tiny_add_block(m, prefix, openai, TINY_WIDTH, TINY_HIDDEN);
    }
}

static inline void tiny_add_text(tiny_model *m, bool openai)
{
    char prefix[64];

    TINY_ADD(m, openai ? "token_embedding.weight" : "text_model.embeddings.token_embedding.weight",
             TINY_VOCABULARY, TINY_TEXT_WIDTH);
    TINY_ADD(m, openai ? "positional_embedding" : "text_model.embeddings.position_embedding.weight",
             TINY_CONTEXT, TINY_TEXT_WIDTH);
    TINY_ADD(m, openai ? "ln_final.weight" : "text_model.final_layer_norm.weight", TINY_TEXT_WIDTH);
    TINY_ADD(m, openai ? "ln_final.bias" : "text_model.final_layer_norm.bias", TINY_TEXT_WIDTH);
    if (openai)
        TINY_ADD(m, "text_projection", TINY_TEXT_WIDTH, TINY_EMBEDDING);
    else
        TINY_ADD(m, "text_projection.weight", TINY_EMBEDDING, TINY_TEXT_WIDTH);
    for (int i = 0; i < TINY_TEXT_BLOCKS; i++) {
        snprintf(prefix, sizeof prefix,
                 openai ? "transformer.resblocks.%d." : "text_model.encoder.layers.%d.", i);
        tiny_add_block(m, prefix, openai, TINY_TEXT_WIDTH, TINY_TEXT_HIDDEN);
    }
}

/* Both towers and the scale, ln 50. */
static inline void tiny_fill(tiny_model *m, bool openai)
{
    lancet_tensor *scale;

    *m = (tiny_model){0};
    tiny_add_vision(m, openai);
    tiny_add_text(m, openai);
    scale = tiny_add(m, "logit_scale", 0, NULL);
    m->numbers[m->used - 1] = 3.912023f;
    assert_int_equal(scale->count, 1);
    assert_true(m->count <= TINY_TENSORS && m->used <= sizeof m->numbers / sizeof *m->numbers);
}

static inline lancet_tensor *tiny_find(tiny_model *m, const char *name)
{
    for (size_t i = 0; i < m->count; i++)
        if (strcmp(m->names[i], name) == 0)
            return &m->tensors[i];
    fail_msg("no tensor %s", name);
    return NULL;
}

static inline void tiny_rename(tiny_model *m, const char *name, const char *renamed)
{
    snprintf(m->names[tiny_find(m, name) - m->tensors], sizeof m->names[0], "%s", renamed);
}

/* The model as the bytes of a file; close the buffer. */
static inline lancet_buffer tiny_print(const tiny_model *m, const char *const *keys,
                                       const char *const *values, size_t metadata_count)
{
    lancet_buffer bytes = {0};
    lancet_error error;

    if (lancet_safetensors_print(&bytes, m->tensors, m->count, keys, values, metadata_count, &error) !=
        LANCET_OK)
        fail_msg("%s", error.message);
    return bytes;
}

#endif
