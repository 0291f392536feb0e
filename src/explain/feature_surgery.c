/* One small product instead of the [tokens, labels, channels] tensor of the published code: with G = F_t
 * F_i^T, and r = 1/T sum of w_t F_t, <F_i, r> is the mean over t of w_t G[t,i]. Tokens are of any length, so
 * each column of G is divided by its token's at the end. SPDX-License-Identifier: Apache-2.0 */
#include "explain/feature_surgery.h"

#include "tensor/kernels.h"

#include <math.h>

/* Cells of one task: few enough that their scores stay in the cache from the product to the end. */
#define CELLS_OF_TASK 64

/* Squares that are summed side by side: one after the other each would wait for the one before. */
#define LANES 8

struct run {
    const lancet_kernels *kernels;
    const lancet_feature_surgery *surgery;
    const lancet_surgery_scores *out;
};

/* 1 / the token's length; 0 for one of zeros. */
static float divisor(const float *token, size_t width)
{
    const size_t whole = width - width % LANES;
    double sums[LANES] = {0}, squares = 0;

    for (size_t c = 0; c < whole; c += LANES)
        for (size_t k = 0; k < LANES; k++)
            sums[k] += (double)token[c + k] * token[c + k];
    for (size_t c = whole; c < width; c++)
        squares += (double)token[c] * token[c];
    for (size_t k = 0; k < LANES; k++)
        squares += sums[k];
    return squares > 0 ? (float)(1 / sqrt(squares)) : 0;
}

/* w_t = T softmax_t(tau <F_c, F_t>) (Eq. 9), from the class token's cosines. */
static void weigh(float *weights, const float *cosines, size_t count, float tau)
{
    double highest = -INFINITY, sum = 0;

    for (size_t t = 0; t < count; t++)
        highest = fmax(highest, (double)tau * cosines[t]);
    for (size_t t = 0; t < count; t++)
        sum += exp((double)tau * cosines[t] - highest);
    for (size_t t = 0; t < count; t++)
        weights[t] = (float)((double)count * exp((double)tau * cosines[t] - highest) / sum);
}

/* What is subtracted from each of `cells` columns of products with tokens, whose lengths' divisors are given:
 * the code's weighted mean, the empty string's product, or nothing. */
static void find_redundant(float *redundant, const struct run *run, const float *products, size_t stride,
                           const float *tokens, const float *divisors, size_t cells)
{
    const lancet_feature_surgery *surgery = run->surgery;
    double sums[CELLS_OF_TASK] = {0};

    if (surgery->over_labels) {
        for (size_t t = 0; t < surgery->count; t++)
            for (size_t i = 0; i < cells; i++)
                sums[i] += (double)run->out->weights[t] * products[t * stride + i];
        for (size_t i = 0; i < cells; i++)
            redundant[i] = (float)(sums[i] / (double)surgery->count * divisors[i]);
        return;
    }
    for (size_t i = 0; i < cells; i++)
        redundant[i] = 0;
    if (surgery->empty)
        run->kernels->multiply(redundant, cells, surgery->empty, surgery->width, tokens, surgery->width, 1,
                               cells, surgery->width);
    for (size_t i = 0; i < cells; i++)
        redundant[i] *= divisors[i];
}

/* Products with some tokens become their scores. sign: 1 or -1. */
static void finish(const struct run *run, float *products, size_t stride, const float *tokens,
                   const float *divisors, size_t cells, float sign)
{
    const lancet_feature_surgery *surgery = run->surgery;
    const bool weighed = surgery->over_labels && surgery->form == LANCET_FORM_CODE;
    float redundant[CELLS_OF_TASK];

    find_redundant(redundant, run, products, stride, tokens, divisors, cells);
    for (size_t t = 0; t < surgery->count; t++) {
        const float weight = weighed ? run->out->weights[t] : 1;
        float *row = products + t * stride;

        for (size_t i = 0; i < cells; i++)
            row[i] = sign * (weight * (row[i] * divisors[i]) - redundant[i]);
    }
}

static void run_task(void *context, size_t index, int worker)
{
    const struct run *run = context;
    const lancet_feature_surgery *surgery = run->surgery;
    const size_t width = surgery->width, first = index * CELLS_OF_TASK, left = surgery->cells - first;
    const size_t cells = left < CELLS_OF_TASK ? left : CELLS_OF_TASK;
    const float *tokens = surgery->tokens + (1 + first) * width;
    float *products = run->out->scores + first, divisors[CELLS_OF_TASK];

    (void)worker;
    for (size_t i = 0; i < cells; i++)
        divisors[i] = divisor(tokens + i * width, width);
    run->kernels->multiply(products, surgery->cells, surgery->labels, width, tokens, width, surgery->count,
                           cells, width);
    finish(run, products, surgery->cells, tokens, divisors, cells, surgery->reversed ? -1 : 1);
}

void lancet_feature_surgery_run(const lancet_surgery_scores *out, const lancet_feature_surgery *surgery,
                                lancet_pool *pool)
{
    const size_t width = surgery->width, tasks = (surgery->cells + CELLS_OF_TASK - 1) / CELLS_OF_TASK;
    struct run run = {lancet_kernels_get(), surgery, out};
    const float class_divisor = divisor(surgery->tokens, width);

    run.kernels->multiply(out->class_scores, 1, surgery->labels, width, surgery->tokens, width,
                          surgery->count, 1, width);
    if (surgery->over_labels) {
        for (size_t t = 0; t < surgery->count; t++)
            out->weights[t] = out->class_scores[t] * class_divisor;
        weigh(out->weights, out->weights, surgery->count, surgery->tau);
    }
    finish(&run, out->class_scores, 1, surgery->tokens, &class_divisor, 1, 1);
    if (pool)
        lancet_pool_run(pool, tasks, run_task, &run);
    for (size_t i = 0; i < tasks && !pool; i++)
        run_task(&run, i, 0);
}
