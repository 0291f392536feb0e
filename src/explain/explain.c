/* One call from picture and words to maps. SPDX-License-Identifier: Apache-2.0 */
#include "lancet/explain.h"

#include "base/status.h"

lancet_status lancet_explain(lancet_maps **maps, const lancet_model *model, const lancet_picture *picture,
                             const char *const *texts, size_t text_count, const lancet_explain_options *given,
                             lancet_error *error)
{
    lancet_explain_options options = given ? *given : (lancet_explain_options){0};
    lancet_session *session = NULL;
    lancet_labels *labels = NULL;
    lancet_features *features = NULL;
    lancet_status status;

    if (!maps)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "lancet_explain: maps is NULL");
    *maps = NULL;
    options.labels.redundant = options.maps.redundant;
    status = lancet_session_open(&session, model, &options.session, error);
    options.maps.session = session;
    if (status == LANCET_OK)
        status = lancet_labels_encode(&labels, session, texts, text_count, &options.labels, error);
    if (status == LANCET_OK && options.windows)
        status = lancet_maps_slide(maps, session, picture, labels, &options.features, options.windows,
                                   &options.maps, error);
    if (status == LANCET_OK && !options.windows)
        status = lancet_features_encode(&features, session, picture, &options.features, error);
    if (status == LANCET_OK && !options.windows)
        status = lancet_maps_compute(maps, features, labels, &options.maps, error);
    lancet_features_close(&features);
    lancet_labels_close(&labels);
    lancet_session_close(&session);
    return status;
}
