/* Weights that are split over several files, and the index that names these: a JSON text with "weight_map",
 * from tensors to files beside it. SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_CHECKPOINT_SHARDS_H
#define LANCET_CHECKPOINT_SHARDS_H

#include "checkpoint/container.h"
#include "checkpoint/table.h"

typedef struct lancet_shard {
    char *path;
    lancet_mapping mapping;
    lancet_table
        table; /* keeps the names of its tensors, and what does not lie in the file as it is needed */
} lancet_shard;

/** Zero-initialised is empty. */
typedef struct lancet_shards {
    lancet_shard *items; /* in the order of their names */
    size_t count;
    size_t tensors; /* that the index names */
} lancet_shards;

/** Takes the files' names off an index and nothing else; `path` is the index's own. No name leads out of its
 * folder. Errors: INPUT, MEMORY. */
lancet_status lancet_shards_parse(lancet_shards *shards, const char *text, size_t length, const char *path,
                                  lancet_error *error);

/** Maps every file and adds its tensors to `table`, which the shards must outlive. *container is that of all
 * of them. Errors: IO, INPUT (also: files of several containers, or other tensors than the index names),
 * UNSUPPORTED, MEMORY. */
lancet_status lancet_shards_open(lancet_shards *shards, lancet_table *table, lancet_container *container,
                                 const char *path, lancet_error *error);

/** Closes and zeroes. */
void lancet_shards_close(lancet_shards *shards);

/** Fails with INPUT if the name of a file says that it is one of several ("model-00001-of-00002..."). */
lancet_status lancet_shards_refuse_part(const char *path, lancet_error *error);

#endif
