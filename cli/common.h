/* What several commands share: their settings, and how these become a model, a session and options of the
 * library. SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_COMMON_H
#define CLI_COMMON_H

#include "options.h"
#include "report.h"

#include "lancet/lancet.h"

typedef struct common_settings {
    bool quiet;
    int threads;
} common_settings;

typedef struct model_settings {
    const char *path; /* NULL: chosen by model_choose */
    const char *vocabulary;
    int activation; /* a lancet_activation */
    int head_width, text_head_width;
    int precision; /* a lancet_precision */
} model_settings;

typedef struct picture_settings {
    int path; /* a lancet_path */
    int side, short_side, surgery_last, surgery_start;
    int pool_attention, pool_class; /* a lancet_pool_attention, a lancet_pool_class */
    option_size size;
    option_triple mean, deviation;
    bool ignore_orientation;
} picture_settings;

extern const option common_options[2];
extern const option model_options[6];
extern const option picture_options[11]; /* the last 5 are about the path */

/* Rows of a command's table of groups, for a settings struct with members of these names. */
#define COMMON_GROUP(settings)                                                                               \
    {                                                                                                        \
        "General", common_options, 2, offsetof(settings, common)                                             \
    }
#define MODEL_GROUP(settings)                                                                                \
    {                                                                                                        \
        "Model", model_options, 6, offsetof(settings, model)                                                 \
    }
/* Of a model that is only looked at: not what it would be computed in. */
#define MODEL_LOOK_GROUP(settings)                                                                           \
    {                                                                                                        \
        "Model", model_options, 5, offsetof(settings, model)                                                 \
    }
#define PICTURE_GROUP(settings)                                                                              \
    {                                                                                                        \
        "Picture", picture_options, 11, offsetof(settings, picture)                                          \
    }
/* The same for commands that look at the class token alone, to which no path makes a difference. */
#define PREPARATION_GROUP(settings)                                                                          \
    {                                                                                                        \
        "Picture", picture_options, 6, offsetof(settings, picture)                                           \
    }

/** The file that -m names: a path, or else the name of a model that `lancet pull` has fetched. *path is to be
 * free()d. Returns a status; a failure (the name is known, the model is not there) is reported. */
int model_resolve(char **path, const char *name);

/** The model that is used without -m: $LANCET_MODEL, the one in the user's data folder (pulled or
 * put there), the one that came with Lancet. *path is to be free()d; *origin says where it was found. Returns
 * a status; what went wrong is reported if `report_missing` (some commands can go on without a model). */
int model_choose(char **path, const char **origin, bool report_missing);

/** Opens the chosen model, and a session on it. Returns a status; failures are reported. */
int model_begin(lancet_model **model, lancet_session **session, const model_settings *settings,
                const common_settings *common, lancet_towers towers);

/** What picture options cannot say together. Returns a status; a mistake is reported. */
int picture_check(const picture_settings *settings);

/** The vision tower's options. Where only one of mean and deviation is given the other is the model's. */
lancet_feature_options feature_options(const picture_settings *settings, const lancet_model *model);

/** "quickgelu", "gelu"; "surgery", "plain"; "vv", "vv-norm8"; "qk", "vv"; "auto", "labels", "empty",
 * "empty-bare", "none". */
extern const char *const activation_names[];
extern const char *const precision_names[];
extern const char *const path_names[]; /* of --path: the two that stand by themselves */
extern const char *const pool_attention_names[];
extern const char *const pool_class_names[];
extern const char *const redundant_names[];

/** What JSON calls a path: its name, or that of the method that it belongs to. */
const char *way_name(lancet_path path);

/** Sets the method of that name (NULL: none was asked for). Where there is one, *path, *redundant and
 * *reversed become its own, and have to be at their defaults before. False, and reported, if there is no such
 * method or they are not. */
bool method_choose(const char *name, int *path, int *redundant, bool *reversed);

/** Texts from a file, one a line; blank lines are skipped, a carriage return at the end is dropped. `-` is
 * stdin. */
int texts_read(texts *list, const char *path);

/** The same for --labels: `name` may also be that of a built-in list of classes, and then is no file. */
int labels_read(texts *list, const char *name);

/** A note for each label that did not fit the model's context, with the words that were lost. */
void report_lost(const lancet_labels *labels);

#endif
