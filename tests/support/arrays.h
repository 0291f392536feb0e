/* Comparing .npy files in tests. SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SUPPORT_ARRAYS_H
#define TESTS_SUPPORT_ARRAYS_H

#include "lancet/npy.h"

#include "support/files.h"

#include <math.h>

/** Reads an array that has to be there. */
static inline lancet_npy array_read(const char *path)
{
    lancet_npy array;
    lancet_error error = {0};

    if (lancet_npy_read(&array, path, &error) != LANCET_OK)
        fail_msg("%s", error.message);
    return array;
}

/** The largest absolute difference over the largest magnitude in `expected`. */
static inline double array_difference(const float *expected, const float *found, size_t count)
{
    double largest = 0, difference = 0;

    for (size_t i = 0; i < count; i++) {
        const double e = (double)expected[i], f = (double)found[i];

        if (!isfinite(e) || !isfinite(f))
            return INFINITY;
        largest = fmax(largest, fabs(e));
        difference = fmax(difference, fabs(e - f));
    }
    return difference > 0 ? difference / largest : 0;
}

/** Fails unless both files hold the same shape, and floats within 2e-4 of the first one's largest magnitude.
 */
static inline void arrays_agree(const char *expected_path, const char *found_path)
{
    lancet_npy expected = array_read(expected_path), found = array_read(found_path);
    double difference;

    assert_int_equal(found.type, LANCET_NPY_FLOAT32);
    assert_int_equal(expected.rank, found.rank);
    for (size_t d = 0; d < expected.rank; d++)
        assert_int_equal(expected.shape[d], found.shape[d]);
    difference = array_difference(expected.values, found.values, expected.count);
    if (!(difference <= 2e-4))
        fail_msg("%s and %s differ by %g", expected_path, found_path, difference);
    lancet_npy_close(&expected);
    lancet_npy_close(&found);
}

#endif
