/* Sentences on their way through the tokenizer and the text tower. SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_CLIP_TEXT_PROMPTS_H
#define LANCET_CLIP_TEXT_PROMPTS_H

#include "base/memory.h"
#include "clip/session.h"

/** The most prompts of one call to the tower: those of 96 labels in 85 templates. Prompts share what they
 * begin with only within a call, and this bounds the memory whatever the number of labels (at 77 tokens and
 * 512 channels to 20 MB). */
#define LANCET_PROMPTS_AT_ONCE 8192

/** A batch of prompts. Zero-initialised is closed. */
typedef struct lancet_prompts {
    lancet_session *session;
    lancet_tokens tokens;
    int32_t *ids;          /* [capacity, context] */
    lancet_text_row *rows; /* [capacity] */
    float *features;       /* [capacity, C]: what lancet_prompts_run gives */
    size_t count, capacity;
} lancet_prompts;

/** For `total` prompts, in batches of at most LANCET_PROMPTS_AT_ONCE. On failure close it all the same.
 * Errors: MEMORY. */
lancet_status lancet_prompts_open(lancet_prompts *prompts, lancet_session *session, size_t total,
                                  lancet_error *error);
void lancet_prompts_close(lancet_prompts *prompts);

/** Adds a text, while count < capacity. If it does not fit the context and *lost (may be NULL)
 * is still NULL, *lost becomes a copy of what is cut off. Errors: as lancet_tokenize. */
lancet_status lancet_prompts_add(lancet_prompts *prompts, const char *text, char **lost, lancet_error *error);

/** Encodes what was added into prompts->features (not of unit length), and empties the batch. watch (may be
 * NULL) and errors: as lancet_text_tower_run. */
lancet_status lancet_prompts_run(lancet_prompts *prompts, const lancet_text_watch *watch,
                                 lancet_error *error);

#endif
