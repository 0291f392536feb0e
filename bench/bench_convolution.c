/* How fast the convolutions of a ResNet-50 are with this processor's best instruction set, on one thread, in
 * multiplications and additions of the sum written out: by Winograd's algorithm they may pass the peak.
 * SPDX-License-Identifier: Apache-2.0 */
#include "bench.h"

#include "base/memory.h"
#include "tensor/convolution.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct layer {
    const char *name;
    lancet_convolution_kind kind;
    size_t side, in, out;
    bool average;
};

static const struct layer layers[] = {
    {"stem, first", LANCET_CONVOLUTION_PICTURE, 224, 3, 32, false},
    {"stem, second", LANCET_CONVOLUTION_3X3, 112, 32, 32, false},
    {"stem, third", LANCET_CONVOLUTION_3X3, 112, 32, 64, true},
    {"layer 1", LANCET_CONVOLUTION_3X3, 56, 64, 64, false},
    {"layer 1", LANCET_CONVOLUTION_1X1, 56, 64, 256, false},
    {"layer 1", LANCET_CONVOLUTION_1X1, 56, 256, 64, false},
    {"layer 2, first", LANCET_CONVOLUTION_3X3, 56, 128, 128, true},
    {"layer 2", LANCET_CONVOLUTION_3X3, 28, 128, 128, false},
    {"layer 2", LANCET_CONVOLUTION_1X1, 28, 512, 128, false},
    {"layer 3, first", LANCET_CONVOLUTION_3X3, 28, 256, 256, true},
    {"layer 3", LANCET_CONVOLUTION_3X3, 14, 256, 256, false},
    {"layer 3", LANCET_CONVOLUTION_1X1, 14, 256, 1024, false},
    {"layer 4, first", LANCET_CONVOLUTION_3X3, 14, 512, 512, true},
    {"layer 4", LANCET_CONVOLUTION_3X3, 7, 512, 512, false},
    {"layer 4", LANCET_CONVOLUTION_1X1, 7, 2048, 512, false},
};

struct work {
    lancet_pool *pool;
    lancet_convolution_job job;
};

static float *make(size_t count)
{
    float *values = lancet_allocate(count, sizeof *values);
    uint32_t seed = 1;

    if (!values) {
        fprintf(stderr, "out of memory\n");
        exit(6);
    }
    for (size_t i = 0; i < count; i++) {
        seed = seed * 1664525u + 1013904223u;
        values[i] = (float)(int32_t)seed / 2147483648.0f;
    }
    return values;
}

static void run(void *context)
{
    struct work *work = context;

    lancet_convolution_run(work->pool, &work->job);
}

static void bench(lancet_pool *pool, const struct layer *layer, lancet_winograd tile)
{
    const bool planar = layer->kind == LANCET_CONVOLUTION_PICTURE;
    const size_t kernel = layer->kind == LANCET_CONVOLUTION_1X1 ? 1 : 3, pixels = layer->side * layer->side;
    const size_t count = layer->out * layer->in * kernel * kernel;
    float *weights = make(count), *in = make(pixels * lancet_row_stride(layer->in)),
          *out = make(pixels * lancet_row_stride(layer->out));
    const lancet_tensor weight = {.name = "weight",
                                  .rank = 4,
                                  .shape = {layer->out, layer->in, kernel, kernel},
                                  .count = count,
                                  .data = weights};
    const lancet_convolution_source source = {.kind = layer->kind, .weight = &weight, .tile = tile};
    const float *planes[] = {in};
    lancet_convolution *convolution = NULL;
    lancet_error error;

    if (lancet_convolution_open(&convolution, &source, pool, &error) != LANCET_OK) {
        fprintf(stderr, "%s\n", error.message);
        exit(6);
    }
    struct work work = {pool,
                        {.convolution = convolution,
                         .in = in,
                         .planes = planes,
                         .out = out,
                         .in_stride = lancet_row_stride(layer->in),
                         .out_stride = lancet_row_stride(layer->out),
                         .pictures = 1,
                         .height = layer->side,
                         .width = layer->side,
                         .relu = true,
                         .average = layer->average}};
    work.job.scratch = make(lancet_convolution_scratch(&work.job, pool));
    const double seconds = bench_best(run, &work);

    printf("%-15s %zux%zu  %3zu x %-3zu %4zu to %-4zu", layer->name, kernel, kernel, layer->side, layer->side,
           layer->in, layer->out);
    if (layer->kind == LANCET_CONVOLUTION_3X3)
        printf("  F(%dx%d)", (int)tile, (int)tile);
    else
        printf("        ");
    printf("  %8.1f us  %6.1f GFLOP/s\n", 1e6 * seconds,
           2e-9 * (double)(pixels * count) / (planar ? 4 : 1) / seconds);
    lancet_convolution_close(&convolution);
    lancet_free(work.job.scratch);
    lancet_free(weights);
    lancet_free(in);
    lancet_free(out);
}

int main(void)
{
    lancet_pool *pool = NULL;
    lancet_error error;

    if (lancet_pool_open(&pool, 1, &error) != LANCET_OK) {
        fprintf(stderr, "%s\n", error.message);
        return 6;
    }
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
        bench(pool, &layers[i], LANCET_WINOGRAD_2);
        if (layers[i].kind == LANCET_CONVOLUTION_3X3)
            bench(pool, &layers[i], LANCET_WINOGRAD_4);
    }
    lancet_pool_close(&pool);
    return 0;
}
