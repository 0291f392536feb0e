/* SPDX-License-Identifier: Apache-2.0 */
#include "clip/text/alphabet.h"

#include "base/utf8.h"

#include <string.h>

/* Printable are 0x21-0x7E, 0xA1-0xAC and 0xAE-0xFF; the rest is 0x00-0x20, 0x7F-0xA0 and 0xAD. */
enum { FIRST_REST = 33, SECOND_REST = 34, REST = FIRST_REST + SECOND_REST + 1, PRINTABLE = 256 - REST };

static bool is_printable(unsigned byte)
{
    return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

uint32_t lancet_alphabet_point(unsigned byte)
{
    if (is_printable(byte))
        return byte;
    if (byte <= 0x20)
        return 0x100 + byte;
    return byte == 0xAD ? 0x100 + REST - 1 : 0x100 + FIRST_REST + (byte - 0x7F);
}

int lancet_alphabet_byte(uint32_t point)
{
    if (point < 0x100)
        return is_printable(point) ? (int)point : -1;
    point -= 0x100;
    if (point < FIRST_REST)
        return (int)point;
    if (point < REST - 1)
        return 0x7F + (int)point - FIRST_REST;
    return point == REST - 1 ? 0xAD : -1;
}

unsigned lancet_alphabet_ordered(unsigned index)
{
    if (index < 94)
        return 0x21 + index;
    if (index < 94 + 12)
        return 0xA1 + index - 94;
    if (index < PRINTABLE)
        return 0xAE + index - 94 - 12;
    return (unsigned)lancet_alphabet_byte(0x100 + index - PRINTABLE);
}

size_t lancet_alphabet_spell(char symbol[8], unsigned byte, bool end)
{
    size_t length = lancet_utf8_write(symbol, lancet_alphabet_point(byte));

    if (end) {
        memcpy(symbol + length, LANCET_WORD_END, 4);
        length += 4;
    }
    return length;
}
