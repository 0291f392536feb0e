/* Matrices packed for kernels->packed_product, and products with them over a pool of threads.
 *
 * Every number of a result is summed in one order, whatever is computed together with it: results depend
 * neither on how the work is cut nor on who does it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_TENSOR_PACKED_H
#define LANCET_TENSOR_PACKED_H

#include "base/threads.h"
#include "tensor/kernels.h"

/** Columns of a chunk, which is what one task computes of a matrix: a whole number of panels. */
#define LANCET_PACKED_CHUNK 64

/** Floats (or units) of a packed matrix [depth, columns]. */
size_t lancet_packed_size(size_t depth, size_t columns);

/** Columns of the panel in memory that begins where `left` columns are left: a panel is two vectors wide, the
 * last one a single vector if that holds what is left. */
size_t lancet_packed_width(size_t left);

/** The matrix's columns from `first` on, a multiple of LANCET_PACKED_CHUNK. */
const float *lancet_packed_columns(const float *matrix, size_t depth, size_t first);

/** Where the numbers of column j go: packed[start + d * step]. What stays unwritten of the last panel must be
 * 0. */
typedef struct lancet_packed_place {
    size_t start, step;
} lancet_packed_place;

lancet_packed_place lancet_packed_find(size_t depth, size_t columns, size_t j);

/** What the numbers of a packed matrix are in memory. */
typedef enum lancet_packed_form {
    LANCET_FORM_FLOATS = 0,
    LANCET_FORM_HALVES,
    LANCET_FORM_BFLOATS,
    LANCET_FORM_BFLOAT_PAIRS /* two rows' numbers of a column side by side */
} lancet_packed_form;

/** A packed matrix [depth, columns] as it lies in memory, for those who read it otherwise than in products.
 */
typedef struct lancet_packed_matrix {
    const uint32_t *words; /* panel after panel [stored, lancet_packed_width] */
    size_t depth, columns;
    size_t stored; /* depth in words: numbers, or twos of them */
    lancet_packed_form form;
} lancet_packed_matrix;

/** The product, in parallel. */
void lancet_packed_run(lancet_pool *pool, const lancet_packed_product *product);

#endif
