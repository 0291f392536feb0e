/* Attention whose queries are its keys, over vectors; kernels_vector.h includes this after
 * kernels_attention.h.
 *
 * Both sides of a score are scaled alike, so that the scores are symmetric to the last bit, and only those of
 * blocks on the diagonal and to its right are computed: each block of weights, in the first-level cache, adds
 * to the results of its rows, and transposed to those of its columns. That takes one shift of the powers of
 * two for the whole head, instead of a row's highest score: by the highest of all, which lies on the
 * diagonal. A row's own highest is no less than what it has there; where that is so low that its weights
 * would get lost, the head takes the ordinary way. Block follows block in one order, and nothing depends on
 * threads.
 *
 * SPDX-License-Identifier: Apache-2.0 */

/* Tokens of a block: even, and whole panels. */
#define BLOCK_TOKENS 64

/* Weights are at most 2^40, so that no sum of them times values is infinite, and a row's highest is at least
 * 2^-90, beside which it is nothing that vanishes below 2^-126. */
#define HIGHEST_POWER 40.0f
#define SPREAD_MOST   130.0f

/* Above it bfloat16's rounding moves a score by more than a few powers of two. */
#define SCORE_MOST 1024.0f

typedef struct symmetric_state {
    attention_state packed; /* keys and values */
    float *weights; /* [BLOCK_TOKENS, BLOCK_TOKENS]: a block's scores, then its weights; as pairs along
                       each row in its first half */
    float *across;  /* the same as pairs along each column; [BLOCK_TOKENS / 2, BLOCK_TOKENS] */
    float *summed;  /* [tokens, wide] */
    float *totals;  /* [tokens] */
    float shift;
} symmetric_state;

/* Either way's. */
static size_t attention_scratch(size_t tokens, size_t width)
{
    const size_t wide = whole(width, LANES), ordinary = ordinary_scratch(tokens, width);
    const size_t symmetric = (whole(tokens, LANES) + whole(tokens, 2) + tokens) * wide +
                             whole(tokens, BLOCK_TOKENS) + 3 * BLOCK_TOKENS * BLOCK_TOKENS / 2;

    return symmetric > ordinary ? symmetric : ordinary;
}

#define START_SUM(r)                                                                                         \
    if (r < rows) {                                                                                          \
        sums[r][0] = load(from + r * from_stride);                                                           \
        if (vectors > 1)                                                                                     \
            sums[r][1] = load(from + r * from_stride + LANES);                                               \
    }
#define ADD_ACROSS(r)                                                                                        \
    if (r < rows) {                                                                                          \
        sums[r][0] = add_unit(sums[r][0], factors + r, left, pairs);                                         \
        if (vectors > 1)                                                                                     \
            sums[r][1] = add_unit(sums[r][1], factors + r, right, pairs);                                    \
    }
#define KEEP_SUM(r)                                                                                          \
    if (r < rows) {                                                                                          \
        store(to + r * to_stride, sums[r][0]);                                                               \
        if (vectors > 1)                                                                                     \
            store(to + r * to_stride + LANES, sums[r][1]);                                                   \
    }

/* to = from + factors times a panel. across: the factors' rows lie as columns. */
static ALWAYS_INLINE void sum_tile(float *to, size_t to_stride, const float *from, size_t from_stride,
                                   const float *factors, size_t stride, const float *panel, size_t depth,
                                   const bool across, const bool pairs, const int rows, const int vectors)
{
    const float *const third[] = {EACH_THIRD(factors)};
    vector sums[ROWS_MAX][2];

    EACH_ROW(START_SUM)
    for (size_t d = 0; d < depth; d++, panel += vectors * LANES) {
        const vector left = load(panel), right = vectors > 1 ? load(panel + LANES) : left;

        if (across) {
            EACH_ROW(ADD_ACROSS)
            factors += stride;
        } else {
            EACH_ROW(ADD_QUERY)
        }
    }
    EACH_ROW(KEEP_SUM)
}

/* The same for any number of rows and one or two vectors. from: NULL for `start`, the same for each row. */
static ALWAYS_INLINE void sum_rows(float *to, size_t to_stride, const float *from, const float *start,
                                   const float *factors, size_t stride, const float *panel, size_t depth,
                                   size_t count, const bool wide, const bool across, const bool pairs)
{
    const size_t tiles = (count + PACKED_ROWS - 1) / PACKED_ROWS, from_stride = from ? to_stride : 0;

    for (size_t t = 0; t < tiles; t++) {
        const size_t first = t * count / tiles, rows = (t + 1) * count / tiles - first;
        const float *const with = factors + first * (across ? 1 : stride);
        const float *const before = from ? from + first * from_stride : start;

#define ROWS(n)                                                                                              \
    case n:                                                                                                  \
        if (wide)                                                                                            \
            sum_tile(to + first * to_stride, to_stride, before, from_stride, with, stride, panel, depth,     \
                     across, pairs, n, 2);                                                                   \
        else                                                                                                 \
            sum_tile(to + first * to_stride, to_stride, before, from_stride, with, stride, panel, depth,     \
                     across, pairs, n, 1);                                                                   \
        break;

        switch (rows) {
            CASES_OF_ROWS(ROWS)
        }
#undef ROWS
    }
}

/* Each once, not in every place that needs it: their tiles are large. */
#define DEFINE_SUMS(name, across, pairs)                                                                     \
    static void name(float *to, size_t to_stride, const float *from, const float *start,                     \
                     const float *factors, size_t stride, const float *panel, size_t depth, size_t count,    \
                     bool wide)                                                                              \
    {                                                                                                        \
        sum_rows(to, to_stride, from, start, factors, stride, panel, depth, count, wide, across, pairs);     \
    }

DEFINE_SUMS(sum_floats, false, false)
DEFINE_SUMS(sum_floats_across, true, false)
#ifdef DOT_BFLOAT
DEFINE_SUMS(sum_pairs, false, true)
DEFINE_SUMS(sum_pairs_across, true, true)
#else
#define sum_pairs        sum_floats
#define sum_pairs_across sum_floats_across
#endif

/* The scores of a block's rows with its columns. */
static ALWAYS_INLINE void score_block(const symmetric_state *state, size_t row, size_t rows, size_t column,
                                      size_t columns, const numbers kind)
{
    const attention_state *packed = &state->packed;
    const size_t n = packed->job->key_count, depth = packed->depth;
    float start[PANEL_KEYS];

    for (size_t j = 0; j < columns; j += PANEL_KEYS) {
        const float *panel = packed->keys + (column + j) * depth;

        for (size_t lane = 0; lane < PANEL_KEYS; lane++)
            start[lane] = j + lane < columns ? 0 : -INFINITY;
        for (size_t i = 0; i < rows; i += PANEL_KEYS) {
            const size_t left = rows - i, step = n - row - i > LANES ? PANEL_KEYS : LANES;

            (kind == NUMBERS_PAIRS ? sum_pairs_across : sum_floats_across)(
                state->weights + i * BLOCK_TOKENS + j, BLOCK_TOKENS, NULL, start,
                packed->keys + (row + i) * depth, step, panel, depth, left < PANEL_KEYS ? left : PANEL_KEYS,
                columns - j > LANES);
        }
    }
}

/* Scores become weights, which are added to what each row has in every lane and to what the columns have. */
static ALWAYS_INLINE void soften_block(const symmetric_state *state, vector *row_totals, float *totals,
                                       size_t rows, size_t columns, const numbers kind)
{
    const size_t step = kind == NUMBERS_PAIRS ? 2 : 1;

    for (size_t j = 0; j < columns; j += PANEL_KEYS) {
        const bool two = columns - j > LANES;
        vector down[2] = {{0}};

        for (size_t i = 0; i < rows; i += step) {
            float *row = state->weights + i * BLOCK_TOKENS + j;
            vector weights[2][2] = {{{0}}};

            for (size_t r = 0; r < step && i + r < rows; r++) {
                weights[r][0] =
                    power_of_two(load(row + r * BLOCK_TOKENS) - state->shift, kind == NUMBERS_PAIRS);
                if (two)
                    weights[r][1] = power_of_two(load(row + r * BLOCK_TOKENS + LANES) - state->shift,
                                                 kind == NUMBERS_PAIRS);
                row_totals[i + r] += weights[r][0] + weights[r][1];
                down[0] += weights[r][0];
                down[1] += weights[r][1];
            }
#ifdef DOT_BFLOAT
            if (kind == NUMBERS_PAIRS) {
                float *pairs = state->across + i / 2 * BLOCK_TOKENS + j;

                row = state->weights + i * BLOCK_TOKENS + j / 2;
                store(row, bfloat_halves(weights[0][0], weights[0][1]));
                store(row + BLOCK_TOKENS, bfloat_halves(weights[1][0], weights[1][1]));
                store(pairs, bfloat_pairs(weights[0][0], weights[1][0]));
                store(pairs + LANES, bfloat_pairs(weights[0][1], weights[1][1]));
                continue;
            }
#endif
            store(row, kind == NUMBERS_ROUNDED ? as_bfloat(weights[0][0]) : weights[0][0]);
            if (two)
                store(row + LANES, kind == NUMBERS_ROUNDED ? as_bfloat(weights[0][1]) : weights[0][1]);
        }
        if (totals) {
            store(totals + j, load(totals + j) + down[0]);
            if (two)
                store(totals + j + LANES, load(totals + j + LANES) + down[1]);
        }
    }
}

/* The results of the tokens [to, to + count) += the weights times the values of [with, with + lines). */
static ALWAYS_INLINE void add_block(const symmetric_state *state, size_t to, size_t count, size_t with,
                                    size_t lines, bool fresh, const bool across, const numbers kind)
{
    const attention_state *packed = &state->packed;
    const size_t width = packed->job->width, wide = packed->wide, group = kind == NUMBERS_PAIRS ? 2 : 1;
    const float nothing[PANEL_KEYS] = {0};
    const float *weights = across && group > 1 ? state->across : state->weights;

    for (size_t d = 0; d < width; d += PANEL_KEYS) {
        const bool two = width - d > LANES;
        const float *panel = packed->values + d * packed->lines + with / group * (two ? PANEL_KEYS : LANES);
        float *out = state->summed + to * wide + d;

        if (across)
            (kind == NUMBERS_PAIRS ? sum_pairs_across : sum_floats_across)(
                out, wide, fresh ? NULL : out, nothing, weights, BLOCK_TOKENS, panel,
                (lines + group - 1) / group, count, two);
        else
            (kind == NUMBERS_PAIRS ? sum_pairs : sum_floats)(out, wide, fresh ? NULL : out, nothing, weights,
                                                             BLOCK_TOKENS, panel, (lines + group - 1) / group,
                                                             count, two);
    }
}

/* One block of rows against itself and all later ones. */
static ALWAYS_INLINE void attend_block(const symmetric_state *state, size_t row, const numbers kind)
{
    const lancet_attention *job = state->packed.job;
    const size_t n = job->key_count, wide = state->packed.wide;
    const size_t rows = n - row < BLOCK_TOKENS ? n - row : BLOCK_TOKENS;
    vector row_totals[BLOCK_TOKENS] = {{0}};

    for (size_t column = row; column < n; column += BLOCK_TOKENS) {
        const size_t columns = n - column < BLOCK_TOKENS ? n - column : BLOCK_TOKENS;
        const bool diagonal = column == row;

        score_block(state, row, rows, column, columns, kind);
        soften_block(state, row_totals, diagonal ? NULL : state->totals + column, rows, columns, kind);
        add_block(state, row, rows, column, columns, column == 0, false, kind);
        if (!diagonal)
            add_block(state, column, columns, row, rows, row == 0, true, kind);
    }
    for (size_t i = 0; i < rows; i += LANES) {
        const size_t count = rows - i < LANES ? rows - i : LANES;
        const vector total = load(state->totals + row + i) + gather_rows(row_totals + i, count, true);
        float factors[LANES];

        store(factors, 1 / total);
        for (size_t r = 0; r < count; r++) {
            const float *summed = state->summed + (row + i + r) * wide;
            float *out = job->out + (row + i + r) * job->out_stride;

            for (size_t d = 0; d < job->width; d += LANES)
                store_some(out + d, load(summed + d) * factors[r], job->width - d);
        }
    }
}

/* The shift of a head's scores; false if they lie too far apart for one. */
static bool find_shift(float *shift, const lancet_attention *job, float factor)
{
    float highest = 0, lowest = INFINITY;

    for (size_t i = 0; i < job->key_count; i++) {
        const float *key = job->keys + i * job->key_stride;
        vector squares = {0};

        for (size_t d = 0; d < job->width; d += LANES) {
            const vector some = load_some(key + d, job->width - d) * factor;

            squares += some * some;
        }
        const float square = add_up(squares);

        if (!(square <= SCORE_MOST))
            return false;
        highest = square > highest ? square : highest;
        lowest = square < lowest ? square : lowest;
    }
    /* None where none is needed: it would cost low scores some of their last bits. */
    *shift = highest > HIGHEST_POWER ? ceilf(highest) - HIGHEST_POWER : 0;
    return highest - lowest <= SPREAD_MOST;
}

static ALWAYS_INLINE void attend_symmetric(const lancet_attention *job, float *scratch, const numbers kind,
                                           void (*tile)(attention_state *state, size_t first, size_t rows))
{
    const size_t group = kind == NUMBERS_PAIRS ? 2 : 1, n = job->key_count;
    const float factor = sqrtf(job->scale * LOG2_E);
    symmetric_state state = {.packed = {.job = job,
                                        .kind = kind,
                                        .wide = whole(job->width, LANES),
                                        .depth = (job->width + group - 1) / group,
                                        .lines = (n + group - 1) / group,
                                        .key_factor = factor}};

    if (!find_shift(&state.shift, job, factor)) {
        attend(job, scratch, factor, factor, kind, tile);
        return;
    }
    state.packed.keys = scratch;
    state.packed.values = state.packed.keys + whole(n, LANES) * state.packed.wide;
    state.summed = state.packed.values + whole(n, 2) * state.packed.wide;
    state.totals = state.summed + n * state.packed.wide;
    state.weights = state.totals + whole(n, BLOCK_TOKENS);
    state.across = state.weights + BLOCK_TOKENS * BLOCK_TOKENS;
    memset(state.totals, 0, whole(n, BLOCK_TOKENS) * sizeof(float));
    pack_keys(&state.packed, kind);
    pack_values(&state.packed, kind);
    for (size_t row = 0; row < n; row += BLOCK_TOKENS)
        attend_block(&state, row, kind);
}

static void symmetric_attention(const lancet_attention *job, float *scratch)
{
    attend_symmetric(job, scratch, NUMBERS_FLOAT, attend_floats);
}

static void symmetric_attention_bfloat(const lancet_attention *job, float *scratch)
{
#ifdef DOT_BFLOAT
    attend_symmetric(job, scratch, NUMBERS_PAIRS, attend_pairs);
#else
    attend_symmetric(job, scratch, NUMBERS_ROUNDED, attend_floats);
#endif
}
