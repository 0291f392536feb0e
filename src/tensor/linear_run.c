/* Running linear layers. SPDX-License-Identifier: Apache-2.0 */
#include "tensor/linear_internal.h"

#include "base/memory.h"

#include <string.h>

/* A compiled product for tiles of one shape, with each worker's memory objects (their pointers change from
 * tile to tile, so no two workers may share one). */
struct product {
    size_t rows, columns, depth, in_stride;
    lancet_linear_after after;
    dnnl_primitive_t primitive;
    dnnl_memory_t *in, *out, *scratch; /* [workers] */
};

#define JOBS_MAX 8

/* Shapes differ by tower, side and layer: a picture at one side needs about 20. A run needs at most 4 for
 * each job. */
#define PRODUCTS 128

struct lancet_linear_cache {
    lancet_pool *pool;
    size_t workers;
    struct product products[PRODUCTS];
    size_t count;
    dnnl_stream_t *streams; /* [workers] */
    void **scratch;         /* [workers] */
    float **tiles;          /* [workers] of [LANCET_TILE_ROWS, LANCET_CHUNK]: a task's result on its way */
    size_t scratch_bytes;
};

static void product_close(struct product *product, size_t workers)
{
    for (size_t i = 0; i < workers; i++) {
        if (product->in)
            dnnl_memory_destroy(product->in[i]);
        if (product->out)
            dnnl_memory_destroy(product->out[i]);
        if (product->scratch)
            dnnl_memory_destroy(product->scratch[i]);
    }
    lancet_free(product->in);
    lancet_free(product->out);
    lancet_free(product->scratch);
    dnnl_primitive_destroy(product->primitive);
    *product = (struct product){0};
}

lancet_status lancet_linear_cache_open(lancet_linear_cache **result, lancet_pool *pool, lancet_error *error)
{
    lancet_linear_cache *cache = lancet_allocate_zero(1, sizeof *cache);
    lancet_status status = LANCET_OK;

    *result = NULL;
    if (!cache)
        return lancet_fail_memory(error, "a session");
    cache->pool = pool;
    cache->workers = (size_t)lancet_pool_threads(pool);
    cache->streams = lancet_allocate_zero(cache->workers, sizeof(dnnl_stream_t));
    cache->scratch = lancet_allocate_zero(cache->workers, sizeof *cache->scratch);
    cache->tiles = lancet_allocate_zero(cache->workers, sizeof *cache->tiles);
    if (!cache->streams || !cache->scratch || !cache->tiles || !lancet_engine())
        status = lancet_fail_memory(error, "a session");
    for (size_t i = 0; status == LANCET_OK && i < cache->workers; i++) {
        cache->tiles[i] = lancet_allocate((size_t)LANCET_TILE_ROWS * LANCET_CHUNK, sizeof(float));
        if (!cache->tiles[i] || dnnl_stream_create(&cache->streams[i], lancet_engine(),
                                                   dnnl_stream_default_flags) != dnnl_success)
            status = lancet_fail_memory(error, "a session");
    }
    if (status == LANCET_OK) {
        *result = cache;
        cache = NULL;
    }
    lancet_linear_cache_close(&cache);
    return status;
}

static void forget_products(lancet_linear_cache *cache)
{
    for (size_t i = 0; i < cache->count; i++)
        product_close(&cache->products[i], cache->workers);
    cache->count = 0;
}

void lancet_linear_cache_close(lancet_linear_cache **result)
{
    lancet_linear_cache *cache = result ? *result : NULL;

    if (!cache)
        return;
    forget_products(cache);
    for (size_t i = 0; cache->streams && i < cache->workers; i++)
        dnnl_stream_destroy(cache->streams[i]);
    for (size_t i = 0; cache->scratch && i < cache->workers; i++)
        lancet_free(cache->scratch[i]);
    for (size_t i = 0; cache->tiles && i < cache->workers; i++)
        lancet_free(cache->tiles[i]);
    lancet_free(cache->tiles);
    lancet_free(cache->streams);
    lancet_free(cache->scratch);
    lancet_free(cache);
    *result = NULL;
}

/* Every worker's scratch memory grows to the largest product's; the products' views of it follow. */
static lancet_status grow_scratch(lancet_linear_cache *cache, size_t bytes, lancet_error *error)
{
    if (bytes <= cache->scratch_bytes)
        return LANCET_OK;
    for (size_t i = 0; i < cache->workers; i++) {
        void *larger = lancet_allocate(bytes, 1);

        if (!larger)
            return lancet_fail_memory(error, "a linear layer's scratch memory");
        lancet_free(cache->scratch[i]);
        cache->scratch[i] = larger;
        for (size_t k = 0; k < cache->count; k++)
            if (cache->products[k].scratch)
                dnnl_memory_set_data_handle(cache->products[k].scratch[i], larger);
    }
    cache->scratch_bytes = bytes;
    return LANCET_OK;
}

static lancet_status compile(struct product *product, lancet_linear_cache *cache,
                             const dnnl_memory_desc_t *weights, lancet_error *error)
{
    dnnl_primitive_desc_t description = NULL;
    lancet_status status = LANCET_OK;
    dnnl_status_t refused =
        lancet_product_describe(&description, product->rows, product->columns, product->depth,
                                product->in_stride, weights, product->after);

    if (refused == dnnl_success)
        refused = dnnl_primitive_create(&product->primitive, description);
    if (refused != dnnl_success)
        goto done;
    const dnnl_memory_desc_t *in = dnnl_primitive_desc_query_md(description, dnnl_query_src_md, 0);
    const dnnl_memory_desc_t *out = dnnl_primitive_desc_query_md(description, dnnl_query_dst_md, 0);
    const dnnl_memory_desc_t *scratch =
        dnnl_primitive_desc_query_md(description, dnnl_query_scratchpad_md, 0);

    product->in = lancet_allocate_zero(cache->workers, sizeof(dnnl_memory_t));
    product->out = lancet_allocate_zero(cache->workers, sizeof(dnnl_memory_t));
    product->scratch = lancet_allocate_zero(cache->workers, sizeof(dnnl_memory_t));
    if (!product->in || !product->out || !product->scratch) {
        status = lancet_fail_memory(error, "a linear layer");
        goto done;
    }
    status = grow_scratch(cache, dnnl_memory_desc_get_size(scratch), error);
    for (size_t i = 0; status == LANCET_OK && refused == dnnl_success && i < cache->workers; i++) {
        refused = dnnl_memory_create(&product->in[i], in, lancet_engine(), DNNL_MEMORY_NONE);
        if (refused == dnnl_success)
            refused = dnnl_memory_create(&product->out[i], out, lancet_engine(), cache->tiles[i]);
        if (refused == dnnl_success)
            refused = dnnl_memory_create(&product->scratch[i], scratch, lancet_engine(), cache->scratch[i]);
    }
done:
    dnnl_primitive_desc_destroy(description);
    if (status == LANCET_OK && refused != dnnl_success)
        status = lancet_product_failed(refused, error);
    return status;
}

/* Finds or compiles the product for a job's tiles of `rows` rows and chunks of `columns` columns. */
static lancet_status find_product(size_t *index, lancet_linear_cache *cache, const lancet_linear_job *job,
                                  size_t rows, size_t columns, const dnnl_memory_desc_t *weights,
                                  lancet_error *error)
{
    struct product wanted = {.rows = rows,
                             .columns = columns,
                             .depth = job->linear->in,
                             /* One row has no stride; said to have one it would get oneDNN's slow product. */
                             .in_stride = rows == 1 ? job->linear->in : job->in_stride,
                             .after = job->after == LANCET_AFTER_ADD ? LANCET_AFTER_NOTHING : job->after};
    lancet_status status;

    for (size_t i = 0; i < cache->count; i++) {
        const struct product *have = &cache->products[i];

        if (have->rows == rows && have->columns == columns && have->depth == wanted.depth &&
            have->in_stride == wanted.in_stride && have->after == wanted.after) {
            *index = i;
            return LANCET_OK;
        }
    }
    status = compile(&wanted, cache, weights, error);
    if (status != LANCET_OK) {
        product_close(&wanted, cache->workers);
        return status;
    }
    *index = cache->count++;
    cache->products[*index] = wanted;
    return LANCET_OK;
}

/* One job's cut into tasks. A group's rows are cut into `tiles`, of which the first `longer` have one row
 * more. */
struct plan {
    const lancet_linear_job *job;
    size_t groups, tiles, longer, rows;
    size_t first_task;
    size_t products[2][2]; /* [tile has one row more][chunk is the last] */
};

struct run {
    lancet_linear_cache *cache;
    struct plan plans[JOBS_MAX];
    size_t count;
};

/* A tile goes from the worker's cache to its place in `out`. oneDNN has fast products into dense rows only,
 * so one more step is needed in any case; it also adds the residual. */
static void deliver(const lancet_linear_job *job, const float *tile, size_t row, size_t rows, size_t chunk)
{
    const size_t columns = lancet_linear_columns(job->linear, chunk);
    float *out = job->out + row * job->out_stride + chunk * LANCET_CHUNK;

    for (size_t r = 0; r < rows; r++, out += job->out_stride, tile += columns) {
        if (job->after != LANCET_AFTER_ADD) {
            memcpy(out, tile, columns * sizeof *out);
            continue;
        }
        for (size_t c = 0; c < columns; c++)
            out[c] += tile[c];
    }
}

static void run_task(void *context, size_t task, int worker)
{
    const struct run *run = context;
    lancet_linear_cache *cache = run->cache;
    size_t p = run->count - 1;

    while (task < run->plans[p].first_task)
        p--;
    const struct plan *plan = &run->plans[p];
    const lancet_linear_job *job = plan->job;
    const size_t per_chunk = plan->groups * plan->tiles;
    const size_t chunk = (task - plan->first_task) / per_chunk, rest = (task - plan->first_task) % per_chunk;
    const size_t group = rest / plan->tiles, tile = rest % plan->tiles;
    const bool longer = tile < plan->longer, last = chunk + 1 == job->linear->chunks;
    const size_t group_rows = plan->rows * plan->tiles + plan->longer;
    const size_t row = group * group_rows + tile * plan->rows + (longer ? tile : plan->longer);
    const struct product *product = &cache->products[plan->products[longer][last]];
    const dnnl_exec_arg_t arguments[] = {{DNNL_ARG_SRC, product->in[worker]},
                                         {DNNL_ARG_WEIGHTS, job->linear->weights[chunk]},
                                         {DNNL_ARG_BIAS, job->linear->biases[chunk]},
                                         {DNNL_ARG_DST, product->out[worker]},
                                         {DNNL_ARG_SCRATCHPAD, product->scratch[worker]}};
    const int before = lancet_omp_enter();

    dnnl_memory_set_data_handle(product->in[worker], (void *)(job->in + row * job->in_stride));
    dnnl_primitive_execute(product->primitive, cache->streams[worker], 5, arguments);
    dnnl_stream_wait(cache->streams[worker]);
    lancet_omp_leave(before);
    deliver(job, cache->tiles[worker], row, plan->rows + longer, chunk);
}

static lancet_status make_plan(struct plan *plan, lancet_linear_cache *cache, const lancet_linear_job *job,
                               lancet_error *error)
{
    const lancet_linear *linear = job->linear;
    const size_t group = job->group ? job->group : job->rows;
    const size_t last_columns = lancet_linear_columns(linear, linear->chunks - 1);
    lancet_status status = LANCET_OK;

    plan->job = job;
    plan->groups = job->rows / group;
    plan->tiles = (group + LANCET_TILE_ROWS - 1) / LANCET_TILE_ROWS;
    plan->rows = group / plan->tiles;
    plan->longer = group % plan->tiles;
    for (size_t longer = 0; longer < 2; longer++)
        for (size_t last = 0; last < 2 && status == LANCET_OK; last++) {
            if ((longer && !plan->longer) || (!last && linear->chunks == 1))
                continue;
            status =
                find_product(&plan->products[longer][last], cache, job, plan->rows + longer,
                             last ? last_columns : LANCET_CHUNK, last ? &linear->last : &linear->wide, error);
        }
    return status;
}

lancet_status lancet_linear_run(lancet_linear_cache *cache, const lancet_linear_job *jobs, size_t count,
                                lancet_error *error)
{
    struct run run = {.cache = cache};
    lancet_status status = LANCET_OK;
    const int before = lancet_omp_enter(); /* a product is compiled for the threads there are: one */
    size_t tasks = 0;

    /* Texts come in any length: when the shapes of many batches have piled up, start afresh. */
    if (cache->count + 4 * JOBS_MAX > PRODUCTS)
        forget_products(cache);
    for (size_t i = 0; i < count && i < JOBS_MAX && status == LANCET_OK; i++) {
        if (!jobs[i].rows)
            continue;
        struct plan *plan = &run.plans[run.count++];

        status = make_plan(plan, cache, &jobs[i], error);
        plan->first_task = tasks;
        tasks += jobs[i].linear->chunks * plan->groups * plan->tiles;
    }
    lancet_omp_leave(before);
    if (status == LANCET_OK && tasks)
        lancet_pool_run(cache->pool, tasks, run_task, &run);
    return status;
}
