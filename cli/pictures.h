/* The same work on many pictures. SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_PICTURES_H
#define CLI_PICTURES_H

#include "texts.h"

#include "lancet/image.h"

#include <jansson.h>
#include <stdbool.h>

/** What is done with each picture. */
typedef struct picture_work {
    /** Works on one picture; the files about it begin with `name`. *summary (NULL on failure) says what came
     * of it. Returns a status; failures are reported. */
    int (*run)(json_t **summary, void *context, const char *path, const char *name);
    /** Prints a summary for a person; NULL: the paths under "files", one a line, unless `quiet`. */
    void (*print)(void *context, const json_t *summary);
    void *context;
    bool json;  /* print all summaries as one JSON object instead */
    bool quiet; /* no progress bar, and no list of files */
} picture_work;

/** Every picture, one after the other; a broken one is reported and does not stop the rest. `status` is that
 * of listing the pictures. Returns the first status that is no success. */
int pictures_run(const picture_work *work, const texts *pictures, int status);

/** Opens a picture. Returns a status; a failure is reported. */
int picture_open(lancet_image **image, const char *path, bool ignore_orientation);

/** Reports what went wrong with a picture, whose path the message is to begin with. Returns the status. */
int picture_report(const char *path, const lancet_error *error);

/** Notes a file that was written for a picture, {"path", "kind"}, at the end of `files`. */
void json_file(bool *good, json_t *files, const char *path, const char *kind);

/** The paths under "files" become ones that can be opened from here: those of names in `folder`. False if
 * memory is out. */
bool json_files_join(json_t *summary, const char *folder);

#endif
