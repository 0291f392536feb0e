/* One call: a picture and words in, heat maps out.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_EXPLAIN_H
#define LANCET_EXPLAIN_H

#include "lancet/error.h"
#include "lancet/features.h"
#include "lancet/labels.h"
#include "lancet/maps.h"
#include "lancet/model.h"
#include "lancet/picture.h"
#include "lancet/session.h"
#include "lancet/windows.h"

#ifdef __cplusplus
extern "C" {
#endif

/** The options of each step. All zero is the default. `redundant` is maps.redundant; labels.redundant is
 * ignored. */
typedef struct lancet_explain_options {
    lancet_session_options session;
    lancet_label_options labels;
    lancet_feature_options features;
    lancet_map_options maps;
    const lancet_window_options *windows; /**< not NULL: look through windows (lancet_maps_slide) */
} lancet_explain_options;

/** Explains `picture` for `text_count` texts: one heat map a text (CLIP Surgery, Eq. 6-11).
 *
 * With one text the redundant feature is the empty string's, with several the mean over the texts
 * (options->maps.redundant). Keep a session, labels and features instead where more than one call is to
 * come.
 *
 *      lancet_model *model = NULL;
 *      lancet_maps *maps = NULL;
 *      lancet_error error;
 *      if (lancet_model_open(&model, "ViT-B-16.safetensors", NULL, &error) == LANCET_OK &&
 *          lancet_explain(&maps, model, &picture, (const char *[]){"cat"}, 1, NULL, &error) == LANCET_OK)
 *          lancet_maps_write(maps, 0, picture.width, picture.height, heat, &error);
 *
 * On success *maps is the caller's (lancet_maps_close). On failure *maps is NULL and `error` says why.
 * Errors: as lancet_session_open, lancet_labels_encode, lancet_features_encode and lancet_maps_compute, or
 * lancet_maps_slide. */
LANCET_API lancet_status lancet_explain(lancet_maps **maps, const lancet_model *model,
                                        const lancet_picture *picture, const char *const *texts,
                                        size_t text_count, const lancet_explain_options *options,
                                        lancet_error *error);

#ifdef __cplusplus
}
#endif
#endif
