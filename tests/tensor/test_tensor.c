/* Tensor views and the conversion of every number there is. SPDX-License-Identifier: Apache-2.0 */
#include "support/files.h"

#include "tensor/tensor.h"

#include <math.h>

/* A half by its definition, not by its bits. */
static float half_by_formula(uint16_t half)
{
    const int exponent = half >> 10 & 31, fraction = half & 1023;
    const float sign = half & 0x8000 ? -1.0f : 1.0f;

    if (exponent == 31)
        return fraction ? NAN : sign * INFINITY;
    return sign * (float)(exponent ? ldexp(1024 + fraction, exponent - 25) : ldexp(fraction, -24));
}

/* A bfloat16 by its definition. */
static float brain_by_formula(uint16_t brain)
{
    const int exponent = brain >> 7 & 255, fraction = brain & 127;
    const float sign = brain & 0x8000 ? -1.0f : 1.0f;

    if (exponent == 255)
        return fraction ? NAN : sign * INFINITY;
    return sign * (float)(exponent ? ldexp(128 + fraction, exponent - 134) : ldexp(fraction, -133));
}

static void check_all_sixteen_bits(lancet_dtype dtype, float (*formula)(uint16_t))
{
    uint16_t *bits = malloc(65537 * sizeof *bits);
    float *out = malloc(65536 * sizeof *out);
    char *odd = (char *)bits + 1; /* data in files are not aligned */
    lancet_tensor tensor = {.dtype = dtype, .rank = 1, .shape = {65536}, .count = 65536, .data = odd};

    for (uint32_t i = 0; i < 65536; i++) {
        const uint16_t value = (uint16_t)i;

        memcpy(odd + 2 * i, &value, 2);
    }
    lancet_tensor_read(out, &tensor, 0, 65536);
    for (uint32_t i = 0; i < 65536; i++) {
        const float expected = formula((uint16_t)i);

        if (isnan(expected) ? !isnan(out[i]) : memcmp(&out[i], &expected, sizeof expected) != 0)
            fail_msg("%s 0x%04x: expected %a, found %a", lancet_dtype_name(dtype), i, (double)expected,
                     (double)out[i]);
    }
    /* From within. */
    lancet_tensor_read(out, &tensor, 0x3C00, 2);
    assert_true(out[0] == formula(0x3C00) && out[1] == formula(0x3C01));
    free(bits);
    free(out);
}

static void test_every_half(void **state)
{
    (void)state;
    check_all_sixteen_bits(LANCET_F16, half_by_formula);
}

static void test_every_bfloat16(void **state)
{
    (void)state;
    check_all_sixteen_bits(LANCET_BF16, brain_by_formula);
}

static void test_floats_keep_their_bits(void **state)
{
    static const uint32_t bits[] = {0x7F800001, 0xFFC12345, 0x00000001, 0x80000000, 0x7F7FFFFF, 0xFF800000};
    char bytes[sizeof bits + 1];
    const lancet_tensor tensor = {
        .dtype = LANCET_F32, .rank = 1, .shape = {6}, .count = 6, .data = bytes + 1};
    float out[6];

    (void)state;
    memcpy(bytes + 1, bits, sizeof bits);
    lancet_tensor_read(out, &tensor, 0, 6);
    assert_memory_equal(out, bits, sizeof bits);
    lancet_tensor_read(out, &tensor, 4, 2);
    assert_memory_equal(out, bits + 4, 8);
    lancet_tensor_read(out, &tensor, 6, 0);
}

static void test_rows(void **state)
{
    static const float numbers[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
    const lancet_tensor tensor = {
        .name = "t", .dtype = LANCET_F32, .rank = 3, .shape = {3, 2, 2}, .count = 12, .data = numbers};
    lancet_tensor rows = lancet_tensor_rows(&tensor, 1, 2);
    const lancet_tensor empty = {.dtype = LANCET_F32, .rank = 2, .shape = {0, 4}};

    (void)state;
    assert_int_equal(rows.count, 8);
    assert_int_equal(rows.shape[0], 2);
    assert_int_equal(rows.shape[2], 2);
    assert_ptr_equal(rows.data, numbers + 4);
    assert_string_equal(rows.name, "t");
    rows = lancet_tensor_rows(&tensor, 3, 0);
    assert_int_equal(rows.count, 0);
    rows = lancet_tensor_rows(&empty, 0, 0);
    assert_int_equal(rows.count, 0);
}

/* Every whole number under every scale, from each place to each other, and in views of rows. */
static void test_rows_with_scales(void **state)
{
    static const float scales[] = {0.5f, 0, 3, 0x1p-140f};
    int8_t numbers[4 * 256];
    float expected[4 * 256], out[4 * 256];
    const lancet_tensor tensor = {.dtype = LANCET_I8,
                                  .rank = 3,
                                  .shape = {4, 16, 16},
                                  .count = 4 * 256,
                                  .data = numbers,
                                  .scales = scales};

    (void)state;
    for (int i = 0; i < 4 * 256; i++) {
        numbers[i] = (int8_t)(i % 256 - 128);
        expected[i] = (float)((double)(i % 256 - 128) * (double)scales[i / 256]);
    }
    assert_int_equal(lancet_tensor_bytes(&tensor), 4 * 256);
    assert_true(lancet_dtype_is_readable(LANCET_I8));
    for (size_t first = 0; first <= tensor.count; first += 31)
        for (size_t count = 0; first + count <= tensor.count; count += 53) {
            lancet_tensor_read(out, &tensor, first, count);
            assert_memory_equal(out, expected + first, count * sizeof *out);
        }
    for (size_t first = 0; first < 4; first++) {
        const lancet_tensor rows = lancet_tensor_rows(&tensor, first, 4 - first);

        lancet_tensor_read(out, &rows, 0, rows.count);
        assert_memory_equal(out, expected + 256 * first, rows.count * sizeof *out);
    }
}

static void test_names_and_shapes(void **state)
{
    static const char *const names[] = {"F32", "F16", "BF16", "I64", "I32", "U8", "I8"};
    static const size_t sizes[] = {4, 2, 2, 8, 4, 1, 1};
    const size_t shape[LANCET_RANK_MAX] = {2, 3, SIZE_MAX, SIZE_MAX, SIZE_MAX, SIZE_MAX, SIZE_MAX, SIZE_MAX};
    char text[200], small[6];

    (void)state;
    for (int i = 0; i < 7; i++) {
        assert_string_equal(lancet_dtype_name((lancet_dtype)i), names[i]);
        assert_int_equal(lancet_dtype_size((lancet_dtype)i), sizes[i]);
        assert_int_equal(lancet_dtype_block((lancet_dtype)i), 1);
    }
    lancet_shape_print(text, sizeof text, shape, 2);
    assert_string_equal(text, "[2,3]");
    lancet_shape_print(text, sizeof text, shape, 0);
    assert_string_equal(text, "[]");
    lancet_shape_print(text, sizeof text, shape, 1);
    assert_string_equal(text, "[2]");
    for (size_t size = 1; size <= sizeof small; size++) {
        lancet_shape_print(small, size, shape, LANCET_RANK_MAX);
        assert_int_equal(strlen(small), size - 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_half),
        cmocka_unit_test(test_every_bfloat16),
        cmocka_unit_test(test_floats_keep_their_bits),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_rows_with_scales),
        cmocka_unit_test(test_names_and_shapes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
