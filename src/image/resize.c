/* SPDX-License-Identifier: Apache-2.0 */
#include "image/resize.h"

#include "base/memory.h"
#include "base/status.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#define FRACTION_BITS                                                                                        \
    22 /* of a weight: 32 less 8 of a sample, a sign and one for kernels whose sum overshoots */
#define BLOCK_ROWS  16         /* that go through the first pass together */
#define STRIP_BYTES (1u << 19) /* what lies between the two passes should stay in the second-level cache */
#define STRIP_LEAST 32         /* columns; bounds the strip at 6 MiB for the tallest picture */

/* What one output sample takes from its axis: `count` inputs from `first` on, with weights at `weights +
 * index * reach`. */
typedef struct span {
    size_t first, count;
} span;

typedef struct axis {
    size_t in, out;
    size_t reach; /* weights kept for each output */
    span *spans;
    int32_t *weights;
    bool same; /* nothing to do along this axis */
} axis;

static double cubic(double x)
{
    const double a = -0.5;

    x = fabs(x);
    if (x < 1.0)
        return ((a + 2.0) * x - (a + 3.0)) * x * x + 1;
    if (x < 2.0)
        return (((x - 5) * x + 8) * x - 4) * a;
    return 0.0;
}

static void axis_close(axis *a)
{
    lancet_free(a->spans);
    lancet_free(a->weights);
    *a = (axis){0};
}

/* False if memory is out. The order of the floating-point operations is part of the result. */
static bool axis_open(axis *a, size_t in, size_t out)
{
    const double scale = (double)in / (double)out, widen = scale < 1.0 ? 1.0 : scale;
    const double support = 2.0 * widen, narrow = 1.0 / widen;
    double *exact = NULL;

    *a = (axis){.in = in, .out = out, .same = in == out};
    if (a->same)
        return true;
    a->reach = (size_t)ceil(support) * 2 + 1;
    a->spans = lancet_allocate(out, sizeof *a->spans);
    a->weights = lancet_allocate_zero(out * a->reach, sizeof *a->weights);
    exact = lancet_allocate(a->reach, sizeof *exact);
    if (!a->spans || !a->weights || !exact) {
        axis_close(a);
        lancet_free(exact);
        return false;
    }
    for (size_t i = 0; i < out; i++) {
        const double center = ((double)i + 0.5) * scale, low = center - support + 0.5;
        const size_t first = low > 0 ? (size_t)low : 0, high = (size_t)(center + support + 0.5);
        const size_t count = (high < in ? high : in) - first;
        int32_t *weights = a->weights + i * a->reach;
        double sum = 0;

        for (size_t k = 0; k < count; k++) {
            exact[k] = cubic(((double)(k + first) - center + 0.5) * narrow);
            sum += exact[k];
        }
        for (size_t k = 0; k < count; k++) {
            const double weight = (sum != 0.0 ? exact[k] / sum : exact[k]) * (1 << FRACTION_BITS);

            weights[k] = (int32_t)(weight < 0 ? weight - 0.5 : weight + 0.5);
        }
        a->spans[i] = (span){first, count};
    }
    lancet_free(exact);
    return true;
}

/* One row of a result: `length` bytes from `count` rows `stride` bytes apart. sums: [length], scratch.
 * The one hot loop, for both passes. Plain C, compiled for any x86-64 and for AVX2, which multiplies 8 x 32
 * bits in one go; the arithmetic is in integers, so both give the same bytes. The sums cannot overflow: the
 * weights of an output have absolute values that add up to less than 1.5, and 1.5 * 255 * 2^22 < 2^31. */
static inline __attribute__((always_inline)) void mix_body(uint8_t *restrict out, int32_t *restrict sums,
                                                           const uint8_t *restrict rows, size_t stride,
                                                           const int32_t *restrict weights, size_t count,
                                                           size_t length)
{
    size_t k = 0;

    for (size_t i = 0; i < length; i++)
        sums[i] = 1 << (FRACTION_BITS - 1);
    for (; k + 4 <= count; k += 4) {
        const int32_t w0 = weights[k], w1 = weights[k + 1], w2 = weights[k + 2], w3 = weights[k + 3];
        const uint8_t *r0 = rows + k * stride, *r1 = r0 + stride, *r2 = r1 + stride, *r3 = r2 + stride;

        for (size_t i = 0; i < length; i++)
            sums[i] += w0 * r0[i] + w1 * r1[i] + w2 * r2[i] + w3 * r3[i];
    }
    for (; k < count; k++) {
        const int32_t w0 = weights[k];
        const uint8_t *r0 = rows + k * stride;

        for (size_t i = 0; i < length; i++)
            sums[i] += w0 * r0[i];
    }
    for (size_t i = 0; i < length; i++) {
        const int32_t value = sums[i] >> FRACTION_BITS;

        out[i] = (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
    }
}

/* The lengths of the first pass are constants, which lets the compiler unroll. */
static inline __attribute__((always_inline)) void mix_any(uint8_t *out, int32_t *sums, const uint8_t *rows,
                                                          size_t stride, const int32_t *weights, size_t count,
                                                          size_t length)
{
    if (length == 3 * BLOCK_ROWS && stride == length)
        mix_body(out, sums, rows, 3 * BLOCK_ROWS, weights, count, 3 * BLOCK_ROWS);
    else
        mix_body(out, sums, rows, stride, weights, count, length);
}

typedef void mix_function(uint8_t *out, int32_t *sums, const uint8_t *rows, size_t stride,
                          const int32_t *weights, size_t count, size_t length);

static void mix_plain(uint8_t *out, int32_t *sums, const uint8_t *rows, size_t stride, const int32_t *weights,
                      size_t count, size_t length)
{
    mix_any(out, sums, rows, stride, weights, count, length);
}

#if defined(__x86_64__) && defined(__GNUC__)
__attribute__((target("avx2"))) static void mix_avx2(uint8_t *out, int32_t *sums, const uint8_t *rows,
                                                     size_t stride, const int32_t *weights, size_t count,
                                                     size_t length)
{
    mix_any(out, sums, rows, stride, weights, count, length);
}

static mix_function *choose_mix(void)
{
    return __builtin_cpu_supports("avx2") ? mix_avx2 : mix_plain;
}
#else
static mix_function *choose_mix(void)
{
    return mix_plain;
}
#endif

/* out[j * out_stride + i] = in[i * in_stride + j] for 8 x 8 bytes: halves, then quarters, then single bytes
 * of the eight words change places across the diagonal. */
static void transpose_8x8(uint8_t *out, size_t out_stride, const uint8_t *in, size_t in_stride)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    static const uint64_t masks[3] = {0x00000000FFFFFFFFu, 0x0000FFFF0000FFFFu, 0x00FF00FF00FF00FFu};
    uint64_t words[8];

    for (size_t i = 0; i < 8; i++)
        memcpy(&words[i], in + i * in_stride, 8);
    for (int step = 0; step < 3; step++) {
        const size_t apart = (size_t)4 >> step;
        const int shift = 32 >> step;

        for (size_t i = 0; i < 8; i++) {
            if (i & apart)
                continue;
            const uint64_t change = ((words[i] >> shift) ^ words[i + apart]) & masks[step];

            words[i] ^= change << shift;
            words[i + apart] ^= change;
        }
    }
    for (size_t j = 0; j < 8; j++)
        memcpy(out + j * out_stride, &words[j], 8);
#else
    for (size_t i = 0; i < 8; i++)
        for (size_t j = 0; j < 8; j++)
            out[j * out_stride + i] = in[i * in_stride + j];
#endif
}

static void transpose(uint8_t *out, size_t out_stride, const uint8_t *in, size_t in_stride, size_t rows,
                      size_t columns)
{
    const size_t whole_rows = rows & ~(size_t)7, whole_columns = columns & ~(size_t)7;

    for (size_t j = 0; j < whole_columns; j += 8)
        for (size_t i = 0; i < whole_rows; i += 8)
            transpose_8x8(out + j * out_stride + i, out_stride, in + i * in_stride + j, in_stride);
    for (size_t i = 0; i < rows; i++)
        for (size_t j = i < whole_rows ? whole_columns : 0; j < columns; j++)
            out[j * out_stride + i] = in[i * in_stride + j];
}

/* What `resize` works with; everything but `between` is for a block of BLOCK_ROWS rows. */
typedef struct scratch {
    uint8_t *columns; /* input of the first pass, transposed: [columns * channels, BLOCK_ROWS] */
    uint8_t *mixed;   /* its output: [strip * channels, BLOCK_ROWS] */
    uint8_t *between; /* its output as rows: [rows, strip * channels] */
    int32_t *sums;
} scratch;

/* The first pass on up to BLOCK_ROWS rows: output columns [from, to) of `x` into `out`. Transposed, so that
 * going across is the same loop over contiguous bytes as going down. */
static void across(uint8_t *out, const uint8_t *in, size_t stride, size_t rows, const axis *x, size_t from,
                   size_t to, size_t channels, scratch *work, mix_function *mix)
{
    const size_t origin = x->spans[from].first, end = x->spans[to - 1].first + x->spans[to - 1].count;
    const size_t length = BLOCK_ROWS * channels;

    transpose(work->columns, BLOCK_ROWS, in + origin * channels, stride, rows, (end - origin) * channels);
    for (size_t i = from; i < to; i++)
        mix(work->mixed + (i - from) * length, work->sums,
            work->columns + (x->spans[i].first - origin) * length, length, x->weights + i * x->reach,
            x->spans[i].count, length);
    transpose(out, (to - from) * channels, work->mixed, BLOCK_ROWS, (to - from) * channels, rows);
}

/* Resizes strip after strip of output columns, so that what lies between the passes is small at any size: for
 * each strip, the rows that the second pass reads go across into `between`, then down into `out`. */
static lancet_status resize(uint8_t *out, const axis *x, const axis *y, const uint8_t *in, size_t stride,
                            size_t channels, lancet_error *error)
{
    mix_function *mix = choose_mix();
    const size_t width = x->out, height = y->out, last = height - 1;
    const size_t row_first = y->same ? 0 : y->spans[0].first;
    const size_t row_end = y->same ? height : y->spans[last].first + y->spans[last].count;
    size_t strip = STRIP_BYTES / ((row_end - row_first) * channels), longest;
    lancet_status status = LANCET_OK;
    scratch work = {0};

    strip = strip < STRIP_LEAST ? STRIP_LEAST : strip;
    strip = strip > width ? width : strip;
    longest = strip > BLOCK_ROWS ? strip : BLOCK_ROWS;
    /* Zeroed, because a last block of fewer rows leaves the rest of its columns unwritten. */
    work.columns = lancet_allocate_zero(x->same ? 0 : x->in * channels, BLOCK_ROWS);
    work.mixed = lancet_allocate(x->same ? 0 : strip * channels, BLOCK_ROWS);
    work.between = lancet_allocate(row_end - row_first, strip * channels);
    work.sums = lancet_allocate(longest * channels, sizeof *work.sums);
    if (!work.columns || !work.mixed || !work.between || !work.sums) {
        status = lancet_fail_memory(error, "resizing a picture");
        goto done;
    }
    for (size_t from = 0; from < width; from += strip) {
        const size_t to = width - from < strip ? width : from + strip, bytes = (to - from) * channels;

        for (size_t r = row_first; r < row_end; r += x->same ? 1 : BLOCK_ROWS) {
            uint8_t *target = work.between + (r - row_first) * bytes;

            if (x->same)
                memcpy(target, in + r * stride + from * channels, bytes);
            else
                across(target, in + r * stride, stride, row_end - r < BLOCK_ROWS ? row_end - r : BLOCK_ROWS,
                       x, from, to, channels, &work, mix);
        }
        for (size_t r = 0; r < height; r++) {
            uint8_t *target = out + (r * width + from) * channels;

            if (y->same)
                memcpy(target, work.between + r * bytes, bytes);
            else
                mix(target, work.sums, work.between + (y->spans[r].first - row_first) * bytes, bytes,
                    y->weights + r * y->reach, y->spans[r].count, bytes);
        }
    }
done:
    lancet_free(work.columns);
    lancet_free(work.mixed);
    lancet_free(work.between);
    lancet_free(work.sums);
    return status;
}

static bool side_valid(size_t side)
{
    return side >= 1 && side <= LANCET_PICTURE_SIDE_MAX;
}

static lancet_status check_and_resize(uint8_t *out, size_t width, size_t height, const uint8_t *in,
                                      size_t in_width, size_t in_height, size_t stride, size_t channels,
                                      lancet_error *error)
{
    axis x = {0}, y = {0};
    lancet_status status = LANCET_OK;

    if (!out || !in)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                           "resize: expected pixels to read and to write, found NULL");
    if (!side_valid(width) || !side_valid(height) || !side_valid(in_width) || !side_valid(in_height))
        return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                           "resize: expected sides from 1 to %d, found %zu x %zu to %zu x %zu",
                           LANCET_PICTURE_SIDE_MAX, in_width, in_height, width, height);
    if (stride < in_width * channels)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                           "resize: expected a stride of at least %zu, found %zu", in_width * channels,
                           stride);
    if (!axis_open(&x, in_width, width) || !axis_open(&y, in_height, height))
        status = lancet_fail_memory(error, "resizing a picture");
    else
        status = resize(out, &x, &y, in, stride, channels, error);
    axis_close(&x);
    axis_close(&y);
    return status;
}

lancet_status lancet_resize_bicubic(uint8_t *out, size_t width, size_t height, const lancet_picture *picture,
                                    lancet_error *error)
{
    if (!picture)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "resize: expected a picture, found NULL");
    return check_and_resize(out, width, height, picture->rgb, picture->width, picture->height,
                            picture->stride ? picture->stride : picture->width * 3, 3, error);
}

lancet_status lancet_resize_bicubic_grey(uint8_t *out, size_t width, size_t height, const uint8_t *in,
                                         size_t in_width, size_t in_height, lancet_error *error)
{
    return check_and_resize(out, width, height, in, in_width, in_height, in_width, 1, error);
}
