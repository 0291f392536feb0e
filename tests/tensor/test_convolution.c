/* Convolutions against the sum written out, in every kind and shape; the same bytes whatever the thread count
 * and the batch. SPDX-License-Identifier: Apache-2.0 */
#include "base/memory.h"
#include "tensor/convolution.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define GUARD  -12345.0f
#define GUARDS 32

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

/* A convolution, the numbers it was made from, and what it is asked to do. */
struct layer {
    lancet_convolution_kind kind;
    lancet_winograd tile;
    size_t in, out, kernel;
    bool bias, norm, relu, average, add;
    float *weights, *biases, *norms; /* norms: weight, bias, mean, variance */
    lancet_convolution *convolution;
};

static lancet_tensor view(const char *name, const float *data, size_t rank, size_t a, size_t b, size_t c,
                          size_t d)
{
    return (lancet_tensor){
        .name = name, .rank = rank, .shape = {a, b, c, d}, .count = a * b * c * d, .data = data};
}

#define EPSILON 1e-5

static void layer_open(struct layer *l, lancet_pool *pool)
{
    const lancet_tensor weight = view("w", l->weights = make(l->out * l->in * l->kernel * l->kernel), 4,
                                      l->out, l->in, l->kernel, l->kernel);
    const lancet_tensor bias = view("b", l->biases = make(l->out), 1, l->out, 1, 1, 1);
    lancet_batch_norm norm;
    lancet_error error;

    l->norms = make(4 * l->out);
    for (size_t j = 0; j < l->out; j++)
        l->norms[3 * l->out + j] = j % 7 ? fabsf(l->norms[3 * l->out + j]) + 0.05f : 0; /* a variance */
    norm.weight = view("weight", l->norms, 1, l->out, 1, 1, 1);
    norm.bias = view("bias", l->norms + l->out, 1, l->out, 1, 1, 1);
    norm.mean = view("mean", l->norms + 2 * l->out, 1, l->out, 1, 1, 1);
    norm.variance = view("variance", l->norms + 3 * l->out, 1, l->out, 1, 1, 1);

    const lancet_convolution_source source = {.kind = l->kind,
                                              .weight = &weight,
                                              .bias = l->bias ? &bias : NULL,
                                              .norm = l->norm ? &norm : NULL,
                                              .epsilon = EPSILON,
                                              .tile = l->tile};

    assert_int_equal(lancet_convolution_open(&l->convolution, &source, pool, &error), LANCET_OK);
    assert_int_equal(lancet_convolution_in(l->convolution), l->in);
    assert_int_equal(lancet_convolution_out(l->convolution), l->out);
}

static void layer_close(struct layer *l)
{
    lancet_convolution_close(&l->convolution);
    assert_null(l->convolution);
    lancet_free(l->weights);
    lancet_free(l->biases);
    lancet_free(l->norms);
}

/* Numbers that go in, and what comes out with guards about it. */
struct data {
    lancet_convolution_job job;
    const float *planes[4];
    float *in, *add, *before, *out;
    size_t out_height, out_width, out_count;
};

static void data_make(struct data *d, const struct layer *l, const lancet_pool *pool, size_t pictures,
                      size_t height, size_t width)
{
    const bool planar = l->kind == LANCET_CONVOLUTION_PICTURE;
    const size_t in_stride = planar ? l->in : l->in + 5, out_stride = l->out + 3;

    d->out_height = planar ? (height + 1) / 2 : l->average ? height / 2 : height;
    d->out_width = planar ? (width + 1) / 2 : l->average ? width / 2 : width;
    d->out_count = pictures * d->out_height * d->out_width * out_stride;
    d->in = make(pictures * height * width * in_stride);
    d->add = make(d->out_count);
    d->before = make(d->out_count + 2 * GUARDS);
    for (size_t i = 0; i < d->out_count + 2 * GUARDS; i++)
        d->before[i] = GUARD;
    d->out = d->before + GUARDS;
    for (size_t p = 0; p < pictures && planar; p++)
        d->planes[p] = d->in + p * l->in * height * width;
    d->job = (lancet_convolution_job){.convolution = l->convolution,
                                      .in = planar ? NULL : d->in,
                                      .planes = planar ? d->planes : NULL,
                                      .out = d->out,
                                      .add = l->add ? d->add : NULL,
                                      .in_stride = in_stride,
                                      .out_stride = out_stride,
                                      .add_stride = out_stride,
                                      .pictures = pictures,
                                      .height = height,
                                      .width = width,
                                      .relu = l->relu,
                                      .average = l->average};
    d->job.scratch = make(lancet_convolution_scratch(&d->job, pool) + 1);
}

static void data_close(struct data *d)
{
    lancet_free(d->in);
    lancet_free(d->add);
    lancet_free(d->before);
    lancet_free(d->job.scratch);
}

/* One result before averaging, and the sum of its terms' magnitudes in *size. */
static double written_out(const struct layer *l, const struct data *d, size_t picture, size_t y, size_t x,
                          size_t j, double *size)
{
    const lancet_convolution_job *job = &d->job;
    const size_t padding = l->kernel / 2, stride = job->planes ? 2 : 1;
    double sum = l->bias ? l->biases[j] : 0;

    *size = fabs(sum);
    for (size_t c = 0; c < l->in; c++)
        for (size_t v = 0; v < l->kernel; v++)
            for (size_t u = 0; u < l->kernel; u++) {
                const size_t at_y = y * stride + v - padding, at_x = x * stride + u - padding;

                if (at_y >= job->height || at_x >= job->width)
                    continue;
                const double value =
                    job->planes
                        ? job->planes[picture][(c * job->height + at_y) * job->width + at_x]
                        : job->in[((picture * job->height + at_y) * job->width + at_x) * job->in_stride + c];
                const double term = value * l->weights[((j * l->in + c) * l->kernel + v) * l->kernel + u];

                sum += term;
                *size += fabs(term);
            }
    if (l->norm) {
        const float *n = l->norms;
        const double factor = n[j] / sqrt((double)n[3 * l->out + j] + EPSILON);

        sum = (sum - n[2 * l->out + j]) * factor + n[l->out + j];
        *size = (*size + fabs((double)n[2 * l->out + j])) * fabs(factor) + fabs((double)n[l->out + j]);
    }
    if (l->add) {
        sum += job->add[((picture * d->out_height + y) * d->out_width + x) * job->add_stride + j];
        *size += 1;
    }
    return l->relu && sum < 0 ? 0 : sum;
}

static double expected(const struct layer *l, const struct data *d, size_t picture, size_t y, size_t x,
                       size_t j, double *size)
{
    double sum = 0, part;

    if (!l->average)
        return written_out(l, d, picture, y, x, j, size);
    *size = 0;
    for (size_t i = 0; i < 4; i++) {
        sum += written_out(l, d, picture, 2 * y + i / 2, 2 * x + i % 2, j, &part) / 4;
        *size = fmax(*size, part);
    }
    return sum;
}

/* Errors are held against the sum of the terms' magnitudes, the largest of any result, because a square
 * shares its numbers: some roundings (6e-8 each) where the sum is written out, twice that through F(2x2,
 * 3x3), and ten times through F(4x4, 3x3), whose matrices multiply by up to 8 and cancel again. */
static void check(lancet_pool *pool, const struct layer *l, size_t pictures, size_t height, size_t width)
{
    const double limit = l->kind != LANCET_CONVOLUTION_3X3 ? 4e-7
                         : l->tile == LANCET_WINOGRAD_2    ? 1e-6
                                                           : 2e-5;
    double largest = 1e-30, worst = 0;
    struct data d;

    data_make(&d, l, pool, pictures, height, width);
    lancet_convolution_run(pool, &d.job);
    for (size_t p = 0; p < pictures; p++)
        for (size_t y = 0; y < d.out_height; y++)
            for (size_t x = 0; x < d.out_width; x++) {
                const float *out = d.out + ((p * d.out_height + y) * d.out_width + x) * d.job.out_stride;
                double size;

                for (size_t j = 0; j < l->out; j++) {
                    const double difference = fabs(out[j] - expected(l, &d, p, y, x, j, &size));

                    assert_true(isfinite(out[j]));
                    worst = fmax(worst, difference);
                    largest = fmax(largest, size);
                }
                for (size_t j = l->out; j < d.job.out_stride; j++) /* between the pixels nothing is written */
                    assert_true(out[j] == GUARD);
            }
    for (size_t i = 0; i < GUARDS; i++)
        assert_true(d.before[i] == GUARD && d.out[d.out_count + i] == GUARD);
    if (worst > limit * largest)
        fail_msg("kind %d, F(%d), %zu to %zu channels, %zux%zu: an error of %.2g of the terms' magnitudes",
                 (int)l->kind, (int)l->tile, l->in, l->out, height, width, worst / largest);
    data_close(&d);
}

static const size_t widths[] = {1, 3, 8, 12, 16, 17, 40, 64, 67, 130};

static void test_1x1(void **state)
{
    lancet_pool *pool = NULL;
    lancet_error error;

    (void)state;
    assert_int_equal(lancet_pool_open(&pool, 2, &error), LANCET_OK);
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++)
        for (size_t o = 0; o < sizeof widths / sizeof *widths; o++) {
            const unsigned bits = (unsigned)(i + o);
            struct layer l = {.kind = LANCET_CONVOLUTION_1X1,
                              .in = widths[i],
                              .out = widths[o],
                              .kernel = 1,
                              .bias = bits % 2,
                              .norm = bits % 3 == 0,
                              .relu = bits % 5 < 2,
                              .add = bits % 4 == 1};

            layer_open(&l, pool);
            for (size_t rows = 1; rows < 33; rows += i % 2 ? 1 : 5)
                check(pool, &l, 1, 1, rows);
            check(pool, &l, 2, 9, 13);
            layer_close(&l);
        }
    lancet_pool_close(&pool);
}

static void test_3x3(void **state)
{
    static const size_t sides[][2] = {{1, 1}, {1, 5}, {2, 2}, {3, 3}, {4, 4},
                                      {5, 6}, {7, 7}, {9, 8}, {13, 2}};
    lancet_pool *pool = NULL;
    lancet_error error;

    (void)state;
    assert_int_equal(lancet_pool_open(&pool, 2, &error), LANCET_OK);
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++)
        for (unsigned bits = 0; bits < 8; bits++) {
            struct layer l = {.kind = LANCET_CONVOLUTION_3X3,
                              .tile = bits & 1 ? LANCET_WINOGRAD_4 : LANCET_WINOGRAD_2,
                              .in = widths[i],
                              .out = widths[(i + bits) % (sizeof widths / sizeof *widths)],
                              .kernel = 3,
                              .bias = bits % 3 == 1,
                              .norm = bits % 3 == 0,
                              .relu = bits & 2,
                              .average = bits & 4};

            layer_open(&l, pool);
            for (size_t s = 0; s < sizeof sides / sizeof *sides; s++)
                check(pool, &l, 1 + s % 3, sides[s][0], sides[s][1]);
            layer_close(&l);
        }
    lancet_pool_close(&pool);
}

/* More squares than a strip of scratch memory holds. */
static void test_large(void **state)
{
    lancet_pool *pool = NULL;
    lancet_error error;

    (void)state;
    assert_int_equal(lancet_pool_open(&pool, 2, &error), LANCET_OK);
    for (unsigned bits = 0; bits < 2; bits++) {
        struct layer l = {.kind = LANCET_CONVOLUTION_3X3,
                          .tile = bits ? LANCET_WINOGRAD_4 : LANCET_WINOGRAD_2,
                          .in = 9,
                          .out = 5,
                          .kernel = 3,
                          .relu = true};

        layer_open(&l, pool);
        check(pool, &l, 2, 201, 253);
        layer_close(&l);
    }
    lancet_pool_close(&pool);
}

static void test_picture(void **state)
{
    lancet_pool *pool = NULL;
    lancet_error error;

    (void)state;
    assert_int_equal(lancet_pool_open(&pool, 2, &error), LANCET_OK);
    for (size_t out = 1; out < 70; out += 7) {
        struct layer l = {.kind = LANCET_CONVOLUTION_PICTURE, .in = 3, .out = out, .kernel = 3, .norm = true};

        l.relu = out % 2;
        layer_open(&l, pool);
        check(pool, &l, 2, 1, 1);
        check(pool, &l, 1, 2, 3);
        check(pool, &l, 2, 17, 12);
        check(pool, &l, 1, 20, 31);
        layer_close(&l);
    }
    lancet_pool_close(&pool);
}

/* Pictures come out the same to the last bit alone, in a batch, and on any number of threads. */
static void test_same_bytes(void **state)
{
    static const struct layer layers[] = {
        {.kind = LANCET_CONVOLUTION_1X1, .in = 70, .out = 200, .kernel = 1, .norm = true, .relu = true},
        {.kind = LANCET_CONVOLUTION_3X3,
         .tile = LANCET_WINOGRAD_2,
         .in = 70,
         .out = 100,
         .kernel = 3,
         .norm = true},
        {.kind = LANCET_CONVOLUTION_3X3,
         .tile = LANCET_WINOGRAD_4,
         .in = 70,
         .out = 100,
         .kernel = 3,
         .norm = true,
         .average = true},
        {.kind = LANCET_CONVOLUTION_PICTURE, .in = 3, .out = 40, .kernel = 3, .norm = true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
        float *first = NULL;

        for (int threads = 1; threads <= 3; threads++) {
            struct layer l = layers[i];
            lancet_pool *pool = NULL;
            lancet_error error;
            struct data d;

            assert_int_equal(lancet_pool_open(&pool, threads, &error), LANCET_OK);
            seed = 5;
            layer_open(&l, pool);
            data_make(&d, &l, pool, 3, 23, 30);
            const size_t bytes = d.out_count * sizeof *d.out, part = d.out_count / 3;

            lancet_convolution_run(pool, &d.job);
            if (!first) {
                first = make(d.out_count);
                memcpy(first, d.out, bytes);
            }
            assert_memory_equal(first, d.out, bytes);
            for (size_t p = 0; p < 3; p++) {
                lancet_convolution_job alone = d.job;

                alone.pictures = 1;
                alone.in = d.in + p * 23 * 30 * d.job.in_stride;
                alone.planes = d.planes + p;
                alone.out = d.out + p * part;
                memset(alone.out, 0xFF, part * sizeof *d.out);
                for (size_t k = l.out; k < part; k += d.job.out_stride)
                    for (size_t g = 0; g < d.job.out_stride - l.out; g++)
                        alone.out[k + g] = GUARD;
                lancet_convolution_run(pool, &alone);
            }
            assert_memory_equal(first, d.out, bytes);
            data_close(&d);
            layer_close(&l);
            lancet_pool_close(&pool);
        }
        lancet_free(first);
    }
}

/* The residual may be where the result goes. */
static void test_add_in_place(void **state)
{
    struct layer l = {
        .kind = LANCET_CONVOLUTION_1X1, .in = 20, .out = 33, .kernel = 1, .relu = true, .add = true};
    lancet_pool *pool = NULL;
    lancet_error error;
    struct data d;
    float *apart;

    (void)state;
    assert_int_equal(lancet_pool_open(&pool, 2, &error), LANCET_OK);
    layer_open(&l, pool);
    data_make(&d, &l, pool, 1, 6, 5);
    lancet_convolution_run(pool, &d.job);
    apart = make(d.out_count);
    memcpy(apart, d.out, d.out_count * sizeof *apart);
    for (size_t i = 0; i < d.out_count; i++)
        if (i % d.job.out_stride < l.out)
            d.out[i] = d.add[i];
    d.job.add = d.out;
    lancet_convolution_run(pool, &d.job);
    assert_memory_equal(apart, d.out, d.out_count * sizeof *apart);
    lancet_free(apart);
    data_close(&d);
    layer_close(&l);
    lancet_pool_close(&pool);
}

static void test_average(void **state)
{
    static const size_t sides[][2] = {{1, 1}, {2, 2}, {3, 2}, {7, 9}, {8, 8}};
    lancet_pool *pool = NULL;
    lancet_error error;

    (void)state;
    assert_int_equal(lancet_pool_open(&pool, 2, &error), LANCET_OK);
    for (size_t s = 0; s < sizeof sides / sizeof *sides; s++) {
        const size_t height = sides[s][0], width = sides[s][1], channels = 19, stride = 21, h = height / 2,
                     w = width / 2;
        float *in = make(2 * height * width * stride), *out = make(2 * h * w * stride + 1);

        for (size_t i = 0; i <= 2 * h * w * stride; i++)
            out[i] = GUARD;
        lancet_average_run(pool, out, stride, in, stride, 2, height, width, channels);
        for (size_t p = 0; p < 2; p++)
            for (size_t y = 0; y < h; y++)
                for (size_t x = 0; x < w; x++)
                    for (size_t c = 0; c < stride; c++) {
                        const float found = out[((p * h + y) * w + x) * stride + c];
                        const float *at = in + ((p * height + 2 * y) * width + 2 * x) * stride + c;
                        const double mean =
                            ((double)at[0] + at[stride] + at[width * stride] + at[(width + 1) * stride]) / 4;

                        assert_true(c < channels ? fabs(found - mean) < 2e-7 : found == GUARD);
                    }
        assert_true(out[2 * h * w * stride] == GUARD);
        lancet_free(in);
        lancet_free(out);
    }
    lancet_pool_close(&pool);
}

static void test_memory(void **state)
{
    struct layer l = {
        .kind = LANCET_CONVOLUTION_3X3, .tile = LANCET_WINOGRAD_4, .in = 5, .out = 7, .kernel = 3};
    const lancet_tensor weight = view("w", make(5 * 7 * 9), 4, 7, 5, 3, 3);
    const lancet_tensor norm = view("n", make(7), 1, 7, 1, 1, 1);
    const lancet_batch_norm norms = {norm, norm, norm, norm};
    const lancet_convolution_source source = {l.kind, &weight, NULL, &norms, 1, l.tile};
    lancet_pool *pool = NULL;
    lancet_error error;
    uint64_t n = 1;

    (void)state;
    assert_int_equal(lancet_pool_open(&pool, 2, &error), LANCET_OK);
    for (;; n++) {
        lancet_memory_fail_at(n);
        const lancet_status status = lancet_convolution_open(&l.convolution, &source, pool, &error);
        const bool over = lancet_memory_requests() < n;

        lancet_memory_fail_at(0);
        assert_int_equal(status, over ? LANCET_OK : LANCET_ERROR_MEMORY);
        assert_true((l.convolution != NULL) == over);
        lancet_convolution_close(&l.convolution);
        if (over)
            break;
    }
    assert_true(n > 5);
    lancet_pool_close(&pool);
    lancet_free((void *)weight.data);
    lancet_free((void *)norm.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_1x1),        cmocka_unit_test(test_3x3),
        cmocka_unit_test(test_large),      cmocka_unit_test(test_picture),
        cmocka_unit_test(test_same_bytes), cmocka_unit_test(test_add_in_place),
        cmocka_unit_test(test_average),    cmocka_unit_test(test_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
