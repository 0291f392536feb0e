/* SPDX-License-Identifier: Apache-2.0 */
#include "checkpoint/show.h"

#include <stdbool.h>
#include <string.h>

const char *lancet_show_piece(char *shown, size_t size, const char *text, size_t length)
{
    const bool cut = length >= size;
    size_t kept = cut ? size - 4 : length;

    while (cut && kept && ((unsigned char)text[kept] & 0xC0) == 0x80)
        kept--;
    for (size_t i = 0; i < kept; i++) {
        const unsigned char byte = (unsigned char)text[i];
        /* U+0080 to U+009F are control characters too. */
        const bool high = (byte == 0xC2 && i + 1 < length && (unsigned char)text[i + 1] < 0xA0) ||
                          (i && (unsigned char)text[i - 1] == 0xC2 && byte < 0xA0);

        shown[i] = byte < 0x20 || byte == 0x7F || high ? '?' : text[i];
    }
    memcpy(shown + kept, cut ? "..." : "", cut ? 4 : 1);
    return shown;
}

const char *lancet_show(char *shown, size_t size, const char *text)
{
    return lancet_show_piece(shown, size, text, strlen(text));
}
