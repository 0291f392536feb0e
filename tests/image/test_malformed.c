/* Files that must not be read, and what is said about them. SPDX-License-Identifier: Apache-2.0 */
#include "image/pillow.h"

#include "lancet/image.h"

#define FILES TESTS_FOLDER "/image/files"

/* One way of spoiling a good file (or of making a bad one from nothing, where file is NULL). */
typedef struct malformed {
    const char *what, *file;
    long keep;          /* bytes kept of it; 0: all, negative: all but that many */
    const char *marker; /* bytes are replaced `offset` after the first of these; NULL: after the beginning */
    size_t marker_length;
    long offset;
    const char *bytes;
    size_t length;
    lancet_status status;
    const char *message; /* part of what must be said */
} malformed;

#define AT(m)   (m), sizeof(m) - 1
#define PUT(b)  (b), sizeof(b) - 1
#define NOWHERE NULL, 0, 0
#define NOTHING NULL, 0
#define BAD     LANCET_ERROR_INPUT
#define OTHER   LANCET_ERROR_UNSUPPORTED

static const malformed cases[] = {
    {"nothing", NULL, 0, NOWHERE, PUT(""), BAD, "empty file"},
    {"one byte", NULL, 0, NOWHERE, PUT("x"), BAD, "a file of 1 byte"},
    {"text", NULL, 0, NOWHERE, PUT("hello, world"), BAD, "68 65 6C 6C"},
    {"half a signature", NULL, 0, NOWHERE, PUT("\x89PNG\r\n"), BAD, "89 50 4E 47"},
    {"GIF", NULL, 0, NOWHERE, PUT("GIF89a\1\0\1\0\0\0\0;"), OTHER, "GIF"},
    {"BMP", NULL, 0, NOWHERE, PUT("BM\x46\0\0\0\0\0\0\0"), OTHER, "BMP"},
    {"TIFF", NULL, 0, NOWHERE, PUT("II*\0\x08\0\0\0"), OTHER, "TIFF"},
    {"AVIF", NULL, 0, NOWHERE,
     PUT("\0\0\0\x1C"
         "ftypavif\0\0\0\0"),
     OTHER, "AVIF"},
    {"HEIC", NULL, 0, NOWHERE,
     PUT("\0\0\0\x18"
         "ftypheic\0\0\0\0"),
     OTHER, "HEIC"},
    {"JPEG XL", NULL, 0, NOWHERE, PUT("\xFF\x0A\0\0\0\0"), OTHER, "JPEG XL"},
    {"JPEG 2000", NULL, 0, NOWHERE, PUT("\xFF\x4F\xFF\x51\0\0"), OTHER, "JPEG 2000"},
    {"PPM", NULL, 0, NOWHERE, PUT("P6\n1 1\n255\nabc"), OTHER, "PPM"},
    {"PDF", NULL, 0, NOWHERE, PUT("%PDF-1.7\n"), OTHER, "PDF"},

    {"PNG: signature alone", "rgb.png", 8, NOWHERE, NOTHING, BAD, "IHDR"},
    {"PNG: no IHDR", "rgb.png", 0, AT("IHDR"), 0, PUT("IDAT"), BAD, "IHDR"},
    {"PNG: no width", "rgb.png", 0, AT("IHDR"), 4, PUT("\0\0\0\0"), BAD, "0 x 11"},
    {"PNG: no height", "rgb.png", 0, AT("IHDR"), 8, PUT("\0\0\0\0"), BAD, "17 x 0"},
    {"PNG: too wide", "rgb.png", 0, AT("IHDR"), 4, PUT("\x7F\xFF\xFF\xFF"), BAD,
     "at most 65535 pixels a side, found 2147483647"},
    {"PNG: too many pixels", "rgb.png", 0, AT("IHDR"), 4, PUT("\0\0\xFF\xFF\0\0\xFF\xFF"), BAD,
     "at most 536870912 pixels"},
    {"PNG: larger than it says", "rgb.png", 0, AT("IHDR"), 4, PUT("\0\0\0\x05"), BAD, "IHDR: CRC error"},
    {"PNG: pixels spoilt", "rgb.png", 0, AT("IDAT"), 20, PUT("\xFF\xFF\xFF"), BAD, "damaged PNG"},
    {"PNG: stream spoilt", "rgb.png", 0, AT("IDAT"), 4, PUT("\xFF\xFF"), BAD, "damaged PNG"},
    {"PNG: no pixels", "rgb.png", 0, AT("IDAT"), 0, PUT("IEND"), BAD, "damaged PNG"},
    {"PNG: unknown chunk that matters", "rgb.png", 0, AT("IDAT"), 0, PUT("XDAT"), BAD, "damaged PNG"},
    {"PNG: chunk longer than the file", "rgb.png", 0, AT("IDAT"), -4, PUT("\x7F\xFF\xFF\xFF"), BAD,
     "damaged PNG"},
    {"PNG: chunk of no length", "rgb.png", 0, AT("IDAT"), -4, PUT("\0\0\0\0"), BAD, "damaged PNG"},
    {"PNG: no palette", "palette.png", 0, AT("PLTE"), 0, PUT("pLTE"), BAD, "damaged PNG"},
    {"PNG: half", "rgba.png", 150, NOWHERE, NOTHING, BAD, "end of the file"},

    {"JPEG: start alone", "baseline.jpg", 3, NOWHERE, NOTHING, BAD, "the file ends too early"},
    {"JPEG: headers alone", "baseline.jpg", 200, NOWHERE, NOTHING, BAD, "damaged JPEG"},
    {"JPEG: cut", "baseline.jpg", -60, NOWHERE, NOTHING, BAD, "the file ends too early"},
    {"JPEG: cut, progressive", "progressive.jpg", -60, NOWHERE, NOTHING, BAD, "damaged JPEG"},
    {"JPEG: no height", "baseline.jpg", 0, AT("\xFF\xC0"), 5, PUT("\0\0"), BAD, "damaged JPEG"},
    {"JPEG: no width", "baseline.jpg", 0, AT("\xFF\xC0"), 7, PUT("\0\0"), BAD, "damaged JPEG"},
    {"JPEG: larger than it says", "baseline.jpg", 0, AT("\xFF\xC0"), 5, PUT("\x08\0\x08\0"), BAD,
     "damaged JPEG"},
    {"JPEG: too wide", "baseline.jpg", 0, AT("\xFF\xC0"), 7, PUT("\xFF\xFF"), BAD, "damaged JPEG"},
    {"JPEG: too many pixels", "baseline.jpg", 0, AT("\xFF\xC0"), 5, PUT("\xFF\x00\xFF\x00"), BAD,
     "at most 536870912 pixels"},
    {"JPEG: 12 bits", "baseline.jpg", 0, AT("\xFF\xC0"), 4, PUT("\x0C"), OTHER, "precision 12"},
    {"JPEG: lossless", "baseline.jpg", 0, AT("\xFF\xC0"), 1, PUT("\xC3"), OTHER, "0xc3"},
    {"JPEG: lying length", "baseline.jpg", 0, AT("\xFF\xC0"), 2, PUT("\0\x05"), BAD, "damaged JPEG"},
    {"JPEG: no components", "baseline.jpg", 0, AT("\xFF\xC0"), 9, PUT("\0"), BAD, "damaged JPEG"},
    {"JPEG: no quantization", "baseline.jpg", 0, AT("\xFF\xDB"), 4, PUT("\x03"), BAD, "damaged JPEG"},
    {"JPEG: code table too full", "baseline.jpg", 0, AT("\xFF\xC4"), 5, PUT("\xFF\xFF\xFF"), BAD,
     "damaged JPEG"},

    {"WebP: start alone", "lossless.webp", 12, NOWHERE, NOTHING, BAD, "end of the file"},
    {"WebP: cut", "lossless.webp", -100, NOWHERE, NOTHING, BAD, "end of the file"},
    {"WebP: cut, animated", "animation.webp", -300, NOWHERE, NOTHING, BAD, "damaged WebP"},
    {"WebP: no length", "lossless.webp", 0, AT("RIFF"), 4, PUT("\0\0\0\0"), BAD, "damaged WebP"},
    {"WebP: lying length", "lossless.webp", 0, AT("RIFF"), 4, PUT("\xFF\xFF\xFF\x7F"), BAD, "damaged WebP"},
    {"WebP: lossless signature", "lossless.webp", 0, AT("VP8L"), 8, PUT("\0"), BAD, "damaged WebP"},
    {"WebP: lossy signature", "lossy_alpha.webp", 0, AT("VP8 "), 11, PUT("\0\0\0"), BAD, "damaged WebP"},
    {"WebP: another canvas", "lossless.webp", 0, AT("VP8X"), 12, PUT("\x50\0\0\x50\0\0"), BAD,
     "damaged WebP"},
    {"WebP: huge canvas", "animation.webp", 0, AT("VP8X"), 12, PUT("\xFF\xFF\0\xFF\xFF\0"), BAD,
     "damaged WebP"},
    {"WebP: frame outside", "animation.webp", 0, AT("ANMF"), 8, PUT("\xFF\0\0"), BAD, "damaged WebP"},
};

static size_t place_of(const malformed *m, const uint8_t *bytes, size_t length)
{
    size_t at = 0;

    while (m->marker &&
           (at + m->marker_length > length || memcmp(bytes + at, m->marker, m->marker_length) != 0))
        if (++at >= length)
            fail_msg("%s: marker not found", m->what);
    at = (size_t)((long)at + m->offset);
    assert_true(at + m->length <= length);
    return at;
}

static uint8_t *spoilt(const malformed *m, size_t *length)
{
    uint8_t *bytes, *exact;

    if (!m->file) {
        *length = m->length;
        bytes = malloc(m->length + 1);
        memcpy(bytes, m->bytes, m->length);
        return bytes;
    }
    bytes = file_read(FILES, m->file, length);
    if (m->bytes)
        memcpy(bytes + place_of(m, bytes, *length), m->bytes, m->length);
    if (m->keep)
        *length = m->keep > 0 ? (size_t)m->keep : *length - (size_t)-m->keep;
    exact = malloc(*length); /* so that reading past the end is seen */
    memcpy(exact, bytes, *length);
    free(bytes);
    return exact;
}

static void test_cases(void **state)
{
    size_t wrong = 0;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const malformed *m = &cases[i];
        lancet_image *image = (lancet_image *)&wrong;
        lancet_error error = {0};
        size_t length;
        uint8_t *bytes = spoilt(m, &length);
        const lancet_status status =
            lancet_image_open_memory(&image, bytes, length, "some.file", NULL, &error);

        if (status != m->status || error.status != m->status || image || !strstr(error.message, m->message) ||
            strncmp(error.message, "some.file: ", 11) != 0 || strchr(error.message, '\n')) {
            print_message("%s: status %d, \"%s\"; expected %d, \"%s\"\n", m->what, (int)status, error.message,
                          (int)m->status, m->message);
            wrong++;
        }
        if (status == LANCET_OK)
            lancet_image_close(&image);
        free(bytes);
    }
    print_message("%zu malformed files refused\n", sizeof cases / sizeof *cases - wrong);
    assert_int_equal(wrong, 0);
}

/* Cut anywhere, a file is refused; only what follows the last pixel may be missing. */
static void test_cut_anywhere(void **state)
{
    static const struct {
        const char *name;
        size_t needless;
    } files[] = {{"baseline.jpg", 3}, {"progressive.jpg", 1}, {"cmyk.jpg", 3},       {"rgb.png", 18},
                 {"palette.png", 18}, {"lossless.webp", 0},   {"animation.webp", 0}, {"lossy_alpha.webp", 0}};

    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        size_t length;
        uint8_t *bytes = file_read(FILES, files[i].name, &length);

        for (size_t keep = 0; keep < length - files[i].needless; keep++) {
            uint8_t *cut = malloc(keep ? keep : 1);
            lancet_image *image;
            lancet_error error;

            memcpy(cut, bytes, keep);
            if (lancet_image_open_memory(&image, cut, keep, files[i].name, NULL, &error) !=
                LANCET_ERROR_INPUT)
                fail_msg("%s, cut to %zu of %zu bytes, was not refused as bad input", files[i].name, keep,
                         length);
            free(cut);
        }
        free(bytes);
    }
}

/* Any byte changed: whatever comes of it, it is a picture or a clean error. */
static void test_any_byte(void **state)
{
    static const char *const files[] = {"baseline.jpg",     "progressive.jpg", "cmyk.jpg",
                                        "rgba.png",         "palette.png",     "lossless.webp",
                                        "lossy_alpha.webp", "animation.webp"};

    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        size_t length;
        uint8_t *bytes = file_read(FILES, files[i], &length);

        for (size_t at = 0; at < length; at++) {
            const lancet_image_options options = {
                .pixels_max = 1 << 20, .accept_damaged = at % 2, .blend = at % 3 == 0};
            const uint8_t before = bytes[at];
            lancet_image *image;
            lancet_error error = {0};

            bytes[at] = (uint8_t)(at % 5 ? before ^ (1u << at % 8) : 255u - before);
            if (lancet_image_open_memory(&image, bytes, length, NULL, &options, &error) != LANCET_OK) {
                assert_null(image);
                assert_true(strlen(error.message) > 10);
            }
            lancet_image_close(&image);
            bytes[at] = before;
        }
        free(bytes);
    }
}

static void test_accept_damaged(void **state)
{
    size_t length;
    uint8_t *bytes = file_read(FILES, "baseline.jpg", &length);
    lancet_image *image;

    (void)state;
    assert_int_equal(lancet_image_open_memory(&image, bytes, length - 60, NULL,
                                              &(lancet_image_options){.accept_damaged = true}, NULL),
                     LANCET_OK);
    assert_true(lancet_image_describe(image)->damaged);
    assert_int_equal(lancet_image_picture(image).width, 11);
    lancet_image_close(&image);
    free(bytes);
}

static void test_pixels_max(void **state)
{
    lancet_image *image;
    lancet_error error;

    (void)state;
    assert_int_equal(
        lancet_image_open(&image, FILES "/baseline.jpg", &(lancet_image_options){.pixels_max = 186}, &error),
        LANCET_ERROR_INPUT);
    assert_non_null(strstr(error.message, "at most 186 pixels, found 17 x 11 = 187"));
    assert_int_equal(
        lancet_image_open(&image, FILES "/baseline.jpg", &(lancet_image_options){.pixels_max = 187}, &error),
        LANCET_OK);
    lancet_image_close(&image);
}

static void test_no_file(void **state)
{
    lancet_image *image;
    lancet_error error;

    (void)state;
    assert_int_equal(lancet_image_open(&image, FILES "/no such file", NULL, &error), LANCET_ERROR_IO);
    assert_non_null(strstr(error.message, "no such file"));
    assert_int_equal(lancet_image_open(&image, FILES, NULL, &error), LANCET_ERROR_INPUT);
    assert_non_null(strstr(error.message, "a folder"));
    assert_int_equal(lancet_image_open(&image, TESTS_FOLDER "/image/test_malformed.c", NULL, &error),
                     LANCET_ERROR_INPUT);
    assert_non_null(strstr(error.message, "test_malformed.c: "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),      cmocka_unit_test(test_cut_anywhere),
        cmocka_unit_test(test_any_byte),   cmocka_unit_test(test_accept_damaged),
        cmocka_unit_test(test_pixels_max), cmocka_unit_test(test_no_file),
    };

    return cmocka_run_group_tests_name("malformed", tests, NULL, NULL);
}
