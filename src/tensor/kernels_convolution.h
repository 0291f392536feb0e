/* The kernels of convolutions over vectors; kernels_vector.h includes this, and says what an instruction
 * set's file defines before. Here in addition:
 *   PACKED_ROWS     rows of a packed product's register tile, 2 vectors wide
 *
 * SPDX-License-Identifier: Apache-2.0 */

#define ALWAYS_INLINE inline __attribute__((always_inline))

/* ---- Products with a packed matrix --------------------------------------------------------------------- */

/* Written out for each row: a compiler that does not unroll these loops leaves the sums in memory. */
#define EACH_ROW(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11) DO(12) DO(13)
#define ROWS_MAX     14

#define CLEAR_ROW(r)                                                                                         \
    if (r < rows)                                                                                            \
        sums[r][0] = sums[r][1] = (vector){0};
#define ADD_ROW(r)                                                                                           \
    if (r < rows) {                                                                                          \
        const vector a = splat(third[r / 3][(size_t)(r % 3) * stride + d]);                                  \
                                                                                                             \
        sums[r][0] += a * left;                                                                              \
        if (vectors > 1)                                                                                     \
            sums[r][1] += a * right;                                                                         \
    }
#define KEEP_ROW(r)                                                                                          \
    if (r < rows) {                                                                                          \
        tile[r][0] = sums[r][0];                                                                             \
        if (vectors > 1)                                                                                     \
            tile[r][1] = sums[r][1];                                                                         \
    }

/* tile[r][v] = sum over d of in[r][d] times the panel's d-th row. `rows` and `vectors` are constants to the
 * compiler. Three rows share a pointer, which the others are at scaled distances from: so many pointers there
 * are registers for. */
static ALWAYS_INLINE void packed_tile(vector tile[ROWS_MAX][2], const float *in, size_t stride,
                                      const float *panel, size_t depth, const int rows, const int vectors)
{
    const float *const third[] = {in, rows > 3 ? in + 3 * stride : in, rows > 6 ? in + 6 * stride : in,
                                  rows > 9 ? in + 9 * stride : in, rows > 12 ? in + 12 * stride : in};
    vector sums[ROWS_MAX][2];

    EACH_ROW(CLEAR_ROW)
    for (size_t d = 0; d < depth; d++, panel += vectors * LANES) {
        const vector left = load(panel), right = vectors > 1 ? load(panel + LANES) : left;

        EACH_ROW(ADD_ROW)
    }
    EACH_ROW(KEEP_ROW)
}

/* As many rows as are left: no row is computed for nobody. */
static void packed_rows(vector tile[ROWS_MAX][2], const float *in, size_t stride, const float *panel,
                        size_t depth, size_t rows, bool wide)
{
#define ROWS(n)                                                                                              \
    case n:                                                                                                  \
        if (wide)                                                                                            \
            packed_tile(tile, in, stride, panel, depth, n, 2);                                               \
        else                                                                                                 \
            packed_tile(tile, in, stride, panel, depth, n, 1);                                               \
        break

    switch (rows) {
        ROWS(1);
        ROWS(2);
        ROWS(3);
        ROWS(4);
        ROWS(5);
        ROWS(6);
#if PACKED_ROWS > 6
        ROWS(7);
        ROWS(8);
        ROWS(9);
        ROWS(10);
        ROWS(11);
        ROWS(12);
        ROWS(13);
        ROWS(14);
#endif
    }
#undef ROWS
}

/* `count` floats, LANES at most. */
static inline vector load_part(const float *from, size_t count)
{
    vector v = {0};

    memcpy(&v, from, count * sizeof *from);
    return v;
}

static inline void store_part(float *to, vector v, size_t count)
{
    memcpy(to, &v, count * sizeof *to);
}

/* One vector of one row on its way out; first: its column. */
static inline void packed_finish(const lancet_packed_product *job, size_t row, size_t first, vector value)
{
    const size_t left = job->columns - first;
    const float *add = job->add ? job->add + row * job->add_stride + first : NULL;
    float *out = job->out + row * job->out_stride + first;

    if (job->bias)
        value += left >= LANES ? load(job->bias + first) : load_part(job->bias + first, left);
    if (add)
        value += left >= LANES ? load(add) : load_part(add, left);
    if (job->relu)
        value = larger((vector){0}, value); /* in this order what is no number stays none */
    if (left >= LANES)
        store(out, value);
    else
        store_part(out, value, left);
}

static void packed_product(const lancet_packed_product *job)
{
    const size_t tiles = (job->rows + PACKED_ROWS - 1) / PACKED_ROWS;
    const float *panel = job->matrix;
    vector tile[ROWS_MAX][2];

    for (size_t first = 0; first < job->columns; first += 2 * LANES) {
        const bool wide = job->columns - first > LANES;

        for (size_t t = 0; t < tiles; t++) {
            const size_t row = t * job->rows / tiles, rows = (t + 1) * job->rows / tiles - row;

            packed_rows(tile, job->in + row * job->in_stride, job->in_stride, panel, job->depth, rows, wide);
            for (size_t r = 0; r < rows; r++) {
                packed_finish(job, row + r, first, tile[r][0]);
                if (wide)
                    packed_finish(job, row + r, first + LANES, tile[r][1]);
            }
        }
        panel += job->depth * (wide ? 2 : 1) * LANES;
    }
}

/* ---- Winograd's transforms ----------------------------------------------------------------------------- */

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
