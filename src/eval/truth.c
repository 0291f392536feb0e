/* SPDX-License-Identifier: Apache-2.0 */
#include "eval/truth.h"

#include "base/memory.h"
#include "lancet/masks.h"
#include "lancet/metrics.h"

#include <stdlib.h>
#include <string.h>

/* Honest pictures are covered a few times over; painting more than this would only cost time. */
#define COVERINGS_MAX 256

lancet_status lancet_truth_resize(lancet_truth_work *work, size_t width, size_t height, lancet_error *error)
{
    if (width < 1 || height < 1 || width > LANCET_MASK_PIXELS_MAX || height > LANCET_MASK_PIXELS_MAX / width)
        return lancet_fail(error, LANCET_ERROR_INPUT,
                           "expected a picture of at least one and at most %zu pixels, found %zu x %zu",
                           LANCET_MASK_PIXELS_MAX, width, height);
    work->labels = lancet_allocate(width * height, sizeof *work->labels);
    if (!work->labels)
        return lancet_fail_memory(error, "a label map");
    work->truth.width = width;
    work->truth.height = height;
    return LANCET_OK;
}

lancet_truth_thing *lancet_truth_add(lancet_truth_work *work)
{
    if (work->thing_count == work->thing_capacity) {
        const size_t capacity = work->thing_capacity ? 2 * work->thing_capacity : 16;
        lancet_truth_thing *grown = lancet_allocate(capacity, sizeof *grown);

        if (!grown)
            return NULL;
        if (work->thing_count)
            memcpy(grown, work->things, work->thing_count * sizeof *grown);
        lancet_free(work->things);
        work->things = grown;
        work->thing_capacity = capacity;
    }
    work->things[work->thing_count] = (lancet_truth_thing){.order = work->thing_count};
    return &work->things[work->thing_count++];
}

/* Crowds lie at the bottom, then the larger things. */
static int compare_things(const void *left, const void *right)
{
    const lancet_truth_thing *a = left, *b = right;

    if (a->crowd != b->crowd)
        return a->crowd ? -1 : 1;
    if (a->area != b->area)
        return a->area > b->area ? -1 : 1;
    return a->order < b->order ? -1 : 1;
}

static void paint_labels(const lancet_runs *runs, uint16_t *labels, size_t width, size_t height,
                         uint16_t label)
{
    for (size_t i = 0; i < runs->count; i++) {
        size_t x = runs->runs[i].start / height, y = runs->runs[i].start % height;

        for (size_t p = runs->runs[i].start; p < runs->runs[i].end; p++) {
            labels[y * width + x] = label;
            if (++y == height) {
                y = 0;
                x++;
            }
        }
    }
}

lancet_status lancet_truth_paint(lancet_truth_work *work, lancet_error *error)
{
    const size_t width = work->truth.width, height = work->truth.height;
    uint64_t covered = 0;

    for (size_t i = 0; i < work->thing_count; i++) {
        lancet_truth_thing *thing = &work->things[i];

        lancet_runs_unite(&thing->runs);
        thing->area = lancet_runs_area(&thing->runs);
        covered += thing->area;
        if (covered > (uint64_t)COVERINGS_MAX * width * height)
            return lancet_fail(error, LANCET_ERROR_INPUT,
                               "its things cover the picture more than %d times over", COVERINGS_MAX);
    }
    if (work->thing_count)
        qsort(work->things, work->thing_count, sizeof *work->things, compare_things);
    for (size_t i = 0; i < width * height; i++)
        work->labels[i] = LANCET_LABEL_NONE;
    for (size_t i = 0; i < work->thing_count; i++) {
        const lancet_truth_thing *thing = &work->things[i];

        paint_labels(&thing->runs, work->labels, width, height,
                     thing->crowd ? (uint16_t)LANCET_LABEL_IGNORE : thing->label);
    }
    return LANCET_OK;
}

lancet_status lancet_truth_finish(lancet_truth_work *work, lancet_error *error)
{
    const size_t pixels = work->truth.width * work->truth.height;
    bool *found;

    work->truth.labels = work->labels;
    if (!work->present) {
        found = lancet_allocate_zero(work->class_count, sizeof *found);
        work->present = lancet_allocate(work->class_count, sizeof *work->present);
        if (!found || !work->present) {
            lancet_free(found);
            return lancet_fail_memory(error, "the classes of a picture");
        }
        for (size_t i = 0; i < pixels; i++)
            if (work->labels[i] < work->class_count)
                found[work->labels[i]] = true;
        for (size_t i = 0; i < work->thing_count; i++) /* also those that others cover */
            if (work->things[i].area && !work->things[i].crowd)
                found[work->things[i].label] = true;
        for (size_t c = 0; c < work->class_count; c++)
            if (found[c])
                work->present[work->truth.present_count++] = (uint16_t)c;
        lancet_free(found);
    }
    work->truth.present = work->present;
    return LANCET_OK;
}

void lancet_truth_close(lancet_truth **truth)
{
    lancet_truth_work *work;

    if (!truth || !*truth)
        return;
    work = (lancet_truth_work *)*truth;
    for (size_t i = 0; i < work->thing_count; i++)
        lancet_runs_close(&work->things[i].runs);
    lancet_free(work->things);
    lancet_free(work->labels);
    lancet_free(work->present);
    lancet_free(work);
    *truth = NULL;
}

bool lancet_truth_has(const lancet_truth *truth, size_t class_index)
{
    for (size_t i = 0; truth && i < truth->present_count; i++)
        if (truth->present[i] == class_index)
            return true;
    return false;
}

lancet_status lancet_truth_mask(const lancet_truth *truth, size_t class_index, uint8_t *mask,
                                lancet_error *error)
{
    const lancet_truth_work *work = (const lancet_truth_work *)truth;
    size_t width, height;

    if (!truth || !mask || !truth->labels)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "truth: expected %s, found none",
                           !truth  ? "one"
                           : !mask ? "a place for the mask"
                                   : "one with masks");
    if (class_index >= work->class_count)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "truth: expected a class below %zu, found %zu",
                           work->class_count, class_index);
    width = truth->width;
    height = truth->height;
    for (size_t i = 0; i < width * height; i++)
        mask[i] = truth->labels[i] == LANCET_LABEL_IGNORE ? LANCET_TRUTH_UNKNOWN
                  : truth->labels[i] == class_index       ? LANCET_TRUTH_ON
                                                          : LANCET_TRUTH_OFF;
    for (size_t i = 0; i < work->thing_count; i++) /* crowds come first, so that what is sure stays */
        if (work->things[i].label == class_index)
            lancet_runs_paint(&work->things[i].runs, mask, width, height,
                              work->things[i].crowd ? LANCET_TRUTH_UNKNOWN : LANCET_TRUTH_ON);
    return LANCET_OK;
}
