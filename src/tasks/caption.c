/* Which of a caption's tokens a picture answers to. SPDX-License-Identifier: Apache-2.0 */
#include "lancet/tasks.h"

#include "base/memory.h"
#include "base/status.h"
#include "explain/feature_surgery.h"
#include "explain/maps.h"

lancet_status lancet_caption_rank(lancet_token_rank *ranks, const lancet_features *features,
                                  const lancet_labels *tokens, lancet_error *error)
{
    const size_t count = lancet_labels_count(tokens);
    lancet_feature_surgery plain = {.count = count};
    float *scores;
    lancet_status status;

    if (!ranks || !features || !tokens)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "lancet_caption_rank: %s is NULL",
                           !ranks      ? "ranks"
                           : !features ? "features"
                                       : "tokens");
    status = lancet_maps_check_pair(features, tokens, error);
    if (status != LANCET_OK)
        return status;
    scores = lancet_allocate(count, sizeof *scores);
    if (!scores)
        return lancet_fail_memory(error, "ranks");
    plain.tokens = lancet_features_tokens(features);
    plain.width = lancet_features_width(features);
    plain.labels = lancet_labels_features(tokens);
    lancet_feature_surgery_run(&(lancet_surgery_scores){.class_scores = scores}, &plain, NULL);
    for (size_t k = 0; k < count; k++) {
        ranks[k] = (lancet_token_rank){scores[k], 1};
        for (size_t i = 0; i < count; i++)
            ranks[k].rank += scores[i] > scores[k] || (i < k && scores[i] == scores[k]);
    }
    lancet_free(scores);
    return LANCET_OK;
}
