/* Which of some labels a picture shows: the class token's scores. SPDX-License-Identifier: Apache-2.0 */
#include "lancet/tasks.h"

#include "base/memory.h"
#include "base/status.h"
#include "explain/feature_surgery.h"
#include "explain/maps.h"

#include <math.h>

#define SCALE_DEFAULT 100.0
#define TAU_DEFAULT   2.0f

static lancet_status check(const lancet_features *features, const lancet_recognise_options *options,
                           lancet_error *error)
{
    if (!(options->scale >= 0) || !isfinite(options->scale))
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "scale: expected a number above 0, found %g",
                           (double)options->scale);
    if (!(options->tau >= 0) || !isfinite(options->tau))
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "tau: expected a number above 0, found %g",
                           (double)options->tau);
    if (lancet_features_path(features) == LANCET_PATH_SURGERY &&
        lancet_features_pool_class(features) == LANCET_POOL_CLASS_VV)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                           "features: expected CLIP's own class token, found one of v-v attention");
    return LANCET_OK;
}

/* Fills in the softmax over all labels, and of each with the empty string. */
static void set_probabilities(lancet_recognition *scores, size_t count, double scale, double empty)
{
    double highest = -INFINITY, sum = 0;

    for (size_t t = 0; t < count; t++)
        highest = fmax(highest, (double)scores[t].cosine);
    for (size_t t = 0; t < count; t++)
        sum += exp(scale * ((double)scores[t].cosine - highest));
    for (size_t t = 0; t < count; t++) {
        scores[t].probability = (float)(exp(scale * ((double)scores[t].cosine - highest)) / sum);
        scores[t].presence = (float)(1 / (1 + exp(scale * (empty - (double)scores[t].cosine))));
    }
}

/* Feature surgery of the class token alone. weights: [count], room to work in. */
static void run(float *out, float *weights, const lancet_features *features, const lancet_labels *labels,
                const lancet_feature_surgery *how)
{
    lancet_feature_surgery surgery = *how;

    surgery.tokens = lancet_features_tokens(features);
    surgery.width = lancet_features_width(features);
    if (!surgery.labels) {
        surgery.labels = lancet_labels_features(labels);
        surgery.count = lancet_labels_count(labels);
    }
    lancet_feature_surgery_run(&(lancet_surgery_scores){.class_scores = out, .weights = weights}, &surgery,
                               NULL);
}

lancet_status lancet_recognise(lancet_recognition *scores, const lancet_features *features,
                               const lancet_labels *labels, const lancet_recognise_options *given,
                               lancet_error *error)
{
    const lancet_recognise_options options = given ? *given : (lancet_recognise_options){0};
    lancet_feature_surgery surgery = {.tau = options.tau > 0 ? options.tau : TAU_DEFAULT};
    const size_t count = lancet_labels_count(labels);
    const float *empty;
    float *values = NULL, with_empty = NAN;
    lancet_status status;

    if (!scores || !features || !labels)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "lancet_recognise: %s is NULL",
                           !scores     ? "scores"
                           : !features ? "features"
                                       : "labels");
    status = check(features, &options, error);
    if (status == LANCET_OK)
        status = lancet_maps_check_pair(features, labels, error);
    if (status != LANCET_OK)
        return status;
    empty = lancet_labels_empty(labels, false);
    values = lancet_allocate(2 * count, sizeof *values);
    if (!values)
        return lancet_fail_memory(error, "scores");
    run(values, NULL, features, labels, &surgery);
    for (size_t t = 0; t < count; t++)
        scores[t].cosine = values[t];
    if (empty)
        run(&with_empty, NULL, features, labels, &(lancet_feature_surgery){.labels = empty, .count = 1});
    /* Over one label alone nothing would be left: it is held against the empty string, as maps do. */
    surgery.over_labels = count > 1 || !empty;
    surgery.empty = surgery.over_labels ? NULL : empty;
    for (int form = LANCET_FORM_CODE; form <= LANCET_FORM_PAPER; form++) {
        surgery.form = (lancet_surgery_form)form;
        run(values, values + count, features, labels, &surgery);
        for (size_t t = 0; t < count; t++)
            *(form == LANCET_FORM_CODE ? &scores[t].surgery_code : &scores[t].surgery_paper) = values[t];
    }
    set_probabilities(scores, count, options.scale > 0 ? (double)options.scale : SCALE_DEFAULT,
                      (double)with_empty);
    lancet_free(values);
    return LANCET_OK;
}
