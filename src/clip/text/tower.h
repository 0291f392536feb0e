/* The text transformer. SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_CLIP_TEXT_TOWER_H
#define LANCET_CLIP_TEXT_TOWER_H

#include "checkpoint/clip_configuration.h"
#include "clip/block.h"
#include "lancet/session.h"

typedef struct lancet_text_tower {
    size_t width, heads, hidden, context, vocabulary, embedding; /* D, H, 4D, tokens, tokens, C */
    float epsilon;
    bool quick;                    /* QuickGELU */
    lancet_tensor token_embedding; /* [vocabulary, D], left in the file: a text touches a few rows of it */
    lancet_linear *projection;     /* [C, D], in some models with a bias */
    lancet_norm norm_final;
    float *norms;     /* what norm_final points to, then: */
    float *positions; /* [context, D] */
    lancet_block *blocks;
    size_t block_count;
} lancet_text_tower;

lancet_status lancet_text_tower_open(lancet_text_tower *tower, const lancet_checkpoint *checkpoint,
                                     const lancet_clip_configuration *configuration, lancet_pool *pool,
                                     lancet_error *error);
void lancet_text_tower_close(lancet_text_tower *tower);

/** One text's tokens, start token first, up to and with the one whose row is read (the end token): attention
 * looks back only, so nothing after it matters. */
typedef struct lancet_text_row {
    const int32_t *ids; /* [length], each below the tower's vocabulary */
    size_t length;      /* 1 .. context */
} lancet_text_row;

/** Who wants to know how far the tower is. */
typedef struct lancet_text_watch {
    bool (*done)(void *context, size_t texts); /* now and then, and at the end; false stops the work */
    void *context;
} lancet_text_watch;

/** features [count, C], not normalised. A text's feature is the same, to the last bit, whatever texts it is
 * encoded with. Memory: about 50 bytes for each text, and for the activations at most those of a fixed number
 * of tokens (21 MB at D = 512). watch may be NULL.
 * Errors: MEMORY, UNSUPPORTED, ARGUMENT ("stopped": by the watch). */
lancet_status lancet_text_tower_run(float *features, lancet_session *session, const lancet_text_row *texts,
                                    size_t count, const lancet_text_watch *watch, lancet_error *error);

#endif
