/* Every layout of label maps, made small: what is found, and which value is which class.
 * SPDX-License-Identifier: Apache-2.0 */
#include "eval/small_set.h"

static const uint8_t few[12] = {0, 0, 1, 1, 0, 20, 20, 1, 255, 255, 3, 0};
static const uint16_t few_of_voc[12] = {NONE, NONE, 0, 0, NONE, 19, 19, 0, IGNORE, IGNORE, 2, NONE};

static void layout_is(const lancet_dataset *dataset, lancet_layout layout, const char *evidence,
                      const char *split, const char *classes)
{
    const lancet_dataset_about *about = lancet_dataset_describe(dataset);

    assert_int_equal(about->layout, layout);
    if (!strstr(about->evidence, evidence))
        fail_msg("expected %s as evidence, found %s", evidence, about->evidence);
    assert_string_equal(about->split, split);
    assert_string_equal(about->classes, classes);
    assert_true(about->has_masks);
}

/* One picture, which has these labels. */
static void first_is(lancet_dataset *dataset, const char *id, const uint16_t labels[12])
{
    lancet_truth *truth = set_truth(dataset, 0);

    assert_string_equal(lancet_dataset_picture_id(dataset, 0), id);
    assert_true(path_exists(lancet_dataset_picture_path(dataset, 0)));
    labels_are(truth, labels);
    lancet_truth_close(&truth);
    lancet_dataset_close(&dataset);
}

static void make_voc(const char *root, const char *split)
{
    char *folder = set_folder;

    set_folder = (char *)set_path(root);
    mkdir(set_folder, 0777);
    set_picture("JPEGImages/2007_000033.jpg", 4, 3);
    set_picture("JPEGImages/2007_000042.png", 4, 3);
    set_mask("SegmentationClass/2007_000033.png", LANCET_PNG_PALETTE, few);
    set_mask("SegmentationClass/2007_000042.png", LANCET_PNG_GREY, few);
    set_picture("JPEGImages/of_no_list.jpg", 9, 9);
    set_text(path_of("ImageSets/Segmentation", split), "2007_000042\r\n2007_000033\r\n\n");
    set_folder = folder;
}

static void test_voc(void **state)
{
    static const uint16_t present[] = {0, 2, 19};
    uint8_t mask[12];
    lancet_dataset *dataset;
    lancet_truth *truth;

    (void)state;
    make_voc("", "val.txt");
    dataset = set_open(NULL);
    layout_is(dataset, LANCET_LAYOUT_VOC, "ImageSets/Segmentation/val.txt", "val", "voc20");
    assert_int_equal(lancet_dataset_count(dataset), 2);
    assert_string_equal(lancet_dataset_picture_id(dataset, 1), "2007_000033"); /* the list's order */
    assert_null(lancet_dataset_picture_id(dataset, 2));
    assert_null(lancet_dataset_picture_path(dataset, 2));
    truth = set_truth(dataset, 1);
    present_are(truth, present, 3);
    assert_true(lancet_truth_has(truth, 19) && !lancet_truth_has(truth, 1));
    assert_int_equal(lancet_truth_mask(truth, 0, mask, NULL), LANCET_OK);
    assert_memory_equal(mask, "\0\0\1\1\0\0\0\1\2\2\0\0", 12);
    assert_int_equal(lancet_truth_mask(truth, 20, mask, NULL), LANCET_ERROR_ARGUMENT);
    assert_int_equal(lancet_truth_mask(NULL, 0, mask, NULL), LANCET_ERROR_ARGUMENT);
    lancet_truth_close(&truth);
    first_is(dataset, "2007_000042", few_of_voc);
}

static void test_voc_elsewhere(void **state)
{
    (void)state;
    make_voc("VOCdevkit/VOC2012", "val.txt");
    first_is(set_open(NULL), "2007_000042", few_of_voc);
}

/* Generated scenes have lists of other names, and classes of their own. */
static void test_voc_with_classes(void **state)
{
    lancet_dataset *dataset;

    (void)state;
    make_voc("", "heldout.txt");
    set_text("classes.txt", "ant\nbat\nbear\n");
    set_fails(NULL, LANCET_ERROR_INPUT, "expected values of the classes"); /* 20 is not one of three */
    for (int i = 4; i <= 20; i++) {
        char *text = file_read(path_of(set_folder, "classes.txt"), NULL), more[4096];

        snprintf(more, sizeof more, "%sthing %d\n", text, i);
        set_text("classes.txt", more);
        free(text);
    }
    dataset = set_open(NULL);
    layout_is(dataset, LANCET_LAYOUT_VOC, "heldout.txt", "heldout", path_of(set_folder, "classes.txt"));
    assert_string_equal(lancet_dataset_class(dataset, 2)->name, "bear");
    first_is(dataset, "2007_000042", few_of_voc);
}

static void test_voc_split(void **state)
{
    const lancet_dataset_options train = {.split = "train"},
                                 wrong = {.layout = LANCET_LAYOUT_VOC, .split = "test"};
    lancet_dataset *dataset;

    (void)state;
    make_voc("", "val.txt");
    set_text("ImageSets/Segmentation/train.txt", "2007_000033");
    dataset = set_open(&train);
    assert_int_equal(lancet_dataset_count(dataset), 1);
    layout_is(dataset, LANCET_LAYOUT_VOC, "", "train", "voc20");
    lancet_dataset_close(&dataset);
    set_fails(&wrong, LANCET_ERROR_ARGUMENT, "ImageSets/Segmentation/test.txt");
}

static void test_context(void **state)
{
    static const uint8_t values[12] = {0, 1, 2, 59, 59, 1, 255, 0, 37, 37, 37, 37};
    static const uint16_t labels[12] = {IGNORE, 0, 1, 58, 58, 0, IGNORE, IGNORE, 36, 36, 36, 36};
    lancet_dataset *dataset;

    (void)state;
    make_voc("", "val.txt"); /* VOC's own folders may be beside */
    set_picture("JPEGImages/a.jpg", 4, 3);
    set_mask("SegmentationClassContext/a.png", LANCET_PNG_GREY, values);
    set_text("ImageSets/SegmentationContext/val.txt", "a\n");
    dataset = set_open(NULL);
    layout_is(dataset, LANCET_LAYOUT_CONTEXT, "SegmentationContext/val.txt", "val", "context59");
    assert_string_equal(lancet_dataset_class(dataset, 36)->name, "person");
    first_is(dataset, "a", labels);
}

/* Masks that are drawn in VOC's colours have VOC's classes first. */
static void test_context_coloured(void **state)
{
    static const uint8_t values[12] = {0, 1, 2, 59, 59, 1, 255, 0, 37, 37, 15, 15};
    static const uint16_t labels[12] = {IGNORE, 0, 5, 58, 58, 0, IGNORE, IGNORE, 29, 29, 36, 36};
    const lancet_dataset_options options = {.layout = LANCET_LAYOUT_CONTEXT},
                                 alphabetical = {.layout = LANCET_LAYOUT_CONTEXT, .classes = "context59"};
    uint8_t palette[768], colours[36];
    lancet_dataset *dataset;

    (void)state;
    lancet_label_palette(palette);
    for (size_t i = 0; i < 12; i++)
        memcpy(colours + 3 * i, palette + 3 * values[i], 3);
    set_picture("images/a.jpg", 4, 3);
    set_png("masks/a.png", LANCET_PNG_RGB, colours, 4, 3);
    dataset = set_open(&options);
    layout_is(dataset, LANCET_LAYOUT_CONTEXT, "", "", "context59-official");
    assert_string_equal(lancet_dataset_class(dataset, 5)->name, "bicycle");
    assert_string_equal(lancet_dataset_class(dataset, 29)->name, "ground");
    first_is(dataset, "a", labels);
    dataset = set_open(&alphabetical);
    layout_is(dataset, LANCET_LAYOUT_CONTEXT, "", "", "context59");
    lancet_dataset_close(&dataset);
}

static void test_coco_stuff(void **state)
{
    static const uint8_t values[12] = {0, 10, 12, 24, 26, 66, 69, 89, 91, 181, 255, 0};
    static const uint16_t labels[12] = {0, 10, 11, 23, 24, 60, 61, 79, 80, 170, IGNORE, 0};
    static const uint8_t train[12] = {0, 10, 11, 23, 24, 60, 61, 79, 80, 170, 255, 0};
    lancet_dataset *dataset;

    (void)state;
    set_picture("val2017/000000000139.jpg", 4, 3);
    set_mask("stuffthingmaps/val2017/000000000139.png", LANCET_PNG_GREY, values);
    dataset = set_open(NULL);
    layout_is(dataset, LANCET_LAYOUT_COCO_STUFF, "stuffthingmaps/val2017", "val2017", "coco-stuff171");
    assert_string_equal(lancet_dataset_class(dataset, 60)->name, "dining table");
    assert_string_equal(lancet_dataset_class(dataset, 80)->name, "banner");
    assert_int_equal(lancet_dataset_class(dataset, 80)->kind, LANCET_CLASS_STUFF);
    assert_int_equal(lancet_dataset_class(dataset, 79)->kind, LANCET_CLASS_THING);
    first_is(dataset, "000000000139", labels);

    folder_remove(set_folder);
    set_folder = folder_make();
    set_picture("images/val2017/000000000139.jpg", 4, 3);
    set_mask("annotations/val2017/000000000139_labelTrainIds.png", LANCET_PNG_GREY, train);
    dataset = set_open(NULL);
    layout_is(dataset, LANCET_LAYOUT_COCO_STUFF, "annotations/val2017", "val2017", "coco-stuff171-train");
    first_is(dataset, "000000000139", labels);
}

static void test_cityscapes(void **state)
{
    static const uint8_t values[12] = {0, 1, 7, 8, 11, 17, 18, 33, 31, 29, 24, 255};
    static const uint16_t labels[12] = {IGNORE, IGNORE, 0, 1, 2, 5, IGNORE, 18, 16, IGNORE, 11, IGNORE};
    const lancet_dataset_options train = {.split = "train"},
                                 test = {.layout = LANCET_LAYOUT_CITYSCAPES, .split = "test"};
    lancet_dataset *dataset;

    (void)state;
    set_picture("leftImg8bit/val/munster/munster_000001_000019_leftImg8bit.png", 4, 3);
    set_picture("leftImg8bit/val/frankfurt/frankfurt_000000_000294_leftImg8bit.png", 4, 3);
    set_picture("leftImg8bit/train/aachen/aachen_000000_000019_leftImg8bit.png", 4, 3);
    set_mask("gtFine/val/munster/munster_000001_000019_gtFine_labelIds.png", LANCET_PNG_GREY, values);
    set_mask("gtFine/val/frankfurt/frankfurt_000000_000294_gtFine_labelIds.png", LANCET_PNG_GREY, values);
    set_mask("gtFine/val/frankfurt/frankfurt_000000_000294_gtFine_instanceIds.png", LANCET_PNG_GREY, values);
    set_mask("gtFine/train/aachen/aachen_000000_000019_gtFine_labelIds.png", LANCET_PNG_GREY, values);
    dataset = set_open(NULL);
    layout_is(dataset, LANCET_LAYOUT_CITYSCAPES, "gtFine/val", "val", "cityscapes19");
    assert_int_equal(lancet_dataset_count(dataset), 2);
    assert_string_equal(lancet_dataset_class(dataset, 18)->name, "bicycle");
    first_is(dataset, "frankfurt/frankfurt_000000_000294", labels);
    first_is(set_open(&train), "aachen/aachen_000000_000019", labels);
    set_fails(&test, LANCET_ERROR_ARGUMENT, "gtFine/test");
}

static void test_cityscapes_flat(void **state)
{
    static const uint8_t values[12] = {0, 1, 7, 8, 11, 17, 18, 33, 31, 29, 24, 255}, train[12] = {18, 255};
    static const uint16_t labels[12] = {IGNORE, IGNORE, 0, 1, 2, 5, IGNORE, 18, 16, IGNORE, 11, IGNORE};
    static const uint16_t train_labels[12] = {18, IGNORE, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    lancet_dataset *dataset;

    (void)state;
    set_picture("aachen_000000_000019_leftImg8bit.png", 4, 3);
    set_mask("aachen_000000_000019_gtFine_labelIds.png", LANCET_PNG_GREY, values);
    dataset = set_open(NULL);
    layout_is(dataset, LANCET_LAYOUT_CITYSCAPES, "_gtFine_labelIds.png", "", "cityscapes19");
    first_is(dataset, "aachen_000000_000019", labels);

    folder_remove(set_folder);
    set_folder = folder_make();
    set_picture("aachen_000000_000019_leftImg8bit.png", 4, 3);
    set_mask("aachen_000000_000019_gtFine_labelTrainIds.png", LANCET_PNG_GREY, train);
    dataset = set_open(NULL);
    layout_is(dataset, LANCET_LAYOUT_CITYSCAPES, "_gtFine_labelTrainIds.png", "", "cityscapes19-train");
    first_is(dataset, "aachen_000000_000019", train_labels);
}

static void test_ade20k(void **state)
{
    static const uint8_t values[12] = {0, 1, 150, 255};
    static const uint16_t labels[12] = {IGNORE, 0,      149,    IGNORE, IGNORE, IGNORE,
                                        IGNORE, IGNORE, IGNORE, IGNORE, IGNORE, IGNORE};
    lancet_dataset *dataset;

    (void)state;
    set_picture("ADEChallengeData2016/images/validation/ADE_val_00000001.jpg", 4, 3);
    set_mask("ADEChallengeData2016/annotations/validation/ADE_val_00000001.png", LANCET_PNG_GREY, values);
    dataset = set_open(NULL);
    layout_is(dataset, LANCET_LAYOUT_ADE20K, "annotations/validation", "validation", "ade150");
    assert_string_equal(lancet_dataset_class(dataset, 149)->name, "flag");
    first_is(dataset, "ADE_val_00000001", labels);
}

/* The number of a colour is R + 256 G. */
static void make_imagenet_s(void)
{
    static const uint8_t colours[36] = {0, 0, 0, 1, 0, 0, 50, 0, 0, 1000 % 256, 1000 / 256, 0, 7, 0, 0};

    set_picture("ImageNetS50/validation/n01443537/ILSVRC2012_val_00000236.JPEG", 4, 3);
    set_png("ImageNetS50/validation-segmentation/n01443537/ILSVRC2012_val_00000236.png", LANCET_PNG_RGB,
            colours, 4, 3);
}

static void test_imagenet_s(void **state)
{
    static const uint16_t labels[12] = {NONE, 0, 49, IGNORE, 6, NONE, NONE, NONE, NONE, NONE, NONE, NONE};
    const lancet_dataset_options own = {.classes = "names.txt"};
    lancet_dataset *dataset;

    (void)state;
    make_imagenet_s();
    dataset = set_open(NULL);
    layout_is(dataset, LANCET_LAYOUT_IMAGENET_S, "validation-segmentation", "validation", "imagenet-s50");
    assert_string_equal(lancet_dataset_class(dataset, 49)->name, "agaric");
    first_is(dataset, "n01443537/ILSVRC2012_val_00000236", labels);
    set_text("names.txt", "1\tfish, goldfish\n7\tcat\n50\tagaric\n");
    dataset = set_open(&own);
    assert_int_equal(lancet_dataset_class(dataset, 0)->word_count, 2);
    first_is(dataset, "n01443537/ILSVRC2012_val_00000236",
             (const uint16_t[12]){NONE, 0, 2, IGNORE, 1, NONE, NONE, NONE, NONE, NONE, NONE, NONE});
}

static void make_folder(void)
{
    static const uint16_t deep[12] = {0, 300, 300, 7};

    set_picture("images/b.webp", 4, 3);
    set_picture("images/a.JPG", 4, 3);
    set_mask("masks/a.png", LANCET_PNG_PALETTE, few);
    set_png("masks/b.png", LANCET_PNG_GREY16, deep, 4, 3);
    set_text("classes.txt", "1\tant\n3\tbee, honey bee\n20\tant\n300\tcrab\n7\t(ignore)\n9\t(background)\n");
}

static void test_folder(void **state)
{
    static const uint16_t a[12] = {NONE, NONE, 0, 0, NONE, 0, 0, 0, IGNORE, IGNORE, 1, NONE};
    const lancet_dataset_options part = {.split = "some"};
    lancet_dataset *dataset;
    lancet_truth *truth;

    (void)state;
    make_folder();
    dataset = set_open(NULL);
    layout_is(dataset, LANCET_LAYOUT_FOLDER, "masks", "", path_of(set_folder, "classes.txt"));
    assert_int_equal(lancet_dataset_count(dataset), 2);
    assert_int_equal(lancet_dataset_class_count(dataset), 3);
    assert_string_equal(lancet_dataset_class(dataset, 1)->words[1], "honey bee");
    truth = set_truth(dataset, 1);
    labels_are(truth,
               (const uint16_t[12]){NONE, 2, 2, IGNORE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE});
    lancet_truth_close(&truth);
    first_is(dataset, "a", a);
    set_text("some.txt", "b\n");
    dataset = set_open(&part);
    assert_int_equal(lancet_dataset_count(dataset), 1);
    assert_string_equal(lancet_dataset_picture_id(dataset, 0), "b");
    lancet_dataset_close(&dataset);
    set_picture("images/other/x.png", 4, 3);
    set_mask("masks/other/x.png", LANCET_PNG_PALETTE, few);
    first_is(set_open(&(lancet_dataset_options){.split = "other"}), "x", a);
}

static void test_folder_elsewhere(void **state)
{
    const lancet_dataset_options options = {.layout = LANCET_LAYOUT_FOLDER,
                                            .classes = "voc20",
                                            .pictures = "JPEGImages",
                                            .masks = path_of(set_folder, "elsewhere")};

    (void)state;
    set_picture("JPEGImages/p.jpg", 4, 3);
    set_mask("elsewhere/p.png", LANCET_PNG_PALETTE, few);
    first_is(set_open(&options), "p", few_of_voc);
}

static void test_nus_wide(void **state)
{
    static const uint16_t present[2][2] = {{1, 80}, {0, 0}};
    const lancet_dataset_options train = {.split = "train", .on_broken = LANCET_BROKEN_SKIP},
                                 val = {.split = "val"};
    lancet_classes *classes;
    lancet_dataset *dataset;
    uint8_t mask[1];

    (void)state;
    assert_int_equal(lancet_classes_open(&classes, "nus-wide81", NULL), LANCET_OK);
    for (size_t c = 0; c < 81; c++) {
        char name[128];

        snprintf(name, sizeof name, "TrainTestLabels/Labels_%s_Test.txt",
                 lancet_classes_get(classes, c)->name);
        set_text(name, c == 1 || c == 80 ? "1\r\n0\r\n" : "0\n0 \n");
        snprintf(name, sizeof name, "TrainTestLabels/Labels_%s_Train.txt",
                 lancet_classes_get(classes, c)->name);
        set_text(name, c == 2 ? "0\n1\n" : "0\n0\n");
    }
    lancet_classes_close(&classes);
    set_text("ImageList/TestImagelist.txt", "actor\\0001_2124494179.jpg\r\nzebra\\0002_1.jpg\r\n");
    set_text("ImageList/TrainImagelist.txt", "gone\\0003_1.jpg\nzebra\\0002_1.jpg\n");
    set_picture("Flickr/actor/0001_2124494179.jpg", 4, 3);
    set_picture("Flickr/zebra/0002_1.jpg", 4, 3);
    dataset = set_open(NULL);
    assert_int_equal(lancet_dataset_describe(dataset)->layout, LANCET_LAYOUT_NUS_WIDE);
    assert_false(lancet_dataset_describe(dataset)->has_masks);
    assert_string_equal(lancet_dataset_picture_id(dataset, 0), "actor/0001_2124494179");
    for (size_t i = 0; i < 2; i++) {
        lancet_truth *truth = set_truth(dataset, i);

        present_are(truth, present[i], i == 0 ? 2 : 0);
        assert_null(truth->labels);
        assert_int_equal(lancet_truth_mask(truth, 1, mask, NULL), LANCET_ERROR_ARGUMENT);
        lancet_truth_close(&truth);
    }
    lancet_dataset_close(&dataset);
    dataset = set_open(&train); /* a picture that is gone takes its line of the labels with it */
    assert_int_equal(lancet_dataset_count(dataset), 1);
    assert_int_equal(lancet_dataset_skipped_count(dataset), 1);
    assert_non_null(strstr(lancet_dataset_skipped(dataset, 0), "gone/0003_1.jpg"));
    {
        lancet_truth *truth = set_truth(dataset, 0);

        present_are(truth, &(const uint16_t){2}, 1);
        lancet_truth_close(&truth);
    }
    lancet_dataset_close(&dataset);
    set_fails(&val, LANCET_ERROR_ARGUMENT, "expected test or train");
}

static void test_names(void **state)
{
    lancet_layout layout;
    lancet_error error;

    (void)state;
    for (int i = 0; i < LANCET_LAYOUT_COUNT; i++) {
        assert_int_equal(lancet_layout_find(&layout, lancet_layout_name((lancet_layout)i), &error),
                         LANCET_OK);
        assert_int_equal(layout, i);
    }
    assert_null(lancet_layout_name(LANCET_LAYOUT_COUNT));
    assert_int_equal(lancet_layout_find(&layout, "kitti", &error), LANCET_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, "auto, voc, context, coco, coco-panoptic"));
    assert_int_equal(lancet_layout_find(&layout, NULL, NULL), LANCET_ERROR_ARGUMENT);
}

static void test_arguments(void **state)
{
    lancet_dataset *dataset = NULL;

    (void)state;
    assert_int_equal(lancet_dataset_open(NULL, "x", NULL, NULL), LANCET_ERROR_ARGUMENT);
    assert_int_equal(lancet_dataset_open(&dataset, NULL, NULL, NULL), LANCET_ERROR_ARGUMENT);
    assert_int_equal(lancet_dataset_open(&dataset, "", NULL, NULL), LANCET_ERROR_ARGUMENT);
    set_fails(&(lancet_dataset_options){.layout = LANCET_LAYOUT_COUNT}, LANCET_ERROR_ARGUMENT,
              "lancet_layout");
    set_fails(&(lancet_dataset_options){.on_broken = (lancet_broken)2}, LANCET_ERROR_ARGUMENT,
              "lancet_broken");
    set_fails(&(lancet_dataset_options){.split = "../val"}, LANCET_ERROR_ARGUMENT, "plain name");
    set_fails(NULL, LANCET_ERROR_ARGUMENT, "docs/datasets.md");
    make_folder();
    dataset = set_open(NULL);
    {
        lancet_truth *truth = (lancet_truth *)1;

        assert_int_equal(lancet_dataset_truth(&truth, dataset, 2, NULL), LANCET_ERROR_ARGUMENT);
        assert_null(truth);
        assert_int_equal(lancet_dataset_truth(NULL, dataset, 0, NULL), LANCET_ERROR_ARGUMENT);
        assert_int_equal(lancet_dataset_skip(dataset, 2, "x", NULL), LANCET_ERROR_ARGUMENT);
        assert_int_equal(lancet_dataset_skip(dataset, 0, NULL, NULL), LANCET_ERROR_ARGUMENT);
    }
    lancet_dataset_close(&dataset);
    lancet_dataset_close(&dataset);
    lancet_dataset_close(NULL);
    lancet_truth_close(NULL);
    assert_int_equal(lancet_dataset_count(NULL), 0);
    assert_null(lancet_dataset_describe(NULL));
    assert_null(lancet_dataset_class(NULL, 0));
    assert_false(lancet_truth_has(NULL, 0));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_voc, set_up, set_tear_down),
        cmocka_unit_test_setup_teardown(test_voc_elsewhere, set_up, set_tear_down),
        cmocka_unit_test_setup_teardown(test_voc_with_classes, set_up, set_tear_down),
        cmocka_unit_test_setup_teardown(test_voc_split, set_up, set_tear_down),
        cmocka_unit_test_setup_teardown(test_context, set_up, set_tear_down),
        cmocka_unit_test_setup_teardown(test_context_coloured, set_up, set_tear_down),
        cmocka_unit_test_setup_teardown(test_coco_stuff, set_up, set_tear_down),
        cmocka_unit_test_setup_teardown(test_cityscapes, set_up, set_tear_down),
        cmocka_unit_test_setup_teardown(test_cityscapes_flat, set_up, set_tear_down),
        cmocka_unit_test_setup_teardown(test_ade20k, set_up, set_tear_down),
        cmocka_unit_test_setup_teardown(test_imagenet_s, set_up, set_tear_down),
        cmocka_unit_test_setup_teardown(test_folder, set_up, set_tear_down),
        cmocka_unit_test_setup_teardown(test_folder_elsewhere, set_up, set_tear_down),
        cmocka_unit_test_setup_teardown(test_nus_wide, set_up, set_tear_down),
        cmocka_unit_test_setup_teardown(test_names, set_up, set_tear_down),
        cmocka_unit_test_setup_teardown(test_arguments, set_up, set_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
