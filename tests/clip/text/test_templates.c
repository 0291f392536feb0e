/* Prompt templates. SPDX-License-Identifier: Apache-2.0 */
#include "support/files.h"

#include "lancet/text.h"

static char *folder;

static int make(void **state)
{
    (void)state;
    folder = folder_make();
    return 0;
}

static int clean(void **state)
{
    (void)state;
    folder_remove(folder);
    return 0;
}

static void check_filled(const lancet_templates *templates, size_t index, const char *label,
                         const char *expected)
{
    char text[256];

    assert_int_equal(lancet_templates_fill(text, sizeof text, templates, index, label), strlen(expected));
    assert_string_equal(text, expected);
}

static void test_standard(void **state)
{
    const lancet_templates *templates = lancet_templates_standard();
    static const struct {
        size_t index;
        const char *text;
    } some[] = {{0, "a bad photo of a {}."},
                {1, "a photo of many {}."},
                {35, "a {} in a video game."},
                {39, "a photo of a {}."},
                {54, "a cartoon {}."},
                {79, "a tattoo of the {}."},
                {80, "there is a {} in the scene."},
                {81, "there is the {} in the scene."},
                {82, "this is a {} in the scene."},
                {83, "this is the {} in the scene."},
                {84, "this is one {} in the scene."}};

    (void)state;
    assert_int_equal(lancet_templates_count(templates), 85);
    for (size_t i = 0; i < sizeof some / sizeof *some; i++)
        assert_string_equal(lancet_templates_text(templates, some[i].index), some[i].text);
    assert_null(lancet_templates_text(templates, 85));
    for (size_t i = 0; i < 85; i++) { /* one gap each, and no template twice */
        const char *text = lancet_templates_text(templates, i), *gap = strstr(text, "{}");

        assert_non_null(gap);
        assert_null(strstr(gap + 2, "{}"));
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(text, lancet_templates_text(templates, k));
    }
    check_filled(templates, 0, "", "a bad photo of a .");
    check_filled(templates, 81, "airplane", "there is the airplane in the scene.");
    check_filled(lancet_templates_bare(), 0, "a cat", "a cat");
    assert_int_equal(lancet_templates_count(lancet_templates_bare()), 1);
}

static void test_fill_like_snprintf(void **state)
{
    const lancet_templates *templates = lancet_templates_standard();
    char text[16];

    (void)state;
    assert_int_equal(lancet_templates_fill(NULL, 0, templates, 39, "cat"), 17);
    memset(text, 'x', sizeof text);
    assert_int_equal(lancet_templates_fill(text, 8, templates, 39, "cat"), 17);
    assert_string_equal(text, "a photo");
    assert_int_equal(text[8], 'x');
    assert_int_equal(lancet_templates_fill(text, 1, templates, 39, "cat"), 17);
    assert_string_equal(text, "");
    assert_int_equal(lancet_templates_fill(text, sizeof text, templates, 85, "cat"), 0);
    assert_string_equal(text, "");
}

static void test_names(void **state)
{
    lancet_templates *templates;

    (void)state;
    assert_int_equal(lancet_templates_open(&templates, "85", NULL), LANCET_OK);
    assert_int_equal(lancet_templates_count(templates), 85);
    lancet_templates_close(&templates);
    assert_null(templates);
    assert_int_equal(lancet_templates_open(&templates, "none", NULL), LANCET_OK);
    assert_string_equal(lancet_templates_text(templates, 0), "{}");
    lancet_templates_close(&templates);
    lancet_templates_close(&templates);
    lancet_templates_close(NULL);
}

static void test_file(void **state)
{
    lancet_templates *templates;
    const char *path = path_of(folder, "own.txt");

    (void)state;
    file_write_text(
        path,
        "\xEF\xBB\xBF# mine\r\n\r\n  ein Foto von {}, sch\u00F6n \t\r\n{}\n\n#{}\n{} und {} {{}} {0}{a}\n"
        "{}!");
    assert_int_equal(lancet_templates_open(&templates, path, NULL), LANCET_OK);
    assert_int_equal(lancet_templates_count(templates), 4);
    assert_string_equal(lancet_templates_text(templates, 0), "ein Foto von {}, sch\u00F6n");
    check_filled(templates, 0, "Katze", "ein Foto von Katze, sch\u00F6n");
    check_filled(templates, 1, "Katze", "Katze");
    check_filled(templates, 2, "{}", "{} und {} {{}} {0}{a}"); /* what is put in is not looked at again */
    check_filled(templates, 2, "x", "x und x {x} {0}{a}");
    check_filled(templates, 3, "x", "x!");
    lancet_templates_close(&templates);
}

static void refuse(const char *bytes, size_t length, const char *word)
{
    lancet_templates *templates;
    lancet_error error;
    const char *path = path_of(folder, "wrong.txt");

    file_write(path, bytes, length);
    assert_int_equal(lancet_templates_open(&templates, path, &error), LANCET_ERROR_INPUT);
    assert_null(templates);
    assert_non_null(strstr(error.message, "wrong.txt"));
    if (!strstr(error.message, word))
        fail_msg("expected \"%s\" in \"%s\"", word, error.message);
}

static void test_must_fail(void **state)
{
    const size_t many = 3 * 10001, much = (1 << 20) + 1;
    char *long_text = malloc(much);
    lancet_templates *templates;
    lancet_error error;

    (void)state;
    refuse("", 0, "found none");
    refuse("# only\n\n# talk", 14, "found none");
    refuse("a {}\n\na cat\n", 12, "line 3: expected {} where the label goes, found none in \"a cat\"");
    refuse("a {\n", 4, "line 1");
    refuse("a {}\n{}\xFF\n", 9, "line 2: expected UTF-8 text, found byte 0xFF at offset 7");
    refuse("a {}\0b\n", 7, "line 1: expected UTF-8 text, found byte 0x00 at offset 4");
    for (size_t i = 0; i < many; i++)
        long_text[i] = "{}\n"[i % 3];
    refuse(long_text, many, "line 10001: expected at most 10000");
    free(long_text);
    long_text = calloc(1, much);
    refuse(long_text, much, "at most 1048576 bytes, found 1048577");
    free(long_text);
    assert_int_equal(lancet_templates_open(&templates, path_of(folder, "missing"), &error), LANCET_ERROR_IO);
    assert_int_equal(lancet_templates_open(&templates, folder, &error), LANCET_ERROR_INPUT);
    assert_int_equal(lancet_templates_open(&templates, NULL, &error), LANCET_ERROR_ARGUMENT);
    assert_int_equal(lancet_templates_open(NULL, "85", &error), LANCET_ERROR_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_standard),
        cmocka_unit_test(test_fill_like_snprintf),
        cmocka_unit_test(test_names),
        cmocka_unit_test_setup_teardown(test_file, make, clean),
        cmocka_unit_test_setup_teardown(test_must_fail, make, clean),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
