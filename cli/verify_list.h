/* What the forms of a `lancet verify` folder's list have in common. SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_VERIFY_LIST_H
#define CLI_VERIFY_LIST_H

#include "verify.h"

/** The list being read, for messages. */
typedef struct verify_source {
    verify_set *set;
    const char *folder;
    char *path;
    json_t *picture_numbers; /* name -> which of the set's pictures */
} verify_source;

/** Reports "list: where: expected ..."; returns the status. All of the following return one. */
int verify_list_malformed(const verify_source *source, const char *where, const char *expected);

/** Whether a name from the list stays inside the folder it is looked for in. */
bool verify_list_is_inside(const char *name);

int verify_list_texts(const verify_source *source, texts *list, const json_t *array, const char *where);

/** Adds a picture, found in images/ in the folder or beside it, or in the folder itself. */
int verify_list_picture(const verify_source *source, const char *name, const char *file);

/** Adds a model; takes over the path (NULL: memory was out). */
int verify_list_model(const verify_source *source, char *path);

/** Room for so many arrays in all. */
int verify_list_reserve(const verify_source *source, size_t count);

/** Reads a list of GGUF files, each with arrays of its own (gguf.json). */
int verify_read_gguf(const verify_source *source);

#endif
