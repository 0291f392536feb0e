/* Every tensor of a CLIP model under OpenAI's names and shapes, whatever its file calls them.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_CHECKPOINT_CLIP_PARTS_H
#define LANCET_CHECKPOINT_CLIP_PARTS_H

#include "checkpoint/clip_roles.h"
#include "checkpoint/clip_weights.h"

/** What a tensor does, which is what decides how few bits it can do with. */
typedef enum lancet_part_kind {
    LANCET_PART_MATRIX,     /* multiplies within the towers: blocks, patches, convolutions, attention pools */
    LANCET_PART_PROJECTION, /* multiplies what a ViT or a text ends in */
    LANCET_PART_EMBEDDING,  /* the tokens': rows are taken out of it */
    LANCET_PART_SMALL       /* the rest: norms and their statistics, biases, positions, class token, scale */
} lancet_part_kind;

typedef struct lancet_clip_part {
    char name[LANCET_TENSOR_NAME_SIZE];
    lancet_part_kind kind;
    size_t rank, shape[4]; /* in OpenAI's files */
    size_t rows, row;      /* the first dimension (1 for rank 0), and the numbers of each */
    /* Where the rows are, one after the other; views into the checkpoint. */
    lancet_tensor sources[3];
    size_t source_count;
    bool transposed; /* the one source is [row, rows] */
} lancet_clip_part;

/** Lists all tensors of the towers that the configuration has, and the logit scale if there is one, always in
 * the same order. *parts [*count] is the caller's to lancet_free; NULL on failure.
 * Errors: those of lancet_vision_weights_read, lancet_resnet_weights_read and lancet_text_weights_read. */
lancet_status lancet_clip_parts_list(lancet_clip_part **parts, size_t *count,
                                     const lancet_checkpoint *checkpoint,
                                     const lancet_clip_configuration *configuration, lancet_error *error);

/** Reads rows first .. first + rows - 1 as floats: out [rows * part->row]. */
void lancet_clip_part_read(float *out, const lancet_clip_part *part, size_t first, size_t rows);

/** The name in the file of the first tensor behind it: for messages. */
const char *lancet_clip_part_source(const lancet_clip_part *part);

/** Lets the pages go from which it was read. */
void lancet_clip_part_drop(const lancet_clip_part *part, const lancet_checkpoint *checkpoint);

#endif
