/* Quoting a file in a message. SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_CLIP_TEXT_EXCERPT_H
#define LANCET_CLIP_TEXT_EXCERPT_H

#include <stddef.h>

/** Room for what a message quotes. */
typedef struct lancet_excerpt {
    char text[64];
} lancet_excerpt;

/** The beginning of `text`, fit for a message: cut at a character, control characters (a terminal would
 * obey them) and broken UTF-8 as '?'. */
lancet_excerpt lancet_excerpt_of(const char *text, size_t length);

#endif
