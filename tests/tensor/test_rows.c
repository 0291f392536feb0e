/* Rows and attentions shared among threads: the same bytes as without, whatever their number.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/memory.h"
#include "tensor/rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define TOKENS 131
#define WIDTH  192
#define HEADS  3
#define JOBS   (HEADS + 2)

static const int threads[] = {1, 2, 3, 7, 16};
static float in[TOKENS * WIDTH], out[TOKENS * WIDTH], expected[TOKENS * WIDTH];

static void fill(void)
{
    uint32_t seed = 1;

    for (size_t i = 0; i < TOKENS * WIDTH; i++) {
        seed = seed * 1664525u + 1013904223u;
        in[i] = (float)(int32_t)seed / 1073741824.0f;
    }
}

static lancet_pool *open_pool(int count)
{
    lancet_pool *pool;

    assert_int_equal(lancet_pool_open(&pool, count, NULL), LANCET_OK);
    return pool;
}

/* Whole heads, which are symmetric, and beside them jobs of one query and of some. */
static void plan(lancet_attention *jobs, float *to)
{
    for (size_t i = 0; i < JOBS; i++) {
        const size_t at = i % HEADS * WIDTH / HEADS;

        jobs[i] = (lancet_attention){in + at, in + at, in + at, to + at, WIDTH,         WIDTH,
                                     WIDTH,   WIDTH,   TOKENS,  TOKENS,  WIDTH / HEADS, 0.125f};
    }
    jobs[0].query_count = 50; /* and the last but one the rest */
    jobs[HEADS].query_count = TOKENS - 51;
    jobs[HEADS].queries += 50 * WIDTH;
    jobs[HEADS].out += 50 * WIDTH;
    jobs[HEADS + 1].query_count = 1;
    jobs[HEADS + 1].queries = in + (TOKENS - 1) * WIDTH;
    jobs[HEADS + 1].out = to + (TOKENS - 1) * WIDTH;
    jobs[HEADS + 1].keys = jobs[HEADS + 1].values = in;
}

static void check_attention(bool bfloat)
{
    const lancet_kernels *kernels = lancet_kernels_get();
    const size_t need = kernels->attention_scratch(TOKENS, WIDTH / HEADS);
    lancet_attention jobs[JOBS];
    float *scratch[16];

    fill();
    for (size_t i = 0; i < 16; i++)
        assert_non_null(scratch[i] = lancet_allocate(need, sizeof(float)));
    memset(expected, 0, sizeof expected);
    plan(jobs, expected);
    for (size_t i = 0; i < JOBS; i++)
        if (jobs[i].query_count == TOKENS)
            (bfloat ? kernels->symmetric_attention_bfloat : kernels->symmetric_attention)(&jobs[i],
                                                                                          scratch[0]);
        else
            (bfloat ? kernels->attention_bfloat : kernels->attention)(&jobs[i], scratch[0]);
    for (size_t i = 0; i < TOKENS * WIDTH; i++)
        assert_true(expected[i] != 0); /* every query is somebody's */
    plan(jobs, out);
    for (size_t t = 0; t < sizeof threads / sizeof *threads; t++) {
        lancet_pool *pool = open_pool(threads[t]);

        memset(out, 0, sizeof out);
        lancet_attention_run(pool, jobs, JOBS, bfloat, scratch);
        assert_memory_equal(out, expected, sizeof out);
        lancet_pool_close(&pool);
    }
    for (size_t i = 0; i < 16; i++)
        lancet_free(scratch[i]);
}

static void test_attention(void **state)
{
    (void)state;
    check_attention(false);
    check_attention(true);
}

static void test_norm(void **state)
{
    float weight[WIDTH], bias[WIDTH];
    const lancet_norm norm = {weight, bias};

    (void)state;
    fill();
    for (size_t d = 0; d < WIDTH; d++) {
        weight[d] = 1 + in[d];
        bias[d] = in[WIDTH + d];
    }
    for (size_t i = 0; i < TOKENS; i++)
        lancet_kernels_get()->layer_norm(expected + i * WIDTH, in + i * WIDTH, weight, bias, WIDTH, 1e-5f);
    for (size_t t = 0; t < sizeof threads / sizeof *threads; t++) {
        lancet_pool *pool = open_pool(threads[t]);

        memset(out, 0, sizeof out);
        lancet_norm_rows(pool, out, WIDTH, in, WIDTH, TOKENS, WIDTH, &norm, 1e-5f);
        assert_memory_equal(out, expected, sizeof out);
        lancet_pool_close(&pool);
    }
}

static void test_copy(void **state)
{
    (void)state;
    fill();
    for (size_t t = 0; t < sizeof threads / sizeof *threads; t++)
        for (size_t rows = 0; rows < TOKENS; rows += 1 + rows / 2) {
            lancet_pool *pool = open_pool(threads[t]);

            memset(out, 1, sizeof out);
            memset(expected, 1, sizeof expected);
            memcpy(expected, in, rows * WIDTH * sizeof *in);
            lancet_copy_rows(pool, out, in, rows, WIDTH);
            assert_memory_equal(out, expected, sizeof out);
            memset(expected, 0, rows * WIDTH * sizeof *in);
            lancet_copy_rows(pool, out, NULL, rows, WIDTH);
            assert_memory_equal(out, expected, sizeof out);
            lancet_pool_close(&pool);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_attention),
        cmocka_unit_test(test_norm),
        cmocka_unit_test(test_copy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
