/* SPDX-License-Identifier: Apache-2.0 */
#include "checkpoint/json.h"
#include "checkpoint/safetensors.h"
#include "checkpoint/safetensors_scales.h"
#include "checkpoint/settings_own.h"
#include "checkpoint/show.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define SHOWN 96 /* bytes of a tensor's name in a message */

typedef struct reader {
    lancet_table *table;
    lancet_json json;
    const uint8_t *data;
    size_t data_length;
    const char *path;
    lancet_error *error;
} reader;

typedef struct data_type {
    const char *name;
    size_t bits;
    int dtype; /* lancet_dtype; -1: known to the format, but not read */
} data_type;

static const data_type data_types[] = {
    {"F32", 32, LANCET_F32}, {"F16", 16, LANCET_F16}, {"BF16", 16, LANCET_BF16}, {"I64", 64, LANCET_I64},
    {"I32", 32, LANCET_I32}, {"U8", 8, LANCET_U8},    {"F64", 64, -1},           {"BOOL", 8, -1},
    {"I8", 8, LANCET_I8},    {"I16", 16, -1},         {"U16", 16, -1},           {"U32", 32, -1},
    {"U64", 64, -1},         {"C64", 64, -1},         {"F8_E4M3", 8, -1},        {"F8_E5M2", 8, -1},
    {"F8_E8M0", 8, -1},      {"F8_E4M3FNUZ", 8, -1},  {"F8_E5M2FNUZ", 8, -1},    {"F6_E2M3", 6, -1},
    {"F6_E3M2", 6, -1},      {"F4", 4, -1},
};

/* The list is closed: a name that is not on it has no known size, so that nothing about its tensor could be
 * checked. */
static const data_type *find_data_type(const char *name)
{
    for (size_t i = 0; i < sizeof data_types / sizeof *data_types; i++)
        if (strcmp(data_types[i].name, name) == 0)
            return &data_types[i];
    return NULL;
}

/* Byte positions are told from the start of the file, where an editor for bytes counts from. */
static lancet_status fail_json(const reader *r)
{
    return lancet_fail(r->error, LANCET_ERROR_INPUT, "%s: the table of tensors: %s at byte %zu", r->path,
                       r->json.problem, 8 + r->json.at);
}

static lancet_status fail_tensor(const reader *r, const char *name, const char *what)
{
    char shown[SHOWN];

    return lancet_fail(r->error, LANCET_ERROR_INPUT, "%s: tensor %s: %s", r->path,
                       lancet_show(shown, sizeof shown, name), what);
}

/* A string into the table's own store, which is as long as the text they all come from and so never full. */
static bool keep_string(reader *r, const char **string, bool *first)
{
    lancet_table *table = r->table;
    char *text = table->strings + table->strings_used;
    const size_t room = table->strings_size - table->strings_used;
    size_t length;

    if (first ? !lancet_json_key(&r->json, first, text, room, &length)
              : !lancet_json_string(&r->json, text, room, &length))
        return false;
    table->strings_used += length + 1;
    *string = text;
    return true;
}

/* Strings to strings, says the format; readers that take more have been fed more. */
static lancet_status read_metadata(reader *r)
{
    bool first = true;

    if (lancet_json_peek(&r->json) != LANCET_JSON_OBJECT)
        return lancet_fail(r->error, LANCET_ERROR_INPUT, "%s: __metadata__: expected an object, found %s",
                           r->path, lancet_json_kind_name(lancet_json_peek(&r->json)));
    lancet_json_enter(&r->json, LANCET_JSON_OBJECT);
    for (const char *key, *value; keep_string(r, &key, &first);) {
        lancet_pair *pair;
        char shown[SHOWN];

        if (lancet_json_peek(&r->json) != LANCET_JSON_STRING)
            return lancet_fail(
                r->error, LANCET_ERROR_INPUT, "%s: __metadata__ %s: expected a string, found %s", r->path,
                lancet_show(shown, sizeof shown, key), lancet_json_kind_name(lancet_json_peek(&r->json)));
        if (!keep_string(r, &value, NULL))
            break;
        pair = lancet_table_add_pair(r->table);
        if (!pair)
            return lancet_fail_memory(r->error, r->path);
        *pair = (lancet_pair){key, value};
    }
    return r->json.problem ? fail_json(r) : LANCET_OK;
}

/* The product is checked as it grows, in the order of the dimensions: a zero among them does not excuse
 * others that overflow. */
static lancet_status read_shape(reader *r, lancet_tensor *tensor)
{
    bool first = true;

    if (lancet_json_peek(&r->json) != LANCET_JSON_ARRAY)
        return fail_tensor(r, tensor->name, "shape: expected a list of whole numbers");
    lancet_json_enter(&r->json, LANCET_JSON_ARRAY);
    tensor->count = 1;
    while (lancet_json_item(&r->json, &first)) {
        if (tensor->rank == LANCET_RANK_MAX)
            return fail_tensor(r, tensor->name, "shape: more than 8 dimensions");
        if (!lancet_json_size(&r->json, &tensor->shape[tensor->rank]))
            return fail_tensor(r, tensor->name, "shape: expected whole numbers of 0 or more");
        if (!lancet_multiply(&tensor->count, tensor->count, tensor->shape[tensor->rank++]))
            return fail_tensor(r, tensor->name, "shape: the product of its dimensions overflows");
    }
    return r->json.problem ? fail_json(r) : LANCET_OK;
}

static lancet_status read_offsets(reader *r, lancet_entry *entry)
{
    size_t offsets[2];
    bool first = true;

    if (lancet_json_peek(&r->json) != LANCET_JSON_ARRAY)
        return fail_tensor(r, entry->tensor.name, "data_offsets: expected a list of two whole numbers");
    lancet_json_enter(&r->json, LANCET_JSON_ARRAY);
    for (size_t i = 0; i < 2; i++)
        if (!lancet_json_item(&r->json, &first) || !lancet_json_size(&r->json, &offsets[i]))
            return fail_tensor(r, entry->tensor.name,
                               "data_offsets: expected two whole numbers of 0 or more");
    if (lancet_json_item(&r->json, &first))
        return fail_tensor(r, entry->tensor.name, "data_offsets: expected two numbers, found more");
    entry->begin = offsets[0];
    entry->end = offsets[1];
    return r->json.problem ? fail_json(r) : LANCET_OK;
}

/* Do shape, type and place agree with each other and with the file? */
static lancet_status check_entry(const reader *r, lancet_entry *entry, const data_type *type)
{
    lancet_tensor *tensor = &entry->tensor;
    size_t bits;
    char shape[128], shown[SHOWN];

    lancet_show(shown, sizeof shown, tensor->name);
    if (entry->begin > entry->end)
        return lancet_fail(r->error, LANCET_ERROR_INPUT,
                           "%s: tensor %s: its bytes start at %zu but end at %zu", r->path, shown,
                           entry->begin, entry->end);
    if (!lancet_multiply(&bits, tensor->count, type->bits))
        return fail_tensor(r, tensor->name, "shape: its size in bytes overflows");
    if (bits % 8 != 0 || bits / 8 != entry->end - entry->begin) {
        lancet_shape_print(shape, sizeof shape, tensor->shape, tensor->rank);
        return lancet_fail(r->error, LANCET_ERROR_INPUT,
                           "%s: tensor %s: expected %zu bytes for %s of shape %s, found %zu", r->path, shown,
                           bits / 8 + (bits % 8 != 0), type->name, shape, entry->end - entry->begin);
    }
    if (entry->end > r->data_length)
        return lancet_fail(
            r->error, LANCET_ERROR_INPUT,
            "%s: tensor %s: its bytes end at %zu of the data, but the file holds %zu: cut short?", r->path,
            shown, entry->end, r->data_length);
    if (type->dtype < 0 || type->dtype == LANCET_I8) /* whole numbers can be read if scales are found */
        entry->unreadable = type->name;
    if (type->dtype >= 0) {
        tensor->dtype = (lancet_dtype)type->dtype;
        tensor->data = r->data + entry->begin;
    }
    return LANCET_OK;
}

/* Keys may come in any order, so the checks wait until all are there. */
static lancet_status read_entry(reader *r, const char *name)
{
    lancet_entry *entry = lancet_table_add(r->table);
    lancet_status status = LANCET_OK;
    char key[16], type_name[16], message[80], shown[24];
    bool first = true, has_type = false, has_shape = false, has_offsets = false;
    const data_type *type;

    if (!entry)
        return lancet_fail_memory(r->error, r->path);
    entry->tensor.name = name;
    if (lancet_json_peek(&r->json) != LANCET_JSON_OBJECT)
        return r->json.problem
                   ? fail_json(r)
                   : fail_tensor(r, name, "expected an object with dtype, shape and data_offsets");
    lancet_json_enter(&r->json, LANCET_JSON_OBJECT);
    while (status == LANCET_OK && lancet_json_key(&r->json, &first, key, sizeof key, NULL)) {
        bool *seen = strcmp(key, "dtype") == 0          ? &has_type
                     : strcmp(key, "shape") == 0        ? &has_shape
                     : strcmp(key, "data_offsets") == 0 ? &has_offsets
                                                        : NULL;

        if (seen && *seen)
            return fail_tensor(r, name, "dtype, shape or data_offsets is there twice");
        if (seen)
            *seen = true;
        if (!seen)
            lancet_json_skip(&r->json);
        else if (seen == &has_shape)
            status = read_shape(r, &entry->tensor);
        else if (seen == &has_offsets)
            status = read_offsets(r, entry);
        else if (lancet_json_peek(&r->json) != LANCET_JSON_STRING)
            return fail_tensor(r, name, "dtype: expected a string");
        else
            lancet_json_string(&r->json, type_name, sizeof type_name, NULL);
    }
    if (status != LANCET_OK)
        return status;
    if (r->json.problem)
        return fail_json(r);
    if (!has_type || !has_shape || !has_offsets)
        return fail_tensor(r, name,
                           !has_type    ? "dtype: missing"
                           : !has_shape ? "shape: missing"
                                        : "data_offsets: missing");
    type = find_data_type(type_name);
    if (!type) {
        snprintf(message, sizeof message, "dtype: expected F32, F16, BF16 or the like, found %s",
                 lancet_show(shown, sizeof shown, type_name));
        return fail_tensor(r, name, message);
    }
    return check_entry(r, entry, type);
}

/* The format's rule: the tensors' bytes follow one another and fill the file. What they hide otherwise may be
 * anything, and one that lies in another is a lie about at least one of them. */
static lancet_status check_places(const reader *r)
{
    const lancet_table *table = r->table;
    size_t end = 0;

    lancet_table_sort(r->table);
    for (size_t i = 0; i < table->count; i++) {
        const lancet_entry *entry = &table->entries[i];
        char shown[SHOWN];

        lancet_show(shown, sizeof shown, entry->tensor.name);
        if (entry->begin < end)
            return lancet_fail(
                r->error, LANCET_ERROR_INPUT,
                "%s: tensor %s: its bytes start at %zu, inside another tensor's, which end at %zu", r->path,
                shown, entry->begin, end);
        if (entry->begin > end)
            return lancet_fail(
                r->error, LANCET_ERROR_INPUT,
                "%s: tensor %s: its bytes start at %zu, but those before it end at %zu: a hole", r->path,
                shown, entry->begin, end);
        end = entry->end;
    }
    if (end != r->data_length)
        return lancet_fail(r->error, LANCET_ERROR_INPUT,
                           "%s: expected %zu bytes of tensors, found %zu: the rest belongs to none", r->path,
                           end, r->data_length);
    return LANCET_OK;
}

/* What Lancet wrote about a model that it converted. */
static lancet_status read_settings(const reader *r)
{
    lancet_table *table = r->table;
    lancet_buffer place = {0};
    lancet_status status = LANCET_OK;
    size_t i = 0;

    while (i < table->pair_count && strcmp(table->pairs[i].key, LANCET_SETTINGS_OWN_KEY) != 0)
        i++;
    if (i == table->pair_count)
        return LANCET_OK;
    if (lancet_buffer_print(&place, "%s: %s", r->path, LANCET_SETTINGS_OWN_KEY))
        status = lancet_settings_parse(&table->settings, LANCET_SETTINGS_OWN, table->pairs[i].value,
                                       strlen(table->pairs[i].value), place.bytes, r->error);
    else
        status = lancet_fail_memory(r->error, r->path);
    lancet_buffer_close(&place);
    return status;
}

/* The whole table, then what no single entry can tell. */
static lancet_status read_table(reader *r)
{
    lancet_status status = LANCET_OK;
    bool first = true, has_metadata = false;
    const char *name;

    if (!lancet_json_enter(&r->json, LANCET_JSON_OBJECT))
        return fail_json(r);
    while (status == LANCET_OK && keep_string(r, &name, &first)) {
        if (strcmp(name, "__metadata__") != 0)
            status = read_entry(r, name);
        else if (has_metadata)
            status = lancet_fail(r->error, LANCET_ERROR_INPUT, "%s: __metadata__ is there twice", r->path);
        else
            status = read_metadata(r);
        has_metadata = has_metadata || strcmp(name, "__metadata__") == 0;
    }
    if (status != LANCET_OK)
        return status;
    if (r->json.problem || !lancet_json_end(&r->json))
        return fail_json(r);
    status = check_places(r);
    if (status == LANCET_OK)
        status = read_settings(r);
    return status == LANCET_OK ? lancet_safetensors_join_scales(r->table, r->path, r->error) : status;
}

lancet_status lancet_safetensors_parse(lancet_table *table, const uint8_t *bytes, size_t length,
                                       const char *path, lancet_error *error)
{
    reader r = {.table = table, .path = path, .error = error};
    uint64_t header = 0;

    if (length < 8)
        return lancet_fail(error, LANCET_ERROR_INPUT,
                           "%s: expected at least 8 bytes of safetensors, found %zu", path, length);
    /* Little-endian, whatever this machine is. */
    for (int i = 7; i >= 0; i--)
        header = header << 8 | bytes[i];
    if (header > LANCET_SAFETENSORS_HEADER_MAX)
        return lancet_fail(
            error, LANCET_ERROR_INPUT,
            "%s: expected safetensors, found something else: its table of tensors would take %" PRIu64
            " bytes, at most %u are allowed",
            path, header, LANCET_SAFETENSORS_HEADER_MAX);
    if (header > length - 8)
        return lancet_fail(error, LANCET_ERROR_INPUT,
                           "%s: its table of tensors takes %" PRIu64 " bytes, but %zu are there: cut short?",
                           path, header, length - 8);
    if (header < 2 || bytes[8] != '{')
        return lancet_fail(
            error, LANCET_ERROR_INPUT,
            "%s: expected safetensors, found something else: no table of tensors that starts with {", path);
    r.json = (lancet_json){.bytes = (const char *)bytes + 8, .length = (size_t)header};
    r.data = bytes + 8 + header;
    r.data_length = length - 8 - (size_t)header;
    table->strings_size = (size_t)header + 1;
    table->strings = lancet_allocate(table->strings_size, 1);
    if (!table->strings)
        return lancet_fail_memory(error, path);
    return read_table(&r);
}
