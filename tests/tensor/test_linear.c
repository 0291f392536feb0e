/* Linear layers against the product written out, in every shape of tile and chunk; the same bytes whatever
 * the thread count and the grouping. SPDX-License-Identifier: Apache-2.0 */
#include "base/memory.h"
#include "tensor/linear.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static uint32_t seed = 1;

static float draw(void)
{
    seed = seed * 1664525u + 1013904223u;
    return (float)(int32_t)seed / 2147483648.0f;
}

static float *make(size_t count)
{
    float *values = lancet_allocate(count, sizeof *values);

    assert_non_null(values);
    for (size_t i = 0; i < count; i++)
        values[i] = draw();
    return values;
}

/* A layer with the numbers it was made from. */
struct layer {
    size_t in, out;
    float *weight, *bias;
    lancet_tensor weight_view, bias_view;
    lancet_linear *linear;
};

static void layer_open(struct layer *layer, lancet_pool *pool, size_t in, size_t out, bool bias,
                       bool transposed)
{
    lancet_linear_source source = {&layer->weight_view, bias ? &layer->bias_view : NULL, transposed};
    lancet_error error;

    *layer = (struct layer){.in = in, .out = out, .weight = make(in * out), .bias = make(out)};
    layer->weight_view = (lancet_tensor){.name = "weight",
                                         .rank = 2,
                                         .shape = {transposed ? in : out, transposed ? out : in},
                                         .count = in * out,
                                         .data = layer->weight};
    layer->bias_view =
        (lancet_tensor){.name = "bias", .rank = 1, .shape = {out}, .count = out, .data = layer->bias};
    if (!bias)
        memset(layer->bias, 0, out * sizeof *layer->bias);
    assert_int_equal(lancet_linear_open(&layer->linear, &source, pool, &error), LANCET_OK);
    assert_int_equal(lancet_linear_in(layer->linear), in);
    assert_int_equal(lancet_linear_out(layer->linear), out);
}

static void layer_close(struct layer *layer)
{
    lancet_linear_close(&layer->linear);
    lancet_free(layer->weight);
    lancet_free(layer->bias);
}

static double after(double value, lancet_linear_after what, double residual)
{
    switch (what) {
    case LANCET_AFTER_QUICK_GELU:
        return value / (1 + exp(-1.702 * value));
    case LANCET_AFTER_GELU:
        return 0.5 * value * (1 + erf(value / sqrt(2)));
    case LANCET_AFTER_ADD:
        return value + residual;
    case LANCET_AFTER_NOTHING:
        break;
    }
    return value;
}

static void check(lancet_linear_cache *cache, const struct layer *layer, bool transposed, size_t rows,
                  size_t group, lancet_linear_after what)
{
    const size_t in_stride = layer->in + 5, out_stride = layer->out + 3;
    float *in = make(rows * in_stride), *out = make(rows * out_stride), *before = make(rows * out_stride);
    const lancet_linear_job job = {layer->linear, in, out, rows, group, in_stride, out_stride, what};
    lancet_error error;

    memcpy(before, out, rows * out_stride * sizeof *out);
    assert_int_equal(lancet_linear_run(cache, &job, 1, &error), LANCET_OK);
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < out_stride; c++) {
            const float found = out[r * out_stride + c], old = before[r * out_stride + c];
            double sum;

            if (c >= layer->out) { /* between the rows nothing is written */
                assert_true(found == old);
                continue;
            }
            sum = layer->bias[c];
            for (size_t k = 0; k < layer->in; k++)
                sum += (double)in[r * in_stride + k] *
                       layer->weight[transposed ? k * layer->out + c : c * layer->in + k];
            if (!(fabs(found - after(sum, what, old)) <= 2e-6 * sqrt((double)layer->in) + 2e-6))
                fail_msg("%zux%zux%zu, row %zu, column %zu: expected %.9g, found %.9g", rows, layer->out,
                         layer->in, r, c, after(sum, what, old), (double)found);
        }
    lancet_free(in);
    lancet_free(out);
    lancet_free(before);
}

static void test_shapes(void **state)
{
    static const size_t ins[] = {1, 3, 64, 100, 192}, outs[] = {1, 17, 64, 192, 193, 400},
                        rows[] = {1, 2, 37, 300};
    lancet_linear_cache *cache = NULL;
    lancet_pool *pool = NULL;
    lancet_error error;

    (void)state;
    assert_int_equal(lancet_pool_open(&pool, 2, &error), LANCET_OK);
    assert_int_equal(lancet_linear_cache_open(&cache, pool, &error), LANCET_OK);
    for (size_t i = 0; i < sizeof ins / sizeof *ins; i++)
        for (size_t o = 0; o < sizeof outs / sizeof *outs; o++) {
            const bool transposed = (i + o) % 2;
            struct layer layer;

            layer_open(&layer, pool, ins[i], outs[o], o % 3 != 1, transposed);
            for (size_t r = 0; r < sizeof rows / sizeof *rows; r++)
                check(cache, &layer, transposed, rows[r], 0, (lancet_linear_after)((i + o + r) % 4));
            check(cache, &layer, transposed, 36, 12, LANCET_AFTER_ADD);
            check(cache, &layer, transposed, 5, 1, LANCET_AFTER_NOTHING);
            layer_close(&layer);
        }
    lancet_linear_cache_close(&cache);
    lancet_pool_close(&pool);
}

/* A group's rows come out the same to the last bit alone, in a batch, and on any number of threads. */
static void test_same_bytes(void **state)
{
    const size_t in = 192, out = 500, group = 290, groups = 3;
    float *values = make(groups * group * in), *alone = make(groups * group * out),
          *batch = make(groups * group * out);
    struct layer layer;

    (void)state;
    for (int threads = 1; threads <= 3; threads++) {
        lancet_linear_cache *cache = NULL;
        lancet_pool *pool = NULL;
        lancet_error error;

        assert_int_equal(lancet_pool_open(&pool, threads, &error), LANCET_OK);
        assert_int_equal(lancet_linear_cache_open(&cache, pool, &error), LANCET_OK);
        seed = 5;
        layer_open(&layer, pool, in, out, true, false);
        for (size_t g = 0; threads == 1 && g < groups; g++) {
            const lancet_linear_job job = {
                layer.linear, values + g * group * in, alone + g * group * out, group, group, in,
                out,          LANCET_AFTER_QUICK_GELU};

            assert_int_equal(lancet_linear_run(cache, &job, 1, &error), LANCET_OK);
        }
        const lancet_linear_job job = {layer.linear, values, batch, groups * group,
                                       group,        in,     out,   LANCET_AFTER_QUICK_GELU};

        assert_int_equal(lancet_linear_run(cache, &job, 1, &error), LANCET_OK);
        assert_memory_equal(alone, batch, groups * group * out * sizeof *batch);
        layer_close(&layer);
        lancet_linear_cache_close(&cache);
        lancet_pool_close(&pool);
    }
    lancet_free(values);
    lancet_free(alone);
    lancet_free(batch);
}

/* Where tiles are of a multiple of LANCET_LINEAR_ROWS, a row comes out the same to the last bit in any of
 * them, at any place, beside any others. CMake also runs this with oneDNN held to lesser instruction sets. */
static void test_rows_stand_alone(void **state)
{
    static const size_t shapes[][2] = {{64, 192}, {100, 300}, {512, 128}, {300, 100}, {2048, 64}, {13, 7}};
    const size_t most = 252;
    lancet_linear_cache *cache = NULL;
    lancet_pool *pool = NULL;
    lancet_error error;

    (void)state;
    assert_int_equal(lancet_pool_open(&pool, 2, &error), LANCET_OK);
    assert_int_equal(lancet_linear_cache_open(&cache, pool, &error), LANCET_OK);
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        const size_t in = shapes[s][0], out = shapes[s][1];
        const lancet_linear_after what = (lancet_linear_after)(s % 3);
        float *values = make(most * in), *all = make(most * out), *some = make(most * out);
        struct layer layer;

        layer_open(&layer, pool, in, out, true, false);
        lancet_linear_job job = {layer.linear, values, all, most, LANCET_LINEAR_ROWS, in, out, what};

        assert_int_equal(lancet_linear_run(cache, &job, 1, &error), LANCET_OK);
        for (size_t rows = LANCET_LINEAR_ROWS; rows <= most; rows += LANCET_LINEAR_ROWS) {
            const size_t first = (rows * 7) % (most - rows + 1); /* not where the smallest tiles began */

            job = (lancet_linear_job){layer.linear, values + first * in, some, rows, rows, in, out, what};
            assert_int_equal(lancet_linear_run(cache, &job, 1, &error), LANCET_OK);
            if (memcmp(some, all + first * out, rows * out * sizeof *some) != 0)
                fail_msg("%zux%zu: rows %zu to %zu come out otherwise in a tile of %zu", in, out, first,
                         first + rows, rows);
        }
        layer_close(&layer);
        lancet_free(values);
        lancet_free(all);
        lancet_free(some);
    }
    lancet_linear_cache_close(&cache);
    lancet_pool_close(&pool);
}

/* More shapes than the cache of compiled products holds. */
static void test_many_shapes(void **state)
{
    lancet_linear_cache *cache = NULL;
    lancet_pool *pool = NULL;
    struct layer layer;
    lancet_error error;

    (void)state;
    assert_int_equal(lancet_pool_open(&pool, 2, &error), LANCET_OK);
    assert_int_equal(lancet_linear_cache_open(&cache, pool, &error), LANCET_OK);
    layer_open(&layer, pool, 8, 200, true, false);
    for (size_t rows = 1; rows < 150; rows++)
        check(cache, &layer, false, rows, 0, LANCET_AFTER_NOTHING);
    layer_close(&layer);
    lancet_linear_cache_close(&cache);
    lancet_pool_close(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_same_bytes),
        cmocka_unit_test(test_rows_stand_alone),
        cmocka_unit_test(test_many_shapes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
