/* Products with packed matrices over vectors; kernels_vector.h includes this, and says what an instruction
 * set's file defines before.
 *
 * One tile serves all kinds of numbers, because all are taken four bytes at a time: a float, two bfloat16,
 * two or four whole numbers of a row times those of each column.
 *
 * SPDX-License-Identifier: Apache-2.0 */

#define ALWAYS_INLINE inline __attribute__((always_inline))

/* Units between two looks ahead. */
#define AHEAD_STEP 8

/* `count` floats, LANES at most. */
static inline vector load_part(const float *from, size_t count)
{
    vector v = {0};

    memcpy(&v, from, count * sizeof *from);
    return v;
}

/* The same of `count` that are there, which may be more. */
static ALWAYS_INLINE vector load_some(const float *from, size_t count)
{
    return count >= LANES ? load(from) : load_part(from, count);
}

static inline void store_part(float *to, vector v, size_t count)
{
    memcpy(to, &v, count * sizeof *to);
}

static ALWAYS_INLINE void store_some(float *to, vector v, size_t count)
{
    if (count >= LANES)
        store(to, v);
    else
        store_part(to, v, count);
}

/* Numbers that are no floats are not to be handled as such. */
static ALWAYS_INLINE vector splat_unit(const float *unit)
{
    int32_t bits;

    memcpy(&bits, unit, sizeof bits);
    return (vector)(bits - (integers){0});
}

static ALWAYS_INLINE vector dot(const lancet_packed_kind kind, vector sums, vector a, vector b)
{
#ifdef DOT_BFLOAT
    if (kind == LANCET_PACKED_BFLOAT)
        return dot_bfloat(sums, a, b);
#endif
    if (kind == LANCET_PACKED_WHOLE)
        return dot_whole(sums, a, b);
    return sums + a * b;
}

/* What a tile fetches from memory while it computes: `lines` of 64 bytes every AHEAD_STEP units. */
typedef struct ahead {
    const char *at;
    size_t lines;
} ahead;

/* Written out for each row: a compiler that does not unroll these loops leaves the sums in memory. */
#define EACH_ROW(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11) DO(12) DO(13)
#define ROWS_MAX     14

/* A case for each number of rows that a tile may have. */
#define CASES_TO_6(CASE) CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6)
#if PACKED_ROWS > 6
#define CASES_OF_ROWS(CASE)                                                                                  \
    CASES_TO_6(CASE) CASE(7) CASE(8) CASE(9) CASE(10) CASE(11) CASE(12) CASE(13) CASE(14)
#else
#define CASES_OF_ROWS CASES_TO_6
#endif

#define CLEAR_ROW(r)                                                                                         \
    if (r < rows)                                                                                            \
        sums[r][0] = sums[r][1] = (vector){0};
#define ADD_ROW(r)                                                                                           \
    if (r < rows) {                                                                                          \
        const float *unit = third[r / 3] + (size_t)(r % 3) * stride + d;                                     \
        const vector a = kind == LANCET_PACKED_FLOAT ? splat(*unit) : splat_unit(unit);                      \
                                                                                                             \
        sums[r][0] = dot(kind, sums[r][0], a, left);                                                         \
        if (vectors > 1)                                                                                     \
            sums[r][1] = dot(kind, sums[r][1], a, right);                                                    \
    }
#define KEEP_ROW(r)                                                                                          \
    if (r < rows) {                                                                                          \
        tile[r][0] = sums[r][0];                                                                             \
        if (vectors > 1)                                                                                     \
            tile[r][1] = sums[r][1];                                                                         \
    }

/* tile[r][v] = sum over d of in[r][d] times the panel's d-th row. What is const is constant to the compiler.
 * Three rows share a pointer, which the others are at scaled distances from: so many pointers there are
 * registers for. */
static ALWAYS_INLINE void packed_tile(vector tile[ROWS_MAX][2], const float *in, size_t stride,
                                      const float *panel, size_t depth, ahead next,
                                      const lancet_packed_kind kind, const int rows, const int vectors)
{
    const float *const third[] = {in, rows > 3 ? in + 3 * stride : in, rows > 6 ? in + 6 * stride : in,
                                  rows > 9 ? in + 9 * stride : in, rows > 12 ? in + 12 * stride : in};
    vector sums[ROWS_MAX][2];

    EACH_ROW(CLEAR_ROW)
    for (size_t d = 0; d < depth;) {
        const size_t until = depth - d > AHEAD_STEP ? d + AHEAD_STEP : depth;

        for (size_t i = 0; i < next.lines; i++, next.at += 64)
            __builtin_prefetch(next.at, 0, 2);
        for (; d < until; d++, panel += vectors * LANES) {
            const vector left = load(panel), right = vectors > 1 ? load(panel + LANES) : left;

            EACH_ROW(ADD_ROW)
        }
    }
    EACH_ROW(KEEP_ROW)
}

/* As many rows as are left: no row is computed for nobody. */
static ALWAYS_INLINE void packed_rows(vector tile[ROWS_MAX][2], const float *in, size_t stride,
                                      const float *panel, size_t depth, size_t rows, bool wide, ahead next,
                                      const lancet_packed_kind kind)
{
#define ROWS(n)                                                                                              \
    case n:                                                                                                  \
        if (wide)                                                                                            \
            packed_tile(tile, in, stride, panel, depth, next, kind, n, 2);                                   \
        else                                                                                                 \
            packed_tile(tile, in, stride, panel, depth, next, kind, n, 1);                                   \
        break;

    switch (rows) {
        CASES_OF_ROWS(ROWS)
    }
#undef ROWS
}

/* Each kind once, not in every place that needs it: their tiles are large. */
#define DEFINE_ROWS(name, kind)                                                                              \
    static void name(vector tile[ROWS_MAX][2], const float *in, size_t stride, const float *panel,           \
                     size_t depth, size_t rows, bool wide, ahead next)                                       \
    {                                                                                                        \
        packed_rows(tile, in, stride, panel, depth, rows, wide, next, kind);                                 \
    }

DEFINE_ROWS(float_rows, LANCET_PACKED_FLOAT)
#ifdef DOT_BFLOAT
DEFINE_ROWS(bfloat_rows, LANCET_PACKED_BFLOAT)
#else
#define bfloat_rows float_rows
#endif
DEFINE_ROWS(whole_rows, LANCET_PACKED_WHOLE)

/* x / (1 + e^(-1.702 x)). The power is at most 2^126, beside which 1 is nothing, and has a normal inverse. */
static ALWAYS_INLINE vector quick_gelu(vector x, const bool brief)
{
    const vector power = larger(x * (1.702f * LOG2_E), splat(-126));

    return x * reciprocal(1.0f + power_of_two(-power, brief));
}

/* x Phi(x) with Phi(-t sqrt(2)) = erfc(t) / 2 = e^(-t^2) times a polynomial in 1 / (1 + 0.4 t), which was
 * fitted so that x times its error stays below 5e-9. */
static ALWAYS_INLINE vector gelu(vector x, const bool brief)
{
    const integers positive = x > 0;
    const vector size = (vector)((integers)x & INT32_MAX);
    const vector t = -larger(-0.70710678118654752f * size, splat(-30)); /* e^-900 is 0 */
    const vector u = reciprocal(1.0f + 0.4f * t);
    vector p = splat(-0.102881549f);

    p = p * u + 0.365723568f;
    p = p * u - 0.203406975f;
    p = p * u + 0.248493528f;
    p = p * u + 0.0752114338f;
    p = p * u + 0.116859906f;
    p = p * u * power_of_two(-t * t * LOG2_E, brief);
    return x * (vector)(((integers)(1.0f - p) & positive) | ((integers)p & ~positive));
}

/* One vector of each of a tile's rows on its way out; first: its column. What is the same for all rows is
 * found once, and `left`, `kind` and `after` are constants to the compiler where a vector is whole. */
static ALWAYS_INLINE void finish_rows(const lancet_packed_product *job, size_t row, size_t rows, size_t first,
                                      vector (*tile)[2], int v, const size_t left,
                                      const lancet_packed_kind kind, const lancet_after after)
{
    const vector bias = job->bias ? load_some(job->bias + first, left) : (vector){0};
    const vector scales =
        kind == LANCET_PACKED_WHOLE ? load_some(job->column_scales + first, left) : (vector){0};
    const float *add = job->add ? job->add + row * job->add_stride + first : NULL;
    float *out = job->out + row * job->out_stride + first;

    for (size_t r = 0; r < rows; r++, out += job->out_stride) {
        vector value = tile[r][v];

        if (kind == LANCET_PACKED_WHOLE) {
            const integers sums = (integers)value - job->offsets[row + r];

            value = __builtin_convertvector(sums, vector) * job->row_scales[row + r] * scales;
        }
        value += bias;
        if (add)
            value += load_some(add + r * job->add_stride, left);
        if (after == LANCET_AFTER_RELU)
            value = larger((vector){0}, value); /* in this order what is no number stays none */
        else if (after == LANCET_AFTER_QUICK_GELU)
            value = quick_gelu(value, kind != LANCET_PACKED_FLOAT);
        else if (after == LANCET_AFTER_GELU)
            value = gelu(value, kind != LANCET_PACKED_FLOAT);
        store_some(out, value, left);
    }
}

/* Each kind once, as above. */
#define AFTER(what)                                                                                          \
    case what:                                                                                               \
        if (left >= LANES)                                                                                   \
            finish_rows(job, row, rows, first, tile, v, LANES, kind, what);                                  \
        else                                                                                                 \
            finish_rows(job, row, rows, first, tile, v, left, kind, what);                                   \
        break;
#define DEFINE_FINISH(name, kind_of_it)                                                                      \
    static void name(const lancet_packed_product *job, size_t row, size_t rows, size_t first,                \
                     vector(*tile)[2], int v)                                                                \
    {                                                                                                        \
        const lancet_packed_kind kind = kind_of_it;                                                          \
        const size_t left = job->columns - first;                                                            \
                                                                                                             \
        switch (job->after) {                                                                                \
            AFTER(LANCET_AFTER_NOTHING)                                                                      \
            AFTER(LANCET_AFTER_RELU)                                                                         \
            AFTER(LANCET_AFTER_QUICK_GELU)                                                                   \
            AFTER(LANCET_AFTER_GELU)                                                                         \
        case LANCET_AFTER_ADD:                                                                               \
            break;                                                                                           \
        }                                                                                                    \
    }

DEFINE_FINISH(float_finish, LANCET_PACKED_FLOAT)
#ifdef DOT_BFLOAT
DEFINE_FINISH(bfloat_finish, LANCET_PACKED_BFLOAT)
#else
#define bfloat_finish float_finish
#endif
DEFINE_FINISH(whole_finish, LANCET_PACKED_WHOLE)

static void packed_product(const lancet_packed_product *job)
{
    void (*const products[])(vector(*)[2], const float *, size_t, const float *, size_t, size_t, bool,
                             ahead) = {float_rows, bfloat_rows, whole_rows};
    void (*const finishes[])(const lancet_packed_product *, size_t, size_t, size_t, vector(*)[2],
                             int) = {float_finish, bfloat_finish, whole_finish};
    const size_t tiles = (job->rows + PACKED_ROWS - 1) / PACKED_ROWS;
    const size_t panels = (job->columns + 2 * LANES - 1) / (2 * LANES);
    const size_t steps = (job->depth + AHEAD_STEP - 1) / AHEAD_STEP;
    const size_t lines = (job->ahead_bytes + 64 * panels * tiles * steps - 1) / (64 * panels * tiles * steps);
    ahead next = {job->ahead ? job->ahead : job->matrix, lines};
    vector tile[ROWS_MAX][2];

    for (size_t t = 0; t < tiles; t++) {
        const size_t row = t * job->rows / tiles, rows = (t + 1) * job->rows / tiles - row;
        const float *panel = job->matrix;

        for (size_t first = 0; first < job->columns; first += 2 * LANES, panel += job->depth * 2 * LANES) {
            const bool wide = job->columns - first > LANES;

            for (size_t r = 0; r < rows; r++)
                for (size_t v = 0; v < (wide ? 2 : 1); v++)
                    __builtin_prefetch(job->out + (row + r) * job->out_stride + first + v * LANES, 1, 3);
            products[job->kind](tile, (const float *)job->in + row * job->in_stride, job->in_stride, panel,
                                job->depth, rows, wide, next);
            next.at += next.lines * steps * 64;
            finishes[job->kind](job, row, rows, first, tile, 0);
            if (wide)
                finishes[job->kind](job, row, rows, first + LANES, tile, 1);
        }
    }
}
