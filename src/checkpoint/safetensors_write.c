/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"
#include "base/utf8.h"
#include "checkpoint/json.h"
#include "checkpoint/safetensors.h"
#include "checkpoint/show.h"

#include <stdlib.h>
#include <string.h>

static int compare_texts(const void *left, const void *right)
{
    const char *const *a = left, *const *b = right;

    return strcmp(*a, *b);
}

/* Refuses what our own reader would refuse. */
static lancet_status check_names(const char **names, size_t count, const char *what, lancet_error *error)
{
    char shown[96];

    for (size_t i = 0; i < count; i++) {
        const size_t length = names[i] ? strlen(names[i]) : 0;

        if (!names[i])
            return lancet_fail(error, LANCET_ERROR_ARGUMENT, "%s %zu has no name", what, i);
        if (lancet_utf8_check(names[i], length) != length)
            return lancet_fail(error, LANCET_ERROR_ARGUMENT, "the name of %s %zu is not UTF-8", what, i);
        if (strcmp(names[i], "__metadata__") == 0)
            return lancet_fail(error, LANCET_ERROR_ARGUMENT, "%s %zu cannot be named __metadata__", what, i);
    }
    if (count)
        qsort(names, count, sizeof *names, compare_texts);
    for (size_t i = 1; i < count; i++)
        if (strcmp(names[i - 1], names[i]) == 0)
            return lancet_fail(error, LANCET_ERROR_ARGUMENT, "two of the %ss are named %s", what,
                               lancet_show(shown, sizeof shown, names[i]));
    return LANCET_OK;
}

/* Everything is checked before the first byte is written, so that a refusal leaves the buffer as it was. */
static lancet_status check_all(const lancet_tensor *tensors, size_t count, const char *const *keys,
                               const char *const *values, size_t metadata_count, lancet_error *error)
{
    const char **names = lancet_allocate(count > metadata_count ? count : metadata_count, sizeof *names);
    lancet_status status;

    if (!names)
        return lancet_fail_memory(error, "the names of tensors");
    for (size_t i = 0; i < count; i++)
        names[i] = tensors[i].name;
    status = check_names(names, count, "tensor", error);
    for (size_t i = 0; i < metadata_count; i++)
        names[i] = keys[i];
    if (status == LANCET_OK)
        status = check_names(names, metadata_count, "metadata key", error);
    for (size_t i = 0; status == LANCET_OK && i < metadata_count; i++)
        if (!values[i] || lancet_utf8_check(values[i], strlen(values[i])) != strlen(values[i]))
            status = lancet_fail(error, LANCET_ERROR_ARGUMENT, "metadata %s is not UTF-8", keys[i]);
    for (size_t i = 0; status == LANCET_OK && i < count; i++)
        if (tensors[i].rank > LANCET_RANK_MAX)
            status = lancet_fail(error, LANCET_ERROR_ARGUMENT, "tensor %zu has too many dimensions", i);
        else if (lancet_dtype_block(tensors[i].dtype) != 1)
            status =
                lancet_fail(error, LANCET_ERROR_ARGUMENT, "tensor %s: safetensors files have no data type %s",
                            tensors[i].name, lancet_dtype_name(tensors[i].dtype));
    lancet_free(names);
    return status;
}

static void print_entry(lancet_buffer *out, const lancet_tensor *tensor, size_t begin, size_t end)
{
    char shape[LANCET_RANK_MAX * 21 + 2];

    lancet_shape_print(shape, sizeof shape, tensor->shape, tensor->rank);
    lancet_json_print(out, tensor->name);
    lancet_buffer_print(out, ":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":[%zu,%zu]}",
                        lancet_dtype_name(tensor->dtype), shape, begin, end);
}

lancet_status lancet_safetensors_print_table(lancet_buffer *out, const lancet_tensor *tensors, size_t count,
                                             const char *const *keys, const char *const *values,
                                             size_t metadata_count, lancet_error *error)
{
    static const char zeros[8];
    lancet_status status = check_all(tensors, count, keys, values, metadata_count, error);
    const size_t start = out->length;
    size_t offset = 0, header;

    if (status != LANCET_OK)
        return status;
    lancet_buffer_append(out, zeros, 8); /* the length, known later */
    lancet_buffer_append(out, "{", 1);
    for (size_t i = 0; i < metadata_count; i++) {
        lancet_buffer_print(out, i ? "," : "\"__metadata__\":{");
        lancet_json_print(out, keys[i]);
        lancet_buffer_append(out, ":", 1);
        lancet_json_print(out, values[i]);
    }
    lancet_buffer_print(out, metadata_count ? count ? "}," : "}" : "");
    for (size_t i = 0; i < count; i++) {
        const size_t size = lancet_tensor_bytes(&tensors[i]);

        lancet_buffer_print(out, i ? "," : "");
        print_entry(out, &tensors[i], offset, offset + size);
        offset += size;
    }
    lancet_buffer_append(out, "}", 1);
    header = out->length - start - 8;
    lancet_buffer_append(out, "       ", (8 - header % 8) % 8);
    header += (8 - header % 8) % 8;
    if (!out->failed && header > LANCET_SAFETENSORS_HEADER_MAX)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                           "the table of tensors would take %zu bytes, at most %u are allowed", header,
                           LANCET_SAFETENSORS_HEADER_MAX);
    for (size_t i = 0; !out->failed && i < 8; i++)
        out->bytes[start + i] = (char)(header >> 8 * i & 0xFF);
    return out->failed ? lancet_fail_memory(error, "a safetensors file") : LANCET_OK;
}

lancet_status lancet_safetensors_print(lancet_buffer *out, const lancet_tensor *tensors, size_t count,
                                       const char *const *keys, const char *const *values,
                                       size_t metadata_count, lancet_error *error)
{
    lancet_status status;

    for (size_t i = 0; i < count; i++)
        if (tensors[i].count && !tensors[i].data)
            return lancet_fail(error, LANCET_ERROR_ARGUMENT, "tensor %zu has no data", i);
    status = lancet_safetensors_print_table(out, tensors, count, keys, values, metadata_count, error);
    if (status != LANCET_OK)
        return status;
    for (size_t i = 0; i < count; i++)
        lancet_buffer_append(out, tensors[i].data, lancet_tensor_bytes(&tensors[i]));
    return out->failed ? lancet_fail_memory(error, "a safetensors file") : LANCET_OK;
}

lancet_status lancet_safetensors_write(const char *path, const lancet_tensor *tensors, size_t count,
                                       const char *const *keys, const char *const *values,
                                       size_t metadata_count, lancet_error *error)
{
    lancet_buffer out = {0};
    lancet_status status =
        lancet_safetensors_print(&out, tensors, count, keys, values, metadata_count, error);

    if (status == LANCET_OK)
        status = lancet_file_write(path, out.bytes, out.length, error);
    else
        lancet_fail_within(error, status, path);
    lancet_buffer_close(&out);
    return status;
}
