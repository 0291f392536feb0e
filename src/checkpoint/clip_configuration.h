/* What the tensors, and the configuration files beside them, say about a CLIP model.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_CHECKPOINT_CLIP_CONFIGURATION_H
#define LANCET_CHECKPOINT_CLIP_CONFIGURATION_H

#include "checkpoint/checkpoint.h"
#include "lancet/model.h"

typedef enum lancet_naming {
    LANCET_NAMING_OPENAI,
    LANCET_NAMING_HUGGING_FACE,
    LANCET_NAMING_CLIP_CPP
} lancet_naming;

/** What a picture tower is. */
typedef enum lancet_family {
    LANCET_FAMILY_VIT,
    LANCET_FAMILY_RESNET /* CLIP's ModifiedResNet */
} lancet_family;

/** Stages ("layer1" to "layer4") of a ResNet; all but the first halve the picture and double the channels. */
#define LANCET_RESNET_STAGES 4

/** Everything a tower needs to know beside its numbers. Sizes of a tower that the file does not hold (or that
 * the options do not ask for) are 0. */
typedef struct lancet_clip_configuration {
    lancet_naming naming;
    bool has_vision, has_text;
    bool text_apart;        /* "text." stands before every name of the text tower: CustomTextCLIP */
    lancet_family family;   /* the picture tower's */
    size_t embedding_width; /* C */
    size_t image_side, patch_side, grid_side;
    size_t vision_width, vision_blocks, vision_heads, vision_hidden;
    size_t stem_width, stage_blocks[LANCET_RESNET_STAGES]; /* a ResNet's alone: vision_width is 32 stem_width,
                                                              vision_blocks all blocks, vision_hidden 0 */
    size_t text_width, text_blocks, text_heads, text_hidden;
    size_t context_length, vocabulary_size;
    size_t end_token;             /* id of the token that a text is read at, and 1; 0: nobody says */
    lancet_activation activation; /* never AUTO */
    lancet_precision precision;   /* of the products: an option, in no file */
    char activation_origin[128];  /* "option", "config.json", ... or why it was assumed */
    float layer_norm_epsilon;
    float logit_scale; /* exp of the stored value; finite */
    bool logit_scale_assumed;
    float mean[3], deviation[3];
    char missing[512]; /* what could not be told, one sentence each; "" if nothing */
} lancet_clip_configuration;

/** Reads the architecture off the tensors' shapes, then what the file itself says of it (GGUF) or, in other
 * containers, config.json and preprocessor_config.json (Hugging Face) or open_clip_config.json beside the
 * weights, where there are any. `options` may be NULL.
 *
 * Errors: INPUT (no CLIP tensors, a tensor missing or of the wrong shape, files that contradict the
 * tensors), UNSUPPORTED (an architecture that Lancet does not run, named), ARGUMENT (an option out of range,
 * or a tower asked for that the file does not hold), MEMORY. */
lancet_status lancet_clip_configuration_read(lancet_clip_configuration *configuration,
                                             const lancet_checkpoint *checkpoint,
                                             const lancet_model_options *options, lancet_error *error);

#endif
