/* Class lists: the built-in ones against their sources, and files. SPDX-License-Identifier: Apache-2.0 */
#include "lancet/classes.h"
#include "lancet/dataset.h"
#include "support/files.h"

static char *folder;

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

static lancet_classes *open_list(const char *name)
{
    lancet_classes *classes;
    lancet_error error;

    if (lancet_classes_open(&classes, name, &error) != LANCET_OK)
        fail_msg("%s", error.message);
    return classes;
}

static void class_is(const lancet_classes *classes, uint32_t value, const char *name)
{
    const uint16_t label = lancet_classes_label(classes, value);
    const lancet_class *class = lancet_classes_get(classes, label);

    if (!class || strcmp(class->name, name) != 0)
        fail_msg("%s: value %u: expected %s, found %s", lancet_classes_name(classes), value, name,
                 class ? class->name : "none");
}

/* How many there are, and a few values of each, as the data sets' own documents have them. */
static void test_built_in(void **state)
{
    static const struct {
        const char *name;
        size_t count;
        struct {
            uint32_t value;
            const char *name;
        } known[6];
        uint32_t none, ignored; /* UINT32_MAX: no such value */
    } lists[] = {
        {"voc20", 20, {{1, "airplane"}, {11, "dining table"}, {15, "person"}, {20, "tv monitor"}}, 0, 255},
        {"voc20-official",
         20,
         {{1, "aeroplane"}, {11, "diningtable"}, {16, "pottedplant"}, {20, "tvmonitor"}},
         0,
         255},
        {"context59",
         59,
         {{1, "airplane"}, {6, "bicycle"}, {37, "person"}, {55, "tv monitor"}, {59, "wood"}},
         UINT32_MAX,
         0},
        {"context59-official",
         59,
         {{1, "airplane"}, {2, "bicycle"}, {11, "table"}, {15, "person"}, {42, "curtain"}, {45, "plate"}},
         UINT32_MAX,
         0},
        {"coco80",
         80,
         {{1, "person"},
          {13, "stop sign"},
          {44, "bottle"},
          {67, "dining table"},
          {70, "toilet"},
          {90, "toothbrush"}},
         0,
         255},
        {"coco-panoptic133",
         133,
         {{1, "person"}, {92, "banner"}, {171, "brick wall"}, {184, "tree"}, {187, "sky"}, {200, "rug"}},
         UINT32_MAX,
         0},
        {"coco-stuff171",
         171,
         {{0, "person"}, {12, "stop sign"}, {89, "toothbrush"}, {91, "banner"}, {181, "wood"}},
         UINT32_MAX,
         255},
        {"coco-stuff171-train",
         171,
         {{0, "person"}, {11, "stop sign"}, {79, "toothbrush"}, {80, "banner"}, {170, "wood"}},
         UINT32_MAX,
         255},
        {"cityscapes19",
         19,
         {{7, "road"}, {17, "pole"}, {24, "person"}, {28, "bus"}, {31, "train"}, {33, "bicycle"}},
         UINT32_MAX,
         29},
        {"cityscapes19-train",
         19,
         {{0, "road"}, {5, "pole"}, {11, "person"}, {16, "train"}, {18, "bicycle"}},
         UINT32_MAX,
         255},
        {"ade150", 150, {{1, "wall"}, {8, "bed"}, {13, "person"}, {150, "flag"}}, UINT32_MAX, 0},
        {"imagenet-s50",
         50,
         {{1, "goldfish"}, {2, "tiger shark"}, {47, "street sign"}, {50, "agaric"}},
         0,
         1000},
        {"nus-wide81", 81, {{1, "airport"}, {43, "person"}, {81, "zebra"}}, 0, UINT32_MAX},
    };
    size_t count = 0;

    (void)state;
    for (size_t l = 0; l < sizeof lists / sizeof *lists; l++) {
        lancet_classes *classes = open_list(lists[l].name);

        assert_string_equal(lancet_classes_built_in(l)->name, lists[l].name);
        assert_true(strlen(lancet_classes_built_in(l)->about) > 10);
        assert_string_equal(lancet_classes_name(classes), lists[l].name);
        assert_int_equal(lancet_classes_count(classes), lists[l].count);
        for (size_t k = 0; k < 6 && lists[l].known[k].name; k++)
            class_is(classes, lists[l].known[k].value, lists[l].known[k].name);
        if (lists[l].none < UINT32_MAX)
            assert_int_equal(lancet_classes_label(classes, lists[l].none), LANCET_LABEL_NONE);
        if (lists[l].ignored < UINT32_MAX)
            assert_int_equal(lancet_classes_label(classes, lists[l].ignored), LANCET_LABEL_IGNORE);
        for (size_t c = 0; c < lists[l].count; c++) { /* every class has one value, and no name comes twice */
            const lancet_class *class = lancet_classes_get(classes, c);

            assert_int_equal(lancet_classes_label(classes, class->value), c);
            assert_int_equal(class->word_count, 1);
            for (size_t other = 0; other < c; other++)
                assert_string_not_equal(class->name, lancet_classes_get(classes, other)->name);
        }
        lancet_classes_close(&classes);
    }
    while (lancet_classes_built_in(count))
        count++;
    assert_int_equal(count, sizeof lists / sizeof *lists);
}

/* COCO-Stuff's labels.txt, ids 92 to 182; of it MaskCLIP's names are made, and so must ours be. */
static void test_stuff_names(void **state)
{
    static const char *const labels[] = {"banner",
                                         "blanket",
                                         "branch",
                                         "bridge",
                                         "building-other",
                                         "bush",
                                         "cabinet",
                                         "cage",
                                         "cardboard",
                                         "carpet",
                                         "ceiling-other",
                                         "ceiling-tile",
                                         "cloth",
                                         "clothes",
                                         "clouds",
                                         "counter",
                                         "cupboard",
                                         "curtain",
                                         "desk-stuff",
                                         "dirt",
                                         "door-stuff",
                                         "fence",
                                         "floor-marble",
                                         "floor-other",
                                         "floor-stone",
                                         "floor-tile",
                                         "floor-wood",
                                         "flower",
                                         "fog",
                                         "food-other",
                                         "fruit",
                                         "furniture-other",
                                         "grass",
                                         "gravel",
                                         "ground-other",
                                         "hill",
                                         "house",
                                         "leaves",
                                         "light",
                                         "mat",
                                         "metal",
                                         "mirror-stuff",
                                         "moss",
                                         "mountain",
                                         "mud",
                                         "napkin",
                                         "net",
                                         "paper",
                                         "pavement",
                                         "pillow",
                                         "plant-other",
                                         "plastic",
                                         "platform",
                                         "playingfield",
                                         "railing",
                                         "railroad",
                                         "river",
                                         "road",
                                         "rock",
                                         "roof",
                                         "rug",
                                         "salad",
                                         "sand",
                                         "sea",
                                         "shelf",
                                         "sky-other",
                                         "skyscraper",
                                         "snow",
                                         "solid-other",
                                         "stairs",
                                         "stone",
                                         "straw",
                                         "structural-other",
                                         "table",
                                         "tent",
                                         "textile-other",
                                         "towel",
                                         "tree",
                                         "vegetable",
                                         "wall-brick",
                                         "wall-concrete",
                                         "wall-other",
                                         "wall-panel",
                                         "wall-stone",
                                         "wall-tile",
                                         "wall-wood",
                                         "water-other",
                                         "waterdrops",
                                         "window-blind",
                                         "window-other",
                                         "wood"};
    lancet_classes *classes = open_list("coco-stuff171");

    (void)state;
    assert_int_equal(sizeof labels / sizeof *labels, 91);
    for (size_t i = 0; i < 91; i++) {
        const char *hyphen = strchr(labels[i], '-');
        char said[64];

        if (!hyphen)
            snprintf(said, sizeof said, "%s", labels[i]);
        else if (strcmp(hyphen, "-other") == 0 || strcmp(hyphen, "-stuff") == 0)
            snprintf(said, sizeof said, "%.*s", (int)(hyphen - labels[i]), labels[i]);
        else
            snprintf(said, sizeof said, "%s %.*s", hyphen + 1, (int)(hyphen - labels[i]), labels[i]);
        class_is(classes, (uint32_t)(91 + i), said); /* the value is the id less one */
    }
    lancet_classes_close(&classes);
}

/* Both orders of PASCAL Context are of the same classes. */
static void test_context_orders(void **state)
{
    static const char *const official[] = {
        "airplane", "bicycle", "bird",     "boat",       "bottle",   "bus",       "car",    "cat",
        "chair",    "cow",     "table",    "dog",        "horse",    "motorbike", "person", "potted plant",
        "sheep",    "sofa",    "train",    "tv monitor", "bag",      "bed",       "bench",  "book",
        "building", "cabinet", "ceiling",  "cloth",      "computer", "cup",       "door",   "fence",
        "floor",    "flower",  "food",     "grass",      "ground",   "keyboard",  "light",  "mountain",
        "mouse",    "curtain", "platform", "sign",       "plate",    "road",      "rock",   "shelves",
        "sidewalk", "sky",     "snow",     "bedclothes", "track",    "tree",      "truck",  "wall",
        "water",    "window",  "wood"};
    lancet_classes *alphabetical = open_list("context59"), *first_voc = open_list("context59-official");

    (void)state;
    for (uint32_t i = 0; i < 59; i++) {
        class_is(first_voc, i + 1, official[i]);
        assert_string_equal(lancet_classes_get(alphabetical, i)->name,
                            lancet_classes_get(first_voc, i)->name);
        if (i)
            assert_true(strcmp(lancet_classes_get(alphabetical, i - 1)->name,
                               lancet_classes_get(alphabetical, i)->name) < 0);
    }
    lancet_classes_close(&alphabetical);
    lancet_classes_close(&first_voc);
}

static lancet_classes *open_text(const char *text)
{
    file_write_text(path_of(folder, "classes.txt"), text);
    return open_list(path_of(folder, "classes.txt"));
}

static void test_files(void **state)
{
    lancet_classes *classes = open_text("\xEF\xBB\xBF"
                                        "cat, kitten ,\tpussycat\r\ncaf\xC3\xA9\r\nfire engine\n\n\n");

    (void)state;
    assert_int_equal(lancet_classes_count(classes), 3);
    assert_int_equal(lancet_classes_get(classes, 0)->word_count, 3);
    assert_string_equal(lancet_classes_get(classes, 0)->words[1], "kitten");
    assert_string_equal(lancet_classes_get(classes, 0)->words[2], "pussycat");
    class_is(classes, 2, "caf\xC3\xA9");
    class_is(classes, 3, "fire engine");
    assert_int_equal(lancet_classes_label(classes, 0), LANCET_LABEL_NONE);
    assert_int_equal(lancet_classes_label(classes, 255), LANCET_LABEL_IGNORE);
    assert_int_equal(lancet_classes_label(classes, 4), LANCET_LABEL_UNKNOWN);
    assert_int_equal(lancet_classes_label(classes, UINT32_MAX), LANCET_LABEL_UNKNOWN);
    assert_null(lancet_classes_get(classes, 3));
    lancet_classes_close(&classes);

    classes = open_text("65535\tlast\n0\tfirst\n255\tborder\n8\tfirst, other\n");
    assert_int_equal(lancet_classes_count(classes), 3);
    class_is(classes, 0, "first");
    class_is(classes, 8, "first");
    class_is(classes, 255, "border");
    class_is(classes, 65535, "last");
    assert_int_equal(lancet_classes_get(classes, 1)->value, 0);
    assert_int_equal(lancet_classes_get(classes, 1)->word_count, 1);
    lancet_classes_close(&classes);
    assert_null(classes);
    lancet_classes_close(&classes);
    lancet_classes_close(NULL);
}

static void test_refused(void **state)
{
    static const struct {
        const char *text, *says;
    } wrong[] = {
        {"", "expected names of classes, found none"},
        {"\n\n", "expected names of classes, found none"},
        {"cat\n\ndog\n", "line 3: expected no empty line before it"},
        {"cat\ncat\n", "line 2: the class cat is there twice"},
        {"cat,\n", "line 1: expected a name, found none"},
        {"cat,,kitten\n", "line 1: expected a name, found none"},
        {"1\tcat\ndog\n", "line 2: expected a value and a tab"},
        {"cat\n2\tdog\n", "line 2: expected no line with a value and a tab"},
        {"1\tcat\n1\tdog\n", "line 2: the value 1 is there twice"},
        {"65536\tcat\n", "line 1: expected a value of at most 65535"},
        {"99999999999999999999\tcat\n", "line 1: expected a value of at most 65535"},
        {"1\tcat\n2\t\n", "line 2: expected a value and a tab"},
        {"caf\xE9\n", "line 1: expected a name in UTF-8"},
        {"ca\x01t\n", "line 1: expected a name, found the control character 1"},
        {"(background)\n(ignore)\n", "expected names of classes, found none"},
    };
    lancet_classes *classes;
    lancet_error error;
    char *longer = malloc(5001);

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        file_write_text(path_of(folder, "classes.txt"), wrong[i].text);
        classes = (lancet_classes *)1;
        if (lancet_classes_open(&classes, path_of(folder, "classes.txt"), &error) != LANCET_ERROR_INPUT ||
            !strstr(error.message, wrong[i].says) || !strstr(error.message, "classes.txt"))
            fail_msg("expected %s, found %s", wrong[i].says, error.message);
        assert_null(classes);
    }
    memset(longer, 'a', 5000);
    longer[5000] = '\0';
    file_write(path_of(folder, "classes.txt"), longer, 5000);
    assert_int_equal(lancet_classes_open(&classes, path_of(folder, "classes.txt"), &error),
                     LANCET_ERROR_INPUT);
    assert_non_null(strstr(error.message, "line 1: expected text of at most 4096 bytes, found more"));
    file_write(path_of(folder, "classes.txt"), longer, 2000);
    assert_int_equal(lancet_classes_open(&classes, path_of(folder, "classes.txt"), &error),
                     LANCET_ERROR_INPUT);
    assert_non_null(strstr(error.message, "a name of at most 1024 bytes, found 2000"));
    file_write(path_of(folder, "classes.txt"), "a\0b", 3);
    assert_int_equal(lancet_classes_open(&classes, path_of(folder, "classes.txt"), &error),
                     LANCET_ERROR_INPUT);
    assert_non_null(strstr(error.message, "found a zero byte"));
    assert_int_equal(lancet_classes_open(&classes, "voc21", &error), LANCET_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, "voc20, voc20-official, context59"));
    assert_non_null(strstr(error.message, "found \"voc21\""));
    assert_int_equal(lancet_classes_open(&classes, folder, &error), LANCET_ERROR_INPUT);
    assert_int_equal(lancet_classes_open(NULL, "voc20", &error), LANCET_ERROR_ARGUMENT);
    assert_int_equal(lancet_classes_open(&classes, NULL, &error), LANCET_ERROR_ARGUMENT);
    assert_int_equal(lancet_classes_count(NULL), 0);
    assert_null(lancet_classes_name(NULL));
    assert_int_equal(lancet_classes_label(NULL, 0), LANCET_LABEL_UNKNOWN);
    free(longer);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_built_in),       cmocka_unit_test(test_stuff_names),
        cmocka_unit_test(test_context_orders), cmocka_unit_test(test_files),
        cmocka_unit_test(test_refused),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
