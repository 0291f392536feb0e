/* Pictures read from files: the pixels. SPDX-License-Identifier: Apache-2.0 */
#include "image/pillow.h"

#include "base/memory.h"
#include "lancet/image.h"

#define FILES TESTS_FOLDER "/image/files"

typedef struct expectation {
    char name[64];
    uint32_t way, width, height;
} expectation;

static const lancet_image_options ways[] = {
    {0},
    {.ignore_orientation = true},
    {.blend = true, .background = {10, 200, 90}, .ignore_orientation = true},
};

static bool reads_as(const char *folder, const expectation *e, const uint8_t *rgb)
{
    char path[1200];
    lancet_image *image = NULL;
    lancet_error error;
    lancet_picture picture;
    bool same;

    snprintf(path, sizeof path, "%s/%s", folder, e->name);
    if (lancet_image_open(&image, path, &ways[e->way], &error) != LANCET_OK) {
        print_message("%s\n", error.message);
        return false;
    }
    picture = lancet_image_picture(image);
    same = picture.width == e->width && picture.height == e->height &&
           memcmp(picture.rgb, rgb, (size_t)e->width * e->height * 3) == 0;
    if (!same)
        print_message("%s, way %u: %zu x %zu pixels, not those expected (%u x %u)\n", e->name, e->way,
                      picture.width, picture.height, e->width, e->height);
    lancet_image_close(&image);
    return same;
}

static void test_pillow(void **state)
{
    size_t length, at = 0, wrong = 0, count = 0;
    char *folder;
    uint8_t *expected;

    (void)state;
    pillow_needed();
    folder = folder_make();
    pillow_run("decode", folder);
    expected = file_read(folder, "expected.raw", &length);
    while (at < length) {
        expectation e;

        assert_true(length - at >= sizeof e);
        memcpy(&e, expected + at, sizeof e);
        at += sizeof e;
        wrong += !reads_as(folder, &e, expected + at);
        at += (size_t)e.width * e.height * 3;
        count++;
    }
    print_message("%zu readings of files of all kinds compared\n", count);
    assert_int_equal(wrong, 0);
    assert_true(count > 200);
    free(expected);
    folder_remove(folder);
}

typedef struct committed {
    const char *name, *format;
    uint32_t width, height;
    int orientation, frames;
    bool alpha;
} committed;

/* Made by Pillow 9.4, and beside each the RGB that it reads back, orientation obeyed. */
static const committed files[] = {
    {"baseline.jpg", "JPEG", 11, 17, 6, 1, false},   {"progressive.jpg", "JPEG", 17, 11, 1, 1, false},
    {"cmyk.jpg", "JPEG", 9, 8, 1, 1, false},         {"grey.jpg", "JPEG", 17, 11, 1, 1, false},
    {"rgb.png", "PNG", 11, 17, 6, 1, false},         {"rgba.png", "PNG", 9, 7, 1, 1, true},
    {"palette.png", "PNG", 17, 11, 1, 1, true},      {"la.png", "PNG", 9, 7, 1, 1, true},
    {"lossless.webp", "WebP", 7, 9, 6, 1, true},     {"lossy_alpha.webp", "WebP", 9, 7, 1, 1, true},
    {"animation.webp", "WebP", 17, 11, 1, 2, false},
};

static void test_committed(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        const committed *f = &files[i];
        expectation e = {.width = f->width, .height = f->height};
        char path[600], raw[80];
        lancet_image *image;
        const lancet_image_about *about;
        uint8_t *rgb;
        size_t length;

        snprintf(e.name, sizeof e.name, "%s", f->name);
        snprintf(raw, sizeof raw, "%s.rgb", f->name);
        rgb = file_read(FILES, raw, &length);
        assert_int_equal(length, (size_t)f->width * f->height * 3);
        assert_true(reads_as(FILES, &e, rgb));
        free(rgb);
        snprintf(path, sizeof path, "%s/%s", FILES, f->name);
        assert_int_equal(lancet_image_open(&image, path, NULL, NULL), LANCET_OK);
        about = lancet_image_describe(image);
        assert_string_equal(about->format, f->format);
        assert_int_equal(about->orientation, f->orientation);
        assert_int_equal(about->oriented, f->orientation != 1);
        assert_int_equal(about->frames, f->frames);
        assert_int_equal(about->had_alpha, f->alpha);
        assert_false(about->damaged);
        assert_int_equal(about->stored_width, f->orientation > 4 ? f->height : f->width);
        assert_int_equal(about->stored_height, f->orientation > 4 ? f->width : f->height);
        lancet_image_close(&image);
    }
}

static void test_memory(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        lancet_status status = LANCET_ERROR_MEMORY;
        uint64_t n = 0;
        char path[600];

        snprintf(path, sizeof path, "%s/%s", FILES, files[i].name);
        while (status != LANCET_OK) {
            lancet_image *image = NULL;
            lancet_error error = {0};

            lancet_memory_fail_at(++n);
            status = lancet_image_open(&image, path, &ways[i % 3 == 2 ? 2 : 0], &error);
            lancet_memory_fail_at(0);
            if (status != LANCET_OK) {
                assert_int_equal(error.status, LANCET_ERROR_MEMORY);
                assert_non_null(strstr(error.message, files[i].name));
                assert_null(image);
            }
            lancet_image_close(&image);
            assert_true(n < 1000);
        }
        assert_true(n > 2);
    }
}

static void test_null(void **state)
{
    lancet_image *image = (lancet_image *)&image;
    lancet_error error;

    (void)state;
    assert_int_equal(lancet_image_open(&image, NULL, NULL, &error), LANCET_ERROR_ARGUMENT);
    assert_null(image);
    assert_int_equal(lancet_image_open(NULL, "x", NULL, &error), LANCET_ERROR_ARGUMENT);
    assert_int_equal(lancet_image_open_memory(&image, NULL, 4, NULL, NULL, &error), LANCET_ERROR_ARGUMENT);
    lancet_image_close(NULL);
    lancet_image_close(&image);
    assert_null(lancet_image_describe(NULL));
    assert_null(lancet_image_picture(NULL).rgb);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_committed),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_null),
        cmocka_unit_test(test_pillow),
    };

    return cmocka_run_group_tests_name("decode", tests, NULL, NULL);
}
