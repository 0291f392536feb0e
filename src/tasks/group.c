/* Several words for one class. SPDX-License-Identifier: Apache-2.0 */
#include "lancet/tasks.h"

#include "base/memory.h"
#include "base/status.h"
#include "clip/text/labels.h"

#include <math.h>
#include <string.h>

static lancet_status check(const lancet_labels *words, const size_t *counts, size_t class_count,
                           lancet_error *error)
{
    size_t sum = 0;

    if (!words || !counts)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "lancet_labels_group: %s is NULL",
                           words ? "counts" : "words");
    if (!class_count)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "classes: expected at least one, found none");
    for (size_t i = 0; i < class_count; i++) {
        if (!counts[i] || counts[i] > words->count - sum)
            return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                               "class %zu: expected 1 to %zu words, as many as are left, found %zu", i + 1,
                               words->count - sum, counts[i]);
        sum += counts[i];
    }
    if (sum != words->count)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "classes: expected %zu words in all, found %zu",
                           words->count, sum);
    return LANCET_OK;
}

/* The mean's direction; words that cancel each other out leave zeros. */
static void average(float *feature, const float *words, size_t count, size_t width)
{
    double squares = 0;

    for (size_t c = 0; c < width; c++) {
        double sum = 0;

        for (size_t i = 0; i < count; i++)
            sum += (double)words[i * width + c];
        feature[c] = (float)(sum / (double)count);
        squares += (double)feature[c] * feature[c];
    }
    for (size_t c = 0; c < width && squares > 0; c++)
        feature[c] = (float)(feature[c] / sqrt(squares));
}

/* False if memory is out; *copy stays NULL where there is nothing to copy. */
static bool copy_feature(float **copy, const float *feature, size_t width)
{
    if (!feature)
        return true;
    *copy = lancet_allocate(width, sizeof **copy);
    if (*copy)
        memcpy(*copy, feature, width * sizeof *feature);
    return *copy != NULL;
}

static bool copy_texts(char ***copies, size_t *made, char *const *texts, size_t count)
{
    *copies = lancet_allocate_zero(count, sizeof **copies);
    if (!*copies)
        return false;
    for (*made = 0; *made < count; (*made)++) {
        (*copies)[*made] = lancet_copy_text(texts[*made], strlen(texts[*made]));
        if (!(*copies)[*made])
            return false;
    }
    return true;
}

static bool fill(lancet_labels *classes, const lancet_labels *words, const size_t *counts, size_t class_count)
{
    const size_t width = words->width;
    size_t first = 0;

    classes->width = width;
    memcpy(classes->model_hash, words->model_hash, sizeof classes->model_hash);
    classes->features = lancet_allocate(class_count * width, sizeof *classes->features);
    classes->texts = lancet_allocate_zero(class_count, sizeof *classes->texts);
    if (!classes->features || !classes->texts ||
        !copy_texts(&classes->templates, &classes->template_count, words->templates, words->template_count) ||
        !copy_feature(&classes->empty, words->empty, width) ||
        !copy_feature(&classes->empty_bare, words->empty_bare, width))
        return false;
    classes->count = class_count;
    for (size_t i = 0; i < class_count; first += counts[i++]) {
        classes->texts[i] = lancet_copy_text(words->texts[first], strlen(words->texts[first]));
        if (!classes->texts[i])
            return false;
        average(classes->features + i * width, words->features + first * width, counts[i], width);
    }
    return true;
}

lancet_status lancet_labels_group(lancet_labels **result, const lancet_labels *words, const size_t *counts,
                                  size_t class_count, lancet_error *error)
{
    lancet_labels *classes = NULL;
    lancet_status status;

    if (!result)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "lancet_labels_group: classes is NULL");
    *result = NULL;
    status = check(words, counts, class_count, error);
    if (status != LANCET_OK)
        return status;
    classes = lancet_allocate_zero(1, sizeof *classes);
    if (!classes || !fill(classes, words, counts, class_count)) {
        lancet_labels_close(&classes);
        return lancet_fail_memory(error, "classes");
    }
    *result = classes;
    return LANCET_OK;
}
