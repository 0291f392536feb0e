/* One tensor of a model on its way into a file. SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_CLIP_CONVERT_TENSOR_H
#define LANCET_CLIP_CONVERT_TENSOR_H

#include "base/file.h"
#include "checkpoint/clip_parts.h"

/** A part and what it becomes. */
typedef struct lancet_stored_part {
    const lancet_clip_part *part;
    lancet_dtype dtype; /* F32, F16, BF16 or I8 */
    float *scales;      /* I8: [part->rows] */
} lancet_stored_part;

/** How far what was stored is from what was there. */
typedef struct lancet_stored_error {
    double difference, size; /* sums of squares */
} lancet_stored_error;

/** Working memory for parts of any size, a few megabytes. Zero-initialised is empty. */
typedef struct lancet_stored_memory {
    float *exact, *stored; /* [capacity] */
    void *bytes;
    size_t capacity;
} lancet_stored_memory;

void lancet_stored_memory_close(lancet_stored_memory *memory);

/** Fills in the scales of an I8 part: those it has already, or the largest number of each row over 127.
 * `path` is the model's, for messages. Errors: INPUT (not finite, too large), MEMORY. */
lancet_status lancet_stored_scales(const lancet_stored_part *stored, lancet_stored_memory *memory,
                                   const char *path, lancet_error *error);

/** Appends the part's bytes. Errors: INPUT (not finite, too large for the type), IO, MEMORY. */
lancet_status lancet_stored_write(lancet_stored_error *about, const lancet_stored_part *stored,
                                  lancet_stored_memory *memory, lancet_writer *writer, const char *path,
                                  lancet_error *error);

#endif
