/* Folders, and names that must not lead out of them. SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_EVAL_PLACES_H
#define LANCET_EVAL_PLACES_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>

/** Whether `name` names something below a folder: relative, no empty part, none that is "." or "..", no
 * backslash, no control character, at most 1024 bytes. */
bool lancet_place_inside(const char *name, size_t length);

/** "`folder`/`name`", or `name` itself if that is absolute; NULL if memory is out. lancet_free it. */
char *lancet_place_at(const char *folder, const char *name);

bool lancet_place_is_folder(const char *path);

/** *found = the first of the NULL-terminated names that is a folder (or else a file) in `folder`, as a path
 * to lancet_free; NULL if none is. Errors: MEMORY. */
lancet_status lancet_place_first(char **found, const char *folder, const char *const *names, bool is_folder,
                                 lancet_error *error);

/** *has = whether `folder`/`name` is there. Errors: MEMORY. */
lancet_status lancet_place_has(bool *has, const char *folder, const char *name, lancet_error *error);

/** Files of a folder, sorted. */
typedef struct lancet_listing {
    char **names; /* [count], relative to the folder */
    size_t count, capacity;
} lancet_listing;

/** Lists the files of `folder` and of the folders in it whose names end in one of `endings` (NULL-terminated;
 * upper and lower case alike). Names that begin with a dot are left out. Errors: IO, INPUT (too many),
 * MEMORY. */
lancet_status lancet_listing_open(lancet_listing *listing, const char *folder, const char *const *endings,
                                  lancet_error *error);
void lancet_listing_close(lancet_listing *listing);

/** Length of `name` without the first of `endings` that it ends in; its whole length if it ends in none. */
size_t lancet_place_stem(const char *name, const char *const *endings);

/** .jpg, .jpeg, .png, .webp; .png alone. */
extern const char *const lancet_picture_endings[], *const lancet_mask_endings[];

#endif
