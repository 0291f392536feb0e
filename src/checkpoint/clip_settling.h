/* The parts of settling a configuration: what one file, one tower or one question is about.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_CHECKPOINT_CLIP_SETTLING_H
#define LANCET_CHECKPOINT_CLIP_SETTLING_H

#include "checkpoint/clip_settle.h"

typedef struct lancet_settling {
    lancet_clip_configuration *configuration;
    const lancet_checkpoint *checkpoint;
    lancet_clip_files *files;
    const lancet_model_options *options;
    lancet_error *error;
} lancet_settling;

/** What a file calls the settings of a tower. */
typedef struct lancet_settings_keys {
    const char *file; /* "": the weights' own */
    const char *vision, *text, *embedding, *width, *hidden, *blocks, *patch, *image, *context, *vocabulary;
    const char *heads, *activation; /* of the weights' own */
} lancet_settings_keys;

/** The keys of what the weights' own file says. */
const lancet_settings_keys *lancet_clip_own_keys(const lancet_settling *settling);

/** Hugging Face's library leaves out of a section what is at the class's default. That the section states its
 * model type shows that the library wrote it. */
bool lancet_clip_has_defaults(const lancet_tower_settings *tower);

/** The heads of one tower. Errors: INPUT, UNSUPPORTED, ARGUMENT (whose number of heads it was). */
lancet_status lancet_clip_settle_heads(const lancet_settling *settling, bool vision);

/** QuickGELU or GELU, and where that was learned. Errors: UNSUPPORTED. */
lancet_status lancet_clip_settle_activation(const lancet_settling *settling);

#endif
