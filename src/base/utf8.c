/* SPDX-License-Identifier: Apache-2.0 */
#include "base/utf8.h"

size_t lancet_utf8_read(uint32_t *point, const char *bytes, size_t length)
{
    const unsigned char *b = (const unsigned char *)bytes;
    size_t need;
    uint32_t value, least;

    if (b[0] < 0x80) {
        *point = b[0];
        return 1;
    }
    if (b[0] < 0xC2)
        return 0;
    if (b[0] < 0xE0) {
        need = 2;
        value = b[0] & 0x1Fu;
        least = 0x80;
    } else if (b[0] < 0xF0) {
        need = 3;
        value = b[0] & 0x0Fu;
        least = 0x800;
    } else if (b[0] < 0xF5) {
        need = 4;
        value = b[0] & 0x07u;
        least = 0x10000;
    } else {
        return 0;
    }
    if (length < need)
        return 0;
    for (size_t i = 1; i < need; i++) {
        if ((b[i] & 0xC0) != 0x80)
            return 0;
        value = value << 6 | (b[i] & 0x3Fu);
    }
    if (value < least || value > 0x10FFFF || (value >= 0xD800 && value < 0xE000))
        return 0;
    *point = value;
    return need;
}

size_t lancet_utf8_write(char bytes[4], uint32_t point)
{
    if (point < 0x80) {
        bytes[0] = (char)point;
        return 1;
    }
    if (point < 0x800) {
        bytes[0] = (char)(0xC0 | point >> 6);
        bytes[1] = (char)(0x80 | (point & 0x3F));
        return 2;
    }
    if (point < 0x10000) {
        bytes[0] = (char)(0xE0 | point >> 12);
        bytes[1] = (char)(0x80 | (point >> 6 & 0x3F));
        bytes[2] = (char)(0x80 | (point & 0x3F));
        return 3;
    }
    bytes[0] = (char)(0xF0 | point >> 18);
    bytes[1] = (char)(0x80 | (point >> 12 & 0x3F));
    bytes[2] = (char)(0x80 | (point >> 6 & 0x3F));
    bytes[3] = (char)(0x80 | (point & 0x3F));
    return 4;
}

size_t lancet_utf8_check(const char *bytes, size_t length)
{
    size_t at = 0;

    while (at < length) {
        uint32_t point;
        const size_t step = lancet_utf8_read(&point, bytes + at, length - at);

        if (!step)
            return at;
        at += step;
    }
    return length;
}
