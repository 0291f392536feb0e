/* Names out of files, made fit for messages. SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_CHECKPOINT_SHOW_H
#define LANCET_CHECKPOINT_SHOW_H

#include <stddef.h>

/** Copies the UTF-8 `text` into `shown`: control characters, which a terminal would obey, become '?'; what is
 * longer than `size` - 1 bytes ends in "...". `size` is 4 or more. Returns `shown`. */
const char *lancet_show(char *shown, size_t size, const char *text);

/** The same for `length` bytes that no zero ends. */
const char *lancet_show_piece(char *shown, size_t size, const char *text, size_t length);

#endif
