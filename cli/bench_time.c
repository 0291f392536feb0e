/* Timing a piece of work beside the machine's own limit. SPDX-License-Identifier: Apache-2.0 */
#include "bench.h"

#include "report.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#define PEAKS 6

static double now(clockid_t clock)
{
    struct timespec time;

    clock_gettime(clock, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static void sort(double *values, int count)
{
    qsort(values, (size_t)count, sizeof *values, compare);
}

static void measure_peak(double *together, double *each, int threads)
{
    const bench_peak peak = peak_measure(threads, 0.1);

    *together = peak.together;
    *each = peak.each;
}

int bench_once(bench_times *times, int (*work)(void *context), void *context)
{
    const double start = now(CLOCK_MONOTONIC), start_spent = now(CLOCK_PROCESS_CPUTIME_ID);
    const int status = work(context);
    struct rusage usage;

    times->repeat = 1;
    times->median = times->least = times->most = now(CLOCK_MONOTONIC) - start;
    times->processor = now(CLOCK_PROCESS_CPUTIME_ID) - start_spent;
    getrusage(RUSAGE_SELF, &usage);
    times->resident = 1024.0 * (double)usage.ru_maxrss;
    return status;
}

int bench_time(bench_times *times, int warm, int repeat, int (*work)(void *context), void *context)
{
    double *elapsed = calloc((size_t)repeat, sizeof *elapsed), *spent = calloc((size_t)repeat, sizeof *spent);
    double together[PEAKS], each[PEAKS];
    int status = elapsed && spent ? EXIT_DONE : report_memory();

    for (int i = 0; i < warm && status == EXIT_DONE; i++)
        status = work(context);
    /* The limit is measured before and after, so that a machine that changes its mind is noticed. */
    for (int i = 0; i < PEAKS / 2; i++)
        measure_peak(&together[i], &each[i], times->threads);
    for (int i = 0; i < repeat && status == EXIT_DONE; i++) {
        status = bench_once(times, work, context);
        elapsed[i] = times->median;
        spent[i] = times->processor;
    }
    for (int i = PEAKS / 2; i < PEAKS; i++)
        measure_peak(&together[i], &each[i], times->threads);
    if (status == EXIT_DONE) {
        sort(elapsed, repeat);
        sort(spent, repeat);
        sort(together, PEAKS);
        sort(each, PEAKS);
        times->repeat = repeat;
        times->median = elapsed[repeat / 2];
        times->least = elapsed[0];
        times->most = elapsed[repeat - 1];
        times->processor = spent[repeat / 2];
        times->peak = (bench_peak){together[PEAKS - 2], each[PEAKS - 2]};
    }
    free(elapsed);
    free(spent);
    return status;
}

void bench_print(const bench_times *times, double flops, const char *what)
{
    const double floor = flops / times->peak.together;

    printf("time         %.2f ms (median of %d; %.2f to %.2f)\n", 1e3 * times->median, times->repeat,
           1e3 * times->least, 1e3 * times->most);
    printf("speed        %.1f GFLOP/s (%.2f GFLOP: %s)\n", flops / times->median / 1e9, flops / 1e9, what);
    printf("peak         %.1f GFLOP/s of fused multiply-adds, measured in this run\n",
           times->peak.together / 1e9);
    printf("share        %.1f %% of the peak: %.3f times the floor of %.2f ms\n", 100 * floor / times->median,
           times->median / floor, 1e3 * floor);
    printf("processor    %.2f ms of all threads together: %.1f %% of their own peak, %.1f GFLOP/s each\n",
           1e3 * times->processor, 100 * flops / times->processor / times->peak.each, times->peak.each / 1e9);
    printf("memory       %.0f MB resident at most\n", times->resident / 1e6);
}

void bench_json(bool *good, json_t *object, const bench_times *times, double flops)
{
    json_put(good, object, "threads", json_integer(times->threads));
    json_put(good, object, "kernels", json_words(lancet_instruction_set()));
    json_put(good, object, "repeat", json_integer(times->repeat));
    json_put(good, object, "milliseconds", json_number(1e3 * times->median));
    json_put(good, object, "milliseconds_least", json_number(1e3 * times->least));
    json_put(good, object, "milliseconds_most", json_number(1e3 * times->most));
    json_put(good, object, "milliseconds_processor", json_number(1e3 * times->processor));
    json_put(good, object, "gflop", json_number(flops / 1e9));
    json_put(good, object, "gflops", json_number(flops / times->median / 1e9));
    json_put(good, object, "peak_gflops", json_number(times->peak.together / 1e9));
    json_put(good, object, "share_of_peak", json_number(flops / times->median / times->peak.together));
    json_put(good, object, "times_floor", json_number(times->median * times->peak.together / flops));
    json_put(good, object, "peak_gflops_each", json_number(times->peak.each / 1e9));
    json_put(good, object, "share_of_peak_processor",
             json_number(flops / times->processor / times->peak.each));
    json_put(good, object, "resident_bytes", json_integer((json_int_t)times->resident));
}
