/* The other ways of running a second path: the baselines that change the last block, and the rows of the
 * paper's Table 4. Each is the second path of architecture surgery with one thing done otherwise.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "clip/vision/transformer.h"

#include <math.h>

/* NACLIP's bell: its deviation in patches. */
#define BELL_DEVIATION 5.0

static const lancet_way ways[LANCET_PATHS] = {
    [LANCET_PATH_LAST] = {.attention = LANCET_WAY_VALUES, .feed = LANCET_FEED_OWN, .last_only = true},
    [LANCET_PATH_MULTI] = {.attention = LANCET_WAY_VALUES, .feed = LANCET_FEED_OWN, .own_stream = true},
    [LANCET_PATH_MULTI_DUAL] = {.attention = LANCET_WAY_VALUES, .feed = LANCET_FEED_ORIGINAL},
    [LANCET_PATH_MULTI_DUAL_OWN] = {.attention = LANCET_WAY_VALUES, .feed = LANCET_FEED_OWN},
    [LANCET_PATH_MULTI_DUAL_FEED] = {.feed = LANCET_FEED_ORIGINAL},
    [LANCET_PATH_MULTI_DUAL_FEED_OWN] = {.feed = LANCET_FEED_OWN},
    [LANCET_PATH_MASKCLIP] = {.attention = LANCET_WAY_IDENTITY, .feed = LANCET_FEED_OWN, .last_only = true},
    [LANCET_PATH_MASKCLIP_CODE] = {.attention = LANCET_WAY_IDENTITY, .last_only = true},
    [LANCET_PATH_SCLIP] = {.attention = LANCET_WAY_QUERIES_KEYS, .feed = LANCET_FEED_OWN, .last_only = true},
    [LANCET_PATH_CLEARCLIP] = {.attention = LANCET_WAY_QUERIES, .last_only = true, .no_residual = true},
    [LANCET_PATH_NACLIP] = {.attention = LANCET_WAY_KEYS_NEIGHBOURS, .last_only = true, .no_residual = true},
};

const lancet_way *lancet_way_find(lancet_path path)
{
    return path == LANCET_PATH_SURGERY || path == LANCET_PATH_PLAIN ? NULL : &ways[path];
}

/* out = softmax(scale with with^T) values, all heads of all pictures. */
static void attend_with(lancet_pass *pass, const float *with, float *out)
{
    const size_t width = pass->tower->width, heads = pass->tower->heads, head_width = width / heads;
    size_t count = 0;

    for (size_t picture = 0; picture < pass->job->pictures; picture++)
        for (size_t head = 0; head < heads; head++) {
            const size_t at = picture * pass->n * width + head * head_width;

            pass->attentions[count++] = (lancet_attention){
                .queries = with + at,
                .keys = with + at,
                .values = pass->value + at,
                .out = out + at,
                .query_stride = width,
                .key_stride = width,
                .value_stride = width,
                .out_stride = width,
                .query_count = pass->n,
                .key_count = pass->n,
                .width = head_width,
                .scale = 1 / sqrtf((float)head_width),
            };
        }
    lancet_attention_run(pass->session->pool, pass->attentions, count, pass->tower->narrow,
                         pass->session->scratch);
}

/* What is added to the score of two tokens before the softmax; the class token has no place. */
static float bell(const lancet_pass *pass, size_t a, size_t b)
{
    double rows, columns;

    if (a == 0 || b == 0)
        return 0;
    rows = (double)((a - 1) / pass->grid_width) - (double)((b - 1) / pass->grid_width);
    columns = (double)((a - 1) % pass->grid_width) - (double)((b - 1) % pass->grid_width);
    return (float)exp(-(rows * rows + columns * columns) / (2 * BELL_DEVIATION * BELL_DEVIATION));
}

/* One token's scores become weights that sum to 1. */
static void soften(float *scores, size_t count)
{
    float highest = scores[0];
    double sum = 0;

    for (size_t j = 1; j < count; j++)
        highest = fmaxf(highest, scores[j]);
    for (size_t j = 0; j < count; j++) {
        scores[j] = expf(scores[j] - highest);
        sum += (double)scores[j];
    }
    for (size_t j = 0; j < count; j++)
        scores[j] = (float)((double)scores[j] / sum);
}

/* One token of one picture, all heads: the fused kernel knows no scores besides the product. */
static void attend_neighbours(void *context, size_t row, int worker)
{
    const lancet_pass *pass = context;
    const size_t n = pass->n, width = pass->tower->width, head_width = width / pass->tower->heads;
    const size_t token = row % n, first = (row - token) * width;
    const float scale = 1 / sqrtf((float)head_width);
    float *scores = pass->session->scratch[worker];

    for (size_t at = 0; at < width; at += head_width) {
        const float *query = pass->key + row * width + at;
        float *out = pass->consistent + row * width + at;

        for (size_t j = 0; j < n; j++) {
            const float *key = pass->key + first + j * width + at;
            float product = 0;

            for (size_t d = 0; d < head_width; d++)
                product += query[d] * key[d];
            scores[j] = scale * product + bell(pass, token, j);
        }
        soften(scores, n);
        for (size_t d = 0; d < head_width; d++)
            out[d] = 0;
        for (size_t j = 0; j < n; j++) {
            const float *value = pass->value + first + j * width + at;

            for (size_t d = 0; d < head_width; d++)
                out[d] += scores[j] * value[d];
        }
    }
}

/* The queries of every row: the original path may have needed the class tokens' alone. */
static lancet_status project_queries(lancet_pass *pass, const lancet_block *block, lancet_error *error)
{
    const size_t width = pass->tower->width;
    const lancet_linear_job job = {block->query, pass->normed, pass->query,         pass->rows,
                                   width,        width,        LANCET_AFTER_NOTHING};

    return lancet_linear_run(pass->session->linears, &job, 1, error);
}

/* The values of the second path's own stream, in place of the original path's. */
static lancet_status project_own(lancet_pass *pass, const lancet_block *block, lancet_error *error)
{
    const size_t width = pass->tower->width;
    const lancet_linear_job job = {block->value, pass->normed, pass->value,         pass->rows,
                                   width,        width,        LANCET_AFTER_NOTHING};

    lancet_norm_rows(pass->session->pool, pass->normed, width, pass->surgery, width, pass->rows, width,
                     &block->norm_1, pass->tower->epsilon);
    return lancet_linear_run(pass->session->linears, &job, 1, error);
}

/* *attended is what goes into the out-projection. */
static lancet_status attend(const float **attended, lancet_pass *pass, const lancet_way *way,
                            const lancet_block *block, lancet_error *error)
{
    lancet_status status = LANCET_OK;

    *attended = pass->consistent;
    if (way->own_stream)
        status = project_own(pass, block, error);
    if (way->attention == LANCET_WAY_QUERIES || way->attention == LANCET_WAY_QUERIES_KEYS)
        status = project_queries(pass, block, error);
    if (status != LANCET_OK)
        return status;
    switch (way->attention) {
    case LANCET_WAY_IDENTITY:
        *attended = pass->value;
        break;
    case LANCET_WAY_VALUES:
        attend_with(pass, pass->value, pass->consistent);
        break;
    case LANCET_WAY_QUERIES:
        attend_with(pass, pass->query, pass->consistent);
        break;
    case LANCET_WAY_QUERIES_KEYS:
        attend_with(pass, pass->query, pass->consistent);
        attend_with(pass, pass->key, pass->attended); /* the original path is done with it */
        for (size_t i = 0; i < pass->rows * pass->tower->width; i++)
            pass->consistent[i] += pass->attended[i];
        break;
    default:
        lancet_pool_run(pass->session->pool, pass->rows, attend_neighbours, pass);
    }
    return LANCET_OK;
}

/* Both streams += the original path's feed-forward network, which is computed once. */
static lancet_status feed_both(lancet_pass *pass, const lancet_block *block, lancet_error *error)
{
    const size_t width = pass->tower->width, count = pass->rows * width;
    const lancet_reach all = {pass->rows, width};
    float *before = pass->attended;
    lancet_status status;

    for (size_t i = 0; i < count; i++)
        before[i] = pass->original[i];
    status = lancet_feed_forward(pass, pass->original, block, &all, error);
    for (size_t i = 0; i < count; i++)
        pass->surgery[i] += pass->original[i] - before[i];
    return status;
}

lancet_status lancet_way_step(lancet_pass *pass, const lancet_way *way, const lancet_block *block, bool *fed,
                              lancet_error *error)
{
    const size_t width = pass->tower->width;
    const lancet_reach all = {pass->rows, width};
    const float *attended;
    lancet_status status = LANCET_OK;

    if (way->attention != LANCET_WAY_NONE)
        status = attend(&attended, pass, way, block, error);
    if (status == LANCET_OK && way->attention != LANCET_WAY_NONE) {
        const lancet_linear_job gather = {block->out, attended, pass->surgery,   pass->rows,
                                          width,      width,    LANCET_AFTER_ADD};

        status = lancet_linear_run(pass->session->linears, &gather, 1, error);
    }
    *fed = way->feed == LANCET_FEED_ORIGINAL;
    if (status == LANCET_OK && *fed)
        status = feed_both(pass, block, error);
    if (status == LANCET_OK && way->feed == LANCET_FEED_OWN)
        status = lancet_feed_forward(pass, pass->surgery, block, &all, error);
    return status;
}
