/* The inside of label banks. SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_CLIP_TEXT_LABELS_H
#define LANCET_CLIP_TEXT_LABELS_H

#include "lancet/labels.h"

struct lancet_labels {
    size_t count, width;
    char **texts;     /* [count] */
    char **lost;      /* [count], NULL where nothing was cut */
    char **templates; /* [template_count] */
    size_t template_count;
    float *features;   /* [count, width] */
    float *empty;      /* [width]; NULL: not encoded */
    float *empty_bare; /* [width]; NULL: not in the file */
    char model_hash[LANCET_HASH_SIZE];
};

#endif
