/* The same work on many pictures. SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_PICTURES_H
#define CLI_PICTURES_H

#include "many.h"

#include "lancet/image.h"

#include <jansson.h>
#include <stdbool.h>

/** One picture. */
typedef struct picture_item {
    const char *path;
    const char *folder; /* of its files */
    const char *name;   /* of its files, without the ends */
    const lancet_image *image;
    const lancet_features *features; /* NULL: not encoded yet */
} picture_item;

/** What is done with each picture, and how. */
typedef struct picture_work {
    /** Works on one picture; the files about it begin with its name. *summary (NULL on failure) says what
     * came of it, with the files' paths under "files". Returns a status; failures are reported. */
    int (*run)(json_t **summary, void *context, const picture_item *picture);
    /** Prints a summary for a person; NULL: the paths under "files", one a line, unless quiet. */
    void (*print)(void *context, const json_t *summary);
    void *context;
    const command *self;
    const void *settings; /* the command's, as its table of options fills them */
    const common_settings *common;
    const many_settings *many;
    const picture_settings *picture;
    const lancet_model *model;
    lancet_session *session;
    const lancet_labels *labels;            /* NULL: none */
    const lancet_feature_options *features; /* how to encode each; NULL: `run` does that */
    const char *output;                     /* the files' folder; NULL: none are written */
    const char *header;                     /* printed in front of everything; NULL: nothing */
    bool json;                              /* all summaries as one JSON object instead */
} picture_work;

/** What every command's work has from its settings. */
#define WORK_OF(command, given)                                                                              \
    .self = (command), .settings = &(given), .common = &(given).common, .many = &(given).many,               \
    .picture = &(given).picture, .json = (given).json

/** Every picture, in order; they are read ahead, small ones are encoded together, and what is done is noted
 * in the journal if there is one. A broken one is reported, and the rest done or not as the settings say.
 * `status` is that of finding the pictures. Returns the first status that is no success. */
int pictures_run(const picture_work *work, const many_pictures *pictures, int status);

/** Opens a picture. Returns a status; a failure is reported. */
int picture_open(lancet_image **image, const char *path, bool ignore_orientation);

/** Encodes a picture that is not encoded yet; *own is to be closed, and NULL if it is. */
lancet_status picture_encode(const lancet_features **features, lancet_features **own,
                             const picture_item *picture, lancet_session *session,
                             const lancet_feature_options *options, lancet_error *error);

/** Reports what went wrong with a picture, whose path the message is to begin with. Returns the status. */
int picture_report(const char *path, const lancet_error *error);

/** Notes a file that was written for a picture, {"path", "kind"}, at the end of `files`. */
void json_file(bool *good, json_t *files, const char *path, const char *kind);

/** The paths under "files" become ones that can be opened from here: those of names in `folder`. False if
 * memory is out. */
bool json_files_join(json_t *summary, const char *folder);

#endif
