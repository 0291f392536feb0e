/* COCO-Stuff's label maps. SPDX-License-Identifier: Apache-2.0 */
#include "eval/label_maps.h"

static const lancet_label_place places[] = {
    {.pictures = "%s", .masks = "stuffthingmaps/%s"}, /* as published, beside COCO's own folders */
    {.pictures = "images/%s", .masks = "stuffthingmaps/%s"},
    {.pictures = "images/%s",
     .masks = "annotations/%s",
     .mask_ending = "_labelTrainIds.png",
     .classes = "coco-stuff171-train",
     .look = true}, /* as mmsegmentation converts it */
    {.pictures = "images/%s", .masks = "annotations/%s"},
    {.pictures = "images", .masks = "masks", .common = true},
};

static const char *const parts[] = {"val2017", "train2017", NULL};

static const lancet_label_maps maps = {places, sizeof places / sizeof *places, parts};

static lancet_status recognise(const lancet_dataset_source *source, lancet_buffer *evidence,
                               lancet_error *error)
{
    return lancet_label_maps_recognise(&maps, source, evidence, error);
}

static lancet_status open(lancet_dataset *dataset, const lancet_dataset_source *source, lancet_error *error)
{
    const lancet_label_place *place;
    lancet_status status = lancet_label_maps_open(&maps, dataset, source, &place, error);

    if (status == LANCET_OK)
        status = lancet_dataset_use_classes(dataset, source,
                                            place->classes ? place->classes : "coco-stuff171", error);
    return status;
}

const lancet_dataset_reader lancet_reader_coco_stuff = {
    .layout = LANCET_LAYOUT_COCO_STUFF,
    .name = "coco-stuff",
    .recognise = recognise,
    .open = open,
    .truth = lancet_dataset_truth_labels,
};
