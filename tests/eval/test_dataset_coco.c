/* COCO's instances and panoptic maps, made small. SPDX-License-Identifier: Apache-2.0 */
#include "eval/small_set.h"

#include <math.h>

#define CATEGORIES "\"categories\":[{\"id\":17,\"name\":\"cat\"},{\"id\":3,\"name\":\"car\"}]"

/* A file of instances over pictures of 4 x 3 pixels. */
static void set_instances(const char *name, const char *images, const char *annotations)
{
    char text[8192];

    snprintf(text, sizeof text,
             "{\"info\":{\"year\":2017},\"images\":[%s],\"annotations\":[%s],"
             "\"licenses\":[1,[2,{\"x\":null}]]," CATEGORIES "}",
             images, annotations);
    set_text(name, text);
}

#define IMAGE(id) "{\"id\":" id ",\"width\":4,\"height\":3,\"file_name\":\"" id ".jpg\"}"

/* Columns 0 and 1; pixels 2 to 5 down the columns; column 3. */
#define CAT "{\"id\":1,\"image_id\":9,\"category_id\":17,\"iscrowd\":0,\"segmentation\":[[0,0,2,0,2,3,0,3]]}"
#define CAR "{\"id\":2,\"image_id\":9,\"category_id\":3,\"segmentation\":{\"size\":[3,4],\"counts\":[2,4,6]}}"
#define CATS                                                                                                 \
    "{\"id\":3,\"image_id\":9,\"category_id\":17,\"iscrowd\":1,\"segmentation\":{\"counts\":[6,6],\"size\":" \
    "[3,4]}}"

static void test_instances(void **state)
{
    static const uint16_t labels[12] = {1, 0, IGNORE, IGNORE, 1, 0, IGNORE, IGNORE, 0, 0, IGNORE, IGNORE};
    static const uint16_t both[] = {0, 1};
    lancet_dataset *dataset;
    lancet_truth *truth;
    uint8_t mask[12];

    (void)state;
    set_instances("annotations/instances_val2017.json", IMAGE("9") "," IMAGE("4"), CAT "," CAR "," CATS);
    set_text("annotations/captions_val2017.json", "no matter");
    set_picture("val2017/9.jpg", 4, 3);
    set_picture("val2017/4.jpg", 4, 3);
    dataset = set_open(NULL);
    assert_int_equal(lancet_dataset_describe(dataset)->layout, LANCET_LAYOUT_COCO);
    assert_true(lancet_dataset_describe(dataset)->overlapping);
    assert_string_equal(lancet_dataset_describe(dataset)->split, "val");
    assert_string_equal(lancet_dataset_describe(dataset)->classes, "categories of the annotations");
    assert_int_equal(lancet_dataset_class_count(dataset), 2);
    assert_string_equal(lancet_dataset_class(dataset, 0)->name, "car"); /* by rising id */
    assert_int_equal(lancet_dataset_class(dataset, 1)->value, 17);
    assert_int_equal(lancet_dataset_count(dataset), 2);
    assert_string_equal(lancet_dataset_picture_id(dataset, 0), "4");

    truth = set_truth(dataset, 0); /* a picture with nothing in it */
    assert_int_equal(truth->present_count, 0);
    assert_int_equal(truth->labels[0], NONE);
    lancet_truth_close(&truth);

    truth = set_truth(dataset, 1); /* the smaller thing is on top, the crowd at the bottom */
    labels_are(truth, labels);
    present_are(truth, both, 2);
    assert_int_equal(lancet_truth_mask(truth, 0, mask, NULL), LANCET_OK);
    assert_memory_equal(mask, "\0\1\2\2\0\1\2\2\1\1\2\2", 12);
    assert_int_equal(lancet_truth_mask(truth, 1, mask, NULL), LANCET_OK); /* also below the car */
    assert_memory_equal(mask, "\1\1\2\2\1\1\2\2\1\1\2\2", 12);
    lancet_dataset_close(&dataset); /* truths live on */
    assert_int_equal(lancet_truth_mask(truth, 1, mask, NULL), LANCET_OK);
    lancet_truth_close(&truth);
}

/* A crowd's class is unknown where another thing is known to be; the other thing's class is not. */
static void test_crowds(void **state)
{
    lancet_dataset *dataset;
    lancet_truth *truth;
    uint8_t mask[12];

    (void)state;
    set_instances("annotations/instances_val2017.json", IMAGE("9"),
                  "{\"id\":3,\"image_id\":9,\"category_id\":17,\"iscrowd\":true,\"segmentation\":"
                  "{\"counts\":[0,12],\"size\":[3,4]}}," CAR);
    set_picture("images/9.jpg", 4, 3);
    dataset = set_open(NULL);
    truth = set_truth(dataset, 0);
    present_are(truth, &(const uint16_t){0}, 1); /* a crowd alone is no sample of its class */
    assert_int_equal(lancet_truth_mask(truth, 0, mask, NULL), LANCET_OK);
    assert_memory_equal(mask, "\2\1\2\2\2\1\2\2\1\1\2\2", 12);
    assert_int_equal(lancet_truth_mask(truth, 1, mask, NULL), LANCET_OK);
    assert_memory_equal(mask, "\2\2\2\2\2\2\2\2\2\2\2\2", 12);
    lancet_truth_close(&truth);
    lancet_dataset_close(&dataset);
}

/* The three ways of writing the same shape: pixels 2 to 5. The string is pycocotools'. */
static void test_forms(void **state)
{
    static const char *const shapes[] = {
        "{\"size\":[3,4],\"counts\":[2,4,6]}",
        "{\"size\":[3,4],\"counts\":\"246\"}",
        "{\"counts\":\"\\u0032\\u00346\",\"size\":[3,4]}",
        "[[0,2,1,2,1,3,0,3],[1.0,0,2.0,0,2,3e0,1,3]]",
        "{\"size\":[3,4],\"counts\":[2,1,0,3,6,0]}",
    };

    (void)state;
    set_picture("images/9.jpg", 4, 3);
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        static const uint16_t labels[12] = {NONE, 0, NONE, NONE, NONE, 0, NONE, NONE, 0, 0, NONE, NONE};
        char annotation[512];
        lancet_dataset *dataset;
        lancet_truth *truth;

        snprintf(annotation, sizeof annotation,
                 "{\"segmentation\":%s,\"id\":2,\"area\":4.0,\"image_id\":9,\"category_id\":3}", shapes[i]);
        set_instances("annotations/instances_x.json", IMAGE("9"), annotation);
        dataset = set_open(NULL);
        truth = set_truth(dataset, 0);
        labels_are(truth, labels);
        lancet_truth_close(&truth);
        lancet_dataset_close(&dataset);
    }
}

/* A backslash is a character of the code, which JSON escapes. */
static void test_escaped_string(void **state)
{
    uint8_t mask[12 * 40], found[12 * 40];
    char text[2048], escaped[256], *rle;
    lancet_dataset *dataset;
    lancet_truth *truth;
    size_t at = 0;
    bool has_backslash = false;

    (void)state;
    for (size_t i = 0; i < sizeof mask; i++) { /* a length of 44 begins with 12 and "more": a backslash */
        const size_t pixel = i % 40 * 12 + i / 40;

        mask[i] = pixel >= 5 && pixel < 5 + 44;
    }
    assert_int_equal(lancet_rle_encode(&rle, mask, 40, 12, NULL), LANCET_OK);
    for (const char *c = rle; *c; c++) {
        has_backslash |= *c == '\\';
        if (*c == '\\')
            escaped[at++] = '\\';
        escaped[at++] = *c;
    }
    escaped[at] = '\0';
    assert_true(has_backslash);
    lancet_rle_close(&rle);
    snprintf(
        text, sizeof text,
        "{\"images\":[{\"id\":9,\"width\":40,\"height\":12,\"file_name\":\"9.jpg\"}],\"annotations\":[{"
        "\"id\":1,"
        "\"image_id\":9,\"category_id\":3,\"segmentation\":{\"size\":[12,40],\"counts\":\"%s\"}}]," CATEGORIES
        "}",
        escaped);
    set_text("annotations/instances_val2017.json", text);
    set_picture("val2017/9.jpg", 40, 12);
    dataset = set_open(NULL);
    truth = set_truth(dataset, 0);
    assert_int_equal(lancet_truth_mask(truth, 0, found, NULL), LANCET_OK);
    assert_memory_equal(found, mask, sizeof mask);
    lancet_truth_close(&truth);
    lancet_dataset_close(&dataset);
}

/* Two files that have a picture and an annotation in common count them once. */
static void test_union(void **state)
{
    const lancet_dataset_options one = {.annotations = "annotations/a_instances_val2017.json"};
    lancet_dataset *dataset;
    lancet_truth *truth;
    uint8_t mask[12];

    (void)state;
    set_instances("annotations/a_instances_val2017.json", IMAGE("9"), CAT "," CAR);
    set_instances(
        "annotations/b_instances_val2017.json", IMAGE("4") "," IMAGE("9"),
        CAT
        ",{\"id\":8,\"image_id\":9,\"category_id\":3,\"segmentation\":{\"size\":[3,4],\"counts\":[9,3]}}");
    set_instances("annotations/instances_train2017.json", IMAGE("1"), "");
    set_picture("images/9.jpg", 4, 3);
    set_picture("images/4.jpg", 4, 3);
    dataset = set_open(NULL);
    assert_int_equal(lancet_dataset_count(dataset), 2);
    assert_non_null(strstr(lancet_dataset_describe(dataset)->annotations, "a_instances"));
    assert_non_null(strstr(lancet_dataset_describe(dataset)->annotations, "b_instances"));
    truth = set_truth(dataset, 1);
    assert_int_equal(lancet_truth_mask(truth, 0, mask, NULL), LANCET_OK);
    assert_memory_equal(mask, "\0\1\0\1\0\1\0\1\1\1\0\1", 12);
    lancet_truth_close(&truth);
    lancet_dataset_close(&dataset);
    dataset = set_open(&one);
    assert_int_equal(lancet_dataset_count(dataset), 1);
    lancet_dataset_close(&dataset);
}

/* A list of the user's maps ids to classes of its own. */
static void test_own_classes(void **state)
{
    const lancet_dataset_options options = {.classes = "own.txt"};
    lancet_dataset *dataset;
    lancet_truth *truth;

    (void)state;
    set_instances("annotations/instances_val2017.json", IMAGE("9"), CAT "," CAR);
    set_picture("val2017/9.jpg", 4, 3);
    set_text("own.txt", "17\tpet, kitten\n3\t(background)\n");
    dataset = set_open(&options);
    assert_int_equal(lancet_dataset_class_count(dataset), 1);
    truth = set_truth(dataset, 0);
    labels_are(truth, (const uint16_t[12]){0, 0, NONE, NONE, 0, 0, NONE, NONE, 0, 0, NONE, NONE});
    lancet_truth_close(&truth);
    lancet_dataset_close(&dataset);
    set_text("own.txt", "17\tpet\n");
    set_fails(&options, LANCET_ERROR_INPUT,
              "annotations[1]: expected the id of a category, found the category_id 3");
}

static void make_panoptic(const char *segments)
{
    /* 70000 = 0x011170, R first; 255; nobody's; a crowd's */
    static const uint8_t ids[36] = {0x70, 0x11, 1, 0x70, 0x11, 1, 255, 0, 0, 255, 0, 0, 0, 0, 0, 0, 0, 0,
                                    255,  0,    0, 7,    0,    0, 7,   0, 0, 7,   0, 0, 7, 0, 0, 7, 0, 0};
    char text[4096];

    snprintf(text, sizeof text,
             "{\"images\":[" IMAGE(
                 "9") "],\"annotations\":[{\"image_id\":9,\"file_name\":\"9.png\",\"segments_info\":[%s]}],"
                      "\"categories\":[{\"id\":1,\"name\":\"person\",\"isthing\":1},"
                      "{\"id\":199,\"name\":\"wall-other-merged\",\"isthing\":0},{\"id\":171,\"name\":\"wall-"
                      "brick\",\"isthing\":0},"
                      "{\"id\":112,\"name\":\"door-stuff\",\"isthing\":0}]}",
             segments);
    set_text("annotations/panoptic_val2017.json", text);
    set_picture("val2017/9.jpg", 4, 3);
    set_png("annotations/panoptic_val2017/9.png", LANCET_PNG_RGB, ids, 4, 3);
}

#define SEGMENTS                                                                                             \
    "{\"id\":70000,\"category_id\":1,\"iscrowd\":0,\"bbox\":[0,0,1,1]},{\"id\":255,\"category_id\":199,"     \
    "\"iscrowd\":0},"                                                                                        \
    "{\"id\":7,\"category_id\":1,\"iscrowd\":1}"

static void test_panoptic(void **state)
{
    static const uint16_t labels[12] = {0, 0,      3,      3,      IGNORE, IGNORE,
                                        3, IGNORE, IGNORE, IGNORE, IGNORE, IGNORE};
    static const char *const words[] = {"person", "door", "brick wall", "wall"};
    lancet_dataset *dataset;
    lancet_truth *truth;

    (void)state;
    make_panoptic(SEGMENTS);
    dataset = set_open(NULL);
    assert_int_equal(lancet_dataset_describe(dataset)->layout, LANCET_LAYOUT_COCO_PANOPTIC);
    assert_string_equal(lancet_dataset_class(dataset, 3)->name, "wall-other-merged");
    for (size_t i = 0; i < 4; i++) {
        assert_string_equal(lancet_dataset_class(dataset, i)->words[0], words[i]);
        assert_int_equal(lancet_dataset_class(dataset, i)->kind, i ? LANCET_CLASS_STUFF : LANCET_CLASS_THING);
    }
    truth = set_truth(dataset, 0);
    labels_are(truth, labels);
    lancet_truth_close(&truth);
    lancet_dataset_close(&dataset);
    set_instances("annotations/instances_val2017.json", IMAGE("9"), CAT); /* COCO has both in one folder */
    dataset = set_open(NULL);
    assert_int_equal(lancet_dataset_describe(dataset)->layout, LANCET_LAYOUT_COCO);
    lancet_dataset_close(&dataset);
    dataset = set_open(&(lancet_dataset_options){.layout = LANCET_LAYOUT_COCO_PANOPTIC});
    assert_int_equal(lancet_dataset_describe(dataset)->layout, LANCET_LAYOUT_COCO_PANOPTIC);
    lancet_dataset_close(&dataset);
}

static void test_panoptic_broken(void **state)
{
    (void)state;
    make_panoptic("{\"id\":70000,\"category_id\":1},{\"id\":7,\"category_id\":1}");
    set_fails(NULL, LANCET_ERROR_INPUT,
              "9.png: expected ids of the segments of 9, found 255 at column 2, row 0");
    make_panoptic("{\"id\":7,\"category_id\":1},{\"id\":255,\"category_id\":1},{\"id\":7,\"category_id\":1}");
    set_fails(NULL, LANCET_ERROR_INPUT, "the segment 7 is there twice");
    make_panoptic("{\"id\":7,\"category_id\":2}");
    set_fails(NULL, LANCET_ERROR_INPUT, "segment 7: expected the id of a category, found the category_id 2");
    make_panoptic("{\"id\":7}");
    set_fails(NULL, LANCET_ERROR_INPUT, "expected the category_id of a segment, found none");
    make_panoptic(SEGMENTS);
    set_mask("annotations/panoptic_val2017/9.png", LANCET_PNG_GREY, (const uint8_t[12]){0});
    set_fails(NULL, LANCET_ERROR_INPUT, "expected ids as colours");
    make_panoptic(SEGMENTS);
    set_picture("annotations/panoptic_val2017/9.png", 3, 4);
    set_fails(NULL, LANCET_ERROR_INPUT, "expected 4 x 3 pixels, as its annotation file has, found 3 x 4");
    make_panoptic(SEGMENTS);
    set_picture("val2017/9.jpg", 3, 4);
    set_fails(NULL, LANCET_ERROR_INPUT, "9.jpg: expected 4 x 3 pixels, as its mask has, found 3 x 4");
    make_panoptic(SEGMENTS);
    unlink(set_path("annotations/panoptic_val2017/9.png"));
    set_fails(NULL, LANCET_ERROR_INPUT, "9.png: expected a mask, found no such file");
}

/* What a file of one image and one annotation says, and how that fails. */
typedef struct broken {
    const char *images, *annotations, *says;
} broken;

#define SHAPE(s) "{\"id\":2,\"image_id\":9,\"category_id\":3,\"segmentation\":" s "}"

static const broken cases[] = {
    {"{\"id\":9,\"width\":4,\"height\":3}", CAR, "images[0]: expected file_name, found none"},
    {"{\"id\":9,\"width\":4,\"file_name\":\"9.jpg\"}", CAR, "images[0]: expected height, found none"},
    {"{\"id\":-9,\"width\":4,\"height\":3,\"file_name\":\"9.jpg\"}", CAR,
     "expected a whole number of 0 or more"},
    {"{\"id\":9,\"id\":9,\"width\":4,\"height\":3,\"file_name\":\"9.jpg\"}", CAR,
     "images[0]: id is there twice"},
    {"{\"id\":9,\"width\":0,\"height\":3,\"file_name\":\"9.jpg\"}", CAR, "image 9: expected at least one"},
    {"{\"id\":9,\"width\":9000000000,\"height\":9000000000,\"file_name\":\"9.jpg\"}", CAR,
     "at most 67108864 pixels"},
    {"{\"id\":9,\"width\":4,\"height\":3,\"file_name\":\"../9.jpg\"}", CAR, "found \"../9.jpg\""},
    {"{\"id\":9,\"width\":4,\"height\":3,\"file_name\":\"/etc/passwd\"}", CAR, "found \"/etc/passwd\""},
    {"{\"id\":9,\"width\":4,\"height\":3,\"file_name\":\"a/../../9.jpg\"}", CAR, "within the data set"},
    {"{\"id\":9,\"width\":4,\"height\":3,\"file_name\":\"a\\\\..\\\\9.jpg\"}", CAR, "within the data set"},
    {"{\"id\":9,\"width\":4,\"height\":3,\"file_name\":\"\"}", CAR, "within the data set"},
    {"{\"id\":9,\"width\":4,\"height\":3,\"file_name\":\"9.jpg\\u0000.png\"}", CAR,
     "a zero character in a string"},
    {"{\"id\":9,\"width\":4,\"height\":3,\"file_name\":\"none.jpg\"}", CAR,
     "none.jpg: expected a picture, found no such file"},
    {"{\"id\":9,\"width\":3,\"height\":4,\"file_name\":\"9.jpg\"}", "",
     "expected 3 x 4 pixels, as its annotation file has, found 4 x 3"},
    {IMAGE("9") "," IMAGE("9"), CAR, "the image 9 is there twice"},
    {IMAGE("9") ",{\"id\":8,\"width\":4,\"height\":3,\"file_name\":\"9.jpg\"}", CAR,
     "the picture 9 is there twice"},
    {IMAGE("9") ",", CAR, "expected an object"},
    {"7", CAR, "expected an object"},
    {IMAGE("9"), CAR "," CAR, "annotations[1]: the annotation 2 is there twice"},
    {IMAGE("9"), "{\"id\":2,\"image_id\":10,\"category_id\":3,\"segmentation\":[]}",
     "annotations[0]: expected the id of an image, found the image_id 10"},
    {IMAGE("9"), "{\"id\":2,\"image_id\":9,\"category_id\":4,\"segmentation\":[]}",
     "annotations[0]: expected the id of a category, found the category_id 4"},
    {IMAGE("9"), "{\"id\":2,\"image_id\":9,\"category_id\":3}", "expected segmentation, found none"},
    {IMAGE("9"), "{\"image_id\":9,\"category_id\":3,\"segmentation\":[]}",
     "annotations[0]: expected id, found none"},
    {IMAGE("9"), "{\"id\":2,\"image_id\":9,\"category_id\":3,\"iscrowd\":2,\"segmentation\":[]}",
     "expected a flag of 0 or 1"},
    {IMAGE("9"), "{\"id\":99999999999999999999,\"image_id\":9}", "a number too large"},
    {IMAGE("9"), SHAPE("[]"), "annotation 2: expected polygons, found none"},
    {IMAGE("9"), SHAPE("[[]]"), "annotation 2: polygon: expected at least 3 corners, found 0"},
    {IMAGE("9"), SHAPE("[[0,0,2,2]]"), "expected at least 3 corners, found 2"},
    {IMAGE("9"), SHAPE("[[0,0,2,0,2,2,0]]"), "expected pairs of numbers, found 7"},
    {IMAGE("9"), SHAPE("[[0,0,9,0,2,2]]"), "expected corners in a picture of 4 x 3, found 9, 0"},
    {IMAGE("9"), SHAPE("[[0,0,2,-3.5,2,2]]"), "found 2, -3.5"},
    {IMAGE("9"), SHAPE("[[0,0,1e999,0,2,2]]"), "expected corners in a picture"},
    {IMAGE("9"), SHAPE("[[0,0,\"1\",0,2,2]]"), "expected a number"},
    {IMAGE("9"), SHAPE("[[0,0,NaN,0,2,2]]"), "expected a value"},
    {IMAGE("9"), SHAPE("[0,0,2,0,2,2]"), "expected a list"},
    {IMAGE("9"), SHAPE("\"246\""), "expected a list"},
    {IMAGE("9"), SHAPE("null"), "expected a list"},
    {IMAGE("9"), SHAPE("{\"size\":[3,4],\"counts\":[2,4,5]}"), "expected 12 pixels in all, found 11"},
    {IMAGE("9"), SHAPE("{\"size\":[3,4],\"counts\":[2,4,7]}"), "expected 12 pixels in all, found more"},
    {IMAGE("9"), SHAPE("{\"size\":[3,4],\"counts\":[2,-4,14]}"), "expected a whole number of 0 or more"},
    {IMAGE("9"), SHAPE("{\"size\":[3,4],\"counts\":[]}"), "found 0"},
    {IMAGE("9"), SHAPE("{\"size\":[4,3],\"counts\":[2,4,6]}"),
     "expected the size [3, 4] of the picture, found [4, 3]"},
    {IMAGE("9"), SHAPE("{\"size\":[3],\"counts\":[2,4,6]}"), "expected the size [3, 4]"},
    {IMAGE("9"), SHAPE("{\"counts\":[2,4,6]}"), "expected counts and size, found no size"},
    {IMAGE("9"), SHAPE("{\"size\":[3,4]}"), "expected counts and size, found no counts"},
    {IMAGE("9"), SHAPE("{\"size\":[3,4],\"counts\":\"24\"}"), "expected 12 pixels in all, found 6"},
    {IMAGE("9"), SHAPE("{\"size\":[3,4],\"counts\":\"2 4\"}"), "found the byte 32"},
    {IMAGE("9"), SHAPE("{\"size\":[3,4],\"counts\":\"24V\"}"), "cut short"},
    {IMAGE("9"), SHAPE("{\"size\":[3,4],\"counts\":\"\"}"), "found 0"},
};

static void test_broken(void **state)
{
    (void)state;
    set_picture("images/9.jpg", 4, 3);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        set_instances("annotations/instances_val2017.json", cases[i].images, cases[i].annotations);
        set_fails(NULL, LANCET_ERROR_INPUT, cases[i].says);
    }
}

/* Cut at every byte, the file is refused; so is one with anything behind its end. */
static void test_truncated(void **state)
{
    const char *path = set_path("annotations/instances_val2017.json");
    size_t length;
    char *text;

    (void)state;
    set_picture("images/9.jpg", 4, 3);
    set_instances("annotations/instances_val2017.json", IMAGE("9"), CAT "," CAR "," CATS);
    text = file_read(path, &length);
    for (size_t keep = 0; keep < length; keep++) {
        file_write(path, text, keep);
        set_fails(NULL, LANCET_ERROR_INPUT, "instances_val2017.json: byte ");
    }
    text[length] = '}';
    file_write(path, text, length + 1);
    set_fails(NULL, LANCET_ERROR_INPUT, "byte");
    free(text);
    set_text("annotations/instances_val2017.json", "{\"images\":[]," CATEGORIES "}");
    set_fails(NULL, LANCET_ERROR_INPUT, "instances_val2017.json: expected a list of annotations, found none");
    set_text("annotations/instances_val2017.json", "{\"images\":[],\"annotations\":[]," CATEGORIES "}");
    set_fails(NULL, LANCET_ERROR_INPUT, "expected pictures, found none");
    set_text("annotations/instances_val2017.json", "{\"images\":[],\"annotations\":[],\"categories\":[]}");
    set_fails(NULL, LANCET_ERROR_INPUT, "expected categories, found none");
    set_text("annotations/instances_val2017.json", "{\"images\":[],\"annotations\":[],\"categories\":[{"
                                                   "\"id\":1,\"name\":\"a\"},{\"id\":1,\"name\":\"b\"}]}");
    set_fails(NULL, LANCET_ERROR_INPUT, "the category 1 is both \"a\" and \"b\"");
    set_text("annotations/instances_val2017.json",
             "{\"images\":[],\"annotations\":[],\"categories\":[{\"id\":70000,\"name\":\"a\"}]}");
    set_fails(NULL, LANCET_ERROR_INPUT, "category id of at most 65535, found 70000");
}

/* What is broken is left out and listed; what is sound stays. */
static void test_skip(void **state)
{
    const lancet_dataset_options skip = {.on_broken = LANCET_BROKEN_SKIP};
    static const char *const says[] = {"image_id 77", "the annotation 5 is there twice", "category_id 99",
                                       "13.jpg"};
    lancet_dataset *dataset;
    lancet_truth *truth;
    lancet_error error;

    (void)state;
    set_picture("images/9.jpg", 4, 3);
    set_picture("images/10.jpg", 4, 3);
    set_picture("images/11.jpg", 4, 3);
    set_picture("images/12.jpg", 4, 3);
    set_instances("annotations/instances_val2017.json",
                  IMAGE("9") "," IMAGE("10") "," IMAGE("11") "," IMAGE("12") "," IMAGE("13"),
                  CAR ",{\"id\":5,\"image_id\":10,\"category_id\":3,\"segmentation\":[[0,0,1,0,1,1]]},"
                      "{\"id\":5,\"image_id\":10,\"category_id\":17,\"segmentation\":[[0,0,1,0,1,1]]},"
                      "{\"id\":6,\"image_id\":11,\"category_id\":99,\"segmentation\":[[0,0,1,0,1,1]]},"
                      "{\"id\":7,\"image_id\":77,\"category_id\":3,\"segmentation\":[[0,0,1,0,1,1]]},"
                      "{\"id\":8,\"image_id\":12,\"category_id\":3,\"segmentation\":[[0,0]]}");
    dataset = set_open(&skip);
    assert_int_equal(lancet_dataset_count(dataset), 2);
    assert_int_equal(lancet_dataset_skipped_count(dataset), 4);
    for (size_t i = 0; i < 4; i++)
        if (!strstr(lancet_dataset_skipped(dataset, i), says[i]))
            fail_msg("expected %s, found %s", says[i], lancet_dataset_skipped(dataset, i));
    truth = set_truth(dataset, 0);
    present_are(truth, &(const uint16_t){0}, 1);
    lancet_truth_close(&truth);
    for (int again = 0; again < 2; again++) { /* found when it is asked for, and noted once */
        assert_int_equal(lancet_dataset_truth(&truth, dataset, 1, &error), LANCET_ERROR_INPUT);
        assert_int_equal(lancet_dataset_skipped_count(dataset), 5);
        assert_string_equal(lancet_dataset_skipped(dataset, 4), error.message);
    }
    assert_int_equal(lancet_dataset_skip(dataset, 0, "its pixels do not decode", NULL), LANCET_OK);
    assert_int_equal(lancet_dataset_skip(dataset, 0, "another reason", NULL), LANCET_OK);
    assert_string_equal(lancet_dataset_skipped(dataset, 4), "its pixels do not decode"); /* by index */
    assert_null(lancet_dataset_skipped(dataset, 6));
    lancet_dataset_close(&dataset);
}

/* Things that cover the picture over and over are no honest annotation. */
static void test_coverings(void **state)
{
    char *annotations = malloc(1 << 16);
    char *text = malloc(1 << 17);
    size_t at = 0;

    (void)state;
    for (int i = 0; i < 300; i++)
        at +=
            (size_t)snprintf(annotations + at, (1 << 16) - at,
                             "%s{\"id\":%d,\"image_id\":9,\"category_id\":3,\"segmentation\":{\"size\":[3,4],"
                             "\"counts\":[0,12]}}",
                             i ? "," : "", i);
    snprintf(text, 1 << 17, "{\"images\":[" IMAGE("9") "],\"annotations\":[%s]," CATEGORIES "}", annotations);
    set_text("annotations/instances_val2017.json", text);
    set_picture("images/9.jpg", 4, 3);
    set_fails(NULL, LANCET_ERROR_INPUT, "9.jpg: its things cover the picture more than 256 times over");
    free(annotations);
    free(text);
}

/* Boundaries that go to and fro for ever are cut off, also if it is over many things that each are sound. */
static void test_long_boundaries(void **state)
{
    const size_t room = 1 << 20, corners = 450;
    char *text = malloc(room);
    size_t at = 0;

    (void)state;
    for (int last = 0; last < 2; last++) {
        at = (size_t)snprintf(text, room,
                              "{\"images\":[{\"id\":9,\"width\":8000,\"height\":10,\"file_name\":\"9.jpg\"}],"
                              "\"annotations\":[");
        for (int i = 0; i < 3 + last; i++) { /* 18 million steps each */
            at += (size_t)snprintf(text + at, room - at,
                                   "%s{\"id\":%d,\"image_id\":9,\"category_id\":3,\"segmentation\":[[",
                                   i ? "," : "", i);
            for (size_t k = 0; k < corners; k++)
                at += (size_t)snprintf(text + at, room - at, "%s%d,%d", k ? "," : "", k % 2 ? 8000 : 0,
                                       (int)(k % 10));
            at += (size_t)snprintf(text + at, room - at, "]]}");
        }
        snprintf(text + at, room - at, "]," CATEGORIES "}");
        set_text("annotations/instances_val2017.json", text);
        set_picture("images/9.jpg", 8000, 10);
        if (last) {
            set_fails(NULL, LANCET_ERROR_INPUT,
                      "annotation 3: polygon: expected boundaries of at most 13421772 pixels");
        } else {
            lancet_dataset *dataset = set_open(NULL);
            lancet_truth *truth = set_truth(dataset, 0);

            lancet_truth_close(&truth);
            lancet_dataset_close(&dataset);
        }
    }
    free(text);
}

static void test_files(void **state)
{
    const lancet_dataset_options coco = {.layout = LANCET_LAYOUT_COCO},
                                 none = {.layout = LANCET_LAYOUT_COCO, .annotations = "none.json"},
                                 part = {.layout = LANCET_LAYOUT_COCO, .split = "test"};

    (void)state;
    set_fails(&coco, LANCET_ERROR_ARGUMENT, "expected a folder annotations, found none");
    set_text("annotations/other.txt", "");
    set_fails(&coco, LANCET_ERROR_ARGUMENT, "expected files *instances*.json, found none");
    set_instances("annotations/instances_a.json", IMAGE("9"), "");
    set_fails(&coco, LANCET_ERROR_ARGUMENT, "expected the pictures in a folder a, found none");
    set_fails(&none, LANCET_ERROR_IO, "none.json: No such file");
    set_fails(&part, LANCET_ERROR_ARGUMENT, "expected files *instances*test*.json, found none");
    set_instances("annotations/instances_b.json", IMAGE("9"), "");
    set_fails(&coco, LANCET_ERROR_ARGUMENT, "found 2 files, instances_a.json and others: the option split");
    set_instances("annotations/instances_b.json",
                  "{\"id\":9,\"width\":4,\"height\":3,\"file_name\":\"other.jpg\"}", "");
    set_picture("images/9.jpg", 4, 3);
    set_fails(&(lancet_dataset_options){.annotations = "annotations", .split = "instances"},
              LANCET_ERROR_INPUT, "the image 9 is there twice, as different pictures");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_instances, set_up, set_tear_down),
        cmocka_unit_test_setup_teardown(test_crowds, set_up, set_tear_down),
        cmocka_unit_test_setup_teardown(test_forms, set_up, set_tear_down),
        cmocka_unit_test_setup_teardown(test_escaped_string, set_up, set_tear_down),
        cmocka_unit_test_setup_teardown(test_union, set_up, set_tear_down),
        cmocka_unit_test_setup_teardown(test_own_classes, set_up, set_tear_down),
        cmocka_unit_test_setup_teardown(test_panoptic, set_up, set_tear_down),
        cmocka_unit_test_setup_teardown(test_panoptic_broken, set_up, set_tear_down),
        cmocka_unit_test_setup_teardown(test_broken, set_up, set_tear_down),
        cmocka_unit_test_setup_teardown(test_truncated, set_up, set_tear_down),
        cmocka_unit_test_setup_teardown(test_skip, set_up, set_tear_down),
        cmocka_unit_test_setup_teardown(test_coverings, set_up, set_tear_down),
        cmocka_unit_test_setup_teardown(test_long_boundaries, set_up, set_tear_down),
        cmocka_unit_test_setup_teardown(test_files, set_up, set_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
