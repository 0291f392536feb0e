/* SPDX-License-Identifier: Apache-2.0 */
#include "tensor/interpolate.h"

#include "base/memory.h"

#include <math.h>

/* Where an output position falls between two input positions. */
struct sample {
    size_t low, high;
    float weight_low, weight_high;
};

/* In float, step by step as PyTorch does for float tensors: src = max(0, (dst + 0.5) * in / out - 0.5). */
static void place(struct sample *samples, size_t out, size_t in)
{
    const float scale = (float)in / (float)out;

    for (size_t i = 0; i < out; i++) {
        float source = ((float)i + 0.5f) * scale - 0.5f;

        if (source < 0)
            source = 0;
        samples[i].low = (size_t)source < in ? (size_t)source : in - 1;
        samples[i].high = samples[i].low + 1 < in ? samples[i].low + 1 : in - 1;
        samples[i].weight_high = source - (float)samples[i].low;
        samples[i].weight_low = 1 - samples[i].weight_high;
    }
}

bool lancet_interpolate_bilinear(float *out, size_t out_height, size_t out_width, const float *in,
                                 size_t in_height, size_t in_width, size_t channels)
{
    struct sample *rows = lancet_allocate(out_height, sizeof *rows);
    struct sample *columns = lancet_allocate(out_width, sizeof *columns);

    if (!rows || !columns) {
        lancet_free(rows);
        lancet_free(columns);
        return false;
    }
    place(rows, out_height, in_height);
    place(columns, out_width, in_width);
    for (size_t y = 0; y < out_height; y++) {
        const struct sample *row = &rows[y];

        for (size_t x = 0; x < out_width; x++) {
            const struct sample *column = &columns[x];
            const float *low_low = in + (row->low * in_width + column->low) * channels;
            const float *low_high = in + (row->low * in_width + column->high) * channels;
            const float *high_low = in + (row->high * in_width + column->low) * channels;
            const float *high_high = in + (row->high * in_width + column->high) * channels;

            for (size_t c = 0; c < channels; c++)
                *out++ =
                    row->weight_low * (column->weight_low * low_low[c] + column->weight_high * low_high[c]) +
                    row->weight_high *
                        (column->weight_low * high_low[c] + column->weight_high * high_high[c]);
        }
    }
    lancet_free(rows);
    lancet_free(columns);
    return true;
}
