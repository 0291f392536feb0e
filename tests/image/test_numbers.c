/* Sizes of pictures without decoding, and the numbers that label maps store. SPDX-License-Identifier:
 * Apache-2.0 */
#include "base/memory.h"
#include "lancet/image.h"
#include "support/files.h"

#include <png.h>

#define FILES  TESTS_FOLDER "/image/files"
#define WIDTH  13
#define HEIGHT 9

static char *folder;

static int set_up(void **state)
{
    (void)state;
    folder = folder_make();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    folder_remove(folder);
    return 0;
}

static void test_measure(void **state)
{
    static const char *const names[] = {"animation.webp",  "baseline.jpg",  "cmyk.jpg",         "grey.jpg",
                                        "la.png",          "lossless.webp", "lossy_alpha.webp", "palette.png",
                                        "progressive.jpg", "rgb.png",       "rgba.png"};

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *path = path_of(FILES, names[i]);
        size_t width = 0, height = 0;
        lancet_image *image;
        lancet_error error;

        if (lancet_image_open(&image, path, NULL, &error) != LANCET_OK ||
            lancet_image_measure(path, &width, &height, &error) != LANCET_OK)
            fail_msg("%s", error.message);
        assert_int_equal(width, lancet_image_describe(image)->stored_width);
        assert_int_equal(height, lancet_image_describe(image)->stored_height);
        lancet_image_close(&image);
    }
}

static void measure_fails(const char *bytes, size_t length, lancet_status status, const char *says)
{
    const char *path = path_of(folder, "picture");
    size_t width = 1, height = 1;
    lancet_error error = {0};

    file_write(path, bytes, length);
    if (lancet_image_measure(path, &width, &height, &error) != status || !strstr(error.message, says) ||
        !strstr(error.message, path))
        fail_msg("expected %s, found %s", says, error.message);
    assert_true(width == 0 && height == 0);
}

static void test_measure_refused(void **state)
{
    size_t length, width, height;
    char *bytes = file_read(path_of(FILES, "progressive.jpg"), &length);
    lancet_error error;

    (void)state;
    measure_fails("", 0, LANCET_ERROR_INPUT, "empty file");
    measure_fails("hello", 5, LANCET_ERROR_INPUT, "something else");
    measure_fails("GIF89a\1\0\1\0", 10, LANCET_ERROR_UNSUPPORTED, "GIF");
    measure_fails("\x89PNG\r\n\x1A\n", 8, LANCET_ERROR_INPUT, "damaged PNG");
    measure_fails("RIFF\0\0\0\0WEBPVP8 ", 16, LANCET_ERROR_INPUT, "damaged WebP");
    for (size_t cut = 3; cut < 160; cut++) { /* before the frame's header, whatever segment is cut */
        file_write(path_of(folder, "cut"), bytes, cut);
        if (lancet_image_measure(path_of(folder, "cut"), &width, &height, &error) == LANCET_OK) {
            assert_true(cut > 20);
            break;
        }
    }
    measure_fails("\xFF\xD8\xFF\xDA\0\x08", 6, LANCET_ERROR_INPUT, "damaged JPEG");
    measure_fails("\xFF\xD8\xFF\xC0\0\x04\x08\0", 8, LANCET_ERROR_INPUT, "damaged JPEG");
    measure_fails("\xFF\xD8\xFF\xE0\0\0\0\0", 8, LANCET_ERROR_INPUT, "damaged JPEG");
    assert_int_equal(lancet_image_measure(path_of(folder, "none"), &width, &height, &error), LANCET_ERROR_IO);
    assert_int_equal(lancet_image_measure(folder, &width, &height, &error), LANCET_ERROR_INPUT);
    assert_int_equal(lancet_image_measure(NULL, &width, &height, &error), LANCET_ERROR_ARGUMENT);
    free(bytes);
}

/* One label map of each kind that PNG has, through libpng itself. */
static void write_map(const char *path, int type, int depth, int interlace, const uint16_t *values,
                      int channels)
{
    FILE *file = fopen(path, "wb");
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    png_bytep rows[HEIGHT];
    static uint8_t samples[HEIGHT][WIDTH * 4 * 2];
    png_color palette[256] = {{9, 8, 7}};

    for (size_t y = 0; y < HEIGHT; y++) {
        rows[y] = samples[y];
        for (size_t x = 0; x < WIDTH * (size_t)channels; x++) {
            const uint16_t value = values[y * WIDTH * (size_t)channels + x];

            if (depth == 16) {
                samples[y][2 * x] = (uint8_t)(value >> 8);
                samples[y][2 * x + 1] = (uint8_t)value;
            } else {
                samples[y][x] = (uint8_t)value;
            }
        }
    }
    png_init_io(png, file);
    png_set_IHDR(png, info, WIDTH, HEIGHT, depth, type, interlace, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    if (type == PNG_COLOR_TYPE_PALETTE)
        png_set_PLTE(png, info, palette, 1 << depth);
    png_write_info(png, info);
    png_set_packing(png);
    png_write_image(png, rows);
    png_write_end(png, NULL);
    png_destroy_write_struct(&png, &info);
    fclose(file);
}

static void test_numbers(void **state)
{
    static const struct {
        int type, depth, channels;
    } kinds[] = {
        {PNG_COLOR_TYPE_GRAY, 1, 1},        {PNG_COLOR_TYPE_GRAY, 2, 1},
        {PNG_COLOR_TYPE_GRAY, 4, 1},        {PNG_COLOR_TYPE_GRAY, 8, 1},
        {PNG_COLOR_TYPE_GRAY, 16, 1},       {PNG_COLOR_TYPE_PALETTE, 1, 1},
        {PNG_COLOR_TYPE_PALETTE, 2, 1},     {PNG_COLOR_TYPE_PALETTE, 4, 1},
        {PNG_COLOR_TYPE_PALETTE, 8, 1},     {PNG_COLOR_TYPE_RGB, 8, 3},
        {PNG_COLOR_TYPE_RGB_ALPHA, 8, 4},   {PNG_COLOR_TYPE_GRAY_ALPHA, 8, 2},
        {PNG_COLOR_TYPE_GRAY_ALPHA, 16, 2},
    };
    const char *path = path_of(folder, "map.png");

    (void)state;
    for (size_t k = 0; k < 2 * sizeof kinds / sizeof *kinds; k++) {
        const int type = kinds[k / 2].type, depth = kinds[k / 2].depth, channels = kinds[k / 2].channels;
        uint16_t values[WIDTH * HEIGHT * 4];
        lancet_png_numbers numbers;
        lancet_error error;

        for (size_t i = 0; i < sizeof values / sizeof *values; i++)
            values[i] = (uint16_t)((i * i * 7919 + i * 31) & ((1u << depth) - 1));
        write_map(path, type, depth, k % 2 ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE, values, channels);
        if (lancet_png_numbers_open(&numbers, path, 0, &error) != LANCET_OK)
            fail_msg("%s", error.message);
        assert_true(numbers.width == WIDTH && numbers.height == HEIGHT);
        assert_true(numbers.colour == (channels >= 3));
        for (size_t i = 0; i < WIDTH * HEIGHT; i++) {
            const uint16_t *v = values + i * (size_t)channels;

            assert_int_equal(numbers.numbers[i], channels >= 3 ? v[0] + 256u * v[1] + 65536u * v[2] : v[0]);
        }
        lancet_png_numbers_close(&numbers);
        assert_null(numbers.numbers);
    }
}

static void numbers_fail(const char *path, uint64_t pixels_max, lancet_status status, const char *says)
{
    lancet_png_numbers numbers = {.width = 1};
    lancet_error error = {0};

    if (lancet_png_numbers_open(&numbers, path, pixels_max, &error) != status || !strstr(error.message, says))
        fail_msg("expected %s, found %s", says, error.message);
    assert_true(!numbers.numbers && !numbers.width);
}

static void test_numbers_refused(void **state)
{
    static uint16_t values[WIDTH * HEIGHT * 3];
    const char *path = path_of(folder, "map.png");
    lancet_png_numbers numbers;
    size_t length;
    char *bytes;

    (void)state;
    write_map(path, PNG_COLOR_TYPE_RGB, 16, PNG_INTERLACE_NONE, values, 3);
    numbers_fail(path, 0, LANCET_ERROR_UNSUPPORTED, "16 bits");
    write_map(path, PNG_COLOR_TYPE_GRAY, 8, PNG_INTERLACE_NONE, values, 1);
    numbers_fail(path, WIDTH * HEIGHT - 1, LANCET_ERROR_INPUT, "at most 116 pixels, found 13 x 9");
    bytes = file_read(path, &length);
    file_write(path, bytes, 33);
    numbers_fail(path, 0, LANCET_ERROR_INPUT, "damaged PNG: expected more data");
    file_write(path, bytes, length - 20);
    numbers_fail(path, 0, LANCET_ERROR_INPUT, "damaged PNG");
    file_write(path, bytes, 20);
    numbers_fail(path, 0, LANCET_ERROR_INPUT, "IHDR");
    file_write(path, "", 0);
    numbers_fail(path, 0, LANCET_ERROR_INPUT, "found an empty file");
    file_write(path, "text", 4);
    numbers_fail(path, 0, LANCET_ERROR_INPUT, "found something else");
    numbers_fail(path_of(FILES, "baseline.jpg"), 0, LANCET_ERROR_INPUT, "found JPEG");
    numbers_fail(path_of(folder, "none"), 0, LANCET_ERROR_IO, "No such file");
    numbers_fail(folder, 0, LANCET_ERROR_INPUT, "found a folder");
    assert_int_equal(lancet_png_numbers_open(NULL, path, 0, NULL), LANCET_ERROR_ARGUMENT);
    assert_int_equal(lancet_png_numbers_open(&numbers, NULL, 0, NULL), LANCET_ERROR_ARGUMENT);
    lancet_png_numbers_close(NULL);
    free(bytes);
}

static void test_memory(void **state)
{
    static uint16_t values[WIDTH * HEIGHT];
    const char *path = path_of(folder, "map.png");
    lancet_png_numbers numbers = {0};
    lancet_status status = LANCET_ERROR_MEMORY;
    uint64_t n = 0;

    (void)state;
    write_map(path, PNG_COLOR_TYPE_GRAY, 8, PNG_INTERLACE_ADAM7, values, 1);
    while (status != LANCET_OK && n < 60) {
        lancet_memory_fail_at(++n);
        status = lancet_png_numbers_open(&numbers, path, 0, NULL);
        assert_true(status == LANCET_OK || (status == LANCET_ERROR_MEMORY && !numbers.numbers));
    }
    lancet_memory_fail_at(0);
    assert_int_equal(status, LANCET_OK);
    assert_true(n > 4);
    lancet_png_numbers_close(&numbers);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_measure), cmocka_unit_test(test_measure_refused),
        cmocka_unit_test(test_numbers), cmocka_unit_test(test_numbers_refused),
        cmocka_unit_test(test_memory),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
