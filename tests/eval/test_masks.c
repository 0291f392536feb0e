/* Run lengths, polygons and colours of labels, against numpy, by hand, and where they must be refused.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/memory.h"
#include "lancet/masks.h"
#include "support/files.h"

#include <math.h>

#define SIDE 64

static uint32_t draw(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 33);
}

/* A case for masks.py. */
static void put_case(FILE *file, size_t width, size_t height, const double *xy, size_t corners,
                     const uint8_t *mask)
{
    uint8_t again[SIDE * SIDE];
    char *text;
    uint64_t header[4] = {width, height, corners, 0};

    assert_int_equal(lancet_rle_encode(&text, mask, width, height, NULL), LANCET_OK);
    memset(again, 7, sizeof again);
    assert_int_equal(lancet_rle_decode(again, text, width, height, NULL), LANCET_OK);
    assert_memory_equal(again, mask, width * height);
    header[3] = strlen(text);
    fwrite(header, sizeof header, 1, file);
    fwrite(xy, 2 * sizeof *xy, corners, file);
    fwrite(mask, 1, width * height, file);
    fwrite(text, 1, strlen(text), file);
    lancet_rle_close(&text);
    assert_null(text);
}

/* Corners as annotators and tools make them: hundredths, tenths (where rounding is a tie), whole pixels, on
 * the border, beyond it, the same one twice. */
static double coordinate(uint64_t *state, size_t side, int kind)
{
    const double reach = (double)side;

    switch (kind) {
    case 0:
        return draw(state) % (100 * side + 1) / 100.0;
    case 1:
        return draw(state) % (10 * side + 1) / 10.0;
    case 2:
        return draw(state) % (side + 1);
    case 3:
        return draw(state) % 2 ? reach : 0;
    default:
        return draw(state) % (300 * side + 1) / 100.0 - reach;
    }
}

static void test_against_numpy(void **state)
{
    char *folder = folder_make(), command[2 * TEST_PATH_SIZE];
    FILE *file = fopen(path_of(folder, "masks.raw"), "wb");
    uint64_t random = 11;
    uint8_t mask[SIDE * SIDE];
    double xy[2 * 12];
    lancet_error error;

    (void)state;
    assert_non_null(file);
    for (size_t i = 0; i < 3000; i++) {
        const size_t width = 1 + draw(&random) % SIDE, height = 1 + draw(&random) % SIDE;
        const size_t corners = 3 + draw(&random) % 10;

        for (size_t k = 0; k < corners; k++) {
            const int kind = (int)(draw(&random) % (i % 4 ? 4 : 5));

            xy[2 * k] = coordinate(&random, width, kind);
            xy[2 * k + 1] = coordinate(&random, height, kind);
            if (k && draw(&random) % 9 == 0)
                memcpy(xy + 2 * k, xy + 2 * (k - 1), 2 * sizeof *xy);
        }
        memset(mask, 0, sizeof mask);
        if (lancet_polygon_fill(mask, xy, corners, width, height, &error) != LANCET_OK)
            fail_msg("%s", error.message);
        put_case(file, width, height, xy, corners, mask);
    }
    for (size_t i = 0; i < 1000; i++) { /* noise, stripes, all and nothing, for the run lengths */
        const size_t width = 1 + draw(&random) % SIDE, height = 1 + draw(&random) % SIDE;

        for (size_t k = 0; k < width * height; k++)
            mask[k] = i % 5 == 0   ? 1
                      : i % 5 == 1 ? 0
                      : i % 5 == 2 ? k / width % 2
                                   : draw(&random) % (i % 7 + 2) == 0;
        put_case(file, width, height, xy, 0, mask);
    }
    assert_int_equal(fclose(file), 0);
    if (system("'" LANCET_PYTHON "' -c 'import numpy' >/dev/null 2>&1") != 0) {
        print_message("skipped: %s cannot import numpy (Debian: python3-numpy)\n",
                      *LANCET_PYTHON ? LANCET_PYTHON : "(no python3)");
        folder_remove(folder);
        skip();
    }
    snprintf(command, sizeof command, "'%s' '%s/eval/masks.py' '%s'", LANCET_PYTHON, TESTS_FOLDER, folder);
    assert_int_equal(system(command), 0);
    folder_remove(folder);
}

/* What pycocotools 2.0.11 gave for these. */
static void test_by_pycocotools(void **state)
{
    static const double star[] = {1.3, 0.7, 6.9, 6.1, 0.2, 2.5, 7.5, 2.1, 1.9, 6.8};
    uint8_t mask[8 * 8] = {0};
    char *text;

    (void)state;
    assert_int_equal(lancet_polygon_fill(mask, star, 5, 8, 8, NULL), LANCET_OK);
    assert_int_equal(lancet_rle_encode(&text, mask, 8, 8, NULL), LANCET_OK);
    assert_string_equal(text, "91:1JOM041100O7");
    lancet_rle_close(&text);
    memset(mask, 1, sizeof mask);
    assert_int_equal(lancet_rle_encode(&text, mask, 8, 8, NULL), LANCET_OK);
    assert_string_equal(text, "0P2");
    lancet_rle_close(&text);
}

/* Several polygons unite; what was there stays. */
static void test_union(void **state)
{
    static const double left[] = {0, 0, 2, 0, 2, 2, 0, 2}, right[] = {1, 1, 3, 1, 3, 3, 1, 3};
    uint8_t mask[9] = {0};

    (void)state;
    assert_int_equal(lancet_polygon_fill(mask, left, 4, 3, 3, NULL), LANCET_OK);
    assert_memory_equal(mask, "\1\1\0\1\1\0\0\0\0", 9);
    assert_int_equal(lancet_polygon_fill(mask, right, 4, 3, 3, NULL), LANCET_OK);
    assert_memory_equal(mask, "\1\1\0\1\1\1\0\1\1", 9);
}

static void test_refused(void **state)
{
    static const struct {
        const char *text, *says;
    } texts[] = {
        {"", "expected 9 pixels in all, found 0"},
        {"8", "expected 9 pixels in all, found 8"},
        {"091", "expected 9 pixels in all, found more"},
        {"Z", "cut short"},
        {"9!", "found the byte 33"},
        {"9\x7F", "found the byte 127"},
        {"9\xFF", "found the byte 255"},
        {"O", "a negative one"},
        {"1111N", "a negative one"},
        {"oooooooo0", "more than 7 characters"},
        {"ooooooo", "more than 7 characters"},
        {"Poooooo0", "more than 7 characters"},
    };
    static const double good[] = {0, 0, 2, 0, 2, 2}, far[] = {0, 0, 7, 0, 2, 2},
                        under[] = {0, -4, 2, 0, 2, 2};
    const double nan[] = {0, 0, NAN, 0, 2, 2};
    uint8_t mask[9], before[9];
    lancet_error error;
    char *text = (char *)1;

    (void)state;
    memset(mask, 5, 9);
    memcpy(before, mask, 9);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (lancet_rle_decode(mask, texts[i].text, 3, 3, &error) != LANCET_ERROR_INPUT ||
            !strstr(error.message, texts[i].says))
            fail_msg("%s: expected %s, found %s", texts[i].text, texts[i].says, error.message);
        assert_memory_equal(mask, before, 9);
    }
    assert_int_equal(lancet_polygon_fill(mask, good, 2, 3, 3, &error), LANCET_ERROR_INPUT);
    assert_int_equal(lancet_polygon_fill(mask, far, 3, 3, 3, &error), LANCET_ERROR_INPUT);
    assert_int_equal(lancet_polygon_fill(mask, under, 3, 3, 3, &error), LANCET_ERROR_INPUT);
    assert_int_equal(lancet_polygon_fill(mask, nan, 3, 3, 3, &error), LANCET_ERROR_INPUT);
    assert_memory_equal(mask, before, 9);
    assert_int_equal(lancet_polygon_fill(mask, NULL, 3, 3, 3, &error), LANCET_ERROR_ARGUMENT);
    assert_int_equal(lancet_polygon_fill(mask, good, 3, 0, 3, &error), LANCET_ERROR_ARGUMENT);
    assert_int_equal(lancet_rle_encode(&text, mask, 65536, 1, &error), LANCET_ERROR_ARGUMENT);
    assert_null(text);
    assert_int_equal(lancet_rle_encode(&text, mask, 65535, 65535, &error), LANCET_ERROR_ARGUMENT);
    assert_int_equal(lancet_rle_encode(&text, NULL, 3, 3, &error), LANCET_ERROR_ARGUMENT);
    assert_int_equal(lancet_rle_encode(NULL, mask, 3, 3, &error), LANCET_ERROR_ARGUMENT);
    assert_int_equal(lancet_rle_decode(mask, NULL, 3, 3, &error), LANCET_ERROR_ARGUMENT);
    lancet_rle_close(NULL);
}

/* A boundary that goes to and fro for ever is cut off. */
static void test_long_boundary(void **state)
{
    const size_t corners = 4000, side = 8000;
    uint8_t *mask = calloc(side, side);
    double *xy = calloc(corners, 2 * sizeof *xy);
    lancet_error error;

    (void)state;
    for (size_t i = 0; i < corners; i++)
        xy[2 * i] = i % 2 ? (double)side : 0;
    assert_int_equal(lancet_polygon_fill(mask, xy, corners, side, side, &error), LANCET_ERROR_INPUT);
    assert_non_null(strstr(error.message, "found longer ones"));
    free(mask);
    free(xy);
}

static void test_memory(void **state)
{
    static const double star[] = {1.3, 0.7, 6.9, 6.1, 0.2, 2.5, 7.5, 2.1, 1.9, 6.8};
    uint8_t mask[64] = {0, 1, 0, 0, 1, 1};
    lancet_status status = LANCET_ERROR_MEMORY;
    lancet_error error;
    char *text;
    uint64_t n = 0;

    (void)state;
    while (status == LANCET_ERROR_MEMORY && n < 20) {
        lancet_memory_fail_at(++n);
        status = lancet_rle_encode(&text, mask, 8, 8, &error);
        if (status == LANCET_OK) {
            status = lancet_rle_decode(mask, text, 8, 8, &error);
            lancet_rle_close(&text);
        }
        if (status == LANCET_OK)
            status = lancet_polygon_fill(mask, star, 5, 8, 8, &error);
    }
    lancet_memory_fail_at(0);
    assert_int_equal(status, LANCET_OK);
    assert_true(n > 3);
}

/* The first ones are VOC's own, as published with it. */
static void test_palette(void **state)
{
    static const uint8_t first[][3] = {{0, 0, 0},   {128, 0, 0},   {0, 128, 0},   {128, 128, 0},
                                       {0, 0, 128}, {128, 0, 128}, {0, 128, 128}, {128, 128, 128},
                                       {64, 0, 0},  {192, 0, 0}},
                         twentieth[3] = {0, 64, 128}, border[3] = {224, 224, 192}, none[3] = {1, 0, 0},
                         nor[3] = {128, 128, 32};
    uint8_t palette[768], value;

    (void)state;
    lancet_label_palette(palette);
    assert_memory_equal(palette, first, sizeof first);
    assert_memory_equal(palette + 60, twentieth, 3);
    assert_memory_equal(palette + 765, border, 3);
    for (int i = 0; i < 256; i++) {
        assert_true(lancet_label_of_colour(&value, palette + 3 * i));
        assert_int_equal(value, i);
    }
    assert_false(lancet_label_of_colour(&value, none));
    assert_false(lancet_label_of_colour(&value, nor));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_numpy), cmocka_unit_test(test_by_pycocotools),
        cmocka_unit_test(test_union),         cmocka_unit_test(test_refused),
        cmocka_unit_test(test_long_boundary), cmocka_unit_test(test_memory),
        cmocka_unit_test(test_palette),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
