/* `lancet eval`: what its parts share. SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_EVAL_H
#define CLI_EVAL_H

#include "common.h"

#include "lancet/eval.h"

typedef struct eval_settings {
    common_settings common;
    model_settings model;
    picture_settings picture;
    const char *data, *split, *classes, *pictures, *masks, *annotations;
    int layout; /* a lancet_layout */
    const char *methods, *sweep, *templates, *labels, *output, *journal, *threshold;
    option_size crops;
    int table, form, order, redundant;
    double tau;
    int average, resamples, seed, limit, decoders;
    bool no_journal, no_bootstrap, skip_broken, no_sheet, json;
} eval_settings;

#define EVAL_GROUPS 7
extern const option_group eval_groups[EVAL_GROUPS];

/** The rows of the tables, with the names that they own. Zero-initialised is empty. */
typedef struct eval_variants {
    lancet_variant items[LANCET_VARIANTS_MAX];
    size_t count;
    texts names; /* [count] */
} eval_variants;

/** What --methods, --table and --sweep come to. Returns a status; a mistake is reported. */
int eval_choose_variants(eval_variants *variants, const eval_settings *settings, lancet_protocol protocol,
                         const lancet_model *model, const lancet_dataset *dataset);

/** The data set's classes as labels: encoded, or those of --labels if they are the same words. Returns a
 * status; a failure is reported. */
int eval_get_labels(lancet_labels **labels, lancet_session *session, const eval_settings *settings,
                    lancet_protocol protocol, const lancet_dataset *dataset);

#endif
