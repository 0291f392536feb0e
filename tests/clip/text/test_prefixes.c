/* Texts that share their beginnings, against the definition: the distinct beginnings, counted and followed
 * one by one. SPDX-License-Identifier: Apache-2.0 */
#include "clip/text/prefixes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TEXTS   300
#define LENGTHS 20

static uint32_t seed = 1;

static uint32_t draw(uint32_t below)
{
    seed = seed * 1664525u + 1013904223u;
    return (uint32_t)((uint64_t)seed * below >> 32);
}

static int32_t ids[TEXTS][LENGTHS];
static lancet_text_row texts[TEXTS];
static lancet_sorted_text sorted[TEXTS];

/* Texts over few letters, so that they have much in common; some are others' beginnings, some the same. */
static void make_texts(size_t count, uint32_t letters, size_t longest)
{
    for (size_t i = 0; i < count; i++) {
        texts[i] = (lancet_text_row){ids[i], 1 + draw((uint32_t)longest)};
        for (size_t k = 0; k < texts[i].length; k++)
            ids[i][k] = (int32_t)draw(letters);
    }
}

static bool begins_like(const lancet_text_row *a, const lancet_text_row *b, size_t length)
{
    return a->length >= length && b->length >= length && memcmp(a->ids, b->ids, length * sizeof *a->ids) == 0;
}

/* Distinct beginnings of `count` sorted texts, and distinct texts among them. */
static void count_distinct(const lancet_sorted_text *of, size_t count, size_t *beginnings, size_t *whole)
{
    *beginnings = *whole = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t length = 1; length <= of[i].row.length; length++) {
            bool seen = false, same = false;

            for (size_t k = 0; k < i; k++) {
                seen = seen || begins_like(&of[k].row, &of[i].row, length);
                same = same || (of[k].row.length == length && begins_like(&of[k].row, &of[i].row, length));
            }
            *beginnings += !seen;
            *whole += length == of[i].row.length && !same;
        }
}

/* The rows of a run as the tower makes them: each spells its text, read along its path. */
static void check_run(const lancet_sorted_text *of, const lancet_text_run *run)
{
    uint32_t *positions = calloc(run->rows, sizeof *positions), path[LENGTHS];
    int32_t *tokens = calloc(run->rows, sizeof *tokens);
    size_t row = 0, beginnings, whole, longest = 0;

    count_distinct(of, run->texts, &beginnings, &whole);
    assert_int_equal(run->rows, beginnings);
    assert_int_equal(run->ends, whole);
    for (size_t i = 0; i < run->texts; i++) {
        longest = of[i].row.length > longest ? of[i].row.length : longest;
        for (size_t k = lancet_text_begin(of, i); k < of[i].row.length; k++) {
            positions[row] = (uint32_t)k;
            tokens[row++] = of[i].row.ids[k];
        }
        /* A text ends at the row that was made last. */
        lancet_text_path(path, positions, row - 1);
        assert_int_equal(positions[row - 1], of[i].row.length - 1);
        for (size_t k = 0; k < of[i].row.length; k++) {
            assert_int_equal(positions[path[k]], k);
            assert_int_equal(tokens[path[k]], of[i].row.ids[k]);
        }
    }
    assert_int_equal(row, run->rows);
    assert_int_equal(run->longest, longest);
    free(positions);
    free(tokens);
}

static void check(size_t count, size_t rows_max)
{
    bool seen[TEXTS] = {false};

    lancet_texts_sort(sorted, texts, count);
    for (size_t i = 0; i < count; i++) {
        const lancet_sorted_text *text = &sorted[i];

        assert_false(seen[text->index]);
        seen[text->index] = true;
        assert_ptr_equal(text->row.ids, texts[text->index].ids);
        assert_int_equal(text->row.length, texts[text->index].length);
    }
    for (size_t first = 0; first < count;) {
        const lancet_text_run run = lancet_texts_fit(sorted + first, count - first, rows_max);

        assert_true(run.texts > 0 && first + run.texts <= count);
        assert_true(run.rows <= rows_max || run.texts == 1);
        if (first + run.texts < count) { /* one more would not fit */
            size_t beginnings, whole;

            count_distinct(sorted + first, run.texts + 1, &beginnings, &whole);
            assert_true(beginnings > rows_max);
        }
        check_run(sorted + first, &run);
        first += run.texts;
    }
}

static void test_random_texts(void **state)
{
    (void)state;
    for (uint32_t letters = 1; letters <= 5; letters++)
        for (size_t longest = 1; longest <= LENGTHS; longest += 6)
            for (size_t count = 1; count <= 120; count += 1 + count) {
                make_texts(count, letters, longest);
                check(count, SIZE_MAX);
                check(count, 1);
                check(count, 30);
            }
    make_texts(TEXTS, 3, LENGTHS);
    check(TEXTS, 200);
}

static void test_the_same_text_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < 10; i++) {
        memcpy(ids[i], (const int32_t[]){7, 1, 9}, 3 * sizeof(int32_t));
        texts[i] = (lancet_text_row){ids[i], 3};
    }
    check(10, SIZE_MAX);
    check(10, 2);
    const lancet_text_run run = lancet_texts_fit(sorted, 10, 3);

    assert_int_equal(run.texts, 10);
    assert_int_equal(run.rows, 3);
    assert_int_equal(run.ends, 1);
    for (size_t i = 0; i < 10; i++) /* the caller's order */
        assert_int_equal(sorted[i].index, i);
}

/* Tokens are numbers, not bytes. */
static void test_a_beginning_comes_first(void **state)
{
    static const int32_t tokens[][3] = {{7, 256, 9}, {7, 256}, {7, 1}, {7}};
    static const size_t lengths[] = {3, 2, 2, 1}, shared[] = {0, 1, 1, 2};

    (void)state;
    for (size_t i = 0; i < 4; i++)
        texts[i] = (lancet_text_row){tokens[i], lengths[i]};
    check(4, SIZE_MAX);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(sorted[i].index, 3 - i);
        assert_int_equal(sorted[i].shared, shared[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_texts),
        cmocka_unit_test(test_the_same_text_again),
        cmocka_unit_test(test_a_beginning_comes_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
