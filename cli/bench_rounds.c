/* `lancet bench --rounds`: one run for each line that is read, so that programs can be compared in turns.
 * SPDX-License-Identifier: Apache-2.0 */
#include "bench.h"

#include "report.h"

#include <stdio.h>
#include <string.h>

/* Prints the object in one line at once, whoever reads it waiting for it; `object` is taken over. */
static int say(json_t *object, bool good)
{
    const int status = good && json_dumpf(object, stdout, JSON_COMPACT | JSON_REAL_PRECISION(9)) == 0
                           ? EXIT_DONE
                           : report_memory();

    json_decref(object);
    putchar('\n');
    fflush(stdout);
    return status;
}

static int run(int (*work)(void *context), void *context)
{
    bench_times times = {.threads = 0};
    json_t *object;
    bool good;
    int status = bench_once(&times, work, context);

    if (status != EXIT_DONE)
        return status;
    good = (object = json_object()) != NULL;
    json_put(&good, object, "milliseconds", json_number(1e3 * times.median));
    json_put(&good, object, "milliseconds_processor", json_number(1e3 * times.processor));
    json_put(&good, object, "resident_bytes", json_integer((json_int_t)times.resident));
    return say(object, good);
}

static int tell_peak(int threads)
{
    const bench_peak peak = peak_measure(threads, 0.1);
    json_t *object = json_object();
    bool good = object != NULL;

    json_put(&good, object, "peak_gflops", json_number(peak.together / 1e9));
    json_put(&good, object, "peak_gflops_each", json_number(peak.each / 1e9));
    return say(object, good);
}

int bench_rounds(json_t *about, int threads, double flops, int (*work)(void *context), void *context)
{
    bool good = about != NULL;
    char line[16];
    int status;

    json_put(&good, about, "threads", json_integer(threads));
    json_put(&good, about, "kernels", json_words(lancet_instruction_set()));
    json_put(&good, about, "gflop", json_number(flops / 1e9));
    status = say(about, good);
    while (status == EXIT_DONE && fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        if (strcmp(line, "run") == 0)
            status = run(work, context);
        else if (strcmp(line, "peak") == 0)
            status = tell_peak(threads);
        else
            status = report_problem(LANCET_ERROR_INPUT, "stdin: expected run or peak, found '%s'", line);
    }
    return status;
}
