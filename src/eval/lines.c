/* SPDX-License-Identifier: Apache-2.0 */
#include "eval/lines.h"

#include <string.h>

lancet_status lancet_lines_open(lancet_lines *lines, const char *path, lancet_error *error)
{
    lancet_status status;

    *lines = (lancet_lines){.path = path};
    status = lancet_mapping_open(&lines->mapping, path, error);
    if (status != LANCET_OK)
        return status;
    if (lines->mapping.length > LANCET_LINES_BYTES_MAX) {
        status = lancet_fail(error, LANCET_ERROR_INPUT, "%s: expected a list of at most %zu bytes, found %zu",
                             path, LANCET_LINES_BYTES_MAX, lines->mapping.length);
        lancet_lines_close(lines);
        return status;
    }
    if (lines->mapping.length >= 3 && memcmp(lines->mapping.bytes, "\xEF\xBB\xBF", 3) == 0)
        lines->at = 3; /* the mark that some editors put before UTF-8 */
    return LANCET_OK;
}

bool lancet_lines_next(lancet_lines *lines, lancet_status *status, lancet_error *error)
{
    const size_t left = lines->mapping.length - lines->at;
    const char *start, *end;

    if (*status != LANCET_OK || !left)
        return false; /* an empty file has no bytes to point to */
    start = (const char *)lines->mapping.bytes + lines->at;
    lines->number++;
    end = memchr(start, '\n', left);
    lines->length = end ? (size_t)(end - start) : left;
    lines->at += lines->length + (end ? 1 : 0);
    lines->line = start;
    if (lines->length > LANCET_LINE_MAX || memchr(start, '\0', lines->length)) {
        *status = lancet_fail(error, LANCET_ERROR_INPUT,
                              "%s: line %zu: expected text of at most %d bytes, found %s", lines->path,
                              lines->number, LANCET_LINE_MAX,
                              lines->length > LANCET_LINE_MAX ? "more" : "a zero byte");
        return false;
    }
    while (lines->length && strchr(" \t\r", start[lines->length - 1]))
        lines->length--;
    return true;
}

void lancet_lines_close(lancet_lines *lines)
{
    lancet_mapping_close(&lines->mapping);
    *lines = (lancet_lines){0};
}
