/* SPDX-License-Identifier: Apache-2.0 */
#include "clip/text/excerpt.h"

#include "base/utf8.h"

#include <string.h>

lancet_excerpt lancet_excerpt_of(const char *text, size_t length)
{
    lancet_excerpt excerpt;
    size_t used = 0, at = 0;

    while (at < length && used + 4 + sizeof "..." <= sizeof excerpt.text) {
        uint32_t point;
        const size_t step = lancet_utf8_read(&point, text + at, length - at);

        if (step && point >= ' ' && !(point >= 0x7F && point < 0xA0)) {
            memcpy(excerpt.text + used, text + at, step);
            used += step;
        } else {
            excerpt.text[used++] = '?';
        }
        at += step ? step : 1;
    }
    memcpy(excerpt.text + used, at < length ? "..." : "", at < length ? sizeof "..." : 1);
    return excerpt;
}
