/* `lancet explain` from end to end, on the small model with seeded weights: what is written, that it is
 * right, that it is the same every time, and what happens to broken pictures. SPDX-License-Identifier:
 * Apache-2.0 */
#include "lancet/image.h"

#include "support/arrays.h"
#include "support/command.h"

#include <dirent.h>
#include <jansson.h>

#define TINY  TESTS_FOLDER "/golden/tiny"
#define MODEL "-m", TINY "/model.safetensors"
#define SCENE TINY "/images/scene.png"
#define TEXTS "-t", "airplane", "-t", "person", "-t", "grass", "-t", "tv monitor", "-t", "potted plant"

static const char *const texts[] = {"airplane", "person", "grass", "tv monitor", "potted plant"};
static const char *const slugs[] = {"airplane", "person", "grass", "tv-monitor", "potted-plant"};
#define TEXT_COUNT 5

/* A fresh folder inside the test's own. */
static const char *fresh(const char *name)
{
    const char *path = path_of(command_folder, name);

    assert_int_equal(mkdir(path, 0777), 0);
    return path;
}

static void copy_file(const char *from, const char *to)
{
    size_t length;
    char *bytes = file_read(from, &length);

    assert_non_null(bytes);
    file_write(to, bytes, length);
    free(bytes);
}

static size_t count_files(const char *folder)
{
    DIR *directory = opendir(folder);
    size_t count = 0;

    assert_non_null(directory);
    for (const struct dirent *entry; (entry = readdir(directory));)
        count += entry->d_name[0] != '.';
    closedir(directory);
    return count;
}

/* Both folders hold files of the same names with the same bytes. */
static void folders_equal(const char *a, const char *b)
{
    DIR *directory = opendir(a);

    assert_non_null(directory);
    assert_int_equal(count_files(a), count_files(b));
    for (const struct dirent *entry; (entry = readdir(directory));)
        if (entry->d_name[0] != '.' && !files_equal(path_of(a, entry->d_name), path_of(b, entry->d_name)))
            fail_msg("%s differs between %s and %s", entry->d_name, a, b);
    closedir(directory);
}

static json_t *json_read(const char *path)
{
    json_error_t error;
    json_t *value = json_load_file(path, JSON_REJECT_DUPLICATES, &error);

    if (!value)
        fail_msg("%s: line %d: %s", path, error.line, error.text);
    return value;
}

/* One file of the picture "scene": its path for a text, by its end. */
static const char *text_file(const char *folder, size_t index, const char *end)
{
    char name[100];

    snprintf(name, sizeof name, "scene-%zu-%s%s", index + 1, slugs[index], end);
    return path_of(folder, name);
}

static void check_picture(const char *path, size_t width, size_t height, const char *format)
{
    lancet_image *image = NULL;
    lancet_error error;
    lancet_picture picture;

    if (lancet_image_open(&image, path, NULL, &error) != LANCET_OK)
        fail_msg("%s", error.message);
    picture = lancet_image_picture(image);
    assert_string_equal(lancet_image_describe(image)->format, format);
    assert_int_equal(picture.width, width);
    assert_int_equal(picture.height, height);
    lancet_image_close(&image);
}

/* The 8-bit, the 16-bit and the float map are one map. */
static void check_maps(const char *folder, size_t index)
{
    lancet_npy map = array_read(text_file(folder, index, ".map.npy"));
    const char *const ends[] = {".map.png", ".map16.png"};

    assert_int_equal(map.rank, 2);
    assert_int_equal(map.shape[0], 64);
    assert_int_equal(map.shape[1], 96);
    for (size_t k = 0; k < 2; k++) {
        lancet_image *image = NULL;
        lancet_picture picture;

        check_picture(text_file(folder, index, ends[k]), 96, 64, "PNG");
        assert_int_equal(lancet_image_open(&image, text_file(folder, index, ends[k]), NULL, NULL), LANCET_OK);
        picture = lancet_image_picture(image);
        for (size_t i = 0; i < map.count; i++) {
            const float value = ((const float *)map.values)[i];
            const int byte = k ? (int)(value * 65535 + 0.5f) >> 8 : (int)(value * 255 + 0.5f);

            assert_int_equal(picture.rgb[i / 96 * picture.stride + i % 96 * 3], byte);
        }
        lancet_image_close(&image);
    }
    lancet_npy_close(&map);
}

/* Raw scores are those of the golden vectors: [1, 1 + 36, T] there, [T, 6, 6] here. */
static void check_scores(const char *folder)
{
    lancet_npy golden = array_read(TINY "/scene/48/similarity.npy");
    lancet_npy found = array_read(path_of(folder, "scene.scores.npy"));
    float *expected = malloc(golden.count * sizeof *expected);

    assert_int_equal(found.rank, 3);
    assert_int_equal(found.shape[0], TEXT_COUNT);
    assert_int_equal(found.shape[1], 6);
    assert_int_equal(found.shape[2], 6);
    for (size_t t = 0; t < TEXT_COUNT; t++)
        for (size_t i = 0; i < 36; i++)
            expected[t * 36 + i] = ((const float *)golden.values)[(1 + i) * TEXT_COUNT + t];
    assert_true(array_difference(expected, found.values, found.count) <= 2e-4);
    free(expected);
    lancet_npy_close(&golden);
    lancet_npy_close(&found);
}

static json_t *need(const json_t *object, const char *key, json_type type)
{
    json_t *value = json_object_get(object, key);
    const bool both_true = json_is_boolean(value) && (type == JSON_TRUE || type == JSON_FALSE);

    if (!value || (json_typeof(value) != type && !both_true))
        fail_msg("JSON key \"%s\" is missing or of another type", key);
    return value;
}

static void need_null(const json_t *object, const char *key)
{
    need(object, key, JSON_NULL);
}

/* The points are those of the golden vectors. */
static void check_points(const json_t *text, const char *folder, size_t index)
{
    json_t *manifest = json_read(TINY "/manifest.json");
    json_t *golden = json_array_get(
        json_object_get(json_object_get(json_object_get(manifest, "arrays"), "scene/48/points"), "points"),
        index);
    json_t *file = json_read(text_file(folder, index, ".points.json"));

    assert_true(json_equal(need(text, "points", JSON_ARRAY), json_array_get(golden, 0)));
    assert_true(json_equal(need(text, "point_labels", JSON_ARRAY), json_array_get(golden, 1)));
    assert_true(json_equal(need(file, "points", JSON_ARRAY), json_array_get(golden, 0)));
    assert_true(json_equal(need(file, "labels", JSON_ARRAY), json_array_get(golden, 1)));
    assert_string_equal(json_string_value(need(file, "text", JSON_STRING)), texts[index]);
    assert_int_equal(json_integer_value(need(file, "width", JSON_INTEGER)), 96);
    assert_int_equal(json_integer_value(need(file, "height", JSON_INTEGER)), 64);
    json_decref(file);
    json_decref(manifest);
}

/* Keys, types and values of one text's entry, against the array of scores. */
static void check_text(const json_t *text, const char *folder, size_t index)
{
    lancet_npy scores = array_read(path_of(folder, "scene.scores.npy"));
    const float *values = (const float *)scores.values + index * 36;
    const json_t *rows = need(text, "scores", JSON_ARRAY);
    float low = values[0], high = values[0];

    assert_string_equal(json_string_value(need(text, "text", JSON_STRING)), texts[index]);
    assert_int_equal(json_array_size(rows), 6);
    for (size_t i = 0; i < 36; i++) {
        const json_t *number = json_array_get(json_array_get(rows, i / 6), i % 6);

        /* Nine digits read back as the float they were. */
        assert_true(json_is_real(number) && (float)json_real_value(number) == values[i]);
        low = fminf(low, values[i]);
        high = fmaxf(high, values[i]);
    }
    assert_true((float)json_real_value(need(text, "score_low", JSON_REAL)) == low);
    assert_true((float)json_real_value(need(text, "score_high", JSON_REAL)) == high);
    assert_false(json_is_true(need(text, "constant", JSON_TRUE)));
    need(text, "class_score", JSON_REAL);
    lancet_npy_close(&scores);
}

/* Every setting is there, as it was in effect. */
static void check_settings(const json_t *settings)
{
    static const char *const words[][2] = {{"path", "surgery"}, {"redundant", "labels"}, {"form", "code"},
                                           {"order", "code"},   {"templates", "85"},     {"colours", "jet"}};
    static const struct {
        const char *key;
        int value;
    } numbers[] = {{"side", 48},         {"input_width", 48}, {"input_height", 48},
                   {"surgery_start", 3}, {"surgery_last", 6}, {"template_count", 85}};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        assert_string_equal(json_string_value(need(settings, words[i][0], JSON_STRING)), words[i][1]);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        assert_int_equal(json_integer_value(need(settings, numbers[i].key, JSON_INTEGER)), numbers[i].value);
    assert_true(json_real_value(need(settings, "tau", JSON_REAL)) == 2);
    assert_true(json_real_value(need(settings, "threshold", JSON_REAL)) == 0.8);
    assert_int_equal(json_array_size(need(settings, "mean", JSON_ARRAY)), 3);
    assert_int_equal(json_array_size(need(settings, "std", JSON_ARRAY)), 3);
    assert_false(json_is_true(need(settings, "ignore_orientation", JSON_TRUE)));
    need(settings, "vocabulary", JSON_STRING);
    need_null(settings, "window");
    need_null(settings, "stride");
    need_null(settings, "labels");
    need_null(settings, "note");
}

static void check_description(const json_t *root)
{
    const json_t *picture = need(root, "picture", JSON_OBJECT), *model = need(root, "model", JSON_OBJECT);
    const json_t *grid = need(root, "grid", JSON_OBJECT);

    need(root, "lancet", JSON_STRING);
    assert_string_equal(json_string_value(need(picture, "path", JSON_STRING)), SCENE);
    assert_int_equal(json_integer_value(need(picture, "width", JSON_INTEGER)), 96);
    assert_int_equal(json_integer_value(need(picture, "height", JSON_INTEGER)), 64);
    assert_string_equal(json_string_value(need(picture, "format", JSON_STRING)), "PNG");
    assert_int_equal(json_string_length(need(model, "hash", JSON_STRING)), 32);
    assert_string_equal(json_string_value(need(model, "path", JSON_STRING)), TINY "/model.safetensors");
    assert_string_equal(json_string_value(need(model, "activation", JSON_STRING)), "quickgelu");
    need(model, "activation_origin", JSON_STRING);
    check_settings(need(root, "settings", JSON_OBJECT));
    assert_int_equal(json_integer_value(need(grid, "height", JSON_INTEGER)), 6);
    assert_int_equal(json_integer_value(need(grid, "width", JSON_INTEGER)), 6);
    assert_int_equal(json_array_size(need(root, "texts", JSON_ARRAY)), TEXT_COUNT);
    assert_int_equal(json_array_size(need(root, "warnings", JSON_ARRAY)), 0);
}

/* Every listed file is there, every file that is there is listed. */
static void check_files(const json_t *root, const char *folder)
{
    const json_t *files = need(root, "files", JSON_ARRAY), *file;
    size_t i;

    assert_int_equal(json_array_size(files), count_files(folder));
    json_array_foreach(files, i, file)
    {
        const char *path = json_string_value(need(file, "path", JSON_STRING));
        const bool whole = strcmp(path, "scene.json") == 0 || strcmp(path, "scene.scores.npy") == 0;

        need(file, "kind", JSON_STRING);
        assert_true(path_exists(path_of(folder, path)));
        need(file, "text", whole ? JSON_NULL : JSON_STRING);
    }
}

static void test_everything(void **state)
{
    const char *folder = path_of(command_folder, "every/thing");
    command_result result = command_run("explain", SCENE, MODEL, TEXTS, "--write",
                                        "overlay,map,map16,npy,json,points", "-o", folder);
    json_t *root;

    (void)state;
    command_check(&result, 0);
    expect_text("explain_notes.txt", result.err);
    expect_text("explain_files.txt", result.out);
    command_close(&result);
    assert_int_equal(count_files(folder), 5 * TEXT_COUNT + 2);
    root = json_read(path_of(folder, "scene.json"));
    check_description(root);
    check_files(root, folder);
    check_scores(folder);
    for (size_t t = 0; t < TEXT_COUNT; t++) {
        const json_t *text = json_array_get(json_object_get(root, "texts"), t);

        check_text(text, folder, t);
        check_points(text, folder, t);
        check_maps(folder, t);
    }
    json_decref(root);
}

/* The overlay is at least 320 wide, has the picture above and the legend below, and is what is written by
 * default. */
static void test_overlay(void **state)
{
    const char *folder = path_of(command_folder, "overlay");
    lancet_image *image = NULL;

    (void)state;
    command_expect(0, "explain", SCENE, MODEL, "-t", "dog", "-o", folder, "-q", "--note", "a note");
    assert_int_equal(count_files(folder), 1);
    assert_int_equal(lancet_image_open(&image, path_of(folder, "scene-1-dog.overlay.png"), NULL, NULL),
                     LANCET_OK);
    assert_int_equal(lancet_image_picture(image).width, 384);
    assert_true(lancet_image_picture(image).height > 256);
    lancet_image_close(&image);
}

/* Each kind by itself writes its own files and no other. */
static void test_kinds(void **state)
{
    static const char *const kinds[][3] = {{"overlay", "scene-1-dog.overlay.png"},
                                           {"map", "scene-1-dog.map.png"},
                                           {"map16", "scene-1-dog.map16.png"},
                                           {"npy", "scene-1-dog.map.npy", "scene.scores.npy"},
                                           {"json", "scene.json"},
                                           {"points", "scene-1-dog.points.json"}};

    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const char *folder = path_of(command_folder, kinds[i][0]);

        command_expect(0, "explain", SCENE, MODEL, "-t", "dog", "--write", kinds[i][0], "-o", folder, "-q");
        assert_int_equal(count_files(folder), kinds[i][2] ? 2 : 1);
        assert_true(path_exists(path_of(folder, kinds[i][1])));
        if (kinds[i][2])
            assert_true(path_exists(path_of(folder, kinds[i][2])));
    }
}

#define ALL_KINDS "--write", "overlay,map,map16,npy,json,points"

/* The same bytes when run again, over the old files, and with another number of threads. */
static void test_same_bytes(void **state)
{
    const char *once = path_of(command_folder, "once"), *again = path_of(command_folder, "again");

    (void)state;
    command_expect(0, "explain", TINY "/images", MODEL, TEXTS, ALL_KINDS, "-o", once, "--threads", "1", "-q");
    command_expect(0, "explain", TINY "/images", MODEL, TEXTS, ALL_KINDS, "-o", again, "--threads", "2",
                   "-q");
    folders_equal(once, again);
    command_expect(0, "explain", TINY "/images", MODEL, TEXTS, ALL_KINDS, "-o", again, "--threads", "3",
                   "-q");
    folders_equal(once, again);
}

/* A picture gives the same alone as among others. */
static void test_alone(void **state)
{
    const char *among = path_of(command_folder, "among"), *alone = path_of(command_folder, "alone");

    (void)state;
    command_expect(0, "explain", SCENE, TINY "/images/shapes.jpg", SCENE, MODEL, TEXTS, "--write", "npy",
                   "-o", among, "-q");
    command_expect(0, "explain", SCENE, MODEL, TEXTS, "--write", "npy", "-o", alone, "-q");
    assert_true(files_equal(path_of(among, "scene.scores.npy"), path_of(alone, "scene.scores.npy")));
    assert_true(files_equal(path_of(among, "scene_2.scores.npy"), path_of(alone, "scene.scores.npy")));
}

/* A folder with one broken picture: the others are done, the broken one is named, the status is 3. */
static void test_broken_picture(void **state)
{
    const char *pictures = fresh("pictures"), *out = path_of(command_folder, "broken-out");
    size_t length;
    char *bytes = file_read(TINY "/images/shapes.jpg", &length);
    command_result result;
    json_t *root;

    (void)state;
    copy_file(SCENE, path_of(pictures, "a.PNG"));
    file_write(path_of(pictures, "b.jpg"), bytes, length / 2);
    copy_file(SCENE, path_of(pictures, "c.png"));
    file_write_text(path_of(pictures, "notes.txt"), "no picture");
    copy_file(SCENE,
              path_of(pictures, "d-1-x.overlay.png")); /* as written by an earlier run: not a picture */
    copy_file(SCENE, path_of(pictures, ".hidden.png"));
    free(bytes);
    result = command_run("explain", pictures, MODEL, "-t", "dog", "-o", out);
    command_check(&result, 3);
    assert_non_null(strstr(result.err, "b.jpg: "));
    assert_null(strstr(result.err, "a.PNG"));
    assert_int_equal(count_files(out), 2);
    assert_true(path_exists(path_of(out, "a-1-dog.overlay.png")));
    assert_true(path_exists(path_of(out, "c-1-dog.overlay.png")));
    command_close(&result);
    /* The summary tells the same. */
    result = command_run("explain", pictures, MODEL, "-t", "dog", "-o", out, "--json");
    command_check(&result, 3);
    root = json_loads(result.out, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(root);
    assert_int_equal(json_integer_value(need(root, "status", JSON_INTEGER)), 3);
    assert_int_equal(json_array_size(need(root, "pictures", JSON_ARRAY)), 3);
    assert_int_equal(json_integer_value(
                         need(json_array_get(json_object_get(root, "pictures"), 1), "status", JSON_INTEGER)),
                     3);
    json_decref(root);
    command_close(&result);
    /* A missing one among good ones. */
    result = command_run("explain", "none.png", SCENE, MODEL, "-t", "dog", "-o", out);
    command_check(&result, 5);
    assert_non_null(strstr(result.err, "none.png"));
    assert_true(path_exists(path_of(out, "scene-1-dog.overlay.png")));
    command_close(&result);
}

/* The summary: files with paths that can be opened, no grids of scores. */
static void test_summary(void **state)
{
    const char *out = path_of(command_folder, "summary");
    command_result result =
        command_run("explain", SCENE, MODEL, TEXTS, "--json", "--write", "map,json", "-o", out);
    const json_t *picture, *file;
    json_t *root;
    size_t i;

    (void)state;
    command_check(&result, 0);
    root = json_loads(result.out, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(root);
    picture = json_array_get(need(root, "pictures", JSON_ARRAY), 0);
    check_description(picture);
    assert_int_equal(json_array_size(need(picture, "files", JSON_ARRAY)), TEXT_COUNT + 1);
    json_array_foreach(json_object_get(picture, "files"), i, file)
        assert_true(path_exists(json_string_value(need(file, "path", JSON_STRING))));
    json_array_foreach(json_object_get(picture, "texts"), i, file)
        assert_null(json_object_get(file, "scores"));
    json_decref(root);
    command_close(&result);
}

/* Names stay apart: two pictures of one name, texts that look alike in a name, a picture called like
 * another's file. */
static void test_names(void **state)
{
    const char *one = fresh("one"), *two = fresh("two"), *out = path_of(command_folder, "names");
    const char *cat = path_of(one, "cat.png"), *cat_1 = path_of(one, "cat-1.png"),
               *other = path_of(two, "cat.png");
    command_result result;

    (void)state;
    copy_file(SCENE, cat);
    copy_file(SCENE, cat_1);
    copy_file(TINY "/images/shapes.jpg", other);
    result = command_run("explain", cat, cat_1, other, MODEL, "-t", "A b!", "-t", "a-b", "-t", "???", "-t",
                         "1-a b", "-t",
                         "\xC3\x9C"
                         "ber \xE7\x8C\xAB",
                         "--write", "points", "-o", out);
    command_check(&result, 0);
    expect_text("explain_names.txt", result.out);
    assert_int_equal(count_files(out), 15);
    command_close(&result);
}

/* Words from a file, or encoded before: the same as on the command line. */
static void test_labels(void **state)
{
    const char *direct = path_of(command_folder, "direct"), *listed = path_of(command_folder, "listed");
    const char *banked = path_of(command_folder, "banked"), *single = path_of(command_folder, "single");
    const char *list = path_of(command_folder, "list.txt"),
               *bank = path_of(command_folder, "bank.safetensors");
    json_t *root;

    (void)state;
    file_write_text(list, "airplane\r\nperson\n\n  \ngrass\ntv monitor\npotted plant");
    command_expect(0, "explain", SCENE, MODEL, TEXTS, "--write", "npy,json", "-o", direct, "-q");
    command_expect(0, "explain", SCENE, MODEL, "--labels", list, "--write", "npy", "-o", listed, "-q");
    command_expect(0, "text", MODEL, "--labels", list, "-o", bank, "-q");
    command_expect(0, "explain", SCENE, MODEL, "--labels", bank, "--write", "npy,json", "-o", banked, "-q");
    assert_true(files_equal(path_of(direct, "scene.scores.npy"), path_of(listed, "scene.scores.npy")));
    assert_true(files_equal(path_of(direct, "scene.scores.npy"), path_of(banked, "scene.scores.npy")));
    root = json_read(path_of(banked, "scene.json"));
    assert_string_equal(json_string_value(need(need(root, "settings", JSON_OBJECT), "labels", JSON_STRING)),
                        bank);
    need_null(json_object_get(root, "settings"), "templates");
    json_decref(root);
    /* A bank holds the empty string's feature too, and one of another model is refused. */
    command_expect(0, "explain", SCENE, MODEL, "--labels", bank, "--redundant", "empty", "-o", single, "-q");
    command_expect_says(2, "scene.png", "explain", SCENE, "-m",
                        TESTS_FOLDER "/golden/tiny_hf/model.safetensors", "--labels", bank, "-o", single);
}

/* With one text the empty string is subtracted; what is asked for is what is noted. */
static void test_settings(void **state)
{
    const char *out = path_of(command_folder, "settings"),
               *templates = path_of(command_folder, "templates.txt");
    const json_t *settings;
    json_t *root;

    (void)state;
    command_expect(0, "explain", SCENE, MODEL, "-t", "dog", "--write", "json", "-o", out, "-q");
    root = json_read(path_of(out, "scene.json"));
    settings = need(root, "settings", JSON_OBJECT);
    assert_string_equal(json_string_value(need(settings, "redundant", JSON_STRING)), "empty");
    need_null(settings, "form");
    need_null(settings, "tau");
    json_decref(root);
    file_write_text(templates, "# two of them\na {}\nthe {}\n");
    command_expect(0, "explain", SCENE, MODEL, "-t", "dog", "-t", "cat", "--write=json", "-o", out, "-q",
                   "--path", "plain", "--side=64", "--form", "paper", "--order", "paper", "--tau", "3",
                   "--threshold", "0.5", "--mean", "0.5,0.25,0.125", "--colours", "viridis", "--note",
                   "hello", "--ignore-orientation", "--templates", templates, "--activation", "gelu");
    root = json_read(path_of(out, "scene.json"));
    settings = need(root, "settings", JSON_OBJECT);
    assert_string_equal(json_string_value(need(settings, "path", JSON_STRING)), "plain");
    assert_int_equal(json_integer_value(need(settings, "side", JSON_INTEGER)), 64);
    assert_string_equal(json_string_value(need(settings, "form", JSON_STRING)), "paper");
    assert_string_equal(json_string_value(need(settings, "order", JSON_STRING)), "paper");
    assert_string_equal(json_string_value(need(settings, "colours", JSON_STRING)), "viridis");
    assert_string_equal(json_string_value(need(settings, "note", JSON_STRING)), "hello");
    assert_string_equal(json_string_value(need(settings, "templates", JSON_STRING)), templates);
    assert_int_equal(json_integer_value(need(settings, "template_count", JSON_INTEGER)), 2);
    assert_true(json_real_value(need(settings, "tau", JSON_REAL)) == 3);
    assert_true(json_real_value(need(settings, "threshold", JSON_REAL)) == 0.5);
    assert_true(json_is_true(need(settings, "ignore_orientation", JSON_TRUE)));
    need_null(settings, "surgery_start");
    need_null(settings, "rn_attn");
    need_null(settings, "rn_cls");
    /* Given alone, --mean leaves the model's own deviation in place. */
    assert_true(json_real_value(json_array_get(need(settings, "mean", JSON_ARRAY), 1)) == 0.25);
    assert_true(fabs(json_real_value(json_array_get(need(settings, "std", JSON_ARRAY), 0)) - 0.26862954) <
                1e-6);
    assert_string_equal(json_string_value(need(need(root, "model", JSON_OBJECT), "activation", JSON_STRING)),
                        "gelu");
    assert_string_equal(
        json_string_value(need(json_object_get(root, "model"), "activation_origin", JSON_STRING)), "option");
    json_decref(root);
}

/* scene.scores.npy [T, height, width] in a folder, against a golden similarity [1, 1 + height * width, T]. */
static void check_grid(const char *folder, const char *similarity, size_t height, size_t width)
{
    lancet_npy expected = array_read(similarity), found = array_read(path_of(folder, "scene.scores.npy"));
    const float *wanted = expected.values, *scores = found.values;
    const size_t cells = height * width;

    assert_int_equal(found.rank, 3);
    assert_true(found.shape[0] == TEXT_COUNT && found.shape[1] == height && found.shape[2] == width);
    assert_int_equal(expected.count, (1 + cells) * TEXT_COUNT);
    /* Scores of at most 0.1: 1e-6 is a few roundings. */
    for (size_t t = 0; t < TEXT_COUNT; t++)
        for (size_t i = 0; i < cells; i++)
            assert_true(fabsf(scores[t * cells + i] - wanted[(1 + i) * TEXT_COUNT + t]) < 1e-6f);
    lancet_npy_close(&expected);
    lancet_npy_close(&found);
}

/* An input that is no square has a grid that is none, and no side. */
static void test_a_wide_input(void **state)
{
    const char *out = path_of(command_folder, "wide");
    const json_t *settings, *grid;
    json_t *root;

    (void)state;
    command_expect(0, "explain", SCENE, MODEL, TEXTS, "--size", "72x40", "--write", "json,npy", "-o", out,
                   "-q");
    root = json_read(path_of(out, "scene.json"));
    settings = need(root, "settings", JSON_OBJECT);
    grid = need(root, "grid", JSON_OBJECT);
    need_null(settings, "side");
    assert_int_equal(json_integer_value(need(settings, "input_width", JSON_INTEGER)), 72);
    assert_int_equal(json_integer_value(need(settings, "input_height", JSON_INTEGER)), 40);
    assert_int_equal(json_integer_value(need(grid, "height", JSON_INTEGER)), 5);
    assert_int_equal(json_integer_value(need(grid, "width", JSON_INTEGER)), 9);
    json_decref(root);
    check_grid(out, TINY "/scene/72x40/similarity.npy", 5, 9);
}

/* Surgery on an attention pool is told as what it was. */
static void test_resnet(void **state)
{
    const char *out = path_of(command_folder, "resnet"),
               *picture = TESTS_FOLDER "/golden/tiny_rn/images/scene.png",
               *weights = TESTS_FOLDER "/golden/tiny_rn/model.safetensors";
    const json_t *settings;
    json_t *root;

    (void)state;
    command_expect(0, "explain", picture, "-m", weights, "-t", "cat", "-t", "sky", "--write", "overlay,json",
                   "-o", out, "-q", "--rn-attn", "vv-norm8");
    root = json_read(path_of(out, "scene.json"));
    settings = need(root, "settings", JSON_OBJECT);
    assert_string_equal(json_string_value(need(settings, "rn_attn", JSON_STRING)), "vv-norm8");
    assert_string_equal(json_string_value(need(settings, "rn_cls", JSON_STRING)), "qk");
    need_null(settings, "surgery_start");
    need_null(settings, "surgery_last");
    assert_string_equal(json_string_value(need(need(root, "model", JSON_OBJECT), "family", JSON_STRING)),
                        "ModifiedResNet");
    assert_int_equal(json_integer_value(need(need(root, "grid", JSON_OBJECT), "height", JSON_INTEGER)), 4);
    json_decref(root);
}

/* Through windows: every kind of file, the scores as numpy has them; without a size the picture keeps its
 * own. */
static void test_windows(void **state)
{
    const char *out = path_of(command_folder, "windows"), *again = path_of(command_folder, "windows-again");
    const json_t *settings;
    json_t *root;

    (void)state;
    command_expect(0, "explain", SCENE, MODEL, TEXTS, "--size", "64x48", "--window", "32", "--stride", "12",
                   "--write", "overlay,map,map16,npy,json,points", "-o", out, "-q", "--threads", "1");
    check_grid(out, TINY "/scene/64x48-32-12/similarity.npy", 12, 16);
    assert_int_equal(count_files(out), 5 * TEXT_COUNT + 2);
    root = json_read(path_of(out, "scene.json"));
    settings = need(root, "settings", JSON_OBJECT);
    assert_int_equal(json_integer_value(need(settings, "window", JSON_INTEGER)), 32);
    assert_int_equal(json_integer_value(need(settings, "stride", JSON_INTEGER)), 12);
    assert_int_equal(json_integer_value(need(settings, "input_width", JSON_INTEGER)), 64);
    assert_int_equal(json_integer_value(need(settings, "input_height", JSON_INTEGER)), 48);
    assert_int_equal(json_integer_value(need(settings, "surgery_start", JSON_INTEGER)), 3);
    json_decref(root);
    command_expect(0, "explain", SCENE, MODEL, TEXTS, "--size", "64x48", "--window", "32", "--stride", "12",
                   "--write", "npy", "-o", again, "-q", "--threads", "2");
    assert_true(files_equal(path_of(out, "scene.scores.npy"), path_of(again, "scene.scores.npy")));
    command_expect(0, "explain", SCENE, MODEL, TEXTS, "--window", "48", "--write", "json", "-o", again, "-q");
    root = json_read(path_of(again, "scene.json"));
    settings = need(root, "settings", JSON_OBJECT);
    assert_int_equal(json_integer_value(need(settings, "stride", JSON_INTEGER)), 24);
    assert_int_equal(json_integer_value(need(settings, "input_width", JSON_INTEGER)), 96);
    assert_int_equal(json_integer_value(need(settings, "input_height", JSON_INTEGER)), 64);
    json_decref(root);
    command_expect_says(2, "scene.png: window: expected whole patches of 8 pixels", "explain", SCENE, MODEL,
                        TEXTS, "--window", "50", "-o", again);
}

/* Words that did not fit are named, in a note and in the JSON. */
static void test_lost_words(void **state)
{
    const char *out = path_of(command_folder, "lost");
    char text[2000] = "";
    command_result result;
    json_t *root;

    (void)state;
    for (int i = 0; i < 90; i++)
        strcat(text, "cat ");
    strcat(text, "zebra");
    result =
        command_run("explain", SCENE, MODEL, "-t", text, "--templates", "none", "--write", "json", "-o", out);
    command_check(&result, 0);
    assert_non_null(strstr(result.err, "zebra\""));
    root = json_read(path_of(out, "scene.json"));
    assert_int_equal(json_array_size(need(root, "warnings", JSON_ARRAY)), 1);
    assert_non_null(
        strstr(json_string_value(json_array_get(json_object_get(root, "warnings"), 0)), "zebra\""));
    json_decref(root);
    command_close(&result);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everything),   cmocka_unit_test(test_overlay),
        cmocka_unit_test(test_kinds),        cmocka_unit_test(test_same_bytes),
        cmocka_unit_test(test_alone),        cmocka_unit_test(test_broken_picture),
        cmocka_unit_test(test_summary),      cmocka_unit_test(test_names),
        cmocka_unit_test(test_labels),       cmocka_unit_test(test_settings),
        cmocka_unit_test(test_a_wide_input), cmocka_unit_test(test_windows),
        cmocka_unit_test(test_resnet),       cmocka_unit_test(test_lost_words),
    };

    return cmocka_run_group_tests_name("explain", tests, command_set_up, command_tear_down);
}
