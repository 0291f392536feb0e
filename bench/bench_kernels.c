/* How fast each kernel is with each instruction set that this processor has, on one thread.
 * SPDX-License-Identifier: Apache-2.0 */
#include "bench.h"

#include "base/memory.h"
#include "tensor/kernels.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define WIDTH      768
#define HEAD_WIDTH 64

struct work {
    const lancet_kernels *kernels;
    lancet_attention attention;
    void (*run)(const lancet_attention *attention, float *scratch);
    float *in, *out, *scratch;
    size_t tokens, labels;
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

static void run_attention(void *context)
{
    struct work *work = context;

    work->run(&work->attention, work->scratch);
}

static void run_layer_norm(void *context)
{
    struct work *work = context;

    for (size_t i = 0; i < work->tokens; i++)
        work->kernels->layer_norm(work->out + i * WIDTH, work->in + 3 * i * WIDTH, work->in, work->in + WIDTH,
                                  WIDTH, 1e-5f);
}

static void run_multiply(void *context)
{
    struct work *work = context;

    work->kernels->multiply(work->out, work->labels, work->in, 512, work->in, 512, work->tokens, work->labels,
                            512);
}

static void bench(const lancet_kernels *kernels, size_t tokens)
{
    const size_t labels = 59;
    const struct {
        const char *what;
        void (*run)(const lancet_attention *attention, float *scratch);
        bool symmetric; /* queries, keys and values are the same; counted as if nothing were saved */
    } ways[] = {{"one head's attention", kernels->attention, false},
                {"the same in bfloat16", kernels->attention_bfloat, false},
                {"values among themselves", kernels->symmetric_attention, true},
                {"the same in bfloat16", kernels->symmetric_attention_bfloat, true}};
    struct work work = {.kernels = kernels, .tokens = tokens, .labels = labels};
    double seconds;

    work.in = make(tokens * 3 * WIDTH);
    work.out = make(tokens * WIDTH);
    work.scratch = make(kernels->attention_scratch(tokens, HEAD_WIDTH));
    work.attention = (lancet_attention){work.in,   work.in + WIDTH, work.in + 2 * WIDTH, work.out,
                                        3 * WIDTH, 3 * WIDTH,       3 * WIDTH,           WIDTH,
                                        tokens,    tokens,          HEAD_WIDTH,          0.125f};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        work.run = ways[i].run;
        if (ways[i].symmetric)
            work.attention.queries = work.attention.keys = work.attention.values;
        seconds = bench_best(run_attention, &work);
        printf("%-11s %6zu  %-24s %9.1f us  %6.1f GFLOP/s\n", kernels->name, tokens, ways[i].what,
               1e6 * seconds, 4e-9 * (double)(tokens * tokens * HEAD_WIDTH) / seconds);
    }
    seconds = bench_best(run_layer_norm, &work);
    printf("%-11s %6zu  layer norm, width %-4d   %9.1f us  %6.1f GB/s\n", kernels->name, tokens, WIDTH,
           1e6 * seconds, 8e-9 * (double)(tokens * WIDTH) / seconds);
    seconds = bench_best(run_multiply, &work);
    printf("%-11s %6zu  times %zu labels of 512   %9.1f us  %6.1f GFLOP/s\n", kernels->name, tokens, labels,
           1e6 * seconds, 2e-9 * (double)(tokens * labels * 512) / seconds);
    lancet_free(work.in);
    lancet_free(work.out);
    lancet_free(work.scratch);
}

int main(void)
{
    static const char *const names[] = {"scalar", "avx2", "avx512", "avx512-bf16"};
    static const size_t tokens[] = {50, 197, 1025};

    printf("kernels     tokens  work\n");
    for (size_t t = 0; t < sizeof tokens / sizeof *tokens; t++)
        for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
            const lancet_kernels *kernels = lancet_kernels_named(names[i]);

            if (kernels)
                bench(kernels, tokens[t]);
        }
    return 0;
}
