/* SPDX-License-Identifier: Apache-2.0 */
#include "checkpoint/json.h"

/* Only what must be escaped is; UTF-8 goes through as it is. */
void lancet_json_print(lancet_buffer *out, const char *text)
{
    size_t start = 0, i = 0;

    lancet_buffer_append(out, "\"", 1);
    for (; text[i]; i++) {
        const unsigned char c = (unsigned char)text[i];

        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        lancet_buffer_append(out, text + start, i - start);
        if (c == '\n') /* by far the most frequent: a vocabulary has tens of thousands */
            lancet_buffer_append(out, "\\n", 2);
        else if (c < 0x20)
            lancet_buffer_print(out, "\\u%04x", (unsigned)c);
        else
            lancet_buffer_print(out, "\\%c", c);
        start = i + 1;
    }
    lancet_buffer_append(out, text + start, i - start);
    lancet_buffer_append(out, "\"", 1);
}
