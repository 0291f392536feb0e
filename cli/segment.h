/* `lancet segment`: what its parts share. SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_SEGMENT_H
#define CLI_SEGMENT_H

#include "pictures.h"
#include "words.h"

#include "lancet/tasks.h"

/* Bits of segment_settings.write, in the order of segment_kinds. */
enum { SEGMENT_SEGMENTS = 1, SEGMENT_OVERLAY = 2, SEGMENT_JSON = 4 };

extern const char *const segment_kinds[];
extern const char *const background_names[];

typedef struct segment_settings {
    common_settings common;
    model_settings model;
    picture_settings picture;
    many_settings many;
    word_settings words;
    const char *method, *output, *note;
    unsigned write;
    int redundant; /* the method's; feature surgery plays no part here */
    bool reversed;
    int window, stride;
    option_size crops;
    double background; /* NAN: none */
    int background_by; /* 0: probability, 1: score */
    bool json, csv, rle;
} segment_settings;

/** What stays the same from picture to picture. */
typedef struct segment_job {
    const segment_settings *settings;
    const lancet_model *model;
    lancet_session *session;
    const lancet_labels *labels;
    const classes *classes;
    lancet_segment_task task;
} segment_job;

/** One picture and its segments [height, width]. */
typedef struct segment_picture {
    const picture_item *picture;
    const uint16_t *segments;
} segment_picture;

/** Writes every kind of file that was asked for. *summary (to be decref'd) says what was found and written,
 * with the files' paths. Returns a status; failures are reported. */
int segment_write(json_t **summary, const segment_job *job, const segment_picture *picture);

#endif
