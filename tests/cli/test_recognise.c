/* `lancet recognise`: table, CSV and JSON say the same; verdicts are by the threshold that is stated.
 * SPDX-License-Identifier: Apache-2.0 */
#include "support/command.h"

#include <jansson.h>
#include <math.h>

#define TINY  TESTS_FOLDER "/golden/tiny"
#define MODEL "-m", TINY "/model.safetensors"
#define SCENE TINY "/images/scene.png"
#define WORDS "-t", "airplane; person; grass; \"tv\", monitor; potted plant"

static json_t *run_json(const char *option, const char *value)
{
    command_result result = command_run("recognise", SCENE, MODEL, WORDS, "--json", "-q", option, value);
    json_t *root, *picture;

    command_check(&result, 0);
    root = json_loads(result.out, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(root);
    picture = json_incref(json_array_get(json_object_get(root, "pictures"), 0));
    json_decref(root);
    command_close(&result);
    return picture;
}

static double number(const json_t *class, const char *key)
{
    const json_t *value = json_object_get(class, key);

    assert_true(json_is_number(value));
    return json_number_value(value);
}

/* How many classes are present; falling cosines; every verdict is what the threshold makes it. */
static size_t check_verdicts(const char *by, const char *threshold)
{
    command_result result = command_run("recognise", SCENE, MODEL, WORDS, "--json", "-q", "--present",
                                        threshold, "--present-by", by);
    json_t *root = json_loads(result.out, JSON_REJECT_DUPLICATES, NULL);
    const json_t *list = json_object_get(json_array_get(json_object_get(root, "pictures"), 0), "classes"),
                 *class;
    size_t i, present = 0;
    double before = INFINITY, sum = 0;

    command_check(&result, 0);
    assert_int_equal(json_array_size(list), 5);
    json_array_foreach(list, i, class)
    {
        const bool is = json_is_true(json_object_get(class, "present"));

        assert_true(number(class, "cosine") <= before);
        before = number(class, "cosine");
        sum += number(class, "softmax");
        assert_int_equal(is, number(class, by) >= atof(threshold) &&
                                 (strcmp(by, "surgery") != 0 || number(class, "empty") >= 0.5));
        present += is;
    }
    assert_true(fabs(sum - 1) < 1e-5);
    json_decref(root);
    command_close(&result);
    return present;
}

static void test_verdicts(void **state)
{
    (void)state;
    assert_int_equal(check_verdicts("softmax", "0"), 5);
    assert_int_equal(check_verdicts("softmax", "1.01"), 0);
    assert_int_equal(check_verdicts("cosine", "-1"), 5);
    assert_int_equal(check_verdicts("cosine", "1.01"), 0);
    assert_int_equal(check_verdicts("empty", "0"), 5);
    check_verdicts("empty", "0.5");
    check_verdicts("surgery", "0");
    assert_int_equal(check_verdicts("surgery", "1e3"), 0);
}

/* Without thresholds: 1 / scale by surgery. */
static void test_default(void **state)
{
    json_t *picture = run_json("--top", "2"), *settings = json_object_get(picture, "settings");

    (void)state;
    assert_string_equal(json_string_value(json_object_get(settings, "present_by")), "surgery");
    assert_true(fabs(number(settings, "present") * number(settings, "scale") - 1) < 1e-6);
    assert_int_equal(json_array_size(json_object_get(picture, "classes")), 2);
    json_decref(picture);
}

/* A line for each class, with what JSON says; names with commas and quotes are quoted. */
static void test_csv(void **state)
{
    command_result result = command_run("recognise", SCENE, MODEL, WORDS, "--csv", "-q");
    json_t *picture = run_json("--top", "5");
    const json_t *list = json_object_get(picture, "classes"), *class;
    char *line = strtok(result.out, "\n");
    bool quoted = false;
    size_t i;

    (void)state;
    command_check(&result, 0);
    assert_string_equal(line, "picture,class,cosine,softmax,surgery,surgery_paper,empty,present");
    json_array_foreach(list, i, class)
    {
        double values[5];
        int present;
        const char *after;

        line = strtok(NULL, "\n");
        assert_non_null(line);
        assert_int_equal(strncmp(line, SCENE ",", strlen(SCENE) + 1), 0);
        after = line + strlen(SCENE) + 1;
        if (strncmp(after, "\"\"\"tv\"\"\",", 9) == 0)
            quoted = true;
        else
            assert_int_equal(strncmp(after, json_string_value(json_object_get(class, "class")), 4), 0);
        after = strrchr(line, ',');
        for (int k = 0; k < 5; k++)
            while (*--after != ',')
                ;
        assert_int_equal(sscanf(after, ",%lf,%lf,%lf,%lf,%lf,%d", &values[0], &values[1], &values[2],
                                &values[3], &values[4], &present),
                         6);
        assert_true(values[0] == number(class, "cosine"));
        assert_true(values[1] == number(class, "softmax"));
        assert_true(values[2] == number(class, "surgery"));
        assert_true(values[3] == number(class, "surgery_paper"));
        assert_true(values[4] == number(class, "empty"));
        assert_int_equal(present, json_is_true(json_object_get(class, "present")));
    }
    assert_true(quoted);
    assert_null(strtok(NULL, "\n"));
    json_decref(picture);
    command_close(&result);
}

/* The table has a row for each class, aligned, and says what the verdict is by. */
static void test_table(void **state)
{
    command_result result = command_run("recognise", SCENE, "none.png", MODEL, "-t",
                                        "\xC3\xBC"
                                        "ber; cat; a rather long class");
    size_t rows = 0, width = 0;

    (void)state;
    command_check(&result, 5);
    assert_non_null(strstr(result.err, "none.png"));
    assert_non_null(strstr(result.out, "(present: surgery at least "));
    assert_non_null(strstr(result.out, ", empty at least 0.5)"));
    for (char *line = strtok(result.out, "\n"); line; line = strtok(NULL, "\n"), rows++)
        if (rows > 1 && strncmp(line, "  (", 3) != 0) {
            size_t columns = 0;

            for (const char *c = line; *c && c < strstr(line, strstr(line, "present") ? "  present" : "  -");
                 c++)
                columns += ((unsigned char)*c & 0xC0) != 0x80;
            assert_true(!width || strchr(line, '-') || columns == width);
            width = strchr(line, '-') ? width : columns;
        }
    assert_int_equal(rows, 6);
    command_close(&result);
}

static void test_wrong(void **state)
{
    const char *bank = path_of(command_folder, "bank.safetensors");

    (void)state;
    command_expect_says(2, "of one class alone it is always 1", "recognise", SCENE, MODEL, "-t", "cat",
                        "--present-by", "softmax", "--present", "0.5");
    command_expect(0, "text", "cat", "dog", MODEL, "--templates", "none", "-o", bank, "-q");
    command_expect(0, "recognise", SCENE, MODEL, "--labels", bank, "-q");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verdicts), cmocka_unit_test(test_default), cmocka_unit_test(test_csv),
        cmocka_unit_test(test_table),    cmocka_unit_test(test_wrong),
    };

    return cmocka_run_group_tests_name("recognise", tests, command_set_up, command_tear_down);
}
