/* Fig. 6: how far the map of a present label is from the map of the empty string, and from nothing.
 *
 * Of the cosines of tokens and texts over the grid of patches, and of the same scaled to 0..1 (Eq. 1).
 * Record: label_values.h. SPDX-License-Identifier: Apache-2.0 */
#include "eval/label_values.h"

#include "base/status.h"

#include <math.h>

static const lancet_value_column columns[] = {{"cosines: to the empty string's", true},
                                              {"cosines: to 0", true},
                                              {"maps: to the empty string's", true},
                                              {"maps: to 0", true}};

/* Cosines of every patch with one text's feature. */
static void compare(float *scores, const lancet_features *features, const float *text, size_t patches)
{
    const size_t width = lancet_features_width(features);

    for (size_t i = 0; i < patches; i++) {
        const float *token = lancet_features_tokens(features) + (1 + i) * width;
        double product = 0, square = 0;

        for (size_t k = 0; k < width; k++) {
            product += (double)token[k] * (double)text[k];
            square += (double)token[k] * (double)token[k];
        }
        scores[i] = (float)(square > 0 ? product / sqrt(square) : 0);
    }
}

static void scale(float *map, const float *scores, size_t count)
{
    float low = scores[0], high = scores[0];

    for (size_t i = 1; i < count; i++) {
        low = fminf(low, scores[i]);
        high = fmaxf(high, scores[i]);
    }
    for (size_t i = 0; i < count; i++)
        map[i] = high > low ? (scores[i] - low) / (high - low) : 0;
}

static lancet_status measure_variant(lancet_buffer *record, lancet_run *run, size_t variant,
                                     const lancet_picture *picture, const lancet_truth *truth,
                                     lancet_error *error)
{
    const float *empty = lancet_labels_empty(run->labels, false);
    const lancet_features *features;
    float *scores = NULL;
    size_t patches = 0;
    lancet_status status = lancet_run_features(&features, run, variant, picture, error);

    if (status == LANCET_OK) {
        patches = lancet_features_grid_height(features) * lancet_features_grid_width(features);
        scores = lancet_allocate(4 * patches, sizeof *scores);
        status = scores ? LANCET_OK : lancet_fail_memory(error, "the scores");
    }
    if (status != LANCET_OK)
        return status;
    if (!empty)
        empty = lancet_labels_empty(run->labels, true);
    compare(scores, features, empty, patches);
    scale(scores + patches, scores, patches);
    lancet_label_values_begin(record, truth->present_count);
    for (size_t i = 0; i < truth->present_count; i++) {
        lancet_label_values sample = {.label = truth->present[i]};
        float *of_label = scores + 2 * patches, *map = scores + 3 * patches;

        compare(of_label, features,
                lancet_labels_features(run->labels) + sample.label * lancet_labels_width(run->labels),
                patches);
        scale(map, of_label, patches);
        sample.values[0] = lancet_map_distance(of_label, scores, patches);
        sample.values[1] = lancet_map_distance(of_label, NULL, patches);
        sample.values[2] = lancet_map_distance(map, scores + patches, patches);
        sample.values[3] = lancet_map_distance(map, NULL, patches);
        lancet_label_values_append(record, &sample);
    }
    lancet_free(scores);
    return LANCET_OK;
}

static lancet_status measure(lancet_buffer *record, lancet_run *run, const lancet_picture *picture,
                             const lancet_truth *truth, lancet_error *error)
{
    lancet_status status = LANCET_OK;

    for (size_t v = 0; v < run->evaluation->variant_count && status == LANCET_OK; v++)
        status = measure_variant(record, run, v, picture, truth, error);
    return status;
}

static lancet_status total(lancet_report *report, const lancet_run *run, const lancet_record *records,
                           size_t count, lancet_error *error)
{
    lancet_report_setting(report, "empty string",
                          lancet_labels_empty(run->labels, false) ? "through the templates" : "bare");
    lancet_report_setting(report, "distance", "mean absolute difference over the patches");
    return lancet_label_values_total(report, run, records, count, columns, sizeof columns / sizeof *columns,
                                     error);
}

const lancet_protocol_steps lancet_label_l1 = {
    .name = "label-l1",
    .title = "Distance of maps to the empty string's",
    .summary =
        "Mean absolute difference of a present label's map and the empty string's, or nothing (Fig. 6).",
    .version = 1,
    .needs_masks = false,
    .measure = measure,
    .total = total,
};
