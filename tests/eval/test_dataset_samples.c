/* Samples of published data sets, where they lie beside the checkout: everything reads, and says what the
 * masks that came with them say. SPDX-License-Identifier: Apache-2.0 */
#include "eval/small_set.h"

static lancet_dataset *open_sample(const char *name, const lancet_dataset_options *options)
{
    lancet_dataset *dataset;
    lancet_error error;

    if (lancet_dataset_open(&dataset, data_needed(name), options, &error) != LANCET_OK)
        fail_msg("%s", error.message);
    return dataset;
}

/* The number that a mask beside the sample has at each pixel, uint32_t [height, width]. */
static lancet_png_numbers read_mask(const char *path)
{
    lancet_png_numbers numbers;
    lancet_error error;

    if (lancet_png_numbers_open(&numbers, path, 0, &error) != LANCET_OK)
        fail_msg("%s", error.message);
    return numbers;
}

/* Pixels of a data set, and those whose label is not what `label_of` says of its mask's number. */
typedef struct tally {
    size_t pixels, different, present;
} tally;

static tally compare(lancet_dataset *dataset, const char *masks, const char *ending,
                     int (*label_of)(uint32_t))
{
    tally t = {0};

    for (size_t i = 0; i < lancet_dataset_count(dataset); i++) {
        char name[256];
        lancet_png_numbers numbers;
        lancet_truth *truth = set_truth(dataset, i);

        snprintf(name, sizeof name, "%s%s", lancet_dataset_picture_id(dataset, i), ending);
        numbers = read_mask(path_of(masks, name));
        assert_true(truth->width == numbers.width && truth->height == numbers.height);
        for (size_t p = 0; p < numbers.width * numbers.height; p++)
            t.different += truth->labels[p] != label_of(numbers.numbers[p]);
        t.pixels += numbers.width * numbers.height;
        t.present += truth->present_count;
        lancet_png_numbers_close(&numbers);
        lancet_truth_close(&truth);
    }
    lancet_dataset_close(&dataset);
    return t;
}

static int label_of_voc(uint32_t value)
{
    return value == 0 ? NONE : value == 255 ? IGNORE : (int)value - 1;
}

static void test_voc(void **state)
{
    const lancet_dataset_options options = {.classes = "voc20"};
    lancet_dataset *dataset = open_sample("voc2012", &options);
    tally t;

    (void)state;
    assert_int_equal(lancet_dataset_describe(dataset)->layout, LANCET_LAYOUT_FOLDER);
    assert_int_equal(lancet_dataset_count(dataset), 119);
    t = compare(dataset, path_of(data_needed("voc2012"), "masks"), ".png", label_of_voc);
    assert_int_equal(t.different, 0);
}

static int label_of_ade(uint32_t value)
{
    return value == 0 ? IGNORE : (int)value - 1;
}

static void test_ade20k(void **state)
{
    const lancet_dataset_options options = {.layout = LANCET_LAYOUT_ADE20K};
    lancet_dataset *dataset = open_sample("ade20k", &options);

    (void)state;
    assert_int_equal(lancet_dataset_count(dataset), 3);
    assert_int_equal(
        compare(dataset, path_of(data_needed("ade20k"), "masks"), ".png", label_of_ade).different, 0);
}

/* The place of an id among those that are not left out. */
static int place(uint32_t id, const uint32_t *gaps, size_t count)
{
    int below = 0;

    for (size_t i = 0; i < count; i++) {
        if (gaps[i] == id)
            return LANCET_LABEL_UNKNOWN;
        below += gaps[i] < id;
    }
    return (int)id - 1 - below;
}

static const uint32_t thing_gaps[] = {12, 26, 29, 30, 45, 66, 68, 69, 71, 83, 91};

static int label_of_stuff(uint32_t value)
{
    return value == 255 ? IGNORE : place(value + 1, thing_gaps, 11);
}

static void test_coco_stuff(void **state)
{
    const lancet_dataset_options options = {.layout = LANCET_LAYOUT_COCO_STUFF};
    lancet_dataset *dataset = open_sample("coco_stuff", &options);

    (void)state;
    assert_int_equal(lancet_dataset_count(dataset), 8);
    assert_int_equal(
        compare(dataset, path_of(data_needed("coco_stuff"), "masks"), ".png", label_of_stuff).different, 0);
}

static int label_of_city(uint32_t id)
{
    static const uint8_t evaluated[] = {7,  8,  11, 12, 13, 17, 19, 20, 21, 22,
                                        23, 24, 25, 26, 27, 28, 31, 32, 33};

    for (int i = 0; i < 19; i++)
        if (evaluated[i] == id)
            return i;
    return IGNORE;
}

static void test_cityscapes(void **state)
{
    lancet_dataset *dataset = open_sample("cityscapes", NULL);

    (void)state;
    assert_int_equal(lancet_dataset_describe(dataset)->layout, LANCET_LAYOUT_CITYSCAPES);
    assert_int_equal(lancet_dataset_count(dataset), 2);
    assert_int_equal(
        compare(dataset, data_needed("cityscapes"), "_gtFine_labelIds.png", label_of_city).different, 0);
}

/* The pictures show a bus, ducks, a dog and motorbikes; in the other order of values these would be bicycles,
 * bedclothes, a bus and cars. */
static void test_context(void **state)
{
    static const struct {
        const char *id, *classes;
    } seen[] = {
        {"2008_008376", "bird grass ground water wood "},
        {"2009_000637", "grass ground motorbike person sky "},
        {"2010_000682", "building bus car grass light person road sidewalk sky tree "},
        {"2010_003321", "cloth dog floor person table wall "},
    };
    const lancet_dataset_options options = {.layout = LANCET_LAYOUT_CONTEXT};
    lancet_dataset *dataset = open_sample("pascal_context", &options);

    (void)state;
    assert_string_equal(lancet_dataset_describe(dataset)->classes, "context59-official");
    assert_int_equal(lancet_dataset_count(dataset), 4);
    for (size_t i = 0; i < 4; i++) {
        lancet_truth *truth = set_truth(dataset, i);
        char classes[256] = "";

        assert_string_equal(lancet_dataset_picture_id(dataset, i), seen[i].id);
        for (size_t k = 0; k < truth->present_count; k++)
            snprintf(classes + strlen(classes), sizeof classes - strlen(classes), "%s ",
                     lancet_dataset_class(dataset, truth->present[k])->name);
        assert_string_equal(classes, seen[i].classes);
        lancet_truth_close(&truth);
    }
    lancet_dataset_close(&dataset);
}

static int label_of_coco(uint32_t value)
{
    return value == 0 ? NONE : value == 255 ? IGNORE : place(value, thing_gaps, 10);
}

/* The masks that came with the sample were drawn by another polygon filler, whose borders are wider: by
 * pycocotools 2.0.11, from the same order (crowds, then falling area), 179,246 of 44,304,318 pixels differ
 * from them. Ours are pycocotools', pixel for pixel, and so must have the same differences. 640 samples:
 * pictures times classes in them, also counted with pycocotools. */
static void test_coco(void **state)
{
    lancet_dataset *dataset = open_sample("coco_instances_val2017", NULL);
    tally t;

    (void)state;
    assert_int_equal(lancet_dataset_describe(dataset)->layout, LANCET_LAYOUT_COCO);
    assert_string_equal(lancet_dataset_describe(dataset)->classes, "coco80");
    assert_int_equal(lancet_dataset_count(dataset), 164); /* of 165 entries in three files */
    t = compare(dataset, path_of(data_needed("coco_instances_val2017"), "masks"), ".png", label_of_coco);
    assert_int_equal(t.pixels, 44304318);
    assert_int_equal(t.different, 179246);
    assert_int_equal(t.present, 640);
}

static void test_coco_folder(void **state)
{
    const lancet_dataset_options options = {.layout = LANCET_LAYOUT_FOLDER, .classes = "coco80"};
    lancet_dataset *dataset = open_sample("coco_instances_val2017", &options);

    (void)state;
    assert_int_equal(lancet_dataset_count(dataset), 164);
    assert_int_equal(
        compare(dataset, path_of(data_needed("coco_instances_val2017"), "masks"), ".png", label_of_coco)
            .different,
        0);
}

/* Of the panoptic maps and of the label maps beside them: the same, but for crowds, which the latter give a
 * class. */
static void test_panoptic(void **state)
{
    const lancet_dataset_options options = {.layout = LANCET_LAYOUT_FOLDER, .classes = "coco-panoptic133"};
    lancet_dataset *dataset = open_sample("coco_panoptic_val2017", NULL),
                   *folder = open_sample("coco_panoptic_val2017", &options);
    size_t different = 0, otherwise = 0;

    (void)state;
    assert_int_equal(lancet_dataset_describe(dataset)->layout, LANCET_LAYOUT_COCO_PANOPTIC);
    assert_string_equal(lancet_dataset_describe(dataset)->classes, "coco-panoptic133");
    assert_int_equal(lancet_dataset_count(dataset), 100);
    assert_int_equal(lancet_dataset_count(folder), 100);
    for (size_t i = 0; i < 100; i++) {
        lancet_truth *a = set_truth(dataset, i), *b = set_truth(folder, i);

        assert_string_equal(lancet_dataset_picture_id(dataset, i), lancet_dataset_picture_id(folder, i));
        for (size_t p = 0; p < a->width * a->height; p++) {
            different += a->labels[p] != b->labels[p];
            otherwise += a->labels[p] != b->labels[p] && a->labels[p] != IGNORE;
        }
        lancet_truth_close(&a);
        lancet_truth_close(&b);
    }
    assert_int_equal(different, 135231); /* pixels of the five crowds, counted with Pillow */
    assert_int_equal(otherwise, 0);
    lancet_dataset_close(&dataset);
    lancet_dataset_close(&folder);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_voc),         cmocka_unit_test(test_ade20k),
        cmocka_unit_test(test_coco_stuff),  cmocka_unit_test(test_cityscapes),
        cmocka_unit_test(test_context),     cmocka_unit_test(test_coco),
        cmocka_unit_test(test_coco_folder), cmocka_unit_test(test_panoptic),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
