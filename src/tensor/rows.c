/* SPDX-License-Identifier: Apache-2.0 */
#include "tensor/rows.h"

#include <math.h>
#include <string.h>

/* Rows of one task: some microseconds of work, so that handing it out costs little beside it. */
#define ROWS_OF_TASK 16
#define ROWS_OF_COPY 64

struct norm_run {
    const lancet_kernels *kernels;
    float *out;
    const float *in;
    size_t out_stride, in_stride, rows, width;
    const lancet_norm *norm;
    float epsilon;
};

static void norm_task(void *context, size_t index, int worker)
{
    const struct norm_run *run = context;
    const size_t first = index * ROWS_OF_TASK;

    (void)worker;
    for (size_t row = first; row < run->rows && row < first + ROWS_OF_TASK; row++)
        run->kernels->layer_norm(run->out + row * run->out_stride, run->in + row * run->in_stride,
                                 run->norm->weight, run->norm->bias, run->width, run->epsilon);
}

void lancet_norm_rows(lancet_pool *pool, float *out, size_t out_stride, const float *in, size_t in_stride,
                      size_t rows, size_t width, const lancet_norm *norm, float epsilon)
{
    struct norm_run run = {lancet_kernels_get(), out, in, out_stride, in_stride, rows, width, norm, epsilon};

    lancet_pool_run(pool, (rows + ROWS_OF_TASK - 1) / ROWS_OF_TASK, norm_task, &run);
}

struct copy_run {
    float *out;
    const float *in;
    size_t rows, width;
};

static void copy_task(void *context, size_t index, int worker)
{
    const struct copy_run *run = context;
    const size_t first = index * ROWS_OF_COPY * run->width, end = run->rows * run->width;
    const size_t count = end - first < ROWS_OF_COPY * run->width ? end - first : ROWS_OF_COPY * run->width;

    (void)worker;
    if (run->in)
        memcpy(run->out + first, run->in + first, count * sizeof *run->out);
    else
        memset(run->out + first, 0, count * sizeof *run->out);
}

void lancet_copy_rows(lancet_pool *pool, float *out, const float *in, size_t rows, size_t width)
{
    struct copy_run run = {out, in, rows, width};

    lancet_pool_run(pool, (rows + ROWS_OF_COPY - 1) / ROWS_OF_COPY, copy_task, &run);
}

/* From how many tokens on half of the scores is worth the blocks that it takes: with fewer too many blocks
 * lie on the diagonal. */
#define SYMMETRIC_LEAST 96

static bool is_symmetric(const lancet_attention *job)
{
    return job->queries == job->keys && job->query_stride == job->key_stride &&
           job->query_count == job->key_count && job->key_count >= SYMMETRIC_LEAST && job->scale >= 0;
}

struct attention_run {
    const lancet_attention *jobs;
    size_t slices; /* tasks of each job that can be cut */
    float *const *scratch;
    void (*attention)(const lancet_attention *attention, float *scratch);
    void (*symmetric)(const lancet_attention *attention, float *scratch);
};

static void attention_task(void *context, size_t index, int worker)
{
    const struct attention_run *run = context;

    lancet_attention job = run->jobs[index / run->slices];
    const size_t slice = index % run->slices, first = slice * job.query_count / run->slices;

    if (is_symmetric(&job)) {
        if (slice == 0)
            run->symmetric(&job, run->scratch[worker]);
        return;
    }
    job.query_count = (slice + 1) * job.query_count / run->slices - first;
    job.queries += first * job.query_stride;
    job.out += first * job.out_stride;
    if (job.query_count)
        run->attention(&job, run->scratch[worker]);
}

/* What packing a job's keys and values costs each of its tasks, in queries. */
#define PACKING 5

/* In how many tasks each of `count` jobs of `queries` is done soonest by `threads`, where half a task's time
 * is lost before the last one is done, and the threads first share `uncut` tasks that take as long as
 * `length` queries. A query's result does not depend on which others are computed with it, so this changes no
 * bits. */
static size_t attention_slices(size_t count, size_t queries, size_t uncut, size_t length, size_t threads)
{
    const size_t late = uncut % threads; /* threads that have one more */
    size_t best = 1, least = SIZE_MAX;

    for (size_t slices = 1; slices <= 8 && (slices == 1 || slices * ROWS_OF_TASK <= queries); slices++) {
        const size_t tasks = count * slices, task = queries / slices + PACKING;
        const size_t meanwhile = late ? (threads - late) * (length / task) : 0;
        const size_t rounds = tasks > meanwhile ? (tasks - meanwhile + threads - 1) / threads : 0;
        const size_t time = 2 * ((late ? length : 0) + rounds * task) + (threads > 1 ? task : 0);

        if (time < least) {
            least = time;
            best = slices;
        }
    }
    return best;
}

void lancet_attention_run(lancet_pool *pool, const lancet_attention *jobs, size_t count, bool bfloat,
                          float *const *scratch)
{
    const lancet_kernels *kernels = lancet_kernels_get();
    struct attention_run run = {jobs, 1, scratch, bfloat ? kernels->attention_bfloat : kernels->attention,
                                bfloat ? kernels->symmetric_attention_bfloat : kernels->symmetric_attention};
    size_t queries = 0, uncut = 0, length = 0;

    for (size_t i = 0; i < count; i++) {
        size_t *longest = is_symmetric(&jobs[i]) ? &length : &queries;

        uncut += longest == &length;
        *longest = jobs[i].query_count > *longest ? jobs[i].query_count : *longest;
    }
    run.slices = attention_slices(count - uncut, queries, uncut, length - length / 5,
                                  (size_t)lancet_pool_threads(pool));
    lancet_pool_run(pool, count * run.slices, attention_task, &run);
}

void lancet_softmax_rows(float *rows, size_t count, size_t width, float scale)
{
    for (size_t i = 0; i < count; i++, rows += width) {
        float highest = -INFINITY, sum = 0;

        for (size_t j = 0; j < width; j++) {
            rows[j] *= scale;
            highest = rows[j] > highest ? rows[j] : highest;
        }
        for (size_t j = 0; j < width; j++) {
            rows[j] = expf(rows[j] - highest);
            sum += rows[j];
        }
        for (size_t j = 0; j < width; j++)
            rows[j] /= sum;
    }
}

void lancet_attention_weigh(float *out, const lancet_attention *job)
{
    lancet_kernels_get()->multiply(out, job->key_count, job->queries, job->query_stride, job->keys,
                                   job->key_stride, job->query_count, job->key_count, job->width);
    lancet_softmax_rows(out, job->query_count, job->key_count, job->scale);
}
