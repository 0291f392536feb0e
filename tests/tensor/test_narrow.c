/* Numbers made narrower: the nearest, by what nearest means. SPDX-License-Identifier: Apache-2.0 */
#include "support/files.h"

#include "tensor/narrow.h"

#include <math.h>

/* The value of a 16-bit number of so many fraction bits; beyond the largest finite one it goes on as if there
 * were another, which is where rounding to infinity begins. */
static double value_of(unsigned bits, unsigned fraction_bits, int bias)
{
    const unsigned exponent = (bits & 0x7FFF) >> fraction_bits, ones = 1u << fraction_bits;
    const unsigned fraction = bits & (ones - 1);
    const double size = exponent ? ldexp(ones + fraction, (int)exponent - bias - (int)fraction_bits)
                                 : ldexp(fraction, 1 - bias - (int)fraction_bits);

    return bits & 0x8000 ? -size : size;
}

/* Is `bits` the one that is nearest to value, or the even one of two? */
static void check_nearest(float value, unsigned bits, unsigned fraction_bits, int bias)
{
    const unsigned size = bits & 0x7FFF, infinite = 0x7FFFu >> fraction_bits << fraction_bits;
    const double here = fabs(value_of(size, fraction_bits, bias)), wanted = fabs((double)value);
    const double above = value_of(size + 1, fraction_bits, bias);
    const double below = size ? value_of(size - 1, fraction_bits, bias) : 0;
    double distance;

    assert_int_equal(bits >> 15, signbit(value) != 0);
    if (isnan(value)) {
        assert_true(size > infinite);
        return;
    }
    assert_true(size <= infinite);
    if (size == infinite && isinf(value))
        return;
    distance = fabs(here - wanted);
    if (size < infinite)
        assert_true(distance < above - wanted || (distance == above - wanted && size % 2 == 0));
    if (size && wanted < here)
        assert_true(distance < wanted - below || (distance == wanted - below && size % 2 == 0));
}

typedef void (*narrowing)(uint16_t *out, const float *in, size_t count);

static void check_one(narrowing narrow, float value, unsigned fraction_bits, int bias)
{
    for (int negative = 0; negative < 2; negative++) {
        const float signed_value = negative ? -value : value;
        uint16_t bits = 0;

        narrow(&bits, &signed_value, 1);
        check_nearest(signed_value, bits, fraction_bits, bias);
    }
}

/* Every number there is, the halfway points between neighbours, and the floats beside those; then floats of
 * every exponent. */
static void check_type(narrowing narrow, unsigned fraction_bits, int bias)
{
    const unsigned infinite = 0x7FFFu >> fraction_bits << fraction_bits;
    uint32_t state = 1;

    for (unsigned bits = 0; bits < infinite; bits++) {
        const double exact = value_of(bits, fraction_bits, bias);
        const float here = (float)exact;
        const float halfway = (float)((exact + value_of(bits + 1, fraction_bits, bias)) / 2);
        uint16_t found;

        narrow(&found, &here, 1);
        assert_int_equal(found, bits);
        check_one(narrow, halfway, fraction_bits, bias);
        check_one(narrow, nextafterf(halfway, 0), fraction_bits, bias);
        check_one(narrow, nextafterf(halfway, INFINITY), fraction_bits, bias);
    }
    for (int i = 0; i < 1 << 20; i++) {
        float value;

        state = state * 1664525u + 1013904223u;
        memcpy(&value, &state, sizeof value);
        check_one(narrow, fabsf(value), fraction_bits, bias);
    }
    check_one(narrow, INFINITY, fraction_bits, bias);
    check_one(narrow, NAN, fraction_bits, bias);
}

static void test_halves(void **state)
{
    (void)state;
    check_type(lancet_narrow_half, 10, 15);
}

static void test_bfloats(void **state)
{
    (void)state;
    check_type(lancet_narrow_bfloat, 7, 127);
}

static void test_whole_numbers(void **state)
{
    static const float row[] = {-12.7f, 12.7f, 0, 0.04999f, 0.0501f, -0.0501f, 6.35f, -0.0f, 1e-30f};
    static const int8_t expected[] = {-127, 127, 0, 0, 1, -1, 63, 0, 0};
    static const float halves[] = {127, 0.5f, 1.5f, -2.5f, 126.5f, -0.5f};
    static const int8_t even[] = {127, 0, 2, -2, 126, 0};
    static const float zeros[3] = {0, -0.0f, 0};
    int8_t out[16];
    const float scale = lancet_narrow_scale(row, 9);

    (void)state;
    assert_true(scale == 12.7f / 127);
    lancet_narrow_whole(out, row, 9, scale);
    for (size_t i = 0; i < 9; i++)
        if (i != 6) /* 6.35 lies halfway, give or take how 0.1 is rounded */
            assert_int_equal(out[i], expected[i]);
    assert_true(out[6] == 63 || out[6] == 64);
    assert_true(lancet_narrow_scale(halves, 6) == 1);
    lancet_narrow_whole(out, halves, 6, 1);
    assert_memory_equal(out, even, sizeof even);
    assert_true(lancet_narrow_scale(zeros, 3) == 0 && lancet_narrow_scale(NULL, 0) == 0);
    lancet_narrow_whole(out, zeros, 3, 0);
    assert_true(!out[0] && !out[1] && !out[2]);
}

/* Within half a step of every number, at rows of any size down to the smallest that have a scale. */
static void test_whole_numbers_are_near(void **state)
{
    float row[257];
    int8_t out[257];

    (void)state;
    for (int exponent = -120; exponent <= 127; exponent++) {
        float scale;

        for (int i = 0; i < 257; i++)
            row[i] = ldexpf(sinf((float)(i * i)), exponent);
        scale = lancet_narrow_scale(row, 257);
        lancet_narrow_whole(out, row, 257, scale);
        for (int i = 0; i < 257; i++)
            assert_true(fabs((double)out[i] * (double)scale - (double)row[i]) <= 0.5000001 * (double)scale);
    }
    /* A scale that is itself only roughly right must not carry a number over the edge. */
    row[0] = 0x1p-142f;
    row[1] = -0x1.68p-142f; /* 180 of the smallest steps: the scale, 1.4 of them, becomes 1 */
    lancet_narrow_whole(out, row, 2, lancet_narrow_scale(row, 2));
    assert_true(out[0] == 127 && out[1] == -127);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_halves),
        cmocka_unit_test(test_bfloats),
        cmocka_unit_test(test_whole_numbers),
        cmocka_unit_test(test_whole_numbers_are_near),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
