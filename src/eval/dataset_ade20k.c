/* ADE20K's scene parsing benchmark. SPDX-License-Identifier: Apache-2.0 */
#include "eval/label_maps.h"

static const lancet_label_place places[] = {
    {.pictures = "images/%s", .masks = "annotations/%s"},
    {.pictures = "ADEChallengeData2016/images/%s", .masks = "ADEChallengeData2016/annotations/%s"},
    {.pictures = "images", .masks = "masks", .common = true},
};

static const char *const parts[] = {"validation", "training", NULL};

static const lancet_label_maps maps = {places, sizeof places / sizeof *places, parts};

static lancet_status recognise(const lancet_dataset_source *source, lancet_buffer *evidence,
                               lancet_error *error)
{
    return lancet_label_maps_recognise(&maps, source, evidence, error);
}

static lancet_status open(lancet_dataset *dataset, const lancet_dataset_source *source, lancet_error *error)
{
    lancet_status status = lancet_dataset_use_classes(dataset, source, "ade150", error);

    return status == LANCET_OK ? lancet_label_maps_open(&maps, dataset, source, NULL, error) : status;
}

const lancet_dataset_reader lancet_reader_ade20k = {
    .layout = LANCET_LAYOUT_ADE20K,
    .name = "ade20k",
    .recognise = recognise,
    .open = open,
    .truth = lancet_dataset_truth_labels,
};
