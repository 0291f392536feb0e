/* Encoding labels. SPDX-License-Identifier: Apache-2.0 */
#include "clip/text/labels.h"

#include "base/memory.h"
#include "clip/text/prompts.h"
#include "lancet/text.h"

#include <math.h>
#include <string.h>

/* Divides by the length; a feature of zeros stays. */
static void normalise(float *feature, size_t width)
{
    double squares = 0;

    for (size_t i = 0; i < width; i++)
        squares += (double)feature[i] * feature[i];
    for (size_t i = 0; i < width && squares > 0; i++)
        feature[i] = (float)(feature[i] / sqrt(squares));
}

static lancet_status fill_prompt(lancet_buffer *prompt, const lancet_templates *templates, size_t index,
                                 const char *text, lancet_error *error)
{
    const size_t length = lancet_templates_fill(NULL, 0, templates, index, text);

    lancet_buffer_clear(prompt);
    if (!lancet_buffer_extend(prompt, length))
        return lancet_fail_memory(error, "a prompt");
    lancet_templates_fill(prompt->bytes, length + 1, templates, index, text);
    return LANCET_OK;
}

/* What one call of lancet_labels_encode works on: the bare empty string, then every template of labels 0 ..
 * count - 1 and (with_empty) of the empty string. */
struct work {
    lancet_prompts prompts;
    lancet_buffer sentence;
    lancet_labels *labels;
    const lancet_templates *templates;
    const lancet_label_options *options;
    size_t items, templates_count;
    size_t total, done; /* prompts, without and with the first */
};

/* The tower tells how many prompts of the batch are done. */
static bool tell(void *context, size_t texts)
{
    const struct work *work = context;
    const lancet_label_options *options = work->options;

    return options->progress(options->progress_context, work->done + texts - 1, work->total);
}

/* Adds a batch's features, each of unit length, to their labels' sums. */
static lancet_status flush(struct work *work, lancet_error *error)
{
    lancet_labels *labels = work->labels;
    const size_t count = work->prompts.count, width = labels->width;
    const lancet_text_watch watch = {tell, work};
    const lancet_status status =
        lancet_prompts_run(&work->prompts, work->options->progress ? &watch : NULL, error);

    if (status != LANCET_OK)
        return status;
    for (size_t i = 0; i < count; i++) {
        float *feature = work->prompts.features + i * width;

        normalise(feature, width);
        if (work->done + i == 0) {
            memcpy(labels->empty_bare, feature, width * sizeof *feature);
            continue;
        }
        const size_t item = (work->done + i - 1) / work->templates_count;
        float *sum = item < labels->count ? labels->features + item * width : labels->empty;

        for (size_t c = 0; c < width; c++)
            sum[c] += feature[c] / (float)work->templates_count;
    }
    work->done += count;
    return LANCET_OK;
}

static lancet_status add(struct work *work, const char *text, char **lost, lancet_error *error)
{
    const lancet_status status = lancet_prompts_add(&work->prompts, text, lost, error);

    return status == LANCET_OK && work->prompts.count == work->prompts.capacity ? flush(work, error) : status;
}

static lancet_status encode_items(struct work *work, lancet_error *error)
{
    lancet_labels *labels = work->labels;
    lancet_status status = add(work, "", NULL, error);

    for (size_t item = 0; item < work->items; item++)
        for (size_t t = 0; t < work->templates_count && status == LANCET_OK; t++) {
            const bool label = item < labels->count;

            status =
                fill_prompt(&work->sentence, work->templates, t, label ? labels->texts[item] : "", error);
            if (status == LANCET_OK)
                status = add(work, work->sentence.bytes, label ? &labels->lost[item] : NULL, error);
        }
    if (status == LANCET_OK && work->prompts.count)
        status = flush(work, error);
    for (size_t item = 0; item < work->items && status == LANCET_OK; item++)
        normalise(item < labels->count ? labels->features + item * labels->width : labels->empty,
                  labels->width);
    return status;
}

static lancet_status make_labels(lancet_labels **result, const lancet_model *model, const char *const *texts,
                                 size_t count, bool with_empty, const lancet_templates *templates,
                                 lancet_error *error)
{
    const size_t width = model->text.embedding, templates_count = lancet_templates_count(templates);
    lancet_labels *labels = lancet_allocate_zero(1, sizeof *labels);
    bool all = true;

    if (!labels)
        return lancet_fail_memory(error, "labels");
    *result = labels;
    labels->width = width;
    memcpy(labels->model_hash, model->description.hash, sizeof labels->model_hash);
    labels->texts = lancet_allocate_zero(count, sizeof *labels->texts);
    labels->lost = lancet_allocate_zero(count, sizeof *labels->lost);
    labels->features = lancet_allocate_zero(count * width, sizeof *labels->features);
    labels->empty = with_empty ? lancet_allocate_zero(width, sizeof *labels->empty) : NULL;
    labels->empty_bare = lancet_allocate_zero(width, sizeof *labels->empty_bare);
    labels->templates = lancet_allocate_zero(templates_count, sizeof *labels->templates);
    if (!labels->texts || !labels->lost || !labels->features || (with_empty && !labels->empty) ||
        !labels->empty_bare || !labels->templates)
        return lancet_fail_memory(error, "labels");
    labels->count = count;
    labels->template_count = templates_count;
    for (size_t i = 0; i < count; i++) {
        labels->texts[i] = lancet_copy_text(texts[i], strlen(texts[i]));
        all = all && labels->texts[i];
    }
    for (size_t i = 0; i < templates_count; i++) {
        const char *text = lancet_templates_text(templates, i);

        labels->templates[i] = lancet_copy_text(text, strlen(text));
        all = all && labels->templates[i];
    }
    return all ? LANCET_OK : lancet_fail_memory(error, "labels");
}

static lancet_status check_texts(const char *const *texts, size_t count, lancet_error *error)
{
    if (!texts || !count)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "no text: at least one is needed");
    for (size_t i = 0; i < count; i++)
        if (!texts[i])
            return lancet_fail(error, LANCET_ERROR_ARGUMENT, "text %zu is NULL", i + 1);
    return LANCET_OK;
}

lancet_status lancet_labels_encode(lancet_labels **result, lancet_session *session, const char *const *texts,
                                   size_t count, const lancet_label_options *options, lancet_error *error)
{
    static const lancet_label_options defaults;
    struct work work = {.options = options ? options : &defaults};
    const lancet_redundant redundant = work.options->redundant;
    const bool with_empty =
        redundant == LANCET_REDUNDANT_EMPTY || (redundant == LANCET_REDUNDANT_AUTO && count == 1);
    lancet_status status;

    if (!result || !session)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "lancet_labels_encode: %s is NULL",
                           result ? "session" : "labels");
    *result = NULL;
    status = check_texts(texts, count, error);
    if (status == LANCET_OK && (redundant < LANCET_REDUNDANT_AUTO || redundant > LANCET_REDUNDANT_NONE))
        status = lancet_fail(error, LANCET_ERROR_ARGUMENT, "redundant: expected a lancet_redundant, found %d",
                             (int)redundant);
    if (status == LANCET_OK)
        status = lancet_model_need_text(session->model, error);
    if (status != LANCET_OK)
        return status;
    work.templates = work.options->templates ? work.options->templates : lancet_templates_standard();
    work.templates_count = lancet_templates_count(work.templates);
    work.items = count + with_empty;
    work.total = work.items * work.templates_count;
    status = lancet_prompts_open(&work.prompts, session, 1 + work.total, error);
    if (status == LANCET_OK)
        status = make_labels(&work.labels, session->model, texts, count, with_empty, work.templates, error);
    if (status == LANCET_OK)
        status = encode_items(&work, error);
    if (status == LANCET_OK) {
        *result = work.labels;
        work.labels = NULL;
    }
    lancet_labels_close(&work.labels);
    lancet_prompts_close(&work.prompts);
    lancet_buffer_close(&work.sentence);
    return status;
}

lancet_status lancet_text_encode(float *features, lancet_session *session, const char *const *texts,
                                 size_t count, lancet_error *error)
{
    lancet_prompts prompts = {0};
    lancet_status status;
    size_t done = 0;

    if (!features || !session)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "lancet_text_encode: %s is NULL",
                           features ? "session" : "features");
    status = check_texts(texts, count, error);
    if (status == LANCET_OK)
        status = lancet_model_need_text(session->model, error);
    if (status == LANCET_OK)
        status = lancet_prompts_open(&prompts, session, count, error);
    for (size_t i = 0; i < count && status == LANCET_OK; i++) {
        const size_t width = session->model->text.embedding;

        status = lancet_prompts_add(&prompts, texts[i], NULL, error);
        if (status == LANCET_OK && (prompts.count == prompts.capacity || i + 1 == count)) {
            const size_t batch = prompts.count;

            status = lancet_prompts_run(&prompts, NULL, error);
            memcpy(features + done * width, prompts.features, batch * width * sizeof *features);
            done += batch;
        }
    }
    lancet_prompts_close(&prompts);
    return status;
}

void lancet_labels_close(lancet_labels **result)
{
    lancet_labels *labels = result ? *result : NULL;

    if (!labels)
        return;
    for (size_t i = 0; i < labels->count; i++) {
        lancet_free(labels->texts[i]);
        if (labels->lost)
            lancet_free(labels->lost[i]);
    }
    for (size_t i = 0; i < labels->template_count; i++)
        lancet_free(labels->templates[i]);
    lancet_free(labels->texts);
    lancet_free(labels->lost);
    lancet_free(labels->templates);
    lancet_free(labels->features);
    lancet_free(labels->empty);
    lancet_free(labels->empty_bare);
    lancet_free(labels);
    *result = NULL;
}

size_t lancet_labels_count(const lancet_labels *labels)
{
    return labels ? labels->count : 0;
}

size_t lancet_labels_width(const lancet_labels *labels)
{
    return labels ? labels->width : 0;
}

const char *lancet_labels_text(const lancet_labels *labels, size_t index)
{
    return labels && index < labels->count ? labels->texts[index] : NULL;
}

const char *lancet_labels_lost(const lancet_labels *labels, size_t index)
{
    return labels && labels->lost && index < labels->count ? labels->lost[index] : NULL;
}

const float *lancet_labels_features(const lancet_labels *labels)
{
    return labels ? labels->features : NULL;
}

const float *lancet_labels_empty(const lancet_labels *labels, bool bare)
{
    return !labels ? NULL : bare ? labels->empty_bare : labels->empty;
}

const char *lancet_labels_model_hash(const lancet_labels *labels)
{
    return labels ? labels->model_hash : NULL;
}
