/* Running the text tower. Texts of any length stand end to end as rows of one matrix; only attention knows
 * where one ends and the next begins. SPDX-License-Identifier: Apache-2.0 */
#include "clip/session.h"

#include <math.h>
#include <string.h>

/* Rows of one pass: enough for full-speed products, few enough to stay in cache. */
#define ROWS_OF_PASS 2048

struct pass {
    lancet_session *session;
    const lancet_text_tower *tower;
    const lancet_text_row *texts;
    size_t count, rows, longest;
    float *original, *normed, *query, *key, *value, *attended; /* [rows, D] */
    float *hidden;                                             /* [rows, 4D] */
    float *last, *last_normed;                                 /* [count, D]: the end tokens' rows */
    lancet_attention *attentions;                              /* [count * heads] */
};

static lancet_status lay_out(struct pass *pass, lancet_error *error)
{
    lancet_session *session = pass->session;
    const lancet_text_tower *tower = pass->tower;
    const size_t threads = (size_t)lancet_pool_threads(session->pool);
    const size_t stream = pass->rows * tower->width, ends = pass->count * tower->width;
    const size_t scratch =
        lancet_kernels_get()->attention_scratch(pass->longest, tower->width / tower->heads);
    float **const streams[] = {&pass->original, &pass->normed, &pass->query,
                               &pass->key,      &pass->value,  &pass->attended};
    const size_t stream_count = sizeof streams / sizeof *streams;
    const size_t size = stream_count * lancet_arena_need(stream, sizeof(float)) +
                        lancet_arena_need(pass->rows * tower->hidden, sizeof(float)) +
                        2 * lancet_arena_need(ends, sizeof(float)) +
                        lancet_arena_need(pass->count * tower->heads, sizeof(lancet_attention)) +
                        threads * lancet_arena_need(scratch, sizeof(float));

    if (!lancet_arena_reset(&session->arena, size))
        return lancet_fail_memory(error, "the text tower's activations");
    for (size_t i = 0; i < stream_count; i++)
        *streams[i] = lancet_arena_take(&session->arena, stream, sizeof(float));
    pass->hidden = lancet_arena_take(&session->arena, pass->rows * tower->hidden, sizeof(float));
    pass->last = lancet_arena_take(&session->arena, ends, sizeof(float));
    pass->last_normed = lancet_arena_take(&session->arena, ends, sizeof(float));
    pass->attentions =
        lancet_arena_take(&session->arena, pass->count * tower->heads, sizeof(lancet_attention));
    for (size_t i = 0; i < threads; i++)
        session->scratch[i] = lancet_arena_take(&session->arena, scratch, sizeof(float));
    return LANCET_OK;
}

static void embed(struct pass *pass)
{
    const size_t width = pass->tower->width;
    float *row = pass->original;

    for (size_t i = 0; i < pass->count; i++)
        for (size_t k = 0; k < pass->texts[i].length; k++, row += width) {
            lancet_tensor_read(row, &pass->tower->token_embedding, (size_t)pass->texts[i].ids[k] * width,
                               width);
            for (size_t d = 0; d < width; d++)
                row[d] += pass->tower->positions[k * width + d];
        }
}

/* to [count, D] = the end tokens' rows of `from`. */
static void gather_ends(const struct pass *pass, float *to, const float *from)
{
    const size_t width = pass->tower->width;
    size_t end = 0;

    for (size_t i = 0; i < pass->count; i++) {
        end += pass->texts[i].length;
        memcpy(to + i * width, from + (end - 1) * width, width * sizeof *to);
    }
}

/* Attention of every text and head: each token to itself and those before it, or (ends) the end token's row
 * alone, whose query and result are the i-th row. */
static void attend(struct pass *pass, bool ends)
{
    const size_t width = pass->tower->width, heads = pass->tower->heads, head_width = width / heads;
    size_t first = 0, count = 0;

    for (size_t i = 0; i < pass->count; i++) {
        const size_t length = pass->texts[i].length;

        for (size_t head = 0; head < heads; head++) {
            const size_t at = first * width + head * head_width, end_at = i * width + head * head_width;

            pass->attentions[count++] = (lancet_attention){
                .queries = pass->query + (ends ? end_at : at),
                .keys = pass->key + at,
                .values = pass->value + at,
                .out = pass->attended + (ends ? end_at : at),
                .query_stride = width,
                .key_stride = width,
                .value_stride = width,
                .out_stride = width,
                .query_count = ends ? 1 : length,
                .key_count = length,
                .width = head_width,
                .scale = 1 / sqrtf((float)head_width),
                .causal = !ends,
            };
        }
        first += length;
    }
    lancet_attention_run(pass->session->pool, pass->attentions, count, pass->session->scratch);
}

/* One block over `rows` rows; after the last block only the end tokens' rows are read, so from its queries on
 * only those are computed (in pass->last). */
static lancet_status run_block(struct pass *pass, const lancet_block *block, bool last, lancet_error *error)
{
    lancet_session *session = pass->session;
    const lancet_text_tower *tower = pass->tower;
    const size_t width = tower->width, rows = pass->rows, some = last ? pass->count : rows;
    float *stream = last ? pass->last : pass->original, *normed = last ? pass->last_normed : pass->normed;
    const lancet_linear_job project[] = {
        {block->key, pass->normed, pass->key, rows, 0, width, width, LANCET_AFTER_NOTHING},
        {block->value, pass->normed, pass->value, rows, 0, width, width, LANCET_AFTER_NOTHING},
        {block->query, normed, pass->query, some, 0, width, width, LANCET_AFTER_NOTHING},
    };
    const lancet_linear_job gather = {block->out, pass->attended, stream, some,
                                      0,          width,          width,  LANCET_AFTER_ADD};
    const lancet_linear_job expand = {block->expand,
                                      normed,
                                      pass->hidden,
                                      some,
                                      0,
                                      width,
                                      tower->hidden,
                                      tower->quick ? LANCET_AFTER_QUICK_GELU : LANCET_AFTER_GELU};
    const lancet_linear_job contract = {block->contract, pass->hidden, stream,          some, 0,
                                        tower->hidden,   width,        LANCET_AFTER_ADD};
    lancet_status status;

    lancet_norm_rows(session->pool, pass->normed, width, pass->original, width, rows, width, &block->norm_1,
                     tower->epsilon);
    if (last) {
        gather_ends(pass, pass->last, pass->original);
        gather_ends(pass, pass->last_normed, pass->normed);
    }
    status = lancet_linear_run(session->linears, project, 3, error);
    if (status != LANCET_OK)
        return status;
    attend(pass, last);
    status = lancet_linear_run(session->linears, &gather, 1, error);
    if (status != LANCET_OK)
        return status;
    lancet_norm_rows(session->pool, normed, width, stream, width, some, width, &block->norm_2,
                     tower->epsilon);
    status = lancet_linear_run(session->linears, &expand, 1, error);
    if (status == LANCET_OK)
        status = lancet_linear_run(session->linears, &contract, 1, error);
    return status;
}

static lancet_status run_pass(float *features, struct pass *pass, lancet_error *error)
{
    const lancet_text_tower *tower = pass->tower;
    const size_t width = tower->width;
    lancet_status status = lay_out(pass, error);

    if (status != LANCET_OK)
        return status;
    embed(pass);
    if (!tower->block_count)
        gather_ends(pass, pass->last, pass->original);
    for (size_t i = 0; i < tower->block_count && status == LANCET_OK; i++)
        status = run_block(pass, &tower->blocks[i], i + 1 == tower->block_count, error);
    if (status != LANCET_OK)
        return status;
    lancet_norm_rows(pass->session->pool, pass->last, width, pass->last, width, pass->count, width,
                     &tower->norm_final, tower->epsilon);
    const lancet_linear_job project = {
        tower->projection, pass->last,          features, pass->count, 0, width,
        tower->embedding,  LANCET_AFTER_NOTHING};

    return lancet_linear_run(pass->session->linears, &project, 1, error);
}

lancet_status lancet_text_tower_run(float *features, lancet_session *session, const lancet_text_row *texts,
                                    size_t count, lancet_error *error)
{
    const lancet_text_tower *tower = &session->model->text;
    lancet_status status = LANCET_OK;

    for (size_t first = 0; first < count && status == LANCET_OK;) {
        struct pass pass = {.session = session, .tower = tower, .texts = texts + first};

        while (first + pass.count < count &&
               (!pass.count || pass.rows + texts[first + pass.count].length <= ROWS_OF_PASS)) {
            const size_t length = texts[first + pass.count].length;

            pass.rows += length;
            pass.longest = length > pass.longest ? length : pass.longest;
            pass.count++;
        }
        status = run_pass(features + first * tower->embedding, &pass, error);
        first += pass.count;
    }
    return status;
}
