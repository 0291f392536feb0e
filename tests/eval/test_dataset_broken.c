/* Data sets that are broken, one way at a time: refused by name, or left out and listed.
 * SPDX-License-Identifier: Apache-2.0 */
#include "eval/small_set.h"

#include "base/memory.h"
#include "base/threads.h"

#include <stdatomic.h>

static const uint8_t sound[12] = {0, 1, 1, 2};

/* A sound set in VOC's layout: a, b and c. */
static void make_voc(void)
{
    static const char *const names[] = {"a", "b", "c"};

    for (size_t i = 0; i < 3; i++) {
        char path[64];

        snprintf(path, sizeof path, "JPEGImages/%s.jpg", names[i]);
        set_picture(path, 4, 3);
        snprintf(path, sizeof path, "SegmentationClass/%s.png", names[i]);
        set_mask(path, LANCET_PNG_PALETTE, sound);
    }
    set_text("ImageSets/Segmentation/val.txt", "a\nb\nc\n");
}

/* What may be wrong with picture b; each function breaks a sound set. */
static void no_picture(void)
{
    unlink(set_path("JPEGImages/b.jpg"));
}

static void no_mask(void)
{
    unlink(set_path("SegmentationClass/b.png"));
}

static void no_mask_folder_instead(void)
{
    no_mask();
    mkdir(set_path("SegmentationClass/b.png"), 0777);
}

static void mask_of_another_size(void)
{
    set_png("SegmentationClass/b.png", LANCET_PNG_GREY, sound, 3, 4);
}

static void mask_unknown_value(void)
{
    set_mask("SegmentationClass/b.png", LANCET_PNG_GREY, (const uint8_t[12]){0, 1, 21});
}

static void mask_unknown_colour(void)
{
    set_png("SegmentationClass/b.png", LANCET_PNG_RGB, (const uint8_t[36]){0, 0, 0, 128, 1, 0}, 4, 3);
}

static void mask_colour_of_no_class(void)
{
    set_png("SegmentationClass/b.png", LANCET_PNG_RGB, (const uint8_t[36]){0, 0, 0, 224, 224, 0}, 4, 3);
}

static void cut(const char *name, double share)
{
    size_t length;
    char *bytes = file_read(path_of(set_folder, name), &length);

    file_write(path_of(set_folder, name), bytes, (size_t)(share * (double)length));
    free(bytes);
}

static void mask_cut(void)
{
    static uint8_t noise[300 * 200];
    uint64_t random = 1;

    for (size_t i = 0; i < sizeof noise; i++) {
        random = random * 6364136223846793005u + 1;
        noise[i] = (uint8_t)((random >> 40) % 20);
    }
    set_picture("JPEGImages/b.jpg", 300, 200);
    set_png("SegmentationClass/b.png", LANCET_PNG_GREY, noise, 300, 200);
    cut("SegmentationClass/b.png", 0.7);
}

static void mask_empty(void)
{
    set_text("SegmentationClass/b.png", "");
}

static void mask_is_text(void)
{
    set_text("SegmentationClass/b.png", "version https://git-lfs.github.com/spec/v1\n");
}

static void picture_empty(void)
{
    set_text("JPEGImages/b.jpg", "");
}

static void picture_is_text(void)
{
    set_text("JPEGImages/b.jpg", "<html>404</html>");
}

static void picture_header_cut(void)
{
    file_write(set_path("JPEGImages/b.jpg"), "\xFF\xD8\xFF\xE0\0\x10JFIF", 10);
}

static void picture_of_another_format(void)
{
    file_write(set_path("JPEGImages/b.jpg"), "GIF89a\4\0\3\0\0\0\0;", 14);
}

static void mask_too_large(void)
{
    /* a header alone that says 65535 x 65535; its sum is right */
    file_write(set_path("SegmentationClass/b.png"),
               "\x89PNG\r\n\x1A\n\0\0\0\x0DIHDR\0\0\xFF\xFF\0\0\xFF\xFF\x08\0\0\0\0\x05\xDA\xA8\xA8", 33);
}

static void listed_twice(void)
{
    set_text("ImageSets/Segmentation/val.txt", "a\nb\nc\nb\n");
}

static void listed_with_way_out(void)
{
    set_text("ImageSets/Segmentation/val.txt", "a\n../b\nc\n");
}

static void listed_absolute(void)
{
    set_text("ImageSets/Segmentation/val.txt", "a\n/etc/passwd\nc\n");
}

static void listed_with_backslash(void)
{
    set_text("ImageSets/Segmentation/val.txt", "a\n..\\b\nc\n");
}

static void listed_with_control_character(void)
{
    set_text("ImageSets/Segmentation/val.txt", "a\nb\x1B[2J\nc\n");
}

/* How a break shows: when opening, or with the truth of b; what is said; and how many are left if it is
 * skipped. */
static const struct {
    void (*spoil)(void);
    bool late;
    const char *says;
    lancet_status status;
    size_t left;
} breaks[] = {
    {no_picture, false, "JPEGImages/b.jpg: expected a picture, found no such file", LANCET_ERROR_INPUT, 2},
    {no_mask, false, "SegmentationClass/b.png: expected a mask, found no such file", LANCET_ERROR_INPUT, 2},
    {no_mask_folder_instead, true, "b.png: expected a file, found a folder", LANCET_ERROR_INPUT, 3},
    {mask_of_another_size, true, "b.jpg: expected 3 x 4 pixels, as its mask has, found 4 x 3",
     LANCET_ERROR_INPUT, 3},
    {mask_unknown_value, true, "b.png: expected values of the classes voc20, found 21 at column 2, row 0",
     LANCET_ERROR_INPUT, 3},
    {mask_unknown_colour, true,
     "b.png: expected colours of the classes voc20, found 128, 1, 0 at column 1, row 0", LANCET_ERROR_INPUT,
     3},
    {mask_colour_of_no_class, true, "found 224, 224, 0 at column 1, row 0", LANCET_ERROR_INPUT, 3},
    {mask_cut, true, "b.png: damaged PNG", LANCET_ERROR_INPUT, 3},
    {mask_empty, true, "b.png: expected a label map as PNG, found an empty file", LANCET_ERROR_INPUT, 3},
    {mask_is_text, true, "b.png: expected a label map as PNG, found something else", LANCET_ERROR_INPUT, 3},
    {mask_too_large, true, "b.png: expected a label map of sides from 1 to 65535 and at most 67108864 pixels",
     LANCET_ERROR_INPUT, 3},
    {picture_empty, true, "b.jpg: expected a JPEG, PNG or WebP picture, found an empty file",
     LANCET_ERROR_INPUT, 3},
    {picture_is_text, true, "b.jpg: expected a JPEG, PNG or WebP picture, found something else",
     LANCET_ERROR_INPUT, 3},
    {picture_header_cut, true, "b.jpg: damaged JPEG", LANCET_ERROR_INPUT, 3},
    {picture_of_another_format, true, "found the format GIF", LANCET_ERROR_UNSUPPORTED, 3},
    {listed_twice, false, "the picture b is there twice", LANCET_ERROR_INPUT, 3},
    {listed_with_way_out, false,
     "val.txt: line 2: expected the name of a picture within the data set, found \"../b\"",
     LANCET_ERROR_INPUT, 2},
    {listed_absolute, false, "found \"/etc/passwd\"", LANCET_ERROR_INPUT, 2},
    {listed_with_backslash, false, "found \"..\\b\"", LANCET_ERROR_INPUT, 2},
    {listed_with_control_character, false, "val.txt: line 2", LANCET_ERROR_INPUT, 2},
};

static void test_breaks(void **state)
{
    const lancet_dataset_options skip = {.on_broken = LANCET_BROKEN_SKIP};

    (void)state;
    for (size_t i = 0; i < sizeof breaks / sizeof *breaks; i++) {
        lancet_error error = {0};
        lancet_dataset *dataset = NULL;
        lancet_truth *truth = NULL;
        lancet_status status;

        folder_remove(set_folder);
        set_folder = folder_make();
        make_voc();
        breaks[i].spoil();
        status = lancet_dataset_open(&dataset, set_folder, NULL, &error);
        assert_int_equal(status != LANCET_OK, !breaks[i].late);
        if (status == LANCET_OK)
            status = lancet_dataset_truth(&truth, dataset, 1, &error);
        if (status != breaks[i].status || !strstr(error.message, breaks[i].says))
            fail_msg("break %zu: expected %d, %s, found %d, %s", i, breaks[i].status, breaks[i].says, status,
                     error.message);
        assert_int_equal(lancet_dataset_skipped_count(dataset), 0);
        lancet_dataset_close(&dataset);

        dataset = set_open(&skip);
        assert_int_equal(lancet_dataset_count(dataset), breaks[i].left);
        for (size_t k = 0; k < breaks[i].left; k++) { /* what is left is sound, or says why it is not */
            status = lancet_dataset_truth(&truth, dataset, k, &error);
            assert_int_equal(status, breaks[i].late && k == 1 ? breaks[i].status : LANCET_OK);
            lancet_truth_close(&truth);
        }
        assert_int_equal(lancet_dataset_skipped_count(dataset), 1);
        if (!strstr(lancet_dataset_skipped(dataset, 0), breaks[i].says))
            fail_msg("expected %s, found %s", breaks[i].says, lancet_dataset_skipped(dataset, 0));
        lancet_dataset_close(&dataset);
    }
}

/* Broken lists and folders, where there is nothing to skip to. */
static void test_nothing_left(void **state)
{
    const lancet_dataset_options skip = {.on_broken = LANCET_BROKEN_SKIP};
    const lancet_dataset_options folder = {.layout = LANCET_LAYOUT_FOLDER, .classes = "voc20"};

    (void)state;
    make_voc();
    set_text("ImageSets/Segmentation/val.txt", "\n\n");
    set_fails(&skip, LANCET_ERROR_INPUT, "expected pictures, found none");
    set_text("ImageSets/Segmentation/val.txt", "x\ny\n");
    set_fails(&skip, LANCET_ERROR_INPUT, "the first one skipped:");
    file_write(set_path("ImageSets/Segmentation/val.txt"), "a\0\n", 3);
    set_fails(&skip, LANCET_ERROR_INPUT, "line 1: expected text of at most 4096 bytes, found a zero byte");
    set_fails(&folder, LANCET_ERROR_ARGUMENT, "expected pictures in");
    set_text("images/readme.txt", "no picture");
    mkdir(set_path("masks"), 0777);
    set_fails(&folder, LANCET_ERROR_INPUT, "expected pictures, found none");
}

/* Pictures and masks that lack each other, and two pictures for one mask. */
static void test_unpaired(void **state)
{
    static const char *const says[] = {"images/b.jpg: expected a picture, found no such file",
                                       "masks/c.png: expected a mask, found no such file",
                                       "the picture d is there twice"};
    const lancet_dataset_options refuse = {.classes = "voc20"},
                                 skip = {.classes = "voc20", .on_broken = LANCET_BROKEN_SKIP};
    lancet_dataset *dataset;

    (void)state;
    set_picture("images/a.jpg", 4, 3);
    set_picture("images/c.jpg", 4, 3);
    set_picture("images/d.jpg", 4, 3);
    set_picture("images/d.png", 4, 3);
    set_mask("masks/a.png", LANCET_PNG_GREY, sound);
    set_mask("masks/b.png", LANCET_PNG_GREY, sound);
    set_mask("masks/d.png", LANCET_PNG_GREY, sound);
    set_text("images/.hidden.jpg", "left alone");
    set_text("images/thumbs.db", "left alone");
    set_fails(&refuse, LANCET_ERROR_INPUT, "there twice");
    dataset = set_open(&skip);
    assert_int_equal(lancet_dataset_count(dataset), 2);
    assert_string_equal(lancet_dataset_picture_id(dataset, 1), "d");
    assert_int_equal(lancet_dataset_skipped_count(dataset), 3);
    for (size_t i = 0; i < 3; i++)
        if (!strstr(lancet_dataset_skipped(dataset, i), says[i]))
            fail_msg("expected %s, found %s", says[i], lancet_dataset_skipped(dataset, i));
    lancet_dataset_close(&dataset);
}

static void test_nus_wide_broken(void **state)
{
    static const struct {
        const char *labels, *says;
    } wrong[] = {
        {"0\n", "Labels_cat_Test.txt: expected 2 lines, as many as pictures, found 1"},
        {"0\n1\n0\n", "expected 2 lines, as many as pictures, found 3"},
        {"0\n2\n", "Labels_cat_Test.txt: line 2: expected 0 or 1, found \"2\""},
        {"0 1\n1\n", "line 1: expected 0 or 1, found \"0 1\""},
        {"-1\n1\n", "line 1: expected 0 or 1"},
        {"", "found 0"},
    };
    const lancet_dataset_options options = {.classes = "concepts.txt"};

    (void)state;
    set_text("concepts.txt", "cat\ndog\n");
    set_text("ImageList/TestImagelist.txt", "a\\1.jpg\na\\2.jpg\n");
    set_text("TrainTestLabels/Labels_dog_Test.txt", "0\n1\n");
    set_fails(&options, LANCET_ERROR_ARGUMENT, "expected the pictures in a folder Flickr or images");
    set_picture("images/a/1.jpg", 4, 3);
    set_picture("images/a/2.jpg", 4, 3);
    set_fails(&options, LANCET_ERROR_IO, "Labels_cat_Test.txt: No such file");
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        set_text("TrainTestLabels/Labels_cat_Test.txt", wrong[i].labels);
        set_fails(&options, LANCET_ERROR_INPUT, wrong[i].says);
    }
    set_text("TrainTestLabels/Labels_cat_Test.txt", "0\n1\n");
    set_text("ImageList/TestImagelist.txt", "a\\1.jpg\na\\..\\..\\2.jpg\n");
    set_fails(&options, LANCET_ERROR_INPUT, "line 2: expected the name of a picture within the data set");
    set_text("ImageList/TestImagelist.txt", "a\\1.jpg\na\\3.jpg\n");
    set_fails(&options, LANCET_ERROR_INPUT, "images/a/3.jpg: expected a picture, found no such file");
    set_text("concepts.txt", "../cat\ndog\n");
    set_text("ImageList/TestImagelist.txt", "a\\1.jpg\na\\2.jpg\n");
    set_fails(&options, LANCET_ERROR_INPUT, "no file can be called by it");
}

/* Every allocation of opening and of a truth fails once: that is said, or makes no difference. */
static void fail_allocations(const lancet_dataset_options *options)
{
    lancet_dataset *sound_one = set_open(options);
    const lancet_dataset_about *expected = lancet_dataset_describe(sound_one);
    uint64_t requests = 1;

    for (uint64_t n = 1; n <= requests; n++) {
        lancet_dataset *dataset = NULL;
        lancet_truth *truth = NULL;
        lancet_error error = {0};
        lancet_status status;

        lancet_memory_fail_at(n);
        status = lancet_dataset_open(&dataset, set_folder, options, &error);
        if (status == LANCET_OK)
            status = lancet_dataset_truth(&truth, dataset, 0, &error);
        requests = status == LANCET_OK ? lancet_memory_requests() : n + 1;
        lancet_memory_fail_at(0);
        if (status != LANCET_OK && status != LANCET_ERROR_MEMORY)
            fail_msg("allocation %llu: expected no memory, found %s", (unsigned long long)n, error.message);
        if (status == LANCET_OK) {
            const lancet_dataset_about *about = lancet_dataset_describe(dataset);

            assert_int_equal(about->layout, expected->layout);
            assert_string_equal(about->classes, expected->classes);
            assert_string_equal(about->split, expected->split);
            assert_int_equal(lancet_dataset_count(dataset), lancet_dataset_count(sound_one));
            assert_int_equal(lancet_dataset_skipped_count(dataset), 0);
        }
        lancet_truth_close(&truth);
        lancet_dataset_close(&dataset);
        assert_true(n < 5000);
    }
    assert_true(requests > 15);
    lancet_dataset_close(&sound_one);
}

static void test_memory(void **state)
{
    const lancet_dataset_options skip = {.on_broken = LANCET_BROKEN_SKIP};

    (void)state;
    make_voc();
    fail_allocations(NULL);
    fail_allocations(&skip);
    set_png("coloured/a.png", LANCET_PNG_RGB, (const uint8_t[36]){0, 0, 0, 128, 0, 0}, 4, 3);
    set_png("coloured/b.png", LANCET_PNG_RGB, (const uint8_t[36]){0, 0, 0, 128, 0, 0}, 4, 3);
    set_png("coloured/c.png", LANCET_PNG_RGB, (const uint8_t[36]){0, 0, 0, 128, 0, 0}, 4, 3);
    fail_allocations(&(lancet_dataset_options){
        .layout = LANCET_LAYOUT_CONTEXT, .pictures = "JPEGImages", .masks = "coloured"});
    set_text("classes.txt", "ant, insect\nbat\n");
    fail_allocations(&(lancet_dataset_options){
        .layout = LANCET_LAYOUT_FOLDER, .pictures = "JPEGImages", .masks = "SegmentationClass"});
    set_text("concepts.txt", "cat\ndog\n");
    set_text("ImageList/TestImagelist.txt", "a.jpg\nb.jpg\n");
    set_text("TrainTestLabels/Labels_cat_Test.txt", "0\n1\n");
    set_text("TrainTestLabels/Labels_dog_Test.txt", "0\n1\n");
    fail_allocations(&(lancet_dataset_options){
        .layout = LANCET_LAYOUT_NUS_WIDE, .pictures = "JPEGImages", .classes = "concepts.txt"});
    set_text(
        "annotations/instances_val2017.json",
        "{\"images\":[{\"id\":1,\"width\":4,\"height\":3,\"file_name\":\"a.jpg\"}],\"annotations\":["
        "{\"id\":1,\"image_id\":1,\"category_id\":1,\"segmentation\":[[0,0,2,0,2,2],[1,1,3,1,3,3]]},"
        "{\"id\":2,\"image_id\":1,\"category_id\":2,\"segmentation\":{\"size\":[3,4],\"counts\":\"246\"}}],"
        "\"categories\":[{\"id\":1,\"name\":\"x\",\"isthing\":1},{\"id\":2,\"name\":\"wall-brick\","
        "\"isthing\":0}]}");
    fail_allocations(&(lancet_dataset_options){.layout = LANCET_LAYOUT_COCO, .pictures = "JPEGImages"});
    set_text("annotations/panoptic_val2017.json",
             "{\"images\":[{\"id\":1,\"width\":4,\"height\":3,\"file_name\":\"a.jpg\"}],\"annotations\":["
             "{\"image_id\":1,\"file_name\":\"m.png\",\"segments_info\":[{\"id\":1,\"category_id\":1}]}],"
             "\"categories\":[{\"id\":1,\"name\":\"x\",\"isthing\":1}]}");
    set_png("annotations/panoptic_val2017/m.png", LANCET_PNG_RGB, (const uint8_t[36]){1}, 4, 3);
    fail_allocations(
        &(lancet_dataset_options){.layout = LANCET_LAYOUT_COCO_PANOPTIC, .pictures = "JPEGImages"});
}

/* Truths of many threads are those of one, and what they skip is listed once each. */
typedef struct many {
    lancet_dataset *dataset;
    _Atomic size_t right, wrong;
} many;

static void ask(void *context, size_t index, int worker)
{
    many *m = context;
    lancet_truth *truth;

    (void)worker;
    if (lancet_dataset_truth(&truth, m->dataset, index % 3, NULL) == LANCET_OK)
        m->right += index % 3 != 1 && truth->present_count == 2;
    else
        m->wrong += index % 3 == 1 && !truth;
    lancet_truth_close(&truth);
}

static void test_threads(void **state)
{
    const lancet_dataset_options skip = {.on_broken = LANCET_BROKEN_SKIP};
    lancet_pool *pool;
    many m = {0};

    (void)state;
    make_voc();
    mask_unknown_value();
    m.dataset = set_open(&skip);
    assert_int_equal(lancet_pool_open(&pool, 4, NULL), LANCET_OK);
    lancet_pool_run(pool, 300, ask, &m);
    lancet_pool_close(&pool);
    assert_int_equal(m.right, 200);
    assert_int_equal(m.wrong, 100);
    assert_int_equal(lancet_dataset_skipped_count(m.dataset), 1);
    lancet_dataset_close(&m.dataset);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_breaks, set_up, set_tear_down),
        cmocka_unit_test_setup_teardown(test_nothing_left, set_up, set_tear_down),
        cmocka_unit_test_setup_teardown(test_unpaired, set_up, set_tear_down),
        cmocka_unit_test_setup_teardown(test_nus_wide_broken, set_up, set_tear_down),
        cmocka_unit_test_setup_teardown(test_memory, set_up, set_tear_down),
        cmocka_unit_test_setup_teardown(test_threads, set_up, set_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
