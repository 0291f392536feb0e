/* Attention without keys against the same with keys, written out in double precision; the same bytes whatever
 * the thread count and the pictures beside. SPDX-License-Identifier: Apache-2.0 */
#include "base/memory.h"
#include "tensor/keyless.h"
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

static float *make(size_t count)
{
    float *values = lancet_allocate(count, sizeof *values);

    assert_non_null(values);
    for (size_t i = 0; i < count; i++) {
        seed = seed * 1664525u + 1013904223u;
        values[i] = (float)(int32_t)seed / 2147483648.0f;
    }
    return values;
}

struct shape {
    size_t in, heads, head_width, pictures, count;
};

/* One run's operands; rows lie a few floats further apart than they are wide. */
struct work {
    struct shape shape;
    size_t width; /* heads * head_width */
    float *weight, *bias;
    uint16_t *halves;
    lancet_linear *linear;
    lancet_packed_kind kind;
    float *queries, *tokens, *values;
    lancet_keyless job;
};

static void work_open(struct work *work, struct shape shape, lancet_dtype dtype, lancet_packed_kind kind,
                      lancet_pool *pool)
{
    const size_t width = shape.heads * shape.head_width, rows = shape.pictures * shape.count;
    const size_t numbers = width * shape.in;
    lancet_tensor weight = {
        .name = "weight", .dtype = dtype, .rank = 2, .shape = {width, shape.in}, .count = numbers};
    lancet_tensor bias = {.name = "bias", .rank = 1, .shape = {width}, .count = width};
    const lancet_linear_source source = {&weight, &bias, false, kind};
    lancet_error error;

    *work = (struct work){.shape = shape, .width = width, .kind = kind};
    work->weight = make(numbers);
    work->bias = make(width);
    work->halves = lancet_allocate(numbers, sizeof *work->halves);
    assert_non_null(work->halves);
    weight.data = work->weight;
    bias.data = work->bias;
    if (dtype == LANCET_F16)
        lancet_narrow_half(work->halves, work->weight, numbers);
    else
        lancet_narrow_bfloat(work->halves, work->weight, numbers);
    if (dtype != LANCET_F32) {
        weight.data = work->halves;
        lancet_tensor_read(work->weight, &weight, 0, numbers);
    }
    assert_int_equal(lancet_linear_open(&work->linear, &source, pool, &error), LANCET_OK);
    /* What it is multiplied as: bfloat16 of whatever the file holds. */
    for (size_t i = 0; i < numbers && kind == LANCET_PACKED_BFLOAT; i++) {
        uint16_t half;
        uint32_t bits;

        lancet_narrow_bfloat(&half, work->weight + i, 1);
        bits = (uint32_t)half << 16;
        memcpy(work->weight + i, &bits, sizeof bits);
    }
    work->queries = make(shape.pictures * (width + 3));
    work->tokens = make(rows * (shape.in + 5));
    work->values = make(rows * (width + 1));
    work->job = (lancet_keyless){.queries = work->queries,
                                 .tokens = work->tokens,
                                 .values = work->values,
                                 .query_stride = width + 3,
                                 .out_stride = width + 2,
                                 .token_stride = shape.in + 5,
                                 .value_stride = width + 1,
                                 .pictures = shape.pictures,
                                 .count = shape.count,
                                 .heads = shape.heads,
                                 .scale = 1 / sqrtf((float)shape.head_width)};
    assert_int_equal(lancet_linear_matrix(&work->job.keys, work->linear), kind != LANCET_PACKED_WHOLE);
}

static void work_close(struct work *work)
{
    lancet_linear_close(&work->linear);
    lancet_free(work->weight);
    lancet_free(work->bias);
    lancet_free(work->halves);
    lancet_free(work->queries);
    lancet_free(work->tokens);
    lancet_free(work->values);
}

/* Pictures [first, first + pictures) of the work; returns [pictures, width + 2]. */
static float *run(const struct work *work, size_t first, size_t pictures, int threads)
{
    lancet_keyless job = work->job;
    lancet_pool *pool = NULL;
    lancet_error error;
    float *out = make(pictures * job.out_stride);

    assert_int_equal(lancet_pool_open(&pool, threads, &error), LANCET_OK);
    job.queries += first * job.query_stride;
    job.tokens += first * job.count * job.token_stride;
    job.values += first * job.count * job.value_stride;
    job.pictures = pictures;
    job.out = out;
    job.scratch = make(lancet_keyless_scratch(work->shape.in, pictures, job.count, job.heads, pool));
    lancet_keyless_run(pool, &job);
    lancet_free(job.scratch);
    lancet_pool_close(&pool);
    return out;
}

/* The keys of all tokens, with their bias, then softmax, as the paper writes it. */
static void attend(double *out, const struct work *work, size_t picture, size_t head)
{
    const struct shape *shape = &work->shape;
    const lancet_keyless *job = &work->job;
    const size_t at = head * shape->head_width;
    double *scores = lancet_allocate(shape->count, sizeof *scores), highest = -INFINITY, total = 0;

    assert_non_null(scores);
    for (size_t j = 0; j < shape->count; j++) {
        const float *token = work->tokens + (picture * shape->count + j) * job->token_stride;

        scores[j] = 0;
        for (size_t d = 0; d < shape->head_width; d++) {
            double key = work->bias[at + d];

            for (size_t k = 0; k < shape->in; k++)
                key += (double)work->weight[(at + d) * shape->in + k] * (double)token[k];
            scores[j] += (double)work->queries[picture * job->query_stride + at + d] * key;
        }
        scores[j] /= sqrt((double)shape->head_width);
        highest = fmax(highest, scores[j]);
    }
    for (size_t d = 0; d < shape->head_width; d++)
        out[d] = 0;
    for (size_t j = 0; j < shape->count; j++) {
        const float *value = work->values + (picture * shape->count + j) * job->value_stride + at;
        const double weight = exp(scores[j] - highest);

        total += weight;
        for (size_t d = 0; d < shape->head_width; d++)
            out[d] += weight * (double)value[d];
    }
    for (size_t d = 0; d < shape->head_width; d++)
        out[d] /= total;
    lancet_free(scores);
}

static void check(const struct work *work)
{
    const struct shape *shape = &work->shape;
    float *out = run(work, 0, shape->pictures, 2);
    double *expected = lancet_allocate(shape->head_width, sizeof *expected);

    assert_non_null(expected);
    for (size_t picture = 0; picture < shape->pictures; picture++)
        for (size_t head = 0; head < shape->heads; head++) {
            attend(expected, work, picture, head);
            for (size_t d = 0; d < shape->head_width; d++) {
                const size_t at = picture * work->job.out_stride + head * shape->head_width + d;

                /* Scores are sums of in * head_width products, each within a rounding of its size. */
                if (!(fabs(expected[d] - (double)out[at]) <= 4e-6))
                    fail_msg("%zu to %zux%zu of kind %d, picture %zu, head %zu: expected %.9g, found %.9g",
                             shape->in, shape->heads, shape->head_width, (int)work->kind, picture, head,
                             expected[d], (double)out[at]);
            }
        }
    lancet_free(expected);
    lancet_free(out);
}

/* Heads that are a panel, several, a part of one or lie across two; widths that end within a panel, a vector
 * and a pair; more pictures, heads and inputs than are taken at a time. */
static const struct shape shapes[] = {{64, 4, 16, 1, 5},   {96, 3, 32, 2, 50},   {192, 3, 64, 5, 37},
                                      {301, 5, 20, 9, 17}, {128, 1, 128, 3, 20}, {77, 7, 11, 4, 2},
                                      {2, 2, 1, 2, 3},     {1, 1, 1, 1, 1},      {260, 2, 80, 4, 33}};

static void test_shapes(void **state)
{
    static const lancet_dtype dtypes[] = {LANCET_F32, LANCET_F16, LANCET_BF16};
    static const lancet_packed_kind kinds[] = {LANCET_PACKED_FLOAT, LANCET_PACKED_BFLOAT};
    lancet_pool *pool = NULL;
    lancet_error error;

    (void)state;
    assert_int_equal(lancet_pool_open(&pool, 2, &error), LANCET_OK);
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
        for (size_t t = 0; t < 6; t++) {
            struct work work;

            work_open(&work, shapes[s], dtypes[t % 3], kinds[t / 3], pool);
            check(&work);
            work_close(&work);
        }
    lancet_pool_close(&pool);
}

static void test_whole_numbers_are_none(void **state)
{
    struct work work;
    lancet_pool *pool = NULL;
    lancet_error error;

    (void)state;
    assert_int_equal(lancet_pool_open(&pool, 1, &error), LANCET_OK);
    work_open(&work, shapes[0], LANCET_F32, LANCET_PACKED_WHOLE, pool);
    work_close(&work);
    lancet_pool_close(&pool);
}

static void test_pictures_stand_alone(void **state)
{
    lancet_pool *pool = NULL;
    lancet_error error;

    (void)state;
    assert_int_equal(lancet_pool_open(&pool, 1, &error), LANCET_OK);
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        struct work work;

        work_open(&work, shapes[s], LANCET_F16, LANCET_PACKED_FLOAT, pool);
        float *all = run(&work, 0, shapes[s].pictures, 1);

        for (size_t first = 0; first < shapes[s].pictures; first++)
            for (size_t some = 1; first + some <= shapes[s].pictures; some += 2) {
                float *part = run(&work, first, some, 1 + (int)(some + first) % 3);

                for (size_t i = 0; i < some; i++)
                    assert_memory_equal(part + i * work.job.out_stride,
                                        all + (first + i) * work.job.out_stride, work.width * sizeof *all);
                lancet_free(part);
            }
        lancet_free(all);
        work_close(&work);
    }
    lancet_pool_close(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_whole_numbers_are_none),
        cmocka_unit_test(test_pictures_stand_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
