/* Text files line by line. SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_EVAL_LINES_H
#define LANCET_EVAL_LINES_H

#include "base/file.h"

/** Longer lines are refused. */
#define LANCET_LINE_MAX 4096

/** Larger files are refused. */
#define LANCET_LINES_BYTES_MAX ((size_t)256 << 20)

/** A file being read. Zero-initialised is closed. */
typedef struct lancet_lines {
    const char *path; /* the caller's */
    lancet_mapping mapping;
    size_t at;
    size_t number;    /* of the last line, from 1 */
    const char *line; /* without its end, and without blanks and a carriage return there; not terminated */
    size_t length;
} lancet_lines;

/** `path` has to outlive the lines. Errors: IO, INPUT (not a file, too large). */
lancet_status lancet_lines_open(lancet_lines *lines, const char *path, lancet_error *error);

/** Steps to the next line; false at the end, or with *status set if a line is too long or has a zero byte. */
bool lancet_lines_next(lancet_lines *lines, lancet_status *status, lancet_error *error);

void lancet_lines_close(lancet_lines *lines);

#endif
