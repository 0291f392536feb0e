/* GGUF files put together by hand. SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_CHECKPOINT_GGUF_FILE_H
#define TESTS_CHECKPOINT_GGUF_FILE_H

#include "checkpoint/tiny_model.h"

#include "base/memory.h"

/* The format's numbers. */
enum {
    GGUF_U8,
    GGUF_I8,
    GGUF_U16,
    GGUF_I16,
    GGUF_U32,
    GGUF_I32,
    GGUF_F32,
    GGUF_BOOL,
    GGUF_STRING,
    GGUF_LIST,
    GGUF_U64,
    GGUF_I64,
    GGUF_F64
};
enum {
    GGUF_TENSOR_F32 = 0,
    GGUF_TENSOR_F16 = 1,
    GGUF_TENSOR_Q4_0 = 2,
    GGUF_TENSOR_Q8_0 = 8,
    GGUF_TENSOR_Q4_K = 12,
    GGUF_TENSOR_BF16 = 30
};

/* Zero-initialised is an empty file of version 3 with alignment 32. */
typedef struct gguf_file {
    lancet_buffer keys, table, data;
    uint64_t key_count, tensor_count;
    uint32_t version;
    size_t alignment;
} gguf_file;

/* The tests run where the format's byte order is the machine's. */
static inline void gguf_put(lancet_buffer *buffer, uint64_t value, size_t size)
{
    lancet_buffer_append(buffer, &value, size);
}

static inline void gguf_put_text(lancet_buffer *buffer, const char *text)
{
    gguf_put(buffer, strlen(text), 8);
    lancet_buffer_append(buffer, text, strlen(text));
}

static inline void gguf_key(gguf_file *file, const char *name, uint32_t type, const void *bytes, size_t size)
{
    gguf_put_text(&file->keys, name);
    gguf_put(&file->keys, type, 4);
    lancet_buffer_append(&file->keys, bytes, size);
    file->key_count++;
}

static inline void gguf_key_number(gguf_file *file, const char *name, uint32_t type, uint64_t value)
{
    static const size_t sizes[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};

    gguf_key(file, name, type, &value, sizes[type]);
}

static inline void gguf_key_float(gguf_file *file, const char *name, float value)
{
    gguf_key(file, name, GGUF_F32, &value, sizeof value);
}

static inline void gguf_key_text(gguf_file *file, const char *name, const char *text)
{
    gguf_key(file, name, GGUF_STRING, NULL, 0);
    gguf_put_text(&file->keys, text);
}

/* A list whose items follow: gguf_put, gguf_put_text into file->keys. */
static inline void gguf_key_list(gguf_file *file, const char *name, uint32_t type, uint64_t count)
{
    gguf_key(file, name, GGUF_LIST, NULL, 0);
    gguf_put(&file->keys, type, 4);
    gguf_put(&file->keys, count, 8);
}

static inline void gguf_key_triple(gguf_file *file, const char *name, const float *values)
{
    gguf_key_list(file, name, GGUF_F32, 3);
    lancet_buffer_append(&file->keys, values, 3 * sizeof *values);
}

static inline void gguf_pad(lancet_buffer *buffer, size_t start, const gguf_file *file)
{
    const size_t alignment = file->alignment ? file->alignment : 32;

    while ((buffer->length - start) % alignment)
        gguf_put(buffer, 0, 1);
}

static inline void gguf_tensor(gguf_file *file, const char *name, size_t rank, const size_t *shape,
                               uint32_t type, const void *bytes, size_t size)
{
    gguf_put_text(&file->table, name);
    gguf_put(&file->table, rank, 4);
    for (size_t i = rank; i-- > 0;)
        gguf_put(&file->table, shape[i], 8);
    gguf_put(&file->table, type, 4);
    gguf_put(&file->table, file->data.length, 8);
    lancet_buffer_append(&file->data, bytes, size);
    gguf_pad(&file->data, 0, file);
    file->tensor_count++;
}

/* The file's bytes; empties `file`. Close the buffer. */
static inline lancet_buffer gguf_print(gguf_file *file)
{
    lancet_buffer out = {0};

    lancet_buffer_append(&out, "GGUF", 4);
    gguf_put(&out, file->version ? file->version : 3, 4);
    gguf_put(&out, file->tensor_count, 8);
    gguf_put(&out, file->key_count, 8);
    lancet_buffer_append(&out, file->keys.bytes, file->keys.length);
    lancet_buffer_append(&out, file->table.bytes, file->table.length);
    gguf_pad(&out, 0, file);
    lancet_buffer_append(&out, file->data.bytes, file->data.length);
    lancet_buffer_close(&file->keys);
    lancet_buffer_close(&file->table);
    lancet_buffer_close(&file->data);
    *file = (gguf_file){0};
    assert_false(out.failed);
    return out;
}

/* Hugging Face's name of a tensor as clip.cpp's converter changes it; NULL for what it leaves out. */
static inline const char *gguf_name(char *out, size_t size, const char *name)
{
    static const char *const pieces[][2] = {
        {"text_model.", "t."},           {"vision_model.", "v."},
        {"encoder.layers.", "blk."},     {"embeddings.", ""},
        {"self_attn.q_proj", "attn_q"},  {"self_attn.k_proj", "attn_k"},
        {"self_attn.v_proj", "attn_v"},  {"self_attn.out_proj", "attn_out"},
        {"final_layer_norm", "post_ln"}, {"layer_norm", "ln"},
        {"pre_layrnorm", "pre_ln"},      {"post_layernorm", "post_ln"},
        {"mlp.fc1", "ffn_down"},         {"mlp.fc2", "ffn_up"},
        {"embedding", "embd"},
    };
    char copy[128];

    if (strcmp(name, "logit_scale") == 0 || strstr(name, "position_ids"))
        return NULL;
    snprintf(out, size, "%s", name);
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        const char *at = strstr(out, pieces[i][0]);

        if (!at)
            continue;
        snprintf(copy, sizeof copy, "%.*s%s%s", (int)(at - out), out, pieces[i][1],
                 at + strlen(pieces[i][0]));
        snprintf(out, size, "%s", copy);
    }
    return out;
}

/* The keys that say which towers there are, and that the architecture is the one. */
static inline void gguf_add_head(gguf_file *file, bool vision, bool text)
{
    gguf_key_text(file, "general.architecture", "clip");
    gguf_key_number(file, "clip.has_vision_encoder", GGUF_BOOL, vision);
    gguf_key_number(file, "clip.has_text_encoder", GGUF_BOOL, text);
}

/* Every tensor of the tiny model (under Hugging Face's names) as clip.cpp files it. In the blocks of
 * `reversed` (bit 0 and 1: of the picture tower, bit 2: of the text tower) the names of the two feed-forward
 * layers have changed places, as llama.cpp has them. */
static inline void gguf_add_tiny(gguf_file *file, const tiny_model *m, unsigned reversed)
{
    static const char *const blocks[] = {"v.blk.0.ffn_", "v.blk.1.ffn_", "t.blk.0.ffn_"};
    char name[128], other[128];

    for (size_t i = 0; i < m->count; i++) {
        const lancet_tensor *tensor = &m->tensors[i];

        if (!gguf_name(name, sizeof name, m->names[i]))
            continue;
        for (size_t k = 0; k < 3; k++)
            if (reversed >> k & 1 && strncmp(name, blocks[k], 12) == 0) {
                snprintf(other, sizeof other, "%s%s%s", blocks[k], name[12] == 'd' ? "up" : "down",
                         strrchr(name, '.'));
                snprintf(name, sizeof name, "%s", other);
            }
        gguf_tensor(file, name, tensor->rank, tensor->shape, GGUF_TENSOR_F32, tensor->data,
                    tensor->count * sizeof(float));
    }
}

#endif
