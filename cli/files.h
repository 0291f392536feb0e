/* Names of files, folders, whole files written. SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_FILES_H
#define CLI_FILES_H

#include "texts.h"

#include "lancet/error.h"

#include <stdbool.h>
#include <stddef.h>

bool text_ends_with(const char *text, const char *end);

/** Whether it can be opened for reading. */
bool file_exists(const char *path);

/** Whether it is a file with something in it. */
bool file_is_there(const char *path);

bool folder_exists(const char *path);

/** Makes the folder and those above it. Returns a status; a failure is reported. */
int folder_make(const char *path);

/** $XDG_DATA_HOME/lancet, or ~/.local/share/lancet; NULL if memory is out. free() it. */
char *data_folder(void);

/** "folder/name", or just the name in the folder "."; NULL if memory is out. free() it. */
char *path_join(const char *folder, const char *name);

/** The name without folders (a pointer into `path`). */
const char *path_name(const char *path);

/** Writes `path` as a whole, or not at all: a reader sees the old file or the new one. Returns a status; a
 * failure is reported. */
int file_write(const char *path, const void *bytes, size_t length);

/** The whole file with a zero byte after it, at most `most` bytes of it or it is an INPUT error. free() it.
 */
int file_read(char **bytes, size_t *length, const char *path, size_t most);

/** A text as a part of a file name: lower-case letters and digits, everything else a dash; letters beyond
 * ASCII stay. At most 40 bytes; "text" if nothing is left. NULL if memory is out. free() it. */
char *text_slug(const char *text);

#endif
