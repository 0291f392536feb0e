/* Quantised tensors against numbers worked out by hand from ggml's block formats.
 * SPDX-License-Identifier: Apache-2.0 */
#include "support/files.h"

#include "tensor/tensor.h"

#include <math.h>

#define BLOCK 32
#define TYPES 5

static const struct {
    lancet_dtype type;
    const char *name;
    size_t size;
} types[TYPES] = {
    {LANCET_Q4_0, "Q4_0", 18}, {LANCET_Q4_1, "Q4_1", 20}, {LANCET_Q5_0, "Q5_0", 22},
    {LANCET_Q5_1, "Q5_1", 24}, {LANCET_Q8_0, "Q8_0", 34},
};

/* Halves: 0.5, -3, 2^-24 (the smallest there is), -0.75. */
#define HALF_05   0x00, 0x38
#define HALF_M3   0x00, 0xC2
#define HALF_TINY 0x01, 0x00
#define HALF_M075 0x00, 0xBA

/* Number j is j, number 16 + j is 15 - j. */
#define UP_AND_DOWN                                                                                          \
    0xF0, 0xE1, 0xD2, 0xC3, 0xB4, 0xA5, 0x96, 0x87, 0x78, 0x69, 0x5A, 0x4B, 0x3C, 0x2D, 0x1E, 0x0F

/* The fifth bits of numbers 0, 3, 15, 16, 24 and 31. */
#define FIFTH_BITS 0x09, 0x80, 0x01, 0x81

static bool has_fifth(int i)
{
    return i == 0 || i == 3 || i == 15 || i == 16 || i == 24 || i == 31;
}

static int up_and_down(int i)
{
    return i < 16 ? i : 31 - i;
}

static void read_one_block(float out[BLOCK], lancet_dtype type, const void *bytes)
{
    const lancet_tensor tensor = {.dtype = type, .rank = 1, .shape = {BLOCK}, .count = BLOCK, .data = bytes};

    lancet_tensor_read(out, &tensor, 0, BLOCK);
}

static void test_four_bits(void **state)
{
    static const uint8_t about_zero[] = {HALF_05, UP_AND_DOWN}, above_low[] = {HALF_05, HALF_M3, UP_AND_DOWN},
                         tiny[] = {HALF_TINY, UP_AND_DOWN};
    float out[BLOCK];

    (void)state;
    read_one_block(out, LANCET_Q4_0, about_zero);
    for (int i = 0; i < BLOCK; i++)
        assert_true(out[i] == 0.5f * (float)(up_and_down(i) - 8));
    assert_true(out[0] == -4 && out[15] == 3.5f && out[16] == 3.5f && out[31] == -4);
    read_one_block(out, LANCET_Q4_1, above_low);
    for (int i = 0; i < BLOCK; i++)
        assert_true(out[i] == 0.5f * (float)up_and_down(i) - 3);
    assert_true(out[0] == -3 && out[15] == 4.5f && out[16] == 4.5f && out[31] == -3);
    read_one_block(out, LANCET_Q4_0, tiny);
    assert_true(out[0] == -0x1p-21f && out[9] == 0x1p-24f && out[8] == 0);
}

static void test_five_bits(void **state)
{
    static const uint8_t about_zero[] = {HALF_M075, FIFTH_BITS, UP_AND_DOWN},
                         above_low[] = {HALF_05, HALF_M3, FIFTH_BITS, UP_AND_DOWN};
    float out[BLOCK];

    (void)state;
    read_one_block(out, LANCET_Q5_0, about_zero);
    for (int i = 0; i < BLOCK; i++)
        assert_true(out[i] == -0.75f * (float)(up_and_down(i) + 16 * has_fifth(i) - 16));
    assert_true(out[0] == 0 && out[1] == 11.25f && out[15] == -11.25f && out[16] == -11.25f &&
                out[30] == 11.25f);
    read_one_block(out, LANCET_Q5_1, above_low);
    for (int i = 0; i < BLOCK; i++)
        assert_true(out[i] == 0.5f * (float)(up_and_down(i) + 16 * has_fifth(i)) - 3);
    assert_true(out[0] == 5 && out[1] == -2.5f && out[15] == 12.5f && out[31] == 5);
}

static void test_every_byte(void **state)
{
    uint8_t bytes[8 * 34];
    const lancet_tensor tensor = {
        .dtype = LANCET_Q8_0, .rank = 2, .shape = {2, 128}, .count = 256, .data = bytes};
    float out[256];

    (void)state;
    for (int block = 0; block < 8; block++) {
        bytes[34 * block] = 0x00;
        bytes[34 * block + 1] = (uint8_t)(0x3C + 4 * block); /* 1, 2, 4, ... */
        for (int i = 0; i < BLOCK; i++)
            bytes[34 * block + 2 + i] = (uint8_t)(BLOCK * block + i);
    }
    lancet_tensor_read(out, &tensor, 0, 256);
    for (int i = 0; i < 256; i++)
        assert_true(out[i] == (float)(1 << i / BLOCK) * (float)(i < 128 ? i : i - 256));
}

/* Five blocks of a type, every byte another one; the halves stay finite, so that numbers compare. */
static void fill(uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < 5 * size; i++)
        bytes[i] = (uint8_t)(37 * i + 11 * (i / size));
    for (size_t block = 0; block < 5; block++) {
        bytes[block * size + 1] &= 0x3F;
        bytes[block * size + 3] &= 0x3F;
    }
}

/* Any range is a piece of the whole, and nothing around it is touched: the blocks end where their memory
 * does, and the floats lie between guards. */
static void test_any_range(void **state)
{
    (void)state;
    for (size_t t = 0; t < TYPES; t++) {
        const size_t size = types[t].size;
        uint8_t *bytes = malloc(5 * size);
        lancet_tensor tensor = {
            .dtype = types[t].type, .rank = 2, .shape = {5, BLOCK}, .count = 5 * BLOCK, .data = bytes};
        float whole[5 * BLOCK], out[5 * BLOCK + 2];

        assert_non_null(bytes);
        fill(bytes, size);
        lancet_tensor_read(whole, &tensor, 0, tensor.count);
        for (size_t first = 0; first <= tensor.count; first += first < 70 ? 1 : 7)
            for (size_t count = 0; first + count <= tensor.count; count += count < 40 ? 1 : 11) {
                for (size_t i = 0; i < count + 2; i++)
                    out[i] = 12345;
                lancet_tensor_read(out + 1, &tensor, first, count);
                assert_true(out[0] == 12345 && out[count + 1] == 12345);
                assert_memory_equal(out + 1, whole + first, count * sizeof *out);
            }
        free(bytes);
    }
}

static void test_sizes_and_rows(void **state)
{
    (void)state;
    for (size_t t = 0; t < TYPES; t++) {
        const size_t size = types[t].size;
        uint8_t bytes[6 * 34] = {0};
        const lancet_tensor tensor = {
            .dtype = types[t].type, .rank = 2, .shape = {3, 2 * BLOCK}, .count = 6 * BLOCK, .data = bytes};
        const lancet_tensor rows = lancet_tensor_rows(&tensor, 1, 2);

        assert_string_equal(lancet_dtype_name(types[t].type), types[t].name);
        assert_int_equal(lancet_dtype_size(types[t].type), size);
        assert_int_equal(lancet_dtype_block(types[t].type), BLOCK);
        assert_true(lancet_dtype_is_readable(types[t].type));
        assert_int_equal(lancet_tensor_bytes(&tensor), 6 * size);
        assert_int_equal(rows.count, 4 * BLOCK);
        assert_int_equal(lancet_tensor_bytes(&rows), 4 * size);
        assert_ptr_equal(rows.data, bytes + 2 * size);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_four_bits),      cmocka_unit_test(test_five_bits),
        cmocka_unit_test(test_every_byte),     cmocka_unit_test(test_any_range),
        cmocka_unit_test(test_sizes_and_rows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
