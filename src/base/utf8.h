/* UTF-8. SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_BASE_UTF8_H
#define LANCET_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Reads the code point at bytes[0], of `length` >= 1 bytes. Returns how many bytes it takes (1-4), or 0 if
 * they are not well-formed UTF-8 (overlong, surrogate, above U+10FFFF, cut short). */
size_t lancet_utf8_read(uint32_t *point, const char *bytes, size_t length);

/** Writes a code point (<= U+10FFFF, no surrogate) as 1-4 bytes; returns how many. */
size_t lancet_utf8_write(char bytes[4], uint32_t point);

/** Offset of the first byte that is not well-formed UTF-8; `length` if all is well. */
size_t lancet_utf8_check(const char *bytes, size_t length);

#endif
