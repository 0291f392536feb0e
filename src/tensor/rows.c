/* SPDX-License-Identifier: Apache-2.0 */
#include "tensor/rows.h"

#include <math.h>

/* Rows of one task: some microseconds of work, so that handing it out costs little beside it. */
#define ROWS_OF_TASK 16

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

struct attention_run {
    const lancet_kernels *kernels;
    const lancet_attention *jobs;
    float *const *scratch;
};

static void attention_task(void *context, size_t index, int worker)
{
    const struct attention_run *run = context;

    run->kernels->attention(&run->jobs[index], run->scratch[worker]);
}

void lancet_attention_run(lancet_pool *pool, const lancet_attention *jobs, size_t count,
                          float *const *scratch)
{
    struct attention_run run = {lancet_kernels_get(), jobs, scratch};

    lancet_pool_run(pool, count, attention_task, &run);
}

/* In place; row by row, as the attention kernel does. */
static void softmax_rows(float *rows, size_t count, size_t width, float scale)
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
    softmax_rows(out, job->query_count, job->key_count, job->scale);
}
