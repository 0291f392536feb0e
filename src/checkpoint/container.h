/* Telling containers apart by their first bytes, and reading each. SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_CHECKPOINT_CONTAINER_H
#define LANCET_CHECKPOINT_CONTAINER_H

#include "checkpoint/table.h"

typedef enum lancet_container {
    LANCET_CONTAINER_SAFETENSORS,
    LANCET_CONTAINER_PYTORCH, /* a zip archive with a pickle in it */
    LANCET_CONTAINER_GGUF,
    LANCET_CONTAINER_INDEX /* a text that names the files of weights */
} lancet_container;

/** What a person calls it: "safetensors", "PyTorch", "GGUF". */
const char *lancet_container_name(lancet_container container);

/** *container = what the file is or, if nothing tells, pretends to be: safetensors. Names what cannot be
 * read. Errors: UNSUPPORTED (weights in a container that is not read), INPUT (no weights at all). */
lancet_status lancet_container_recognise(lancet_container *container, const uint8_t *bytes, size_t length,
                                         const char *path, lancet_error *error);

/** Reads the table of a container's tensors. Errors: those of each container's reader; ARGUMENT (an index:
 * it has none). */
lancet_status lancet_container_parse(lancet_container container, lancet_table *table, const uint8_t *bytes,
                                     size_t length, const char *path, lancet_error *error);

#endif
