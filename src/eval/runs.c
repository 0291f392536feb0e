/* SPDX-License-Identifier: Apache-2.0 */
#include "eval/runs.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

/* The compressed string: five bits of a length in a character, lowest first; 32 says that more follow, and 16
 * in the last one that the number is negative. From the fourth length on it is what the length differs by
 * from the one before last, which for shapes is a small number. */
#define CODE_FIRST '0'
#define CODE_BITS  5
#define CODE_MORE  32
#define CODE_SIGN  16
#define CODES_MAX  7 /* of a difference of two 26-bit numbers, generously */

lancet_status lancet_runs_append(lancet_runs *runs, size_t start, size_t end, lancet_error *error)
{
    if (start >= end)
        return LANCET_OK;
    if (runs->count == runs->capacity) {
        const size_t capacity = runs->capacity ? 2 * runs->capacity : 32;
        lancet_run *grown = lancet_allocate(capacity, sizeof *grown);

        if (!grown)
            return lancet_fail_memory(error, "the runs of a mask");
        if (runs->count)
            memcpy(grown, runs->runs, runs->count * sizeof *grown);
        lancet_free(runs->runs);
        runs->runs = grown;
        runs->capacity = capacity;
    }
    runs->runs[runs->count++] = (lancet_run){(uint32_t)start, (uint32_t)end};
    return LANCET_OK;
}

static int compare_runs(const void *left, const void *right)
{
    const lancet_run *a = left, *b = right;

    return a->start < b->start ? -1 : a->start > b->start;
}

void lancet_runs_unite(lancet_runs *runs)
{
    size_t kept = 0;
    bool sorted = true;

    for (size_t i = 1; i < runs->count && sorted; i++)
        sorted = runs->runs[i - 1].start <= runs->runs[i].start;
    if (!sorted)
        qsort(runs->runs, runs->count, sizeof *runs->runs, compare_runs);
    for (size_t i = 0; i < runs->count; i++) {
        lancet_run *last = kept ? &runs->runs[kept - 1] : NULL;

        if (!last || runs->runs[i].start > last->end)
            runs->runs[kept++] = runs->runs[i];
        else if (runs->runs[i].end > last->end)
            last->end = runs->runs[i].end;
    }
    runs->count = kept;
}

uint64_t lancet_runs_area(const lancet_runs *runs)
{
    uint64_t area = 0;

    for (size_t i = 0; i < runs->count; i++)
        area += runs->runs[i].end - runs->runs[i].start;
    return area;
}

void lancet_runs_clear(lancet_runs *runs)
{
    runs->count = 0;
}

void lancet_runs_close(lancet_runs *runs)
{
    lancet_free(runs->runs);
    *runs = (lancet_runs){0};
}

void lancet_runs_paint(const lancet_runs *runs, uint8_t *mask, size_t width, size_t height, uint8_t value)
{
    for (size_t i = 0; i < runs->count; i++) {
        size_t x = runs->runs[i].start / height, y = runs->runs[i].start % height;

        for (size_t p = runs->runs[i].start; p < runs->runs[i].end; p++) {
            mask[y * width + x] = value;
            if (++y == height) {
                y = 0;
                x++;
            }
        }
    }
}

lancet_status lancet_run_lengths_next(lancet_run_lengths *lengths, lancet_runs *runs, size_t length,
                                      lancet_error *error)
{
    lancet_status status = LANCET_OK;

    if (length > lengths->pixels - lengths->at)
        return lancet_fail(error, LANCET_ERROR_INPUT, "run lengths: expected %zu pixels in all, found more",
                           lengths->pixels);
    if (lengths->on)
        status = lancet_runs_append(runs, lengths->at, lengths->at + length, error);
    lengths->at += length;
    lengths->on = !lengths->on;
    return status;
}

lancet_status lancet_run_lengths_end(const lancet_run_lengths *lengths, lancet_error *error)
{
    if (lengths->at != lengths->pixels)
        return lancet_fail(error, LANCET_ERROR_INPUT, "run lengths: expected %zu pixels in all, found %zu",
                           lengths->pixels, lengths->at);
    return LANCET_OK;
}

/* One number of the string; *at moves behind it. */
static lancet_status decode_number(int64_t *number, const char *text, size_t length, size_t *at,
                                   lancet_error *error)
{
    uint64_t bits = 0;

    for (unsigned place = 0; place < CODES_MAX; place++) {
        unsigned code;

        if (*at == length)
            return lancet_fail(error, LANCET_ERROR_INPUT, "run lengths: the last one is cut short");
        code = (unsigned)(unsigned char)text[*at] - CODE_FIRST;
        if (code > 63)
            return lancet_fail(error, LANCET_ERROR_INPUT,
                               "run lengths: expected characters from '0' to 'o', found the byte %d",
                               (unsigned char)text[*at]);
        ++*at;
        bits |= (uint64_t)(code & (CODE_MORE - 1)) << (CODE_BITS * place);
        if (!(code & CODE_MORE)) {
            *number = (int64_t)bits;
            if (code & CODE_SIGN)
                *number -= (int64_t)1 << (CODE_BITS * (place + 1));
            return LANCET_OK;
        }
    }
    return lancet_fail(error, LANCET_ERROR_INPUT, "run lengths: a number of more than %d characters",
                       CODES_MAX);
}

lancet_status lancet_runs_decode(lancet_runs *runs, const char *text, size_t length, size_t width,
                                 size_t height, lancet_error *error)
{
    lancet_run_lengths lengths = {.pixels = width * height};
    int64_t before[2] = {0, 0}; /* the last two */

    for (size_t at = 0, i = 0; at < length; i++) {
        int64_t number = 0;
        lancet_status status = decode_number(&number, text, length, &at, error);

        if (status != LANCET_OK)
            return status;
        if (i > 2)
            number += before[i % 2];
        if (number < 0)
            return lancet_fail(error, LANCET_ERROR_INPUT, "run lengths: a negative one");
        before[i % 2] = number;
        status = lancet_run_lengths_next(&lengths, runs, (size_t)number, error);
        if (status != LANCET_OK)
            return status;
    }
    return lancet_run_lengths_end(&lengths, error);
}
