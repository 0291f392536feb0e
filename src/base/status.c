/* SPDX-License-Identifier: Apache-2.0 */
#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *lancet_status_name(lancet_status status)
{
    switch (status) {
    case LANCET_OK:
        return "ok";
    case LANCET_ERROR_ARGUMENT:
        return "wrong usage";
    case LANCET_ERROR_INPUT:
        return "bad input";
    case LANCET_ERROR_UNSUPPORTED:
        return "unsupported";
    case LANCET_ERROR_IO:
        return "input/output error";
    case LANCET_ERROR_MEMORY:
        return "out of memory";
    }
    return "unknown status";
}

/* snprintf may cut in the middle of a UTF-8 character; a broken tail would make the message itself invalid.
 */
static void trim_broken_tail(char *message)
{
    size_t length = strlen(message), start = length;

    if (length + 1 < LANCET_ERROR_MESSAGE_SIZE)
        return;
    while (start > 0 && ((unsigned char)message[start - 1] & 0xC0) == 0x80)
        start--;
    if (start == 0)
        return;
    const unsigned char lead = (unsigned char)message[start - 1];
    const size_t need = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if (length - (start - 1) < need)
        message[start - 1] = '\0';
}

lancet_status lancet_fail(lancet_error *error, lancet_status status, const char *format, ...)
{
    if (error) {
        va_list arguments;

        error->status = status;
        va_start(arguments, format);
        vsnprintf(error->message, sizeof error->message, format, arguments);
        va_end(arguments);
        trim_broken_tail(error->message);
    }
    return status;
}

lancet_status lancet_fail_memory(lancet_error *error, const char *what)
{
    return lancet_fail(error, LANCET_ERROR_MEMORY, "out of memory for %s", what);
}

lancet_status lancet_fail_within(lancet_error *error, lancet_status status, const char *prefix)
{
    char message[LANCET_ERROR_MESSAGE_SIZE];

    if (!error)
        return status;
    memcpy(message, error->message, sizeof message);
    return lancet_fail(error, status, "%s: %s", prefix, message);
}
