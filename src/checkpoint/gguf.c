/* SPDX-License-Identifier: Apache-2.0 */
#include "checkpoint/gguf.h"

#include "base/memory.h"
#include "checkpoint/gguf_keys.h"
#include "checkpoint/show.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Real files have some 30 keys, and a few hundred tensors. */
#define COUNT_MAX 65536u
#define NAME_MAX  4096
#define RANK_MAX  4  /* the format's own limit */
#define SHOWN     96 /* bytes of a tensor's name in a message */
/* The layout of quantised blocks that lancet_quantised_read reads; the only one that GGUF files were made
 * with. */
#define QUANTISED_FORMAT 2

/* By the format's numbers. Types that have no name here are unknown, or were given up before GGUF was. */
static const struct {
    const char *name;
    int dtype;   /* lancet_dtype; -1: known, but not read */
    size_t size; /* bytes of a block */
    size_t block;
} types[] = {
    [0] = {"F32", LANCET_F32, 4, 1},
    [1] = {"F16", LANCET_F16, 2, 1},
    [2] = {"Q4_0", LANCET_Q4_0, 18, 32},
    [3] = {"Q4_1", LANCET_Q4_1, 20, 32},
    [6] = {"Q5_0", LANCET_Q5_0, 22, 32},
    [7] = {"Q5_1", LANCET_Q5_1, 24, 32},
    [8] = {"Q8_0", LANCET_Q8_0, 34, 32},
    [9] = {"Q8_1", -1, 36, 32},
    [10] = {"Q2_K", -1, 84, 256},
    [11] = {"Q3_K", -1, 110, 256},
    [12] = {"Q4_K", -1, 144, 256},
    [13] = {"Q5_K", -1, 176, 256},
    [14] = {"Q6_K", -1, 210, 256},
    [15] = {"Q8_K", -1, 292, 256},
    [16] = {"IQ2_XXS", -1, 66, 256},
    [17] = {"IQ2_XS", -1, 74, 256},
    [18] = {"IQ3_XXS", -1, 98, 256},
    [19] = {"IQ1_S", -1, 50, 256},
    [20] = {"IQ4_NL", -1, 18, 32},
    [21] = {"IQ3_S", -1, 110, 256},
    [22] = {"IQ2_S", -1, 82, 256},
    [23] = {"IQ4_XS", -1, 136, 256},
    [24] = {"I8", -1, 1, 1},
    [25] = {"I16", -1, 2, 1},
    [26] = {"I32", LANCET_I32, 4, 1},
    [27] = {"I64", LANCET_I64, 8, 1},
    [28] = {"F64", -1, 8, 1},
    [29] = {"IQ1_M", -1, 56, 256},
    [30] = {"BF16", LANCET_BF16, 2, 1},
    [34] = {"TQ1_0", -1, 54, 256},
    [35] = {"TQ2_0", -1, 66, 256},
    [39] = {"MXFP4", -1, 17, 32},
};

enum { TYPES = sizeof types / sizeof *types };

typedef struct reader {
    lancet_table *table;
    lancet_gguf_cursor cursor;
    lancet_gguf_facts facts;
    size_t data, data_length; /* where the tensors' bytes lie */
    const char *path;
    lancet_error *error;
} reader;

static lancet_status fail_cursor(const reader *r, const char *where)
{
    return lancet_fail(r->error, LANCET_ERROR_INPUT, "%s: %s: %s at byte %zu", r->path, where,
                       r->cursor.problem, r->cursor.at);
}

static lancet_status fail_tensor(const reader *r, const char *name, const char *what)
{
    char shown[SHOWN];

    return lancet_fail(r->error, LANCET_ERROR_INPUT, "%s: tensor %s: %s", r->path,
                       lancet_show(shown, sizeof shown, name), what);
}

/* Rounds up to the alignment, which is a power of two and small; the end of a file does not overflow by it.
 */
static size_t align(const reader *r, size_t at)
{
    const size_t mask = (size_t)r->facts.alignment - 1;

    return (at + mask) & ~mask;
}

/* Version and counts. In a file of the other byte order the version is what shows it. */
static lancet_status read_header(reader *r, size_t *tensors, size_t *keys)
{
    uint32_t version;
    uint64_t counts[2];

    r->cursor.at = 4; /* "GGUF" */
    if (!lancet_gguf_u32(&r->cursor, &version))
        return fail_cursor(r, "the header");
    if (version && !(version & 0xFFFF))
        return lancet_fail(r->error, LANCET_ERROR_UNSUPPORTED,
                           "%s: found a big-endian GGUF file, which is not supported", r->path);
    if (version < 2 || version > 3)
        return lancet_fail(r->error, LANCET_ERROR_UNSUPPORTED,
                           "%s: expected a GGUF file of version 2 or 3, found version %" PRIu32
                           ", which is not supported",
                           r->path, version);
    for (size_t i = 0; i < 2; i++) {
        if (!lancet_gguf_u64(&r->cursor, &counts[i]))
            return fail_cursor(r, "the header");
        if (counts[i] > COUNT_MAX)
            return lancet_fail(r->error, LANCET_ERROR_INPUT, "%s: expected at most %u %s, found %" PRIu64,
                               r->path, COUNT_MAX, i ? "keys" : "tensors", counts[i]);
    }
    *tensors = (size_t)counts[0];
    *keys = (size_t)counts[1];
    return LANCET_OK;
}

/* The table's own copy, with a zero at its end. */
static lancet_status keep_name(const reader *r, const char **kept, const lancet_gguf_text *name)
{
    char *copy = lancet_table_own(r->table, name->length + 1);

    if (!copy)
        return lancet_fail_memory(r->error, r->path);
    memcpy(copy, name->bytes, name->length);
    copy[name->length] = '\0';
    *kept = copy;
    return LANCET_OK;
}

/* Sides come with the last dimension's first. The product is checked as it grows: a zero does not excuse
 * those before it. */
static lancet_status read_shape(reader *r, lancet_tensor *tensor)
{
    uint32_t rank;

    if (!lancet_gguf_u32(&r->cursor, &rank))
        return fail_tensor(r, tensor->name, "shape: cut short");
    if (rank > RANK_MAX)
        return fail_tensor(r, tensor->name, "shape: more than 4 dimensions");
    tensor->rank = rank;
    tensor->count = 1;
    for (size_t i = rank; i-- > 0;) {
        uint64_t side;

        if (!lancet_gguf_u64(&r->cursor, &side))
            return fail_tensor(r, tensor->name, "shape: cut short");
        if (side > SIZE_MAX || !lancet_multiply(&tensor->count, tensor->count, (size_t)side))
            return fail_tensor(r, tensor->name, "shape: the product of its dimensions overflows");
        tensor->shape[i] = (size_t)side;
    }
    return LANCET_OK;
}

/* Type and place, as far as they can be told before the whole table is read. */
static lancet_status read_place(reader *r, lancet_entry *entry)
{
    lancet_tensor *tensor = &entry->tensor;
    char shown[SHOWN];
    uint32_t type;
    uint64_t offset;
    size_t bytes, row;

    if (!lancet_gguf_u32(&r->cursor, &type) || !lancet_gguf_u64(&r->cursor, &offset))
        return fail_tensor(r, tensor->name, "type and offset: cut short");
    lancet_show(shown, sizeof shown, tensor->name);
    if (type >= TYPES || !types[type].name)
        return lancet_fail(r->error, LANCET_ERROR_UNSUPPORTED,
                           "%s: tensor %s: found the data type number %" PRIu32 ", which is not known",
                           r->path, shown, type);
    row = tensor->rank ? tensor->shape[tensor->rank - 1] : 1;
    if (row % types[type].block != 0)
        return lancet_fail(
            r->error, LANCET_ERROR_INPUT,
            "%s: tensor %s: expected rows of whole blocks of %zu numbers for %s, found rows of "
            "%zu",
            r->path, shown, types[type].block, types[type].name, row);
    if (!lancet_multiply(&bytes, tensor->count / types[type].block, types[type].size) || offset > SIZE_MAX ||
        !lancet_add(&entry->end, (size_t)offset, bytes))
        return fail_tensor(r, tensor->name, "its size in bytes, or where they end, overflows");
    entry->begin = (size_t)offset;
    if (entry->begin % r->facts.alignment != 0)
        return lancet_fail(r->error, LANCET_ERROR_INPUT,
                           "%s: tensor %s: expected an offset that is a multiple of %" PRIu32 ", found %zu",
                           r->path, shown, r->facts.alignment, entry->begin);
    if (types[type].dtype < 0)
        entry->unreadable = types[type].name;
    else
        tensor->dtype = (lancet_dtype)types[type].dtype;
    if (types[type].block > 1 && r->facts.quantised_format && r->facts.quantised_format != QUANTISED_FORMAT)
        return lancet_fail(r->error, LANCET_ERROR_UNSUPPORTED,
                           "%s: general.quantization_version: expected %d, found %" PRIu64
                           ", which is not supported",
                           r->path, QUANTISED_FORMAT, r->facts.quantised_format);
    return LANCET_OK;
}

static lancet_status read_tensor(reader *r, size_t index)
{
    lancet_entry *entry = lancet_table_add(r->table);
    lancet_gguf_text name;
    char where[40];
    lancet_status status;

    if (!entry)
        return lancet_fail_memory(r->error, r->path);
    snprintf(where, sizeof where, "tensor %zu: its name", index + 1);
    if (!lancet_gguf_string(&r->cursor, &name, NAME_MAX))
        return fail_cursor(r, where);
    status = keep_name(r, &entry->tensor.name, &name);
    if (status == LANCET_OK)
        status = read_shape(r, &entry->tensor);
    if (status == LANCET_OK)
        status = read_place(r, entry);
    return status;
}

/* Only now is it known where the data start. One tensor follows another, with less than the alignment between
 * them: what else a file hides may be anything, and a tensor in another is a lie about at least one of them.
 */
static lancet_status check_places(reader *r)
{
    lancet_table *table = r->table;
    const size_t start = align(r, r->cursor.at);
    size_t end = 0;

    r->data = start < r->cursor.length ? start : r->cursor.length;
    r->data_length = r->cursor.length - r->data;
    lancet_table_sort(table);
    for (size_t i = 0; i < table->count; i++) {
        lancet_entry *entry = &table->entries[i];
        char shown[SHOWN];

        lancet_show(shown, sizeof shown, entry->tensor.name);
        if (entry->end > r->data_length)
            return lancet_fail(
                r->error, LANCET_ERROR_INPUT,
                "%s: tensor %s: its bytes end at %zu of the data, but the file holds %zu: cut short?",
                r->path, shown, entry->end, r->data_length);
        if (entry->begin < end)
            return lancet_fail(
                r->error, LANCET_ERROR_INPUT,
                "%s: tensor %s: its bytes start at %zu, inside another tensor's, which end at %zu", r->path,
                shown, entry->begin, end);
        if (entry->begin > align(r, end))
            return lancet_fail(
                r->error, LANCET_ERROR_INPUT,
                "%s: tensor %s: its bytes start at %zu, but those before it end at %zu: a hole", r->path,
                shown, entry->begin, end);
        end = entry->end;
        if (!entry->unreadable)
            entry->tensor.data = r->cursor.bytes + r->data + entry->begin;
    }
    if (r->data_length > align(r, end))
        return lancet_fail(r->error, LANCET_ERROR_INPUT,
                           "%s: expected %zu bytes of tensors, found %zu: the rest belongs to none", r->path,
                           end, r->data_length);
    return LANCET_OK;
}

lancet_status lancet_gguf_parse(lancet_table *table, const uint8_t *bytes, size_t length, const char *path,
                                lancet_error *error)
{
    reader r = {.table = table, .cursor = {.bytes = bytes, .length = length}, .path = path, .error = error};
    size_t tensors = 0, keys = 0;
    lancet_status status = read_header(&r, &tensors, &keys);

    if (status == LANCET_OK)
        status = lancet_gguf_keys_read(&table->settings, &r.facts, &r.cursor, keys, path, error);
    for (size_t i = 0; status == LANCET_OK && i < tensors; i++)
        status = read_tensor(&r, i);
    return status == LANCET_OK ? check_places(&r) : status;
}
