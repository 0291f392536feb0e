/* SPDX-License-Identifier: Apache-2.0 */
#include "tensor/interpolate.h"

#include "base/memory.h"

#include <stdint.h>

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

/* One input row [in_width, channels] at the output's width. */
static void stretch(float *restrict out, const float *restrict in, const lancet_sample_place *columns,
                    size_t out_width, size_t channels)
{
    for (size_t x = 0; x < out_width; x++) {
        const lancet_sample_place *column = &columns[x];
        const float *low = in + column->low * channels, *high = in + column->high * channels;

        for (size_t c = 0; c < channels; c++)
            *out++ = column->weight_low * low[c] + column->weight_high * high[c];
    }
}

/* Two rows, already stretched, become one between them. */
static void mix(float *restrict out, const float *restrict low, const float *restrict high, float weight_low,
                float weight_high, size_t count)
{
    for (size_t i = 0; i < count; i++)
        out[i] = weight_low * low[i] + weight_high * high[i];
}

bool lancet_interpolate_bilinear(float *out, size_t out_height, size_t out_width, const float *in,
                                 size_t in_height, size_t in_width, size_t channels)
{
    const size_t line = out_width * channels;
    lancet_sample_place *rows = lancet_allocate(out_height, sizeof *rows);
    lancet_sample_place *columns = lancet_allocate(out_width, sizeof *columns);
    float *lines = lancet_allocate(2 * line, sizeof *lines);
    const bool fits = rows && columns && lines;
    size_t held[2] = {SIZE_MAX, SIZE_MAX}; /* the input row that each line was stretched from */

    if (fits) {
        lancet_interpolate_places(rows, out_height, in_height);
        lancet_interpolate_places(columns, out_width, in_width);
    }
    /* An input row is stretched once for all output rows beside it; the next one is of the other parity. */
    for (size_t y = 0; y < out_height && fits; y++, out += line) {
        const size_t needed[] = {rows[y].low, rows[y].high};

        for (int i = 0; i < 2; i++) {
            const size_t row = needed[i], place = row % 2;

            if (held[place] != row)
                stretch(lines + place * line, in + row * in_width * channels, columns, out_width, channels);
            held[place] = row;
        }
        mix(out, lines + needed[0] % 2 * line, lines + needed[1] % 2 * line, rows[y].weight_low,
            rows[y].weight_high, line);
    }
    lancet_free(rows);
    lancet_free(columns);
    lancet_free(lines);
    return fits;
}
