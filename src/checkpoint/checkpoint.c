/* SPDX-License-Identifier: Apache-2.0 */
#include "checkpoint/checkpoint.h"

#include "base/memory.h"
#include "checkpoint/container.h"
#include "checkpoint/shards.h"

#include <stdlib.h>
#include <string.h>

struct lancet_checkpoint {
    lancet_table table;
    lancet_container container; /* of the shards, if there are any */
    lancet_mapping mapping;
    lancet_shards shards; /* of an index */
    bool is_file;         /* the mapping is ours */
    char *path;
};

/* A folder is refused, but often holds what was meant. */
static lancet_status suggest_file(const char *folder, lancet_status status, lancet_error *error)
{
    static const char *const names[] = {
        "open_clip_model.safetensors", "model.safetensors", "model.safetensors.index.json",
        "open_clip_pytorch_model.bin", "pytorch_model.bin", "pytorch_model.bin.index.json"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *path = lancet_path_join(folder, names[i]);
        const bool found = path && lancet_file_exists(path);

        if (found)
            lancet_fail(error, status, "%s: expected a file, found a folder (%s is in it)", folder, names[i]);
        lancet_free(path);
        if (found)
            break;
    }
    return status;
}

/* What one file, or every file that an index names, holds. */
static lancet_status read_tensors(lancet_checkpoint *opened, const char *path, lancet_error *error)
{
    const lancet_mapping *file = &opened->mapping;
    lancet_status status;

    if (opened->container != LANCET_CONTAINER_INDEX)
        return lancet_container_parse(opened->container, &opened->table, file->bytes, file->length, path,
                                      error);
    if (!opened->is_file)
        return lancet_fail(error, LANCET_ERROR_UNSUPPORTED,
                           "%s: expected a model, found an index: from memory there are no files beside it",
                           path);
    status = lancet_shards_parse(&opened->shards, (const char *)file->bytes, file->length, path, error);
    if (status == LANCET_OK)
        status = lancet_shards_open(&opened->shards, &opened->table, &opened->container, path, error);
    return status;
}

/* The part that may fail at any step; open_any closes what is there by then. */
static lancet_status open_mapped(lancet_checkpoint *opened, const char *path, lancet_error *error)
{
    lancet_status status = LANCET_OK;

    opened->path = lancet_copy_text(path, strlen(path));
    if (!opened->path)
        return lancet_fail_memory(error, path);
    if (opened->is_file)
        status = lancet_shards_refuse_part(path, error);
    if (status != LANCET_OK)
        return status;
    if (opened->is_file)
        status = lancet_mapping_open(&opened->mapping, path, error);
    if (status != LANCET_OK)
        return status == LANCET_ERROR_INPUT ? suggest_file(path, status, error) : status;
    status = lancet_container_recognise(&opened->container, opened->mapping.bytes, opened->mapping.length,
                                        path, error);
    if (status == LANCET_OK)
        status = read_tensors(opened, path, error);
    if (status == LANCET_OK)
        status = lancet_table_finish(&opened->table, path, error);
    return status;
}

/* A file or memory: from here on the two differ only in who owns the bytes. */
static lancet_status open_any(lancet_checkpoint **checkpoint, const char *path, const lancet_mapping *memory,
                              lancet_error *error)
{
    lancet_checkpoint *opened = lancet_allocate_zero(1, sizeof *opened);
    lancet_status status;

    if (!opened)
        return lancet_fail_memory(error, path);
    opened->is_file = !memory;
    if (memory)
        opened->mapping = *memory;
    status = open_mapped(opened, path, error);
    if (status != LANCET_OK)
        lancet_checkpoint_close(&opened);
    *checkpoint = opened;
    return status;
}

lancet_status lancet_checkpoint_open(lancet_checkpoint **checkpoint, const char *path, lancet_error *error)
{
    if (!checkpoint)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "a checkpoint has no place to go");
    *checkpoint = NULL;
    if (!path)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "a checkpoint needs a path");
    return open_any(checkpoint, path, NULL, error);
}

lancet_status lancet_checkpoint_open_memory(lancet_checkpoint **checkpoint, const void *bytes, size_t length,
                                            const char *name, lancet_error *error)
{
    const lancet_mapping memory = {.bytes = bytes, .length = length};

    if (!checkpoint)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "a checkpoint has no place to go");
    *checkpoint = NULL;
    if (!bytes && length)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "a checkpoint in memory needs its bytes");
    return open_any(checkpoint, name ? name : "memory", &memory, error);
}

void lancet_checkpoint_close(lancet_checkpoint **checkpoint)
{
    if (!checkpoint || !*checkpoint)
        return;
    lancet_table_close(&(*checkpoint)->table);
    lancet_shards_close(&(*checkpoint)->shards);
    if ((*checkpoint)->is_file)
        lancet_mapping_close(&(*checkpoint)->mapping);
    lancet_free((*checkpoint)->path);
    lancet_free(*checkpoint);
    *checkpoint = NULL;
}

const lancet_tensor *lancet_checkpoint_find(const lancet_checkpoint *checkpoint, const char *name)
{
    const lancet_entry *entry = lancet_table_find(&checkpoint->table, name);

    return entry && !entry->unreadable ? &entry->tensor : NULL;
}

const char *lancet_checkpoint_unreadable(const lancet_checkpoint *checkpoint, const char *name)
{
    const lancet_entry *entry = lancet_table_find(&checkpoint->table, name);

    return entry ? entry->unreadable : NULL;
}

const char *lancet_checkpoint_find_prefix(const lancet_checkpoint *checkpoint, const char *prefix)
{
    const lancet_entry *entry = lancet_table_find_prefix(&checkpoint->table, prefix);

    return entry ? entry->tensor.name : NULL;
}

size_t lancet_checkpoint_count(const lancet_checkpoint *checkpoint)
{
    return checkpoint->table.readable;
}

const lancet_tensor *lancet_checkpoint_tensor(const lancet_checkpoint *checkpoint, size_t index)
{
    return &checkpoint->table.entries[index].tensor;
}

size_t lancet_checkpoint_names(const lancet_checkpoint *checkpoint)
{
    return checkpoint->table.count;
}

const char *lancet_checkpoint_name(const lancet_checkpoint *checkpoint, size_t index)
{
    return checkpoint->table.by_name[index]->tensor.name;
}

static int compare_key(const void *key, const void *pair)
{
    return strcmp(key, ((const lancet_pair *)pair)->key);
}

const char *lancet_checkpoint_metadata(const lancet_checkpoint *checkpoint, const char *key)
{
    const lancet_table *table = &checkpoint->table;
    const lancet_pair *pair = NULL;

    if (table->pair_count)
        pair = bsearch(key, table->pairs, table->pair_count, sizeof *table->pairs, compare_key);
    return pair ? pair->value : NULL;
}

const lancet_settings *lancet_checkpoint_settings(const lancet_checkpoint *checkpoint)
{
    return checkpoint->table.settings.present ? &checkpoint->table.settings : NULL;
}

const char *lancet_checkpoint_path(const lancet_checkpoint *checkpoint)
{
    return checkpoint->path;
}

const char *lancet_checkpoint_container(const lancet_checkpoint *checkpoint)
{
    return lancet_container_name(checkpoint->container);
}

bool lancet_checkpoint_is_torchscript(const lancet_checkpoint *checkpoint)
{
    return checkpoint->table.torchscript;
}

size_t lancet_checkpoint_files(const lancet_checkpoint *checkpoint)
{
    return 1 + checkpoint->shards.count;
}

const lancet_mapping *lancet_checkpoint_file(const lancet_checkpoint *checkpoint, size_t index)
{
    return index ? &checkpoint->shards.items[index - 1].mapping : &checkpoint->mapping;
}

bool lancet_checkpoint_holds(const lancet_checkpoint *checkpoint, const char *path)
{
    bool found = checkpoint->is_file && lancet_file_is_same(path, checkpoint->path);

    for (size_t i = 0; i < checkpoint->shards.count; i++)
        found = found || lancet_file_is_same(path, checkpoint->shards.items[i].path);
    return found;
}

bool lancet_checkpoint_is_file(const lancet_checkpoint *checkpoint)
{
    return checkpoint->is_file;
}

void lancet_checkpoint_drop(const lancet_checkpoint *checkpoint, const lancet_tensor *tensor)
{
    const uint8_t *data = tensor->data;

    if (!checkpoint->is_file)
        return;
    /* Tensors that the table owns are in none of them. */
    for (size_t i = 0; i < lancet_checkpoint_files(checkpoint); i++) {
        const lancet_mapping *file = lancet_checkpoint_file(checkpoint, i);

        if (data >= file->bytes && data < file->bytes + file->length)
            lancet_mapping_drop(file, data, lancet_tensor_bytes(tensor));
    }
}
