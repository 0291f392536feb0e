/* Converted files, read by other means than the library's. SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_CLIP_CONVERTED_H
#define TESTS_CLIP_CONVERTED_H

#include "support/files.h"

#include "lancet/lancet.h"

#include <jansson.h>

/** A safetensors file as jansson sees its table. */
typedef struct raw_file {
    char *bytes;
    size_t length, data; /* where the data begin */
    json_t *table;
} raw_file;

static inline raw_file raw_open(const char *path)
{
    raw_file file = {0};
    uint64_t header;

    file.bytes = file_read(path, &file.length);
    assert_non_null(file.bytes);
    assert_true(file.length > 8);
    memcpy(&header, file.bytes, 8); /* little-endian, as are the machines these tests run on */
    file.data = 8 + (size_t)header;
    assert_int_equal(file.data % 8, 0);
    file.table = json_loadb(file.bytes + 8, (size_t)header, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(file.table);
    return file;
}

static inline void raw_close(raw_file *file)
{
    json_decref(file->table);
    free(file->bytes);
}

/** How many tensors, scales among them. */
static inline size_t raw_count(const raw_file *file)
{
    return json_object_size(file->table) - 1;
}

/** The bytes of a tensor, which has to be there with that type. rank and shape may be NULL. */
static inline const void *raw_tensor(const raw_file *file, const char *name, const char *type, size_t *count)
{
    const json_t *entry = json_object_get(file->table, name), *shape = json_object_get(entry, "shape");
    const json_t *offsets = json_object_get(entry, "data_offsets");

    if (!entry)
        fail_msg("no tensor %s", name);
    assert_string_equal(json_string_value(json_object_get(entry, "dtype")), type);
    *count = 1;
    for (size_t i = 0; i < json_array_size(shape); i++)
        *count *= (size_t)json_integer_value(json_array_get(shape, i));
    return file->bytes + file->data + json_integer_value(json_array_get(offsets, 0));
}

/** A string of the metadata; NULL if there is none. */
static inline const char *raw_metadata(const raw_file *file, const char *key)
{
    return json_string_value(json_object_get(json_object_get(file->table, "__metadata__"), key));
}

static inline lancet_model *model_opened(const char *path, const lancet_model_options *options)
{
    lancet_model *model;
    lancet_error error;

    if (lancet_model_open(&model, path, options, &error) != LANCET_OK)
        fail_msg("%s", error.message);
    return model;
}

/** Converts a file, which has to work. */
static inline lancet_conversion converted(const char *from, const char *to, lancet_weight_type type,
                                          const lancet_model_options *options)
{
    lancet_model_options looked_at = options ? *options : (lancet_model_options){0};
    lancet_convert_options convert = {.type = type};
    lancet_conversion report;
    lancet_error error;
    lancet_model *model;

    if (looked_at.towers == LANCET_TOWERS_BOTH)
        looked_at.towers = LANCET_TOWERS_NONE;
    model = model_opened(from, &looked_at);
    if (lancet_model_convert(&report, model, to, &convert, &error) != LANCET_OK)
        fail_msg("%s", error.message);
    lancet_model_close(&model);
    return report;
}

/** Everything that a model computes: a picture's tokens, and words. */
typedef struct outputs {
    lancet_features *features;
    lancet_labels *labels;
} outputs;

static inline outputs outputs_of(lancet_model *model)
{
    static const char *const words[] = {"cat", "a photograph of the sea", ""};
    const lancet_label_options bare = {.templates = lancet_templates_bare()};
    static uint8_t pixels[50 * 70 * 3];
    const lancet_picture picture = {pixels, 70, 50, 0};
    lancet_session *session = NULL;
    lancet_error error;
    outputs out = {0};

    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)(i * 2654435761u >> 13);
    if (lancet_session_open(&session, model, NULL, &error) != LANCET_OK ||
        (lancet_model_describe(model)->vision_blocks &&
         lancet_features_encode(&out.features, session, &picture, NULL, &error) != LANCET_OK) ||
        (lancet_model_describe(model)->text_blocks &&
         lancet_labels_encode(&out.labels, session, words, 3, &bare, &error) != LANCET_OK))
        fail_msg("%s", error.message);
    lancet_session_close(&session);
    return out;
}

static inline void outputs_close(outputs *out)
{
    lancet_features_close(&out->features);
    lancet_labels_close(&out->labels);
}

/** The same bytes. */
static inline void outputs_equal(const outputs *a, const outputs *b)
{
    assert_true(!a->features == !b->features && !a->labels == !b->labels);
    if (a->features) {
        const size_t tokens =
            1 + lancet_features_grid_height(a->features) * lancet_features_grid_width(a->features);

        assert_int_equal(tokens, 1 + lancet_features_grid_height(b->features) *
                                         lancet_features_grid_width(b->features));
        assert_memory_equal(lancet_features_tokens(a->features), lancet_features_tokens(b->features),
                            tokens * lancet_features_width(a->features) * sizeof(float));
    }
    if (a->labels)
        assert_memory_equal(lancet_labels_features(a->labels), lancet_labels_features(b->labels),
                            3 * lancet_labels_width(a->labels) * sizeof(float));
}

#endif
