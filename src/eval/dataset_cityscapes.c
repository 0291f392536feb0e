/* Cityscapes' fine annotations. SPDX-License-Identifier: Apache-2.0 */
#include "eval/label_maps.h"

#define PICTURE    "_leftImg8bit.png"
#define IDS        "_gtFine_labelIds.png"
#define TRAIN_IDS  "_gtFine_labelTrainIds.png"
#define TRAIN_LIST "cityscapes19-train"

static const lancet_label_place places[] = {
    {.pictures = "leftImg8bit/%s",
     .masks = "gtFine/%s",
     .picture_ending = PICTURE,
     .mask_ending = IDS,
     .look = true},
    {.pictures = "leftImg8bit/%s",
     .masks = "gtFine/%s",
     .picture_ending = PICTURE,
     .mask_ending = TRAIN_IDS,
     .classes = TRAIN_LIST,
     .look = true},
    {.pictures = ".", .masks = ".", .picture_ending = PICTURE, .mask_ending = IDS, .look = true},
    {.pictures = ".",
     .masks = ".",
     .picture_ending = PICTURE,
     .mask_ending = TRAIN_IDS,
     .classes = TRAIN_LIST,
     .look = true},
};

static const char *const parts[] = {"val", "train", NULL};

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
        status = lancet_dataset_use_classes(dataset, source, place->classes ? place->classes : "cityscapes19",
                                            error);
    return status;
}

const lancet_dataset_reader lancet_reader_cityscapes = {
    .layout = LANCET_LAYOUT_CITYSCAPES,
    .name = "cityscapes",
    .recognise = recognise,
    .open = open,
    .truth = lancet_dataset_truth_labels,
};
