/* The container: what is written is read, what the format allows is taken. SPDX-License-Identifier:
 * Apache-2.0 */
#include "support/files.h"

#include "checkpoint/checkpoint.h"
#include "checkpoint/safetensors.h"

#include <time.h>

static lancet_checkpoint *open_bytes(const void *bytes, size_t length)
{
    lancet_checkpoint *checkpoint;
    lancet_error error;

    if (lancet_checkpoint_open_memory(&checkpoint, bytes, length, NULL, &error) != LANCET_OK)
        fail_msg("%s", error.message);
    return checkpoint;
}

/* A file of a table as text and so many bytes of data, each its own index. */
static lancet_buffer make_file(const char *table, size_t data)
{
    lancet_buffer file = {0};
    uint8_t length[8] = {(uint8_t)strlen(table), (uint8_t)(strlen(table) >> 8)};

    lancet_buffer_append(&file, length, 8);
    lancet_buffer_append(&file, table, strlen(table));
    for (size_t i = 0; i < data; i++)
        lancet_buffer_append(&file, &(uint8_t){(uint8_t)i}, 1);
    assert_false(file.failed);
    return file;
}

static const float numbers[] = {1, -2, 3.5f, 0, 1e-40f, 6};
static const uint8_t bytes_of[] = {7, 8, 9};
static const uint16_t halves[] = {0x3C00, 0xC000};

static const lancet_tensor tensors[] = {
    {"scalar", LANCET_F32, 0, {0}, 1, numbers, NULL},
    {"z \"quoted\" \\ \x01 \xC3\xA9", LANCET_U8, 1, {3}, 3, bytes_of, NULL},
    {"matrix", LANCET_F32, 2, {2, 3}, 6, numbers, NULL}, /* 7 bytes on: not aligned */
    {"empty", LANCET_F32, 3, {2, 0, 5}, 0, NULL, NULL},
    {"halves", LANCET_F16, 1, {2}, 2, halves, NULL},
};
static const char *const keys[] = {"texts", "a\tb"}, *const values[] = {"[\"cat\",\"dog\"]", ""};

static void check_written(const lancet_checkpoint *checkpoint)
{
    assert_int_equal(lancet_checkpoint_count(checkpoint), 5);
    for (size_t i = 0; i < 5; i++) {
        const lancet_tensor *found = lancet_checkpoint_find(checkpoint, tensors[i].name);

        assert_non_null(found);
        assert_string_equal(found->name, tensors[i].name);
        assert_int_equal(found->dtype, tensors[i].dtype);
        assert_int_equal(found->rank, tensors[i].rank);
        assert_memory_equal(found->shape, tensors[i].shape, sizeof found->shape);
        assert_int_equal(found->count, tensors[i].count);
        if (found->count)
            assert_memory_equal(found->data, tensors[i].data, found->count * lancet_dtype_size(found->dtype));
        if (found->count)
            lancet_checkpoint_drop(checkpoint, found);
    }
    assert_null(lancet_checkpoint_find(checkpoint, "none"));
    assert_null(lancet_checkpoint_find(checkpoint, "matri"));
    assert_string_equal(lancet_checkpoint_metadata(checkpoint, "texts"), values[0]);
    assert_string_equal(lancet_checkpoint_metadata(checkpoint, "a\tb"), "");
    assert_null(lancet_checkpoint_metadata(checkpoint, "a"));
    assert_string_equal(lancet_checkpoint_container(checkpoint), "safetensors");
}

static void test_what_is_written_is_read(void **state)
{
    char *folder = folder_make();
    const char *path = path_of(folder, "x.safetensors");
    lancet_checkpoint *checkpoint;
    lancet_buffer bytes = {0};
    lancet_error error;
    float row[3];

    (void)state;
    assert_int_equal(lancet_safetensors_print(&bytes, tensors, 5, keys, values, 2, &error), LANCET_OK);
    assert_int_equal(((uint8_t)bytes.bytes[0] | (uint8_t)bytes.bytes[1] << 8) % 8,
                     0); /* the data start aligned */
    checkpoint = open_bytes(bytes.bytes, bytes.length);
    check_written(checkpoint);
    assert_string_equal(lancet_checkpoint_path(checkpoint), "memory");
    assert_false(lancet_checkpoint_is_file(checkpoint));
    assert_ptr_equal(lancet_checkpoint_file(checkpoint, 0)->bytes, bytes.bytes);
    assert_int_equal(lancet_checkpoint_file(checkpoint, 0)->length, bytes.length);
    const lancet_tensor view = lancet_tensor_rows(lancet_checkpoint_find(checkpoint, "matrix"), 1, 1);
    lancet_tensor_read(row, &view, 0, 3);
    assert_memory_equal(row, numbers + 3, sizeof row);
    lancet_checkpoint_close(&checkpoint);
    assert_null(checkpoint);

    assert_int_equal(lancet_safetensors_write(path, tensors, 5, keys, values, 2, &error), LANCET_OK);
    assert_int_equal(lancet_checkpoint_open(&checkpoint, path, &error), LANCET_OK);
    assert_true(lancet_checkpoint_is_file(checkpoint));
    check_written(checkpoint);
    check_written(checkpoint); /* also after the pages were dropped */
    assert_memory_equal(lancet_checkpoint_file(checkpoint, 0)->bytes, bytes.bytes, bytes.length);
    lancet_checkpoint_close(&checkpoint);
    lancet_buffer_close(&bytes);
    folder_remove(folder);
}

static void test_nothing_at_all_is_a_file_too(void **state)
{
    lancet_buffer bytes = {0};
    lancet_checkpoint *checkpoint;
    lancet_error error;

    (void)state;
    assert_int_equal(lancet_safetensors_print(&bytes, NULL, 0, NULL, NULL, 0, &error), LANCET_OK);
    checkpoint = open_bytes(bytes.bytes, bytes.length);
    assert_int_equal(lancet_checkpoint_count(checkpoint), 0);
    assert_null(lancet_checkpoint_find(checkpoint, ""));
    assert_null(lancet_checkpoint_find_prefix(checkpoint, ""));
    assert_null(lancet_checkpoint_metadata(checkpoint, ""));
    lancet_checkpoint_close(&checkpoint);
    lancet_buffer_clear(&bytes);
    assert_int_equal(lancet_safetensors_print(&bytes, NULL, 0, keys, values, 2, &error), LANCET_OK);
    checkpoint = open_bytes(bytes.bytes, bytes.length);
    assert_string_equal(lancet_checkpoint_metadata(checkpoint, "texts"), values[0]);
    lancet_checkpoint_close(&checkpoint);
    lancet_buffer_close(&bytes);
}

static void test_what_cannot_be_written(void **state)
{
    static const char *const twice[] = {"a", "a"}, *const texts[] = {"", ""}, *const wrong[] = {"\xFF", ""};
    static const char *const names[] = {"__metadata__", "\xC0\xAF", NULL};
    lancet_tensor pair[2] = {tensors[0], tensors[0]};
    lancet_buffer bytes = {0};
    lancet_error error;

    (void)state;
    assert_int_equal(lancet_safetensors_print(&bytes, pair, 2, NULL, NULL, 0, &error), LANCET_ERROR_ARGUMENT);
    assert_string_equal(error.message, "two of the tensors are named scalar");
    for (size_t i = 0; i < 3; i++) {
        pair[0].name = names[i];
        assert_int_equal(lancet_safetensors_print(&bytes, pair, 1, NULL, NULL, 0, &error),
                         LANCET_ERROR_ARGUMENT);
    }
    pair[1].dtype = LANCET_Q8_0;
    assert_int_equal(lancet_safetensors_print(&bytes, pair + 1, 1, NULL, NULL, 0, &error),
                     LANCET_ERROR_ARGUMENT);
    assert_string_equal(error.message, "tensor scalar: safetensors files have no data type Q8_0");
    pair[1] = tensors[0];
    pair[1].data = NULL;
    assert_int_equal(lancet_safetensors_print(&bytes, pair + 1, 1, NULL, NULL, 0, &error),
                     LANCET_ERROR_ARGUMENT);
    assert_int_equal(lancet_safetensors_print(&bytes, NULL, 0, twice, texts, 2, &error),
                     LANCET_ERROR_ARGUMENT);
    assert_int_equal(lancet_safetensors_print(&bytes, NULL, 0, wrong, texts, 2, &error),
                     LANCET_ERROR_ARGUMENT);
    assert_int_equal(lancet_safetensors_print(&bytes, NULL, 0, texts, wrong, 1, &error),
                     LANCET_ERROR_ARGUMENT);
    assert_int_equal(bytes.length, 0);
    assert_int_equal(lancet_safetensors_write("/nowhere/x", tensors, 5, NULL, NULL, 0, &error),
                     LANCET_ERROR_IO);
    lancet_buffer_close(&bytes);
}

static void test_what_the_format_allows(void **state)
{
    /* Any order, keys in any order, unknown keys, types that are not read, empty tensors between, padding. */
    lancet_buffer file =
        make_file("{\"b\":{\"shape\":[2],\"data_offsets\":[8,12],\"dtype\":\"F16\",\"x\":[{\"y\":1}]},"
                  "\"double\":{\"dtype\":\"F64\",\"shape\":[],\"data_offsets\":[0,8]},"
                  "\"nil\":{\"dtype\":\"BF16\",\"shape\":[0],\"data_offsets\":[8,8]},"
                  "\"four\":{\"dtype\":\"F4\",\"shape\":[3,2],\"data_offsets\":[12,15]},"
                  "\"\":{\"dtype\":\"I64\",\"shape\":[1,1,1,1,1,1,1,1],\"data_offsets\":[15,23]}}  \n\t ",
                  23);
    lancet_checkpoint *checkpoint = open_bytes(file.bytes, file.length);

    (void)state;
    assert_int_equal(lancet_checkpoint_count(checkpoint), 3);
    assert_int_equal(lancet_checkpoint_names(checkpoint), 5);
    assert_string_equal(lancet_checkpoint_tensor(checkpoint, 0)->name, "nil");
    assert_string_equal(lancet_checkpoint_tensor(checkpoint, 1)->name, "b");
    assert_string_equal(lancet_checkpoint_tensor(checkpoint, 2)->name, "");
    assert_string_equal(lancet_checkpoint_name(checkpoint, 1), "b");
    assert_null(lancet_checkpoint_find(checkpoint, "double"));
    assert_string_equal(lancet_checkpoint_unreadable(checkpoint, "double"), "F64");
    assert_string_equal(lancet_checkpoint_unreadable(checkpoint, "four"), "F4");
    assert_null(lancet_checkpoint_unreadable(checkpoint, "b"));
    assert_null(lancet_checkpoint_unreadable(checkpoint, "none"));
    assert_string_equal(lancet_checkpoint_find_prefix(checkpoint, "dou"), "double");
    assert_null(lancet_checkpoint_find_prefix(checkpoint, "doubles"));
    assert_int_equal(*(const uint8_t *)lancet_checkpoint_find(checkpoint, "b")->data, 8);
    lancet_checkpoint_close(&checkpoint);
    lancet_buffer_close(&file);
}

/* Whole numbers with scales, in either order, anywhere in the file; without scales they stay unread. */
static void test_scales_are_joined(void **state)
{
    lancet_buffer file =
        make_file("{\"module.b.scale\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[1,9]},"
                  "\"module.scale\":{\"dtype\":\"I8\",\"shape\":[1],\"data_offsets\":[0,1]},"
                  "\"module.b\":{\"dtype\":\"I8\",\"shape\":[2,3],\"data_offsets\":[9,15]},"
                  "\"module.c\":{\"dtype\":\"I8\",\"shape\":[],\"data_offsets\":[15,16]},"
                  "\"module.c.scale\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[16,17]},"
                  "\"module.d\":{\"dtype\":\"I8\",\"shape\":[0,2],\"data_offsets\":[17,17]},"
                  "\"module.d.scale\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[17,17]}}",
                  17);
    static const float scales[] = {0.5f, 2};
    static const int8_t whole[] = {-128, 127, 0, 1, -1, 3};
    static const float expected[] = {-64, 63.5f, 0, 2, -2, 6};
    lancet_checkpoint *checkpoint;
    const lancet_tensor *b;
    float out[6];

    (void)state;
    memcpy(file.bytes + file.length - 16, scales, sizeof scales);
    memcpy(file.bytes + file.length - 8, whole, sizeof whole);
    checkpoint = open_bytes(file.bytes, file.length);
    assert_int_equal(lancet_checkpoint_names(checkpoint), 5);
    assert_int_equal(lancet_checkpoint_count(checkpoint), 3);
    b = lancet_checkpoint_find(checkpoint, "b");
    assert_non_null(b);
    assert_int_equal(b->dtype, LANCET_I8);
    lancet_tensor_read(out, b, 0, 6);
    assert_memory_equal(out, expected, sizeof expected);
    lancet_checkpoint_drop(checkpoint, b);
    assert_null(lancet_checkpoint_find(checkpoint, "b.scale"));
    assert_null(lancet_checkpoint_unreadable(checkpoint, "b.scale"));
    assert_int_equal(lancet_checkpoint_find(checkpoint, "d")->count, 0);
    /* Nothing to scale by, and no rows to scale. */
    assert_string_equal(lancet_checkpoint_unreadable(checkpoint, "scale"), "I8");
    assert_string_equal(lancet_checkpoint_unreadable(checkpoint, "c"), "I8");
    assert_non_null(lancet_checkpoint_find(checkpoint, "c.scale"));
    lancet_checkpoint_close(&checkpoint);
    lancet_buffer_close(&file);
}

static void test_wrappers_are_stripped(void **state)
{
    lancet_buffer file =
        make_file("{\"state_dict.module.a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
                  "\"state_dict.module.b\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,2]}}",
                  2);
    lancet_checkpoint *checkpoint = open_bytes(file.bytes, file.length);

    (void)state;
    assert_non_null(lancet_checkpoint_find(checkpoint, "a"));
    assert_non_null(lancet_checkpoint_find(checkpoint, "b"));
    lancet_checkpoint_close(&checkpoint);
    lancet_buffer_close(&file);
    /* Only where all have it. */
    file = make_file("{\"module.a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
                     "\"b\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,2]}}",
                     2);
    checkpoint = open_bytes(file.bytes, file.length);
    assert_non_null(lancet_checkpoint_find(checkpoint, "module.a"));
    lancet_checkpoint_close(&checkpoint);
    lancet_buffer_close(&file);
}

static void test_a_hundred_thousand_tensors_open_fast(void **state)
{
    enum { COUNT = 100000 };
    lancet_tensor *many = calloc(COUNT, sizeof *many);
    char(*names)[32] = calloc(COUNT, sizeof *names);
    lancet_checkpoint *checkpoint;
    lancet_buffer bytes = {0};
    struct timespec before, after;
    lancet_error error;
    double seconds;

    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        /* Backwards, so that sorting has something to do. */
        snprintf(names[i], sizeof *names, "layer.%06zu.weight", COUNT - i);
        many[i] = tensors[0];
        many[i].name = names[i];
    }
    assert_int_equal(lancet_safetensors_print(&bytes, many, COUNT, NULL, NULL, 0, &error), LANCET_OK);
    clock_gettime(CLOCK_MONOTONIC, &before);
    checkpoint = open_bytes(bytes.bytes, bytes.length);
    for (size_t i = 0; i < COUNT; i++)
        assert_ptr_equal(lancet_checkpoint_find(checkpoint, names[i])->data,
                         bytes.bytes + bytes.length - 4 * (COUNT - i));
    clock_gettime(CLOCK_MONOTONIC, &after);
    seconds = (double)(after.tv_sec - before.tv_sec) + (double)(after.tv_nsec - before.tv_nsec) * 1e-9;
    print_message("%d tensors opened and found in %.0f ms\n", COUNT, seconds * 1e3);
    assert_true(seconds < 5); /* generous: sanitizers, busy machines */
    lancet_checkpoint_close(&checkpoint);
    lancet_buffer_close(&bytes);
    free(names);
    free(many);
}

/* Every way to cut a file short is found out. */
static void test_every_cut_is_refused(void **state)
{
    lancet_buffer bytes = {0};
    lancet_error error;

    (void)state;
    assert_int_equal(lancet_safetensors_print(&bytes, tensors, 5, keys, values, 2, &error), LANCET_OK);
    for (size_t length = 0; length < bytes.length; length++) {
        lancet_checkpoint *checkpoint;
        char *copy = malloc(length + 1); /* so that a sanitizer sees every step beyond the end */

        copy = realloc(copy, length ? length : 1);
        memcpy(copy, bytes.bytes, length);
        assert_int_equal(lancet_checkpoint_open_memory(&checkpoint, copy, length, NULL, &error),
                         LANCET_ERROR_INPUT);
        assert_null(checkpoint);
        free(copy);
    }
    lancet_buffer_close(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_written_is_read),
        cmocka_unit_test(test_nothing_at_all_is_a_file_too),
        cmocka_unit_test(test_what_cannot_be_written),
        cmocka_unit_test(test_what_the_format_allows),
        cmocka_unit_test(test_scales_are_joined),
        cmocka_unit_test(test_wrappers_are_stripped),
        cmocka_unit_test(test_a_hundred_thousand_tensors_open_fast),
        cmocka_unit_test(test_every_cut_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
