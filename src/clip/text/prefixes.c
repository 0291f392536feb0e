/* SPDX-License-Identifier: Apache-2.0 */
#include "clip/text/prefixes.h"

#include <stdlib.h>

static size_t common(const lancet_text_row *a, const lancet_text_row *b)
{
    const size_t most = a->length < b->length ? a->length : b->length;
    size_t k = 0;

    while (k < most && a->ids[k] == b->ids[k])
        k++;
    return k;
}

/* By tokens, a text before those it begins; the same texts in the caller's order, so that the result does not
 * depend on the sort. */
static int compare(const void *a, const void *b)
{
    const lancet_sorted_text *x = a, *y = b;
    const size_t k = common(&x->row, &y->row);

    if (k < x->row.length && k < y->row.length)
        return x->row.ids[k] < y->row.ids[k] ? -1 : 1;
    if (x->row.length != y->row.length)
        return x->row.length < y->row.length ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

void lancet_texts_sort(lancet_sorted_text *sorted, const lancet_text_row *texts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        sorted[i] = (lancet_sorted_text){.row = texts[i], .index = i};
    qsort(sorted, count, sizeof *sorted, compare);
    for (size_t i = 1; i < count; i++)
        sorted[i].shared = common(&sorted[i - 1].row, &sorted[i].row);
}

lancet_text_run lancet_texts_fit(const lancet_sorted_text *texts, size_t count, size_t rows_max)
{
    lancet_text_run run = {0};

    while (run.texts < count) {
        const size_t length = texts[run.texts].row.length;
        const size_t fresh = length - lancet_text_begin(texts, run.texts);

        if (run.texts && run.rows + fresh > rows_max)
            break;
        run.rows += fresh;
        run.ends += fresh > 0;
        run.longest = length > run.longest ? length : run.longest;
        run.texts++;
    }
    return run;
}

void lancet_text_path(uint32_t *path, const uint32_t *positions, size_t row)
{
    size_t wanted = positions[row];

    path[wanted] = (uint32_t)row;
    while (wanted) {
        row--;
        if (positions[row] == wanted - 1)
            path[--wanted] = (uint32_t)row;
    }
}
