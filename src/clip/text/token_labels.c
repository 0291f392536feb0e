/* A text's own tokens as labels. Attention looks back only, so what the tower gives at token k is what it
 * gives at the end of the text's first k tokens: a batch of beginnings, of which the tower computes each row
 * once. SPDX-License-Identifier: Apache-2.0 */
#include "clip/text/labels.h"

#include "base/memory.h"
#include "clip/text/prompts.h"
#include "lancet/text.h"

#include <math.h>
#include <string.h>

/* Copies a row of the tower's, divided by its length. */
static void take(float *feature, const float *row, size_t width)
{
    double squares = 0;

    for (size_t i = 0; i < width; i++)
        squares += (double)row[i] * (double)row[i];
    for (size_t i = 0; i < width; i++)
        feature[i] = squares > 0 ? (float)((double)row[i] / sqrt(squares)) : 0;
}

static lancet_status make_labels(lancet_labels **result, const lancet_model *model, const int32_t *ids,
                                 size_t count, lancet_error *error)
{
    lancet_labels *labels = lancet_allocate_zero(1, sizeof *labels);

    *result = labels;
    if (!labels)
        return lancet_fail_memory(error, "tokens");
    labels->width = model->text.embedding;
    memcpy(labels->model_hash, model->description.hash, sizeof labels->model_hash);
    labels->features = lancet_allocate(count * labels->width, sizeof *labels->features);
    labels->empty_bare = lancet_allocate(labels->width, sizeof *labels->empty_bare);
    labels->texts = lancet_allocate_zero(count, sizeof *labels->texts);
    labels->lost = lancet_allocate_zero(count, sizeof *labels->lost);
    labels->templates = lancet_allocate_zero(1, sizeof *labels->templates);
    if (!labels->features || !labels->empty_bare || !labels->texts || !labels->lost || !labels->templates)
        return lancet_fail_memory(error, "tokens");
    labels->count = count;
    labels->template_count = 1;
    labels->templates[0] = lancet_copy_text("{}", 2);
    if (!labels->templates[0])
        return lancet_fail_memory(error, "tokens");
    for (size_t i = 0; i < count; i++) {
        const char *text = lancet_vocabulary_token(model->vocabulary, ids[i]);

        labels->texts[i] = lancet_copy_text(text, strlen(text));
        if (!labels->texts[i])
            return lancet_fail_memory(error, "tokens");
    }
    return LANCET_OK;
}

/* The beginnings of the text, whose prompt was added first, then the empty text, into labels' features. */
static lancet_status encode(lancet_labels **result, lancet_prompts *prompts, lancet_error *error)
{
    const int32_t *ids = prompts->ids;
    const size_t count = prompts->rows[0].length, width = prompts->session->model->text.embedding;
    lancet_labels *labels = NULL;
    lancet_status status = lancet_prompts_add(prompts, "", NULL, error); /* now rows 0 and 1 */

    if (status == LANCET_OK)
        status = make_labels(&labels, prompts->session->model, ids, count, error);
    *result = labels;
    if (status != LANCET_OK)
        return status;
    prompts->rows[count] = prompts->rows[1];
    for (size_t i = 0; i < count; i++)
        prompts->rows[i] = (lancet_text_row){ids, i + 1};
    prompts->count = count + 1;
    status = lancet_prompts_run(prompts, NULL, error);
    if (status != LANCET_OK)
        return status;
    for (size_t i = 0; i < count; i++)
        take(labels->features + i * width, prompts->features + i * width, width);
    take(labels->empty_bare, prompts->features + count * width, width);
    return LANCET_OK;
}

lancet_status lancet_labels_encode_tokens(lancet_labels **result, lancet_session *session, const char *text,
                                          lancet_error *error)
{
    lancet_prompts prompts = {0};
    lancet_labels *labels = NULL;
    char *lost = NULL;
    lancet_status status;

    if (!result || !session || !text)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "lancet_labels_encode_tokens: %s is NULL",
                           !result    ? "tokens"
                           : !session ? "session"
                                      : "text");
    *result = NULL;
    status = lancet_model_need_text(session->model, error);
    if (status != LANCET_OK)
        return status;
    status = lancet_prompts_open(&prompts, session, session->model->text.context + 1, error);
    if (status == LANCET_OK)
        status = lancet_prompts_add(&prompts, text, &lost, error);
    if (status == LANCET_OK)
        status = encode(&labels, &prompts, error);
    if (status == LANCET_OK) {
        labels->lost[0] = lost;
        lost = NULL;
        *result = labels;
        labels = NULL;
    }
    lancet_free(lost);
    lancet_labels_close(&labels);
    lancet_prompts_close(&prompts);
    return status;
}
