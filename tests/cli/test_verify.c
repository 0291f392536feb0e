/* `lancet verify`: sound folders pass, a changed number is found, and whatever a stranger's folder holds ends
 * in a sentence. SPDX-License-Identifier: Apache-2.0 */
#include "support/arrays.h"
#include "support/command.h"

#include <jansson.h>

#define TINY TESTS_FOLDER "/golden/tiny"

/* A copy of a golden folder that may be broken. */
static char *copy_folder(const char *from)
{
    char command[3 * TEST_PATH_SIZE];
    char *copy = folder_make();

    snprintf(command, sizeof command, "cp -r '%s'/. '%s' && chmod -R u+w '%s'", from, copy, copy);
    assert_int_equal(system(command), 0);
    return copy;
}

static char *copy_tiny(void)
{
    return copy_folder(TINY);
}

/* Everything passes; the numbers differ from machine to machine, so the table's form is checked and not its
 * text. */
static void check_pass(const char *const *arguments)
{
    command_result result = command_run_with(NULL, arguments);
    size_t passes = 0;

    if (result.status != 0)
        fail_msg("status %d\n%s%s", result.status, result.out, result.err);
    assert_memory_equal(result.out, "stage ", 6);
    for (const char *at = result.out; (at = strstr(at, " pass\n")); at++)
        passes++;
    assert_true(passes >= 5);
    assert_null(strstr(result.out, "FAIL"));
    assert_non_null(strstr(result.out, " passed, 0 failed\n"));
    command_close(&result);
}

static void test_tiny(void **state)
{
    (void)state;
    check_pass((const char *const[]){"verify", TINY, NULL});
    check_pass((const char *const[]){"verify", TESTS_FOLDER "/golden/tiny_hf", NULL});
    check_pass((const char *const[]){"verify", TESTS_FOLDER "/golden/tiny_open_clip", NULL});
    check_pass((const char *const[]){"verify", TESTS_FOLDER "/golden/tiny_gguf", NULL});
    check_pass((const char *const[]){"verify", TESTS_FOLDER "/golden/tiny_odd", "--threads", "1", NULL});
    check_pass((const char *const[]){"verify", TESTS_FOLDER "/golden/tiny_rn", NULL});
}

/* Several sets with one vocabulary, as in <folder>/vocabulary and <folder>/sets/one. */
static void test_shared_vocabulary(void **state)
{
    static const char *const places[] = {"one/vocabulary", "vocabulary", "../vocabulary"};
    char command[3 * TEST_PATH_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        char *folder = folder_make();

        snprintf(command, sizeof command,
                 "mkdir '%s/sets' && cd '%s/sets' && cp -r '%s' one && chmod -R u+w one && mkdir %s && mv "
                 "one/vocab.json one/merges.txt %s",
                 folder, folder, TINY, places[i], places[i]);
        assert_int_equal(system(command), 0);
        check_pass((const char *const[]){"verify", path_of(folder, "sets/one"), NULL});
        folder_remove(folder);
    }
}

static void test_published(void **state)
{
    static const char *const sets[] = {"vit_a", "rn_a", "open_clip_a", "gguf"};
    static const char *const containers[][2] = {{"vit_a", "containers/hf/model.safetensors"},
                                                {"vit_a", "containers/state_dict.pt"},
                                                {"vit_a", "containers/torchscript.pt"},
                                                {"rn_a", "containers/state_dict.pt"},
                                                {"rn_a", "containers/torchscript.pt"}};
    const char *vocabulary = golden_needed("../vocabulary");

    (void)state;
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++)
        check_pass((const char *const[]){"verify", golden_needed(sets[i]), "--vocabulary", vocabulary, NULL});
    for (size_t i = 0; i < sizeof containers / sizeof *containers; i++) {
        const char *folder = golden_needed(containers[i][0]);

        check_pass((const char *const[]){"verify", folder, "-m", path_of(folder, containers[i][1]),
                                         "--vocabulary", vocabulary, NULL});
    }
}

static const json_t *find_row(const json_t *root, const char *name)
{
    const json_t *row;
    size_t i;

    json_array_foreach(json_object_get(root, "stages"), i, row)
    {
        if (strcmp(json_string_value(json_object_get(row, "stage")), name) == 0)
            return row;
    }
    fail_msg("no stage %s", name);
    return NULL;
}

static const char *result_of(const json_t *root, const char *name)
{
    return json_string_value(json_object_get(find_row(root, name), "result"));
}

/* The published code's attention, in the list of the other methods beside the first one. */
static void test_published_attention(void **state)
{
    static const char *const sets[] = {"vit_a", "rn_a"}, *const sides[] = {"48", "128"},
                             *const kinds[] = {"raw", "vv"};
    const char *vocabulary = golden_needed("../vocabulary");

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        command_result result =
            command_run("verify", golden_needed(sets[i]), "--vocabulary", vocabulary, "--json");
        json_t *root = json_loads(result.out, 0, NULL);

        command_check(&result, 0);
        for (size_t k = 0; k < 2; k++) {
            char name[100];

            snprintf(name, sizeof name, "2007_000032/%s/baselines/attn_%s", sides[i], kinds[k]);
            assert_string_equal(result_of(root, name), "pass");
        }
        json_decref(root);
        command_close(&result);
    }
}

static json_t *verify_json(const char *folder, int status)
{
    command_result result = command_run("verify", folder, "--json");
    json_t *root;

    command_check(&result, status);
    root = json_loads(result.out, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(root);
    assert_int_equal(json_integer_value(json_object_get(root, "status")), status);
    command_close(&result);
    return root;
}

/* One value that is a little off is a failed check, in its stage and in no other. */
static void test_difference(void **state)
{
    char *folder = copy_tiny();
    const char *path = path_of(folder, "scene/48/plain.npy"), *tokens = path_of(folder, "text/tokens.npy");
    lancet_npy plain = array_read(path), ids = array_read(tokens);
    float largest = 0;
    json_t *root;

    (void)state;
    for (size_t i = 0; i < plain.count; i++)
        largest = fmaxf(largest, fabsf(((float *)plain.values)[i]));
    ((float *)plain.values)[100] += largest * 3e-4f;
    assert_int_equal(lancet_npy_write(path, plain.type, plain.shape, plain.rank, plain.values, NULL),
                     LANCET_OK);
    ((int32_t *)ids.values)[3]++;
    assert_int_equal(lancet_npy_write(tokens, ids.type, ids.shape, ids.rank, ids.values, NULL), LANCET_OK);
    root = verify_json(folder, 1);
    assert_string_equal(result_of(root, "scene/48/plain"), "fail");
    assert_true(fabs(json_real_value(json_object_get(find_row(root, "scene/48/plain"), "max_abs")) - 3e-4) <
                2e-5);
    assert_string_equal(result_of(root, "text/tokens"), "fail");
    assert_true(json_real_value(json_object_get(find_row(root, "text/tokens"), "max_abs")) == 1);
    assert_string_equal(result_of(root, "scene/48/surgery"), "pass");
    assert_string_equal(result_of(root, "shapes/48/plain"), "pass");
    json_decref(root);
    command_expect(1, "verify", folder);
    /* Not a number agrees with nothing. */
    ((float *)plain.values)[100] = NAN;
    assert_int_equal(lancet_npy_write(path, plain.type, plain.shape, plain.rank, plain.values, NULL),
                     LANCET_OK);
    root = verify_json(folder, 1);
    assert_string_equal(result_of(root, "scene/48/plain"), "fail");
    json_decref(root);
    lancet_npy_close(&plain);
    lancet_npy_close(&ids);
    folder_remove(folder);
}

static json_t *manifest_read(const char *folder)
{
    json_t *root = json_load_file(path_of(folder, "manifest.json"), 0, NULL);

    assert_non_null(root);
    return root;
}

static void manifest_write(const char *folder, json_t *root)
{
    assert_int_equal(json_dump_file(root, path_of(folder, "manifest.json"), 0), 0);
    json_decref(root);
}

/* What is listed and not there, what is not known, and what is broken, beside what passes. */
static void test_partial(void **state)
{
    char *folder = copy_tiny();
    json_t *root = manifest_read(folder), *arrays = json_object_get(root, "arrays");

    (void)state;
    json_object_set_new(arrays, "scene/48/baselines/gradcam", json_object());
    json_object_set_new(arrays, "something", json_null());
    json_object_set_new(json_object_get(arrays, "scene/48/map"), "shape", json_pack("[i]", 3));
    json_object_set_new(json_object_get(arrays, "scene/64/points"), "points", json_pack("[i]", 3));
    manifest_write(folder, root);
    assert_int_equal(unlink(path_of(folder, "scene/64/surgery.npy")), 0);
    file_write_text(path_of(folder, "text/features.npy"), "not an array");
    /* Nothing that could be checked failed: what could not be decides on the status. */
    root = verify_json(folder, 3);
    assert_string_equal(result_of(root, "scene/48/baselines/gradcam"), "not replayed");
    assert_string_equal(result_of(root, "something"), "not replayed");
    assert_string_equal(result_of(root, "scene/48/map"), "error");
    assert_string_equal(result_of(root, "scene/64/points"), "error");
    assert_string_equal(result_of(root, "text/features"), "error");
    assert_string_equal(result_of(root, "scene/64/surgery"), "absent");
    assert_string_equal(result_of(root, "scene/64/similarity"), "pass");
    json_decref(root);
    folder_remove(folder);
}

/* A folder made for another model: shapes differ, and that is a failed check that says so. */
static void test_other_model(void **state)
{
    command_result result =
        command_run("verify", TINY, "-m", TESTS_FOLDER "/golden/tiny_odd/model.safetensors");

    (void)state;
    command_check(&result, 1);
    assert_non_null(strstr(result.out, "FAIL: the array is [1, 37, 64], this model gives ["));
    command_close(&result);
}

/* Lists that are not what they should be: always a sentence, status 3, and nothing on stdout. */
static void test_malformed(void **state)
{
    static const struct {
        const char *manifest, *says;
    } cases[] = {
        {"", "manifest.json: line 1"},
        {"{", "manifest.json: line 1"},
        {"[]", "expected a JSON object"},
        {"5", "manifest.json"},
        {"{}", "model: expected an object"},
        {"{\"model\": 5, \"arrays\": {}}", "model: expected an object"},
        {"{\"model\": {}}", "arrays: expected an object"},
        {"{\"model\": {}, \"arrays\": []}", "arrays: expected an object"},
        {"{\"model\": {\"texts\": 5}, \"arrays\": {}}", "model.texts: expected a list"},
        {"{\"model\": {\"texts\": [5]}, \"arrays\": {}}", "model.texts: expected texts only"},
        {"{\"model\": {\"token_texts\": {}}, \"arrays\": {}}", "model.token_texts: expected a list"},
        {"{\"model\": {\"activation\": 1}, \"arrays\": {}}", "activation: expected"},
        {"{\"model\": {\"activation\": \"relu\"}, \"arrays\": {}}", "activation: expected"},
        {"{\"model\": {\"head_width\": 0}, \"arrays\": {}}", "head_width: expected"},
        {"{\"model\": {\"head_width\": 1e99}, \"arrays\": {}}", "head_width: expected"},
        {"{\"model\": {\"rn_attn\": \"qk\"}, \"arrays\": {}}", "rn_attn: expected \"vv\" or \"vv-norm8\""},
        {"{\"model\": {\"rn_cls\": 1}, \"arrays\": {}}", "rn_cls: expected \"qk\" or \"vv\""},
        {"{\"model\": {\"text_head_width\": 4097}, \"arrays\": {}}", "text_head_width: expected"},
        {"{\"model\": {\"mean\": [1, 2]}, \"arrays\": {}}", "mean: expected three numbers"},
        {"{\"model\": {\"std\": \"x\"}, \"arrays\": {}}", "std: expected three numbers"},
        {"{\"model\": {}, \"images\": [], \"arrays\": {}}", "images: expected an object"},
        {"{\"model\": {}, \"images\": {\"a\": {}}, \"arrays\": {}}", "a: expected the picture's \"file\""},
        {"{\"model\": {}, \"images\": {\"a\": {\"file\": \"../../x.png\"}}, \"arrays\": {}}", "inside"},
        {"{\"model\": {}, \"images\": {\"a\": {\"file\": \"/x.png\"}}, \"arrays\": {}}", "inside"},
        {"{\"model\": {}, \"images\": {\"a\": {\"file\": \"\"}}, \"arrays\": {}}", "inside"},
        {"{\"model\": {}, \"images\": {\"a\": {\"file\": \"x\", \"width\": -1}}, \"arrays\": {}}",
         "a: expected a width"},
        {"{\"model\": {}, \"images\": {\"a\": {\"file\": \"x\", \"width\": \"5\"}}, \"arrays\": {}}",
         "a: expected a width"},
        {"{\"model\": {}, \"arrays\": {\"../../etc/x\": {}}}", "stays inside the folder"},
        {"{\"model\": {}, \"arrays\": {\"/etc/x\": {}}}", "stays inside the folder"},
        {"{\"model\": {}, \"arrays\": {\"a/../../x/8/map\": {}}}", "stays inside the folder"},
        {"{\"model\": {}, \"arrays\": {\"\": {}}}", "stays inside the folder"},
        {"{\"model\": {}, \"arrays\": {\"b/48/plain\": {}}}", "a picture that \"images\" lists"},
        {"{\"model\": {}, \"images\": {\"a\": {\"file\": \"x\"}}, \"arrays\": {\"a/0/plain\": {}}}",
         "a side of at most"},
        {"{\"model\": {}, \"images\": {\"a\": {\"file\": \"x\"}}, \"arrays\": {\"a/5000/plain\": {}}}",
         "a side of at most"},
        {"{\"model\": {}, \"images\": {\"a\": {\"file\": \"x\"}}, \"arrays\": "
         "{\"a/99999999999999999999/map\": {}}}",
         "a side of at most"},
        {"{\"model\": {}, \"images\": {\"a\": {\"file\": \"x\"}}, \"arrays\": {\"a/48x0/plain\": {}}}",
         "a side of at most"},
        {"{\"model\": {}, \"images\": {\"a\": {\"file\": \"x\"}}, \"arrays\": {\"a/5000x48-48-24/map\": {}}}",
         "a side of at most"},
        {"{\"model\": {}, \"arrays\": {\"b/48x64/block_1\": {}}}", "a picture that \"images\" lists"},
        {"{\"model\": {}, \"arrays\": {\"a\": {}, \"a\": {}}}", "duplicate"},
        {"{\"model\": {}, \"arrays\": {\"\xFF\": {}}}", "manifest.json"},
    };
    char *folder = copy_tiny();

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        file_write_text(path_of(folder, "manifest.json"), cases[i].manifest);
        command_expect_says(3, cases[i].says, "verify", folder);
    }
    folder_remove(folder);
}

/* Lists that are sound and say too much or nothing at all. */
static void test_nothing_to_check(void **state)
{
    char *folder = copy_tiny();
    command_result result;

    (void)state;
    file_write_text(path_of(folder, "manifest.json"), "{\"model\": {}, \"arrays\": {}}");
    result = command_run("verify", folder);
    command_check(&result, 3);
    assert_non_null(strstr(result.err, "expected arrays to check, found none"));
    command_close(&result);
    file_write_text(path_of(folder, "manifest.json"), "{\"model\": {}, \"arrays\": {\"text/ensemble\": {}}}");
    result = command_run("verify", folder);
    command_check(&result, 1); /* no texts, so nothing of that shape */
    command_close(&result);
    /* A name must not reach the terminal's own language. */
    file_write_text(path_of(folder, "manifest.json"),
                    "{\"model\": {}, \"arrays\": {\"\\u001b[31mred\": {}}}");
    result = command_run("verify", folder);
    command_check(&result, 3);
    assert_null(strchr(result.out, 27));
    assert_null(strchr(result.err, 27));
    command_close(&result);
    assert_int_equal(unlink(path_of(folder, "manifest.json")), 0);
    command_expect_says(5, "manifest.json", "verify", folder);
    folder_remove(folder);
}

/* A picture of another size than listed, a broken one, none: the stages that need it say so. */
static void test_pictures(void **state)
{
    char *folder = copy_tiny();
    const char *scene = path_of(folder, "images/scene.png");
    size_t length;
    char *other = file_read(path_of(folder, "images/shapes.jpg"), &length);
    json_t *root;

    (void)state;
    file_write(scene, other, length);
    root = verify_json(folder, 3);
    assert_string_equal(result_of(root, "scene/48/plain"), "error");
    assert_non_null(
        strstr(json_string_value(json_object_get(find_row(root, "scene/48/plain"), "note")), "96 x 64"));
    assert_string_equal(result_of(root, "shapes/48/plain"), "pass");
    json_decref(root);
    file_write(scene, other, length / 3);
    root = verify_json(folder, 3);
    assert_string_equal(result_of(root, "scene/48/map"), "error");
    json_decref(root);
    assert_int_equal(unlink(scene), 0);
    root = verify_json(folder, 5);
    assert_string_equal(result_of(root, "scene/48/points"), "error");
    json_decref(root);
    free(other);
    folder_remove(folder);
}

/* The short form of a list. */
static void test_short_form(void **state)
{
    static const struct {
        const char *list, *says;
    } cases[] = {
        {"{}", "side: expected"},
        {"{\"side\": 48}", "image: expected the picture's \"file\""},
        {"{\"side\": 48, \"image\": \"../x\"}", "inside"},
        {"{\"side\": 0, \"image\": \"scene.png\"}", "side: expected"},
        {"{\"side\": 48, \"image\": \"scene.png\", \"texts\": 1}", "texts: expected a list"},
    };
    char *folder = copy_tiny();
    json_t *root;

    (void)state;
    assert_int_equal(unlink(path_of(folder, "manifest.json")), 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        file_write_text(path_of(folder, "set.json"), cases[i].list);
        command_expect_says(3, cases[i].says, "verify", folder);
    }
    file_write_text(
        path_of(folder, "set.json"),
        "{\"side\": 48, \"image\": \"scene.png\", \"head_width\": 64, \"activation\": \"quickgelu\","
        "\"texts\": [\"airplane\", \"person\", \"grass\", \"tv monitor\", \"potted plant\"]}");
    assert_int_equal(rename(path_of(folder, "scene/48/surgery.npy"), path_of(folder, "surgery.npy")), 0);
    assert_int_equal(rename(path_of(folder, "scene/48/pixels.npy"), path_of(folder, "pixels.npy")), 0);
    assert_int_equal(rename(path_of(folder, "text/features.npy"), path_of(folder, "text.npy")), 0);
    root = verify_json(folder, 0);
    assert_string_equal(result_of(root, "surgery"), "pass");
    assert_string_equal(result_of(root, "pixels"), "pass");
    assert_string_equal(result_of(root, "text"), "pass");
    assert_string_equal(result_of(root, "tokens"), "absent");
    json_decref(root);
    folder_remove(folder);
}

/* A list of GGUF files, each a model of its own. */
static void test_gguf_form(void **state)
{
    static const struct {
        const char *list, *says;
    } cases[] = {
        {"{}", "files: expected an object"},
        {"{\"files\": [1]}", "files: expected an object"},
        {"{\"texts\": 1, \"files\": {}}", "texts: expected a list"},
        {"{\"files\": {\"a\": 1}}", "a: expected \"file\""},
        {"{\"files\": {\"a\": {\"file\": \"../f32.gguf\"}}}", "a: expected \"file\", a name inside"},
        {"{\"files\": {\"a\": {\"file\": \"x\", \"text\": 7}}}", "a: expected the names of arrays"},
        {"{\"files\": {\"a\": {\"file\": \"x\", \"text\": \"/x\"}}}", "a: expected the names of arrays"},
        {"{\"files\": {\"a\": {\"file\": \"x\", \"surgery\": \"x\"}}}", "a: expected \"side\""},
        {"{\"files\": {\"a\": {\"file\": \"x\", \"surgery\": \"x\", \"side\": 48}}}",
         "a: expected the picture"},
    };
    char *folder = copy_folder(TESTS_FOLDER "/golden/tiny_gguf"), *cut;
    command_result result;
    size_t length;
    json_t *root;

    (void)state;
    command_expect_says(2, "names a model for each of its arrays", "verify", folder, "-m",
                        path_of(folder, "f32.gguf"));
    /* A model that is broken, one that is missing and an array that is missing leave the others alone. */
    cut = file_read(path_of(folder, "q4_1.gguf"), &length);
    assert_non_null(cut);
    file_write(path_of(folder, "q4_1.gguf"), cut, length - 64);
    free(cut);
    root = verify_json(folder, 3);
    assert_true(json_is_null(json_object_get(root, "model")));
    assert_string_equal(result_of(root, "q4_1/text"), "error");
    assert_string_equal(result_of(root, "q4_1/surgery"), "error");
    assert_string_equal(result_of(root, "q5_0/surgery"), "pass");
    json_decref(root);
    result = command_run_with(NULL, (const char *const[]){"verify", folder, NULL});
    assert_int_equal(result.status, 3);
    assert_non_null(strstr(result.err, "q4_1.gguf: tensor "));
    command_close(&result);
    assert_int_equal(unlink(path_of(folder, "q4_1.gguf")), 0);
    assert_int_equal(unlink(path_of(folder, "f16.text.npy")), 0);
    root = verify_json(folder, 5);
    assert_string_equal(result_of(root, "q4_1/text"), "error");
    assert_string_equal(result_of(root, "f16/text"), "absent");
    assert_string_equal(result_of(root, "f16/surgery"), "pass");
    json_decref(root);
    /* The numbers of one type are not another's. */
    assert_int_equal(rename(path_of(folder, "q8_0.gguf"), path_of(folder, "q4_1.gguf")), 0);
    assert_int_equal(rename(path_of(folder, "f32.gguf"), path_of(folder, "q8_0.gguf")), 0);
    root = verify_json(folder, 1);
    assert_string_equal(result_of(root, "q8_0/surgery"), "fail");
    assert_string_equal(result_of(root, "q5_0/text"), "pass");
    json_decref(root);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        file_write_text(path_of(folder, "gguf.json"), cases[i].list);
        command_expect_says(3, cases[i].says, "verify", folder);
    }
    folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tiny),        cmocka_unit_test(test_shared_vocabulary),
        cmocka_unit_test(test_published),   cmocka_unit_test(test_published_attention),
        cmocka_unit_test(test_difference),  cmocka_unit_test(test_partial),
        cmocka_unit_test(test_other_model), cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_pictures),    cmocka_unit_test(test_nothing_to_check),
        cmocka_unit_test(test_short_form),  cmocka_unit_test(test_gguf_form),
    };

    return cmocka_run_group_tests_name("verify", tests, command_set_up, command_tear_down);
}
