/* The kernels of Winograd's convolutions over vectors; kernels_vector.h includes this, and says what an
 * instruction set's file defines before.
 *
 * SPDX-License-Identifier: Apache-2.0 */

/* The matrices are those of the scalar kernels, their common parts taken together. */

static ALWAYS_INLINE void points_2(vector to[4], const vector d[4])
{
    to[0] = d[0] - d[2];
    to[1] = d[1] + d[2];
    to[2] = d[2] - d[1];
    to[3] = d[1] - d[3];
}

static ALWAYS_INLINE void outputs_2(vector to[2], const vector m[4])
{
    to[0] = m[0] + m[1] + m[2];
    to[1] = m[1] - m[2] - m[3];
}

static ALWAYS_INLINE void points_4(vector to[6], const vector d[6])
{
    const vector even = d[4] - d[2], odd = d[3] - d[1];
    const vector sum = even + 1.5f * d[3], difference = odd + 1.5f * d[2];

    to[0] = d[0] - d[2] + even + 1.5f * odd;
    to[1] = sum + difference;
    to[2] = sum - difference;
    to[3] = even + 2.0f * odd;
    to[4] = even - 0.5f * odd;
    to[5] = d[5] - d[3] - odd + 1.5f * even;
}

static ALWAYS_INLINE void outputs_4(vector to[4], const vector m[6])
{
    const vector sum = m[1] + m[2], difference = m[1] - m[2];

    to[0] = m[0] + sum + m[3] + m[4];
    to[1] = difference + 0.5f * m[3] - 2.0f * m[4];
    to[2] = sum + 0.25f * m[3] + 4.0f * m[4];
    to[3] = difference + 0.125f * m[3] - 8.0f * m[4] + m[5];
}

/* One vector of channels from c on, of which `count` are there. */
static ALWAYS_INLINE void square_in(const int tile, float *out, size_t out_stride, const float *const *pixels,
                                    size_t c, size_t count)
{
    const int side = tile + 2;
    vector columns[6][6], points[6], line[6];

    for (int x = 0; x < side; x++) {
        for (int y = 0; y < side; y++) {
            const float *from = pixels[y * side + x] + c;

            line[y] = count == LANES ? load(from) : load_part(from, count);
        }
        if (tile == 2)
            points_2(columns[x], line);
        else
            points_4(columns[x], line);
    }
    for (int y = 0; y < side; y++) {
        for (int x = 0; x < side; x++)
            line[x] = columns[x][y];
        if (tile == 2)
            points_2(points, line);
        else
            points_4(points, line);
        for (int x = 0; x < side; x++) {
            float *to = out + (size_t)(y * side + x) * out_stride + c;

            if (count == LANES)
                store(to, points[x]);
            else
                store_part(to, points[x], count);
        }
    }
}

static void winograd_in(lancet_winograd tile, float *out, size_t out_stride, const float *const *pixels,
                        size_t channels)
{
    const size_t whole = channels - channels % LANES;

    if (tile == LANCET_WINOGRAD_2) {
        for (size_t c = 0; c < whole; c += LANES)
            square_in(2, out, out_stride, pixels, c, LANES);
        if (whole < channels)
            square_in(2, out, out_stride, pixels, whole, channels - whole);
    } else {
        for (size_t c = 0; c < whole; c += LANES)
            square_in(4, out, out_stride, pixels, c, LANES);
        if (whole < channels)
            square_in(4, out, out_stride, pixels, whole, channels - whole);
    }
}

static ALWAYS_INLINE void square_out(const int tile, float *const *pixels, const float *in, size_t in_stride,
                                     size_t c, size_t count, const lancet_winograd_after *after)
{
    const int side = tile + 2;
    const vector bias = count == LANES ? load(after->bias + c) : load_part(after->bias + c, count);
    vector columns[6][4], outputs[4][4], line[6];

    for (int x = 0; x < side; x++) {
        for (int y = 0; y < side; y++) {
            const float *from = in + (size_t)(y * side + x) * in_stride + c;

            line[y] = count == LANES ? load(from) : load_part(from, count);
        }
        if (tile == 2)
            outputs_2(columns[x], line);
        else
            outputs_4(columns[x], line);
    }
    for (int y = 0; y < tile; y++) {
        for (int x = 0; x < side; x++)
            line[x] = columns[x][y];
        if (tile == 2)
            outputs_2(outputs[y], line);
        else
            outputs_4(outputs[y], line);
        for (int x = 0; x < tile; x++) {
            outputs[y][x] += bias;
            if (after->relu)
                outputs[y][x] = larger((vector){0}, outputs[y][x]);
        }
    }
    const int step = after->average ? 2 : 1;

    for (int y = 0; y < tile; y += step)
        for (int x = 0; x < tile; x += step) {
            float *to = *pixels++;
            vector value = outputs[y][x];

            if (!to)
                continue;
            if (after->average)
                value = 0.25f * (value + outputs[y][x + 1] + outputs[y + 1][x] + outputs[y + 1][x + 1]);
            if (count == LANES)
                store(to + c, value);
            else
                store_part(to + c, value, count);
        }
}

static void winograd_out(lancet_winograd tile, float *const *pixels, const float *in, size_t in_stride,
                         size_t channels, const lancet_winograd_after *after)
{
    const size_t whole = channels - channels % LANES;

    if (tile == LANCET_WINOGRAD_2) {
        for (size_t c = 0; c < whole; c += LANES)
            square_out(2, pixels, in, in_stride, c, LANES, after);
        if (whole < channels)
            square_out(2, pixels, in, in_stride, whole, channels - whole, after);
    } else {
        for (size_t c = 0; c < whole; c += LANES)
            square_out(4, pixels, in, in_stride, c, LANES, after);
        if (whole < channels)
            square_out(4, pixels, in, in_stride, whole, channels - whole, after);
    }
}
