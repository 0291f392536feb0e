/* Attention along a path over vectors; kernels_vector.h includes this, and says what an instruction set's
 * file defines before. Texts are short, so a row's keys are a handful: each is read where it lies, and no
 * tile is filled up. SPDX-License-Identifier: Apache-2.0 */

static size_t whole_vectors(size_t count)
{
    return (count + LANES - 1) / LANES * LANES;
}

static inline float dot_product(const float *a, const float *b, size_t width)
{
    vector sums = {0};
    float sum;
    size_t d = 0;

    for (; d + LANES <= width; d += LANES)
        sums += load(a + d) * load(b + d);
    sum = add_up(sums);
    for (; d < width; d++)
        sum += a[d] * b[d];
    return sum;
}

/* scores (count of them, then padding) become e^(score - highest), the padding 0; returns 1 / their sum. */
static float soften(float *scores, size_t count, size_t padded)
{
    vector highest = splat(-INFINITY), sums = {0};
    float top = -INFINITY, lanes[LANES];

    for (size_t j = count; j < padded; j++)
        scores[j] = -INFINITY;
    for (size_t j = 0; j < padded; j += LANES)
        highest = larger(load(scores + j), highest);
    memcpy(lanes, &highest, sizeof lanes);
    for (int i = 0; i < LANES; i++)
        top = lanes[i] > top ? lanes[i] : top;
    for (size_t j = 0; j < padded; j += LANES)
        store(scores + j, exponential(load(scores + j) - top));
    for (size_t j = count; j < padded; j++)
        scores[j] = 0;
    for (size_t j = 0; j < padded; j += LANES)
        sums += load(scores + j);
    return 1 / add_up(sums);
}

#define VALUES 4 /* vectors of a head that are summed at a time */

/* out[d] = the sum over j of weights[j] values[path[j]][d], times `factor`. */
static void add_values(float *out, const float *weights, const float *values,
                       const lancet_path_attention *job, float factor)
{
    const size_t width = job->width;
    size_t d = 0;

    for (; d + VALUES * LANES <= width; d += VALUES * LANES) {
        vector sums[VALUES] = {{0}};

        for (size_t j = 0; j < job->count; j++) {
            const float *value = values + job->path[j] * job->stride + d;
            const vector weight = splat(weights[j]);

            for (int v = 0; v < VALUES; v++)
                sums[v] += weight * load(value + v * LANES);
        }
        for (int v = 0; v < VALUES; v++)
            store(out + d + v * LANES, sums[v] * factor);
    }
    for (; d + LANES <= width; d += LANES) {
        vector sum = {0};

        for (size_t j = 0; j < job->count; j++)
            sum += splat(weights[j]) * load(values + job->path[j] * job->stride + d);
        store(out + d, sum * factor);
    }
    for (; d < width; d++) {
        float sum = 0;

        for (size_t j = 0; j < job->count; j++)
            sum += weights[j] * values[job->path[j] * job->stride + d];
        out[d] = sum * factor;
    }
}

static size_t path_attention_scratch(size_t count, size_t heads)
{
    return whole_vectors(count) * heads;
}

static void path_attention(const lancet_path_attention *job, float *scores)
{
    const size_t padded = whole_vectors(job->count);

    for (size_t j = 0; j < job->count; j++) {
        const float *key = job->keys + job->path[j] * job->stride;

        for (size_t head = 0; head < job->heads; head++)
            scores[head * padded + j] =
                dot_product(job->query + head * job->width, key + head * job->width, job->width) * job->scale;
    }
    for (size_t head = 0; head < job->heads; head++) {
        const size_t at = head * job->width;
        const float inverse = soften(scores + head * padded, job->count, padded);

        add_values(job->out + at, scores + head * padded, job->values + at, job, inverse);
    }
}
