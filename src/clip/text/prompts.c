/* SPDX-License-Identifier: Apache-2.0 */
#include "clip/text/prompts.h"

lancet_status lancet_prompts_open(lancet_prompts *prompts, lancet_session *session, size_t total,
                                  lancet_error *error)
{
    const lancet_text_tower *tower = &session->model->text;
    const size_t capacity = total < LANCET_PROMPTS_AT_ONCE ? total : LANCET_PROMPTS_AT_ONCE;

    *prompts = (lancet_prompts){.session = session, .capacity = capacity};
    prompts->ids = lancet_allocate(capacity * tower->context, sizeof *prompts->ids);
    prompts->rows = lancet_allocate(capacity, sizeof *prompts->rows);
    prompts->features = lancet_allocate(capacity * tower->embedding, sizeof *prompts->features);
    return prompts->ids && prompts->rows && prompts->features ? LANCET_OK
                                                              : lancet_fail_memory(error, "labels");
}

void lancet_prompts_close(lancet_prompts *prompts)
{
    lancet_tokens_close(&prompts->tokens);
    lancet_free(prompts->ids);
    lancet_free(prompts->rows);
    lancet_free(prompts->features);
}

lancet_status lancet_prompts_add(lancet_prompts *prompts, const char *text, char **lost, lancet_error *error)
{
    const lancet_model *model = prompts->session->model;
    const size_t context = model->text.context;
    int32_t *ids = prompts->ids + prompts->count * context;
    lancet_tokens_loss loss;
    lancet_status status = lancet_tokenize(&prompts->tokens, model->vocabulary, text, error);
    size_t end = 0;

    if (status == LANCET_OK)
        status = lancet_tokens_context(ids, context, &loss, &prompts->tokens, model->vocabulary, error);
    if (status != LANCET_OK)
        return status;
    if (loss.count && lost && !*lost) {
        *lost = lancet_copy_text(prompts->tokens.text + loss.offset, prompts->tokens.length - loss.offset);
        if (!*lost)
            return lancet_fail_memory(error, "a label's lost words");
    }
    /* The row that is read is the first of the largest id: with a literal end token inside the text, that
     * one. */
    for (size_t i = 1; i < context; i++)
        end = ids[i] > ids[end] ? i : end;
    prompts->rows[prompts->count++] = (lancet_text_row){ids, end + 1};
    return LANCET_OK;
}

lancet_status lancet_prompts_run(lancet_prompts *prompts, const lancet_text_watch *watch, lancet_error *error)
{
    const size_t count = prompts->count;

    prompts->count = 0;
    return lancet_text_tower_run(prompts->features, prompts->session, prompts->rows, count, watch, error);
}
