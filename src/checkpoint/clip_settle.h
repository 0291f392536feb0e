/* Holding the configuration files against the tensors, and settling what no tensor tells.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_CHECKPOINT_CLIP_SETTLE_H
#define LANCET_CHECKPOINT_CLIP_SETTLE_H

#include "checkpoint/clip_configuration.h"
#include "checkpoint/settings.h"

/** What the weights' own file says, and the files beside it; zeroed are absent. */
typedef struct lancet_clip_files {
    lancet_settings own, config, preprocessor, open_clip;
} lancet_clip_files;

/** Fills in heads, activation, epsilon, mean and deviation of a configuration whose sizes are read, and
 * checks every size, and the towers, that the files name. Errors: INPUT, UNSUPPORTED, ARGUMENT
 * (options->head_width). */
lancet_status lancet_clip_settle(lancet_clip_configuration *configuration,
                                 const lancet_checkpoint *checkpoint, lancet_clip_files *files,
                                 const lancet_model_options *options, lancet_error *error);

/** Appends a sentence to configuration->missing. */
void lancet_clip_note(lancet_clip_configuration *configuration, const char *sentence);

#endif
