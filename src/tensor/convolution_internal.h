/* What packing (convolution.c) and running (convolution_run.c) share. SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_TENSOR_CONVOLUTION_INTERNAL_H
#define LANCET_TENSOR_CONVOLUTION_INTERNAL_H

#include "tensor/convolution.h"

struct lancet_convolution {
    lancet_convolution_kind kind;
    lancet_winograd tile;
    size_t in, out;
    size_t depth;       /* of a matrix: in, or 9 in */
    size_t points;      /* matrices: one for each of Winograd's points, else 1 */
    size_t matrix_size; /* floats of one */
    float *packed;      /* [points, matrix_size] */
    float *bias;        /* [out] */
    float *zeros;       /* [in]: a pixel beyond the border */
};

#endif
