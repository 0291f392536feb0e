/* Two small products instead of the [tokens, labels, channels] tensor of the published code: with G = F_i
 * F_t^T, and r = 1/T sum of w_t F_t, <F_i, r> is the mean over t of w_t G[i,t]. SPDX-License-Identifier:
 * Apache-2.0 */
#include "explain/feature_surgery.h"

#include "base/memory.h"
#include "tensor/kernels.h"

#include <math.h>

/* Divides each row by its length (a row of zeros stays). */
static void normalise_rows(float *out, const float *in, size_t rows, size_t width)
{
    for (size_t row = 0; row < rows; row++, in += width, out += width) {
        double squares = 0;

        for (size_t i = 0; i < width; i++)
            squares += (double)in[i] * in[i];
        const float factor = squares > 0 ? (float)(1 / sqrt(squares)) : 0;

        for (size_t i = 0; i < width; i++)
            out[i] = in[i] * factor;
    }
}

/* w_t = T softmax_t(tau <F_c, F_t>) (Eq. 9), from the class token's cosines. */
static void weigh(float *weights, const float *cosines, size_t count, float tau)
{
    double highest = -INFINITY, sum = 0;

    for (size_t t = 0; t < count; t++)
        highest = fmax(highest, (double)tau * cosines[t]);
    for (size_t t = 0; t < count; t++)
        sum += exp((double)tau * cosines[t] - highest);
    for (size_t t = 0; t < count; t++)
        weights[t] = (float)((double)count * exp((double)tau * cosines[t] - highest) / sum);
}

/* scores become the code's (diag(w) on the first term) or the paper's form. */
static void subtract_mean(float *scores, const lancet_feature_surgery *surgery, const float *weights)
{
    const size_t count = surgery->count;

    for (size_t row = 0; row < surgery->rows; row++, scores += count) {
        double sum = 0;

        for (size_t t = 0; t < count; t++)
            sum += (double)weights[t] * scores[t];
        const float redundant = (float)(sum / (double)count);

        for (size_t t = 0; t < count; t++)
            scores[t] = (surgery->form == LANCET_FORM_CODE ? weights[t] * scores[t] : scores[t]) - redundant;
    }
}

lancet_status lancet_feature_surgery_run(float *scores, const lancet_feature_surgery *surgery,
                                         lancet_error *error)
{
    const lancet_kernels *kernels = lancet_kernels_get();
    const size_t rows = surgery->rows, width = surgery->width, count = surgery->count;
    float *tokens = lancet_allocate(rows * width, sizeof *tokens);
    float *labels = surgery->empty ? lancet_allocate(count * width, sizeof *labels) : NULL;
    float *weights = lancet_allocate(count, sizeof *weights);
    lancet_status status = LANCET_OK;

    if (!tokens || (surgery->empty && !labels) || !weights) {
        status = lancet_fail_memory(error, "feature surgery");
        goto done;
    }
    normalise_rows(tokens, surgery->tokens, rows, width);
    for (size_t t = 0; labels && t < count; t++)
        for (size_t c = 0; c < width; c++)
            labels[t * width + c] = surgery->labels[t * width + c] - surgery->empty[c];
    kernels->multiply(scores, count, tokens, width, labels ? labels : surgery->labels, width, rows, count,
                      width);
    if (surgery->over_labels) {
        weigh(weights, scores, count, surgery->tau);
        subtract_mean(scores, surgery, weights);
    }
done:
    lancet_free(tokens);
    lancet_free(labels);
    lancet_free(weights);
    return status;
}
