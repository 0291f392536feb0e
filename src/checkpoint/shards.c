/* SPDX-License-Identifier: Apache-2.0 */
#include "checkpoint/shards.h"

#include "base/memory.h"
#include "checkpoint/json.h"
#include "checkpoint/show.h"

#include <stdlib.h>
#include <string.h>

/* The largest CLIP has a few thousand tensors in a handful of files. */
#define SHARDS_MAX  256
#define TENSORS_MAX 100000
#define NAME_SIZE   256

typedef struct reader {
    lancet_shards *shards;
    lancet_json json;
    const char *path;
    lancet_error *error;
} reader;

static lancet_status fail_json(const reader *r)
{
    return lancet_fail(r->error, LANCET_ERROR_INPUT, "%s: %s at byte %zu", r->path, r->json.problem,
                       r->json.at);
}

/* Beside the index and nowhere else. */
static lancet_status check_name(const reader *r, const char *name, size_t length)
{
    char shown[96];

    if (length && length < NAME_SIZE && !strpbrk(name, "/\\") && strcmp(name, ".") != 0 &&
        strcmp(name, "..") != 0)
        return LANCET_OK;
    return lancet_fail(r->error, LANCET_ERROR_INPUT,
                       "%s: weight_map: expected the name of a file beside it, found \"%s\"", r->path,
                       lancet_show(shown, sizeof shown, name));
}

/* The file's name in a path that add_shard made. */
static const char *name_of(const lancet_shard *shard)
{
    const char *slash = strrchr(shard->path, '/');

    return slash ? slash + 1 : shard->path;
}

static lancet_status add_shard(reader *r, const char *name)
{
    lancet_shards *shards = r->shards;

    /* An index names the same file many times in a row. */
    for (size_t i = shards->count; i-- > 0;)
        if (strcmp(name_of(&shards->items[i]), name) == 0)
            return LANCET_OK;
    if (shards->count == SHARDS_MAX)
        return lancet_fail(r->error, LANCET_ERROR_UNSUPPORTED, "%s: weight_map: expected at most %d files",
                           r->path, SHARDS_MAX);
    if (!shards->items)
        shards->items = lancet_allocate_zero(SHARDS_MAX, sizeof *shards->items);
    if (!shards->items)
        return lancet_fail_memory(r->error, r->path);
    shards->items[shards->count].path = lancet_path_beside(r->path, name);
    if (!shards->items[shards->count].path)
        return lancet_fail_memory(r->error, r->path);
    shards->count++;
    return LANCET_OK;
}

static lancet_status read_map(reader *r)
{
    lancet_status status = LANCET_OK;
    bool first = true;
    char tensor[8], name[NAME_SIZE];

    if (lancet_json_peek(&r->json) != LANCET_JSON_OBJECT)
        return lancet_fail(r->error, LANCET_ERROR_INPUT, "%s: weight_map: expected an object, found %s",
                           r->path, lancet_json_kind_name(lancet_json_peek(&r->json)));
    lancet_json_enter(&r->json, LANCET_JSON_OBJECT);
    while (status == LANCET_OK && lancet_json_key(&r->json, &first, tensor, sizeof tensor, NULL)) {
        size_t length;

        if (lancet_json_peek(&r->json) != LANCET_JSON_STRING)
            return lancet_fail(r->error, LANCET_ERROR_INPUT, "%s: weight_map: expected a string, found %s",
                               r->path, lancet_json_kind_name(lancet_json_peek(&r->json)));
        if (!lancet_json_string(&r->json, name, sizeof name, &length))
            break;
        if (++r->shards->tensors > TENSORS_MAX)
            return lancet_fail(r->error, LANCET_ERROR_UNSUPPORTED,
                               "%s: weight_map: expected at most %d tensors", r->path, TENSORS_MAX);
        status = check_name(r, name, length);
        if (status == LANCET_OK)
            status = add_shard(r, name);
    }
    return status == LANCET_OK && r->json.problem ? fail_json(r) : status;
}

static int compare_shards(const void *left, const void *right)
{
    return strcmp(((const lancet_shard *)left)->path, ((const lancet_shard *)right)->path);
}

lancet_status lancet_shards_parse(lancet_shards *shards, const char *text, size_t length, const char *path,
                                  lancet_error *error)
{
    reader r = {shards, {.bytes = text, .length = length}, path, error};
    lancet_status status = LANCET_OK;
    bool first = true, found = false;
    char key[16];

    if (lancet_json_peek(&r.json) != LANCET_JSON_OBJECT)
        return lancet_fail(error, LANCET_ERROR_INPUT, "%s: expected a JSON object, found %s", path,
                           lancet_json_kind_name(lancet_json_peek(&r.json)));
    lancet_json_enter(&r.json, LANCET_JSON_OBJECT);
    while (status == LANCET_OK && lancet_json_key(&r.json, &first, key, sizeof key, NULL)) {
        const bool map = strcmp(key, "weight_map") == 0;

        if (map && found)
            return lancet_fail(error, LANCET_ERROR_INPUT, "%s: weight_map is there twice", path);
        if (map)
            status = read_map(&r);
        else
            lancet_json_skip(&r.json);
        found = found || map;
    }
    if (status == LANCET_OK && (r.json.problem || !lancet_json_end(&r.json)))
        status = fail_json(&r);
    if (status == LANCET_OK && !shards->count)
        return lancet_fail(error, LANCET_ERROR_INPUT, "%s: weight_map: expected tensors, found none", path);
    if (shards->count)
        qsort(shards->items, shards->count, sizeof *shards->items, compare_shards);
    return status;
}

static lancet_status open_shard(lancet_shard *shard, lancet_container *container, bool first,
                                lancet_error *error)
{
    lancet_container own;
    lancet_status status = lancet_mapping_open(&shard->mapping, shard->path, error);

    if (status == LANCET_OK)
        status =
            lancet_container_recognise(&own, shard->mapping.bytes, shard->mapping.length, shard->path, error);
    if (status != LANCET_OK)
        return status;
    if (own == LANCET_CONTAINER_INDEX)
        return lancet_fail(error, LANCET_ERROR_INPUT, "%s: expected weights, found another index",
                           shard->path);
    if (own == LANCET_CONTAINER_GGUF)
        return lancet_fail(error, LANCET_ERROR_UNSUPPORTED, "%s: a GGUF file under an index is not supported",
                           shard->path);
    if (!first && own != *container)
        return lancet_fail(error, LANCET_ERROR_INPUT, "%s: expected a %s file as the one before, found %s",
                           shard->path, lancet_container_name(*container), lancet_container_name(own));
    *container = own;
    return lancet_container_parse(own, &shard->table, shard->mapping.bytes, shard->mapping.length,
                                  shard->path, error);
}

lancet_status lancet_shards_open(lancet_shards *shards, lancet_table *table, lancet_container *container,
                                 const char *path, lancet_error *error)
{
    size_t base = 0;

    for (size_t i = 0; i < shards->count; i++) {
        lancet_shard *shard = &shards->items[i];
        const lancet_status status = open_shard(shard, container, i == 0, error);

        if (status != LANCET_OK)
            return status;
        for (size_t k = 0; k < shard->table.count; k++) {
            lancet_entry *entry = lancet_table_add(table);

            if (!entry)
                return lancet_fail_memory(error, path);
            *entry = shard->table.entries[k];
            /* As if the files lay end to end, so that tensors keep an order; mapped files leave room. */
            entry->begin += base;
            entry->end += base;
        }
        base += shard->mapping.length;
    }
    if (table->count != shards->tensors)
        return lancet_fail(error, LANCET_ERROR_INPUT,
                           "%s: expected %zu tensors in the files that weight_map names, found %zu", path,
                           shards->tensors, table->count);
    return LANCET_OK;
}

void lancet_shards_close(lancet_shards *shards)
{
    for (size_t i = 0; i < shards->count; i++) {
        lancet_table_close(&shards->items[i].table);
        lancet_mapping_close(&shards->items[i].mapping);
        lancet_free(shards->items[i].path);
    }
    lancet_free(shards->items);
    *shards = (lancet_shards){0};
}

lancet_status lancet_shards_refuse_part(const char *path, lancet_error *error)
{
    static const char digits[] = "0123456789";
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    const char *of = strstr(name, "-of-"), *start = of;
    const size_t after = of ? strspn(of + 4, digits) : 0;

    while (start && start > name && strchr(digits, start[-1]))
        start--;
    /* One of one is the whole. */
    if (!of || start == of || start == name || start[-1] != '-' || !after || of[4 + after] != '.' ||
        strtol(of + 4, NULL, 10) < 2)
        return LANCET_OK;
    return lancet_fail(error, LANCET_ERROR_INPUT,
                       "%s: expected a whole model, found part %ld of %ld: the index beside it "
                       "(%.*s%s.index.json) opens them together",
                       path, strtol(start, NULL, 10), strtol(of + 4, NULL, 10), (int)(start - 1 - name), name,
                       of + 4 + after);
}
