/* SPDX-License-Identifier: Apache-2.0 */
#include "tensor/keyless.h"

#include "tensor/rows.h"

#include <string.h>

/* Inputs of a panel that are multiplied at a time, an even number: so many stay in the first-level cache. */
#define INPUTS_AT_ONCE ((size_t)128)

/* Pictures whose sums over a panel lie beside each other, and heads that share a walk through a picture's
 * tokens: a tile of kernels->multiply holds so many rows. */
#define PICTURES_AT_ONCE ((size_t)4)
#define HEADS_OF_TASK    ((size_t)4)

struct run {
    const lancet_kernels *kernels;
    const lancet_keyless *job;
    size_t in, head_width, head_tasks;
    float *turned;        /* [pictures, heads, in]: W_k^T q */
    float *scores;        /* [pictures, heads, count] */
    float *workers;       /* [workers]: part of a panel as floats, then sums over it */
    size_t worker_stride; /* floats */
};

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Floats in whole cache lines. */
static size_t lines(size_t count)
{
    return (count + 15) / 16 * 16;
}

static size_t worker_floats(void)
{
    return INPUTS_AT_ONCE * (lancet_kernels_get()->panel + PICTURES_AT_ONCE);
}

size_t lancet_keyless_scratch(size_t in, size_t pictures, size_t count, size_t heads, const lancet_pool *pool)
{
    return (size_t)lancet_pool_threads(pool) * worker_floats() + lines(pictures * heads * in) +
           pictures * heads * count;
}

/* ---- Queries turned into what they are multiplied with ------------------------------------------------- */

/* turned += what the columns [column, end) of one panel, rows [first, first + count), make of the queries. */
static void turn_part(const struct run *run, const float *rows, size_t width, size_t column, size_t end,
                      size_t first, size_t count, float *sums)
{
    const lancet_keyless *job = run->job;
    const size_t head = column / run->head_width;

    for (size_t picture = 0; picture < job->pictures; picture += PICTURES_AT_ONCE) {
        const size_t pictures = smaller(job->pictures - picture, PICTURES_AT_ONCE);

        run->kernels->multiply(sums, INPUTS_AT_ONCE, job->queries + picture * job->query_stride + column,
                               job->query_stride, rows, width, pictures, count, end - column);
        for (size_t i = 0; i < pictures; i++) {
            float *to = run->turned + ((picture + i) * job->heads + head) * run->in + first;

            for (size_t d = 0; d < count; d++)
                to[d] += sums[i * INPUTS_AT_ONCE + d];
        }
    }
}

/* Rows [count, width] of a panel as floats: where they lie, or in `widened`. */
static const float *read_rows(float *widened, const struct run *run, const uint32_t *words, size_t count,
                              size_t width)
{
    switch (run->job->keys.form) {
    case LANCET_FORM_FLOATS:
        return (const float *)words;
    case LANCET_FORM_HALVES:
        run->kernels->from_half(widened, words, count * width);
        break;
    case LANCET_FORM_BFLOATS:
        run->kernels->from_bfloat(widened, words, count * width);
        break;
    case LANCET_FORM_BFLOAT_PAIRS:
        for (size_t d = 0; d < count; d++)
            for (size_t c = 0; c < width; c++) {
                const uint32_t pair = words[d / 2 * width + c],
                               bits = d % 2 ? pair & 0xffff0000u : pair << 16;

                memcpy(widened + d * width + c, &bits, sizeof bits);
            }
    }
    return widened;
}

/* One head of all pictures. */
static void turn_head(void *context, size_t head, int worker)
{
    const struct run *run = context;
    const lancet_keyless *job = run->job;
    const lancet_packed_matrix *keys = &job->keys;
    const size_t group = keys->form == LANCET_FORM_FLOATS ? 1 : 2, end = (head + 1) * run->head_width;
    float *widened = run->workers + (size_t)worker * run->worker_stride;
    float *sums = widened + INPUTS_AT_ONCE * run->kernels->panel;

    for (size_t picture = 0; picture < job->pictures; picture++)
        memset(run->turned + (picture * job->heads + head) * run->in, 0, run->in * sizeof *run->turned);
    for (size_t column = head * run->head_width, next; column < end; column = next) {
        const size_t panel = column - column % run->kernels->panel;
        const size_t width = lancet_packed_width(keys->columns - panel);
        const uint32_t *words = keys->words + panel * keys->stored;

        next = smaller(panel + run->kernels->panel, end);
        for (size_t first = 0; first < run->in; first += INPUTS_AT_ONCE) {
            const size_t count = smaller(run->in - first, INPUTS_AT_ONCE);
            const float *rows = read_rows(widened, run, words + first / group * width, count, width);

            turn_part(run, rows + (column - panel), width, column, next, first, count, sums);
        }
    }
}

/* ---- Attention ----------------------------------------------------------------------------------------- */

/* out [width] = sum over j of weights[j] values[j]. */
static void add_values(float *restrict out, const float *weights, const float *values, size_t stride,
                       size_t count, size_t width)
{
    size_t j = 0;

    memset(out, 0, width * sizeof *out);
    for (; j + 4 <= count; j += 4, values += 4 * stride)
        for (size_t d = 0; d < width; d++)
            out[d] += (weights[j] * values[d] + weights[j + 1] * values[stride + d]) +
                      (weights[j + 2] * values[2 * stride + d] + weights[j + 3] * values[3 * stride + d]);
    for (; j < count; j++, values += stride)
        for (size_t d = 0; d < width; d++)
            out[d] += weights[j] * values[d];
}

/* Some heads of one picture. */
static void attend(void *context, size_t task, int worker)
{
    const struct run *run = context;
    const lancet_keyless *job = run->job;
    const size_t picture = task / run->head_tasks, first = task % run->head_tasks * HEADS_OF_TASK;
    const size_t heads = smaller(job->heads - first, HEADS_OF_TASK), count = job->count;
    const float *tokens = job->tokens + picture * count * job->token_stride;
    const float *values = job->values + picture * count * job->value_stride;
    float *scores = run->scores + (picture * job->heads + first) * count;

    (void)worker;
    run->kernels->multiply(scores, count, run->turned + (picture * job->heads + first) * run->in, run->in,
                           tokens, job->token_stride, heads, count, run->in);
    lancet_softmax_rows(scores, heads, count, job->scale);
    for (size_t i = 0; i < heads; i++) {
        const size_t at = (first + i) * run->head_width;

        add_values(job->out + picture * job->out_stride + at, scores + i * count, values + at,
                   job->value_stride, count, run->head_width);
    }
}

void lancet_keyless_run(lancet_pool *pool, const lancet_keyless *job)
{
    const size_t workers = (size_t)lancet_pool_threads(pool);
    struct run run = {.kernels = lancet_kernels_get(),
                      .job = job,
                      .in = job->keys.depth,
                      .head_width = job->keys.columns / job->heads,
                      .head_tasks = (job->heads + HEADS_OF_TASK - 1) / HEADS_OF_TASK,
                      .workers = job->scratch,
                      .worker_stride = worker_floats()};

    run.turned = run.workers + workers * run.worker_stride;
    run.scores = run.turned + lines(job->pictures * job->heads * run.in);
    lancet_pool_run(pool, job->heads, turn_head, &run);
    lancet_pool_run(pool, job->pictures * run.head_tasks, attend, &run);
}
