/* Products of rows with rows over vectors; kernels_vector.h includes this, and says what an instruction set's
 * file defines before. Both sides are read where they lie: along a row, LANES numbers at a time, so nothing
 * is packed first and no memory is needed. SPDX-License-Identifier: Apache-2.0 */

/* A tile is DOT_ROWS rows of one side times DOT_COLUMNS of the other: as many sums as the registers hold. */
#define DOT_COLUMNS 4
#define DOT_ROWS    (LANES == 16 ? 4 : 3)
#define DOT_SUMS    (DOT_ROWS * DOT_COLUMNS)

#if LANES == 16
/* Both vectors' first and second halves (then quarters, ...) added: the sums of a, then those of b. */
#define ADD_HALVES(a, b)                                                                                     \
    (__builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23) +                 \
     __builtin_shufflevector(a, b, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31))
#define ADD_QUARTERS(a, b)                                                                                   \
    (__builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27) +               \
     __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31))
#define ADD_EIGHTHS(a, b)                                                                                    \
    (__builtin_shufflevector(a, b, 0, 1, 4, 5, 8, 9, 12, 13, 16, 17, 20, 21, 24, 25, 28, 29) +               \
     __builtin_shufflevector(a, b, 2, 3, 6, 7, 10, 11, 14, 15, 18, 19, 22, 23, 26, 27, 30, 31))
#define ADD_NEIGHBOURS(a, b)                                                                                 \
    (__builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30) +              \
     __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31))

/* Sixteen sums in four steps, where one by one they would take four steps each. */
static inline __attribute__((always_inline)) void add_up_tile(float sums[DOT_SUMS],
                                                              const vector tile[DOT_SUMS])
{
    vector halves[8], quarters[4], eighths[2], all;

#pragma GCC unroll 8
    for (int i = 0; i < 8; i++)
        halves[i] = ADD_HALVES(tile[2 * i], tile[2 * i + 1]);
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++)
        quarters[i] = ADD_QUARTERS(halves[2 * i], halves[2 * i + 1]);
#pragma GCC unroll 2
    for (int i = 0; i < 2; i++)
        eighths[i] = ADD_EIGHTHS(quarters[2 * i], quarters[2 * i + 1]);
    all = ADD_NEIGHBOURS(eighths[0], eighths[1]);
    store(sums, all);
}
#else
static inline __attribute__((always_inline)) void add_up_tile(float sums[DOT_SUMS],
                                                              const vector tile[DOT_SUMS])
{
#pragma GCC unroll 12
    for (int i = 0; i < DOT_SUMS; i++)
        sums[i] = add_up(tile[i]);
}
#endif

/* sums[r][c] = <a[r], b[c]> over `width` numbers. */
static inline __attribute__((always_inline)) void dot_tile(float sums[DOT_SUMS],
                                                           const float *const a[DOT_ROWS],
                                                           const float *const b[DOT_COLUMNS], size_t width)
{
    vector tile[DOT_SUMS];
    size_t d = 0;

#pragma GCC unroll 16
    for (int i = 0; i < DOT_SUMS; i++)
        tile[i] = (vector){0};
    for (; d + LANES <= width; d += LANES) {
        const vector columns[DOT_COLUMNS] = {load(b[0] + d), load(b[1] + d), load(b[2] + d), load(b[3] + d)};

#pragma GCC unroll 4
        for (int r = 0; r < DOT_ROWS; r++) {
            const vector row = load(a[r] + d);

#pragma GCC unroll 4
            for (int c = 0; c < DOT_COLUMNS; c++)
                tile[r * DOT_COLUMNS + c] += row * columns[c];
        }
    }
    if (d < width) {
        const size_t left = width - d;

#pragma GCC unroll 4
        for (int r = 0; r < DOT_ROWS; r++)
#pragma GCC unroll 4
            for (int c = 0; c < DOT_COLUMNS; c++)
                tile[r * DOT_COLUMNS + c] += load_part(a[r] + d, left) * load_part(b[c] + d, left);
    }
    add_up_tile(sums, tile);
}

/* Rows of one side that stay in the cache while the other side goes by. */
#define DOT_BLOCK 48

static void multiply_block(float *out, size_t out_stride, const float *a, size_t a_stride, const float *b,
                           size_t b_stride, size_t m, size_t n, size_t k)
{
    const float *rows[DOT_ROWS], *columns[DOT_COLUMNS];
    float sums[DOT_SUMS];

    for (size_t j = 0; j < n; j += DOT_COLUMNS) {
        const size_t wide = n - j < DOT_COLUMNS ? n - j : DOT_COLUMNS;

        /* Fewer than a tile: the last one again; its copies are computed and not stored. */
        for (size_t c = 0; c < DOT_COLUMNS; c++)
            columns[c] = b + (j + (c < wide ? c : wide - 1)) * b_stride;
        for (size_t i = 0; i < m; i += DOT_ROWS) {
            const size_t high = m - i < DOT_ROWS ? m - i : DOT_ROWS;

            for (size_t r = 0; r < DOT_ROWS; r++)
                rows[r] = a + (i + (r < high ? r : high - 1)) * a_stride;
            dot_tile(sums, rows, columns, k);
            for (size_t r = 0; r < high; r++)
                memcpy(out + (i + r) * out_stride + j, sums + r * DOT_COLUMNS, wide * sizeof *out);
        }
    }
}

static void multiply(float *out, size_t out_stride, const float *a, size_t a_stride, const float *b,
                     size_t b_stride, size_t m, size_t n, size_t k)
{
    for (size_t first = 0; first < m; first += DOT_BLOCK)
        multiply_block(out + first * out_stride, out_stride, a + first * a_stride, a_stride, b, b_stride,
                       m - first < DOT_BLOCK ? m - first : DOT_BLOCK, n, k);
}
