/* Linear layers against the product written out, in every shape of tile and panel and of every kind of
 * numbers; the same bytes whatever the thread count and the rows beside. SPDX-License-Identifier: Apache-2.0
 */
#include "base/memory.h"
#include "tensor/linear.h"
#include "tensor/narrow.h"

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

/* What a layer's weights are in the file, and what they are multiplied as. */
struct form {
    lancet_dtype dtype; /* F32, F16, BF16 */
    lancet_packed_kind kind;
    bool transposed;
};

/* A layer with the numbers it was made from, as the file's type holds them. */
struct layer {
    size_t in, out;
    struct form form;
    float *weight, *bias; /* [out, in], or [in, out] if transposed */
    uint16_t *halves;
    lancet_tensor weight_view, bias_view;
    lancet_linear *linear;
};

static void layer_open(struct layer *layer, lancet_pool *pool, size_t in, size_t out, bool bias,
                       struct form form)
{
    lancet_linear_source source = {&layer->weight_view, bias ? &layer->bias_view : NULL, form.transposed,
                                   form.kind};
    lancet_error error;

    *layer = (struct layer){.in = in, .out = out, .form = form, .weight = make(in * out), .bias = make(out)};
    layer->halves = lancet_allocate(in * out, sizeof *layer->halves);
    assert_non_null(layer->halves);
    layer->weight_view = (lancet_tensor){.name = "weight",
                                         .dtype = form.dtype,
                                         .rank = 2,
                                         .shape = {form.transposed ? in : out, form.transposed ? out : in},
                                         .count = in * out,
                                         .data = layer->weight};
    if (form.dtype != LANCET_F32) {
        if (form.dtype == LANCET_F16)
            lancet_narrow_half(layer->halves, layer->weight, in * out);
        else
            lancet_narrow_bfloat(layer->halves, layer->weight, in * out);
        layer->weight_view.data = layer->halves;
        lancet_tensor_read(layer->weight, &layer->weight_view, 0, in * out);
    }
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
    lancet_free(layer->halves);
    lancet_free(layer->bias);
}

static double after(double value, lancet_after what, double residual)
{
    switch (what) {
    case LANCET_AFTER_RELU:
        return value < 0 ? 0 : value;
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

/* A row of numbers as a kind holds them: bfloat16, or whole numbers times the row's scale. */
static double *narrowed(const float *row, size_t count, lancet_packed_kind kind)
{
    double *values = lancet_allocate(count, sizeof *values);
    const float scale = lancet_narrow_scale(row, count);

    assert_non_null(values);
    for (size_t i = 0; i < count; i++) {
        uint16_t half;
        int8_t whole;
        uint32_t bits;
        float value;

        lancet_narrow_bfloat(&half, row + i, 1);
        bits = (uint32_t)half << 16;
        memcpy(&value, &bits, sizeof value);
        lancet_narrow_whole(&whole, row + i, 1, scale);
        values[i] = (double)(kind == LANCET_PACKED_FLOAT ? row[i] : value);
        if (kind == LANCET_PACKED_WHOLE)
            values[i] = (double)whole * (double)scale;
    }
    return values;
}

/* The layer's weights as it multiplies them, [out, in]. */
static double *narrowed_weights(const struct layer *layer)
{
    double *values = lancet_allocate(layer->out * layer->in, sizeof *values);
    float *row = lancet_allocate(layer->in, sizeof *row);

    assert_true(values && row);
    for (size_t c = 0; c < layer->out; c++) {
        for (size_t k = 0; k < layer->in; k++)
            row[k] = layer->weight[layer->form.transposed ? k * layer->out + c : c * layer->in + k];
        double *some = narrowed(row, layer->in, layer->form.kind);

        memcpy(values + c * layer->in, some, layer->in * sizeof *values);
        lancet_free(some);
    }
    lancet_free(row);
    return values;
}

static void check(lancet_linear_scratch *scratch, const struct layer *layer, size_t rows, lancet_after what)
{
    const size_t in_stride = layer->in + 5, out_stride = layer->out + 3;
    float *in = make(rows * in_stride), *out = make(rows * out_stride), *before = make(rows * out_stride);
    double *weights = narrowed_weights(layer);
    const lancet_linear_job job = {layer->linear, in, out, rows, in_stride, out_stride, what};
    lancet_error error;

    memcpy(before, out, rows * out_stride * sizeof *out);
    assert_int_equal(lancet_linear_run(scratch, &job, 1, &error), LANCET_OK);
    for (size_t r = 0; r < rows; r++) {
        double *row = narrowed(in + r * in_stride, layer->in, layer->form.kind);

        for (size_t c = 0; c < out_stride; c++) {
            const float found = out[r * out_stride + c], old = before[r * out_stride + c];
            double sum;

            if (c >= layer->out) { /* between the rows nothing is written */
                assert_true(found == old);
                continue;
            }
            sum = layer->bias[c];
            for (size_t k = 0; k < layer->in; k++)
                sum += row[k] * weights[c * layer->in + k];
            if (!(fabs(found - after(sum, what, old)) <= 2e-6 * sqrt((double)layer->in) + 2e-6))
                fail_msg("%zux%zux%zu of kind %d, row %zu, column %zu: expected %.9g, found %.9g", rows,
                         layer->out, layer->in, (int)layer->form.kind, r, c, after(sum, what, old),
                         (double)found);
        }
        lancet_free(row);
    }
    lancet_free(in);
    lancet_free(out);
    lancet_free(before);
    lancet_free(weights);
}

static void test_shapes(void **state)
{
    static const size_t ins[] = {1, 2, 3, 64, 101, 192}, outs[] = {1, 17, 64, 192, 193, 400},
                        rows[] = {1, 2, 37, 300};
    static const lancet_dtype dtypes[] = {LANCET_F32, LANCET_F16, LANCET_BF16};
    lancet_linear_scratch *scratch = NULL;
    lancet_pool *pool = NULL;
    lancet_error error;
    size_t turn = 0;

    (void)state;
    assert_int_equal(lancet_pool_open(&pool, 2, &error), LANCET_OK);
    assert_int_equal(lancet_linear_scratch_open(&scratch, pool, &error), LANCET_OK);
    for (size_t i = 0; i < sizeof ins / sizeof *ins; i++)
        for (size_t o = 0; o < sizeof outs / sizeof *outs; o++)
            for (int kind = 0; kind < LANCET_PACKED_KINDS; kind++, turn++) {
                const struct form form = {dtypes[turn / 2 % 3], (lancet_packed_kind)kind, turn % 5 == 4};
                struct layer layer;

                layer_open(&layer, pool, ins[i], outs[o], o % 3 != 1, form);
                for (size_t r = 0; r < sizeof rows / sizeof *rows; r++)
                    check(scratch, &layer, rows[r], (lancet_after)((turn + r) % 5));
                layer_close(&layer);
            }
    lancet_linear_scratch_close(&scratch);
    lancet_pool_close(&pool);
}

/* Jobs of one run, some of which read the same rows, give what they give one by one. */
static void test_jobs_side_by_side(void **state)
{
    static const lancet_packed_kind kinds[] = {LANCET_PACKED_WHOLE, LANCET_PACKED_FLOAT, LANCET_PACKED_WHOLE,
                                               LANCET_PACKED_BFLOAT, LANCET_PACKED_WHOLE};
    enum { JOBS = 5, ROWS = 50, IN = 70, OUT = 90 };
    float *values = make(2 * ROWS * IN), *together = make(JOBS * ROWS * OUT),
          *alone = make(JOBS * ROWS * OUT);
    struct layer layers[JOBS];
    lancet_linear_job jobs[JOBS];
    lancet_linear_scratch *scratch = NULL;
    lancet_pool *pool = NULL;
    lancet_error error;

    (void)state;
    assert_int_equal(lancet_pool_open(&pool, 3, &error), LANCET_OK);
    assert_int_equal(lancet_linear_scratch_open(&scratch, pool, &error), LANCET_OK);
    for (int i = 0; i < JOBS; i++) {
        const struct form form = {LANCET_F32, kinds[i], false};

        layer_open(&layers[i], pool, IN, OUT, true, form);
        jobs[i] = (lancet_linear_job){layers[i].linear,
                                      values + (i == 2 ? ROWS * IN : 0),
                                      alone + i * ROWS * OUT,
                                      i == 4 ? ROWS - 1 : ROWS,
                                      IN,
                                      OUT,
                                      LANCET_AFTER_NOTHING};
        assert_int_equal(lancet_linear_run(scratch, &jobs[i], 1, &error), LANCET_OK);
        jobs[i].out = together + i * ROWS * OUT;
    }
    assert_int_equal(lancet_linear_run(scratch, jobs, JOBS, &error), LANCET_OK);
    for (int i = 0; i < JOBS; i++) {
        assert_memory_equal(together + i * ROWS * OUT, alone + i * ROWS * OUT,
                            jobs[i].rows * OUT * sizeof *alone);
        layer_close(&layers[i]);
    }
    lancet_linear_scratch_close(&scratch);
    lancet_pool_close(&pool);
    lancet_free(values);
    lancet_free(together);
    lancet_free(alone);
}

/* A row comes out the same to the last bit in a job of any number of rows, at any place, beside any others,
 * on any number of threads. */
static void test_rows_stand_alone(void **state)
{
    static const size_t shapes[][2] = {{64, 192}, {100, 300}, {512, 128}, {300, 100}, {2048, 64}, {13, 7}};
    const size_t most = 252;

    (void)state;
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        const size_t in = shapes[s][0], out = shapes[s][1];
        const lancet_after what = (lancet_after)(s % 4);
        float *values = make(most * in), *all = make(most * out), *some = make(most * out);

        for (int kind = 0; kind < LANCET_PACKED_KINDS; kind++)
            for (int threads = 1; threads <= 3; threads++) {
                const struct form form = {LANCET_F16, (lancet_packed_kind)kind, false};
                lancet_linear_scratch *scratch = NULL;
                lancet_pool *pool = NULL;
                struct layer layer;
                lancet_error error;

                assert_int_equal(lancet_pool_open(&pool, threads, &error), LANCET_OK);
                assert_int_equal(lancet_linear_scratch_open(&scratch, pool, &error), LANCET_OK);
                seed = 5;
                layer_open(&layer, pool, in, out, true, form);
                lancet_linear_job job = {layer.linear, values, all, most, in, out, what};

                if (threads == 1)
                    assert_int_equal(lancet_linear_run(scratch, &job, 1, &error), LANCET_OK);
                for (size_t rows = 1; rows <= most; rows += 1 + rows / 3) {
                    const size_t first = (rows * 7) % (most - rows + 1);

                    job = (lancet_linear_job){layer.linear, values + first * in, some, rows, in, out, what};
                    assert_int_equal(lancet_linear_run(scratch, &job, 1, &error), LANCET_OK);
                    if (memcmp(some, all + first * out, rows * out * sizeof *some) != 0)
                        fail_msg("%zux%zu of kind %d: rows %zu to %zu come out otherwise by %d threads", in,
                                 out, kind, first, first + rows, threads);
                }
                layer_close(&layer);
                lancet_linear_scratch_close(&scratch);
                lancet_pool_close(&pool);
            }
        lancet_free(values);
        lancet_free(all);
        lancet_free(some);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_jobs_side_by_side),
        cmocka_unit_test(test_rows_stand_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
