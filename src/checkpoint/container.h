/* Telling containers apart by their first bytes. SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_CHECKPOINT_CONTAINER_H
#define LANCET_CHECKPOINT_CONTAINER_H

#include "base/status.h"

#include <stddef.h>
#include <stdint.h>

typedef enum lancet_container {
    LANCET_CONTAINER_SAFETENSORS,
    LANCET_CONTAINER_PYTORCH, /* a zip archive with a pickle in it */
    LANCET_CONTAINER_GGUF
} lancet_container;

/** What a person calls it: "safetensors", "PyTorch", "GGUF". */
const char *lancet_container_name(lancet_container container);

/** *container = what the file is or, if nothing tells, pretends to be: safetensors. Names what cannot be
 * read. Errors: UNSUPPORTED (weights in a container that is not read), INPUT (no weights at all). */
lancet_status lancet_container_recognise(lancet_container *container, const uint8_t *bytes, size_t length,
                                         const char *path, lancet_error *error);

#endif
