/* The machine's own limit: how many multiply-adds it does when nothing else holds it up.
 * SPDX-License-Identifier: Apache-2.0 */
#include "bench_peak.h"

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
    double seconds;                   /* to run for */
    double flops, elapsed, processor; /* what was done, and in how many seconds of the clock and its own */
    bool started;
};

static double now(clockid_t clock)
{
    struct timespec time;

    clock_gettime(clock, &time);
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
    const double start = now(CLOCK_MONOTONIC), start_processor = now(CLOCK_THREAD_CPUTIME_ID);

    do {
        runner->flops += burst();
        runner->elapsed = now(CLOCK_MONOTONIC) - start;
    } while (runner->elapsed < runner->seconds);
    runner->processor = now(CLOCK_THREAD_CPUTIME_ID) - start_processor;
    return NULL;
}

bench_peak peak_measure(int threads, double seconds)
{
    struct runner *runners = calloc((size_t)threads, sizeof *runners);
    bench_peak peak = {0};
    double flops = 0, processor = 0;

    if (!runners)
        return peak;
    for (int i = 0; i < threads; i++) {
        runners[i].seconds = seconds;
        runners[i].started = pthread_create(&runners[i].thread, NULL, run, &runners[i]) == 0;
    }
    for (int i = 0; i < threads; i++)
        if (runners[i].started) {
            pthread_join(runners[i].thread, NULL);
            peak.together += runners[i].flops / runners[i].elapsed;
            flops += runners[i].flops;
            processor += runners[i].processor;
        }
    if (processor > 0)
        peak.each = flops / processor;
    free(runners);
    return peak;
}
