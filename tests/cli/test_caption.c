/* `lancet caption`: ranks, the page that stands by itself, words that are no markup.
 * SPDX-License-Identifier: Apache-2.0 */
#include "lancet/image.h"

#include "support/command.h"

#include <jansson.h>
#include <math.h>

#define TINY    TESTS_FOLDER "/golden/tiny"
#define MODEL   "-m", TINY "/model.safetensors"
#define SCENE   TINY "/images/scene.png"
#define CAPTION "a <b>cat</b> & \"two\" dogs"

static json_t *json_read(const char *path)
{
    json_error_t error;
    json_t *value = json_load_file(path, JSON_REJECT_DUPLICATES, &error);

    if (!value)
        fail_msg("%s: line %d: %s", path, error.line, error.text);
    return value;
}

/* Ranks are 1, 2, ... by falling cosine; the best is that of rank 1. */
static void check_ranks(const json_t *root, size_t first)
{
    const json_t *tokens = json_object_get(root, "tokens");
    const size_t count = json_array_size(tokens);
    const size_t best = (size_t)json_integer_value(json_object_get(root, "best"));
    double before = INFINITY;

    assert_true(count > 8);
    assert_string_equal(json_string_value(json_object_get(json_array_get(tokens, 0), "token")), "[start]");
    assert_string_equal(json_string_value(json_object_get(json_array_get(tokens, count - 1), "token")),
                        "[end]");
    assert_int_equal(json_is_null(json_object_get(json_array_get(tokens, 0), "rank")), first == 1);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(tokens, best), "rank")), 1);
    for (size_t rank = 1; rank + first <= count; rank++) {
        size_t found = 0;

        for (size_t i = 0; i < count; i++) {
            const json_t *token = json_array_get(tokens, i);

            if (json_integer_value(json_object_get(token, "rank")) == (json_int_t)rank) {
                assert_true(json_real_value(json_object_get(token, "cosine")) <= before);
                before = json_real_value(json_object_get(token, "cosine"));
                found++;
            }
        }
        assert_int_equal(found, 1);
    }
}

static void test_ranks(void **state)
{
    const char *out = path_of(command_folder, "ranks");
    json_t *root;

    (void)state;
    command_expect(0, "caption", SCENE, MODEL, "-t", CAPTION, "-o", out, "-q");
    root = json_read(path_of(out, "scene.caption.json"));
    check_ranks(root, 0);
    assert_string_equal(json_string_value(json_object_get(root, "caption")), CAPTION);
    assert_int_equal(json_array_size(json_object_get(root, "files")), 3);
    json_decref(root);
    command_expect(0, "caption", SCENE, MODEL, "-t", CAPTION, "--skip-start", "-o", out, "-q");
    root = json_read(path_of(out, "scene.caption.json"));
    check_ranks(root, 1);
    json_decref(root);
}

/* One byte of base64's four, or -1. */
static int digit(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(digits, c) : NULL;

    return at ? (int)(at - digits) : -1;
}

/* The page refers to nothing outside, its picture decodes, and the caption's markup is shown, not obeyed. */
static void test_page(void **state)
{
    const char *out = path_of(command_folder, "page"), *html = path_of(out, "scene.caption.html");
    lancet_image *image = NULL;
    char *page, *picture, *at;
    uint8_t *bytes;
    size_t length = 0;
    unsigned bits = 0, count = 0;

    (void)state;
    command_expect(0, "caption", SCENE, MODEL, "-t", CAPTION, "--write", "html", "--note", "<i>note</i>",
                   "-o", out, "-q");
    assert_false(path_exists(path_of(out, "scene.caption.json")));
    page = file_read(html, NULL);
    assert_non_null(page);
    assert_null(strstr(page, "<b>"));
    assert_null(strstr(page, "<i>"));
    assert_null(strstr(page, "http"));
    assert_null(strstr(page, "<script"));
    assert_non_null(strstr(page, "&lt;i&gt;note&lt;/i&gt;"));
    assert_non_null(strstr(page, "alt=\"a &lt;b&gt;cat&lt;/b&gt; &amp; &quot;two&quot; dogs\""));
    assert_non_null(strstr(page, "<sup>3</sup>"));
    picture = strstr(page, "data:image/png;base64,");
    assert_non_null(picture);
    picture += strlen("data:image/png;base64,");
    bytes = malloc(strlen(picture));
    for (at = picture; digit(*at) >= 0; at++) {
        bits = bits << 6 | (unsigned)digit(*at);
        count += 6;
        if (count >= 8) {
            count -= 8;
            bytes[length++] = (uint8_t)(bits >> count);
        }
    }
    assert_int_equal(at[strspn(at, "=")], '"');
    assert_int_equal(lancet_image_open_memory(&image, bytes, length, NULL, NULL, NULL), LANCET_OK);
    assert_int_equal(lancet_image_picture(image).width, 96);
    assert_int_equal(lancet_image_picture(image).height, 64);
    lancet_image_close(&image);
    free(bytes);
    free(page);
}

/* The table: every token once, three of them marked; the same with one thread. */
static void test_table(void **state)
{
    const char *out = path_of(command_folder, "table");
    command_result result =
        command_run("caption", SCENE, "none.png", MODEL, "-t", "two dogs", "-o", out, "--threads", "1");
    command_result again =
        command_run("caption", SCENE, MODEL, "-t", "two dogs", "-o", out, "--threads", "3");
    size_t stars = 0;

    (void)state;
    command_check(&result, 5);
    command_check(&again, 0);
    assert_string_equal(result.out, again.out);
    assert_non_null(strstr(result.err, "none.png"));
    for (const char *at = result.out; (at = strstr(at, " * ")); at++)
        stars++;
    assert_int_equal(stars, 3);
    assert_true(strstr(result.out, "* [start]\n") || strstr(result.out, "  [start]\n"));
    assert_non_null(strstr(result.out, " [end]\n"));
    assert_non_null(strstr(result.out, "/scene.caption.overlay.png\n"));
    command_close(&result);
    command_close(&again);
    /* Of an empty caption the two ends remain. */
    command_expect(0, "caption", SCENE, MODEL, "-t", "", "--skip-start", "-o", out, "-q");
    command_expect_says(2, "UTF-8", "caption", SCENE, MODEL, "-t", "\xFF", "-o", out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ranks),
        cmocka_unit_test(test_page),
        cmocka_unit_test(test_table),
    };

    return cmocka_run_group_tests_name("caption", tests, command_set_up, command_tear_down);
}
