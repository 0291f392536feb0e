/* Seeded models of the usual shapes, made in memory. SPDX-License-Identifier: Apache-2.0 */
#include "bench.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const bench_shape bench_shapes[] = {
    {"ViT-B/32", 768, {12}, 32, 224, 512, 512},
    {"ViT-B/16", 768, {12}, 16, 224, 512, 512},
    {"ViT-L/14", 1024, {24}, 14, 224, 768, 768},
    {"ViT-L/14@336", 1024, {24}, 14, 336, 768, 768},
    {"RN50", 64, {3, 4, 6, 3}, 0, 224, 1024, 512},
    {"RN101", 64, {3, 4, 23, 3}, 0, 224, 512, 512},
    {"RN50x4", 80, {4, 6, 10, 6}, 0, 288, 640, 640},
    {"RN50x16", 96, {6, 8, 18, 8}, 0, 384, 768, 768},
    {"RN50x64", 128, {3, 15, 36, 10}, 0, 448, 1024, 1024},
    {NULL, 0, {0}, 0, 0, 0, 0},
};

/* Of all their text towers. */
#define TEXT_BLOCKS 12
#define CONTEXT     77
#define VOCABULARY  49408

/* A file in the making: first its table is written, then its numbers, by the same walk over the tensors. */
struct making {
    char *table;
    size_t table_length, table_size;
    uint16_t *numbers; /* NULL during the first walk */
    size_t offset;     /* numbers so far */
    uint64_t seed;
};

static void say(struct making *making, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(struct making *making, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    making->table_length += (size_t)vsnprintf(making->table + making->table_length,
                                              making->table_size - making->table_length, format, arguments);
    va_end(arguments);
}

/* Halves: 1.0, and uniform numbers of about the given size: sign and fraction random, one of two exponents.
 */
static uint16_t draw(struct making *making, int exponent)
{
    making->seed = making->seed * 6364136223846793005u + 1442695040888963407u;
    const uint32_t bits = (uint32_t)(making->seed >> 33);

    return (uint16_t)((bits & 0x83FF) | (uint32_t)(exponent + 15 - (int)(bits >> 16 & 1)) << 10);
}

enum fill { ONES, ZEROS, SMALL };

/* A tensor; exponent: SMALL numbers lie in +-[2^(exponent - 1), 2^(exponent + 1)). */
static void tensor(struct making *making, const char *name, enum fill fill, int exponent, size_t rank,
                   const size_t *shape)
{
    size_t count = 1;

    for (size_t i = 0; i < rank; i++)
        count *= shape[i];
    if (making->numbers) {
        for (size_t i = 0; i < count; i++)
            making->numbers[making->offset + i] = fill == ONES    ? 0x3C00
                                                  : fill == ZEROS ? 0
                                                                  : draw(making, exponent);
    } else {
        say(making, "%s\"%s\":{\"dtype\":\"F16\",\"shape\":[", making->offset ? "," : "", name);
        for (size_t i = 0; i < rank; i++)
            say(making, "%s%zu", i ? "," : "", shape[i]);
        say(making, "],\"data_offsets\":[%zu,%zu]}", 2 * making->offset, 2 * (making->offset + count));
    }
    making->offset += count;
}

static void vector(struct making *making, const char *name, enum fill fill, size_t width)
{
    tensor(making, name, fill, -4, 1, &width);
}

static void matrix(struct making *making, const char *name, size_t rows, size_t columns)
{
    /* Numbers near 1 / sqrt(in) keep activations at the size a trained model has. */
    tensor(making, name, SMALL, -5, 2, (const size_t[]){rows, columns});
}

static void block(struct making *making, const char *tower, size_t number, size_t width)
{
    static const struct {
        const char *name;
        int rows, columns; /* in widths; columns 0: a vector */
        enum fill fill;
    } parts[] = {{"attn.in_proj_weight", 3, 1, SMALL},  {"attn.in_proj_bias", 3, 0, SMALL},
                 {"attn.out_proj.weight", 1, 1, SMALL}, {"attn.out_proj.bias", 1, 0, SMALL},
                 {"ln_1.weight", 1, 0, ONES},           {"ln_1.bias", 1, 0, ZEROS},
                 {"mlp.c_fc.weight", 4, 1, SMALL},      {"mlp.c_fc.bias", 4, 0, SMALL},
                 {"mlp.c_proj.weight", 1, 4, SMALL},    {"mlp.c_proj.bias", 1, 0, SMALL},
                 {"ln_2.weight", 1, 0, ONES},           {"ln_2.bias", 1, 0, ZEROS}};

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        char name[96];

        snprintf(name, sizeof name, "%stransformer.resblocks.%zu.%s", tower, number, parts[i].name);
        if (parts[i].columns)
            matrix(making, name, (size_t)parts[i].rows * width, (size_t)parts[i].columns * width);
        else
            vector(making, name, parts[i].fill, (size_t)parts[i].rows * width);
    }
}

static void walk_transformer(struct making *making, const bench_shape *shape)
{
    const size_t width = shape->width, grid = shape->side / shape->patch;

    vector(making, "visual.class_embedding", SMALL, width);
    matrix(making, "visual.positional_embedding", 1 + grid * grid, width);
    tensor(making, "visual.conv1.weight", SMALL, -5, 4,
           (const size_t[]){width, 3, shape->patch, shape->patch});
    vector(making, "visual.ln_pre.weight", ONES, width);
    vector(making, "visual.ln_pre.bias", ZEROS, width);
    vector(making, "visual.ln_post.weight", ONES, width);
    vector(making, "visual.ln_post.bias", ZEROS, width);
    matrix(making, "visual.proj", width, shape->embedding);
    for (size_t i = 0; i < shape->blocks[0]; i++)
        block(making, "visual.", i, width);
}

/* A convolution and its norm, whose names follow `prefix`. */
static void layer(struct making *making, const char *prefix, const char *convolution, const char *norm,
                  size_t out, size_t in, size_t kernel)
{
    static const char *const parts[] = {"weight", "bias", "running_mean", "running_var"};
    int exponent = 0;
    char name[96];

    /* Numbers of about 1 / sqrt(in k k): what goes out is about as large as what comes in. */
    while (in * kernel * kernel >> (-2 * exponent) > 1)
        exponent--;
    snprintf(name, sizeof name, "%s%s.weight", prefix, convolution);
    tensor(making, name, SMALL, exponent, 4, (const size_t[]){out, in, kernel, kernel});
    for (int i = 0; i < 4; i++) {
        snprintf(name, sizeof name, "%s%s.%s", prefix, norm, parts[i]);
        vector(making, name, i == 0 || i == 3 ? ONES : ZEROS, out);
    }
}

static void walk_resnet(struct making *making, const bench_shape *shape)
{
    const size_t width = shape->width, tokens = 32 * width, grid = shape->side / 32;
    size_t in = width;

    layer(making, "visual.", "conv1", "bn1", width / 2, 3, 3);
    layer(making, "visual.", "conv2", "bn2", width / 2, width / 2, 3);
    layer(making, "visual.", "conv3", "bn3", width, width / 2, 3);
    for (size_t stage = 0; stage < 4; stage++) {
        const size_t planes = width << stage;

        for (size_t i = 0; i < shape->blocks[stage]; i++, in = 4 * planes) {
            char prefix[64];

            snprintf(prefix, sizeof prefix, "visual.layer%zu.%zu.", stage + 1, i);
            layer(making, prefix, "conv1", "bn1", planes, in, 1);
            layer(making, prefix, "conv2", "bn2", planes, planes, 3);
            layer(making, prefix, "conv3", "bn3", 4 * planes, planes, 1);
            if (i == 0)
                layer(making, prefix, "downsample.0", "downsample.1", 4 * planes, in, 1);
        }
    }
    matrix(making, "visual.attnpool.positional_embedding", 1 + grid * grid, tokens);
    for (const char *letter = "qkvc"; *letter; letter++) {
        const size_t out = *letter == 'c' ? shape->embedding : tokens;
        char name[64];

        snprintf(name, sizeof name, "visual.attnpool.%c_proj.weight", *letter);
        matrix(making, name, out, tokens);
        snprintf(name, sizeof name, "visual.attnpool.%c_proj.bias", *letter);
        vector(making, name, SMALL, out);
    }
}

static void walk_text(struct making *making, const bench_shape *shape)
{
    const size_t width = shape->text_width;

    matrix(making, "token_embedding.weight", VOCABULARY, width);
    matrix(making, "positional_embedding", CONTEXT, width);
    matrix(making, "text_projection", width, shape->embedding);
    vector(making, "ln_final.weight", ONES, width);
    vector(making, "ln_final.bias", ZEROS, width);
    for (size_t i = 0; i < TEXT_BLOCKS; i++)
        block(making, "", i, width);
}

static void walk(struct making *making, const bench_shape *shape, bool text)
{
    making->offset = 0;
    making->seed = 1;
    if (text)
        walk_text(making, shape);
    else if (shape->patch)
        walk_transformer(making, shape);
    else
        walk_resnet(making, shape);
}

void *bench_model_make(const bench_shape *shape, bool text, size_t *length)
{
    struct making making = {0};
    char *file = NULL;
    size_t header, blocks = text ? TEXT_BLOCKS : 0;

    for (size_t i = 0; i < 4 && !text; i++)
        blocks += shape->blocks[i];
    making.table_size = 256 * (32 + 20 * blocks); /* far more than a tensor's line takes */

    making.table = calloc(making.table_size, 1);
    if (!making.table)
        return NULL;
    say(&making, "{");
    walk(&making, shape, text);
    say(&making, "}");
    header = (making.table_length + 7) / 8 * 8;
    *length = 8 + header + 2 * making.offset;
    file = malloc(*length);
    if (file) {
        const uint64_t little_endian = header;

        memset(file, ' ', 8 + header);
        memcpy(file, &little_endian, 8);
        memcpy(file + 8, making.table, making.table_length);
        making.numbers = (uint16_t *)(void *)(file + 8 + header);
        walk(&making, shape, text);
    }
    free(making.table);
    return file;
}
