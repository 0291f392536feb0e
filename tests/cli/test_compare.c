/* `lancet compare` and `lancet methods`. SPDX-License-Identifier: Apache-2.0 */
#include "support/command.h"

#include "lancet/image.h"

#define MODEL   TESTS_FOLDER "/golden/tiny/model.safetensors"
#define PICTURE TESTS_FOLDER "/golden/tiny/images/scene.png"

static void test_methods(void **state)
{
    command_result plain = command_run_with(NULL, (const char *const[]){"methods", NULL});
    command_result json = command_run_with(NULL, (const char *const[]){"methods", "--json", NULL});

    (void)state;
    assert_int_equal(plain.status, 0);
    assert_non_null(strstr(plain.out, "surgery "));
    assert_non_null(strstr(plain.out, "naclip "));
    assert_int_equal(json.status, 0);
    assert_non_null(strstr(json.out, "\"multi-dual-ffn-own\""));
    command_close(&plain);
    command_close(&json);
}

/* A column for the picture and each method, a row for each text. */
static void test_sheet(void **state)
{
    char *sheet = strdup(path_of(command_folder, "sheet.png"));
    command_result result =
        command_run_with(NULL, (const char *const[]){"compare", PICTURE, "-m", MODEL, "-t", "cat", "-t",
                                                     "a table", "--templates", "none", "--methods",
                                                     "clip, surgery", "--cell", "100", "-o", sheet, NULL});
    lancet_image *image = NULL;

    (void)state;
    if (result.status != 0)
        fail_msg("%s", result.err);
    assert_int_equal(lancet_image_open(&image, sheet, NULL, NULL), LANCET_OK);
    assert_true(lancet_image_picture(image).width >= 300);
    lancet_image_close(&image);
    command_close(&result);
    free(sheet);
}

static void refused(const char *const *arguments, const char *words)
{
    command_result result = command_run_with(NULL, arguments);

    assert_int_equal(result.status, LANCET_ERROR_ARGUMENT);
    if (!strstr(result.err, words))
        fail_msg("expected \"%s\", found \"%s\"", words, result.err);
    command_close(&result);
}

static void test_refusals(void **state)
{
    (void)state;
    refused((const char *const[]){"compare", "-t", "cat", NULL}, "expected a picture");
    refused((const char *const[]){"compare", PICTURE, NULL}, "-t TEXT");
    refused(
        (const char *const[]){"compare", PICTURE, "-m", MODEL, "-t", "cat", "--methods", "clip,sclp", NULL},
        "did you mean 'sclip'");
    refused((const char *const[]){"explain", PICTURE, "-m", MODEL, "-t", "cat", "--method", "nothing", NULL},
            "lancet methods");
    refused((const char *const[]){"explain", PICTURE, "-m", MODEL, "-t", "cat", "--method", "clip", "--path",
                                  "plain", NULL},
            "--method decides");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_methods),
        cmocka_unit_test(test_sheet),
        cmocka_unit_test(test_refusals),
    };

    return cmocka_run_group_tests(tests, command_set_up, command_tear_down);
}
