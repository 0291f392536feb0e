/* `lancet segment` from end to end, on the small model with seeded weights. SPDX-License-Identifier:
 * Apache-2.0 */
#include "lancet/image.h"
#include "lancet/masks.h"

#include "support/arrays.h"
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

static const json_t *at(const json_t *value, const char *path)
{
    char key[100];

    for (size_t length; *path; path += length + (path[length] == '.')) {
        length = strcspn(path, ".");
        snprintf(key, sizeof key, "%.*s", (int)length, path);
        value = *key >= '0' && *key <= '9' ? json_array_get(value, (size_t)atoi(key))
                                           : json_object_get(value, key);
        if (!value)
            fail_msg("%s is missing", path);
    }
    return value;
}

/* Pixels of that colour in a PNG file. */
static size_t count_colour(const char *path, const json_t *colour)
{
    lancet_image *image = NULL;
    lancet_picture picture;
    lancet_error error;
    size_t count = 0;

    if (lancet_image_open(&image, path, NULL, &error) != LANCET_OK)
        fail_msg("%s", error.message);
    picture = lancet_image_picture(image);
    assert_int_equal(picture.width, 96);
    assert_int_equal(picture.height, 64);
    for (size_t i = 0; i < 96 * 64; i++)
        count += picture.rgb[3 * i] == json_integer_value(json_array_get(colour, 0)) &&
                 picture.rgb[3 * i + 1] == json_integer_value(json_array_get(colour, 1)) &&
                 picture.rgb[3 * i + 2] == json_integer_value(json_array_get(colour, 2));
    lancet_image_close(&image);
    return count;
}

/* What the JSON file says is what the PNG file has; colours are VOC's. */
static void test_files(void **state)
{
    static const int colours[][3] = {{128, 0, 0}, {0, 128, 0}, {128, 128, 0}};
    const char *out = path_of(command_folder, "files");
    command_result result =
        command_run("segment", SCENE, MODEL, "-t", " airplane ,plane,; person", "-t", "grass", "-o", out);
    double sum = 0;
    json_t *root;

    (void)state;
    command_check(&result, 0);
    expect_text("segment_files.txt", result.out);
    command_close(&result);
    root = json_read(path_of(out, "scene.segments.json"));
    assert_int_equal(json_array_size(at(root, "classes")), 3);
    assert_string_equal(json_string_value(at(root, "classes.0.class")), "airplane");
    assert_int_equal(json_array_size(at(root, "classes.0.words")), 2);
    assert_string_equal(json_string_value(at(root, "classes.0.words.1")), "plane");
    assert_string_equal(json_string_value(at(root, "classes.2.class")), "grass");
    for (size_t t = 0; t < 3; t++) {
        const json_t *class = json_array_get(at(root, "classes"), t);

        for (size_t c = 0; c < 3; c++)
            assert_int_equal(json_integer_value(json_array_get(at(class, "colour"), c)), colours[t][c]);
        assert_int_equal(json_integer_value(at(class, "value")), t + 1);
        assert_int_equal(json_integer_value(at(class, "pixels")),
                         count_colour(path_of(out, "scene.segments.png"), at(class, "colour")));
        assert_float_equal(json_real_value(at(class, "share")),
                           (double)json_integer_value(at(class, "pixels")) / (96 * 64), 1e-9);
        sum += json_real_value(at(class, "share"));
    }
    assert_float_equal(sum, 1, 1e-9); /* there is no background */
    assert_int_equal(json_integer_value(at(root, "background.pixels")), 0);
    assert_string_equal(json_string_value(at(root, "files.0.path")), "scene.segments.png");
    json_decref(root);
}

static size_t background_pixels(const char *threshold, const char *by)
{
    const char *out = path_of(command_folder, "background");
    json_t *root, *black = json_pack("[i, i, i]", 0, 0, 0);
    size_t count;

    command_expect(0, "segment", SCENE, MODEL, "-t", "cat; dog; sky", "--templates", "none", "-o", out, "-q",
                   "--background", threshold, "--background-by", by);
    root = json_read(path_of(out, "scene.segments.json"));
    count = (size_t)json_integer_value(at(root, "background.pixels"));
    assert_int_equal(count, count_colour(path_of(out, "scene.segments.png"), black));
    assert_string_equal(json_string_value(at(root, "settings.background_by")), by);
    json_decref(black);
    json_decref(root);
    return count;
}

/* The higher the threshold, the more background: of three classes the best has at least a third, and none is
 * certain. */
static void test_background(void **state)
{
    (void)state;
    assert_int_equal(background_pixels("0.33", "probability"), 0);
    assert_int_equal(background_pixels("1.1", "probability"), 96 * 64);
    assert_int_equal(background_pixels("-1.1", "score"), 0);
    assert_int_equal(background_pixels("1.1", "score"), 96 * 64);
}

/* The same bytes whatever the number of threads and the company; pieces come to their own settings. */
static void test_same_bytes(void **state)
{
    static const char *const pieces[][4] = {
        {"--side", "64"}, {"--crops", "2x1", "--side", "48"}, {"--window", "48"}};
    const char *once = path_of(command_folder, "once"), *again = path_of(command_folder, "again");

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        const char *const *p = pieces[i];

        command_expect(0, "segment", SCENE, MODEL, "-t", "cat;dog;sky", "--templates", "none", "-o", once,
                       "-q", "--threads", "1", p[0], p[1], p[2], p[3]);
        command_expect(0, "segment", TINY "/images", MODEL, "-t", "cat;dog;sky", "--templates", "none", "-o",
                       again, "-q", "--threads", "3", p[0], p[1], p[2], p[3]);
        assert_true(files_equal(path_of(once, "scene.segments.png"), path_of(again, "scene.segments.png")));
        assert_true(files_equal(path_of(once, "scene.segments.overlay.png"),
                                path_of(again, "scene.segments.overlay.png")));
        assert_true(path_exists(path_of(again, "shapes.segments.png")));
    }
}

/* Classes from a file, and from a bank; more than a palette has. */
static void test_labels(void **state)
{
    const char *out = path_of(command_folder, "labels"), *direct = path_of(command_folder, "direct");
    const char *list = path_of(command_folder, "list.txt"),
               *bank = path_of(command_folder, "bank.safetensors");
    char many[4000] = "";
    json_t *root, *red = json_pack("[i, i, i]", 128, 0, 0);

    (void)state;
    file_write_text(list, "cat, kitten\n\n , \ndog\n");
    command_expect(0, "segment", SCENE, MODEL, "--labels", list, "--templates", "none", "-o", out, "-q",
                   "--write", "segments");
    command_expect(0, "segment", SCENE, MODEL, "-t", "cat,kitten;dog", "--templates", "none", "-o", direct,
                   "-q", "--write", "segments");
    assert_int_equal(count_colour(path_of(out, "scene.segments.png"), red),
                     count_colour(path_of(direct, "scene.segments.png"), red));
    json_decref(red);
    assert_false(path_exists(path_of(out, "scene.segments.json")));
    command_expect(0, "text", "cat, or two", "dog", MODEL, "--templates", "none", "-o", bank, "-q");
    command_expect(0, "segment", SCENE, MODEL, "--labels", bank, "-o", out, "-q", "--write", "json");
    root = json_read(path_of(out, "scene.segments.json"));
    assert_string_equal(json_string_value(at(root, "classes.0.class")), "cat, or two"); /* not taken apart */
    json_decref(root);
    for (int i = 0; i < 300; i++)
        sprintf(many + strlen(many), "w%d;", i);
    command_expect(0, "segment", SCENE, MODEL, "-t", many, "--templates", "none", "-o", out, "-q", "--json");
    root = json_read(path_of(out, "scene.segments.json"));
    assert_int_equal(json_array_size(at(root, "classes")), 300);
    json_decref(root);
    file_write_text(list, " , \n;\n");
    command_expect_says(3, "expected a class on each line", "segment", SCENE, MODEL, "--labels", list);
    command_expect_says(2, "-t: expected words, found ' , '", "segment", SCENE, MODEL, "-t", " , ");
    command_expect_says(2, "the probability is always 1", "segment", SCENE, MODEL, "-t", "cat",
                        "--background", "0.5");
}

/* The run lengths are those of the PNG's pixels. */
static void test_run_lengths(void **state)
{
    const char *out = path_of(command_folder, "rle");
    uint8_t mask[96 * 64];
    json_t *root;

    (void)state;
    command_expect(0, "segment", SCENE, MODEL, "-t", "cat; dog; sky", "--templates", "none", "-o", out, "-q",
                   "--rle");
    root = json_read(path_of(out, "scene.segments.json"));
    assert_int_equal(json_integer_value(at(root, "classes.0.segmentation.size.0")), 64);
    assert_int_equal(json_integer_value(at(root, "classes.0.segmentation.size.1")), 96);
    for (size_t t = 0; t < 3; t++) {
        const json_t *class = json_array_get(at(root, "classes"), t);
        lancet_image *image = NULL;
        lancet_picture picture;

        assert_int_equal(
            lancet_rle_decode(mask, json_string_value(at(class, "segmentation.counts")), 96, 64, NULL),
            LANCET_OK);
        assert_int_equal(lancet_image_open(&image, path_of(out, "scene.segments.png"), NULL, NULL),
                         LANCET_OK);
        picture = lancet_image_picture(image);
        for (size_t i = 0; i < 96 * 64; i++) {
            bool same = true;

            for (size_t c = 0; c < 3; c++)
                same = same &&
                       picture.rgb[3 * i + c] == json_integer_value(json_array_get(at(class, "colour"), c));
            assert_int_equal(mask[i], same);
        }
        lancet_image_close(&image);
    }
    json_decref(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files),  cmocka_unit_test(test_background),  cmocka_unit_test(test_same_bytes),
        cmocka_unit_test(test_labels), cmocka_unit_test(test_run_lengths),
    };

    return cmocka_run_group_tests_name("segment", tests, command_set_up, command_tear_down);
}
