/* What `lancet bench` is made of. SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_BENCH_H
#define CLI_BENCH_H

#include "bench_peak.h"
#include "json.h"
#include "texts.h"

#include "lancet/lancet.h"

#include <stdbool.h>
#include <stddef.h>

/** What one piece of work took, and what the machine could do meanwhile. */
typedef struct bench_times {
    int threads, repeat;
    double median, least, most; /* seconds on the clock */
    double processor;           /* the threads' own seconds, all together; the median */
    bench_peak peak;
    double resident; /* bytes at most */
} bench_times;

/** Runs `work`, which returns a status, once: the times and the memory, the peak left as it is. Returns its
 * status. */
int bench_once(bench_times *times, int (*work)(void *context), void *context);

/** Runs `work`, which returns a status, `warm` times and then `repeat` times that count; the machine's peak
 * is measured before and after. times->threads is set. Returns a status; failures are reported. */
int bench_time(bench_times *times, int warm, int repeat, int (*work)(void *context), void *context);

/** The lines that all reports have in common, from "time" to "memory". what: which operations `flops` counts.
 */
void bench_print(const bench_times *times, double flops, const char *what);

/** The same for a JSON object. */
void bench_json(bool *good, json_t *object, const bench_times *times, double flops);

/** Says what is timed (`about`, an object that is taken over, NULL if memory is out) and then answers
 * standard input line by line, until it ends: to "run" with the time of one run, to "peak" with the machine's
 * limit as it is now, each a JSON object in one line. Returns a status; failures are reported. */
int bench_rounds(json_t *about, int threads, double flops, int (*work)(void *context), void *context);

/** Multiplications and additions of the plain picture tower's products, every token projected, a
 * convolution's sum written out: the floor that all paths, and all ways to compute a convolution, are held
 * against. Norms, softmax and activations are not counted. */
double bench_flops(const lancet_model_description *model, int height, int width);

/** Sizes of a model, by name. The picture tower's: of a vision transformer, whose blocks are all in
 * blocks[0], or of a ModifiedResNet, whose patch is 0, width that of its stem, and blocks those of its four
 * stages. */
typedef struct bench_shape {
    const char *name;
    size_t width, blocks[4], patch, side, embedding, text_width;
} bench_shape;

/** The shapes that can be asked for, ended by one without a name. */
extern const bench_shape bench_shapes[];

/** A model file of that shape in memory, with seeded half-precision weights: OpenAI's names, one tower alone.
 * NULL if memory is out; free() it. */
void *bench_model_make(const bench_shape *shape, bool text, size_t *length);

/** How a bench reports. */
typedef enum bench_report { BENCH_TABLE, BENCH_JSON, BENCH_ROUNDS } bench_report;

/** Times label banks of these texts in the 85 templates, and prints the report. Returns a status; failures
 * are reported. */
int bench_labels(lancet_session *session, const texts *labels, int repeat, bench_report report);

#endif
