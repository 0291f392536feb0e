/* Models that have a name: where they are published, and where they lie once `lancet pull` has fetched them.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_MODELS_H
#define CLI_MODELS_H

#include "texts.h"

#include <stdint.h>

/** One file at its public home. */
typedef struct model_file {
    const char *name;
    const char *sha256; /* NULL: not known beforehand */
    int64_t size;       /* in bytes; 0: not known beforehand */
} model_file;

/** One model. A folder of its own holds all that belongs to it: weights, configuration, vocabulary. */
typedef struct model_source {
    const char *name;       /* "ViT-B-16", "open_clip/ViT-B-32/laion2b_s34b_b79k" */
    const char *home;       /* the URL that the weights' name follows */
    const char *repository; /* its name at Hugging Face; NULL if it does not come from there */
    /* The weights. Where the publisher may have any of several they are tried in this order; the rest of the
     * list has NULL names. */
    model_file weights[3];
    const char *config;     /* the configuration that lies beside the weights; NULL: none is needed */
    int64_t size_about;     /* of the weights, for people, where the exact size is not known */
    const char *activation; /* what the configuration, or whose weights they are, will tell */
    const char *owner, *licence;
} model_source;

/** The table (models_table.c), in the order in which it is listed; the last one's name is NULL. */
extern const model_source model_sources[];

/** CLIP's vocabulary, which all of them share, and the URL that its name follows. */
extern const model_file vocabulary_file;
extern const char *const vocabulary_home;

/** The model of that name; NULL if there is none. Letters and digits count, upper and lower case, slashes,
 * dashes and the like do not: "ViT-B/16", "vit_b_16", "ViT-L/14@336px". "openai" or CLIP Surgery's "CS"
 * before it change nothing, nor does "open_clip" where the training set is said; a name at Hugging Face
 * ("laion/CLIP-ViT-B-32-laion2B-s34B-b79K") is one as well. */
const model_source *models_find(const char *name);

/** Models that a mistyped or unfinished name may mean, as "A", or "one of A, B, C". NULL in *near if none is
 * near. Returns a status; free() it. */
int models_near(char **near, const char *name);

/** The folder of a model below `root` (NULL: models/ in the user's data folder). NULL if memory is out.
 * free() it. */
char *models_folder(const model_source *source, const char *root);

/** The model's weights in that folder, if they are there; *path stays NULL if not. Returns a status. free()
 * it. */
int models_fetched(char **path, const model_source *source, const char *folder);

/** Appends the paths of all models that have been fetched to the user's data folder. Returns a status. */
int models_list_fetched(texts *paths);

/** The size of the weights, about where it is not known exactly. */
int64_t models_size(const model_source *source);

/** A size for people: "17 bytes", "351 MB", "3.94 GB". */
void models_print_size(char text[16], int64_t size);

#endif
