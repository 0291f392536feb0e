/* What the benchmarks share: a clock, and the best of many runs. SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <time.h>

static inline double bench_now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/** Seconds of the fastest run within about half a second: what the work takes when nothing disturbs it. */
static inline double bench_best(void (*work)(void *context), void *context)
{
    const double start = bench_now();
    double best = 1e30;

    do {
        const double before = bench_now();

        work(context);
        const double took = bench_now() - before;

        best = took < best ? took : best;
    } while (bench_now() - start < 0.5);
    return best;
}

#endif
