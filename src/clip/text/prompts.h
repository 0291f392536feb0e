/* Sentences on their way through the tokenizer and the text tower. SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_CLIP_TEXT_PROMPTS_H
#define LANCET_CLIP_TEXT_PROMPTS_H

#include "base/memory.h"
#include "clip/session.h"

/** Prompts of one call to the tower: bounds the memory whatever the number of labels, and lets progress be
 * told. */
#define LANCET_PROMPTS_AT_ONCE 512

/** A batch of prompts. Zero-initialised is closed. */
typedef struct lancet_prompts {
    lancet_session *session;
    lancet_tokens tokens;
    int32_t *ids;          /* [LANCET_PROMPTS_AT_ONCE, context] */
    lancet_text_row *rows; /* [LANCET_PROMPTS_AT_ONCE] */
    float *features;       /* [LANCET_PROMPTS_AT_ONCE, C]: what lancet_prompts_run gives */
    size_t count;
} lancet_prompts;

/** On failure close it all the same. Errors: MEMORY. */
lancet_status lancet_prompts_open(lancet_prompts *prompts, lancet_session *session, lancet_error *error);
void lancet_prompts_close(lancet_prompts *prompts);

/** Adds a text, while count < LANCET_PROMPTS_AT_ONCE. If it does not fit the context and *lost (may be NULL)
 * is still NULL, *lost becomes a copy of what is cut off. Errors: as lancet_tokenize. */
lancet_status lancet_prompts_add(lancet_prompts *prompts, const char *text, char **lost, lancet_error *error);

/** Encodes what was added into prompts->features (not of unit length), and empties the batch. */
lancet_status lancet_prompts_run(lancet_prompts *prompts, lancet_error *error);

#endif
