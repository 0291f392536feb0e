/* Attention over vectors; kernels_vector.h includes this, and says what an instruction set's file defines
 * before.
 *
 * A head's keys and values are packed once. Then a tile of queries at a time goes through blocks of keys: its
 * scores stay in the first-level cache between the two products, whose tiles stay in registers. Scores become
 * powers of two less the highest one rounded up to a whole number; where a later block has a higher score,
 * what was summed is divided by a power of two, which is exact. Each query's result is summed in an order of
 * its own, whatever rows are computed with it.
 *
 * SPDX-License-Identifier: Apache-2.0 */

#define PANEL_KEYS    (2 * LANES)
#define BLOCK_KEYS    256
#define SCORES_STRIDE (BLOCK_KEYS + 16) /* or the rows would share the cache's lines */

/* How numbers are multiplied: as they are, rounded to bfloat16, or as pairs of such. */
typedef enum numbers { NUMBERS_FLOAT, NUMBERS_ROUNDED, NUMBERS_PAIRS } numbers;

/* Where a tile of queries stands. A vector holds one number for each of its rows. */
typedef struct attention_state {
    const lancet_attention *job;
    numbers kind;
    float *queries;   /* [PACKED_ROWS, wide], times the scale and log2(e) */
    float *keys;      /* panels [depth, PANEL_KEYS]; the last one may be half as wide */
    float *values;    /* panels [lines, PANEL_KEYS] of the width; the last one likewise */
    float *scores;    /* [PACKED_ROWS, SCORES_STRIDE] */
    float *summed;    /* [PACKED_ROWS, wide] */
    size_t wide;      /* the width in whole vectors */
    size_t depth;     /* numbers (pairs) of a key */
    size_t lines;     /* keys (pairs of them) */
    float key_factor; /* what keys are multiplied by before they are rounded */
    vector top, total, keep, factor;
} attention_state;

static inline size_t whole(size_t count, size_t of)
{
    return (count + of - 1) / of * of;
}

static size_t ordinary_scratch(size_t key_count, size_t width)
{
    const size_t wide = whole(width, LANES);

    return (whole(key_count, LANES) + whole(key_count, 2)) * wide + PACKED_ROWS * (2 * wide + SCORES_STRIDE);
}

/* A unit of a row is four bytes: a number, or a pair of them. Its LANES units from the d-th on. */
static ALWAYS_INLINE vector load_units(const float *row, size_t d, size_t width, float factor,
                                       const numbers kind)
{
#ifdef DOT_BFLOAT
    if (kind == NUMBERS_PAIRS) {
        const vector first = load_some(row + 2 * d, width - 2 * d);
        const vector second =
            2 * d + LANES < width ? load_some(row + 2 * d + LANES, width - 2 * d - LANES) : (vector){0};

        return bfloat_halves(first * factor, second * factor);
    }
#endif
    const vector units = load_some(row + d, width - d) * factor;

    return kind == NUMBERS_ROUNDED ? as_bfloat(units) : units;
}

static ALWAYS_INLINE void pack_keys(const attention_state *state, const numbers kind)
{
    const lancet_attention *job = state->job;
    const size_t depth = state->depth;

    for (size_t j = 0; j < job->key_count; j += LANES) {
        const size_t panel = j - j % PANEL_KEYS, left = job->key_count - j;
        const size_t step = job->key_count - panel > LANES ? PANEL_KEYS : LANES;
        float *to = state->keys + panel * depth + j % PANEL_KEYS;

        for (size_t d = 0; d < depth; d += LANES) {
            vector block[LANES];

            for (size_t i = 0; i < LANES; i++)
                block[i] = i < left ? load_units(job->keys + (j + i) * job->key_stride, d, job->width,
                                                 state->key_factor, kind)
                                    : (vector){0};
            transpose_vectors(block);
            for (size_t i = 0; i < LANES && d + i < depth; i++)
                store(to + (d + i) * step, block[i]);
        }
    }
}

static ALWAYS_INLINE void pack_values(const attention_state *state, const numbers kind)
{
    const lancet_attention *job = state->job;

    for (size_t d = 0; d < job->width; d += LANES) {
        const size_t panel = d - d % PANEL_KEYS, columns = job->width - d;
        const size_t step = job->width - panel > LANES ? PANEL_KEYS : LANES;
        float *to = state->values + panel * state->lines + d % PANEL_KEYS;

        for (size_t j = 0; j < state->lines; j++, to += step) {
#ifdef DOT_BFLOAT
            if (kind == NUMBERS_PAIRS) {
                const float *from = job->values + 2 * j * job->value_stride + d;

                store(to,
                      bfloat_pairs(load_some(from, columns),
                                   2 * j + 1 < job->key_count ? load_some(from + job->value_stride, columns)
                                                              : (vector){0}));
                continue;
            }
#endif
            const vector value = load_some(job->values + j * job->value_stride + d, columns);

            store(to, kind == NUMBERS_ROUNDED ? as_bfloat(value) : value);
        }
    }
}

#define START_SCORES(r)                                                                                      \
    if (r < rows) {                                                                                          \
        sums[r][0] = start[0];                                                                               \
        sums[r][1] = start[1];                                                                               \
    }
#define ADD_QUERY(r)                                                                                         \
    if (r < rows) {                                                                                          \
        const float *unit = third[r / 3] + (size_t)(r % 3) * stride + d;                                     \
                                                                                                             \
        sums[r][0] = add_unit(sums[r][0], unit, left, pairs);                                                \
        if (vectors > 1)                                                                                     \
            sums[r][1] = add_unit(sums[r][1], unit, right, pairs);                                           \
    }
#define KEEP_SCORES(r)                                                                                       \
    if (r < rows) {                                                                                          \
        store(scores + r * SCORES_STRIDE, sums[r][0]);                                                       \
        highest[r] = larger(sums[r][0], highest[r]);                                                         \
        if (vectors > 1) {                                                                                   \
            store(scores + r * SCORES_STRIDE + LANES, sums[r][1]);                                           \
            highest[r] = larger(sums[r][1], highest[r]);                                                     \
        }                                                                                                    \
    }
#define START_VALUES(r)                                                                                      \
    if (r < rows) {                                                                                          \
        sums[r][0] = summed ? load(summed + r * wide) * keep[r] : (vector){0};                               \
        if (vectors > 1)                                                                                     \
            sums[r][1] = summed ? load(summed + r * wide + LANES) * keep[r] : (vector){0};                   \
    }
#define KEEP_VALUES(r)                                                                                       \
    if (r < rows) {                                                                                          \
        store(out + r * out_stride, sums[r][0] * factor[r]);                                                 \
        if (vectors > 1)                                                                                     \
            store(out + r * out_stride + LANES, sums[r][1] * factor[r]);                                     \
    }
/* Three rows share a pointer, which the others are at scaled distances from: so many pointers there are
 * registers for. */
#define EACH_THIRD(in)                                                                                       \
    in, rows > 3 ? in + 3 * stride : in, rows > 6 ? in + 6 * stride : in, rows > 9 ? in + 9 * stride : in,   \
        rows > 12 ? in + 12 * stride : in

static ALWAYS_INLINE vector add_unit(vector sum, const float *unit, vector with, const bool pairs)
{
    return pairs ? dot(LANCET_PACKED_BFLOAT, sum, splat_unit(unit), with) : sum + splat(*unit) * with;
}

/* The scores of `rows` queries with the keys of one panel, and the highest in each lane. `pairs`, `rows` and
 * `vectors` are constants to the compiler. start: zero; minus infinity where there is no key. */
static ALWAYS_INLINE void scores_tile(float *scores, vector *highest, const float *queries, size_t stride,
                                      const float *panel, size_t depth, const vector start[2],
                                      const bool pairs, const int rows, const int vectors)
{
    const float *const third[] = {EACH_THIRD(queries)};
    vector sums[ROWS_MAX][2];

    EACH_ROW(START_SCORES)
    for (size_t d = 0; d < depth; d++, panel += vectors * LANES) {
        const vector left = load(panel), right = vectors > 1 ? load(panel + LANES) : left;

        EACH_ROW(ADD_QUERY)
    }
    EACH_ROW(KEEP_SCORES)
}

/* out = (summed * keep + weights times one panel of values) * factor; summed: NULL for nothing. */
static ALWAYS_INLINE void values_tile(float *out, size_t out_stride, const float *summed, size_t wide,
                                      const float *keep, const float *factor, const float *weights,
                                      const float *panel, size_t depth, const bool pairs, const int rows,
                                      const int vectors)
{
    const size_t stride = SCORES_STRIDE;
    const float *const third[] = {EACH_THIRD(weights)};
    vector sums[ROWS_MAX][2];

    EACH_ROW(START_VALUES)
    for (size_t d = 0; d < depth; d++, panel += vectors * LANES) {
        const vector left = load(panel), right = vectors > 1 ? load(panel + LANES) : left;

        EACH_ROW(ADD_QUERY)
    }
    EACH_ROW(KEEP_VALUES)
}

/* One number for each row from one vector of each, by `larger` or by adding. */
static ALWAYS_INLINE vector gather_rows(const vector *rows, size_t count, bool add)
{
    vector block[LANES];

    for (size_t r = 0; r < LANES; r++)
        block[r] = r < count ? rows[r] : (vector){0};
    transpose_vectors(block);
    for (size_t step = LANES / 2; step; step /= 2)
        for (size_t i = 0; i < step; i++)
            if (add)
                block[i] += block[i + step];
            else
                block[i] = larger(block[i], block[i + step]);
    return block[0];
}

/* Scores become powers of two, and are summed. As pairs they move together to the row's
 * beginning. */
static ALWAYS_INLINE void soften_as(attention_state *state, const vector *highest, size_t rows, size_t count,
                                    const numbers kind)
{
    const vector top = larger(round_up(gather_rows(highest, rows, false)), state->top);
    const size_t vectors = whole(count, LANES) / LANES;
    float tops[LANES];
    vector sums[ROWS_MAX];

    memcpy(tops, &top, sizeof tops);
    for (size_t r = 0; r < rows; r++) {
        float *row = state->scores + r * SCORES_STRIDE;
        const vector most = splat(tops[r]);
        vector sum = {0};

#ifdef DOT_BFLOAT
        if (kind == NUMBERS_PAIRS) {
            vector other = {0};

            for (size_t v = 0; v < vectors; v += 2) {
                const vector first = power_of_two(load(row + v * LANES) - most, true);
                vector second = {0};

                if (v + 1 < vectors)
                    second = power_of_two(load(row + (v + 1) * LANES) - most, true);
                sum += first;
                other += second;
                store(row + v / 2 * LANES, bfloat_halves(first, second));
            }
            sums[r] = sum + other;
            continue;
        }
#endif
        for (size_t v = 0; v < vectors; v++) {
            const vector weight = power_of_two(load(row + v * LANES) - most, false);

            sum += weight;
            store(row + v * LANES, kind == NUMBERS_ROUNDED ? as_bfloat(weight) : weight);
        }
        sums[r] = sum;
    }
    state->keep = power_of_two(state->top - top, false);
    state->total = state->total * state->keep + gather_rows(sums, rows, true);
    state->top = top;
}

static void soften_rows(attention_state *state, const vector *highest, size_t rows, size_t count)
{
    if (state->kind == NUMBERS_FLOAT)
        soften_as(state, highest, rows, count, NUMBERS_FLOAT);
    else if (state->kind == NUMBERS_ROUNDED)
        soften_as(state, highest, rows, count, NUMBERS_ROUNDED);
    else
        soften_as(state, highest, rows, count, NUMBERS_PAIRS);
}

/* `rows` queries from `first` on against all keys. */
static ALWAYS_INLINE void attend_rows(attention_state *state, size_t first, const bool pairs, const int rows)
{
    const lancet_attention *job = state->job;
    const size_t n = job->key_count, blocks = (n + BLOCK_KEYS - 1) / BLOCK_KEYS;
    const size_t block = whole((n + blocks - 1) / blocks, PANEL_KEYS), group = pairs ? 2 : 1;
    const bool direct = job->width == state->wide;
    float factor[LANES], keep[LANES];

    for (size_t at = 0; at < n; at += block) {
        const size_t count = n - at < block ? n - at : block;
        const bool last = at + count == n;
        vector highest[ROWS_MAX], start[2] = {{0}};

        for (int r = 0; r < rows; r++)
            highest[r] = splat(-INFINITY);
        for (size_t j = 0; j < count; j += PANEL_KEYS) {
            const float *panel = state->keys + (at + j) * state->depth;

            if (count - j < PANEL_KEYS)
                for (size_t lane = count - j; lane < PANEL_KEYS; lane++)
                    start[lane / LANES][lane % LANES] = -INFINITY;
            if (count - j > LANES)
                scores_tile(state->scores + j, highest, state->queries, state->wide, panel, state->depth,
                            start, pairs, rows, 2);
            else
                scores_tile(state->scores + j, highest, state->queries, state->wide, panel, state->depth,
                            start, pairs, rows, 1);
        }
        soften_rows(state, highest, (size_t)rows, count);
        state->factor = last ? 1 / state->total : splat(1);
        memcpy(factor, &state->factor, sizeof factor);
        memcpy(keep, &state->keep, sizeof keep);
        for (size_t d = 0; d < job->width; d += PANEL_KEYS) {
            const bool wide = job->width - d > LANES;
            const float *panel = state->values + d * state->lines + at / group * (wide ? PANEL_KEYS : LANES);
            float *out = last && direct ? job->out + first * job->out_stride + d : state->summed + d;
            const size_t out_stride = last && direct ? job->out_stride : state->wide;
            const float *summed = at ? state->summed + d : NULL;

            if (wide)
                values_tile(out, out_stride, summed, state->wide, keep, factor, state->scores, panel,
                            (count + group - 1) / group, pairs, rows, 2);
            else
                values_tile(out, out_stride, summed, state->wide, keep, factor, state->scores, panel,
                            (count + group - 1) / group, pairs, rows, 1);
        }
    }
    if (!direct)
        for (int r = 0; r < rows; r++)
            memcpy(job->out + (first + (size_t)r) * job->out_stride, state->summed + (size_t)r * state->wide,
                   job->width * sizeof(float));
}

/* As many rows as are left: no row is computed for nobody. */
static ALWAYS_INLINE void attend_tile(attention_state *state, size_t first, size_t rows, const bool pairs)
{
#define ROWS(n)                                                                                              \
    case n:                                                                                                  \
        attend_rows(state, first, pairs, n);                                                                 \
        break;

    switch (rows) {
        CASES_OF_ROWS(ROWS)
    }
#undef ROWS
}

static void attend_floats(attention_state *state, size_t first, size_t rows)
{
    attend_tile(state, first, rows, false);
}

static ALWAYS_INLINE void attend(const lancet_attention *job, float *scratch, float query_factor,
                                 float key_factor, const numbers kind,
                                 void (*tile)(attention_state *state, size_t first, size_t rows))
{
    const size_t group = kind == NUMBERS_PAIRS ? 2 : 1, wide = whole(job->width, LANES);
    const size_t tiles = (job->query_count + PACKED_ROWS - 1) / PACKED_ROWS;
    attention_state state = {.job = job,
                             .kind = kind,
                             .wide = wide,
                             .depth = (job->width + group - 1) / group,
                             .lines = (job->key_count + group - 1) / group,
                             .key_factor = key_factor};

    state.keys = scratch;
    state.values = state.keys + whole(job->key_count, LANES) * wide;
    state.queries = state.values + whole(job->key_count, 2) * wide;
    state.summed = state.queries + PACKED_ROWS * wide;
    state.scores = state.summed + PACKED_ROWS * wide;
    pack_keys(&state, kind);
    pack_values(&state, kind);
    for (size_t t = 0; t < tiles; t++) {
        const size_t first = t * job->query_count / tiles, rows = (t + 1) * job->query_count / tiles - first;

        for (size_t r = 0; r < rows; r++)
            for (size_t d = 0; d < state.depth; d += LANES)
                store(state.queries + r * wide + d, load_units(job->queries + (first + r) * job->query_stride,
                                                               d, job->width, query_factor, kind));
        state.top = splat(-INFINITY);
        state.total = (vector){0};
        tile(&state, first, rows);
    }
}

static void attention(const lancet_attention *job, float *scratch)
{
    attend(job, scratch, job->scale * LOG2_E, 1, NUMBERS_FLOAT, attend_floats);
}

#ifdef DOT_BFLOAT
static void attend_pairs(attention_state *state, size_t first, size_t rows)
{
    attend_tile(state, first, rows, true);
}

static void attention_bfloat(const lancet_attention *job, float *scratch)
{
    attend(job, scratch, job->scale * LOG2_E, 1, NUMBERS_PAIRS, attend_pairs);
}
#else
static void attention_bfloat(const lancet_attention *job, float *scratch)
{
    attend(job, scratch, job->scale * LOG2_E, 1, NUMBERS_ROUNDED, attend_floats);
}
#endif
