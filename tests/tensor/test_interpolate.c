/* Bilinear interpolation against its definition, number by number: the same to the last bit, since the steps
 * are the same. That the definition is PyTorch's is held to its numbers elsewhere (tests/explain/test_maps.c
 * and the golden folders). SPDX-License-Identifier: Apache-2.0 */
#include "base/memory.h"
#include "tensor/interpolate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static uint32_t seed = 1;

static float draw(void)
{
    seed = seed * 1664525u + 1013904223u;
    return (float)(int32_t)seed / 2147483648.0f;
}

static void check(size_t out_height, size_t out_width, size_t in_height, size_t in_width, size_t channels)
{
    const size_t size = out_height * out_width * channels;
    float *in = lancet_allocate(in_height * in_width * channels, sizeof *in);
    float *out = lancet_allocate(size + 1, sizeof *out);
    lancet_sample_place *rows = lancet_allocate(out_height, sizeof *rows);
    lancet_sample_place *columns = lancet_allocate(out_width, sizeof *columns);

    for (size_t i = 0; i < in_height * in_width * channels; i++)
        in[i] = draw();
    out[size] = 77;
    assert_true(lancet_interpolate_bilinear(out, out_height, out_width, in, in_height, in_width, channels));
    assert_true(out[size] == 77);
    lancet_interpolate_places(rows, out_height, in_height);
    lancet_interpolate_places(columns, out_width, in_width);
    for (size_t y = 0; y < out_height; y++)
        for (size_t x = 0; x < out_width; x++)
            for (size_t c = 0; c < channels; c++) {
                const lancet_sample_place *row = &rows[y], *column = &columns[x];
                const float *low = in + row->low * in_width * channels + c,
                            *high = in + row->high * in_width * channels + c;
                const float expected =
                    row->weight_low * (column->weight_low * low[column->low * channels] +
                                       column->weight_high * low[column->high * channels]) +
                    row->weight_high * (column->weight_low * high[column->low * channels] +
                                        column->weight_high * high[column->high * channels]);

                assert_true(out[(y * out_width + x) * channels + c] == expected);
            }
    lancet_free(in);
    lancet_free(out);
    lancet_free(rows);
    lancet_free(columns);
}

static void test_sizes(void **state)
{
    static const size_t sides[] = {1, 2, 3, 7, 14, 33};

    (void)state;
    for (size_t i = 0; i < 6; i++)
        for (size_t k = 0; k < 6; k++) {
            check(sides[i], sides[k], sides[5 - i], sides[k], 1);
            check(sides[i], sides[k], sides[k], sides[i], 3);
            check(sides[k], 5, sides[i], 9, 2); /* larger, smaller, equal */
        }
    check(375, 500, 14, 14, 1);
    check(7, 7, 16, 16, 64);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_sizes)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
