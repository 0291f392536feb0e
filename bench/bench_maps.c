/* Between the towers and the picture: feature surgery, and maps at a picture's size. What new words cost on a
 * picture that is encoded already, but for the text tower. Beside feature surgery stands what its product
 * would take at the machine's peak, which is measured just before; beside maps, what merely writing their
 * bytes takes. SPDX-License-Identifier: Apache-2.0 */
#include "bench.h"
#include "bench_peak.h"

#include "base/memory.h"
#include "explain/feature_surgery.h"
#include "explain/maps.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static void run_new_words(void *context)
{
    run_surgery(context);
    run_maps(context);
}

/* As many bytes as the maps have, where they go. */
static void run_writing(void *context)
{
    struct work *work = context;

    for (size_t t = 0; t < work->maps.count; t++) {
        memset(work->map, (int)t, WIDTH * HEIGHT * sizeof *work->map);
        __asm__ volatile("" ::"r"(work->map) : "memory"); /* each is said to be read */
    }
}

static struct work make_work(size_t grid, size_t labels)
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
        .map = make(WIDTH * HEIGHT),
    };

    work.maps = (lancet_maps){.count = labels, .height = grid, .width = grid, .scores = work.scores.scores};
    return work;
}

static void free_work(struct work *work)
{
    lancet_free((void *)work->surgery.tokens);
    lancet_free((void *)work->surgery.labels);
    lancet_free(work->scores.scores);
    lancet_free(work->scores.class_scores);
    lancet_free(work->scores.weights);
    lancet_free(work->map);
}

static void bench_surgery(size_t grid, size_t labels, int threads)
{
    const size_t tokens = 1 + grid * grid;
    const double flops = 2.0 * (double)(labels * tokens * CHANNELS);
    struct work work = make_work(grid, labels);
    double floor, seconds;

    if (lancet_pool_open(&work.pool, threads, NULL) != LANCET_OK)
        exit(6);
    floor = flops / peak_measure(threads, 0.3).together;
    seconds = bench_best(run_surgery, &work);
    printf("feature surgery, %4zu tokens x %3zu labels, %d thread%s  %7.3f ms, %4.2f times the floor of %.3f "
           "ms\n",
           tokens, labels, threads, threads == 1 ? " " : "s", 1e3 * seconds, seconds / floor, 1e3 * floor);
    lancet_pool_close(&work.pool);
    free_work(&work);
}

static void bench_maps(struct work *work, lancet_map_order order, const char *name, double writing)
{
    double seconds;

    work->maps.order = order;
    seconds = bench_best(run_maps, work);
    printf("59 maps of %dx%d, %-34s  %7.3f ms, %4.2f times as long as to write them\n", WIDTH, HEIGHT, name,
           1e3 * seconds, seconds / writing);
}

int main(void)
{
    struct work work = make_work(14, 59);
    double writing;

    for (int threads = 1; threads <= 2; threads++) {
        bench_surgery(14, 59, threads);
        bench_surgery(32, 171, threads);
    }
    writing = bench_best(run_writing, &work);
    bench_maps(&work, LANCET_ORDER_CODE, "in the code's order", writing);
    bench_maps(&work, LANCET_ORDER_PAPER, "in the paper's order", writing);
    work.maps.order = LANCET_ORDER_CODE;
    printf("59 new words on an encoded picture, to maps of %dx%d   %7.3f ms\n", WIDTH, HEIGHT,
           1e3 * bench_best(run_new_words, &work));
    free_work(&work);
    return 0;
}
