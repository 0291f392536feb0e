/* What the files of `lancet pull` share. SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_PULL_H
#define CLI_PULL_H

#include "common.h"
#include "fetch/fetch.h"
#include "models.h"

#include <jansson.h>

typedef struct pull_settings {
    common_settings common;
    bool list, force, json;
    const char *to, *base_url;
    int timeout_s, retries, max_size_mb;
} pull_settings;

/** Fetches what belongs to one model: weights, configuration, vocabulary. `report` (the object of this model
 * in the JSON output) gets what was done. Returns a status; failures are reported. */
int pull_model(json_t *report, const model_source *source, const pull_settings *settings,
               bool (*stopped)(void));

/** `lancet pull --list`. */
int pull_list(const pull_settings *settings);

#endif
