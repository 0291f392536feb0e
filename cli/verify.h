/* `lancet verify`: what its parts share. SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_VERIFY_H
#define CLI_VERIFY_H

#include "common.h"

#include <jansson.h>

/* ---- The folder ---------------------------------------------------------------------------------------- */

typedef enum verify_stage {
    VERIFY_UNKNOWN = 0, /* listed, but nothing this command replays */
    VERIFY_TOKENS,
    VERIFY_TEXT,
    VERIFY_ENSEMBLE,
    VERIFY_ENSEMBLE_EMPTY,
    VERIFY_PIXELS, /* from here on: of a picture at a size */
    VERIFY_PLAIN,
    VERIFY_SURGERY,
    VERIFY_SURGERY_QK,    /* of a ResNet: with CLIP's own class token; */
    VERIFY_SURGERY_NORM8, /* with values of unit length */
    VERIFY_CLASS_TOKEN,
    VERIFY_BLOCK, /* tokens after a block */
    VERIFY_BLOCK_SURGERY,
    VERIFY_ATTENTION_RAW, /* rows of a block, the last if it names none */
    VERIFY_ATTENTION_VALUES,
    VERIFY_METHOD_TOKENS,  /* of another path than surgery and plain */
    VERIFY_METHOD_COSINES, /* of its patches with the texts */
    VERIFY_BRANCHES,
    VERIFY_BRANCHES_NO_NORM,
    VERIFY_CLASS_COSINES, /* of the class token with the texts, and what is made of them */
    VERIFY_CLASS_SURGERY,
    VERIFY_CLASS_SURGERY_PAPER,
    VERIFY_SIMILARITY,
    VERIFY_SIMILARITY_EMPTY,
    VERIFY_SIMILARITY_PAPER,
    VERIFY_MAP,
    VERIFY_POINTS
} verify_stage;

/** The size that a picture goes in at; window 0: as a whole. */
typedef struct verify_size {
    int width, height, window, stride;
} verify_size;

/** One array of the folder. */
typedef struct verify_array {
    const char *name; /* as listed */
    char *own_name;   /* what name points to, where it does not lie in the list; else NULL */
    char *path;       /* of the file; NULL for points, which stand in the list itself */
    verify_stage stage;
    size_t place;   /* in the list */
    size_t model;   /* which of verify_set.model_paths */
    size_t picture; /* which of verify_set.pictures */
    verify_size size;
    lancet_path way;     /* of the stages that are of another path */
    int block;           /* 1-based, of the stages of one block; 0: none is named */
    const json_t *entry; /* what the list says of it, may be NULL */
} verify_array;

typedef struct verify_picture {
    const char *name;
    char *path;
    int width, height; /* as listed; 0 if it does not say */
} verify_picture;

/** A folder of arrays and what they were made from. Zero-initialised is empty. */
typedef struct verify_set {
    json_t *root, *baselines; /* the list, and the one of baselines.json beside it (NULL: there is none) */
    char **model_paths;       /* one but for lists of several */
    size_t model_count;
    texts token_texts, texts;
    verify_picture *pictures;
    size_t picture_count;
    verify_array *arrays;
    size_t array_count;
    /* How the arrays were made, where the folder says so. */
    lancet_activation activation;
    int head_width, text_head_width;
    option_triple mean, deviation;
    int pool_attention, pool_class; /* of a ResNet; what it does not say is as in the published code */
} verify_set;

/** Reads `folder`/manifest.json, set.json or gguf.json, the first that is there. Returns a status; failures
 * are reported. */
int verify_set_open(verify_set *set, const char *folder);
void verify_set_close(verify_set *set);

/** The stage of an array that is of no picture, by its name ("text/features"); VERIFY_UNKNOWN if it is none.
 */
verify_stage verify_name_whole(const char *name);

/** Sets stage, size and block from array->name, "<picture>/<size>/<stage>" (or
 * <picture>/<size>/baselines/...); the picture is the name's first *picture_length bytes. False if the name
 * is not of that form or its stage is unknown. */
bool verify_name_split(verify_array *array, size_t *picture_length);

/* ---- The table ----------------------------------------------------------------------------------------- */

typedef enum verify_result {
    VERIFY_PASS,
    VERIFY_FAIL,
    VERIFY_ABSENT,       /* listed, but the file is not there */
    VERIFY_NOT_REPLAYED, /* unknown to this command */
    VERIFY_ERROR         /* the array or the step itself is broken */
} verify_result;

/** One line. difference: largest absolute difference over the expected array's largest magnitude; for what
 * has to be exact, how many values differ. cosine: between the two as a whole, NAN where it says nothing. */
typedef struct verify_row {
    const char *name;
    verify_result result;
    double difference, cosine, limit; /* limit 0: exact */
    char note[LANCET_ERROR_MESSAGE_SIZE];
} verify_row;

#define VERIFY_COSINE_LEAST 0.999999

/** Compares two arrays of `count` values and sets the row's numbers and result. */
void verify_compare(verify_row *row, const float *expected, const float *found, size_t count, double limit);

void verify_print_header(const verify_set *set);
void verify_print_row(const verify_set *set, const verify_row *row);
/** "30 passed, ..." */
void verify_print_counts(const size_t counts[5]);
json_t *verify_row_json(const verify_row *row);

/* ---- The replay ---------------------------------------------------------------------------------------- */

/** What has been computed and may be wanted again. Zero-initialised with set, model and session set. */
typedef struct verify_replay {
    const verify_set *set;
    const lancet_model *model;
    lancet_session *session;
    bool quiet;
    lancet_labels *labels; /* of set->texts through the 85 templates */
    size_t picture;        /* what the rest is of */
    verify_size size;
    struct lancet_image *image;
    lancet_features *features[LANCET_PATHS];
    lancet_maps *maps[3]; /* similarity, similarity_empty, similarity_paper */
} verify_replay;

/** Replays one array and fills in its row. Returns the status of what went wrong besides a difference (the
 * row then says VERIFY_ERROR and why). */
int verify_replay_array(verify_replay *replay, const verify_array *array, verify_row *row);
void verify_replay_close(verify_replay *replay);

#endif
