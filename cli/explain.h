/* `lancet explain`: what its parts share. SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_EXPLAIN_H
#define CLI_EXPLAIN_H

#include "pictures.h"

/* Bits of explain_settings.write, in the order of explain_kinds. */
enum {
    EXPLAIN_OVERLAY = 1,
    EXPLAIN_MAP = 2,
    EXPLAIN_MAP16 = 4,
    EXPLAIN_NPY = 8,
    EXPLAIN_JSON = 16,
    EXPLAIN_POINTS = 32
};

extern const char *const explain_kinds[];

typedef struct explain_settings {
    common_settings common;
    model_settings model;
    picture_settings picture;
    many_settings many;
    texts texts;
    const char *labels, *templates, *output, *note;
    unsigned write;
    int redundant, form, order, colours;
    double tau, threshold;
    int window, stride; /* window 0: the picture as a whole */
    bool json;
    const char *method; /* NULL: path and redundant say what is done */
    bool reversed;      /* by the method */
} explain_settings;

/** What stays the same from picture to picture. */
typedef struct explain_job {
    const explain_settings *settings;
    const lancet_model *model;
    lancet_session *session;
    const lancet_labels *labels;
    const char *bank;      /* the file the labels came from, NULL if they were encoded here */
    size_t template_count; /* 0 with a bank, which has its own */
    lancet_feature_options features;
} explain_job;

/** One picture and what was found in it. */
typedef struct explain_picture {
    const picture_item *picture;
    const lancet_feature_options *features; /* resolved; width and height those of the whole picture */
    const lancet_window_options *windows;   /* resolved; NULL: the picture as a whole */
    const lancet_maps *maps;
} explain_picture;

/** Writes every kind of file that was asked for. *summary (to be decref'd) says what was found and written,
 * with the files' paths. Returns a status; failures are reported. */
int explain_write(json_t **summary, const explain_job *job, const explain_picture *picture);

/** What the JSON file says before any file is written: picture, model, settings, grid, texts; NULL if memory
 * is out. */
json_t *explain_describe(const explain_job *job, const explain_picture *picture);

#endif
