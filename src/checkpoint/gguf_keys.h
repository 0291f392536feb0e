/* The keys of a GGUF file: what they say of the model, and of the file. SPDX-License-Identifier: Apache-2.0
 */
#ifndef LANCET_CHECKPOINT_GGUF_KEYS_H
#define LANCET_CHECKPOINT_GGUF_KEYS_H

#include "base/status.h"
#include "checkpoint/gguf_values.h"
#include "checkpoint/settings.h"

typedef struct lancet_gguf_facts {
    uint32_t alignment;        /* of the tensors' bytes; a power of two */
    uint64_t quantised_format; /* the version of the quantised types' layout; 0: not said */
} lancet_gguf_facts;

/** Reads `count` keys and their values, which is where `cursor` stands, and leaves it behind them. Unknown
 * keys are passed over; known ones must be of the right kind and there once.
 * Errors: INPUT, UNSUPPORTED (another architecture than clip, or a part of one). */
lancet_status lancet_gguf_keys_read(lancet_settings *settings, lancet_gguf_facts *facts,
                                    lancet_gguf_cursor *cursor, size_t count, const char *path,
                                    lancet_error *error);

#endif
