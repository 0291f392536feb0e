/* Convolutions of channels-last pictures [height, width, channels], a pixel's channels side by side and
 * pixels
 * `*_stride` floats apart. Batch norm is folded into the weights, in double precision.
 *
 * A 1x1 convolution is a product with a packed matrix. A 3x3 convolution goes by Winograd's algorithm, F(2x2,
 * 3x3) or F(4x4, 3x3): squares of pixels are transformed, multiplied with transformed weights point by point,
 * and transformed back, which takes 2.25 or 4 times fewer multiplications than the sum written out. What that
 * costs in precision is in docs/performance.md.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_TENSOR_CONVOLUTION_H
#define LANCET_TENSOR_CONVOLUTION_H

#include "base/threads.h"
#include "tensor/kernels.h"
#include "tensor/tensor.h"

/** Packed weights, immutable and shared between threads. */
typedef struct lancet_convolution lancet_convolution;

/** A batch norm's numbers: (x - mean) / sqrt(variance + epsilon) * weight + bias. */
typedef struct lancet_batch_norm {
    lancet_tensor weight, bias, mean, variance; /* [out] */
} lancet_batch_norm;

/** Which convolution the weights are of. */
typedef enum lancet_convolution_kind {
    LANCET_CONVOLUTION_1X1,    /* weights [out, in, 1, 1] or [out, in] */
    LANCET_CONVOLUTION_3X3,    /* [out, in, 3, 3]; stride 1, padding 1 */
    LANCET_CONVOLUTION_PICTURE /* [out, in, 3, 3]; stride 2, padding 1, of channels that lie apart: [in,
                                  height, width] */
} lancet_convolution_kind;

typedef struct lancet_convolution_source {
    lancet_convolution_kind kind;
    const lancet_tensor *weight;
    const lancet_tensor *bias;     /* [out]; NULL: none */
    const lancet_batch_norm *norm; /* of the result; NULL: none */
    double epsilon;                /* of the norm */
    lancet_winograd tile;          /* of 3X3 */
} lancet_convolution_source;

/** Converts, folds and packs. Errors: MEMORY. */
lancet_status lancet_convolution_open(lancet_convolution **convolution,
                                      const lancet_convolution_source *source, lancet_pool *pool,
                                      lancet_error *error);
void lancet_convolution_close(lancet_convolution **convolution);
size_t lancet_convolution_in(const lancet_convolution *convolution);
size_t lancet_convolution_out(const lancet_convolution *convolution);

/** One convolution to do. */
typedef struct lancet_convolution_job {
    const lancet_convolution *convolution;
    const float *in;            /* [pictures, height, width, in] */
    const float *const *planes; /* PICTURE takes these instead: [pictures] of [in, height, width] */
    float *out;                 /* [pictures, height, width, out]; PICTURE: half of both, rounded up */
    const float *add; /* [pictures, height, width, out] to be added; 1X1 only; NULL: none; may be out */
    size_t in_stride, out_stride, add_stride;
    size_t pictures, height, width; /* of what goes in */
    bool relu;                      /* nothing below 0, at the very end */
    bool average;   /* of each 2 x 2 results their mean (a last odd row or column is left out); 3X3 only */
    float *scratch; /* lancet_convolution_scratch floats, 64-byte aligned */
} lancet_convolution_job;

/** Floats of scratch memory that such a job needs. */
size_t lancet_convolution_scratch(const lancet_convolution_job *job, const lancet_pool *pool);

void lancet_convolution_run(lancet_pool *pool, const lancet_convolution_job *job);

/** Floats between the pixels of so many channels: whole cache lines, and no large power of two, at which
 * distance the rows of a product would fall on each other in the cache. */
size_t lancet_row_stride(size_t channels);

/** out [pictures, height / 2, width / 2, channels] = the means of each 2 x 2 pixels of in [pictures, height,
 * width, channels]. */
void lancet_average_run(lancet_pool *pool, float *out, size_t out_stride, const float *in, size_t in_stride,
                        size_t pictures, size_t height, size_t width, size_t channels);

#endif
