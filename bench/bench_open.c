/* How long models take to open, in turns, so that each meets the same machine: time, and processor time (of
 * all threads), which a busy machine changes less. Prints the medians of the rounds for each file, and both
 * as a share of the first file's.
 *
 * Usage: bench_open [MODEL...] (default: the model that comes with Lancet, and what it is converted to, in
 * $TMPDIR). Files are read once before, so that it is not the disk that is timed. SPDX-License-Identifier:
 * Apache-2.0
 */
#include "bench.h"

#include "lancet/lancet.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MODELS_MAX 16
#define ROUNDS     9

static lancet_error error;

static void check(lancet_status status)
{
    if (status != LANCET_OK) {
        fprintf(stderr, "%s\n", error.message);
        exit((int)status);
    }
}

/* What one opening takes. */
struct cost {
    double time, processor;
};

static double processor_now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static struct cost open_once(const char *path)
{
    const struct cost start = {bench_now(), processor_now()};
    lancet_model *model = NULL;
    struct cost took;

    check(lancet_model_open(&model, path, NULL, &error));
    took = (struct cost){bench_now() - start.time, processor_now() - start.processor};
    lancet_model_close(&model);
    return took;
}

static int compare(const void *left, const void *right)
{
    const double *a = left, *b = right;

    return *a < *b ? -1 : *a > *b;
}

/* The model that comes with Lancet in every type. */
static size_t convert_all(char paths[4][512])
{
    const char *folder = getenv("TMPDIR");
    lancet_model *model = NULL;

    check(lancet_model_open(&model, MODEL_IN_THE_BOX, &(lancet_model_options){.towers = LANCET_TOWERS_NONE},
                            &error));
    for (int i = 0; i < 4; i++) {
        snprintf(paths[i], sizeof paths[i], "%s/lancet-open-%ld-%d.safetensors",
                 folder && *folder ? folder : "/tmp", (long)getpid(), i);
        check(lancet_model_convert(NULL, model, paths[i],
                                   &(lancet_convert_options){.type = (lancet_weight_type)i}, &error));
    }
    lancet_model_close(&model);
    return 4;
}

int main(int argc, char **argv)
{
    static double times[MODELS_MAX][ROUNDS], processor[MODELS_MAX][ROUNDS];
    static char converted[4][512];
    const char *paths[MODELS_MAX] = {MODEL_IN_THE_BOX};
    size_t count = argc > 1 ? 0 : 1;

    if (argc > MODELS_MAX)
        return LANCET_ERROR_ARGUMENT;
    for (int i = 1; i < argc; i++)
        paths[count++] = argv[i];
    if (argc == 1)
        for (size_t i = 0, made = convert_all(converted); i < made; i++)
            paths[count++] = converted[i];
    for (size_t i = 0; i < count; i++)
        open_once(paths[i]);
    for (size_t round = 0; round < ROUNDS; round++)
        for (size_t i = 0; i < count; i++) {
            const struct cost cost = open_once(paths[i]);

            times[i][round] = cost.time;
            processor[i][round] = cost.processor;
        }
    for (size_t i = 0; i < count; i++) {
        qsort(times[i], ROUNDS, sizeof *times[i], compare);
        qsort(processor[i], ROUNDS, sizeof *processor[i], compare);
    }
    printf("time          processor     of the first   model\n");
    for (size_t i = 0; i < count; i++)
        printf("%8.1f ms   %8.1f ms   %4.2f, %4.2f     %s\n", 1e3 * times[i][ROUNDS / 2],
               1e3 * processor[i][ROUNDS / 2], times[i][ROUNDS / 2] / times[0][ROUNDS / 2],
               processor[i][ROUNDS / 2] / processor[0][ROUNDS / 2], paths[i]);
    for (size_t i = 0; argc == 1 && i < 4; i++)
        unlink(converted[i]);
    return 0;
}
