/* What packing (linear.c) and running (linear_run.c) share. SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_TENSOR_LINEAR_INTERNAL_H
#define LANCET_TENSOR_LINEAR_INTERNAL_H

#include "tensor/linear.h"

/** How packed weights lie in memory. */
typedef enum lancet_linear_store {
    LANCET_STORE_UNITS = 0, /* as the kernels multiply them */
    LANCET_STORE_HALVES,    /* IEEE halves, to be widened to floats */
    LANCET_STORE_BFLOATS    /* bfloat16, to be widened to floats */
} lancet_linear_store;

struct lancet_linear {
    size_t in, out;
    lancet_packed_kind kind;
    lancet_linear_store store;
    size_t units;  /* of a column as it is multiplied */
    size_t stored; /* four-byte words of a column as it is stored: units, or half of them */
    size_t panels;
    uint32_t *packed; /* panel after panel [stored, width] */
    float *bias;      /* [out]; NULL: none */
    float *scales;    /* [out], WHOLE; NULL otherwise */
};

/** Columns of panel `index` in memory (lancet_packed_width). */
size_t lancet_linear_width(const lancet_linear *linear, size_t index);

/** Where panel `index` begins. */
const uint32_t *lancet_linear_panel(const lancet_linear *linear, size_t index);

#endif
