/* Running the text tower. Attention looks back only and a text is read at its end token's row, so nothing
 * after that is computed, and a beginning that several texts share is computed once: the rows of one matrix
 * are the distinct beginnings (prefixes.h), and only attention knows which come before which.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/memory.h"
#include "clip/session.h"
#include "clip/text/prefixes.h"

#include <math.h>
#include <string.h>

/* Rows of one pass: enough to keep many threads busy and for few beginnings to be computed again, few enough
 * to stay in the last cache. */
#define ROWS_OF_PASS 1008

/* Rows of one task of attention. */
#define ROWS_OF_TASK 24

struct pass {
    lancet_session *session;
    const lancet_text_tower *tower;
    const lancet_sorted_text *texts;
    lancet_text_run run;
    uint32_t *positions;                                       /* [run.rows]: of each row in its text */
    uint32_t *end_rows;                                        /* [run.ends] */
    float *original, *normed, *query, *key, *value, *attended; /* [rows, D] */
    float *hidden;                                             /* [rows, 4D] */
    float *last, *last_normed;                                 /* [ends, D]: the end tokens' rows */
    float *features;                                           /* [ends, C] */
    uint32_t **paths;                                          /* [threads] of [run.longest] */
};

static lancet_status lay_out(struct pass *pass, lancet_error *error)
{
    lancet_session *session = pass->session;
    const lancet_text_tower *tower = pass->tower;
    lancet_arena *arena = &session->arena;
    const size_t threads = (size_t)lancet_pool_threads(session->pool);
    const size_t scratch = lancet_kernels_get()->path_attention_scratch(pass->run.longest, tower->heads);
    struct piece {
        float **place;
        size_t count;
    } pieces[] = {
        {&pass->original, pass->run.rows * tower->width},
        {&pass->normed, pass->run.rows * tower->width},
        {&pass->query, pass->run.rows * tower->width},
        {&pass->key, pass->run.rows * tower->width},
        {&pass->value, pass->run.rows * tower->width},
        {&pass->attended, pass->run.rows * tower->width},
        {&pass->hidden, pass->run.rows * lancet_linear_stride(tower->hidden)},
        {&pass->last, pass->run.ends * tower->width},
        {&pass->last_normed, pass->run.ends * tower->width},
        {&pass->features, pass->run.ends * tower->embedding},
    };
    size_t size = lancet_arena_need(pass->run.rows, sizeof *pass->positions) +
                  lancet_arena_need(pass->run.ends, sizeof *pass->end_rows) +
                  lancet_arena_need(threads, sizeof *pass->paths) +
                  threads * (lancet_arena_need(pass->run.longest, sizeof **pass->paths) +
                             lancet_arena_need(scratch, sizeof(float)));

    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++)
        size += lancet_arena_need(pieces[i].count, sizeof(float));
    if (!lancet_arena_reset(arena, size))
        return lancet_fail_memory(error, "the text tower's activations");
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++)
        *pieces[i].place = lancet_arena_take(arena, pieces[i].count, sizeof(float));
    pass->positions = lancet_arena_take(arena, pass->run.rows, sizeof *pass->positions);
    pass->end_rows = lancet_arena_take(arena, pass->run.ends, sizeof *pass->end_rows);
    pass->paths = lancet_arena_take(arena, threads, sizeof *pass->paths);
    for (size_t i = 0; i < threads; i++) {
        pass->paths[i] = lancet_arena_take(arena, pass->run.longest, sizeof **pass->paths);
        session->scratch[i] = lancet_arena_take(arena, scratch, sizeof(float));
    }
    return LANCET_OK;
}

static void embed(struct pass *pass)
{
    const size_t width = pass->tower->width;
    float *row = pass->original;
    uint32_t *position = pass->positions, *end = pass->end_rows;

    for (size_t i = 0; i < pass->run.texts; i++) {
        const lancet_text_row *text = &pass->texts[i].row;
        const size_t begin = lancet_text_begin(pass->texts, i);

        for (size_t k = begin; k < text->length; k++, row += width) {
            lancet_tensor_read(row, &pass->tower->token_embedding, (size_t)text->ids[k] * width, width);
            for (size_t d = 0; d < width; d++)
                row[d] += pass->tower->positions[k * width + d];
            *position++ = (uint32_t)k;
        }
        if (begin < text->length)
            *end++ = (uint32_t)(position - pass->positions - 1);
    }
}

/* to [ends, D] = the end tokens' rows of `from`. */
static void gather_ends(const struct pass *pass, float *to, const float *from)
{
    const size_t width = pass->tower->width;

    for (size_t i = 0; i < pass->run.ends; i++)
        memcpy(to + i * width, from + pass->end_rows[i] * width, width * sizeof *to);
}

struct attend_run {
    const struct pass *pass;
    const lancet_kernels *kernels;
    lancet_path_attention job; /* what all rows have in common */
    size_t rows;
    bool ends;
};

/* Each token's attention to itself and those before it; of the ends only, the i-th query and result belong to
 * the i-th end. */
static void attend_task(void *context, size_t index, int worker)
{
    const struct attend_run *run = context;
    const struct pass *pass = run->pass;
    const size_t first = index * ROWS_OF_TASK;
    const size_t last = run->rows - first < ROWS_OF_TASK ? run->rows : first + ROWS_OF_TASK;
    uint32_t *path = pass->paths[worker];
    lancet_path_attention job = run->job;

    job.path = path;
    for (size_t i = first; i < last; i++) {
        const size_t row = run->ends ? pass->end_rows[i] : i;

        if (run->ends || i == first)
            lancet_text_path(path, pass->positions, row);
        else /* what comes before a row comes before the next one, or is overwritten by now */
            path[pass->positions[row]] = (uint32_t)row;
        job.count = pass->positions[row] + 1;
        job.query = pass->query + i * job.stride;
        job.out = pass->attended + i * job.stride;
        run->kernels->path_attention(&job, pass->session->scratch[worker]);
    }
}

static void attend(const struct pass *pass, bool ends)
{
    const lancet_text_tower *tower = pass->tower;
    const size_t head_width = tower->width / tower->heads, rows = ends ? pass->run.ends : pass->run.rows;
    struct attend_run run = {.pass = pass,
                             .kernels = lancet_kernels_get(),
                             .job = {.keys = pass->key,
                                     .values = pass->value,
                                     .stride = tower->width,
                                     .heads = tower->heads,
                                     .width = head_width,
                                     .scale = 1 / sqrtf((float)head_width)},
                             .rows = rows,
                             .ends = ends};

    lancet_pool_run(pass->session->pool, (rows + ROWS_OF_TASK - 1) / ROWS_OF_TASK, attend_task, &run);
}

static lancet_linear_job product(const lancet_linear *linear, const float *in, float *out, size_t rows,
                                 lancet_after after)
{
    return (lancet_linear_job){linear, in, out, rows, lancet_linear_in(linear), lancet_linear_out(linear),
                               after};
}

/* One block; after the last one only the end tokens' rows are read, so from its queries on only those are
 * computed (in pass->last). */
static lancet_status run_block(struct pass *pass, const lancet_block *block, bool last, lancet_error *error)
{
    lancet_session *session = pass->session;
    const lancet_text_tower *tower = pass->tower;
    const size_t width = tower->width, rows = pass->run.rows, some = last ? pass->run.ends : rows;
    float *stream = last ? pass->last : pass->original, *normed = last ? pass->last_normed : pass->normed;
    const lancet_linear_job project[] = {
        product(block->key, pass->normed, pass->key, rows, LANCET_AFTER_NOTHING),
        product(block->value, pass->normed, pass->value, rows, LANCET_AFTER_NOTHING),
        product(block->query, normed, pass->query, some, LANCET_AFTER_NOTHING),
    };
    const lancet_linear_job gather = product(block->out, pass->attended, stream, some, LANCET_AFTER_ADD);
    lancet_linear_job expand = product(block->expand, normed, pass->hidden, some,
                                       tower->quick ? LANCET_AFTER_QUICK_GELU : LANCET_AFTER_GELU);
    lancet_linear_job contract = product(block->contract, pass->hidden, stream, some, LANCET_AFTER_ADD);
    lancet_status status;

    expand.out_stride = contract.in_stride = lancet_linear_stride(tower->hidden);
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

/* Each text's feature to its place in the caller's order. */
static void hand_out(float *features, const struct pass *pass)
{
    const size_t width = pass->tower->embedding;
    const float *feature = pass->features - width;

    for (size_t i = 0; i < pass->run.texts; i++) {
        if (lancet_text_begin(pass->texts, i) < pass->texts[i].row.length)
            feature += width;
        memcpy(features + pass->texts[i].index * width, feature, width * sizeof *features);
    }
}

static lancet_status run_pass(float *features, struct pass *pass, lancet_error *error)
{
    const lancet_text_tower *tower = pass->tower;
    const size_t width = tower->width;
    lancet_status status;

    status = lay_out(pass, error);
    if (status != LANCET_OK)
        return status;
    embed(pass);
    if (!tower->block_count)
        gather_ends(pass, pass->last, pass->original);
    for (size_t i = 0; i < tower->block_count && status == LANCET_OK; i++)
        status = run_block(pass, &tower->blocks[i], i + 1 == tower->block_count, error);
    if (status != LANCET_OK)
        return status;
    lancet_norm_rows(pass->session->pool, pass->last, width, pass->last, width, pass->run.ends, width,
                     &tower->norm_final, tower->epsilon);
    const lancet_linear_job project =
        product(tower->projection, pass->last, pass->features, pass->run.ends, LANCET_AFTER_NOTHING);

    status = lancet_linear_run(pass->session->linears, &project, 1, error);
    if (status == LANCET_OK)
        hand_out(features, pass);
    return status;
}

lancet_status lancet_text_tower_run(float *features, lancet_session *session, const lancet_text_row *texts,
                                    size_t count, const lancet_text_watch *watch, lancet_error *error)
{
    lancet_sorted_text *sorted = lancet_allocate(count, sizeof *sorted);
    lancet_status status = sorted ? LANCET_OK : lancet_fail_memory(error, "texts");

    if (sorted)
        lancet_texts_sort(sorted, texts, count);
    for (size_t first = 0; first < count && status == LANCET_OK;) {
        struct pass pass = {.session = session,
                            .tower = &session->model->text,
                            .texts = sorted + first,
                            .run = lancet_texts_fit(sorted + first, count - first, ROWS_OF_PASS)};

        status = run_pass(features, &pass, error);
        first += pass.run.texts;
        if (status == LANCET_OK && watch && !watch->done(watch->context, first))
            status = lancet_fail(error, LANCET_ERROR_ARGUMENT, "stopped");
    }
    lancet_free(sorted);
    return status;
}
