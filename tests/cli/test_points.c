/* `lancet points`: the golden points, in the form that SAM takes. SPDX-License-Identifier: Apache-2.0 */
#include "support/command.h"

#include <jansson.h>

#define TINY  TESTS_FOLDER "/golden/tiny"
#define MODEL "-m", TINY "/model.safetensors"
#define SCENE TINY "/images/scene.png"

static json_t *json_read(const char *path)
{
    json_error_t error;
    json_t *value = json_load_file(path, JSON_REJECT_DUPLICATES, &error);

    if (!value)
        fail_msg("%s: line %d: %s", path, error.line, error.text);
    return value;
}

/* Points of that kind, in their order. */
static json_t *points_of(const json_t *prompt, int label)
{
    json_t *found = json_array(), *place;
    size_t i;

    json_array_foreach(
        json_object_get(prompt, "point_coords"), i,
        place) if (json_integer_value(json_array_get(json_object_get(prompt, "point_labels"), i)) == label)
        json_array_append(found, place);
    return found;
}

/* As lancet explain finds them for one text (which the golden vectors hold), but the negative ones first. */
static void test_as_explain(void **state)
{
    const char *out = path_of(command_folder, "one"), *other = path_of(command_folder, "explain");
    command_result result = command_run("points", SCENE, MODEL, "-t", "potted plant", "-t", "cat", "-o", out);
    json_t *found, *expected, *place, *positive, *negative;
    size_t i, at[2] = {0, 0};

    (void)state;
    command_check(&result, 0);
    expect_text("points_files.txt", result.out);
    command_close(&result);
    command_expect(0, "explain", SCENE, MODEL, "-t", "potted plant", "--redundant", "empty", "--write",
                   "points", "-o", other, "-q");
    found = json_read(path_of(out, "scene-1-potted-plant.sam.json"));
    expected = json_read(path_of(other, "scene-1-potted-plant.points.json"));
    positive = points_of(found, 1);
    negative = points_of(found, 0);
    json_array_foreach(json_object_get(expected, "points"), i, place)
    {
        const bool on = json_integer_value(json_array_get(json_object_get(expected, "labels"), i)) == 1;

        assert_true(json_equal(place, json_array_get(on ? positive : negative, at[on]++)));
    }
    assert_true(i > 0);
    assert_int_equal(at[1], json_array_size(positive));
    assert_int_equal(at[0], json_array_size(negative));
    assert_int_equal(json_integer_value(json_array_get(json_object_get(found, "point_labels"), 0)), 0);
    assert_int_equal(json_integer_value(json_array_get(json_object_get(found, "original_size"), 0)), 64);
    assert_int_equal(json_integer_value(json_array_get(json_object_get(found, "original_size"), 1)), 96);
    assert_true(path_exists(path_of(out, "scene-2-cat.points.overlay.png")));
    json_decref(positive);
    json_decref(negative);
    json_decref(found);
    json_decref(expected);
}

/* "a + b": the positive points of both, one after the other. */
static void test_both(void **state)
{
    const char *out = path_of(command_folder, "both");
    command_result result = command_run("points", SCENE, MODEL, "-t", "grass+ person", "-t", "grass", "-t",
                                        "person", "--json", "--write", "points", "-o", out);
    json_t *root = json_loads(result.out, JSON_REJECT_DUPLICATES, NULL), *positive[3];
    const json_t *prompts = json_object_get(json_array_get(json_object_get(root, "pictures"), 0), "prompts");

    (void)state;
    command_check(&result, 0);
    assert_int_equal(json_array_size(prompts), 3);
    for (size_t i = 0; i < 3; i++)
        positive[i] = points_of(json_array_get(prompts, i), 1);
    assert_string_equal(
        json_string_value(json_array_get(json_object_get(json_array_get(prompts, 0), "texts"), 1)), "person");
    json_array_extend(positive[1], positive[2]);
    assert_true(json_equal(positive[0], positive[1]));
    assert_true(path_exists(path_of(out, "scene-1-grass-person.sam.json")));
    assert_false(path_exists(path_of(out, "scene-1-grass-person.points.overlay.png")));
    for (size_t i = 0; i < 3; i++)
        json_decref(positive[i]);
    json_decref(root);
    command_close(&result);
}

static void test_broken(void **state)
{
    (void)state;
    command_expect(5, "points", "none.png", SCENE, MODEL, "-t", "cat", "-q", "-o",
                   path_of(command_folder, "b"));
    assert_true(path_exists(path_of(command_folder, "b/scene-1-cat.sam.json")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_explain),
        cmocka_unit_test(test_both),
        cmocka_unit_test(test_broken),
    };

    return cmocka_run_group_tests_name("points", tests, command_set_up, command_tear_down);
}
