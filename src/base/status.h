/* Filling in errors. SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_BASE_STATUS_H
#define LANCET_BASE_STATUS_H

#include "lancet/error.h"

/** Writes `format` into `error` (may be NULL) and returns `status`, so that a failing function ends in one
 * line. */
lancet_status lancet_fail(lancet_error *error, lancet_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** The message every failed allocation gives. */
lancet_status lancet_fail_memory(lancet_error *error, const char *what);

/** Puts "`prefix`: " before the message that is already there; used where a caller knows the file or tensor.
 */
lancet_status lancet_fail_within(lancet_error *error, lancet_status status, const char *prefix);

#endif
