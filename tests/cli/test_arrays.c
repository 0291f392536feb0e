/* `lancet features`, `text`, `info` and `tokenize`: what they write and print.
 * SPDX-License-Identifier: Apache-2.0 */
#include "support/arrays.h"
#include "support/command.h"

#include <jansson.h>

#define TINY  TESTS_FOLDER "/golden/tiny"
#define MODEL "-m", TINY "/model.safetensors"
#define SCENE TINY "/images/scene.png"
#define TEXTS "airplane", "person", "grass", "tv monitor", "potted plant"

static void test_features(void **state)
{
    const char *out = path_of(command_folder, "features.npy"), *again = path_of(command_folder, "again.npy");

    (void)state;
    command_expect(0, "features", SCENE, MODEL, "-o", out, "-q");
    arrays_agree(TINY "/scene/48/surgery.npy", out);
    command_expect(0, "features", SCENE, MODEL, "-o", out, "--path", "plain", "-q");
    arrays_agree(TINY "/scene/48/plain.npy", out);
    command_expect(0, "features", SCENE, MODEL, "-o", out, "--side", "64", "-q", "--threads", "1");
    arrays_agree(TINY "/scene/64/surgery.npy", out);
    command_expect(0, "features", SCENE, MODEL, "-o", again, "--side", "64", "-q", "--threads", "2");
    assert_true(files_equal(out, again));
    command_expect(0, "features", SCENE, MODEL, "-o", out, "--size", "72x40", "-q", "--threads", "1");
    arrays_agree(TINY "/scene/72x40/surgery.npy", out);
    command_expect(0, "features", SCENE, MODEL, "-o", again, "--size=72x40", "-q", "--threads", "2");
    assert_true(files_equal(out, again));
    /* 96 x 64 pixels: a short side of 40 makes 60 x 40, and 60 is seven and a half patches. */
    command_expect(0, "features", SCENE, MODEL, "-o", out, "--size", "64x40", "-q");
    command_expect(0, "features", SCENE, MODEL, "-o", again, "--short-side", "40", "-q");
    assert_true(files_equal(out, again));
    /* Surgery on the last 6 of 8 blocks is surgery from block 3 on; the default is the same. */
    command_expect(0, "features", SCENE, MODEL, "-o", out, "--surgery-start", "3", "-q");
    arrays_agree(TINY "/scene/48/surgery.npy", out);
    command_expect(0, "features", SCENE, MODEL, "-o", again, "--surgery-last", "6", "-q");
    assert_true(files_equal(out, again));
    command_expect_says(2, "lancet features: ", "features", SCENE, MODEL, "-o", out, "--surgery-last", "9");
    command_expect_says(2, "expected sides of 8 (one patch) to 4096 pixels, found 72 x 7", "features", SCENE,
                        MODEL, "-o", out, "--size", "72x7");
}

/* Whether the values from `offset` on are the expected ones. */
static void holds(const char *expected_path, const char *found_path, size_t offset, double limit)
{
    lancet_npy expected = array_read(expected_path), found = array_read(found_path);

    assert_true(offset + expected.count <= found.count);
    if (!(array_difference(expected.values, (const float *)found.values + offset, expected.count) <= limit))
        fail_msg("%s and %s differ", expected_path, found_path);
    lancet_npy_close(&expected);
    lancet_npy_close(&found);
}

static void shape_is(const char *path, size_t first, size_t second, size_t third)
{
    lancet_npy array = array_read(path);

    assert_int_equal(array.rank, 3);
    assert_int_equal(array.shape[0], first);
    assert_int_equal(array.shape[1], second);
    assert_int_equal(array.shape[2], third);
    lancet_npy_close(&array);
}

static void test_blocks(void **state)
{
    const char *out = path_of(command_folder, "block.npy"),
               *again = path_of(command_folder, "block-again.npy");

    (void)state;
    command_expect(0, "features", SCENE, MODEL, "-o", out, "--size", "72x40", "-q", "--block", "2");
    arrays_agree(TINY "/scene/72x40/block_2.npy", out);
    command_expect(0, "features", SCENE, MODEL, "-o", out, "--size", "72x40", "-q", "--block", "3");
    arrays_agree(TINY "/scene/72x40/block_3_surgery.npy", out);
    command_expect(0, "features", SCENE, MODEL, "-o", out, "--size", "72x40", "-q", "--block", "3",
                   "--stream", "original");
    arrays_agree(TINY "/scene/72x40/block_3.npy", out);
    command_expect(0, "features", SCENE, MODEL, "-o", again, "--size", "72x40", "-q", "--block", "3",
                   "--path", "plain");
    assert_true(files_equal(out, again));
    command_expect(0, "features", SCENE, MODEL, "-o", out, "--size", "72x40", "-q", "--block", "8",
                   "--stream", "both");
    shape_is(out, 2, 46, 64);
    holds(TINY "/scene/72x40/block_8.npy", out, 0, 2e-4);
    holds(TINY "/scene/72x40/block_8_surgery.npy", out, (size_t)46 * 64, 2e-4);
    command_expect_says(2, "--block: expected 1 to 8 (the model's blocks), found 9", "features", SCENE, MODEL,
                        "-o", out, "--block", "9");
    command_expect_says(2, "surgery has not started at block 2", "features", SCENE, MODEL, "-o", out,
                        "--block", "2", "--stream", "both");
}

/* Three heads, patches of 7. */
static void test_attention(void **state)
{
    const char *odd = TESTS_FOLDER "/golden/tiny_odd/images/grey.png",
               *weights = TESTS_FOLDER "/golden/tiny_odd/model.safetensors",
               *raw = TESTS_FOLDER "/golden/tiny_odd/grey/42x28/attn_raw.npy",
               *values = TESTS_FOLDER "/golden/tiny_odd/grey/42x28/attn_vv.npy";
    const char *out = path_of(command_folder, "attention.npy"), *row = path_of(command_folder, "row.npy");
    lancet_npy all, part;

    (void)state;
    command_expect(0, "features", odd, "-m", weights, "-o", out, "--size", "42x28", "-q", "--attention",
                   "raw");
    shape_is(out, 3, 25, 25);
    holds(raw, out, 0, 3e-5);
    command_expect(0, "features", odd, "-m", weights, "-o", row, "--size", "42x28", "-q", "--attention",
                   "raw", "--class-row");
    shape_is(row, 3, 1, 25);
    all = array_read(out);
    part = array_read(row);
    for (size_t h = 0; h < 3; h++)
        assert_memory_equal((float *)all.values + h * 625, (float *)part.values + h * 25, 25 * sizeof(float));
    lancet_npy_close(&part);
    command_expect(0, "features", odd, "-m", weights, "-o", row, "--size", "42x28", "-q", "--attention",
                   "raw", "--mean-heads");
    shape_is(row, 1, 25, 25);
    part = array_read(row);
    for (size_t i = 0; i < 625; i++) {
        const float *a = (const float *)all.values + i;

        assert_true(fabsf(((const float *)part.values)[i] - (a[0] + a[625] + a[1250]) / 3) < 1e-7f);
    }
    lancet_npy_close(&all);
    lancet_npy_close(&part);
    command_expect(0, "features", odd, "-m", weights, "-o", out, "--size", "42x28", "-q", "--attention",
                   "values");
    holds(values, out, 0, 3e-5);
    command_expect(0, "features", odd, "-m", weights, "-o", out, "--size", "42x28", "-q", "--attention",
                   "values", "--block", "1");
    holds(TESTS_FOLDER "/golden/tiny_odd/grey/42x28/block_1_attn_vv.npy", out, 0, 3e-5);
    command_expect_says(2, "--block: expected 1 to 2", "features", odd, "-m", weights, "-o", out,
                        "--attention", "raw", "--block", "3");
}

#define RN TESTS_FOLDER "/golden/tiny_rn"

/* The ways of surgery on an attention pool, and a bottleneck's pixels. */
static void test_resnet(void **state)
{
    const char *out = path_of(command_folder, "resnet.npy");

    (void)state;
    command_expect(0, "features", RN "/images/grey.png", "-m", RN "/model.safetensors", "-o", out, "-q");
    arrays_agree(RN "/grey/128/surgery_qk.npy", out);
    command_expect(0, "features", RN "/images/grey.png", "-m", RN "/model.safetensors", "-o", out, "-q",
                   "--rn-cls", "vv");
    arrays_agree(RN "/grey/128/surgery.npy", out);
    command_expect(0, "features", RN "/images/grey.png", "-m", RN "/model.safetensors", "-o", out, "-q",
                   "--rn-cls", "vv", "--rn-attn", "vv-norm8", "--side", "159");
    arrays_agree(RN "/grey/159/surgery_norm8.npy", out);
    command_expect(0, "features", RN "/images/grey.png", "-m", RN "/model.safetensors", "-o", out, "-q",
                   "--path", "plain");
    arrays_agree(RN "/grey/128/plain.npy", out);
    command_expect(0, "features", RN "/images/grey.png", "-m", RN "/model.safetensors", "-o", out, "-q",
                   "--size", "176x129", "--block", "3");
    shape_is(out, 1, 22 * 16, 48);
    holds(RN "/grey/176x129/block_3.npy", out, 0, 2e-4);
    command_expect_says(2, "a ModifiedResNet's surgery is in its attention pool", "features",
                        RN "/images/grey.png", "-m", RN "/model.safetensors", "-o", out, "--surgery-last",
                        "2");
    command_expect_says(2, "--rn-attn: expected vv or vv-norm8, found 'qk'", "features", SCENE, MODEL, "-o",
                        out, "--rn-attn", "qk");
    command_expect_says(2, "a vision transformer has no attention pool", "features", SCENE, MODEL, "-o", out,
                        "--rn-cls", "vv");
}

static void test_text(void **state)
{
    const char *out = path_of(command_folder, "text.npy"), *list = path_of(command_folder, "list.txt");
    const char *templates = path_of(command_folder, "templates.txt"),
               *listed = path_of(command_folder, "listed.npy");
    lancet_npy array;

    (void)state;
    command_expect(0, "text", TEXTS, MODEL, "-o", out, "-q");
    arrays_agree(TINY "/text/ensemble.npy", out);
    file_write_text(list, "airplane\nperson\r\n\ngrass\ntv monitor\npotted plant\n");
    command_expect(0, "text", "--labels", list, MODEL, "-o", listed, "-q");
    assert_true(files_equal(out, listed));
    command_expect(0, "text", TEXTS, MODEL, "--templates", "none", "-o", out, "-q");
    arrays_agree(TINY "/text/features.npy", out);
    command_expect(0, "text", "", MODEL, "-o", out, "-q");
    arrays_agree(TINY "/text/ensemble_empty.npy", out);
    /* A file of one bare template is an ensemble still: unit length. */
    file_write_text(templates, "{}\n");
    command_expect(0, "text", "dog", MODEL, "--templates", templates, "-o", out, "-q");
    array = array_read(out);
    assert_int_equal(array.shape[0], 1);
    double squares = 0;
    for (size_t i = 0; i < array.count; i++)
        squares += (double)((const float *)array.values)[i] * (double)((const float *)array.values)[i];
    assert_true(fabs(squares - 1) < 1e-5);
    lancet_npy_close(&array);
    command_expect_says(2, "UTF-8", "text", "\xFF\xFE", MODEL, "-o", out);
    file_write_text(templates, "no place\n");
    command_expect_says(3, "templates.txt", "text", "dog", MODEL, "--templates", templates, "-o", out);
}

/* The words from stdin. */
static void test_text_from_stdin(void **state)
{
    const char *out = path_of(command_folder, "stdin.npy"), *list = path_of(command_folder, "stdin.txt");
    command_result result;

    (void)state;
    file_write_text(list, "airplane\nperson\ngrass\ntv monitor\npotted plant\n");
    result = command_run_with(list, (const char *const[]){"text", "--labels", "-", MODEL, "-o", out, NULL});
    command_check(&result, 0);
    arrays_agree(TINY "/text/ensemble.npy", out);
    command_close(&result);
}

static void test_info(void **state)
{
    static const char *const keys[] = {"lancet",
                                       "path",
                                       "container",
                                       "naming",
                                       "family",
                                       "vision",
                                       "text",
                                       "embedding_width",
                                       "activation",
                                       "data_types",
                                       "activation_origin",
                                       "layer_norm_epsilon",
                                       "logit_scale",
                                       "parameters",
                                       "file_bytes",
                                       "logit_scale_assumed",
                                       "hash",
                                       "vocabulary",
                                       "missing"};
    command_result result = command_run("info", TINY "/model.safetensors");
    json_t *root;

    (void)state;
    command_check(&result, 0);
    expect_text("info_tiny.txt", result.out);
    command_close(&result);
    result = command_run("info", TESTS_FOLDER "/golden/tiny_hf/model.safetensors");
    expect_text("info_tiny_hf.txt", result.out);
    command_close(&result);
    result = command_run("info", TESTS_FOLDER "/golden/tiny_rn/model.safetensors");
    expect_text("info_tiny_rn.txt", result.out);
    command_close(&result);
    result = command_run("info", "--json", "-m", TESTS_FOLDER "/golden/tiny_rn/model.safetensors");
    root = json_loads(result.out, JSON_REJECT_DUPLICATES, NULL);
    assert_int_equal(json_integer_value(
                         json_array_get(json_object_get(json_object_get(root, "vision"), "stage_blocks"), 1)),
                     2);
    json_decref(root);
    command_close(&result);
    result = command_run("info", "--json", MODEL);
    command_check(&result, 0);
    root = json_loads(result.out, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(root);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (!json_object_get(root, keys[i]))
            fail_msg("JSON key \"%s\" is missing", keys[i]);
    assert_int_equal(json_string_length(json_object_get(root, "sha256")), 64);
    assert_int_equal(json_string_length(json_object_get(root, "hash")), 32);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(root, "vision"), "patch_side")), 8);
    json_decref(root);
    command_close(&result);
}

static int heads_of(const json_t *root, const char *tower)
{
    return (int)json_integer_value(json_object_get(json_object_get(root, tower), "heads"));
}

/* 88 and 64 channels: one option for both towers has to divide both. */
static void test_head_widths(void **state)
{
    static const char *const model = TESTS_FOLDER "/golden/tiny_open_clip/open_clip_model.safetensors";
    command_result result = command_run("info", "--json", model, "--head-width", "8");
    json_t *root;

    (void)state;
    command_check(&result, 0);
    root = json_loads(result.out, 0, NULL);
    assert_int_equal(heads_of(root, "vision"), 11);
    assert_int_equal(heads_of(root, "text"), 8);
    json_decref(root);
    command_close(&result);
    result = command_run("info", "--json", model, "--head-width", "44", "--text-head-width", "32");
    command_check(&result, 0);
    root = json_loads(result.out, 0, NULL);
    assert_int_equal(heads_of(root, "vision"), 2);
    assert_int_equal(heads_of(root, "text"), 2);
    json_decref(root);
    command_close(&result);
    command_expect_says(2, "the option text_head_width sets another", "info", model, "--head-width", "44");
}

static void test_tokenize(void **state)
{
    char *all = calloc(1, 1 << 16);
    command_result result;

    (void)state;
    result = command_run("tokenize", MODEL, "a photo of a cat.", "", "Na\xC3\xAFve  \xE7\x8C\xAB", "--", "-t",
                         "hello<|endoftext|>world");
    command_check(&result, 0);
    strcat(all, result.out);
    command_close(&result);
    result = command_run("tokenize", "--pieces", "--vocabulary", TINY "/merges.txt", "a photo of a cat.", "");
    command_check(&result, 0);
    strcat(all, "\n");
    strcat(all, result.out);
    command_close(&result);
    expect_text("tokenize.txt", all);
    free(all);
}

/* The same texts as JSON lines, with what only JSON can hold, and what is no such line. */
static void test_tokenize_json_lines(void **state)
{
    static const struct {
        const char *line, *says;
    } broken[] = {
        {"{\"text\": \"cat\"", "line 3: expected a JSON object"},
        {"[\"cat\"]", "line 3: expected an object with a string \"text\""},
        {"{\"words\": \"cat\"}", "line 3: expected an object with a string \"text\""},
        {"{\"text\": 5}", "line 3: expected an object with a string \"text\""},
        {"cat", "line 3: expected a JSON object"},
        {"{\"text\": \"\xFF\"}", "line 3: expected a JSON object"},
    };
    const char *path = path_of(command_folder, "texts.jsonl");
    command_result lines, arguments;

    (void)state;
    file_write_text(
        path,
        "{\"text\": \"a photo of a cat.\", \"more\": [1]}\n\n{\"text\": \"do\\u0000g\"}\r\n{\"text\": \"\"}");
    lines = command_run("tokenize", MODEL, "--json-lines", path);
    arguments = command_run("tokenize", MODEL, "a photo of a cat.", "dog", "");
    command_check(&lines, 0);
    command_check(&arguments, 0);
    assert_string_equal(lines.out, arguments.out);
    command_close(&lines);
    lines = command_run_with(path, (const char *const[]){"tokenize", MODEL, "--json-lines", "-", NULL});
    assert_string_equal(lines.out, arguments.out);
    command_close(&lines);
    command_close(&arguments);
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        char text[200];

        snprintf(text, sizeof text, "{\"text\": \"cat\"}\n\n%s\n", broken[i].line);
        file_write_text(path, text);
        lines = command_run("tokenize", MODEL, "--json-lines", path);
        command_check(&lines, 3);
        if (!strstr(lines.err, broken[i].says))
            fail_msg("expected \"%s\", found: %s", broken[i].says, lines.err);
        command_close(&lines);
    }
}

/* Far more tokens than a model reads: nothing is cut here. */
static void test_tokenize_long(void **state)
{
    const size_t words = 20000;
    char *text = malloc(words * 4 + 40);
    const char *path = path_of(command_folder, "long.jsonl");
    command_result result;
    size_t spaces = 0;

    (void)state;
    strcpy(text, "{\"text\": \"");
    for (size_t i = 0; i < words; i++)
        memcpy(text + 10 + 4 * i, "a b ", 4);
    strcpy(text + 10 + 4 * words, "\"}\n");
    file_write_text(path, text);
    result = command_run("tokenize", MODEL, "--json-lines", path);
    command_check(&result, 0);
    for (const char *at = result.out; *at; at++)
        spaces += *at == ' ';
    assert_int_equal(spaces, 2 * words + 1);
    command_close(&result);
    free(text);
}

/* Line for line what the published tokenizer gives for thousands of strings, where they are here. */
static void test_tokenize_published(void **state)
{
    const char *path = golden_needed("tokenizer/strings.jsonl"), *vocabulary = golden_needed("../vocabulary");
    command_result result;
    FILE *file;
    char *line = NULL, *found, *rest;
    size_t capacity = 0, count = 0;

    (void)state;
    result = command_run("tokenize", "--vocabulary", vocabulary, "--json-lines", path);
    command_check(&result, 0);
    file = fopen(path, "r");
    found = result.out;
    while (getline(&line, &capacity, file) > 0) {
        json_t *object = json_loads(line, JSON_ALLOW_NUL, NULL), *id;
        char expected[20000] = "49406 ";
        size_t length = strlen(expected), i;

        assert_non_null(object);
        json_array_foreach(json_object_get(object, "ids"), i, id) length +=
            (size_t)sprintf(expected + length, "%d ", (int)json_integer_value(id));
        strcat(expected, "49407");
        rest = strchr(found, '\n');
        assert_non_null(rest);
        *rest = '\0';
        if (!json_is_true(json_object_get(object, "repair")) && strcmp(found, expected) != 0)
            fail_msg("%s\nexpected %s\nfound %s", line, expected, found);
        found = rest + 1;
        count++;
        json_decref(object);
    }
    assert_int_equal(*found, '\0');
    assert_true(count > 0);
    fclose(file);
    free(line);
    command_close(&result);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_features),      cmocka_unit_test(test_blocks),
        cmocka_unit_test(test_attention),     cmocka_unit_test(test_resnet),
        cmocka_unit_test(test_text),          cmocka_unit_test(test_text_from_stdin),
        cmocka_unit_test(test_info),          cmocka_unit_test(test_head_widths),
        cmocka_unit_test(test_tokenize),      cmocka_unit_test(test_tokenize_json_lines),
        cmocka_unit_test(test_tokenize_long), cmocka_unit_test(test_tokenize_published),
    };

    return cmocka_run_group_tests_name("arrays", tests, command_set_up, command_tear_down);
}
