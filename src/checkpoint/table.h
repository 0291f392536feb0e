/* The table of tensors behind a checkpoint; every container's reader fills one.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_CHECKPOINT_TABLE_H
#define LANCET_CHECKPOINT_TABLE_H

#include "checkpoint/checkpoint.h"
#include "checkpoint/settings.h"

typedef struct lancet_entry {
    lancet_tensor tensor;   /* name, shape and count always; the rest only if it can be read */
    const char *unreadable; /* the file's name of a data type that is not read; NULL if it is */
    size_t begin, end;      /* where its bytes lie, from the start of the file's data */
} lancet_entry;

typedef struct lancet_pair {
    const char *key, *value;
} lancet_pair;

/** Zero-initialised is empty. */
typedef struct lancet_table {
    lancet_entry *entries;
    size_t count, capacity;
    size_t readable;        /* after lancet_table_finish the first so many entries */
    lancet_entry **by_name; /* after lancet_table_finish */
    lancet_pair *pairs;     /* metadata */
    size_t pair_count, pair_capacity;
    lancet_settings settings; /* what the file itself says of the model; present: it does */
    char *strings; /* names, keys and values, each zero-terminated, in a container that keeps them together */
    size_t strings_used, strings_size;
    void **owned; /* what the file does not hold as it is asked for: names, tensors laid out anew */
    size_t owned_count, owned_capacity;
    bool torchscript; /* a compiled module rather than a dictionary of tensors */
} lancet_table;

/** A new zeroed entry at the end; NULL if memory is out. Pointers to earlier entries become invalid. */
lancet_entry *lancet_table_add(lancet_table *table);
lancet_pair *lancet_table_add_pair(lancet_table *table);

/** `size` bytes that die with the table, for a tensor whose numbers (or a name that) do not lie in the file
 * as they are needed; NULL if memory is out. */
void *lancet_table_own(lancet_table *table, size_t size);

/** Sorts the entries by the place of their bytes. */
void lancet_table_sort(lancet_table *table);

/** Strips what wraps every name ("module."), builds the index of names, moves the unreadable entries to the
 * end. Errors: INPUT (a name or a key that is there twice), MEMORY. */
lancet_status lancet_table_finish(lancet_table *table, const char *path, lancet_error *error);

/** The entry of that name; NULL if there is none. */
const lancet_entry *lancet_table_find(const lancet_table *table, const char *name);

/** The first entry, by name, whose name starts so; NULL if there is none. */
const lancet_entry *lancet_table_find_prefix(const lancet_table *table, const char *prefix);

void lancet_table_close(lancet_table *table);

#endif
