/* PNG files written, read back, and judged by Pillow. SPDX-License-Identifier: Apache-2.0 */
#include "image/pillow.h"

#include "base/memory.h"
#include "lancet/image.h"

static uint8_t rgb[3 * 40 * 30], grey[40 * 30], palette[3 * 5], numbers[40 * 30];
static uint16_t deep[40 * 30];
static const lancet_png_text texts[] = {{"Software", "lancet"},
                                        {"lancet:text", "a caf\xC3\xA9 \xE2\x98\x95"}};

static const lancet_png forms[] = {
    {.form = LANCET_PNG_RGB, .samples = rgb, .width = 40, .height = 30, .texts = texts, .text_count = 2},
    {.form = LANCET_PNG_GREY, .samples = grey, .width = 40, .height = 30, .level = 9},
    {.form = LANCET_PNG_GREY16, .samples = deep, .width = 40, .height = 30, .texts = texts, .text_count = 1},
    {.form = LANCET_PNG_PALETTE,
     .samples = numbers,
     .width = 40,
     .height = 30,
     .palette = palette,
     .palette_count = 5},
};

#define FORMS (sizeof forms / sizeof *forms)

static int fill(void **state)
{
    uint64_t seed = 5;

    (void)state;
    for (size_t i = 0; i < sizeof rgb; i++)
        rgb[i] = (uint8_t)random_next(&seed);
    for (size_t i = 0; i < 40 * 30; i++) {
        grey[i] = (uint8_t)random_next(&seed);
        deep[i] = (uint16_t)random_next(&seed);
        numbers[i] = (uint8_t)(random_next(&seed) % 5);
    }
    for (size_t i = 0; i < sizeof palette; i++)
        palette[i] = (uint8_t)random_next(&seed);
    return 0;
}

static void expected_pixel(uint8_t out[3], lancet_png_form form, size_t i)
{
    switch (form) {
    case LANCET_PNG_RGB:
        memcpy(out, rgb + 3 * i, 3);
        break;
    case LANCET_PNG_GREY:
        memset(out, grey[i], 3);
        break;
    case LANCET_PNG_GREY16:
        memset(out, deep[i] >> 8, 3);
        break;
    case LANCET_PNG_PALETTE:
        memcpy(out, palette + 3 * numbers[i], 3);
        break;
    }
}

static void test_round_trip(void **state)
{
    (void)state;
    for (size_t f = 0; f < FORMS; f++) {
        uint8_t *bytes, *again, pixel[3];
        size_t length, length_again;
        lancet_image *image;
        lancet_picture picture;

        assert_int_equal(lancet_png_encode(&bytes, &length, &forms[f], NULL), LANCET_OK);
        assert_int_equal(lancet_png_encode(&again, &length_again, &forms[f], NULL), LANCET_OK);
        assert_int_equal(length, length_again);
        assert_memory_equal(bytes, again, length);
        assert_int_equal(lancet_image_open_memory(&image, bytes, length, NULL, NULL, NULL), LANCET_OK);
        picture = lancet_image_picture(image);
        assert_int_equal(picture.width, 40);
        assert_int_equal(picture.height, 30);
        for (size_t i = 0; i < 40 * 30; i++) {
            expected_pixel(pixel, forms[f].form, i);
            assert_memory_equal(picture.rgb + 3 * i, pixel, 3);
        }
        lancet_image_close(&image);
        lancet_png_bytes_close(&bytes);
        lancet_png_bytes_close(&again);
        assert_null(bytes);
    }
}

static void test_stride(void **state)
{
    uint8_t *bytes, *again;
    size_t length, length_again;
    uint8_t narrow[3 * 10 * 30];

    (void)state;
    for (size_t y = 0; y < 30; y++)
        memcpy(narrow + y * 30, rgb + y * 120, 30);
    assert_int_equal(
        lancet_png_encode(&bytes, &length,
                          &(lancet_png){.samples = rgb, .width = 10, .height = 30, .stride = 120}, NULL),
        LANCET_OK);
    assert_int_equal(lancet_png_encode(&again, &length_again,
                                       &(lancet_png){.samples = narrow, .width = 10, .height = 30}, NULL),
                     LANCET_OK);
    assert_int_equal(length, length_again);
    assert_memory_equal(bytes, again, length);
    lancet_png_bytes_close(&bytes);
    lancet_png_bytes_close(&again);
}

/* What another reader makes of the files: mode, every bit of every sample, the texts. */
static void test_pillow(void **state)
{
    static const char *const modes[FORMS] = {"RGB", "L", "I", "P"};
    size_t length, at = 0;
    char path[600], *folder;
    uint8_t *found;
    FILE *list;

    (void)state;
    pillow_needed();
    folder = folder_make();
    snprintf(path, sizeof path, "%s/names.txt", folder);
    list = fopen(path, "w");
    for (size_t f = 0; f < FORMS; f++) {
        fprintf(list, "%zu.png\n", f);
        snprintf(path, sizeof path, "%s/%zu.png", folder, f);
        assert_int_equal(lancet_png_write(path, &forms[f], NULL), LANCET_OK);
    }
    fclose(list);
    pillow_run("read", folder);
    found = file_read(folder, "read.raw", &length);
    for (size_t f = 0; f < FORMS; f++) {
        char mode[9] = {0};
        uint32_t numbers_found[3];

        memcpy(mode, found + at, 8);
        memcpy(numbers_found, found + at + 8, sizeof numbers_found);
        at += 20;
        /* Newer versions of Pillow call 16-bit grey I;16. */
        assert_true(strncmp(mode, modes[f], strlen(modes[f])) == 0);
        assert_int_equal(numbers_found[0], 40);
        assert_int_equal(numbers_found[1], 30);
        assert_int_equal(numbers_found[2], forms[f].text_count);
        for (size_t i = 0; i < 40 * 30; i++) {
            uint8_t pixel[3];

            expected_pixel(pixel, forms[f].form, i);
            if (forms[f].form == LANCET_PNG_GREY16)
                assert_int_equal(found[at] | found[at + 1] << 8, deep[i]);
            else
                assert_memory_equal(found + at, pixel, forms[f].form == LANCET_PNG_GREY ? 1 : 3);
            at += forms[f].form == LANCET_PNG_GREY16 ? 2 : forms[f].form == LANCET_PNG_GREY ? 1 : 3;
        }
        for (size_t t = 0; t < forms[f].text_count; t++) {
            char expected[100];

            snprintf(expected, sizeof expected, "%s=%s", texts[t].keyword, texts[t].value);
            assert_string_equal((const char *)found + at, expected);
            at += strlen(expected) + 1;
        }
    }
    assert_int_equal(at, length);
    free(found);
    folder_remove(folder);
}

static void refused(lancet_png png, const char *message)
{
    uint8_t *bytes = rgb;
    size_t length = 1;
    lancet_error error = {0};

    assert_int_equal(lancet_png_encode(&bytes, &length, &png, &error), LANCET_ERROR_ARGUMENT);
    assert_null(bytes);
    assert_int_equal(length, 0);
    if (!strstr(error.message, message))
        fail_msg("\"%s\" does not say \"%s\"", error.message, message);
}

static void test_errors(void **state)
{
    const lancet_png good = forms[0];
    lancet_png_text text = {"", "x"};
    lancet_png bad;
    lancet_error error;

    (void)state;
    refused((lancet_png){.width = 1, .height = 1}, "found NULL");
    bad = good, bad.width = 0;
    refused(bad, "0 x 30");
    bad = good, bad.height = 65536;
    refused(bad, "40 x 65536");
    bad = good, bad.stride = 119;
    refused(bad, "at least 120, found 119");
    bad = good, bad.level = 10;
    refused(bad, "found 10");
    bad = good, bad.form = (lancet_png_form)7;
    refused(bad, "found 7");
    bad = forms[3], bad.palette_count = 4;
    refused(bad, "below 4, found 4");
    bad = forms[3], bad.palette_count = 257;
    refused(bad, "257");
    bad = forms[2], bad.samples = (const uint8_t *)deep + 1, bad.width = 10;
    refused(bad, "even addresses");
    bad = good, bad.texts = &text, bad.text_count = 1;
    refused(bad, "keyword");
    text.keyword = " x";
    refused(bad, "keyword");
    text.keyword = "tab\there";
    refused(bad, "keyword");
    text = (lancet_png_text){"key", "\xFF"};
    refused(bad, "UTF-8");
    text.value = NULL;
    refused(bad, "NULL");
    assert_int_equal(lancet_png_write("/no such folder/x.png", &good, &error), LANCET_ERROR_IO);
    assert_non_null(strstr(error.message, "/no such folder/x.png"));
}

static void test_memory(void **state)
{
    (void)state;
    for (size_t f = 0; f < FORMS; f++) {
        lancet_status status = LANCET_ERROR_MEMORY;
        uint64_t n = 0;

        while (status != LANCET_OK) {
            uint8_t *bytes;
            size_t length;
            lancet_error error = {0};

            lancet_memory_fail_at(++n);
            status = lancet_png_encode(&bytes, &length, &forms[f], &error);
            lancet_memory_fail_at(0);
            assert_int_equal(error.status, status);
            assert_true(status == LANCET_OK || status == LANCET_ERROR_MEMORY);
            lancet_png_bytes_close(&bytes);
            assert_true(n < 200);
        }
        assert_true(n > 5);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_stride), cmocka_unit_test(test_pillow),
        cmocka_unit_test(test_errors),     cmocka_unit_test(test_memory),
    };

    return cmocka_run_group_tests_name("png", tests, fill, NULL);
}
