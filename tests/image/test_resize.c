/* The resize: bit for bit Pillow's. SPDX-License-Identifier: Apache-2.0 */
#include "image/pillow.h"

#include "base/memory.h"
#include "image/resize.h"

#define CASES 400

typedef struct resize_case {
    uint32_t channels, in_width, in_height, width, height;
} resize_case;

static uint32_t side(uint64_t *state)
{
    switch (random_next(state) % 8) {
    case 0:
        return 1;
    case 1:
        return 1 + random_next(state) % 8;
    case 2:
        return 224;
    case 3:
        return 1 + random_next(state) % 1500;
    default:
        return 1 + random_next(state) % 300;
    }
}

static resize_case case_number(size_t i)
{
    /* Sides the random ones would not hit: ratios of thousands, and sides of which several strips are needed.
     */
    static const resize_case chosen[] = {
        {3, 500, 375, 224, 224},  {3, 1, 1, 1, 1},           {3, 1, 1, 64, 64},       {3, 5000, 1, 1, 1},
        {3, 1, 5000, 1, 1},       {3, 1, 5000, 300, 7},      {3, 7, 20000, 99, 3},    {3, 20000, 7, 3, 99},
        {3, 65535, 2, 2, 2},      {3, 2, 65535, 2, 3},       {3, 2, 2, 3000, 2},      {3, 2, 2, 2, 3000},
        {3, 1200, 900, 336, 336}, {3, 300, 4000, 900, 4000}, {1, 640, 480, 512, 512}, {1, 3, 5000, 300, 4},
    };
    uint64_t state = 1000 + i;
    resize_case c;

    if (i < sizeof chosen / sizeof *chosen)
        return chosen[i];
    c = (resize_case){i % 5 ? 3 : 1, side(&state), side(&state), side(&state), side(&state)};
    if (i % 11 == 0)
        c.width = c.in_width;
    if (i % 13 == 0)
        c.height = c.in_height;
    return c;
}

/* Hard edges between extremes, so that the kernel overshoots and the clipping is seen, and noise. */
static uint8_t *pixels_of(const resize_case *c, size_t i)
{
    const size_t length = (size_t)c->in_width * c->in_height * c->channels;
    uint8_t *pixels = malloc(length);
    uint64_t state = i;

    for (size_t k = 0; k < length; k++)
        pixels[k] = i % 3 ? (uint8_t)random_next(&state) : random_next(&state) & 1 ? 255 : 0;
    return pixels;
}

static uint8_t *resized(const resize_case *c, const uint8_t *pixels)
{
    uint8_t *out = malloc((size_t)c->width * c->height * c->channels);
    const lancet_picture picture = {pixels, c->in_width, c->in_height, 0};
    lancet_error error;

    if (c->channels == 3)
        assert_int_equal(lancet_resize_bicubic(out, c->width, c->height, &picture, &error), LANCET_OK);
    else
        assert_int_equal(
            lancet_resize_bicubic_grey(out, c->width, c->height, pixels, c->in_width, c->in_height, &error),
            LANCET_OK);
    return out;
}

static void test_pillow(void **state)
{
    uint8_t *expected;
    size_t length, at = 0, different = 0;
    char *folder, path[600];
    FILE *file;

    (void)state;
    pillow_needed();
    folder = folder_make();
    snprintf(path, sizeof path, "%s/cases.raw", folder);
    file = fopen(path, "wb");
    for (size_t i = 0; i < CASES; i++) {
        const resize_case c = case_number(i);
        uint8_t *pixels = pixels_of(&c, i);

        fwrite(&c, sizeof c, 1, file);
        fwrite(pixels, c.channels, (size_t)c.in_width * c.in_height, file);
        free(pixels);
    }
    fclose(file);
    pillow_run("resize", folder);
    expected = file_read(folder, "results.raw", &length);
    for (size_t i = 0; i < CASES; i++) {
        const resize_case c = case_number(i);
        const size_t bytes = (size_t)c.width * c.height * c.channels;
        uint8_t *pixels = pixels_of(&c, i), *out = resized(&c, pixels);

        assert_true(at + bytes <= length);
        if (memcmp(out, expected + at, bytes) != 0) {
            print_message("%u channels, %u x %u to %u x %u differs from Pillow\n", c.channels, c.in_width,
                          c.in_height, c.width, c.height);
            different++;
        }
        at += bytes;
        free(pixels);
        free(out);
    }
    assert_int_equal(at, length);
    assert_int_equal(different, 0);
    print_message("%d size pairs bit-exact with Pillow\n", CASES);
    free(expected);
    folder_remove(folder);
}

/* Pillow 9.4's answer for a small picture, so that the test says something without Pillow as well. */
static void test_vector(void **state)
{
#include "image/resize_vector.h"
    uint8_t in[7 * 5 * 3], out[11 * 3 * 3];
    const lancet_picture picture = {in, 7, 5, 0};

    (void)state;
    for (size_t i = 0; i < sizeof in; i++)
        in[i] = (uint8_t)(i * i * 37 % 256);
    assert_int_equal(lancet_resize_bicubic(out, 4, 3, &picture, NULL), LANCET_OK);
    assert_memory_equal(out, vector_4x3, sizeof vector_4x3);
    assert_int_equal(lancet_resize_bicubic(out, 11, 2, &picture, NULL), LANCET_OK);
    assert_memory_equal(out, vector_11x2, sizeof vector_11x2);
    assert_int_equal(lancet_resize_bicubic_grey(out, 3, 3, in, 21, 5, NULL), LANCET_OK);
    assert_memory_equal(out, vector_grey_3x3, sizeof vector_grey_3x3);
}

static void test_stride(void **state)
{
    uint8_t in[4 * 20], packed[4 * 9], out[2 * 2 * 3], out_packed[2 * 2 * 3];

    (void)state;
    memset(in, 255, sizeof in);
    for (size_t i = 0; i < sizeof packed; i++)
        in[i / 9 * 20 + i % 9] = packed[i] = (uint8_t)(i * 7);
    assert_int_equal(lancet_resize_bicubic(out, 2, 2, &(lancet_picture){in, 3, 4, 20}, NULL), LANCET_OK);
    assert_int_equal(lancet_resize_bicubic(out_packed, 2, 2, &(lancet_picture){packed, 3, 4, 0}, NULL),
                     LANCET_OK);
    assert_memory_equal(out, out_packed, sizeof out);
}

static void test_errors(void **state)
{
    uint8_t in[12] = {0}, out[12];
    lancet_error error;

    (void)state;
    assert_int_equal(lancet_resize_bicubic(out, 2, 2, NULL, &error), LANCET_ERROR_ARGUMENT);
    assert_int_equal(lancet_resize_bicubic(NULL, 2, 2, &(lancet_picture){in, 2, 2, 0}, &error),
                     LANCET_ERROR_ARGUMENT);
    assert_int_equal(lancet_resize_bicubic(out, 2, 2, &(lancet_picture){NULL, 2, 2, 0}, &error),
                     LANCET_ERROR_ARGUMENT);
    assert_int_equal(lancet_resize_bicubic(out, 0, 2, &(lancet_picture){in, 2, 2, 0}, &error),
                     LANCET_ERROR_ARGUMENT);
    assert_int_equal(lancet_resize_bicubic(out, 2, 65536, &(lancet_picture){in, 2, 2, 0}, &error),
                     LANCET_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, "65536"));
    assert_int_equal(lancet_resize_bicubic(out, 2, 2, &(lancet_picture){in, 2, 2, 5}, &error),
                     LANCET_ERROR_ARGUMENT);
}

static void test_memory(void **state)
{
    const resize_case c = {3, 40, 30, 16, 50};
    uint8_t *pixels = pixels_of(&c, 1), *out = malloc(16 * 50 * 3);
    const lancet_picture picture = {pixels, 40, 30, 0};
    lancet_status status = LANCET_ERROR_MEMORY;
    uint64_t n = 0;

    (void)state;
    while (status != LANCET_OK) {
        lancet_error error = {0};

        lancet_memory_fail_at(++n);
        status = lancet_resize_bicubic(out, 16, 50, &picture, &error);
        lancet_memory_fail_at(0);
        if (status != LANCET_OK)
            assert_int_equal(error.status, LANCET_ERROR_MEMORY);
        assert_true(n < 100);
    }
    assert_true(n > 5);
    free(pixels);
    free(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vector), cmocka_unit_test(test_stride), cmocka_unit_test(test_errors),
        cmocka_unit_test(test_memory), cmocka_unit_test(test_pillow),
    };

    return cmocka_run_group_tests_name("resize", tests, NULL, NULL);
}
