/* The machine's own limit: how many multiply-adds it does when nothing else holds it up.
 * SPDX-License-Identifier: Apache-2.0 */
#include "bench.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* Enough independent sums to fill every multiply-add unit for as long as one takes. */
#define SUMS 12

struct runner {
    pthread_t thread;
    double seconds, flops_per_second;
    bool started;
};

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* Each returns the floating-point operations it did: about a quarter of a millisecond's worth. */
static double burst_plain(void)
{
    volatile float kept;
    float sums[SUMS] = {0};

    for (int i = 0; i < 20000; i++)
        for (int k = 0; k < SUMS; k++)
            sums[k] = sums[k] * 0.5f + 1.0f;
    kept = sums[0];
    (void)kept;
    return 20000.0 * SUMS * 2;
}

#if defined(__x86_64__)
#define DEFINE_BURST(name, isa, vector, set, multiply_add, lanes)                                            \
    __attribute__((target(isa))) static double name(void)                                                    \
    {                                                                                                        \
        vector sums[SUMS], factor = set(0.5f), term = set(1.0f);                                             \
                                                                                                             \
        for (int k = 0; k < SUMS; k++)                                                                       \
            sums[k] = set((float)k);                                                                         \
        for (int i = 0; i < 40000; i++) {                                                                    \
            for (int k = 0; k < SUMS; k++)                                                                   \
                sums[k] = multiply_add(sums[k], factor, term);                                               \
            /* The sums are said to be read here, so that no round is left out. */                           \
            __asm__ volatile(""                                                                              \
                             : "+x"(sums[0]), "+x"(sums[1]), "+x"(sums[2]), "+x"(sums[3]), "+x"(sums[4]),    \
                               "+x"(sums[5]), "+x"(sums[6]), "+x"(sums[7]), "+x"(sums[8]), "+x"(sums[9]),    \
                               "+x"(sums[10]), "+x"(sums[11]));                                              \
        }                                                                                                    \
        return 40000.0 * SUMS * 2 * (lanes);                                                                 \
    }

DEFINE_BURST(burst_avx2, "avx2,fma", __m256, _mm256_set1_ps, _mm256_fmadd_ps, 8)
DEFINE_BURST(burst_avx512, "avx512f", __m512, _mm512_set1_ps, _mm512_fmadd_ps, 16)
#endif

static double (*choose_burst(void))(void)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f"))
        return burst_avx512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return burst_avx2;
#endif
    return burst_plain;
}

static void *run(void *argument)
{
    struct runner *runner = argument;
    double (*burst)(void) = choose_burst();
    const double start = now();
    double done = 0, elapsed;

    do {
        done += burst();
        elapsed = now() - start;
    } while (elapsed < runner->seconds);
    runner->flops_per_second = done / elapsed;
    return NULL;
}

double peak_measure(int threads, double seconds)
{
    struct runner *runners = calloc((size_t)threads, sizeof *runners);
    double sum = 0;

    if (!runners)
        return 0;
    for (int i = 0; i < threads; i++) {
        runners[i].seconds = seconds;
        runners[i].started = pthread_create(&runners[i].thread, NULL, run, &runners[i]) == 0;
    }
    for (int i = 0; i < threads; i++)
        if (runners[i].started) {
            pthread_join(runners[i].thread, NULL);
            sum += runners[i].flops_per_second;
        }
    free(runners);
    return sum / 1e9;
}
