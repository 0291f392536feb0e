/* How fast linear layers are, for each kind of number, beside the multiply-adds this processor can do; and
 * oneDNN's products beside them, where it is installed. The weights of many layers take turns, so that they
 * come from memory, as they do in a model. Arguments: threads (all processors). SPDX-License-Identifier:
 * Apache-2.0 */
#include "bench.h"

#include "base/memory.h"
#include "tensor/linear.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#ifdef BENCH_DNNL
#include <dnnl.h>
#endif

/* Bytes of float32 weights that take turns: more than any cache holds. */
#define RING_BYTES ((size_t)160 << 20)

static const struct shape {
    const char *what;
    size_t rows, out, in;
    lancet_after after;
} shapes[] = {
    {"ViT-B/32, queries, keys or values", 50, 768, 768, LANCET_AFTER_NOTHING},
    {"ViT-B/32, expand and QuickGELU", 50, 3072, 768, LANCET_AFTER_QUICK_GELU},
    {"ViT-B/32, contract", 50, 768, 3072, LANCET_AFTER_ADD},
    {"ViT-B/16, queries, keys or values", 197, 768, 768, LANCET_AFTER_NOTHING},
    {"ViT-B/16, expand and QuickGELU", 197, 3072, 768, LANCET_AFTER_QUICK_GELU},
    {"ViT-B/16, contract", 197, 768, 3072, LANCET_AFTER_ADD},
    {"ViT-L/14, expand and QuickGELU", 257, 4096, 1024, LANCET_AFTER_QUICK_GELU},
    {"ViT-B/16 at 512, contract", 1025, 768, 3072, LANCET_AFTER_ADD},
    {"texts, expand and QuickGELU", 1008, 2048, 512, LANCET_AFTER_QUICK_GELU},
};

static void give_up(const char *why)
{
    fprintf(stderr, "%s\n", why);
    exit(6);
}

static float *make(size_t count)
{
    float *values = lancet_allocate(count, sizeof *values);
    uint32_t seed = 1;

    if (!values)
        give_up("out of memory");
    for (size_t i = 0; i < count; i++) {
        seed = seed * 1664525u + 1013904223u;
        values[i] = (float)(int32_t)seed / 2147483648.0f;
    }
    return values;
}

struct ring {
    const struct shape *shape;
    lancet_linear_scratch *scratch;
    lancet_linear *layers[512];
    size_t count, next;
    float *in, *out;
};

static void run_next(void *context)
{
    struct ring *ring = context;
    const struct shape *shape = ring->shape;
    const lancet_linear_job job = {ring->layers[ring->next++ % ring->count],
                                   ring->in,
                                   ring->out,
                                   shape->rows,
                                   lancet_linear_stride(shape->in),
                                   lancet_linear_stride(shape->out),
                                   shape->after};
    lancet_error error;

    if (lancet_linear_run(ring->scratch, &job, 1, &error) != LANCET_OK)
        give_up(error.message);
}

/* Thousand millions of operations a second. */
static double measure(lancet_pool *pool, const struct shape *shape, const lancet_tensor *weight,
                      lancet_packed_kind kind)
{
    struct ring ring = {.shape = shape, .count = RING_BYTES / (4 * shape->in * shape->out) + 1};
    const lancet_linear_source source = {weight, NULL, false, kind};
    lancet_error error;
    double seconds;

    if (lancet_linear_scratch_open(&ring.scratch, pool, &error) != LANCET_OK)
        give_up(error.message);
    ring.in = make(shape->rows * lancet_linear_stride(shape->in));
    ring.out = make(shape->rows * lancet_linear_stride(shape->out));
    for (size_t i = 0; i < ring.count; i++)
        if (lancet_linear_open(&ring.layers[i], &source, pool, &error) != LANCET_OK)
            give_up(error.message);
    seconds = bench_best(run_next, &ring);
    for (size_t i = 0; i < ring.count; i++)
        lancet_linear_close(&ring.layers[i]);
    lancet_linear_scratch_close(&ring.scratch);
    lancet_free(ring.in);
    lancet_free(ring.out);
    return 2e-9 * (double)shape->rows * (double)shape->in * (double)shape->out / seconds;
}

#ifdef BENCH_DNNL
struct dnnl_ring {
    dnnl_primitive_t primitive;
    dnnl_stream_t stream;
    dnnl_memory_t in, out, weights[512];
    size_t count, next;
};

static void run_dnnl(void *context)
{
    struct dnnl_ring *ring = context;
    const dnnl_exec_arg_t arguments[] = {{DNNL_ARG_SRC, ring->in},
                                         {DNNL_ARG_WEIGHTS, ring->weights[ring->next++ % ring->count]},
                                         {DNNL_ARG_DST, ring->out}};

    dnnl_primitive_execute(ring->primitive, ring->stream, 3, arguments);
    dnnl_stream_wait(ring->stream);
}

/* oneDNN's product alone, in its favourite layout and by its own threads: nothing follows it. */
static double measure_dnnl(const struct shape *shape)
{
    struct dnnl_ring ring = {.count = RING_BYTES / (4 * shape->in * shape->out) + 1};
    const dnnl_dims_t in_shape = {(dnnl_dim_t)shape->rows, (dnnl_dim_t)shape->in};
    const dnnl_dims_t weight_shape = {(dnnl_dim_t)shape->in, (dnnl_dim_t)shape->out};
    const dnnl_dims_t out_shape = {(dnnl_dim_t)shape->rows, (dnnl_dim_t)shape->out};
    dnnl_memory_desc_t in, weight, out;
    dnnl_primitive_desc_t description;
    dnnl_matmul_desc_t product;
    dnnl_engine_t engine;
    double seconds;

    if (dnnl_engine_create(&engine, dnnl_cpu, 0) != dnnl_success ||
        dnnl_stream_create(&ring.stream, engine, dnnl_stream_default_flags) != dnnl_success ||
        dnnl_memory_desc_init_by_tag(&in, 2, in_shape, dnnl_f32, dnnl_ab) != dnnl_success ||
        dnnl_memory_desc_init_by_tag(&weight, 2, weight_shape, dnnl_f32, dnnl_format_tag_any) !=
            dnnl_success ||
        dnnl_memory_desc_init_by_tag(&out, 2, out_shape, dnnl_f32, dnnl_ab) != dnnl_success ||
        dnnl_matmul_desc_init(&product, &in, &weight, NULL, &out) != dnnl_success ||
        dnnl_primitive_desc_create(&description, (const_dnnl_op_desc_t)&product, NULL, engine, NULL) !=
            dnnl_success ||
        dnnl_primitive_create(&ring.primitive, description) != dnnl_success)
        return 0;
    weight = *dnnl_primitive_desc_query_md(description, dnnl_query_weights_md, 0);
    dnnl_memory_create(&ring.in, &in, engine, DNNL_MEMORY_ALLOCATE);
    dnnl_memory_create(&ring.out, &out, engine, DNNL_MEMORY_ALLOCATE);
    for (size_t i = 0; i < ring.count; i++) {
        void *numbers;

        dnnl_memory_create(&ring.weights[i], &weight, engine, DNNL_MEMORY_ALLOCATE);
        dnnl_memory_get_data_handle(ring.weights[i], &numbers);
        for (size_t k = 0; k < dnnl_memory_desc_get_size(&weight) / sizeof(float); k++)
            ((float *)numbers)[k] = 1e-3f * (float)(k % 7);
    }
    seconds = bench_best(run_dnnl, &ring);
    for (size_t i = 0; i < ring.count; i++)
        dnnl_memory_destroy(ring.weights[i]);
    dnnl_memory_destroy(ring.in);
    dnnl_memory_destroy(ring.out);
    dnnl_primitive_destroy(ring.primitive);
    dnnl_primitive_desc_destroy(description);
    dnnl_stream_destroy(ring.stream);
    dnnl_engine_destroy(engine);
    return 2e-9 * (double)shape->rows * (double)shape->in * (double)shape->out / seconds;
}
#endif

int main(int count, char **arguments)
{
    const int threads = count > 1 ? atoi(arguments[1]) : lancet_processors();
    lancet_pool *pool;
    lancet_error error;

    if (threads < 1 || lancet_pool_open(&pool, threads, &error) != LANCET_OK)
        give_up("no such number of threads");
    printf("%d threads, %s kernels; GFLOP/s (GOP/s of whole numbers)\n", threads, lancet_kernels_get()->name);
    printf("%-34s  %15s  %7s  %7s  %8s  %7s  %7s\n", "work", "rows x out x in", "float32", "16 bits",
           "bfloat16", "8 bits", "oneDNN");
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        const struct shape *shape = &shapes[i];
        float *numbers = make(shape->in * shape->out);
        const lancet_tensor floats = {.name = "weight",
                                      .dtype = LANCET_F32,
                                      .rank = 2,
                                      .shape = {shape->out, shape->in},
                                      .count = shape->in * shape->out,
                                      .data = numbers};
        lancet_tensor halves = floats;
        char size[32];

        snprintf(size, sizeof size, "%zux%zux%zu", shape->rows, shape->out, shape->in);
        printf("%-34s  %15s  %7.1f", shape->what, size, measure(pool, shape, &floats, LANCET_PACKED_FLOAT));
        halves.dtype = LANCET_BF16; /* any numbers do, and half of the bytes are read */
        printf("  %7.1f", measure(pool, shape, &halves, LANCET_PACKED_FLOAT));
        printf("  %8.1f", measure(pool, shape, &floats, LANCET_PACKED_BFLOAT));
        printf("  %7.1f", measure(pool, shape, &floats, LANCET_PACKED_WHOLE));
#ifdef BENCH_DNNL
        printf("  %7.1f\n", measure_dnnl(shape));
#else
        printf("  %7s\n", "-");
#endif
        lancet_free(numbers);
    }
    lancet_pool_close(&pool);
    return 0;
}
