/* COCO's instances: things as polygons and run lengths, which may lie over each other.
 * SPDX-License-Identifier: Apache-2.0 */
#include "eval/coco_set.h"

static lancet_status recognise(const lancet_dataset_source *source, lancet_buffer *evidence,
                               lancet_error *error)
{
    return lancet_coco_recognise("instances", source, evidence, error);
}

static lancet_status open(lancet_dataset *dataset, const lancet_dataset_source *source, lancet_error *error)
{
    lancet_status status = lancet_coco_open(dataset, source, "instances", error);

    dataset->about.overlapping = true;
    return status == LANCET_OK ? lancet_dataset_check_files(dataset, error) : status;
}

static lancet_status add_thing(lancet_truth_work *work, const lancet_dataset *dataset,
                               const lancet_coco_annotation *annotation, uint64_t *steps, lancet_error *error)
{
    const uint16_t label = lancet_classes_label(dataset->classes, (uint32_t)annotation->category);
    lancet_truth_thing *thing;

    if (label == LANCET_LABEL_NONE) /* the user's list says so */
        return LANCET_OK;
    thing = lancet_truth_add(work);
    if (!thing)
        return lancet_fail_memory(error, "the things of a picture");
    thing->label = label;
    thing->crowd = annotation->crowd || label == LANCET_LABEL_IGNORE;
    return lancet_coco_shape(dataset->state, annotation, work->truth.width, work->truth.height, &thing->runs,
                             steps, error);
}

static lancet_status truth(lancet_truth_work *work, const lancet_dataset *dataset,
                           const lancet_dataset_entry *entry, lancet_error *error)
{
    const lancet_coco *coco = dataset->state;
    uint64_t steps = 0;
    lancet_status status =
        lancet_dataset_check_size(entry, entry->width, entry->height, "its annotation file", error);

    if (status == LANCET_OK)
        status = lancet_truth_resize(work, entry->width, entry->height, error);
    for (size_t i = 0; i < entry->count && status == LANCET_OK; i++)
        status = add_thing(work, dataset, &coco->annotations[entry->first + i], &steps, error);
    if (status == LANCET_OK) {
        status = lancet_truth_paint(work, error);
        if (status == LANCET_ERROR_INPUT)
            lancet_fail_within(error, status, entry->picture);
    }
    return status;
}

const lancet_dataset_reader lancet_reader_coco = {
    .layout = LANCET_LAYOUT_COCO,
    .name = "coco",
    .recognise = recognise,
    .open = open,
    .truth = truth,
    .close = lancet_coco_close_state,
};
