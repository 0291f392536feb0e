/* What is said of a model beside its tensors, in files that lie beside the weights or in the weights' own
 * file, before it is held against the tensors. SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_CHECKPOINT_SETTINGS_H
#define LANCET_CHECKPOINT_SETTINGS_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>

typedef enum lancet_settings_kind {
    LANCET_SETTINGS_HUGGING_FACE, /* config.json */
    LANCET_SETTINGS_PREPROCESSOR, /* preprocessor_config.json */
    LANCET_SETTINGS_OPEN_CLIP,    /* open_clip_config.json */
    LANCET_SETTINGS_OWN           /* "lancet.model", in the metadata of a file that Lancet converted */
} lancet_settings_kind;

/** One tower; 0 and "" mean that nothing is said. */
typedef struct lancet_tower_settings {
    bool present;
    bool absent; /* it is said that there is no such tower */
    size_t width, hidden, blocks, heads, head_width, patch_side, image_side, context_length, vocabulary_size;
    size_t embedding_width; /* as this tower states it */
    double hidden_ratio;    /* hidden / width */
    double epsilon;         /* of layer norms */
    size_t end_token;       /* id of the token that a text is read at, and 1 */
    char activation[48];
    char model_type[48];
    char tokenizer[48]; /* whose, if not CLIP's own */
    char refused[192];  /* a setting that Lancet does not run: "text_cfg.embed_cls is true: why" */
} lancet_tower_settings;

/** Where a converted model comes from; "" is unknown. */
typedef struct lancet_origin {
    char name[160]; /* of the first file, without its folder */
    char container[16], naming[16];
    char data_types[96];
    char hash[40];    /* XXH3-128 of that file */
    char types[96];   /* what it was converted to, one after the other: "int8, fp32" */
    char version[24]; /* of the Lancet that wrote this file */
} lancet_origin;

typedef struct lancet_settings {
    bool present; /* the file is there, or the weights' own speaks of the model */
    lancet_tower_settings vision, text;
    size_t embedding_width;
    char model_type[48];
    bool has_quick_gelu, quick_gelu;
    bool has_mean, has_deviation;
    float mean[3], deviation[3];
    bool converted;          /* Lancet's own: */
    bool activation_assumed; /* by whoever converted */
    lancet_origin origin;
    char interpolation[16], resize_mode[16]; /* how training resized its pictures */
    bool multimodal;                         /* a third tower */
} lancet_settings;

/** The name a file of that kind bears (the key, if it is none). */
const char *lancet_settings_file(lancet_settings_kind kind);

/** Reads settings from a JSON text. Unknown keys are passed over; known ones of the wrong type are errors.
 * Errors: INPUT. */
lancet_status lancet_settings_parse(lancet_settings *settings, lancet_settings_kind kind, const char *text,
                                    size_t length, const char *path, lancet_error *error);

/** Reads the file of that kind beside `weights`; no such file leaves *settings zeroed.
 * Errors: INPUT, IO, MEMORY. */
lancet_status lancet_settings_read(lancet_settings *settings, lancet_settings_kind kind, const char *weights,
                                   lancet_error *error);

#endif
