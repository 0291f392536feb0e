/* ImageNet-S. SPDX-License-Identifier: Apache-2.0 */
#include "eval/label_maps.h"

static const lancet_label_place places[] = {
    {.pictures = "%s", .masks = "%s-segmentation"},
    {.pictures = "ImageNetS50/%s", .masks = "ImageNetS50/%s-segmentation"},
    {.pictures = "images", .masks = "masks", .common = true},
};

static const char *const parts[] = {"validation", "train-semi", NULL};

static const lancet_label_maps maps = {places, sizeof places / sizeof *places, parts};

static lancet_status recognise(const lancet_dataset_source *source, lancet_buffer *evidence,
                               lancet_error *error)
{
    return lancet_label_maps_recognise(&maps, source, evidence, error);
}

/* A list of the user's has no way to say so. */
static lancet_status open(lancet_dataset *dataset, const lancet_dataset_source *source, lancet_error *error)
{
    lancet_status status = lancet_dataset_use_classes(dataset, source, "imagenet-s50", error);

    if (status != LANCET_OK)
        return status;
    dataset->classes->colours = LANCET_LABEL_COLOURS_RG;
    if (lancet_classes_label(dataset->classes, 1000) == LANCET_LABEL_UNKNOWN)
        status = lancet_classes_set(dataset->classes, 1000, LANCET_LABEL_IGNORE, error);
    return status == LANCET_OK ? lancet_label_maps_open(&maps, dataset, source, NULL, error) : status;
}

const lancet_dataset_reader lancet_reader_imagenet_s = {
    .layout = LANCET_LAYOUT_IMAGENET_S,
    .name = "imagenet-s",
    .recognise = recognise,
    .open = open,
    .truth = lancet_dataset_truth_labels,
};
