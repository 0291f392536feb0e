/* Opening data sets, and what everyone may ask of them. SPDX-License-Identifier: Apache-2.0 */
#include "eval/dataset.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* In the order in which a folder is looked at. Those whose signs are the most particular come first. */
static const lancet_dataset_reader *const readers[] = {
    &lancet_reader_nus_wide,      &lancet_reader_cityscapes, &lancet_reader_context,    &lancet_reader_coco,
    &lancet_reader_coco_panoptic, &lancet_reader_coco_stuff, &lancet_reader_imagenet_s, &lancet_reader_ade20k,
    &lancet_reader_voc,           &lancet_reader_folder,
};

#define READERS (sizeof readers / sizeof *readers)

static const lancet_dataset_reader *find_reader(lancet_layout layout)
{
    for (size_t i = 0; i < READERS; i++)
        if (readers[i]->layout == layout)
            return readers[i];
    return NULL;
}

const char *lancet_layout_name(lancet_layout layout)
{
    const lancet_dataset_reader *reader = find_reader(layout);

    return layout == LANCET_LAYOUT_AUTO ? "auto" : reader ? reader->name : NULL;
}

lancet_status lancet_layout_find(lancet_layout *layout, const char *name, lancet_error *error)
{
    char names[256] = "";

    if (!layout || !name)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                           "layout: expected a name and a place for the result, found NULL");
    for (int i = 0; i < LANCET_LAYOUT_COUNT; i++) {
        const char *known = lancet_layout_name((lancet_layout)i);

        if (strcmp(name, known) == 0) {
            *layout = (lancet_layout)i;
            return LANCET_OK;
        }
        snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", i ? ", " : "", known);
    }
    return lancet_fail(error, LANCET_ERROR_ARGUMENT, "layout: expected one of %s, found \"%s\"", names, name);
}

/* *reader = the one for what the folder shows. */
static lancet_status recognise(const lancet_dataset_reader **reader, lancet_buffer *evidence,
                               const lancet_dataset_source *source, lancet_error *error)
{
    for (size_t i = 0; i < READERS; i++) {
        const lancet_status status = readers[i]->recognise(source, evidence, error);

        if (status != LANCET_OK)
            return status;
        if (evidence->failed)
            return lancet_fail_memory(error, "the name of a layout");
        if (evidence->length) {
            *reader = readers[i];
            return LANCET_OK;
        }
    }
    return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                       "%s: expected a data set of a known layout, found none of their files and folders; "
                       "docs/datasets.md describes them, and the option layout names one",
                       source->folder);
}

static lancet_status check_options(const char *folder, const lancet_dataset_options *options,
                                   lancet_error *error)
{
    if (!folder || !*folder)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "data set: expected a folder, found %s",
                           folder ? "an empty name" : "NULL");
    if ((unsigned)options->layout >= LANCET_LAYOUT_COUNT)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "layout: expected a lancet_layout, found %d",
                           (int)options->layout);
    if ((unsigned)options->on_broken > LANCET_BROKEN_SKIP)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "on_broken: expected a lancet_broken, found %d",
                           (int)options->on_broken);
    if (options->split && (!*options->split || strchr(options->split, '/') || options->split[0] == '.'))
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "split: expected a plain name, found \"%s\"",
                           options->split);
    return LANCET_OK;
}

static void close_entry(lancet_dataset_entry *entry)
{
    lancet_free(entry->id);
    lancet_free(entry->picture);
    lancet_free(entry->mask);
    lancet_free(entry->trouble);
}

/* Moves the entries with trouble out, and what is said of them to the skipped. */
static lancet_status set_apart(lancet_dataset *d, lancet_error *error)
{
    size_t kept = 0, broken = 0;
    char **all;

    for (size_t i = 0; i < d->count; i++)
        broken += d->entries[i].trouble != NULL;
    all = lancet_allocate(d->skipped_count + broken, sizeof *all);
    if (!all)
        return lancet_fail_memory(error, "what was skipped");
    if (d->skipped_count)
        memcpy(all, d->skipped, d->skipped_count * sizeof *all);
    lancet_free(d->skipped);
    d->skipped = all;
    for (size_t i = 0; i < d->count; i++) {
        if (d->entries[i].trouble) {
            d->skipped[d->skipped_count++] = d->entries[i].trouble;
            d->entries[i].trouble = NULL;
            close_entry(&d->entries[i]);
        } else {
            d->entries[kept++] = d->entries[i];
        }
    }
    d->count = kept;
    if (!kept)
        return lancet_fail(error, LANCET_ERROR_INPUT, "expected pictures, found none%s%s",
                           d->skipped_count ? "; the first one skipped: " : "",
                           d->skipped_count ? d->skipped[0] : "");
    return LANCET_OK;
}

static lancet_status fill_about(lancet_dataset *d, lancet_error *error)
{
    lancet_status status = LANCET_OK;

    if (!d->texts[LANCET_TEXT_CLASSES])
        status = lancet_dataset_say(d, LANCET_TEXT_CLASSES, lancet_classes_name(d->classes), error);
    d->about.layout = d->reader->layout;
    d->about.evidence = d->texts[LANCET_TEXT_EVIDENCE] ? d->texts[LANCET_TEXT_EVIDENCE] : "";
    d->about.split = d->texts[LANCET_TEXT_SPLIT] ? d->texts[LANCET_TEXT_SPLIT] : "";
    d->about.classes = d->texts[LANCET_TEXT_CLASSES];
    d->about.annotations = d->texts[LANCET_TEXT_ANNOTATIONS] ? d->texts[LANCET_TEXT_ANNOTATIONS] : "";
    return status;
}

static lancet_status open_with(lancet_dataset *d, const lancet_dataset_source *source, lancet_error *error)
{
    lancet_buffer evidence = {0};
    lancet_status status = LANCET_OK;

    d->reader = find_reader(source->options->layout);
    if (!d->reader)
        status = recognise(&d->reader, &evidence, source, error);
    if (status == LANCET_OK && evidence.length)
        status = lancet_dataset_say(d, LANCET_TEXT_EVIDENCE, evidence.bytes, error);
    lancet_buffer_close(&evidence);
    if (status == LANCET_OK)
        status = d->reader->open(d, source, error);
    if (status == LANCET_OK) {
        status = set_apart(d, error);
        if (status == LANCET_ERROR_INPUT)
            lancet_fail_within(error, status, source->folder);
    }
    if (status == LANCET_OK)
        status = fill_about(d, error);
    return status;
}

lancet_status lancet_dataset_open(lancet_dataset **dataset, const char *folder,
                                  const lancet_dataset_options *options, lancet_error *error)
{
    static const lancet_dataset_options defaults;
    const lancet_dataset_source source = {folder, options ? options : &defaults};
    lancet_status status;

    if (!dataset)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                           "data set: expected a place for the result, found NULL");
    *dataset = NULL;
    status = check_options(folder, source.options, error);
    if (status != LANCET_OK)
        return status;
    *dataset = lancet_allocate_zero(1, sizeof **dataset);
    if (!*dataset)
        return lancet_fail_memory(error, "a data set");
    (*dataset)->on_broken = source.options->on_broken;
    (*dataset)->has_mutex = pthread_mutex_init(&(*dataset)->mutex, NULL) == 0;
    status =
        (*dataset)->has_mutex ? open_with(*dataset, &source, error) : lancet_fail_memory(error, "a mutex");
    if (status != LANCET_OK)
        lancet_dataset_close(dataset);
    return status;
}

void lancet_dataset_close(lancet_dataset **dataset)
{
    lancet_dataset *d = dataset ? *dataset : NULL;

    if (!d)
        return;
    if (d->reader && d->reader->close && d->state)
        d->reader->close(d->state);
    for (size_t i = 0; i < d->count; i++)
        close_entry(&d->entries[i]);
    for (size_t i = 0; i < d->skipped_count; i++)
        lancet_free(d->skipped[i]);
    for (size_t i = 0; i < sizeof d->texts / sizeof *d->texts; i++)
        lancet_free(d->texts[i]);
    lancet_free(d->entries);
    lancet_free(d->skipped);
    lancet_classes_close(&d->classes);
    if (d->has_mutex)
        pthread_mutex_destroy(&d->mutex);
    lancet_free(d);
    *dataset = NULL;
}

const lancet_dataset_about *lancet_dataset_describe(const lancet_dataset *dataset)
{
    return dataset ? &dataset->about : NULL;
}

size_t lancet_dataset_count(const lancet_dataset *dataset)
{
    return dataset ? dataset->count : 0;
}

const char *lancet_dataset_picture_id(const lancet_dataset *dataset, size_t index)
{
    return dataset && index < dataset->count ? dataset->entries[index].id : NULL;
}

const char *lancet_dataset_picture_path(const lancet_dataset *dataset, size_t index)
{
    return dataset && index < dataset->count ? dataset->entries[index].picture : NULL;
}

const lancet_classes *lancet_dataset_classes(const lancet_dataset *dataset)
{
    return dataset ? dataset->classes : NULL;
}

size_t lancet_dataset_class_count(const lancet_dataset *dataset)
{
    return lancet_classes_count(lancet_dataset_classes(dataset));
}

const lancet_class *lancet_dataset_class(const lancet_dataset *dataset, size_t index)
{
    return lancet_classes_get(lancet_dataset_classes(dataset), index);
}

static lancet_status make_truth(lancet_truth_work *work, const lancet_dataset *dataset, size_t index,
                                lancet_error *error)
{
    lancet_status status;

    work->class_count = dataset->classes->count;
    status = dataset->reader->truth(work, dataset, &dataset->entries[index], error);
    return status == LANCET_OK ? lancet_truth_finish(work, error) : status;
}

lancet_status lancet_dataset_truth(lancet_truth **truth, lancet_dataset *dataset, size_t index,
                                   lancet_error *error)
{
    lancet_error own = {0};
    lancet_truth_work *work;
    lancet_status status;

    if (!truth)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                           "truth: expected a place for the result, found NULL");
    *truth = NULL;
    status = lancet_dataset_check_index(dataset, index, error);
    if (status != LANCET_OK)
        return status;
    work = lancet_allocate_zero(1, sizeof *work);
    if (!work)
        return lancet_fail_memory(error, "a truth");
    *truth = &work->truth;
    status = make_truth(work, dataset, index, &own);
    if (status == LANCET_OK)
        return status;
    lancet_truth_close(truth);
    if (dataset->on_broken == LANCET_BROKEN_SKIP && status != LANCET_ERROR_MEMORY &&
        status != LANCET_ERROR_ARGUMENT &&
        lancet_dataset_skip(dataset, index, own.message, NULL) == LANCET_ERROR_MEMORY)
        return lancet_fail_memory(error, "what was skipped");
    return lancet_fail(error, status, "%s", own.message);
}
