/* Running the vision tower: the plain path, and beside it the surgery path (the paper's Eq. 6-7).
 *
 * The surgery path is CLIP's own residual stream from block `start` on, to which each further block adds only
 * the attention of its values among themselves, x^ = x_start + sum of out(softmax(v v^T / sqrt(d)) v), with
 * the values of the original path. So both paths share every layer norm and every value; the second costs an
 * attention and an out-projection a block.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "clip/vision/transformer.h"
#include "clip/vision/positions.h"
#include "tensor/keyless.h"

#include <math.h>
#include <string.h>

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* Lays everything out in the session's arena. */
static lancet_status lay_out(lancet_pass *pass, lancet_error *error)
{
    lancet_session *session = pass->session;
    const lancet_vision_tower *tower = pass->tower;
    const size_t threads = (size_t)lancet_pool_threads(session->pool);
    const size_t stream = pass->rows * tower->width;
    const size_t hidden = larger(pass->rows * lancet_linear_stride(tower->hidden),
                                 pass->rows * 3 * tower->patch * tower->patch);
    const size_t scratch = lancet_kernels_get()->attention_scratch(pass->n, tower->width / tower->heads);
    const size_t jobs = 2 * pass->job->pictures * tower->heads;
    const size_t keyless =
        lancet_keyless_scratch(tower->width, pass->job->pictures, pass->n, tower->heads, session->pool);
    const size_t branches = pass->job->branches ? (2 * tower->block_count + 1) * tower->width : 0;
    float **const streams[] = {&pass->original, &pass->surgery, &pass->normed,   &pass->query,
                               &pass->key,      &pass->value,   &pass->attended, &pass->consistent};
    size_t size = lancet_arena_need(hidden, sizeof(float)) +
                  lancet_arena_need(pass->n * tower->width, sizeof(float)) +
                  lancet_arena_need(jobs, sizeof(lancet_attention)) +
                  threads * lancet_arena_need(scratch, sizeof(float)) +
                  lancet_arena_need(keyless, sizeof(float)) + lancet_arena_need(branches, sizeof(float));

    size += sizeof streams / sizeof *streams * lancet_arena_need(stream, sizeof(float));
    if (!lancet_arena_reset(&session->arena, size))
        return lancet_fail_memory(error, "the vision tower's activations");
    for (size_t i = 0; i < sizeof streams / sizeof *streams; i++)
        *streams[i] = lancet_arena_take(&session->arena, stream, sizeof(float));
    pass->hidden = lancet_arena_take(&session->arena, hidden, sizeof(float));
    pass->positions = lancet_arena_take(&session->arena, pass->n * tower->width, sizeof(float));
    pass->attentions = lancet_arena_take(&session->arena, jobs, sizeof(lancet_attention));
    for (size_t i = 0; i < threads; i++)
        session->scratch[i] = lancet_arena_take(&session->arena, scratch, sizeof(float));
    pass->keyless = lancet_arena_take(&session->arena, keyless, sizeof(float));
    if (branches) {
        pass->branches = lancet_arena_take(&session->arena, branches, sizeof(float));
        memset(pass->branches, 0, branches * sizeof(float));
    }
    return LANCET_OK;
}

/* One row of a picture's patches [W, 3 p p] from pixels [3, height, width], in the order of the patch weights
 * [D, 3, p, p]; and in the place of their tokens, and of the class token, what the products are added to. */
static void cut_task(void *context, size_t index, int worker)
{
    const lancet_pass *pass = context;
    const size_t picture = index / pass->grid_height, row = index % pass->grid_height;
    const size_t columns = pass->grid_width, height = pass->job->height, width = pass->job->width;
    const size_t patch = pass->tower->patch, depth = 3 * patch * patch, embedding = pass->tower->width;
    const float *pixels = pass->job->pixels[picture], *positions = pass->positions;
    float *patches = pass->hidden + (picture * (pass->n - 1) + row * columns) * depth;
    float *tokens = pass->original + picture * pass->n * embedding;

    (void)worker;
    for (size_t column = 0; column < columns; column++)
        for (size_t c = 0; c < 3; c++)
            for (size_t y = 0; y < patch; y++) {
                memcpy(patches, pixels + (c * height + row * patch + y) * width + column * patch,
                       patch * sizeof *patches);
                patches += patch;
            }
    for (size_t d = 0; d < embedding && row == 0; d++)
        tokens[d] = pass->tower->class_embedding[d] + positions[d];
    memcpy(tokens + (1 + row * columns) * embedding, positions + (1 + row * columns) * embedding,
           columns * embedding * sizeof *tokens);
}

/* original [rows, D] = norm_pre([class; patches] + positions). */
static lancet_status embed(lancet_pass *pass, lancet_error *error)
{
    const lancet_vision_tower *tower = pass->tower;
    const size_t width = tower->width, patches = pass->n - 1, depth = 3 * tower->patch * tower->patch;
    lancet_status status = LANCET_OK;

    if (!lancet_positions_place(pass->positions, pass->grid_height, pass->grid_width, tower->positions,
                                tower->grid, width))
        return lancet_fail_memory(error, "the position embedding");
    lancet_pool_run(pass->session->pool, pass->job->pictures * pass->grid_height, cut_task, pass);
    for (size_t i = 0; i < pass->job->pictures && status == LANCET_OK; i++) {
        const lancet_linear_job job = {tower->patches,
                                       pass->hidden + i * patches * depth,
                                       pass->original + (i * pass->n + 1) * width,
                                       patches,
                                       depth,
                                       width,
                                       LANCET_AFTER_ADD};

        status = lancet_linear_run(pass->session->linears, &job, 1, error);
    }
    lancet_norm_rows(pass->session->pool, pass->original, width, pass->original, width, pass->rows, width,
                     &tower->norm_pre, tower->epsilon);
    return status;
}

static void plan_attention(lancet_pass *pass, bool consistent, bool class_only, size_t *count)
{
    const size_t width = pass->tower->width, heads = pass->tower->heads, head_width = width / heads;

    for (size_t picture = 0; picture < pass->job->pictures; picture++)
        for (size_t head = 0; head < heads; head++) {
            const size_t at = picture * pass->n * width + head * head_width;

            pass->attentions[(*count)++] = (lancet_attention){
                .queries = (consistent ? pass->value : pass->query) + at,
                .keys = (consistent ? pass->value : pass->key) + at,
                .values = pass->value + at,
                .out = (consistent ? pass->consistent : pass->attended) + at,
                .query_stride = width,
                .key_stride = width,
                .value_stride = width,
                .out_stride = width,
                .query_count = class_only ? 1 : pass->n,
                .key_count = pass->n,
                .width = head_width,
                .scale = 1 / sqrtf((float)head_width),
            };
        }
}

/* The class tokens' attention of the last block, where the keys' weights are floats. Every path takes it,
 * also those that have keys, so that the class token is the same to the last bit whatever the second path
 * does. */
static bool plan_keyless(const lancet_pass *pass, const lancet_block *block, lancet_keyless *job)
{
    const size_t width = pass->tower->width, heads = pass->tower->heads;

    *job = (lancet_keyless){
        .queries = pass->query,
        .tokens = pass->normed,
        .values = pass->value,
        .out = pass->attended,
        .query_stride = pass->n * width,
        .out_stride = pass->n * width,
        .token_stride = width,
        .value_stride = width,
        .pictures = pass->job->pictures,
        .count = pass->n,
        .heads = heads,
        .scale = 1 / sqrtf((float)(width / heads)),
        .scratch = pass->keyless,
    };
    return lancet_linear_matrix(&job->keys, block->key) &&
           block == &pass->tower->blocks[pass->tower->block_count - 1];
}

/* original += attention(norm_1(original)), surgery += consistent attention of the same. */
static lancet_status attend(lancet_pass *pass, const lancet_block *block, const lancet_reach *reach,
                            bool surgery, lancet_error *error)
{
    lancet_session *session = pass->session;
    const size_t width = pass->tower->width, rows = pass->rows;
    const bool class_only = reach->count < rows;
    lancet_keyless class_tokens;
    const bool keyless = plan_keyless(pass, block, &class_tokens);
    /* Other ways of the second path (ways.c) may read the keys of all rows. */
    const bool keys = !(keyless && class_only && surgery);
    const lancet_linear_job project[] = {
        {block->value, pass->normed, pass->value, rows, width, width, LANCET_AFTER_NOTHING},
        {block->query, pass->normed, pass->query, reach->count, reach->stride, reach->stride,
         LANCET_AFTER_NOTHING},
        {block->key, pass->normed, pass->key, rows, width, width, LANCET_AFTER_NOTHING},
    };
    const lancet_linear_job gather[] = {
        {block->out, pass->attended, pass->original, reach->count, reach->stride, reach->stride,
         LANCET_AFTER_ADD},
        {block->out, pass->consistent, pass->surgery, rows, width, width, LANCET_AFTER_ADD},
    };
    lancet_status status;
    size_t count = 0;

    lancet_norm_rows(session->pool, pass->normed, width, pass->original, width, rows, width, &block->norm_1,
                     pass->tower->epsilon);
    status = lancet_linear_run(session->linears, project, keys ? 3 : 2, error);
    if (status != LANCET_OK)
        return status;
    /* The longest jobs first, so that no worker is left alone with one at the end. */
    if (surgery)
        plan_attention(pass, true, false, &count);
    if (!keyless || !class_only)
        plan_attention(pass, false, class_only, &count);
    if (count)
        lancet_attention_run(session->pool, pass->attentions, count, pass->tower->narrow, session->scratch);
    if (keyless)
        lancet_keyless_run(session->pool, &class_tokens);
    return lancet_linear_run(session->linears, gather, surgery ? 2 : 1, error);
}

lancet_status lancet_feed_forward(lancet_pass *pass, float *stream, const lancet_block *block,
                                  const lancet_reach *reach, lancet_error *error)
{
    const lancet_vision_tower *tower = pass->tower;
    const size_t stride = lancet_linear_stride(tower->hidden);
    const lancet_linear_job expand = {block->expand,
                                      pass->normed,
                                      pass->hidden,
                                      reach->count,
                                      reach->stride,
                                      stride,
                                      tower->quick ? LANCET_AFTER_QUICK_GELU : LANCET_AFTER_GELU};
    const lancet_linear_job contract = {block->contract, pass->hidden,  stream,          reach->count,
                                        stride,          reach->stride, LANCET_AFTER_ADD};
    lancet_status status;

    lancet_norm_rows(pass->session->pool, pass->normed, reach->stride, stream, reach->stride, reach->count,
                     tower->width, &block->norm_2, tower->epsilon);
    status = lancet_linear_run(pass->session->linears, &expand, 1, error);
    if (status == LANCET_OK)
        status = lancet_linear_run(pass->session->linears, &contract, 1, error);
    return status;
}

/* The attention weights of the block that has just been through `attend`. */
static void show_attention(const lancet_pass *pass)
{
    const lancet_vision_tower *tower = pass->tower;
    const lancet_projections projections = {pass->query,
                                            pass->key,
                                            pass->value,
                                            pass->n,
                                            tower->width,
                                            tower->heads,
                                            tower->width / tower->heads};

    lancet_attention_show(pass->job->attention, &projections);
}

/* After the last block only the class token of the original path is read: the other rows' queries,
 * out-projections and feed-forward networks would be computed for nobody. */
static bool reads_class_only(const lancet_pass *pass, const lancet_way *way, size_t number)
{
    const lancet_vision_job *job = pass->job;

    return job->start && number == pass->tower->block_count && !job->visit && !job->attention &&
           !(way && way->feed == LANCET_FEED_ORIGINAL);
}

/* The second path starts from the residual stream as it is here. */
static void start_second(lancet_pass *pass, const lancet_way *way)
{
    lancet_copy_rows(pass->session->pool, pass->surgery, way && way->no_residual ? NULL : pass->original,
                     pass->rows, pass->tower->width);
}

/* The class token's row of what was added to the residual stream since `before` was kept. */
static void note_branch(lancet_pass *pass, size_t branch)
{
    const size_t width = pass->tower->width;
    float *row = pass->branches + branch * width,
          *before = pass->branches + 2 * pass->tower->block_count * width;

    for (size_t d = 0; d < width; d++) {
        row[d] = pass->original[d] - before[d];
        before[d] = pass->original[d];
    }
}

/* Projects what was noted. */
static lancet_status read_branches(lancet_pass *pass, lancet_error *error)
{
    const lancet_vision_tower *tower = pass->tower;
    const size_t width = tower->width, rows = 2 * tower->block_count, embedding = tower->embedding;
    const lancet_linear_job project = {
        tower->projection, pass->branches, pass->job->branches, rows, width, embedding, LANCET_AFTER_NOTHING};
    lancet_status status;

    if (pass->job->branches_norm)
        lancet_norm_rows(pass->session->pool, pass->branches, width, pass->branches, width, rows, width,
                         &tower->norm_post, tower->epsilon);
    status = lancet_linear_run(pass->session->linears, &project, 1, error);
    for (size_t i = 0; i < rows && status == LANCET_OK; i++) {
        float *row = pass->job->branches + i * embedding;
        double square = 0;

        for (size_t c = 0; c < embedding; c++)
            square += (double)row[c] * (double)row[c];
        for (size_t c = 0; c < embedding && square > 0; c++)
            row[c] = (float)((double)row[c] / sqrt(square));
    }
    return status;
}

static lancet_status run_block(lancet_pass *pass, const lancet_way *way, size_t number, lancet_error *error)
{
    const lancet_vision_tower *tower = pass->tower;
    const lancet_vision_job *job = pass->job;
    const lancet_block *block = &tower->blocks[number - 1];
    const bool second = job->start && number >= job->start;
    lancet_reach reach = {pass->rows, tower->width};
    bool fed = false;
    lancet_status status;

    if (second && number == job->start)
        start_second(pass, way);
    if (reads_class_only(pass, way, number))
        reach = (lancet_reach){job->pictures, pass->n * tower->width};
    if (pass->branches && number == 1)
        note_branch(pass, 0); /* sets what the first branch is added to */
    status = attend(pass, block, &reach, second && !way, error);
    if (pass->branches)
        note_branch(pass, 2 * number - 2);
    if (status == LANCET_OK && job->attention && job->attention->block == number) {
        show_attention(pass);
        return LANCET_OK;
    }
    if (status == LANCET_OK && second && way)
        status = lancet_way_step(pass, way, block, &fed, error);
    if (status == LANCET_OK && !fed)
        status = lancet_feed_forward(pass, pass->original, block, &reach, error);
    if (pass->branches)
        note_branch(pass, 2 * number - 1);
    return status;
}

static lancet_status run_blocks(lancet_pass *pass, lancet_error *error)
{
    const lancet_vision_tower *tower = pass->tower;
    const lancet_way *way = lancet_way_find(pass->job->options->path);
    lancet_vision_job *job = pass->job;
    lancet_status status = LANCET_OK;

    for (size_t number = 1; number <= tower->block_count && status == LANCET_OK; number++) {
        status = run_block(pass, way, number, error);
        if (job->attention && job->attention->block == number)
            break;
        if (status == LANCET_OK && job->visit) {
            job->stopped = job->visit(job->context, (int)number, pass->n, tower->width, pass->original,
                                      job->start && number >= job->start ? pass->surgery : NULL);
            if (job->stopped)
                break;
        }
    }
    return status;
}

/* tokens = projection(norm_post(...)): the class token from the original path, the patches from the surgery
 * path. */
static lancet_status read_out(lancet_pass *pass, lancet_error *error)
{
    const lancet_vision_tower *tower = pass->tower;
    const size_t width = tower->width, rows = pass->rows, n = pass->n;
    const float *patches = pass->job->start ? pass->surgery : pass->original;
    const lancet_linear_job project = {tower->projection, pass->normed,        pass->job->tokens, rows, width,
                                       tower->embedding,  LANCET_AFTER_NOTHING};

    lancet_norm_rows(pass->session->pool, pass->normed, width, patches, width, rows, width, &tower->norm_post,
                     tower->epsilon);
    lancet_norm_rows(pass->session->pool, pass->normed, n * width, pass->original, n * width,
                     pass->job->pictures, width, &tower->norm_post, tower->epsilon);
    return lancet_linear_run(pass->session->linears, &project, 1, error);
}

lancet_status lancet_transformer_run(lancet_session *session, lancet_vision_job *job, lancet_error *error)
{
    const lancet_vision_tower *tower = &session->model->vision;
    lancet_pass pass = {.session = session,
                        .tower = tower,
                        .job = job,
                        .grid_height = lancet_vision_tower_grid(tower, job->height),
                        .grid_width = lancet_vision_tower_grid(tower, job->width)};
    lancet_status status;

    pass.n = 1 + pass.grid_height * pass.grid_width;
    pass.rows = job->pictures * pass.n;
    status = lay_out(&pass, error);
    if (status == LANCET_OK)
        status = embed(&pass, error);
    if (status == LANCET_OK)
        status = run_blocks(&pass, error);
    if (status == LANCET_OK && job->tokens)
        status = read_out(&pass, error);
    if (status == LANCET_OK && job->branches)
        status = read_branches(&pass, error);
    return status;
}
