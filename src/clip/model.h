/* The inside of a model: two towers over one checkpoint. SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_CLIP_MODEL_H
#define LANCET_CLIP_MODEL_H

#include "lancet/model.h"

#include "checkpoint/clip_configuration.h"
#include "clip/text/tower.h"
#include "clip/vision/tower.h"

struct lancet_model {
    lancet_checkpoint *checkpoint;
    lancet_clip_configuration configuration;
    lancet_towers towers;       /* what was asked for: the configuration knows of nothing else */
    lancet_vision_tower vision; /* width 0: not there, or not asked for */
    lancet_text_tower text;
    lancet_vocabulary *vocabulary; /* NULL: see vocabulary_error */
    lancet_error vocabulary_error; /* why there is no vocabulary */
    lancet_model_description description;
    char *strings[4]; /* what the description points to: data types, what is missing, path, origin */
};

/** Fails with ARGUMENT or INPUT and the reason, unless the model has its vision tower. */
lancet_status lancet_model_need_vision(const lancet_model *model, lancet_error *error);

/** The same for the text tower and the vocabulary. */
lancet_status lancet_model_need_text(const lancet_model *model, lancet_error *error);

/** Is the vocabulary, which is there, the model's? Errors: INPUT, UNSUPPORTED. */
lancet_status lancet_model_check_vocabulary(const lancet_model *model, lancet_error *error);

#endif
