/* PASCAL Context: 59 classes over VOC 2010's pictures. SPDX-License-Identifier: Apache-2.0
 *
 * Two orders of values are about, and nothing in a mask tells them apart. Label maps that were converted from
 * the detail annotations have the classes in alphabetical order; 59_labels.txt of the data set has VOC's
 * twenty first, and those who draw the masks with VOC's colours follow it. So the masks' form decides, and
 * the options may. */
#include "eval/label_maps.h"

#include "lancet/image.h"
#include "lancet/masks.h"

static const lancet_label_place places[] = {
    {.pictures = "JPEGImages",
     .masks = "SegmentationClassContext",
     .list = "ImageSets/SegmentationContext/%s.txt"},
    {.pictures = "VOC2010/JPEGImages",
     .masks = "VOC2010/SegmentationClassContext",
     .list = "VOC2010/ImageSets/SegmentationContext/%s.txt"},
    {.pictures = "VOCdevkit/VOC2010/JPEGImages",
     .masks = "VOCdevkit/VOC2010/SegmentationClassContext",
     .list = "VOCdevkit/VOC2010/ImageSets/SegmentationContext/%s.txt"},
    {.pictures = "images", .masks = "masks", .common = true},
};

static const char *const parts[] = {"val", NULL};

static const lancet_label_maps maps = {places, sizeof places / sizeof *places, parts};

static lancet_status recognise(const lancet_dataset_source *source, lancet_buffer *evidence,
                               lancet_error *error)
{
    return lancet_label_maps_recognise(&maps, source, evidence, error);
}

/* *coloured = whether the first mask that can be read is one of colours. */
static lancet_status look(bool *coloured, const lancet_dataset *dataset, lancet_error *error)
{
    lancet_status status = LANCET_ERROR_INPUT;

    *coloured = false;
    for (size_t i = 0; i < dataset->count && status != LANCET_OK && status != LANCET_ERROR_MEMORY; i++) {
        lancet_png_numbers numbers;

        status = lancet_png_numbers_open(&numbers, dataset->entries[i].mask, LANCET_MASK_PIXELS_MAX, error);
        *coloured = numbers.colour;
        lancet_png_numbers_close(&numbers);
    }
    return status == LANCET_ERROR_MEMORY ? status : LANCET_OK;
}

static lancet_status open(lancet_dataset *dataset, const lancet_dataset_source *source, lancet_error *error)
{
    lancet_status status = lancet_label_maps_open(&maps, dataset, source, NULL, error);
    bool coloured;

    if (status == LANCET_OK)
        status = look(&coloured, dataset, error);
    if (status == LANCET_OK)
        status =
            lancet_dataset_use_classes(dataset, source, coloured ? "context59-official" : "context59", error);
    return status;
}

const lancet_dataset_reader lancet_reader_context = {
    .layout = LANCET_LAYOUT_CONTEXT,
    .name = "context",
    .recognise = recognise,
    .open = open,
    .truth = lancet_dataset_truth_labels,
};
