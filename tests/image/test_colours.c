/* Colour maps and overlays. SPDX-License-Identifier: Apache-2.0 */
#include "image/pillow.h"

#include "base/memory.h"
#include "lancet/image.h"

#include <math.h>

/* OpenCV's COLORMAP_JET as applyColorMap gives it (4.8.1 and 5.0.0 agree), written as the straight lines it
 * is made of. The one irregular value is blue at 159, where the line would give 2. */
static void jet(uint8_t out[3], int i)
{
    out[0] = (uint8_t)(i < 96 ? 0 : i < 160 ? 4 * (i - 96) + 2 : i < 224 ? 255 : 252 - 4 * (i - 224));
    out[1] = (uint8_t)(i < 32    ? 0
                       : i < 96  ? 4 * (i - 32)
                       : i < 160 ? 255
                       : i < 224 ? 252 - 4 * (i - 160)
                                 : 0);
    out[2] = (uint8_t)(i < 32 ? 128 + 4 * i : i < 96 ? 255 : i < 159 ? 254 - 4 * (i - 96) : i == 159 ? 1 : 0);
}

static void test_jet(void **state)
{
    const uint8_t *table = lancet_colours_table(LANCET_COLOURS_JET);

    (void)state;
    for (int i = 0; i < 256; i++) {
        uint8_t expected[3];

        jet(expected, i);
        assert_memory_equal(table + 3 * i, expected, 3);
    }
}

/* First, middle and last colours as published (and as Matplotlib gives them). */
static void test_tables(void **state)
{
    static const struct {
        lancet_colours colours;
        uint8_t first[3], middle[3], last[3];
    } known[] = {
        {LANCET_COLOURS_TURBO, {48, 18, 59}, {164, 252, 60}, {122, 4, 3}},
        {LANCET_COLOURS_VIRIDIS, {68, 1, 84}, {33, 145, 140}, {253, 231, 37}},
        {LANCET_COLOURS_INFERNO, {0, 0, 4}, {188, 55, 84}, {252, 255, 164}},
        {LANCET_COLOURS_GREY, {0, 0, 0}, {128, 128, 128}, {255, 255, 255}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const uint8_t *table = lancet_colours_table(known[i].colours);

        assert_memory_equal(table, known[i].first, 3);
        assert_memory_equal(table + 3 * 128, known[i].middle, 3);
        assert_memory_equal(table + 3 * 255, known[i].last, 3);
    }
    assert_null(lancet_colours_table(LANCET_COLOURS_COUNT));
    assert_null(lancet_colours_table((lancet_colours)-1));
}

static void test_names(void **state)
{
    lancet_error error;

    (void)state;
    for (int i = 0; i < LANCET_COLOURS_COUNT; i++) {
        lancet_colours found = LANCET_COLOURS_COUNT;

        assert_int_equal(lancet_colours_find(&found, lancet_colours_name((lancet_colours)i), NULL),
                         LANCET_OK);
        assert_int_equal(found, i);
    }
    assert_null(lancet_colours_name(LANCET_COLOURS_COUNT));
    assert_int_equal(lancet_colours_find(&(lancet_colours){0}, "Jet!", &error), LANCET_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, "viridis"));
}

/* uint8(255 * heat) -> colour -> uint8(0.4 * picture + 0.6 * colour), in double as numpy does it. */
static void test_overlay(void **state)
{
    uint8_t rgb[3 * 512];
    float heat[512];
    const lancet_picture picture = {rgb, 256, 2, 0};
    lancet_picture mixed;
    lancet_image *image;

    (void)state;
    for (int i = 0; i < 512; i++) {
        heat[i] = (float)(i % 256) / 255.0f + (i >= 256 ? 0.001f : 0);
        for (int c = 0; c < 3; c++)
            rgb[3 * i + c] = (uint8_t)(i * 7 + c * 31);
    }
    heat[0] = NAN;
    heat[1] = -3;
    heat[2] = INFINITY;
    heat[3] = 1.0001f;
    assert_int_equal(lancet_overlay(&image, &picture, heat, NULL, NULL), LANCET_OK);
    mixed = lancet_image_picture(image);
    for (int i = 0; i < 512; i++) {
        const float scaled = heat[i] * 255;
        const int step = i < 2 ? 0 : i < 4 || scaled > 255 ? 255 : (int)scaled;
        uint8_t colour[3];

        jet(colour, step);
        for (int c = 0; c < 3; c++)
            assert_int_equal(mixed.rgb[3 * i + c], (uint8_t)(rgb[3 * i + c] * 0.4 + colour[c] * 0.6));
    }
    lancet_image_close(&image);
    assert_int_equal(
        lancet_overlay(&image, &picture, heat,
                       &(lancet_overlay_options){.colours = LANCET_COLOURS_GREY, .heat_share = 1}, NULL),
        LANCET_OK);
    assert_int_equal(lancet_image_picture(image).rgb[3 * 300], (int)(heat[300] * 255));
    lancet_image_close(&image);
}

static void test_errors(void **state)
{
    const uint8_t rgb[3] = {0};
    const float heat[1] = {0};
    const lancet_picture picture = {rgb, 1, 1, 0};
    lancet_image *image;
    lancet_error error;

    (void)state;
    assert_int_equal(lancet_overlay(&image, NULL, heat, NULL, &error), LANCET_ERROR_ARGUMENT);
    assert_int_equal(lancet_overlay(&image, &picture, NULL, NULL, &error), LANCET_ERROR_ARGUMENT);
    assert_int_equal(
        lancet_overlay(&image, &picture, heat, &(lancet_overlay_options){.heat_share = 1.5}, &error),
        LANCET_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, "1.5"));
    assert_int_equal(lancet_overlay(&image, &picture, heat, &(lancet_overlay_options){.colours = 9}, &error),
                     LANCET_ERROR_ARGUMENT);
    assert_null(image);
    for (uint64_t n = 1; n <= 2; n++) {
        lancet_memory_fail_at(n);
        assert_int_equal(lancet_overlay(&image, &picture, heat, NULL, &error), LANCET_ERROR_MEMORY);
    }
    lancet_memory_fail_at(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_jet),     cmocka_unit_test(test_tables), cmocka_unit_test(test_names),
        cmocka_unit_test(test_overlay), cmocka_unit_test(test_errors),
    };

    return cmocka_run_group_tests_name("colours", tests, NULL, NULL);
}
