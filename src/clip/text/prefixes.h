/* Texts that begin alike, side by side. A token's row in the text tower depends on the tokens before it and
 * on nothing else, so texts with a common beginning share its rows: templates share much of theirs.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_CLIP_TEXT_PREFIXES_H
#define LANCET_CLIP_TEXT_PREFIXES_H

#include "clip/text/tower.h"

/** A text in the order of its tokens. */
typedef struct lancet_sorted_text {
    lancet_text_row row;
    size_t index;  /* its place in the caller's list */
    size_t shared; /* how many of its first tokens the text before it has as well; all of them: the same text
                      again, since a text stands before those it begins. 0 for the first */
} lancet_sorted_text;

/** sorted [count], from texts [count]. */
void lancet_texts_sort(lancet_sorted_text *sorted, const lancet_text_row *texts, size_t count);

/** A run of sorted texts that is encoded at once: its distinct beginnings, each a row, stand in the order of
 * the texts. So the rows before one, read backwards for ever earlier positions, are the tokens before it. The
 * run's first text brings all of its rows, wherever they were computed before. */
typedef struct lancet_text_run {
    size_t texts, rows, ends; /* ends: distinct texts, and so rows that are read */
    size_t longest;           /* tokens */
} lancet_text_run;

/** As many of the texts (at least one, of count >= 1) as have at most `rows_max` rows together. */
lancet_text_run lancet_texts_fit(const lancet_sorted_text *texts, size_t count, size_t rows_max);

/** The first row that text `index` of a run brings, as a position in the text; its length: it brings none. */
static inline size_t lancet_text_begin(const lancet_sorted_text *texts, size_t index)
{
    return index ? texts[index].shared : 0;
}

/** path [positions[row] + 1]: the rows that `row` sees, itself last. positions: of each row of the run. */
void lancet_text_path(uint32_t *path, const uint32_t *positions, size_t row);

#endif
