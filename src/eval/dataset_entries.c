/* The entries of a data set, and what is wrong with them. SPDX-License-Identifier: Apache-2.0 */
#include "eval/dataset.h"

#include "base/file.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

lancet_status lancet_dataset_say(lancet_dataset *dataset, int which, const char *text, lancet_error *error)
{
    lancet_buffer whole = {0};
    const char *before = dataset->texts[which];

    if (!lancet_buffer_print(&whole, "%s%s%s", before ? before : "", before ? ", " : "", text)) {
        lancet_buffer_close(&whole);
        return lancet_fail_memory(error, "the description of a data set");
    }
    lancet_free(dataset->texts[which]);
    dataset->texts[which] = whole.bytes;
    return LANCET_OK;
}

static bool reserve_entry(lancet_dataset *dataset)
{
    size_t capacity;
    lancet_dataset_entry *grown;

    if (dataset->count < dataset->capacity)
        return true;
    capacity = dataset->capacity ? 2 * dataset->capacity : 64;
    grown = lancet_allocate(capacity, sizeof *grown);
    if (!grown)
        return false;
    if (dataset->count)
        memcpy(grown, dataset->entries, dataset->count * sizeof *grown);
    lancet_free(dataset->entries);
    dataset->entries = grown;
    dataset->capacity = capacity;
    return true;
}

lancet_dataset_entry *lancet_dataset_add(lancet_dataset *dataset, const char *id, size_t length,
                                         lancet_status *status, lancet_error *error)
{
    lancet_dataset_entry entry = {0};

    if (dataset->count == LANCET_PICTURES_MAX) {
        *status = lancet_fail(error, LANCET_ERROR_INPUT, "expected at most %zu pictures, found more",
                              LANCET_PICTURES_MAX);
        return NULL;
    }
    entry.id = lancet_copy_text(id, length);
    if (!entry.id || !reserve_entry(dataset)) {
        lancet_free(entry.id);
        *status = lancet_fail_memory(error, "a list of pictures");
        return NULL;
    }
    dataset->entries[dataset->count] = entry;
    *status = LANCET_OK;
    return &dataset->entries[dataset->count++];
}

/* Takes `reason`. */
static lancet_status note_skipped(lancet_dataset *dataset, char *reason, lancet_error *error)
{
    if (dataset->skipped_count == dataset->skipped_capacity) {
        const size_t capacity = dataset->skipped_capacity ? 2 * dataset->skipped_capacity : 16;
        char **grown = lancet_allocate(capacity, sizeof *grown);

        if (!grown) {
            lancet_free(reason);
            return lancet_fail_memory(error, "what was skipped");
        }
        if (dataset->skipped_count)
            memcpy(grown, dataset->skipped, dataset->skipped_count * sizeof *grown);
        lancet_free(dataset->skipped);
        dataset->skipped = grown;
        dataset->skipped_capacity = capacity;
    }
    dataset->skipped[dataset->skipped_count++] = reason;
    return LANCET_OK;
}

lancet_status lancet_dataset_trouble(lancet_dataset *dataset, lancet_dataset_entry *entry,
                                     lancet_error *error, const char *format, ...)
{
    char message[LANCET_ERROR_MESSAGE_SIZE], *reason;
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    if (dataset->on_broken == LANCET_BROKEN_REFUSE)
        return lancet_fail(error, LANCET_ERROR_INPUT, "%s", message);
    if (entry && entry->trouble)
        return LANCET_OK;
    reason = lancet_copy_text(message, strlen(message));
    if (!reason)
        return lancet_fail_memory(error, "what was skipped");
    if (!entry)
        return note_skipped(dataset, reason, error);
    entry->trouble = reason;
    return LANCET_OK;
}

lancet_status lancet_dataset_use_classes(lancet_dataset *dataset, const lancet_dataset_source *source,
                                         const char *fallback, lancet_error *error)
{
    return lancet_classes_open_in(&dataset->classes,
                                  source->options->classes ? source->options->classes : fallback,
                                  source->folder, error);
}

static int compare_entries(const void *left, const void *right)
{
    const lancet_dataset_entry *const *a = left, *const *b = right;
    const int order = strcmp((*a)->id, (*b)->id);

    return order ? order : *a < *b ? -1 : *a > *b;
}

static lancet_status check_ids(lancet_dataset *dataset, lancet_error *error)
{
    lancet_dataset_entry **sorted = lancet_allocate(dataset->count, sizeof *sorted);
    lancet_status status = LANCET_OK;

    if (!sorted)
        return lancet_fail_memory(error, "a list of pictures");
    for (size_t i = 0; i < dataset->count; i++)
        sorted[i] = &dataset->entries[i];
    if (dataset->count)
        qsort(sorted, dataset->count, sizeof *sorted, compare_entries);
    for (size_t i = 1; i < dataset->count && status == LANCET_OK; i++)
        if (strcmp(sorted[i - 1]->id, sorted[i]->id) == 0)
            status = lancet_dataset_trouble(dataset, sorted[i], error, "the picture %s is there twice",
                                            sorted[i]->id);
    lancet_free(sorted);
    return status;
}

lancet_status lancet_dataset_check_files(lancet_dataset *dataset, lancet_error *error)
{
    lancet_status status = check_ids(dataset, error);

    for (size_t i = 0; i < dataset->count && status == LANCET_OK; i++) {
        lancet_dataset_entry *entry = &dataset->entries[i];

        if (entry->trouble)
            continue;
        if (!entry->picture || !lancet_file_exists(entry->picture))
            status =
                lancet_dataset_trouble(dataset, entry, error, "%s: expected a picture, found no such file",
                                       entry->picture ? entry->picture : entry->id);
        else if (entry->mask && !lancet_file_exists(entry->mask))
            status = lancet_dataset_trouble(dataset, entry, error, "%s: expected a mask, found no such file",
                                            entry->mask);
    }
    return status;
}

lancet_status lancet_dataset_check_index(const lancet_dataset *dataset, size_t index, lancet_error *error)
{
    if (!dataset || index >= dataset->count)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "data set: expected a picture below %zu, found %zu",
                           lancet_dataset_count(dataset), index);
    return LANCET_OK;
}

lancet_status lancet_dataset_skip(lancet_dataset *dataset, size_t index, const char *reason,
                                  lancet_error *error)
{
    lancet_status status = lancet_dataset_check_index(dataset, index, error);
    char *copy;

    if (status != LANCET_OK)
        return status;
    if (!reason)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "data set: expected a reason, found NULL");
    copy = lancet_copy_text(reason, strlen(reason));
    if (!copy)
        return lancet_fail_memory(error, "what was skipped");
    pthread_mutex_lock(&dataset->mutex);
    if (!dataset->entries[index].trouble) {
        dataset->entries[index].trouble = copy;
        copy = NULL;
    }
    pthread_mutex_unlock(&dataset->mutex);
    lancet_free(copy);
    return LANCET_OK;
}

size_t lancet_dataset_skipped_count(lancet_dataset *dataset)
{
    size_t count;

    if (!dataset)
        return 0;
    count = dataset->skipped_count;
    pthread_mutex_lock(&dataset->mutex);
    for (size_t i = 0; i < dataset->count; i++)
        count += dataset->entries[i].trouble != NULL;
    pthread_mutex_unlock(&dataset->mutex);
    return count;
}

const char *lancet_dataset_skipped(lancet_dataset *dataset, size_t index)
{
    const char *found = NULL;

    if (!dataset)
        return NULL;
    if (index < dataset->skipped_count)
        return dataset->skipped[index];
    index -= dataset->skipped_count;
    pthread_mutex_lock(&dataset->mutex);
    for (size_t i = 0; i < dataset->count && !found; i++)
        if (dataset->entries[i].trouble && index-- == 0)
            found = dataset->entries[i].trouble;
    pthread_mutex_unlock(&dataset->mutex);
    return found;
}
