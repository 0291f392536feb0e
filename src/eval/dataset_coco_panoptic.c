/* COCO's panoptic maps: every pixel belongs to one segment, of a thing or of stuff.
 * SPDX-License-Identifier: Apache-2.0 */
#include "eval/coco_set.h"

#include "eval/places.h"
#include "lancet/image.h"
#include "lancet/masks.h"

#include <stdlib.h>
#include <string.h>

static lancet_status recognise(const lancet_dataset_source *source, lancet_buffer *evidence,
                               lancet_error *error)
{
    return lancet_coco_recognise("panoptic", source, evidence, error);
}

static int compare_segments(const void *left, const void *right)
{
    const lancet_coco_segment *a = left, *b = right;

    return a->id < b->id ? -1 : a->id > b->id;
}

/* The folder of a file's maps is called like the file. */
static char *map_path(const lancet_coco *coco, const lancet_coco_annotation *a,
                      const lancet_dataset_source *source)
{
    static const char *const endings[] = {".json", NULL};
    const char *file = coco->files[a->file].path;
    char *folder = source->options->masks ? lancet_place_at(source->folder, source->options->masks)
                                          : lancet_copy_text(file, lancet_place_stem(file, endings));
    char *path = folder ? lancet_path_join(folder, a->file_name) : NULL;

    lancet_free(folder);
    return path;
}

/* Sorts an entry's segments, so that they can be found by id. */
static lancet_status prepare(lancet_dataset *dataset, lancet_coco *coco, lancet_dataset_entry *entry,
                             const lancet_dataset_source *source, lancet_error *error)
{
    const lancet_coco_annotation *a;
    lancet_coco_segment *segments;

    if (entry->trouble)
        return LANCET_OK;
    if (!entry->count)
        return lancet_dataset_trouble(dataset, entry, error, "%s: expected a panoptic map, found none for it",
                                      entry->picture);
    a = &coco->annotations[entry->first];
    segments = coco->segments + a->first;
    if (!lancet_place_inside(a->file_name, strlen(a->file_name)))
        return lancet_dataset_trouble(
            dataset, entry, error,
            "%s: annotations[%zu]: expected the name of a file within the data set, found \"%.200s\"",
            coco->files[a->file].path, a->number, a->file_name);
    entry->mask = map_path(coco, a, source);
    if (!entry->mask)
        return lancet_fail_memory(error, "a file name");
    if (a->count)
        qsort(segments, a->count, sizeof *segments, compare_segments);
    for (size_t i = 1; i < a->count; i++)
        if (segments[i].id == segments[i - 1].id)
            return lancet_dataset_trouble(dataset, entry, error,
                                          "%s: annotations[%zu]: the segment %zu is there twice",
                                          coco->files[a->file].path, a->number, segments[i].id);
    return LANCET_OK;
}

static lancet_status open(lancet_dataset *dataset, const lancet_dataset_source *source, lancet_error *error)
{
    lancet_status status = lancet_coco_open(dataset, source, "panoptic", error);

    for (size_t i = 0; i < dataset->count && status == LANCET_OK; i++)
        status = prepare(dataset, dataset->state, &dataset->entries[i], source, error);
    return status == LANCET_OK ? lancet_dataset_check_files(dataset, error) : status;
}

/* 0 is what nobody labelled; of a crowd's pixels nobody knows. */
static uint16_t label_of(const lancet_dataset *dataset, const lancet_coco_segment *segments, size_t count,
                         uint32_t id)
{
    const lancet_coco_segment key = {.id = id};
    const lancet_coco_segment *found;

    if (id == 0)
        return LANCET_LABEL_IGNORE;
    found = count ? bsearch(&key, segments, count, sizeof *segments, compare_segments) : NULL;
    if (!found)
        return LANCET_LABEL_UNKNOWN;
    return found->crowd ? (uint16_t)LANCET_LABEL_IGNORE
                        : lancet_classes_label(dataset->classes, (uint32_t)found->category);
}

static lancet_status label_pixels(lancet_truth_work *work, const lancet_dataset *dataset,
                                  const lancet_dataset_entry *entry, const lancet_png_numbers *numbers,
                                  lancet_error *error)
{
    const lancet_coco *coco = dataset->state;
    const lancet_coco_annotation *a = &coco->annotations[entry->first];
    const size_t pixels = numbers->width * numbers->height;
    uint16_t label = LANCET_LABEL_UNKNOWN;

    for (size_t i = 0; i < pixels; i++) {
        if (i == 0 || numbers->numbers[i] != numbers->numbers[i - 1]) { /* mostly the same as to the left */
            label = label_of(dataset, coco->segments + a->first, a->count, numbers->numbers[i]);
            if (label == LANCET_LABEL_UNKNOWN)
                return lancet_fail(error, LANCET_ERROR_INPUT,
                                   "%s: expected ids of the segments of %s, found %u at column %zu, row %zu",
                                   entry->mask, entry->id, numbers->numbers[i], i % numbers->width,
                                   i / numbers->width);
        }
        work->labels[i] = label;
    }
    return LANCET_OK;
}

static lancet_status check_map(const lancet_dataset_entry *entry, const lancet_png_numbers *numbers,
                               lancet_error *error)
{
    if (!numbers->colour)
        return lancet_fail(error, LANCET_ERROR_INPUT, "%s: expected ids as colours, found %s", entry->mask,
                           "a map of grey or of a palette");
    if (numbers->width != entry->width || numbers->height != entry->height)
        return lancet_fail(error, LANCET_ERROR_INPUT,
                           "%s: expected %zu x %zu pixels, as its annotation file has, "
                           "found %zu x %zu",
                           entry->mask, entry->width, entry->height, numbers->width, numbers->height);
    return lancet_dataset_check_size(entry, numbers->width, numbers->height, "its mask", error);
}

static lancet_status truth(lancet_truth_work *work, const lancet_dataset *dataset,
                           const lancet_dataset_entry *entry, lancet_error *error)
{
    lancet_png_numbers numbers;
    lancet_status status = lancet_png_numbers_open(&numbers, entry->mask, LANCET_MASK_PIXELS_MAX, error);

    if (status == LANCET_OK)
        status = check_map(entry, &numbers, error);
    if (status == LANCET_OK)
        status = lancet_truth_resize(work, numbers.width, numbers.height, error);
    if (status == LANCET_OK)
        status = label_pixels(work, dataset, entry, &numbers, error);
    lancet_png_numbers_close(&numbers);
    return status;
}

const lancet_dataset_reader lancet_reader_coco_panoptic = {
    .layout = LANCET_LAYOUT_COCO_PANOPTIC,
    .name = "coco-panoptic",
    .recognise = recognise,
    .open = open,
    .truth = truth,
    .close = lancet_coco_close_state,
};
