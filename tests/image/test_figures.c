/* Legends and contact sheets. SPDX-License-Identifier: Apache-2.0 */
#include "image/pillow.h"

#include "base/memory.h"
#include "lancet/image.h"

static uint8_t pixels[500 * 375 * 3];

static int fill(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)(i / 3 % 251);
    return 0;
}

/* Whether some pixel of the rows [top, bottom) is dark: words. */
static bool has_ink(const lancet_picture *p, size_t left, size_t right, size_t top, size_t bottom)
{
    for (size_t y = top; y < bottom; y++)
        for (size_t x = left; x < right; x++) {
            const uint8_t *c = p->rgb + y * p->stride + 3 * x;

            if (c[0] < 90 && c[1] < 90 && c[2] < 90)
                return true;
        }
    return false;
}

static void test_legend(void **state)
{
    const lancet_picture picture = {pixels, 500, 375, 0};
    const lancet_legend legend = {.text = "an aeroplane",
                                  .note = "random weights: means nothing",
                                  .has_scores = true,
                                  .score_low = -0.0123,
                                  .score_high = 0.3};
    lancet_image *image, *bare;
    lancet_picture figure;

    (void)state;
    assert_int_equal(lancet_legend_add(&image, &picture, &legend, NULL), LANCET_OK);
    assert_int_equal(lancet_legend_add(&bare, &picture, NULL, NULL), LANCET_OK);
    figure = lancet_image_picture(image);
    assert_int_equal(figure.width, 500);
    assert_in_range(figure.height, 375 + 40, 375 + 120);
    assert_memory_equal(figure.rgb, pixels, sizeof pixels); /* the picture itself is not touched */
    assert_true(figure.height >= lancet_image_picture(bare).height);
    if (lancet_image_describe(image)->font_missing)
        print_message("no font is installed: only the colour bar was drawn\n");
    else
        assert_true(has_ink(&figure, 10, 110, 375, 395));
    lancet_image_close(&image);
    lancet_image_close(&bare);
}

static void test_small_and_odd(void **state)
{
    static const size_t sides[][2] = {{64, 48}, {1, 1}, {1, 3000}, {3000, 1}, {319, 10}, {320, 10}};
    char endless[20001];
    uint8_t *big = calloc(3000 * 10, 3);

    (void)state;
    memset(endless, 'w', sizeof endless - 1);
    endless[sizeof endless - 1] = '\0';
    for (size_t i = 0; i < sizeof sides / sizeof *sides; i++) {
        const lancet_picture picture = {big, sides[i][0], sides[i][1], 0};
        const lancet_legend legend = {.text = endless,
                                      .note = "\n\t\xE9\xA3\x9E\xF0\x9F\x9B\xA9",
                                      .has_scores = true,
                                      .score_low = -1.2345e-300,
                                      .score_high = 1e300};
        lancet_image *image;

        assert_int_equal(lancet_legend_add(&image, &picture, &legend, NULL), LANCET_OK);
        assert_true(lancet_image_picture(image).width >= 320);
        lancet_image_close(&image);
    }
    free(big);
}

static void test_no_font(void **state)
{
    const lancet_picture picture = {pixels, 320, 100, 0};
    lancet_image *image;
    lancet_error error;

    (void)state;
    assert_int_equal(lancet_legend_add(&image, &picture,
                                       &(lancet_legend){.text = "x", .font = "/no/such/font.ttf"}, &error),
                     LANCET_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, "/no/such/font.ttf"));
    assert_int_equal(lancet_legend_add(
                         &image, &picture,
                         &(lancet_legend){.text = "x", .font = TESTS_FOLDER "/image/test_figures.c"}, &error),
                     LANCET_ERROR_ARGUMENT);
    setenv("LANCET_FONT", "/no/such/font.ttf", 1); /* a wish, not an order */
    assert_int_equal(lancet_legend_add(&image, &picture, &(lancet_legend){.text = "x"}, &error), LANCET_OK);
    unsetenv("LANCET_FONT");
    lancet_image_close(&image);
    assert_int_equal(lancet_legend_add(&image, &picture, &(lancet_legend){.text = "\xFF"}, &error),
                     LANCET_ERROR_ARGUMENT);
    assert_int_equal(lancet_legend_add(&image, &picture, &(lancet_legend){.colours = 77}, &error),
                     LANCET_ERROR_ARGUMENT);
    assert_int_equal(lancet_legend_add(&image, &picture, &(lancet_legend){.width_least = 5000}, &error),
                     LANCET_ERROR_ARGUMENT);
    assert_null(image);
}

static void test_sheet(void **state)
{
    const lancet_picture cells[6] = {
        {pixels, 500, 375, 0}, {pixels, 30, 300, 1500}, {pixels, 300, 30, 0}, {0},
        {pixels, 1, 1, 0},     {pixels, 240, 180, 0},
    };
    static const char *const columns[] = {"CLIP", NULL, "CLIP Surgery"}, *const rows[] = {"an aeroplane",
                                                                                          NULL};
    const lancet_sheet_options options = {
        .title = "Before and after", .column_captions = columns, .row_captions = rows};
    lancet_image *image;
    lancet_picture sheet;
    lancet_error error;

    (void)state;
    assert_int_equal(lancet_contact_sheet(&image, cells, 2, 3, &options, NULL), LANCET_OK);
    sheet = lancet_image_picture(image);
    assert_true(sheet.width >= 3 * 240 && sheet.width < 3 * 240 + 300);
    assert_true(sheet.height >= 2 * 180 && sheet.height < 2 * 180 + 150);
    lancet_image_close(&image);
    assert_int_equal(lancet_contact_sheet(&image, cells, 1, 1, NULL, NULL), LANCET_OK);
    lancet_image_close(&image);

    assert_int_equal(lancet_contact_sheet(&image, NULL, 1, 1, NULL, &error), LANCET_ERROR_ARGUMENT);
    assert_int_equal(lancet_contact_sheet(&image, cells, 0, 1, NULL, &error), LANCET_ERROR_ARGUMENT);
    assert_int_equal(lancet_contact_sheet(&image, cells, 1, 1025, NULL, &error), LANCET_ERROR_ARGUMENT);
    assert_int_equal(
        lancet_contact_sheet(&image, cells, 1, 1, &(lancet_sheet_options){.cell_width = 8}, &error),
        LANCET_ERROR_ARGUMENT);
    assert_int_equal(
        lancet_contact_sheet(&image, cells, 1, 1, &(lancet_sheet_options){.title = "\xC3"}, &error),
        LANCET_ERROR_ARGUMENT);
}

static void test_segments(void **state)
{
    static const uint8_t palette[] = {200, 100, 0, 10, 20, 30};
    static const uint16_t segments[] = {0, 0, 1, 1, 0, 9, 9, 1, 0, 9, 9, 9};
    static const uint8_t below[4 * 3 * 3]; /* black */
    const lancet_picture picture = {below, 4, 3, 0};
    const lancet_overlay_options half = {.heat_share = 0.5};
    const uint8_t *out;
    lancet_image *image = NULL;
    lancet_error error;

    (void)state;
    assert_int_equal(lancet_overlay_segments(&image, &picture, segments, palette, 2, &half, NULL), LANCET_OK);
    out = lancet_image_picture(image).rgb;
    assert_memory_equal(out, ((const uint8_t[]){100, 50, 0}), 3);
    assert_memory_equal(out + 3, ((const uint8_t[]){255, 255, 255}), 3); /* 1 is to its right */
    assert_memory_equal(out + 3 * 3, ((const uint8_t[]){5, 10, 15}), 3); /* inside of 1 */
    assert_memory_equal(out + 3 * 9, ((const uint8_t[]){0, 0, 0}), 3);   /* no colour: as it was */
    assert_memory_equal(out + 3 * 11, ((const uint8_t[]){0, 0, 0}), 3);  /* the corner */
    lancet_image_close(&image);
    assert_int_equal(lancet_overlay_segments(&image, &picture, NULL, palette, 2, NULL, &error),
                     LANCET_ERROR_ARGUMENT);
    assert_int_equal(lancet_overlay_segments(&image, &picture, segments, NULL, 2, NULL, &error),
                     LANCET_ERROR_ARGUMENT);
    assert_int_equal(lancet_overlay_segments(&image, &picture, segments, palette, 2,
                                             &(lancet_overlay_options){.heat_share = 2}, &error),
                     LANCET_ERROR_ARGUMENT);
    assert_null(image);
}

/* A disc of its colour in a white ring; the rest stays, and nothing is drawn beyond the border. */
static void test_marks(void **state)
{
    static const uint8_t grey[40 * 30 * 3] = {7};
    const lancet_picture picture = {grey, 40, 30, 0};
    const lancet_mark marks[] = {{20, 10, {1, 2, 3}}, {-1000000, 5, {9, 9, 9}}, {39, 29, {4, 5, 6}}};
    lancet_image *image = NULL;
    const uint8_t *out;
    lancet_error error;

    (void)state;
    assert_int_equal(lancet_marks_draw(&image, &picture, marks, 3, NULL), LANCET_OK);
    out = lancet_image_picture(image).rgb;
    assert_memory_equal(out + 3 * (10 * 40 + 20), marks[0].colour, 3);
    assert_memory_equal(out + 3 * (10 * 40 + 23), marks[0].colour, 3);
    assert_memory_equal(out + 3 * (10 * 40 + 24), ((const uint8_t[]){255, 255, 255}), 3);
    assert_memory_equal(out + 3 * (10 * 40 + 25), grey + 3, 3);
    assert_memory_equal(out + 3 * (30 * 40 - 1), marks[2].colour, 3);
    assert_memory_equal(out, grey, 3);
    lancet_image_close(&image);
    assert_int_equal(lancet_marks_draw(&image, &picture, NULL, 1, &error), LANCET_ERROR_ARGUMENT);
    assert_null(image);
}

/* The picture stays; below it are as many squares of colour as entries, in their order. */
static void test_key(void **state)
{
    const lancet_picture picture = {pixels, 500, 375, 0};
    const lancet_key_entry entries[] = {
        {"sky", {0, 0, 255}}, {"a very long road", {255, 0, 0}}, {"", {0, 255, 0}}};
    lancet_key key = {.entries = entries, .count = 3, .note = "a note"};
    size_t seen[3] = {0}, first[3];
    lancet_image *image = NULL;
    lancet_picture figure;
    lancet_error error;

    (void)state;
    assert_int_equal(lancet_key_add(&image, &picture, &key, NULL), LANCET_OK);
    figure = lancet_image_picture(image);
    assert_int_equal(figure.width, 500);
    assert_in_range(figure.height, 375 + 20, 375 + 120);
    assert_memory_equal(figure.rgb, pixels, sizeof pixels);
    for (size_t y = 375; y < figure.height; y++)
        for (size_t x = 0; x < 500; x++)
            for (size_t e = 0; e < 3; e++)
                if (memcmp(figure.rgb + y * figure.stride + 3 * x, entries[e].colour, 3) == 0 && !seen[e]++)
                    first[e] = (y - 375) * 500 + x;
    for (size_t e = 0; e < 3; e++)
        assert_true(seen[e] >= 100);
    assert_true(first[0] < first[1]);
    lancet_image_close(&image);
    for (size_t side = 1; side <= 3000; side += 2999) { /* slim ones */
        const lancet_picture slim = {pixels, side, 3001 - side, 0};

        key.count = 3;
        assert_int_equal(lancet_key_add(&image, &slim, &key, NULL), LANCET_OK);
        lancet_image_close(&image);
        assert_int_equal(lancet_key_add(&image, &slim, NULL, NULL), LANCET_OK);
        lancet_image_close(&image);
    }
    key.count = 1025;
    assert_int_equal(lancet_key_add(&image, &picture, &key, &error), LANCET_ERROR_ARGUMENT);
    key = (lancet_key){.entries = &(lancet_key_entry){"\xFF", {0, 0, 0}}, .count = 1};
    assert_int_equal(lancet_key_add(&image, &picture, &key, &error), LANCET_ERROR_ARGUMENT);
    key = (lancet_key){.entries = &(lancet_key_entry){NULL, {0, 0, 0}}, .count = 1};
    assert_int_equal(lancet_key_add(&image, &picture, &key, &error), LANCET_ERROR_ARGUMENT);
    assert_null(image);
}

/* One of the figures with words. */
static lancet_status draw(lancet_image **image, int which, lancet_error *error)
{
    static const char *const captions[] = {"one", "two"};
    const lancet_picture cells[2] = {{pixels, 64, 48, 0}, {pixels, 48, 64, 0}};
    const lancet_key_entry entry = {"ab", {1, 2, 3}};

    if (which == 0)
        return lancet_legend_add(image, &cells[0], &(lancet_legend){.text = "ab", .note = "c"}, error);
    if (which == 1)
        return lancet_key_add(image, &cells[0], &(lancet_key){.entries = &entry, .count = 1, .note = "c"},
                              error);
    return lancet_contact_sheet(image, cells, 1, 2,
                                &(lancet_sheet_options){.column_captions = captions, .title = "t"}, error);
}

static void test_memory(void **state)
{
    (void)state;
    for (int which = 0; which < 3; which++) {
        lancet_status status = LANCET_ERROR_MEMORY;
        uint64_t n = 0, tries = 0;

        for (; status != LANCET_OK; n++) {
            lancet_image *image;
            lancet_error error = {0};

            lancet_memory_fail_at(n + 1);
            status = draw(&image, which, &error);
            lancet_memory_fail_at(0);
            assert_int_equal(error.status, status);
            assert_true(status == LANCET_OK || status == LANCET_ERROR_MEMORY);
            assert_true((status == LANCET_OK) == (image != NULL));
            lancet_image_close(&image);
            assert_true(++tries < 20000);
        }
        print_message("%zu allocations made to fail\n", (size_t)tries - 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_legend), cmocka_unit_test(test_small_and_odd), cmocka_unit_test(test_no_font),
        cmocka_unit_test(test_sheet),  cmocka_unit_test(test_segments),      cmocka_unit_test(test_key),
        cmocka_unit_test(test_marks),  cmocka_unit_test(test_memory),
    };

    return cmocka_run_group_tests_name("figures", tests, fill, NULL);
}
