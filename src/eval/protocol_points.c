/* Points: how many of the points for each present label lie right. Record: label_values.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "eval/label_values.h"

#include "base/status.h"

#include <math.h>

static const lancet_value_column columns[] = {
    {"positive points right", false}, {"negative points right", false}, {"points right", false}};

static double share(uint64_t right, uint64_t all)
{
    return all ? (double)right / (double)all : NAN;
}

static lancet_status measure_label(lancet_buffer *record, const lancet_maps *maps, const lancet_truth *truth,
                                   size_t label, lancet_point *points, size_t capacity, uint8_t *mask,
                                   lancet_error *error)
{
    lancet_points_score score = {0};
    lancet_label_values sample = {.label = label};
    size_t count;
    lancet_status status = lancet_truth_mask(truth, label, mask, error);

    if (status == LANCET_OK)
        status =
            lancet_maps_points(maps, label, truth->width, truth->height, -1, points, capacity, &count, error);
    if (status != LANCET_OK)
        return status;
    lancet_points_score_add(&score, points, count, mask, truth->width, truth->height);
    sample.values[0] = share(score.positive_right, score.positive);
    sample.values[1] = share(score.negative_right, score.negative);
    sample.values[2] = share(score.positive_right + score.negative_right, score.positive + score.negative);
    lancet_label_values_append(record, &sample);
    return LANCET_OK;
}

static lancet_status measure_variant(lancet_buffer *record, lancet_run *run, size_t variant,
                                     const lancet_picture *picture, const lancet_truth *truth, uint8_t *mask,
                                     lancet_error *error)
{
    lancet_point *points = NULL;
    lancet_maps *maps = NULL;
    size_t capacity = 0;
    lancet_status status = lancet_run_maps(&maps, run, variant, picture, error);

    if (status == LANCET_OK) {
        /* At most half of the halved grid's cells of each kind. */
        capacity = lancet_maps_grid_height(maps) * lancet_maps_grid_width(maps) / 4 + 1;
        points = lancet_allocate(capacity, sizeof *points);
        status = points ? LANCET_OK : lancet_fail_memory(error, "the points");
    }
    lancet_label_values_begin(record, truth->present_count);
    for (size_t i = 0; i < truth->present_count && status == LANCET_OK; i++)
        status = measure_label(record, maps, truth, truth->present[i], points, capacity, mask, error);
    lancet_free(points);
    lancet_maps_close(&maps);
    return status;
}

static lancet_status measure(lancet_buffer *record, lancet_run *run, const lancet_picture *picture,
                             const lancet_truth *truth, lancet_error *error)
{
    uint8_t *mask = lancet_allocate(truth->width * truth->height, sizeof *mask);
    lancet_status status = mask ? LANCET_OK : lancet_fail_memory(error, "a mask");

    for (size_t v = 0; v < run->evaluation->variant_count && status == LANCET_OK; v++)
        status = measure_variant(record, run, v, picture, truth, mask, error);
    lancet_free(mask);
    return status;
}

static lancet_status total(lancet_report *report, const lancet_run *run, const lancet_record *records,
                           size_t count, lancet_error *error)
{
    lancet_report_setting(report, "points", "positive where the halved map reaches 0.8");
    lancet_report_note(report,
                       "The paper's Fig. 10 does not define its accuracy; its gain over CLIP can only be "
                       "reached by that of positive points.");
    return lancet_label_values_total(report, run, records, count, columns, sizeof columns / sizeof *columns,
                                     error);
}

const lancet_protocol_steps lancet_points_protocol = {
    .name = "points",
    .title = "Points",
    .summary = "How many of the points that maps give for a segmenter lie on their label, or off it.",
    .version = 1,
    .needs_masks = true,
    .measure = measure,
    .total = total,
};
