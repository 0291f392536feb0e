/* `lancet convert`, and `lancet info` of two files. SPDX-License-Identifier: Apache-2.0 */
#include "support/command.h"

#include <jansson.h>

#define TINY    TESTS_FOLDER "/golden/tiny/model.safetensors"
#define TINY_HF TESTS_FOLDER "/golden/tiny_hf/model.safetensors"

/* Every byte that is printed, for each type and for files that are converted again. */
static void test_report(void **state)
{
    static const char *const types[] = {"fp32", "fp16", "bf16", "int8"};
    char all[16384] = "";

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        char name[40];
        command_result result;

        snprintf(name, sizeof name, "%s.safetensors", types[i]);
        result = command_run("convert", TINY_HF, path_of(command_folder, name), "--type", types[i]);
        command_check(&result, 0);
        assert_string_equal(result.err, "");
        strcat(all, result.out);
        command_close(&result);
    }
    command_result result = command_run("convert", "-m", path_of(command_folder, "int8.safetensors"),
                                        path_of(command_folder, "again.safetensors"), "--no-vocabulary");

    command_check(&result, 0);
    strcat(all, result.out);
    command_close(&result);
    expect_text("convert.txt", all);
}

static void test_notes(void **state)
{
    const char *out = path_of(command_folder, "noted.safetensors");
    command_result result = command_run("convert", TINY, out);

    (void)state;
    command_check(&result, 0);
    expect_text("convert_notes.txt", result.err);
    command_close(&result);
    result = command_run("convert", TINY, out, "--quiet");
    assert_string_equal(result.err, "");
    command_close(&result);
    result = command_run("convert", TINY, out, "--activation", "gelu", "--head-width", "16");
    assert_string_equal(result.err, "");
    command_close(&result);
    result = command_run("info", out);
    command_check(&result, 0);
    assert_non_null(strstr(result.out, "activation   gelu (lancet.model in the file)\n"));
    assert_non_null(strstr(result.out, "64 channels, 8 blocks, 4 heads\n"));
    assert_non_null(strstr(result.out, "vocabulary   inside the file\n"));
    assert_non_null(strstr(result.out,
                           "converted    from model.safetensors (safetensors, OpenAI names, F32 x 50, "
                           "F16 x 84), hash "));
    command_close(&result);
}

static void test_json(void **state)
{
    const char *out = path_of(command_folder, "report.safetensors");
    command_result result = command_run("convert", TINY_HF, out, "--type", "int8", "--json");
    const char *name, *types[] = {"F32", "F16", "I8"};
    json_t *report, *type;
    struct stat about;
    size_t index;

    (void)state;
    command_check(&result, 0);
    report = json_loads(result.out, 0, NULL);
    assert_non_null(report);
    assert_int_equal(stat(out, &about), 0);
    assert_int_equal(json_integer_value(json_object_get(report, "bytes")), about.st_size);
    assert_int_equal(json_integer_value(json_object_get(report, "tensors")), 134);
    assert_int_equal(json_integer_value(json_object_get(report, "dropped_count")), 1);
    assert_string_equal(json_string_value(json_object_get(report, "dropped")),
                        "text_model.embeddings.position_ids");
    assert_string_equal(json_string_value(json_object_get(report, "path")), out);
    assert_int_equal(json_array_size(json_object_get(report, "types")), 3);
    json_array_foreach(json_object_get(report, "types"), index, type)
    {
        name = json_string_value(json_object_get(type, "type"));
        assert_string_equal(name, types[index]);
        assert_true(json_number_value(json_object_get(type, "max_error")) <= 0.01);
        assert_int_equal(json_is_null(json_object_get(type, "worst")), index == 0);
    }
    json_decref(report);
    command_close(&result);
}

/* One file, moved away from everything, says the same as the original among its files. */
static void test_one_file(void **state)
{
    const char *out = path_of(command_folder, "one.safetensors"), *a = path_of(command_folder, "a.npy");
    const char *moved = path_of(command_folder, "home/one.safetensors"),
               *b = path_of(command_folder, "b.npy");
    const char *picture = TESTS_FOLDER "/golden/tiny_hf/images/scene.png";
    command_result before, after;

    (void)state;
    mkdir(path_of(command_folder, "home"), 0777);
    command_expect(0, "convert", TINY_HF, out);
    assert_int_equal(rename(out, moved), 0);
    command_expect(0, "features", picture, "-m", TINY_HF, "-o", a);
    command_expect(0, "features", picture, "-m", moved, "-o", b);
    assert_true(files_equal(a, b));
    command_expect(0, "text", "cat", "the sea", "--templates", "none", "-m", TINY_HF, "-o", a);
    command_expect(0, "text", "cat", "the sea", "--templates", "none", "-m", moved, "-o", b);
    assert_true(files_equal(a, b));
    before = command_run("tokenize", "a caf\u00E9, by the sea", "-m", TINY_HF);
    after = command_run("tokenize", "a caf\u00E9, by the sea", "-m", moved);
    command_check(&before, 0);
    command_check(&after, 0);
    assert_string_equal(before.out, after.out);
    command_close(&before);
    command_close(&after);
}

static void test_compare(void **state)
{
    const char *exact = path_of(command_folder, "exact.safetensors");
    const char *narrow = path_of(command_folder, "narrow.safetensors");
    command_result result;
    char all[16384] = "";
    json_t *report;

    (void)state;
    command_expect(0, "convert", TINY_HF, exact);
    command_expect(0, "convert", TINY_HF, narrow, "--type", "int8");
    const char *const pairs[][2] = {{TINY_HF, exact}, {exact, narrow}, {TINY, narrow}};

    for (size_t i = 0; i < 3; i++) {
        result = command_run("info", pairs[i][0], pairs[i][1]);
        command_check(&result, 0);
        strcat(strcat(all, result.out), "\n");
        command_close(&result);
    }
    expect_text("info_compare.txt", all);
    result = command_run("info", exact, narrow, "--json");
    command_check(&result, 0);
    report = json_loads(result.out, 0, NULL);
    assert_non_null(report);
    assert_int_equal(json_array_size(json_object_get(report, "tensors")), 134);
    assert_int_equal(json_object_size(json_object_get(report, "configuration")), 0);
    assert_false(
        json_is_true(json_object_get(json_array_get(json_object_get(report, "tensors"), 0), "equal")));
    assert_true(
        json_is_true(json_object_get(json_array_get(json_object_get(report, "tensors"), 133), "equal")));
    json_decref(report);
    command_close(&result);
}

static void test_failures(void **state)
{
    const char *text = path_of(command_folder, "text.safetensors");
    const char *model = path_of(command_folder, "kept.safetensors"),
               *out = path_of(command_folder, "out.safetensors");
    size_t length;
    char *bytes = file_read(TINY, &length);

    (void)state;
    file_write_text(text, "not a model\n");
    file_write(model, bytes, length);
    command_expect_says(5, "none.safetensors", "convert", "none.safetensors", out);
    command_expect_says(3, "text.safetensors", "convert", text, out);
    command_expect_says(5, "/nowhere/x.safetensors", "convert", "-q", model, "/nowhere/x.safetensors");
    command_expect_says(2, "found the model itself", "convert", "-q", model, model);
    command_expect_says(5, "no-such-file", "convert", model, out, "--vocabulary", "no-such-file");
    command_expect_says(3, "text.safetensors", "info", model, text);
    assert_true(files_equal(model, TINY));
    assert_false(path_exists(out));
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_report),   cmocka_unit_test(test_notes),   cmocka_unit_test(test_json),
        cmocka_unit_test(test_one_file), cmocka_unit_test(test_compare), cmocka_unit_test(test_failures),
    };

    return cmocka_run_group_tests_name("convert", tests, command_set_up, command_tear_down);
}
