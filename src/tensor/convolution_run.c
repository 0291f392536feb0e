/* Running convolutions. SPDX-License-Identifier: Apache-2.0 */
#include "tensor/convolution_internal.h"

#include "tensor/packed.h"

#include <string.h>

/* Squares that are multiplied together: few enough that their points, and what becomes of them, stay in the
 * second-level cache; enough that each of the weights serves several times. */
#define SQUARES_OF_TASK 28

/* Floats of transformed squares at a time: what the third-level cache of a small machine holds. A larger
 * picture is gone through in strips. */
#define STRIP ((size_t)1 << 21)

/* Numbers that a task of transforming or averaging handles: some microseconds of work. */
#define NUMBERS_OF_TASK 4096

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t divide_up(size_t a, size_t b)
{
    return (a + b - 1) / b;
}

size_t lancet_row_stride(size_t channels)
{
    const size_t whole = divide_up(channels, 16) * 16;

    return whole % 256 ? whole : whole + 16;
}

/* ---- 3x3 ----------------------------------------------------------------------------------------------- */

/* The squares of a job's pictures, all counted in one row. */
struct squares {
    const lancet_kernels *kernels;
    const lancet_convolution_job *job;
    const lancet_convolution *convolution;
    size_t down, across, count; /* squares in a picture's column, in its row, and in all pictures */
    size_t first, strip;        /* those of the present strip */
    size_t stride;              /* floats between the transformed squares */
    float *transformed;         /* [points, strip, stride] */
    float *products;            /* [workers] of [points, SQUARES_OF_TASK, LANCET_PACKED_CHUNK] */
    size_t of_task;             /* squares that a task transforms */
};

static size_t strip_of(const struct squares *s)
{
    const size_t fitting = STRIP / (s->convolution->points * s->stride);

    /* Tasks of full size, where it does not matter otherwise. */
    return smaller(s->count,
                   fitting < SQUARES_OF_TASK ? SQUARES_OF_TASK : fitting - fitting % SQUARES_OF_TASK);
}

static struct squares count_squares(const lancet_convolution_job *job)
{
    struct squares s = {.kernels = lancet_kernels_get(), .job = job, .convolution = job->convolution};

    s.down = divide_up(job->height, s.convolution->tile);
    s.across = divide_up(job->width, s.convolution->tile);
    s.count = job->pictures * s.down * s.across;
    s.stride = lancet_row_stride(s.convolution->in);
    s.strip = strip_of(&s);
    s.of_task = NUMBERS_OF_TASK / s.convolution->in + 1;
    return s;
}

static void transform_squares(void *context, size_t task, int worker)
{
    const struct squares *s = context;
    const lancet_convolution_job *job = s->job;
    const size_t tile = s->convolution->tile, side = tile + 2;
    const size_t last = smaller((task + 1) * s->of_task, s->strip);

    (void)worker;
    for (size_t i = task * s->of_task; i < last; i++) {
        const size_t square = s->first + i, picture = square / (s->down * s->across);
        const size_t row = square / s->across % s->down, column = square % s->across;
        const float *in = job->in + picture * job->height * job->width * job->in_stride;
        const float *pixels[LANCET_WINOGRAD_POINTS_MAX];

        /* The square begins a pixel above and to the left of its results. Unsigned, what is before the first
         * row wraps around and is beyond the last. */
        for (size_t y = 0; y < side; y++)
            for (size_t x = 0; x < side; x++) {
                const size_t at_y = row * tile + y - 1, at_x = column * tile + x - 1;

                pixels[y * side + x] = at_y < job->height && at_x < job->width
                                           ? in + (at_y * job->width + at_x) * job->in_stride
                                           : s->convolution->zeros;
            }
        s->kernels->winograd_in(s->convolution->tile, s->transformed + i * s->stride, s->strip * s->stride,
                                pixels, s->convolution->in);
    }
}

/* Where a square's results go, one pointer for each. */
static void find_results(float **pixels, const struct squares *s, size_t square, size_t channel)
{
    const lancet_convolution_job *job = s->job;
    const size_t step = job->average ? 2 : 1, tile = s->convolution->tile / step;
    const size_t height = job->height / step, width = job->width / step;
    const size_t picture = square / (s->down * s->across);
    const size_t row = square / s->across % s->down, column = square % s->across;
    float *out = job->out + picture * height * width * job->out_stride + channel;

    for (size_t y = row * tile; y < (row + 1) * tile; y++)
        for (size_t x = column * tile; x < (column + 1) * tile; x++)
            *pixels++ = y < height && x < width ? out + (y * width + x) * job->out_stride : NULL;
}

static void multiply_squares(void *context, size_t task, int worker)
{
    const struct squares *s = context;
    const lancet_convolution *c = s->convolution;
    const size_t tasks = divide_up(s->strip, SQUARES_OF_TASK), chunk = task / tasks, block = task % tasks;
    const size_t start = block * s->strip / tasks, count = (block + 1) * s->strip / tasks - start;
    const size_t channel = chunk * LANCET_PACKED_CHUNK;
    const size_t columns = smaller(c->out - channel, LANCET_PACKED_CHUNK);
    const lancet_winograd_after after = {c->bias + channel, s->job->relu, s->job->average};
    float *products = s->products + (size_t)worker * c->points * SQUARES_OF_TASK * LANCET_PACKED_CHUNK;
    float *pixels[16];

    for (size_t p = 0; p < c->points; p++) {
        const lancet_packed_product product = {
            .in = s->transformed + (p * s->strip + start) * s->stride,
            .matrix = lancet_packed_columns(c->packed + p * c->matrix_size, c->depth, channel),
            .out = products + p * SQUARES_OF_TASK * LANCET_PACKED_CHUNK,
            .in_stride = s->stride,
            .out_stride = LANCET_PACKED_CHUNK,
            .rows = count,
            .columns = columns,
            .depth = c->depth,
        };

        s->kernels->packed_product(&product);
    }
    for (size_t i = 0; i < count; i++) {
        find_results(pixels, s, s->first + start + i, channel);
        s->kernels->winograd_out(c->tile, pixels, products + i * LANCET_PACKED_CHUNK,
                                 SQUARES_OF_TASK * LANCET_PACKED_CHUNK, columns, &after);
    }
}

static void run_3x3(lancet_pool *pool, const lancet_convolution_job *job)
{
    struct squares s = count_squares(job);
    const size_t chunks = divide_up(s.convolution->out, LANCET_PACKED_CHUNK), strip = s.strip;

    s.transformed = job->scratch;
    s.products = job->scratch + s.convolution->points * strip * s.stride;
    for (; s.first < s.count; s.first += s.strip) {
        s.strip = smaller(strip, s.count - s.first);
        lancet_pool_run(pool, divide_up(s.strip, s.of_task), transform_squares, &s);
        lancet_pool_run(pool, chunks * divide_up(s.strip, SQUARES_OF_TASK), multiply_squares, &s);
    }
}

/* ---- Pictures ------------------------------------------------------------------------------------------ */

struct rows {
    const lancet_kernels *kernels;
    const lancet_convolution_job *job;
    size_t height, width; /* of the result */
    size_t stride;        /* floats between the rows of a worker's scratch: a pixel's 9 * in neighbours */
};

static struct rows count_rows(const lancet_convolution_job *job)
{
    return (struct rows){lancet_kernels_get(), job, divide_up(job->height, 2), divide_up(job->width, 2),
                         divide_up(job->convolution->depth, 16) * 16};
}

/* A row of results: the neighbours of each of its pixels side by side, in the order of the weights, then a
 * product. */
static void picture_row(void *context, size_t task, int worker)
{
    const struct rows *rows = context;
    const lancet_convolution_job *job = rows->job;
    const lancet_convolution *c = job->convolution;
    const size_t picture = task / rows->height, row = task % rows->height;
    float *neighbours = job->scratch + (size_t)worker * rows->width * rows->stride;
    const lancet_packed_product product = {
        .in = neighbours,
        .matrix = c->packed,
        .bias = c->bias,
        .out = job->out + task * rows->width * job->out_stride,
        .in_stride = rows->stride,
        .out_stride = job->out_stride,
        .rows = rows->width,
        .columns = c->out,
        .depth = c->depth,
        .after = job->relu ? LANCET_AFTER_RELU : LANCET_AFTER_NOTHING,
    };

    for (size_t channel = 0; channel < c->in; channel++)
        for (size_t y = 0; y < 3; y++)
            for (size_t x = 0; x < 3; x++) {
                const size_t at_y = 2 * row + y - 1; /* wraps around above the picture */
                const float *line = job->planes[picture] +
                                    (channel * job->height + (at_y < job->height ? at_y : 0)) * job->width;
                float *to = neighbours + (channel * 3 + y) * 3 + x;

                for (size_t i = 0; i < rows->width; i++) {
                    const size_t at_x = 2 * i + x - 1;

                    to[i * rows->stride] = at_y < job->height && at_x < job->width ? line[at_x] : 0;
                }
            }
    rows->kernels->packed_product(&product);
}

static void run_picture(lancet_pool *pool, const lancet_convolution_job *job)
{
    struct rows rows = count_rows(job);

    lancet_pool_run(pool, job->pictures * rows.height, picture_row, &rows);
}

/* ---- All kinds ----------------------------------------------------------------------------------------- */

size_t lancet_convolution_scratch(const lancet_convolution_job *job, const lancet_pool *pool)
{
    const lancet_convolution *c = job->convolution;
    const size_t workers = (size_t)lancet_pool_threads(pool);

    if (c->kind == LANCET_CONVOLUTION_1X1)
        return 0;
    if (c->kind == LANCET_CONVOLUTION_PICTURE) {
        const struct rows rows = count_rows(job);

        return workers * rows.width * rows.stride;
    }
    const struct squares s = count_squares(job);

    return c->points * (s.strip * s.stride + workers * SQUARES_OF_TASK * LANCET_PACKED_CHUNK);
}

void lancet_convolution_run(lancet_pool *pool, const lancet_convolution_job *job)
{
    const lancet_convolution *c = job->convolution;

    if (c->kind == LANCET_CONVOLUTION_PICTURE) {
        run_picture(pool, job);
    } else if (c->kind == LANCET_CONVOLUTION_3X3) {
        run_3x3(pool, job);
    } else {
        const lancet_packed_product product = {
            .in = job->in,
            .matrix = c->packed,
            .bias = c->bias,
            .add = job->add,
            .out = job->out,
            .in_stride = job->in_stride,
            .add_stride = job->add_stride,
            .out_stride = job->out_stride,
            .rows = job->pictures * job->height * job->width,
            .columns = c->out,
            .depth = c->depth,
            .after = job->relu ? LANCET_AFTER_RELU : LANCET_AFTER_NOTHING,
        };

        lancet_packed_run(pool, &product);
    }
}

struct average {
    float *out;
    const float *in;
    size_t out_stride, in_stride, height, width, channels; /* height, width: of the result */
    size_t in_height, in_width;
};

static void average_row(void *context, size_t task, int worker)
{
    const struct average *a = context;
    const size_t picture = task / a->height, row = task % a->height;
    const float *in = a->in + (picture * a->in_height + 2 * row) * a->in_width * a->in_stride;
    float *out = a->out + task * a->width * a->out_stride;

    (void)worker;
    for (size_t x = 0; x < a->width; x++, out += a->out_stride, in += 2 * a->in_stride) {
        const float *below = in + a->in_width * a->in_stride;

        for (size_t c = 0; c < a->channels; c++)
            out[c] = 0.25f * (in[c] + in[a->in_stride + c] + below[c] + below[a->in_stride + c]);
    }
}

void lancet_average_run(lancet_pool *pool, float *out, size_t out_stride, const float *in, size_t in_stride,
                        size_t pictures, size_t height, size_t width, size_t channels)
{
    struct average a = {out, in, out_stride, in_stride, height / 2, width / 2, channels, height, width};

    lancet_pool_run(pool, pictures * a.height, average_row, &a);
}
