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

/* tile[r][v] = sum over d of in[r][d] times the panel's d-th row. `kind`, `rows` and `vectors` are constants
 * to the compiler. Three rows share a pointer, which the others are at scaled distances from: so many
 * pointers there are registers for. */
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

static vector quick_gelu(vector x)
{
    const integers positive = x > 0;
    const vector e = exponential((vector)((integers)(1.702f * x) | INT32_MIN)); /* e^-|1.702 x| */
    const vector top = (vector)(((integers)splat(1.0f) & positive) | ((integers)e & ~positive));

    return x * (top / (1.0f + e));
}

/* x Phi(x) with Phi(-t sqrt(2)) = erfc(t) / 2 = e^(-t^2) times a polynomial in 1 / (1 + 0.4 t), which was
 * fitted so that x times its error stays below 5e-9. */
static vector gelu(vector x)
{
    const integers positive = x > 0;
    const vector t = (vector)((integers)x & INT32_MAX) * 0.70710678118654752f;
    const vector u = 1.0f / (1.0f + 0.4f * t);
    vector p = splat(-0.102881549f);

    p = p * u + 0.365723568f;
    p = p * u - 0.203406975f;
    p = p * u + 0.248493528f;
    p = p * u + 0.0752114338f;
    p = p * u + 0.116859906f;
    p = p * u * exponential(-t * t);
    return x * (vector)(((integers)(1.0f - p) & positive) | ((integers)p & ~positive));
}

/* One vector of one row on its way out; first: its column. */
static inline void packed_finish(const lancet_packed_product *job, size_t row, size_t first, vector value)
{
    const size_t left = job->columns - first;
    const float *add = job->add ? job->add + row * job->add_stride + first : NULL;
    float *out = job->out + row * job->out_stride + first;

    if (job->kind == LANCET_PACKED_WHOLE) {
        const integers sums = (integers)value - job->offsets[row];
        const float *scales = job->column_scales + first;

        value = __builtin_convertvector(sums, vector) * job->row_scales[row] * load_some(scales, left);
    }
    if (job->bias)
        value += load_some(job->bias + first, left);
    if (add)
        value += load_some(add, left);
    if (job->after == LANCET_AFTER_RELU)
        value = larger((vector){0}, value); /* in this order what is no number stays none */
    else if (job->after == LANCET_AFTER_QUICK_GELU)
        value = quick_gelu(value);
    else if (job->after == LANCET_AFTER_GELU)
        value = gelu(value);
    store_some(out, value, left);
}

static void packed_product(const lancet_packed_product *job)
{
    void (*const kinds[])(vector(*)[2], const float *, size_t, const float *, size_t, size_t, bool,
                          ahead) = {float_rows, bfloat_rows, whole_rows};
    const size_t tiles = (job->rows + PACKED_ROWS - 1) / PACKED_ROWS;
    const size_t panels = (job->columns + 2 * LANES - 1) / (2 * LANES);
    const size_t steps = (job->depth + AHEAD_STEP - 1) / AHEAD_STEP;
    const size_t lines = (job->ahead_bytes + 64 * panels * tiles * steps - 1) / (64 * panels * tiles * steps);
    ahead next = {job->ahead ? job->ahead : job->matrix, lines};
    const float *panel = job->matrix;
    vector tile[ROWS_MAX][2];

    for (size_t first = 0; first < job->columns; first += 2 * LANES) {
        const bool wide = job->columns - first > LANES;

        for (size_t t = 0; t < tiles; t++) {
            const size_t row = t * job->rows / tiles, rows = (t + 1) * job->rows / tiles - row;

            kinds[job->kind](tile, (const float *)job->in + row * job->in_stride, job->in_stride, panel,
                             job->depth, rows, wide, next);
            next.at += next.lines * steps * 64;
            for (size_t r = 0; r < rows; r++) {
                packed_finish(job, row + r, first, tile[r][0]);
                if (wide)
                    packed_finish(job, row + r, first + LANES, tile[r][1]);
            }
        }
        panel += job->depth * (wide ? 2 : 1) * LANES;
    }
}
