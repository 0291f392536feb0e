/* SPDX-License-Identifier: Apache-2.0 */
#include "tensor/interpolate.h"

#include "base/memory.h"

#include <math.h>

/* In float, step by step as PyTorch does for float tensors: src = max(0, (dst + 0.5) * in / out - 0.5). */
void lancet_interpolate_places(lancet_sample_place *places, size_t out, size_t in)
{
    const float scale = (float)in / (float)out;

    for (size_t i = 0; i < out; i++) {
        float source = ((float)i + 0.5f) * scale - 0.5f;

        if (source < 0)
            source = 0;
        places[i].low = (size_t)source < in ? (size_t)source : in - 1;
        places[i].high = places[i].low + 1 < in ? places[i].low + 1 : in - 1;
        places[i].weight_high = source - (float)places[i].low;
        places[i].weight_low = 1 - places[i].weight_high;
    }
}

bool lancet_interpolate_bilinear(float *out, size_t out_height, size_t out_width, const float *in,
                                 size_t in_height, size_t in_width, size_t channels)
{
    lancet_sample_place *rows = lancet_allocate(out_height, sizeof *rows);
    lancet_sample_place *columns = lancet_allocate(out_width, sizeof *columns);

    if (!rows || !columns) {
        lancet_free(rows);
        lancet_free(columns);
        return false;
    }
    lancet_interpolate_places(rows, out_height, in_height);
    lancet_interpolate_places(columns, out_width, in_width);
    for (size_t y = 0; y < out_height; y++) {
        const lancet_sample_place *row = &rows[y];

        for (size_t x = 0; x < out_width; x++) {
            const lancet_sample_place *column = &columns[x];
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
