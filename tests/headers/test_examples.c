/* The examples, run as a reader would: they end well, and the numbers they print are the golden ones.
 * SPDX-License-Identifier: Apache-2.0 */
#include "lancet/npy.h"

#include "support/files.h"

#include <jansson.h>
#include <math.h>

#define GOLDEN TESTS_FOLDER "/golden/tiny"
#define MODEL  GOLDEN "/model.safetensors"

/* The label set of the golden folder's manifest. */
static const char *const words[] = {"airplane", "person", "grass", "tv monitor", "potted plant"};
#define WORD_COUNT (sizeof words / sizeof *words)
#define ALL_WORDS  "'airplane' 'person' 'grass' 'tv monitor' 'potted plant'"

static char *folder;

/* Runs examples/example_NAME in `folder`; what it printed is in the file said.txt there. Returns its exit
 * status. */
static int run(const char *name, const char *arguments)
{
    char command[4 * TEST_PATH_SIZE], build[TEST_PATH_SIZE];
    int result;

    snprintf(build, sizeof build, "%s", LANCET_COMMAND);
    *strrchr(build, '/') = '\0';
    snprintf(command, sizeof command, "cd '%s' && '%s/examples/example_%s' %s >said.txt 2>&1", folder, build,
             name, arguments);
    result = system(command);
    return result >= 0 ? result >> 8 : -1;
}

static char *said(void)
{
    char *text = file_read(path_of(folder, "said.txt"), NULL);

    assert_non_null(text);
    return text;
}

/* The rest of the line of `text` that begins with `start`, after it; fails if there is none. */
static const char *line_of(const char *text, const char *start)
{
    const size_t length = strlen(start);

    for (const char *at = text; at; at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL)
        if (strncmp(at, start, length) == 0)
            return at + length;
    fail_msg("no line begins with '%s' in:\n%s", start, text);
    return NULL;
}

static lancet_npy golden(const char *name)
{
    lancet_npy array = {0};
    lancet_error error = {0};

    if (lancet_npy_read(&array, path_of(GOLDEN, name), &error) != LANCET_OK)
        fail_msg("%s", error.message);
    assert_int_equal(array.type, LANCET_NPY_FLOAT32);
    return array;
}

/* One call: the range of scores of each word. */
static void test_explain_picture(void **state)
{
    lancet_npy similarity = golden("scene/48/similarity.npy"); /* [1, N, T] */
    const float *scores = similarity.values;
    char *text;

    (void)state;
    assert_int_equal(run("explain_picture", MODEL " " GOLDEN "/images/scene.png " ALL_WORDS), 0);
    text = said();
    for (size_t t = 0; t < WORD_COUNT; t++) {
        double low = INFINITY, high = -INFINITY, found_low, found_high;
        char start[64];

        for (size_t i = 1; i < similarity.shape[1]; i++) {
            low = fmin(low, (double)scores[i * WORD_COUNT + t]);
            high = fmax(high, (double)scores[i * WORD_COUNT + t]);
        }
        snprintf(start, sizeof start, "%s: scores from ", words[t]);
        assert_int_equal(sscanf(line_of(text, start), "%lf to %lf", &found_low, &found_high), 2);
        assert_true(fabs(found_low - low) < 1e-4 && fabs(found_high - high) < 1e-4);
    }
    assert_true(path_exists(path_of(folder, "explained.png")));
    free(text);
    lancet_npy_close(&similarity);
}

/* Kept features and a saved bank: the best points, which the manifest lists last among the positive ones. */
static void test_keep_features(void **state)
{
    json_t *manifest = json_load_file(GOLDEN "/manifest.json", 0, NULL);
    json_t *entry = json_object_get(json_object_get(manifest, "arrays"), "scene/48/points");
    json_t *points = json_object_get(entry, "points"); /* a text each: [[x, y], ...], [1, ..., 0, ...] */
    const char *together, *alone;
    char *text;

    (void)state;
    assert_int_equal(json_array_size(points), WORD_COUNT);
    assert_int_equal(run("keep_features", MODEL " " GOLDEN "/images/scene.png " ALL_WORDS), 0);
    text = said();
    assert_true(path_exists(path_of(folder, "words.safetensors")));
    line_of(text, "words.safetensors holds 5 words");
    together = line_of(text, "together:");
    alone = line_of(text, "each alone:");
    assert_true(together < alone);
    for (size_t t = 0; t < WORD_COUNT; t++) {
        json_t *places = json_array_get(json_array_get(points, t), 0);
        json_t *signs = json_array_get(json_array_get(points, t), 1), *place;
        size_t best = 0;
        char start[64];
        int x, y;

        while (json_integer_value(json_array_get(signs, best + 1)) == 1)
            best++;
        place = json_array_get(places, best);
        snprintf(start, sizeof start, "%s: best at x ", words[t]);
        assert_int_equal(sscanf(line_of(together, start), "%d, y %d", &x, &y), 2);
        assert_int_equal(x, json_integer_value(json_array_get(place, 0)));
        assert_int_equal(y, json_integer_value(json_array_get(place, 1)));
        line_of(alone, start);
    }
    json_decref(manifest);
    free(text);
}

/* The inside: a line for each block, the second path from the third block on, and the class token's cosines.
 */
static void test_walk_tokens(void **state)
{
    lancet_npy tokens = golden("scene/48/surgery.npy"); /* [1, N, C] */
    lancet_npy features = golden("text/features.npy");  /* [T, C] */
    const size_t width = features.shape[1];
    char *text;

    (void)state;
    assert_int_equal(run("walk_tokens", MODEL " " GOLDEN "/images/scene.png " ALL_WORDS), 0);
    text = said();
    for (int block = 1; block <= 8; block++) {
        char start[32];
        const char *line, *second;

        snprintf(start, sizeof start, "block %2d: neighbours' cosine ", block);
        line = line_of(text, start);
        second = strstr(line, "second path");
        assert_int_equal(second && second<strchr(line, '\n'), block> 2);
    }
    for (size_t t = 0; t < WORD_COUNT; t++) {
        const float *a = tokens.values, *b = (const float *)features.values + t * width;
        double ab = 0, aa = 0, bb = 0, found;
        char start[64];

        for (size_t i = 0; i < width; i++) {
            ab += (double)a[i] * (double)b[i];
            aa += (double)a[i] * (double)a[i];
            bb += (double)b[i] * (double)b[i];
        }
        snprintf(start, sizeof start, "%s: cosine with the class token ", words[t]);
        assert_int_equal(sscanf(line_of(text, start), "%lf", &found), 1);
        assert_true(fabs(found - ab / sqrt(aa * bb)) < 1e-4);
    }
    free(text);
    lancet_npy_close(&features);
    lancet_npy_close(&tokens);
}

/* What a reader may get wrong ends in a sentence and the status of its kind, not in a crash. */
static void test_mistakes(void **state)
{
    static const char *const names[] = {"explain_picture", "keep_features", "walk_tokens"};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        char *text;

        assert_int_equal(run(names[i], ""), LANCET_ERROR_ARGUMENT);
        assert_int_equal(run(names[i], "missing.safetensors " GOLDEN "/images/scene.png cat"),
                         LANCET_ERROR_IO);
        text = said();
        assert_non_null(strstr(text, "missing.safetensors"));
        free(text);
        assert_int_equal(run(names[i], MODEL " " GOLDEN "/manifest.json cat"), LANCET_ERROR_INPUT);
        text = said();
        assert_non_null(strstr(text, "manifest.json"));
        free(text);
    }
}

static int set_up(void **state)
{
    (void)state;
    folder = folder_make();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    folder_remove(folder);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_explain_picture, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_keep_features, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_walk_tokens, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_mistakes, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
