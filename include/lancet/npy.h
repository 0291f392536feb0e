/* Arrays in NumPy's .npy files.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_NPY_H
#define LANCET_NPY_H

#include "lancet/error.h"

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The most dimensions an array may have. */
#define LANCET_NPY_RANK_MAX 8

typedef enum lancet_npy_type { LANCET_NPY_FLOAT32 = 0, LANCET_NPY_INT32, LANCET_NPY_UINT8 } lancet_npy_type;

/** A dense array, row-major. Zero-initialised is empty. */
typedef struct lancet_npy {
    lancet_npy_type type;
    size_t rank;
    size_t shape[LANCET_NPY_RANK_MAX];
    size_t count; /**< product of the shape: 1 for rank 0 */
    void *values; /**< float, int32_t or uint8_t [count] */
} lancet_npy;

/** Reads a .npy file (versions 1 to 3). float16 and float64 become float32, int64 and the other integers
 * int32 (a value that does not fit is an INPUT error), bool and uint8 uint8; either byte order; Fortran order
 * is re-ordered. On success array->values is the caller's, to be freed by lancet_npy_close. On failure *array
 * is empty. Errors: IO, INPUT (not .npy, cut short, a lying shape), UNSUPPORTED (another type: named),
 * MEMORY. */
LANCET_API lancet_status lancet_npy_read(lancet_npy *array, const char *path, lancet_error *error);

/** Writes a .npy file (version 1.0, little-endian, C order) as a whole or not at all.
 * values: type's elements [shape[0], ..., shape[rank - 1]]. Errors: ARGUMENT (a NULL, rank too high), IO,
 * MEMORY. */
LANCET_API lancet_status lancet_npy_write(const char *path, lancet_npy_type type, const size_t *shape,
                                          size_t rank, const void *values, lancet_error *error);

/** Frees the values and empties *array; accepts NULL. */
LANCET_API void lancet_npy_close(lancet_npy *array);

#ifdef __cplusplus
}
#endif
#endif
