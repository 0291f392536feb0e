/* What packing (linear.c) and running (linear_run.c) share. SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_TENSOR_LINEAR_INTERNAL_H
#define LANCET_TENSOR_LINEAR_INTERNAL_H

#include "tensor/linear.h"

#include <dnnl.h>

/** Columns of a chunk. A multiple of oneDNN's packing block (64); small enough that few threads share the
 * work of a narrow layer evenly, large enough that a chunk's product runs at full speed. */
#define LANCET_CHUNK 192

/** The most rows of a tile; a group of more is cut into nearly equal tiles. */
#define LANCET_TILE_ROWS 256

struct lancet_linear {
    size_t in, out;
    size_t chunks;
    float *packed;                 /* every chunk's packed weights */
    float *bias;                   /* [out], zero where the layer has none */
    dnnl_memory_t *weights;        /* [chunks], views of `packed` */
    dnnl_memory_t *biases;         /* [chunks], views of `bias` */
    dnnl_memory_desc_t wide, last; /* layout of every chunk but the last, and of the last */
};

/** The one engine; made at first use, never closed (oneDNN keeps state of its own behind it anyway). */
dnnl_engine_t lancet_engine(void);

/** Columns of chunk `index`. */
size_t lancet_linear_columns(const lancet_linear *linear, size_t index);

/** A matmul [rows, depth] x [depth, columns] + bias into dense rows. weights: the layout to use, or NULL to
 * let oneDNN choose. after: the activation; ADD counts as nothing. */
dnnl_status_t lancet_product_describe(dnnl_primitive_desc_t *description, size_t rows, size_t columns,
                                      size_t depth, size_t in_stride, const dnnl_memory_desc_t *weights,
                                      lancet_linear_after after);

/** A Lancet error for what oneDNN refused. */
lancet_status lancet_product_failed(dnnl_status_t status, lancet_error *error);

/** Runs with one OpenMP thread, so that oneDNN computes on the calling thread; undo with lancet_omp_leave. */
int lancet_omp_enter(void);
void lancet_omp_leave(int before);

#endif
