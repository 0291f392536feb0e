/* What `lancet bench` is made of. SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_BENCH_H
#define CLI_BENCH_H

#include "lancet/model.h"

#include <stddef.h>

/** Fused multiply-adds that `threads` threads reach together right now, in GFLOP/s (an addition and a
 * multiplication each count), with the widest vectors there are: measured for about `seconds`. 0 if no thread
 * can be started. */
double peak_measure(int threads, double seconds);

/** Multiplications and additions of the plain picture tower's products, every token projected, a
 * convolution's sum written out: the floor that all paths, and all ways to compute a convolution, are held
 * against. Norms, softmax and activations are not counted. */
double bench_flops(const lancet_model_description *model, int height, int width);

/** Sizes of a picture tower, by name: of a vision transformer, whose blocks are all in blocks[0], or of a
 * ModifiedResNet, whose patch is 0, width that of its stem, and blocks those of its four stages. */
typedef struct bench_shape {
    const char *name;
    size_t width, blocks[4], patch, side, embedding;
} bench_shape;

/** The shapes that can be asked for, ended by one without a name. */
extern const bench_shape bench_shapes[];

/** A model file of that shape in memory, with seeded half-precision weights: OpenAI's names, the vision tower
 * alone. NULL if memory is out; free() it. */
void *bench_model_make(const bench_shape *shape, size_t *length);

#endif
