/* Packing of linear layers. SPDX-License-Identifier: Apache-2.0 */
#include "tensor/linear_internal.h"

#include "base/memory.h"

#include <pthread.h>
#include <string.h>

/* oneDNN brings libgomp along; these two calls are all we need of it, and clang has no header for it. */
extern int omp_get_max_threads(void);
extern void omp_set_num_threads(int threads);

int lancet_omp_enter(void)
{
    const int before = omp_get_max_threads();

    omp_set_num_threads(1);
    return before;
}

void lancet_omp_leave(int before)
{
    omp_set_num_threads(before);
}

static dnnl_engine_t the_engine;
static pthread_once_t engine_once = PTHREAD_ONCE_INIT;

static void make_engine(void)
{
    if (dnnl_engine_create(&the_engine, dnnl_cpu, 0) != dnnl_success)
        the_engine = NULL;
}

dnnl_engine_t lancet_engine(void)
{
    pthread_once(&engine_once, make_engine);
    return the_engine;
}

size_t lancet_linear_columns(const lancet_linear *linear, size_t index)
{
    const size_t first = index * LANCET_CHUNK;

    return linear->out - first < LANCET_CHUNK ? linear->out - first : LANCET_CHUNK;
}

dnnl_status_t lancet_product_describe(dnnl_primitive_desc_t *description, size_t rows, size_t columns,
                                      size_t depth, size_t in_stride, const dnnl_memory_desc_t *weights,
                                      lancet_linear_after after)
{
    const dnnl_dims_t in_shape = {(dnnl_dim_t)rows, (dnnl_dim_t)depth};
    const dnnl_dims_t weight_shape = {(dnnl_dim_t)depth, (dnnl_dim_t)columns};
    const dnnl_dims_t bias_shape = {1, (dnnl_dim_t)columns};
    const dnnl_dims_t out_shape = {(dnnl_dim_t)rows, (dnnl_dim_t)columns};
    const dnnl_dims_t in_strides = {(dnnl_dim_t)in_stride, 1};
    dnnl_memory_desc_t in, weight, bias, out;
    dnnl_primitive_attr_t attributes = NULL;
    dnnl_post_ops_t operations = NULL;
    dnnl_matmul_desc_t product;
    dnnl_status_t status = dnnl_memory_desc_init_by_strides(&in, 2, in_shape, dnnl_f32, in_strides);

    if (status == dnnl_success)
        status = dnnl_memory_desc_init_by_tag(&out, 2, out_shape, dnnl_f32, dnnl_ab);
    if (status == dnnl_success)
        status = dnnl_memory_desc_init_by_tag(&bias, 2, bias_shape, dnnl_f32, dnnl_ab);
    if (status == dnnl_success && weights)
        weight = *weights;
    else if (status == dnnl_success)
        status = dnnl_memory_desc_init_by_tag(&weight, 2, weight_shape, dnnl_f32, dnnl_format_tag_any);
    if (status == dnnl_success)
        status = dnnl_matmul_desc_init(&product, &in, &weight, &bias, &out);
    if (status == dnnl_success)
        status = dnnl_primitive_attr_create(&attributes);
    /* Scratch memory of our own: oneDNN's belongs to the thread that made the product, and any worker may run
     * it. */
    if (status == dnnl_success)
        status = dnnl_primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user);
    if (status == dnnl_success && (after == LANCET_AFTER_QUICK_GELU || after == LANCET_AFTER_GELU)) {
        status = dnnl_post_ops_create(&operations);
        if (status == dnnl_success && after == LANCET_AFTER_QUICK_GELU)
            status = dnnl_post_ops_append_eltwise(operations, 1.0f, dnnl_eltwise_swish, 1.702f, 0);
        else if (status == dnnl_success)
            status = dnnl_post_ops_append_eltwise(operations, 1.0f, dnnl_eltwise_gelu_erf, 0, 0);
        if (status == dnnl_success)
            status = dnnl_primitive_attr_set_post_ops(attributes, operations);
    }
    if (status == dnnl_success)
        status = dnnl_primitive_desc_create(description, (const_dnnl_op_desc_t)&product, attributes,
                                            lancet_engine(), NULL);
    dnnl_post_ops_destroy(operations);
    dnnl_primitive_attr_destroy(attributes);
    return status;
}

/* The layout oneDNN likes best for a chunk of `columns`, asked for with a tile of typical size. */
static dnnl_status_t choose_layout(dnnl_memory_desc_t *layout, size_t columns, size_t depth)
{
    dnnl_primitive_desc_t description = NULL;
    const dnnl_status_t status = lancet_product_describe(&description, LANCET_TILE_ROWS, columns, depth,
                                                         depth, NULL, LANCET_AFTER_NOTHING);

    if (status == dnnl_success)
        *layout = *dnnl_primitive_desc_query_md(description, dnnl_query_weights_md, 0);
    dnnl_primitive_desc_destroy(description);
    return status;
}

struct packing {
    lancet_linear *linear;
    const lancet_linear_source *source;
    float **rows;          /* [workers]: a chunk's weights as floats */
    size_t wide_bytes;     /* of a packed chunk */
    dnnl_status_t *status; /* [chunks] */
};

/* Reads a chunk's weights as floats: [columns, in], or [in, columns] from a transposed tensor. */
static void read_chunk(float *to, const lancet_linear *linear, const lancet_linear_source *source,
                       size_t chunk)
{
    const size_t first = chunk * LANCET_CHUNK, columns = lancet_linear_columns(linear, chunk);

    if (!source->transposed) {
        lancet_tensor_read(to, source->weight, first * linear->in, columns * linear->in);
        return;
    }
    for (size_t i = 0; i < linear->in; i++)
        lancet_tensor_read(to + i * columns, source->weight, i * linear->out + first, columns);
}

static void pack_chunk(void *context, size_t chunk, int worker)
{
    struct packing *packing = context;
    const lancet_linear *linear = packing->linear;
    const size_t columns = lancet_linear_columns(linear, chunk);
    const bool transposed = packing->source->transposed;
    const dnnl_dims_t shape = {(dnnl_dim_t)linear->in, (dnnl_dim_t)columns};
    float *rows = packing->rows[worker];
    const int before = lancet_omp_enter();
    dnnl_memory_desc_t plain;
    dnnl_memory_t from = NULL;
    dnnl_primitive_desc_t description = NULL;
    dnnl_primitive_t reorder = NULL;
    dnnl_stream_t stream = NULL;
    const dnnl_memory_desc_t *layout = NULL;
    dnnl_status_t status;

    read_chunk(rows, linear, packing->source, chunk);
    status = dnnl_memory_desc_init_by_tag(&plain, 2, shape, dnnl_f32, transposed ? dnnl_ab : dnnl_ba);
    if (status == dnnl_success)
        status = dnnl_memory_create(&from, &plain, lancet_engine(), rows);
    if (status == dnnl_success)
        status = dnnl_memory_get_memory_desc(linear->weights[chunk], &layout);
    if (status == dnnl_success)
        status = dnnl_reorder_primitive_desc_create(&description, &plain, lancet_engine(), layout,
                                                    lancet_engine(), NULL);
    if (status == dnnl_success)
        status = dnnl_primitive_create(&reorder, description);
    if (status == dnnl_success)
        status = dnnl_stream_create(&stream, lancet_engine(), dnnl_stream_default_flags);
    if (status == dnnl_success) {
        const dnnl_exec_arg_t arguments[] = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, linear->weights[chunk]}};

        status = dnnl_primitive_execute(reorder, stream, 2, arguments);
    }
    if (status == dnnl_success)
        status = dnnl_stream_wait(stream);
    dnnl_stream_destroy(stream);
    dnnl_primitive_destroy(reorder);
    dnnl_primitive_desc_destroy(description);
    dnnl_memory_destroy(from);
    lancet_omp_leave(before);
    packing->status[chunk] = status;
}

/* Memory objects over the packed chunks and their biases. */
static dnnl_status_t make_views(lancet_linear *linear, size_t wide_bytes)
{
    dnnl_status_t status = dnnl_success;

    for (size_t chunk = 0; chunk < linear->chunks && status == dnnl_success; chunk++) {
        const bool last = chunk + 1 == linear->chunks;
        const dnnl_dims_t shape = {1, (dnnl_dim_t)lancet_linear_columns(linear, chunk)};
        dnnl_memory_desc_t bias;

        status = dnnl_memory_create(&linear->weights[chunk], last ? &linear->last : &linear->wide,
                                    lancet_engine(), (char *)linear->packed + chunk * wide_bytes);
        if (status == dnnl_success)
            status = dnnl_memory_desc_init_by_tag(&bias, 2, shape, dnnl_f32, dnnl_ab);
        if (status == dnnl_success)
            status = dnnl_memory_create(&linear->biases[chunk], &bias, lancet_engine(),
                                        linear->bias + chunk * LANCET_CHUNK);
    }
    return status;
}

lancet_status lancet_product_failed(dnnl_status_t status, lancet_error *error)
{
    if (status == dnnl_out_of_memory)
        return lancet_fail_memory(error, "a linear layer");
    return lancet_fail(error, LANCET_ERROR_UNSUPPORTED, "oneDNN refuses a linear layer (status %d)",
                       (int)status);
}

static lancet_status pack(lancet_linear *linear, const lancet_linear_source *source, lancet_pool *pool,
                          lancet_error *error)
{
    const size_t workers = (size_t)lancet_pool_threads(pool);
    const size_t last_columns = lancet_linear_columns(linear, linear->chunks - 1);
    struct packing packing = {.linear = linear, .source = source};
    lancet_status status = LANCET_OK;
    dnnl_status_t refused = choose_layout(&linear->last, last_columns, linear->in);

    if (refused == dnnl_success)
        refused = choose_layout(&linear->wide, linear->chunks > 1 ? LANCET_CHUNK : last_columns, linear->in);
    if (refused != dnnl_success)
        return lancet_product_failed(refused, error);
    packing.wide_bytes = (dnnl_memory_desc_get_size(&linear->wide) + LANCET_ALIGNMENT - 1) /
                         LANCET_ALIGNMENT * LANCET_ALIGNMENT;
    linear->packed = lancet_allocate(
        (linear->chunks - 1) * packing.wide_bytes + dnnl_memory_desc_get_size(&linear->last), 1);
    packing.rows = lancet_allocate_zero(workers, sizeof *packing.rows);
    packing.status = lancet_allocate_zero(linear->chunks, sizeof *packing.status);
    for (size_t i = 0; packing.rows && i < workers; i++) {
        packing.rows[i] = lancet_allocate(LANCET_CHUNK * linear->in, sizeof(float));
        if (!packing.rows[i])
            status = lancet_fail_memory(error, "a linear layer");
    }
    if (!linear->packed || !packing.rows || !packing.status)
        status = lancet_fail_memory(error, "a linear layer");
    if (status != LANCET_OK)
        goto done;
    refused = make_views(linear, packing.wide_bytes);
    if (refused == dnnl_success)
        lancet_pool_run(pool, linear->chunks, pack_chunk, &packing);
    for (size_t i = 0; refused == dnnl_success && i < linear->chunks; i++)
        refused = packing.status[i];
    if (refused != dnnl_success)
        status = lancet_product_failed(refused, error);
done:
    for (size_t i = 0; packing.rows && i < workers; i++)
        lancet_free(packing.rows[i]);
    lancet_free(packing.rows);
    lancet_free(packing.status);
    return status;
}

lancet_status lancet_linear_open(lancet_linear **result, const lancet_linear_source *source,
                                 lancet_pool *pool, lancet_error *error)
{
    const lancet_tensor *weight = source->weight;
    lancet_linear *linear = lancet_allocate_zero(1, sizeof *linear);
    lancet_status status;

    *result = NULL;
    if (!linear)
        return lancet_fail_memory(error, "a linear layer");
    if (!lancet_engine()) {
        status = lancet_product_failed(dnnl_runtime_error, error);
        goto done;
    }
    linear->out = source->transposed ? weight->shape[1] : weight->shape[0];
    linear->in = weight->count / linear->out;
    linear->chunks = (linear->out + LANCET_CHUNK - 1) / LANCET_CHUNK;
    linear->bias = lancet_allocate_zero(linear->out, sizeof *linear->bias);
    linear->weights = lancet_allocate_zero(linear->chunks, sizeof(dnnl_memory_t));
    linear->biases = lancet_allocate_zero(linear->chunks, sizeof(dnnl_memory_t));
    if (!linear->bias || !linear->weights || !linear->biases) {
        status = lancet_fail_memory(error, "a linear layer");
        goto done;
    }
    if (source->bias)
        lancet_tensor_read(linear->bias, source->bias, 0, linear->out);
    status = pack(linear, source, pool, error);
    if (status != LANCET_OK)
        goto done;
    *result = linear;
    linear = NULL;
done:
    lancet_linear_close(&linear);
    return status;
}

void lancet_linear_close(lancet_linear **result)
{
    lancet_linear *linear = result ? *result : NULL;

    if (!linear)
        return;
    for (size_t i = 0; linear->weights && i < linear->chunks; i++)
        dnnl_memory_destroy(linear->weights[i]);
    for (size_t i = 0; linear->biases && i < linear->chunks; i++)
        dnnl_memory_destroy(linear->biases[i]);
    lancet_free(linear->weights);
    lancet_free(linear->biases);
    lancet_free(linear->packed);
    lancet_free(linear->bias);
    lancet_free(linear);
    *result = NULL;
}

size_t lancet_linear_in(const lancet_linear *linear)
{
    return linear->in;
}

size_t lancet_linear_out(const lancet_linear *linear)
{
    return linear->out;
}
