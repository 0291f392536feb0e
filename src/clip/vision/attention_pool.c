/* A ModifiedResNet's attention pool, and the surgery on it.
 *
 * The trunk's H x W pixels get a class token in front, their mean, and all of them a position embedding: z.
 * Then
 *
 *      q, k, v = z W_q^T + b_q, z W_k^T + b_k, z W_v^T + b_v
 *      plain:    F = softmax(s q k^T) v W_c^T + b_c      (CLIP computes row 0 alone)
 *      surgery:  the same with v in the place of q and k, but for row 0
 *
 * with s = 1 / sqrt(head width), in each head. There is no residual to add to: the result has another width.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "clip/vision/resnet.h"

#include "clip/session.h"
#include "clip/vision/positions.h"

#include <math.h>
#include <string.h>

/* n = 1 + H W tokens a picture, rows = pictures * n; rows of D floats are `stride` floats apart. */
struct pass {
    lancet_session *session;
    const lancet_vision_tower *tower;
    const lancet_attention_pool *pool;
    const lancet_vision_job *job;
    size_t n, rows, stride;
    float *tokens, *query, *key, *value, *unit, *attended; /* [rows, D] */
    float *positions;                                      /* [n, D], dense */
    lancet_attention *attentions;                          /* [2 * pictures * heads] */
    size_t attention_count;
};

static struct pass begin(lancet_session *session, const lancet_attention_pool *pool)
{
    struct pass pass = {.session = session, .tower = &session->model->vision, .pool = pool};

    pass.n = 1 + pool->grid_height * pool->grid_width;
    pass.rows = pool->pictures * pass.n;
    pass.stride = lancet_row_stride(pass.tower->width);
    return pass;
}

/* Sizes what the pass takes of the arena, or takes it. */
static size_t lay_out(struct pass *pass, bool take)
{
    lancet_arena *arena = &pass->session->arena;
    float **const streams[] = {&pass->tokens, &pass->query, &pass->key,
                               &pass->value,  &pass->unit,  &pass->attended};
    const size_t count = sizeof streams / sizeof *streams,
                 jobs = 2 * pass->pool->pictures * pass->tower->heads;
    const size_t threads = (size_t)lancet_pool_threads(pass->session->pool),
                 embedding = pass->n * pass->tower->width;
    const size_t scratch =
        lancet_kernels_get()->attention_scratch(pass->n, pass->tower->width / pass->tower->heads);

    if (take) {
        for (size_t i = 0; i < count; i++)
            *streams[i] = lancet_arena_take(arena, pass->rows * pass->stride, sizeof(float));
        pass->positions = lancet_arena_take(arena, embedding, sizeof(float));
        pass->attentions = lancet_arena_take(arena, jobs, sizeof(lancet_attention));
        for (size_t i = 0; i < threads; i++)
            pass->session->scratch[i] = lancet_arena_take(arena, scratch, sizeof(float));
    }
    return count * lancet_arena_need(pass->rows * pass->stride, sizeof(float)) +
           lancet_arena_need(embedding, sizeof(float)) + lancet_arena_need(jobs, sizeof(lancet_attention)) +
           threads * lancet_arena_need(scratch, sizeof(float));
}

size_t lancet_attention_pool_need(lancet_session *session, const lancet_attention_pool *pool)
{
    struct pass pass = begin(session, pool);

    return lay_out(&pass, false);
}

/* ---- Tokens -------------------------------------------------------------------------------------------- */

/* Channels of a task: the sums of so many stay at hand. */
#define CHANNELS_OF_TASK 64

/* Some channels of one picture's tokens. */
static void fill_tokens(void *context, size_t task, int worker)
{
    const struct pass *pass = context;
    const size_t width = pass->tower->width, chunks = (width + CHANNELS_OF_TASK - 1) / CHANNELS_OF_TASK;
    const size_t picture = task / chunks, first = task % chunks * CHANNELS_OF_TASK, pixels = pass->n - 1;
    const size_t count = width - first < CHANNELS_OF_TASK ? width - first : CHANNELS_OF_TASK;
    const float *in = pass->pool->pixels + picture * pixels * pass->pool->stride + first;
    float *tokens = pass->tokens + picture * pass->n * pass->stride + first;
    double sums[CHANNELS_OF_TASK] = {0};

    (void)worker;
    for (size_t i = 0; i < pixels; i++) {
        const float *position = pass->positions + (1 + i) * width + first;

        for (size_t c = 0; c < count; c++) {
            sums[c] += (double)in[i * pass->pool->stride + c];
            tokens[(1 + i) * pass->stride + c] = in[i * pass->pool->stride + c] + position[c];
        }
    }
    for (size_t c = 0; c < count; c++)
        tokens[c] = (float)(sums[c] / (double)pixels) + pass->positions[first + c];
}

/* out = in W^T + b of `count` rows, `apart` rows from each other. */
static void project(const struct pass *pass, const lancet_convolution *linear, const float *in, float *out,
                    size_t count, size_t apart)
{
    const lancet_convolution_job job = {.convolution = linear,
                                        .in = in,
                                        .out = out,
                                        .in_stride = apart * pass->stride,
                                        .out_stride = apart * pass->stride,
                                        .pictures = 1,
                                        .height = 1,
                                        .width = count};

    lancet_convolution_run(pass->session->pool, &job);
}

/* One token's heads, each divided by its length. */
static void unit_heads(void *context, size_t row, int worker)
{
    const struct pass *pass = context;
    const size_t heads = pass->tower->heads, head_width = pass->tower->width / heads;
    const float *value = pass->value + row * pass->stride;
    float *unit = pass->unit + row * pass->stride;

    (void)worker;
    for (size_t head = 0; head < heads; head++, value += head_width, unit += head_width) {
        double square = 0;

        for (size_t d = 0; d < head_width; d++)
            square += (double)value[d] * (double)value[d];
        for (size_t d = 0; d < head_width; d++)
            unit[d] = value[d] / ((float)sqrt(square) + 1e-6f);
    }
}

/* ---- Attention ----------------------------------------------------------------------------------------- */

/* Plans softmax(factor s query key^T) v of all heads, for `count` tokens of each picture from `first` on. */
static void plan(struct pass *pass, const float *query, const float *key, float factor, size_t first,
                 size_t count)
{
    const size_t heads = pass->tower->heads, head_width = pass->tower->width / heads;

    for (size_t picture = 0; picture < pass->pool->pictures && count; picture++)
        for (size_t head = 0; head < heads; head++) {
            const size_t at = picture * pass->n * pass->stride + head * head_width,
                         from = at + first * pass->stride;

            pass->attentions[pass->attention_count++] = (lancet_attention){
                .queries = query + from,
                .keys = key + at,
                .values = pass->value + at,
                .out = pass->attended + from,
                .query_stride = pass->stride,
                .key_stride = pass->stride,
                .value_stride = pass->stride,
                .out_stride = pass->stride,
                .query_count = count,
                .key_count = pass->n,
                .width = head_width,
                .scale = factor / sqrtf((float)head_width),
            };
        }
}

static void plan_surgery(struct pass *pass)
{
    const lancet_feature_options *options = pass->job->options;
    const lancet_resnet *resnet = pass->tower->resnet;

    /* The longest jobs first, so that no worker is left alone with one at the end. */
    if (options->pool_attention == LANCET_POOL_VV_NORM8) {
        lancet_pool_run(pass->session->pool, pass->rows, unit_heads, pass);
        plan(pass, pass->unit, pass->unit, 8, 1, pass->n - 1);
    } else {
        plan(pass, pass->value, pass->value, 1, 1, pass->n - 1);
    }
    if (options->pool_class == LANCET_POOL_CLASS_VV) {
        plan(pass, pass->value, pass->value, 1, 0, 1);
        return;
    }
    project(pass, resnet->query, pass->tokens, pass->query, pass->pool->pictures, pass->n);
    project(pass, resnet->key, pass->tokens, pass->key, pass->rows, 1);
    plan(pass, pass->query, pass->key, 1, 0, 1);
}

static void plan_plain(struct pass *pass)
{
    const lancet_resnet *resnet = pass->tower->resnet;

    project(pass, resnet->query, pass->tokens, pass->query, pass->rows, 1);
    project(pass, resnet->key, pass->tokens, pass->key, pass->rows, 1);
    plan(pass, pass->query, pass->key, 1, 0, pass->n);
}

/* MaskCLIP: a pixel is what its own value says; the position embedding, which tokens have, plays no part. The
 * class token is CLIP's. */
static void take_values(struct pass *pass)
{
    const lancet_resnet *resnet = pass->tower->resnet;
    const size_t pixels = pass->n - 1, row = pass->tower->width * sizeof(float);

    project(pass, resnet->query, pass->tokens, pass->query, pass->pool->pictures, pass->n);
    project(pass, resnet->key, pass->tokens, pass->key, pass->rows, 1);
    plan(pass, pass->query, pass->key, 1, 0, 1);
    lancet_attention_run(pass->session->pool, pass->attentions, pass->attention_count, false,
                         pass->session->scratch);
    for (size_t picture = 0; picture < pass->pool->pictures; picture++)
        for (size_t i = 0; i < pixels; i++)
            memcpy(pass->unit + (picture * pass->n + 1 + i) * pass->stride,
                   pass->pool->pixels + (picture * pixels + i) * pass->pool->stride, row);
    for (size_t picture = 0; picture < pass->pool->pictures; picture++)
        project(pass, resnet->value, pass->unit + (picture * pass->n + 1) * pass->stride,
                pass->attended + (picture * pass->n + 1) * pass->stride, pixels, 1);
    pass->attention_count = 0;
}

static void show_attention(const struct pass *pass)
{
    const lancet_vision_attention *wanted = pass->job->attention;
    const lancet_resnet *resnet = pass->tower->resnet;
    const lancet_projections projections = {.query = pass->query,
                                            .key = pass->key,
                                            .value = pass->value,
                                            .tokens = pass->n,
                                            .stride = pass->stride,
                                            .heads = pass->tower->heads,
                                            .head_width = pass->tower->width / pass->tower->heads};

    if (wanted->kind == LANCET_ATTENTION_RAW) {
        project(pass, resnet->query, pass->tokens, pass->query, wanted->count, 1);
        project(pass, resnet->key, pass->tokens, pass->key, pass->rows, 1);
    }
    lancet_attention_show(wanted, &projections);
}

lancet_status lancet_attention_pool_run(lancet_session *session, const lancet_attention_pool *pool,
                                        const lancet_vision_job *job, lancet_error *error)
{
    struct pass pass = begin(session, pool);
    const lancet_vision_tower *tower = pass.tower;
    const size_t tasks = (tower->width + CHANNELS_OF_TASK - 1) / CHANNELS_OF_TASK * pool->pictures;

    pass.job = job;
    lay_out(&pass, true);
    if (!lancet_positions_place(pass.positions, pool->grid_height, pool->grid_width, tower->resnet->positions,
                                tower->grid, tower->width))
        return lancet_fail_memory(error, "the position embedding");
    lancet_pool_run(session->pool, tasks, fill_tokens, &pass);
    project(&pass, tower->resnet->value, pass.tokens, pass.value, pass.rows, 1);
    if (job->attention) {
        show_attention(&pass);
        return LANCET_OK;
    }
    if (job->options->path == LANCET_PATH_MASKCLIP)
        take_values(&pass);
    else if (job->options->path == LANCET_PATH_SURGERY)
        plan_surgery(&pass);
    else
        plan_plain(&pass);
    lancet_attention_run(session->pool, pass.attentions, pass.attention_count, false, session->scratch);

    const lancet_convolution_job out = {.convolution = tower->resnet->out,
                                        .in = pass.attended,
                                        .out = job->tokens,
                                        .in_stride = pass.stride,
                                        .out_stride = tower->embedding,
                                        .pictures = 1,
                                        .height = 1,
                                        .width = pass.rows};

    lancet_convolution_run(session->pool, &out);
    return LANCET_OK;
}
