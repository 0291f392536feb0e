/* CLIP's spelling of bytes as characters. SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_CLIP_TEXT_ALPHABET_H
#define LANCET_CLIP_TEXT_ALPHABET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What ends the last symbol of a word. */
#define LANCET_WORD_END "</w>"

/** The code point that stands for a byte: printable bytes for themselves, the 68 others from U+0100 on. */
uint32_t lancet_alphabet_point(unsigned byte);

/** The byte that a code point stands for; -1 if for none. */
int lancet_alphabet_byte(uint32_t point);

/** The byte with id `index` (0 to 255) in CLIP's own numbering: the printable ones first. */
unsigned lancet_alphabet_ordered(unsigned index);

/** Writes the symbol of a byte, the one that ends a word if `end`; returns its length (no zero is
 * written). */
size_t lancet_alphabet_spell(char symbol[8], unsigned byte, bool end);

#endif
