/* PASCAL VOC's layout; other sets of scenes have taken it over, with names of their own.
 * SPDX-License-Identifier: Apache-2.0 */
#include "eval/label_maps.h"
#include "eval/places.h"

static const lancet_label_place places[] = {
    {.pictures = "JPEGImages", .masks = "SegmentationClass", .list = "ImageSets/Segmentation/%s.txt"},
    {.pictures = "VOC2012/JPEGImages",
     .masks = "VOC2012/SegmentationClass",
     .list = "VOC2012/ImageSets/Segmentation/%s.txt"},
    {.pictures = "VOCdevkit/VOC2012/JPEGImages",
     .masks = "VOCdevkit/VOC2012/SegmentationClass",
     .list = "VOCdevkit/VOC2012/ImageSets/Segmentation/%s.txt"},
    {.pictures = "images", .masks = "masks", .common = true},
};

static const char *const parts[] = {"val", NULL};

static const lancet_label_maps maps = {places, sizeof places / sizeof *places, parts};

static lancet_status recognise(const lancet_dataset_source *source, lancet_buffer *evidence,
                               lancet_error *error)
{
    return lancet_label_maps_recognise(&maps, source, evidence, error);
}

static lancet_status open(lancet_dataset *dataset, const lancet_dataset_source *source, lancet_error *error)
{
    bool has;
    lancet_status status = lancet_place_has(&has, source->folder, "classes.txt", error);

    if (status == LANCET_OK)
        status = lancet_dataset_use_classes(dataset, source, has ? "classes.txt" : "voc20", error);
    return status == LANCET_OK ? lancet_label_maps_open(&maps, dataset, source, NULL, error) : status;
}

const lancet_dataset_reader lancet_reader_voc = {
    .layout = LANCET_LAYOUT_VOC,
    .name = "voc",
    .recognise = recognise,
    .open = open,
    .truth = lancet_dataset_truth_labels,
};
