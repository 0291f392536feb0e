/* A folder of pictures, a folder of masks, and a list of classes. SPDX-License-Identifier: Apache-2.0 */
#include "eval/label_maps.h"
#include "eval/places.h"

static const lancet_label_place places[] = {
    {.pictures = "images", .masks = "masks"},
    {.pictures = "images/%s", .masks = "masks/%s"},
    {.pictures = "images", .masks = "masks", .list = "%s.txt"},
};

static const char *const parts[] = {NULL};

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

    if (status == LANCET_OK && !source->options->classes && !has)
        return lancet_fail(
            error, LANCET_ERROR_ARGUMENT,
            "%s: expected classes.txt, or the option classes with a list's name such as voc20, found "
            "neither: masks alone do not say what their values mean",
            source->folder);
    if (status == LANCET_OK)
        status = lancet_dataset_use_classes(dataset, source, "classes.txt", error);
    return status == LANCET_OK ? lancet_label_maps_open(&maps, dataset, source, NULL, error) : status;
}

const lancet_dataset_reader lancet_reader_folder = {
    .layout = LANCET_LAYOUT_FOLDER,
    .name = "folder",
    .recognise = recognise,
    .open = open,
    .truth = lancet_dataset_truth_labels,
};
