/* Between the towers and the picture: feature surgery, and maps at a picture's size. What new words cost on a
 * picture that is encoded already, but for the text tower. SPDX-License-Identifier: Apache-2.0 */
#include "bench.h"

#include "base/memory.h"
#include "explain/feature_surgery.h"
#include "explain/maps.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define CHANNELS 512
#define WIDTH    500
#define HEIGHT   375

struct work {
    lancet_feature_surgery surgery;
    lancet_surgery_scores scores;
    lancet_pool *pool;
    lancet_maps maps;
    float *map;
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
        values[i] = (float)(int32_t)seed / 2147483648.0f / 20;
    }
    return values;
}

static void run_surgery(void *context)
{
    struct work *work = context;

    lancet_feature_surgery_run(&work->scores, &work->surgery, work->pool);
}

static void run_maps(void *context)
{
    struct work *work = context;

    for (size_t t = 0; t < work->maps.count; t++)
        lancet_maps_write(&work->maps, t, WIDTH, HEIGHT, work->map, NULL);
}

static void bench_surgery(size_t grid, size_t labels, int threads)
{
    const size_t cells = grid * grid;
    struct work work = {
        .surgery = {.tokens = make((1 + cells) * CHANNELS),
                    .cells = cells,
                    .width = CHANNELS,
                    .labels = make(labels * CHANNELS),
                    .count = labels,
                    .over_labels = true,
                    .tau = 2},
        .scores = {make(labels * cells), make(labels), make(labels)},
    };
    double seconds;

    if (lancet_pool_open(&work.pool, threads, NULL) != LANCET_OK)
        return;
    seconds = bench_best(run_surgery, &work);
    printf("feature surgery, %4zu tokens x %3zu labels, %d thread%s  %7.3f ms  %6.1f GFLOP/s\n", 1 + cells,
           labels, threads, threads == 1 ? " " : "s", 1e3 * seconds,
           2e-9 * (double)(labels * (1 + cells) * CHANNELS) / seconds);
    lancet_pool_close(&work.pool);
    lancet_free((void *)work.surgery.tokens);
    lancet_free((void *)work.surgery.labels);
    lancet_free(work.scores.scores);
    lancet_free(work.scores.class_scores);
    lancet_free(work.scores.weights);
}

static void bench_maps(lancet_map_order order, const char *name)
{
    struct work work = {.maps = {.count = 59, .height = 14, .width = 14, .order = order},
                        .map = make(WIDTH * HEIGHT)};

    work.maps.scores = make(59 * 14 * 14);
    printf("59 maps of %dx%d, %-28s  %7.3f ms\n", WIDTH, HEIGHT, name, 1e3 * bench_best(run_maps, &work));
    lancet_free(work.maps.scores);
    lancet_free(work.map);
}

int main(void)
{
    for (int threads = 1; threads <= 2; threads++) {
        bench_surgery(14, 59, threads);
        bench_surgery(32, 171, threads);
    }
    bench_maps(LANCET_ORDER_CODE, "in the code's order");
    bench_maps(LANCET_ORDER_PAPER, "in the paper's order");
    return 0;
}
