/* Label banks on disk: a safetensors file with the words in its metadata. SPDX-License-Identifier: Apache-2.0
 */
#include "clip/text/labels.h"

#include "base/memory.h"
#include "base/utf8.h"
#include "checkpoint/checkpoint.h"
#include "checkpoint/safetensors.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT "lancet-labels-1"

/* strings as a JSON array into `out`. */
static lancet_status print_strings(lancet_buffer *out, char *const *strings, size_t count,
                                   lancet_error *error)
{
    json_t *array = json_array();
    char *text = NULL;

    for (size_t i = 0; array && i < count; i++)
        if (json_array_append_new(array, json_string(strings[i])) != 0) {
            json_decref(array);
            array = NULL;
        }
    if (array)
        text = json_dumps(array, JSON_COMPACT);
    if (text)
        lancet_buffer_append(out, text, strlen(text));
    json_decref(array);
    if (!text || out->failed) {
        free(text);
        return lancet_fail_memory(error, "a label bank");
    }
    free(text);
    return LANCET_OK;
}

static lancet_tensor view(const char *name, const float *values, size_t rows, size_t width)
{
    return (lancet_tensor){.name = name,
                           .dtype = LANCET_F32,
                           .rank = 2,
                           .shape = {rows, width},
                           .count = rows * width,
                           .data = values};
}

lancet_status lancet_labels_save(const lancet_labels *labels, const char *path, lancet_error *error)
{
    lancet_buffer texts = {0}, templates = {0};
    lancet_tensor tensors[3];
    lancet_status status;
    size_t count = 0;

    if (!labels || !path)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "lancet_labels_save: %s is NULL",
                           labels ? "path" : "labels");
    status = print_strings(&texts, labels->texts, labels->count, error);
    if (status == LANCET_OK)
        status = print_strings(&templates, labels->templates, labels->template_count, error);
    if (status == LANCET_OK) {
        const char *const keys[] = {"format", "model_hash", "templates", "texts"};
        const char *const values[] = {FORMAT, labels->model_hash, templates.bytes, texts.bytes};

        tensors[count++] = view("features", labels->features, labels->count, labels->width);
        if (labels->empty)
            tensors[count++] = view("empty", labels->empty, 1, labels->width);
        if (labels->empty_bare)
            tensors[count++] = view("empty_bare", labels->empty_bare, 1, labels->width);
        status = lancet_safetensors_write(path, tensors, count, keys, values, 4, error);
    }
    lancet_buffer_close(&texts);
    lancet_buffer_close(&templates);
    return status;
}

static lancet_status wrong(const char *path, const char *what, lancet_error *error)
{
    return lancet_fail(error, LANCET_ERROR_INPUT, "%s: not a label bank: %s", path, what);
}

/* Reads metadata `key`, a JSON array of strings. */
static lancet_status read_strings(char ***strings, size_t *count, const lancet_checkpoint *file,
                                  const char *key, lancet_error *error)
{
    const char *path = lancet_checkpoint_path(file), *text = lancet_checkpoint_metadata(file, key);
    lancet_status status = LANCET_OK;
    json_error_t problem;
    json_t *array = NULL;
    size_t items;

    if (!text)
        return lancet_fail(error, LANCET_ERROR_INPUT, "%s: not a label bank: expected \"%s\" in its metadata",
                           path, key);
    array = json_loads(text, JSON_REJECT_DUPLICATES, &problem);
    if (!json_is_array(array)) {
        status =
            lancet_fail(error, LANCET_ERROR_INPUT, "%s: metadata \"%s\": expected an array of strings: %s",
                        path, key, array ? "found something else" : problem.text);
        goto done;
    }
    items = json_array_size(array);
    *strings = lancet_allocate_zero(items, sizeof **strings);
    if (!*strings) {
        status = lancet_fail_memory(error, "a label bank");
        goto done;
    }
    *count = items;
    for (size_t i = 0; i < items; i++) {
        const json_t *item = json_array_get(array, i);

        if (!json_is_string(item)) {
            status = lancet_fail(error, LANCET_ERROR_INPUT,
                                 "%s: metadata \"%s\": item %zu: expected a string", path, key, i + 1);
            goto done;
        }
        (*strings)[i] = lancet_copy_text(json_string_value(item), json_string_length(item));
        if (!(*strings)[i]) {
            status = lancet_fail_memory(error, "a label bank");
            goto done;
        }
    }
done:
    json_decref(array);
    return status;
}

/* Reads tensor `name` [rows, width] of unit-length rows; leaves *values NULL if it is absent. */
static lancet_status read_features(float **values, const lancet_checkpoint *file, const char *name,
                                   size_t rows, size_t width, lancet_error *error)
{
    const lancet_tensor *tensor = lancet_checkpoint_find(file, name);
    const char *path = lancet_checkpoint_path(file);
    char found[128];

    if (!tensor)
        return LANCET_OK;
    lancet_shape_print(found, sizeof found, tensor->shape, tensor->rank);
    if (tensor->dtype != LANCET_F32 || tensor->rank != 2 || tensor->shape[0] != rows ||
        tensor->shape[1] != width)
        return lancet_fail(error, LANCET_ERROR_INPUT, "%s: tensor %s: expected F32 [%zu,%zu], found %s %s",
                           path, name, rows, width, lancet_dtype_name(tensor->dtype), found);
    *values = lancet_allocate(tensor->count, sizeof **values);
    if (!*values)
        return lancet_fail_memory(error, "a label bank");
    lancet_tensor_read(*values, tensor, 0, tensor->count);
    for (size_t row = 0; row < rows; row++) {
        double squares = 0;

        for (size_t i = 0; i < width; i++)
            squares += (double)(*values)[row * width + i] * (*values)[row * width + i];
        if (!(fabs(squares - 1) < 1e-3)) /* also catches what is not a number */
            return lancet_fail(error, LANCET_ERROR_INPUT,
                               "%s: tensor %s: row %zu: expected a feature of length 1, found %g", path, name,
                               row + 1, sqrt(squares));
    }
    return LANCET_OK;
}

static lancet_status read_bank(lancet_labels *labels, const lancet_checkpoint *file, lancet_error *error)
{
    const char *path = lancet_checkpoint_path(file);
    const char *format = lancet_checkpoint_metadata(file, "format");
    const char *hash = lancet_checkpoint_metadata(file, "model_hash");
    const lancet_tensor *features = lancet_checkpoint_find(file, "features");
    lancet_status status;

    if (!format || strcmp(format, FORMAT) != 0)
        return wrong(path, "expected \"format\": \"" FORMAT "\" in its metadata", error);
    if (!hash || strlen(hash) != sizeof labels->model_hash - 1)
        return wrong(path, "expected \"model_hash\" of 32 characters in its metadata", error);
    memcpy(labels->model_hash, hash, sizeof labels->model_hash);
    if (!features || features->rank != 2 || !features->count)
        return wrong(path, "expected a tensor \"features\" [labels, channels]", error);
    labels->width = features->shape[1];
    status = read_strings(&labels->texts, &labels->count, file, "texts", error);
    if (status == LANCET_OK)
        status = read_strings(&labels->templates, &labels->template_count, file, "templates", error);
    if (status == LANCET_OK)
        status = read_features(&labels->features, file, "features", labels->count, labels->width, error);
    if (status == LANCET_OK)
        status = read_features(&labels->empty, file, "empty", 1, labels->width, error);
    if (status == LANCET_OK)
        status = read_features(&labels->empty_bare, file, "empty_bare", 1, labels->width, error);
    return status;
}

lancet_status lancet_labels_open(lancet_labels **result, const char *path, lancet_error *error)
{
    lancet_checkpoint *file = NULL;
    lancet_labels *labels = NULL;
    lancet_status status;

    if (!result || !path)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "lancet_labels_open: %s is NULL",
                           result ? "path" : "labels");
    *result = NULL;
    status = lancet_checkpoint_open(&file, path, error);
    if (status != LANCET_OK)
        return status;
    labels = lancet_allocate_zero(1, sizeof *labels);
    status = labels ? read_bank(labels, file, error) : lancet_fail_memory(error, "a label bank");
    if (status == LANCET_OK) {
        *result = labels;
        labels = NULL;
    }
    lancet_labels_close(&labels);
    lancet_checkpoint_close(&file);
    return status;
}
