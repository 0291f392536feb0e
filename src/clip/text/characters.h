/* What the tokenizer has to know about a character. SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_CLIP_TEXT_CHARACTERS_H
#define LANCET_CLIP_TEXT_CHARACTERS_H

#include "clip/text/points.h"

/** The classes that CLIP's word pattern tells apart. */
typedef enum lancet_character {
    LANCET_CHARACTER_SPACE,  /**< Unicode White_Space */
    LANCET_CHARACTER_LETTER, /**< \p{L} */
    LANCET_CHARACTER_NUMBER, /**< \p{N} */
    LANCET_CHARACTER_OTHER,  /**< everything else; a run of these is one word */
    LANCET_CHARACTER_NONE    /**< belongs to no word (U+0345 alone, see characters.c) */
} lancet_character;

lancet_character lancet_character_class(uint32_t point);

/** What Windows-1252 has where Latin-1 has the control characters U+0080 to U+009F: the quotes and
 * dashes that texts mean when they hold these. Any other point, and the five that it leaves free, stay
 * what they are. */
uint32_t lancet_windows_1252(uint32_t point);

/** Appends the lower case of `in` to `out` as Python's str.lower gives it: the full mapping, with the
 * rule for the final sigma.
 * False if memory is out. */
bool lancet_lower(lancet_points *out, const lancet_points *in);

#endif
