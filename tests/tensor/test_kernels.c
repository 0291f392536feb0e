/* Every kernel table against the scalar one, which is the specification: on remainders of every vector width,
 * on extremes, on unaligned memory, with guards around what may be written. SPDX-License-Identifier:
 * Apache-2.0 */
#include "base/memory.h"
#include "tensor/kernels.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define GUARD  12345.0f
#define GUARDS 16

static const char *const names[] = {"avx2", "avx512", "avx512-bf16"};
static uint32_t seed = 1;

/* -1 .. 1 */
static float draw(void)
{
    seed = seed * 1664525u + 1013904223u;
    return (float)(int32_t)seed / 2147483648.0f;
}

static float *make(size_t count, float size)
{
    float *values = lancet_allocate(count + 2 * GUARDS, sizeof *values);

    assert_non_null(values);
    for (size_t i = 0; i < count + 2 * GUARDS; i++)
        values[i] = i < GUARDS || i >= count + GUARDS ? GUARD : size * draw();
    return values + GUARDS;
}

static void drop(float *values, size_t count)
{
    for (size_t i = 0; i < GUARDS; i++) {
        assert_true(values[-1 - (ptrdiff_t)i] == GUARD);
        assert_true(values[count + i] == GUARD);
    }
    lancet_free(values - GUARDS);
}

static void assert_close(const float *found, const float *expected, size_t count, double limit)
{
    double largest = 1e-30;

    for (size_t i = 0; i < count; i++)
        largest = fmax(largest, fabs((double)expected[i]));
    for (size_t i = 0; i < count; i++) {
        const double difference = fabs((double)found[i] - expected[i]);

        if (!(difference <= limit * largest))
            fail_msg("element %zu of %zu: expected %.9g, found %.9g", i, count, (double)expected[i],
                     (double)found[i]);
    }
}

/* Runs `check` with every table that this processor has. */
static void each(void (*check)(const lancet_kernels *kernels))
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const lancet_kernels *kernels = lancet_kernels_named(names[i]);

        if (!kernels) {
            print_message("this processor has no %s: skipped\n", names[i]);
            continue;
        }
        assert_string_equal(kernels->name, names[i]);
        seed = 1;
        check(kernels);
    }
}

static void check_layer_norm(const lancet_kernels *kernels)
{
    static const float sizes[] = {1, 1e-4f, 1e6f};

    for (size_t s = 0; s < 3; s++)
        for (size_t width = 1; width <= 100; width += width < 40 ? 1 : 7) {
            float *in = make(width, sizes[s]), *weight = make(width, 2), *bias = make(width, 1);
            float *expected = make(width, 0), *found = make(width, 0);

            for (size_t i = 0; i < width; i++)
                in[i] += 3 * sizes[s]; /* a mean that is not near zero */
            lancet_kernels_scalar.layer_norm(expected, in, weight, bias, width, 1e-5f);
            kernels->layer_norm(found, in, weight, bias, width, 1e-5f);
            assert_close(found, expected, width, 3e-5);
            kernels->layer_norm(in, in, weight, bias, width, 1e-5f); /* in place */
            assert_memory_equal(in, found, width * sizeof *in);
            drop(in, width);
            drop(weight, width);
            drop(bias, width);
            drop(expected, width);
            drop(found, width);
        }
}

/* How much of a query goes to the key that gets the most. */
static double largest_share(const lancet_attention *job, size_t query)
{
    double highest = -INFINITY, sum = 0;

    for (int pass = 0; pass < 2; pass++)
        for (size_t j = 0; j < job->key_count; j++) {
            double score = 0;

            for (size_t d = 0; d < job->width; d++)
                score +=
                    (double)job->queries[query * job->query_stride + d] * job->keys[j * job->key_stride + d];
            score *= job->scale;
            if (pass)
                sum += exp(score - highest);
            else
                highest = fmax(highest, score);
        }
    return 1 / sum;
}

/* Which attention: symmetric, the queries are the keys; uneven, these become larger from row to row. */
enum { BFLOAT = 1, SYMMETRIC = 2, UNEVEN = 4 };

static void run_attention(const lancet_kernels *kernels, unsigned which, const lancet_attention *job,
                          float *scratch)
{
    void (*const ways[])(const lancet_attention *, float *) = {
        kernels->attention,
        kernels->attention_bfloat,
        kernels->symmetric_attention,
        kernels->symmetric_attention_bfloat,
    };

    ways[which & (BFLOAT | SYMMETRIC)](job, scratch);
}

/* Returns the mean square of the difference, in terms of that which the rounding to bfloat16 makes. */
static double check_one_attention(const lancet_kernels *kernels, size_t queries, size_t keys, size_t width,
                                  float size, unsigned which)
{
    const bool bfloat = which & BFLOAT;
    const size_t stride = width + 3, used = kernels->attention_scratch(keys, width);
    float *query = make(queries * stride, size), *key = make(keys * stride, size),
          *value = make(keys * stride, 1);
    float *expected = make(queries * stride, 0), *found = make(queries * stride, 0),
          *exact = make(queries * stride, 0);
    float *scratch = lancet_allocate(used + GUARDS, sizeof *scratch);
    float *plain = lancet_allocate(lancet_kernels_scalar.attention_scratch(keys, width), sizeof *plain);
    const float *rows = which & SYMMETRIC ? key : query;
    lancet_attention job = {rows,   key,    value,   exact, stride, stride,
                            stride, stride, queries, keys,  width,  1 / sqrtf((float)width)};
    double difference = 0, rounding = 1e-30;

    for (size_t i = 0; i < keys * stride && which & UNEVEN; i++)
        key[i] *= (float)(i / stride) / (float)keys;
    for (size_t i = 0; i < used; i++)
        scratch[i] = NAN; /* nothing may be read that was not written */
    for (size_t i = 0; i < GUARDS; i++)
        scratch[used + i] = GUARD;
    lancet_kernels_scalar.attention(&job, plain);
    job.out = expected;
    run_attention(&lancet_kernels_scalar, which, &job, plain);
    job.out = found;
    run_attention(kernels, which, &job, scratch);
    for (size_t i = 0; i < queries; i++) {
        /* A mean of values within -1 .. 1, however small it comes out: an error in a score of size^2 moves
         * it. A weight that lies between two bfloat16 numbers may go to either, 2^-7 of it apart. */
        const float limit =
            2e-6f + 2e-7f * size * size + (bfloat ? 2 * 0x1p-7f * (float)largest_share(&job, i) : 0);

        for (size_t d = 0; d < width; d++) {
            const double off = (double)found[i * stride + d] - expected[i * stride + d];
            const double rounded = (double)exact[i * stride + d] - expected[i * stride + d];

            assert_true(fabs(off) <= limit);
            difference += off * off;
            rounding += rounded * rounded;
        }
        for (size_t d = width; d < stride; d++)
            assert_true(found[i * stride + d] == 0); /* between the rows nothing is written */
    }
    for (size_t i = 0; i < GUARDS; i++)
        assert_true(scratch[used + i] == GUARD);
    drop(query, queries * stride);
    drop(key, keys * stride);
    drop(value, keys * stride);
    drop(expected, queries * stride);
    drop(found, queries * stride);
    drop(exact, queries * stride);
    lancet_free(scratch);
    lancet_free(plain);
    return difference / rounding;
}

static void check_attention(const lancet_kernels *kernels)
{
    static const size_t widths[] = {1, 7, 16, 32, 33, 64, 80, 104};

    for (int bfloat = 0; bfloat < 2; bfloat++) {
        for (size_t w = 0; w < sizeof widths / sizeof *widths; w++)
            for (size_t keys = 1; keys <= 80; keys += 1 + keys / 5) {
                check_one_attention(kernels, keys, keys, widths[w], 2, bfloat);
                check_one_attention(kernels, 1, keys, widths[w], 2, bfloat);
            }
        for (size_t keys = 255; keys < 1200; keys += keys < 259 ? 1 : keys / 2) /* blocks of keys */
            check_one_attention(kernels, 3, keys, 33, 4, bfloat);
        check_one_attention(kernels, 5, 300, 64, 40, bfloat);    /* one key takes all */
        check_one_attention(kernels, 5, 300, 64, 1e-6f, bfloat); /* all keys alike */
    }
    check_one_attention(kernels, 197, 197, 64, 1, false);
    /* What is rounded the same way differs by a small part of what rounding does. */
    assert_true(check_one_attention(kernels, 197, 197, 64, 1, true) < 0.1 * 0.1);
    assert_true(check_one_attention(kernels, 63, 1025, 80, 2, true) < 0.1 * 0.1);
}

/* What compares all tokens with all, in blocks of 64. */
static void check_symmetric_attention(const lancet_kernels *kernels)
{
    static const size_t widths[] = {1, 5, 16, 20, 33, 64, 80, 104};
    static const size_t tokens[] = {1, 2, 13, 31, 32, 33, 55, 56, 57, 63, 64, 65, 96, 127, 129, 197};
    /* Scores from 0 to some 60 and 120 on the diagonal; to 400 and 6000, which no shift brings together. */
    static const float sizes[] = {4, 5.5f, 10, 40};
    const unsigned uneven = SYMMETRIC | UNEVEN;

    for (unsigned which = SYMMETRIC; which <= (SYMMETRIC | BFLOAT); which++) {
        for (size_t w = 0; w < sizeof widths / sizeof *widths; w++)
            for (size_t t = 0; t < sizeof tokens / sizeof *tokens; t++)
                check_one_attention(kernels, tokens[t], tokens[t], widths[w], 2, which);
        check_one_attention(kernels, 257, 257, 64, 2, which);
        check_one_attention(kernels, 1025, 1025, 16, 2, which);
        check_one_attention(kernels, 200, 200, 64, 1e-6f, which); /* all keys alike */
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
            check_one_attention(kernels, 200, 200, 64, sizes[i], uneven | which);
    }
    assert_true(check_one_attention(kernels, 197, 197, 64, 1, SYMMETRIC | BFLOAT) < 0.1 * 0.1);
    assert_true(check_one_attention(kernels, 321, 321, 80, 2, uneven | BFLOAT) < 0.1 * 0.1);
}

/* Scores of any size, and what is no number. */
static void check_symmetric_extremes(const lancet_kernels *kernels)
{
    static const float sizes[] = {3e4f, 1e3f, 200, 26, 1, 0};
    const size_t tokens = 200, top = 70;
    float *key = make(tokens, 0), *value = make(tokens, 0), *found = make(tokens, 0);
    float *scratch = lancet_allocate(kernels->attention_scratch(tokens, 1), sizeof *scratch);
    const lancet_attention job = {key, key, value, found, 1, 1, 1, 1, tokens, tokens, 1, 1};

    for (size_t j = 0; j < tokens; j++)
        value[j] = (float)j; /* which bfloat16 holds */
    for (unsigned which = SYMMETRIC; which <= (SYMMETRIC | BFLOAT); which++)
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
            /* Equal weights are rounded alike, and their sum is not. */
            const float limit = which & BFLOAT ? 0x1p-8f * (float)tokens / 2 : 1e-4f;

            for (size_t j = 0; j < tokens; j++)
                key[j] = sizes[s];
            run_attention(kernels, which, &job, scratch);
            for (size_t j = 0; j < tokens; j++)
                assert_float_equal(found[j], (float)(tokens - 1) / 2, limit);
            if (sizes[s] > 100) { /* one against all others */
                key[top] = -sizes[s];
                run_attention(kernels, which, &job, scratch);
                assert_true(found[top] == (float)top);
                assert_float_equal(found[0], (float)(tokens * (tokens - 1) / 2 - top) / (float)(tokens - 1),
                                   limit);
            }
            key[top] = NAN; /* is not hidden */
            run_attention(kernels, which, &job, scratch);
            for (size_t j = 0; j < tokens; j++)
                assert_true(isnan(found[j]));
        }
    drop(key, tokens);
    drop(value, tokens);
    drop(found, tokens);
    lancet_free(scratch);
}

/* Scores far below the highest must vanish, not wrap around, whether they come before it or after. */
static void check_attention_extremes(const lancet_kernels *kernels)
{
    static const size_t counts[] = {40, 600, 600}, tops[] = {17, 517, 3};

    for (size_t i = 0; i < 2 * sizeof counts / sizeof *counts; i++) {
        const size_t keys = counts[i / 2], top = tops[i / 2];
        float *query = make(1, 0), *key = make(keys, 0), *value = make(keys, 0), *found = make(1, 0);
        float *scratch = lancet_allocate(kernels->attention_scratch(keys, 1), sizeof *scratch);
        const lancet_attention job = {query, key, value, found, 1, 1, 1, 1, 1, keys, 1, 1};

        query[0] = 1;
        for (size_t j = 0; j < keys; j++) {
            key[j] = j == top ? 3e4f : -3e4f;
            value[j] = (float)(j % 256); /* which bfloat16 holds */
        }
        (i % 2 ? kernels->attention_bfloat : kernels->attention)(&job, scratch);
        assert_true(found[0] == (float)(top % 256));
        for (size_t j = 0; j < keys; j++) {
            key[j] = -1e30f;
            value[j] = (float)(j % 2);
        }
        (i % 2 ? kernels->attention_bfloat : kernels->attention)(&job, scratch);
        assert_float_equal(found[0], 0.5f, 1e-6);
        key[keys / 2] = NAN; /* is not hidden */
        (i % 2 ? kernels->attention_bfloat : kernels->attention)(&job, scratch);
        assert_true(isnan(found[0]));
        drop(query, 1);
        drop(key, keys);
        drop(value, keys);
        drop(found, 1);
        lancet_free(scratch);
    }
}

/* Rows all over the place, some twice, in any order; the same job with another path before it, so that
 * nothing is left over. */
static void check_one_path(const lancet_kernels *kernels, size_t count, size_t heads, size_t width,
                           float size)
{
    const size_t rows = 2 * count, all = heads * width, stride = all + 5;
    const size_t used = kernels->path_attention_scratch(count, heads);
    float *query = make(all, size), *keys = make(rows * stride, size), *values = make(rows * stride, 1);
    float *expected = make(all, 0), *found = make(all, 0);
    float *scratch = lancet_allocate(used + GUARDS, sizeof *scratch);
    float *plain = lancet_allocate(lancet_kernels_scalar.path_attention_scratch(count, heads), sizeof *plain);
    uint32_t *path = malloc(count * sizeof *path);
    lancet_path_attention job = {query, keys,   values, expected, path,
                                 count, stride, heads,  width,    1 / sqrtf((float)width)};

    for (size_t j = 0; j < count; j++)
        path[j] = (uint32_t)((draw() + 1) / 2 * (float)(rows - 1));
    for (size_t i = 0; i < used; i++)
        scratch[i] = NAN;
    for (size_t i = 0; i < GUARDS; i++)
        scratch[used + i] = GUARD;
    lancet_kernels_scalar.path_attention(&job, plain);
    job.out = found;
    kernels->path_attention(&job, scratch);
    for (size_t i = 0; i < all; i++) /* as check_one_attention */
        assert_true(fabsf(found[i] - expected[i]) <= 2e-6f + 2e-7f * size * size);
    for (size_t i = 0; i < GUARDS; i++)
        assert_true(scratch[used + i] == GUARD);
    drop(query, all);
    drop(keys, rows * stride);
    drop(values, rows * stride);
    drop(expected, all);
    drop(found, all);
    lancet_free(scratch);
    lancet_free(plain);
    free(path);
}

static void check_path_attention(const lancet_kernels *kernels)
{
    static const size_t widths[] = {1, 7, 8, 16, 23, 32, 33, 64, 80, 104, 128};

    for (size_t w = 0; w < sizeof widths / sizeof *widths; w++)
        for (size_t count = 1; count <= 80; count += 1 + count / 5)
            for (size_t heads = 1; heads < 5; heads++)
                check_one_path(kernels, count, heads, widths[w], 2);
    check_one_path(kernels, 77, 8, 64, 1);
    check_one_path(kernels, 77, 12, 64, 40);    /* one key takes all */
    check_one_path(kernels, 77, 12, 64, 1e-6f); /* all keys alike */
}

/* On a straight path it is the attention of one query, head by head. */
static void check_path_is_attention(const lancet_kernels *kernels)
{
    const size_t count = 19, heads = 3, width = 64, stride = heads * width;
    float *query = make(stride, 2), *keys = make(count * stride, 2), *values = make(count * stride, 1);
    float *expected = make(stride, 0), *found = make(stride, 0);
    float *scratch = lancet_allocate(kernels->attention_scratch(count, width) +
                                         kernels->path_attention_scratch(count, heads),
                                     sizeof(float));
    uint32_t path[19];
    const lancet_path_attention job = {query, keys, values, found, path, count, stride, heads, width, 0.125f};

    for (uint32_t j = 0; j < count; j++)
        path[j] = j;
    for (size_t head = 0; head < heads; head++) {
        const size_t at = head * width;
        const lancet_attention one = {query + at, keys + at, values + at, expected + at, stride, stride,
                                      stride,     stride,    1,           count,         width,  0.125f};

        kernels->attention(&one, scratch);
    }
    kernels->path_attention(&job, scratch);
    assert_close(found, expected, stride, 1e-5);
    drop(query, stride);
    drop(keys, count * stride);
    drop(values, count * stride);
    drop(expected, stride);
    drop(found, stride);
    lancet_free(scratch);
}

/* Scores far below the highest must vanish, not wrap around. */
static void check_path_extremes(const lancet_kernels *kernels)
{
    const size_t keys = 40;
    float *query = make(1, 0), *key = make(keys, 0), *value = make(keys, 0), *found = make(1, 0);
    float *scratch = lancet_allocate(kernels->path_attention_scratch(keys, 1), sizeof *scratch);
    uint32_t path[40];
    const lancet_path_attention job = {query, key, value, found, path, keys, 1, 1, 1, 1};

    query[0] = 1;
    for (uint32_t j = 0; j < keys; j++) {
        path[j] = (uint32_t)keys - 1 - j;
        key[j] = j == 17 ? 3e4f : -3e4f;
        value[j] = (float)j;
    }
    kernels->path_attention(&job, scratch);
    assert_true(found[0] == 17.0f);
    for (size_t j = 0; j < keys; j++)
        key[j] = -1e30f;
    kernels->path_attention(&job, scratch);
    assert_float_equal(found[0], 19.5f, 1e-4); /* the mean of 0 .. 39 */
    drop(query, 1);
    drop(key, keys);
    drop(value, keys);
    drop(found, 1);
    lancet_free(scratch);
}

/* The product of two rows written out; a sum of floats in any order errs by no more than half a unit in the
 * last place of the absolute values' sum a step. */
static void assert_product(float found, const float *a, const float *b, size_t k)
{
    double sum = 0, size = 0;

    for (size_t d = 0; d < k; d++) {
        sum += (double)a[d] * (double)b[d];
        size += fabs((double)a[d] * (double)b[d]);
    }
    if (!(fabs((double)found - sum) <= 6e-8 * (double)(k + 1) * size))
        fail_msg("%zu numbers: expected %.9g, found %.9g", k, sum, (double)found);
}

static void check_multiply(const lancet_kernels *kernels)
{
    for (size_t m = 1; m < 60; m += m < 6 ? 1 : m + 1)
        for (size_t n = 1; n < 70; n += 1 + n / 3)
            for (size_t k = 1; k < 70; k += k < 5 ? 1 : 13) {
                const size_t stride = n + 2, a_stride = k + 1, b_stride = k + 3;
                float *a = make(m * a_stride, 1), *b = make(n * b_stride, 1), alone;
                float *found = make(m * stride, 0);

                kernels->multiply(found, stride, a, a_stride, b, b_stride, m, n, k);
                for (size_t i = 0; i < m; i++)
                    for (size_t j = 0; j < n; j++)
                        assert_product(found[i * stride + j], a + i * a_stride, b + j * b_stride, k);
                for (size_t i = 0; i < m; i++)
                    assert_true(found[i * stride + n] == 0 && found[i * stride + n + 1] == 0);
                /* The same to the last bit, whatever is computed with it. */
                for (size_t i = 0; i < m; i += 3)
                    for (size_t j = 0; j < n; j += 5) {
                        kernels->multiply(&alone, 1, a + i * a_stride, 1, b + j * b_stride, 1, 1, 1, k);
                        assert_true(alone == found[i * stride + j]);
                    }
                drop(a, m * a_stride);
                drop(b, n * b_stride);
                drop(found, m * stride);
            }
}

/* [depth, columns] in panels of the table's width; what is left goes into half a panel if it fits. */
static float *pack(const lancet_kernels *kernels, const float *matrix, size_t depth, size_t columns)
{
    float *packed = lancet_allocate_zero(depth * (columns + kernels->panel), sizeof *packed), *to = packed;

    assert_non_null(packed);
    for (size_t first = 0; first < columns; first += kernels->panel) {
        const size_t left = columns - first;
        const size_t width = left > kernels->panel / 2 ? kernels->panel : kernels->panel / 2;

        for (size_t d = 0; d < depth; d++, to += width)
            memcpy(to, matrix + d * columns + first, (left < width ? left : width) * sizeof *to);
    }
    return packed;
}

static void check_one_product(const lancet_kernels *kernels, size_t rows, size_t columns, size_t depth,
                              unsigned bits)
{
    const size_t in_stride = depth + bits % 3, stride = columns + bits % 5;
    float *in = make(rows * in_stride, 1), *matrix = make(depth * columns, 1), *bias = make(columns, 1);
    float *add = make(rows * stride, 1), *out = make(rows * stride, 0);
    float *packed = pack(kernels, matrix, depth, columns);
    const lancet_packed_product job = {.in = in,
                                       .matrix = packed,
                                       .bias = bits & 1 ? bias : NULL,
                                       .add = bits & 2 ? add : NULL,
                                       .out = out,
                                       .in_stride = in_stride,
                                       .add_stride = stride,
                                       .out_stride = stride,
                                       .rows = rows,
                                       .columns = columns,
                                       .depth = depth,
                                       .after = bits & 4 ? LANCET_AFTER_RELU : LANCET_AFTER_NOTHING};

    kernels->packed_product(&job);
    for (size_t i = 0; i < rows; i++) {
        for (size_t j = 0; j < columns; j++) {
            double sum = 0;

            for (size_t d = 0; d < depth; d++)
                sum += (double)in[i * in_stride + d] * matrix[d * columns + j];
            sum += bits & 1 ? bias[j] : 0;
            sum += bits & 2 ? add[i * stride + j] : 0;
            sum = bits & 4 && sum < 0 ? 0 : sum;
            if (!(fabs(out[i * stride + j] - sum) <= 2e-7 * (double)(depth + 2)))
                fail_msg("%zux%zux%zu, row %zu, column %zu: expected %.9g, found %.9g", rows, columns, depth,
                         i, j, sum, (double)out[i * stride + j]);
        }
        for (size_t j = columns; j < stride; j++)
            assert_true(out[i * stride + j] == 0); /* between the rows nothing is written */
    }
    drop(in, rows * in_stride);
    drop(matrix, depth * columns);
    drop(bias, columns);
    drop(add, rows * stride);
    drop(out, rows * stride);
    lancet_free(packed);
}

static void check_packed_product(const lancet_kernels *kernels)
{
    unsigned bits = 0;

    for (size_t rows = 1; rows <= 45; rows++)
        for (size_t columns = 1; columns < 100; columns += 1 + columns / 3)
            for (size_t depth = 1; depth < 40; depth += 18)
                check_one_product(kernels, rows, columns, depth, bits++);
}

/* What is no number is not hidden by ReLU. */
static void check_product_of_nan(const lancet_kernels *kernels)
{
    float matrix[32] = {0}, out[2] = {0};
    const float in[] = {NAN, -1}, bias[] = {-1};
    const lancet_packed_product job = {.in = in,
                                       .matrix = matrix,
                                       .bias = bias,
                                       .out = out,
                                       .in_stride = 1,
                                       .out_stride = 1,
                                       .rows = 2,
                                       .columns = 1,
                                       .depth = 1,
                                       .after = LANCET_AFTER_RELU};

    matrix[0] = 1;
    kernels->packed_product(&job);
    assert_true(isnan(out[0]) && out[1] == 0);
}

static void check_winograd(const lancet_kernels *kernels)
{
    for (lancet_winograd tile = LANCET_WINOGRAD_2; tile <= LANCET_WINOGRAD_4; tile += 2)
        for (size_t channels = 1; channels < 70; channels += channels < 40 ? 1 : 9) {
            const size_t points = LANCET_WINOGRAD_POINTS(tile), stride = channels + 3;
            float *pixels = make(points * stride, 1), *expected = make(points * stride, 0),
                  *found = make(points * stride, 0), *bias = make(channels, 1);
            const float *in[LANCET_WINOGRAD_POINTS_MAX];

            for (size_t i = 0; i < points; i++)
                in[i] = pixels + i * stride;
            lancet_kernels_scalar.winograd_in(tile, expected, stride, in, channels);
            kernels->winograd_in(tile, found, stride, in, channels);
            assert_close(found, expected, points * stride, 1e-6);
            for (size_t i = 0; i < points * stride; i++)
                assert_true(i % stride < channels || found[i] == 0);
            for (unsigned bits = 0; bits < 8; bits++) {
                const lancet_winograd_after after = {bias, bits & 1, bits & 2};
                const size_t results = (size_t)tile * tile / (after.average ? 4 : 1);
                float *out[16], *there[16];

                memset(expected, 0, points * stride * sizeof *expected);
                memset(found, 0, points * stride * sizeof *found);
                for (size_t i = 0; i < results; i++) {
                    const bool wanted = !(bits & 4) || i % 3 != 1;

                    out[i] = wanted ? expected + i * stride : NULL;
                    there[i] = wanted ? found + i * stride : NULL;
                }
                lancet_kernels_scalar.winograd_out(tile, out, pixels, stride, channels, &after);
                kernels->winograd_out(tile, there, pixels, stride, channels, &after);
                assert_close(found, expected, points * stride, 1e-6);
                for (size_t i = 0; i < points * stride; i++) {
                    assert_true(i % stride < channels || found[i] == 0);
                    assert_true(!after.relu || found[i] >= 0);
                }
            }
            drop(pixels, points * stride);
            drop(expected, points * stride);
            drop(found, points * stride);
            drop(bias, channels);
        }
}

/* All 65,536 halves, bit for bit (a signalling not-a-number may come back quiet), and every short length. */
static void check_conversions(const lancet_kernels *kernels)
{
    static uint16_t halves[65536];
    static float expected[65536], found[65536 + GUARDS];

    for (uint32_t i = 0; i < 65536; i++)
        halves[i] = (uint16_t)i;
    for (int bfloat = 0; bfloat < 2; bfloat++) {
        void (*specified)(float *, const void *, size_t) =
            bfloat ? lancet_kernels_scalar.from_bfloat : lancet_kernels_scalar.from_half;
        void (*convert)(float *, const void *, size_t) = bfloat ? kernels->from_bfloat : kernels->from_half;

        specified(expected, halves, 65536);
        convert(found, halves, 65536);
        for (size_t i = 0; i < 65536; i++)
            assert_true(isnan(expected[i]) ? isnan(found[i])
                                           : memcmp(&expected[i], &found[i], sizeof(float)) == 0);
        for (size_t count = 0; count < 50; count++) {
            char unaligned[101];

            memcpy(unaligned + 1, halves + 0x3C00, 2 * count);
            for (size_t i = 0; i < count + GUARDS; i++)
                found[i] = GUARD;
            convert(found, unaligned + 1, count);
            assert_memory_equal(found, expected + 0x3C00, count * sizeof(float));
            for (size_t i = 0; i < GUARDS; i++)
                assert_true(found[count + i] == GUARD);
        }
    }
}

/* The specification itself against IEEE 754's definition. */
static void test_scalar_conversions(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 65536; i++) {
        const uint16_t half = (uint16_t)i;
        const int exponent = half >> 10 & 31, fraction = half & 1023;
        const double sign = half & 0x8000 ? -1 : 1;
        float value;

        lancet_kernels_scalar.from_half(&value, &half, 1);
        if (exponent == 31)
            assert_true(fraction ? isnan(value) : isinf(value) && (value > 0) == (sign > 0));
        else
            assert_true(value == (float)(sign * (exponent ? ldexp(1024 + fraction, exponent - 25)
                                                          : ldexp(fraction, -24))));
        assert_true(isnan(value) || !signbit(value) == (sign > 0));
    }
}

static void test_layer_norm(void **state)
{
    (void)state;
    each(check_layer_norm);
}

static void test_attention(void **state)
{
    (void)state;
    each(check_attention);
    each(check_attention_extremes);
    check_attention_extremes(&lancet_kernels_scalar);
}

static void test_symmetric_attention(void **state)
{
    (void)state;
    each(check_symmetric_attention);
    each(check_symmetric_extremes);
    check_symmetric_extremes(&lancet_kernels_scalar);
}

static void test_path_attention(void **state)
{
    (void)state;
    each(check_path_attention);
    each(check_path_is_attention);
    each(check_path_extremes);
    check_path_is_attention(&lancet_kernels_scalar);
}

static void test_multiply(void **state)
{
    (void)state;
    check_multiply(&lancet_kernels_scalar);
    each(check_multiply);
}

static void test_packed_product(void **state)
{
    (void)state;
    check_packed_product(&lancet_kernels_scalar);
    check_product_of_nan(&lancet_kernels_scalar);
    each(check_packed_product);
    each(check_product_of_nan);
}

static void test_winograd(void **state)
{
    (void)state;
    each(check_winograd);
}

static void test_conversions(void **state)
{
    (void)state;
    each(check_conversions);
}

static void test_choice(void **state)
{
    (void)state;
    assert_null(lancet_kernels_named("no such set"));
    assert_ptr_equal(lancet_kernels_named("scalar"), &lancet_kernels_scalar);
    assert_non_null(lancet_kernels_get());
    assert_ptr_equal(lancet_kernels_get(), lancet_kernels_named(lancet_kernels_get()->name));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scalar_conversions), cmocka_unit_test(test_layer_norm),
        cmocka_unit_test(test_attention),          cmocka_unit_test(test_symmetric_attention),
        cmocka_unit_test(test_path_attention),     cmocka_unit_test(test_multiply),
        cmocka_unit_test(test_packed_product),     cmocka_unit_test(test_winograd),
        cmocka_unit_test(test_conversions),        cmocka_unit_test(test_choice),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
