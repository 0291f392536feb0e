/* .npy files: what is read and written, and what is refused. SPDX-License-Identifier: Apache-2.0 */
#include "lancet/npy.h"

#include "support/files.h"

#include "base/memory.h"

#include <math.h>

static char *folder;

/* Writes a version 1.0 file with this header text and these elements. */
static const char *make(const char *header, const void *elements, size_t length)
{
    const char *path = path_of(folder, "made.npy");
    const size_t header_length = strlen(header);
    char *bytes = malloc(10 + header_length + length);

    memcpy(bytes, "\x93NUMPY\x01\x00", 8);
    bytes[8] = (char)(header_length & 255);
    bytes[9] = (char)(header_length >> 8);
    memcpy(bytes + 10, header, header_length);
    if (length)
        memcpy(bytes + 10 + header_length, elements, length);
    file_write(path, bytes, 10 + header_length + length);
    free(bytes);
    return path;
}

static lancet_npy read_made(const char *header, const void *elements, size_t length)
{
    lancet_npy array;
    lancet_error error = {0};

    if (lancet_npy_read(&array, make(header, elements, length), &error) != LANCET_OK)
        fail_msg("%s: %s", header, error.message);
    return array;
}

static void test_round_trip(void **state)
{
    const float values[6] = {1, -2.5f, 1e-40f, INFINITY, 0, 3e38f};
    const int32_t numbers[6] = {INT32_MIN, -1, 0, 1, 49407, INT32_MAX};
    const uint8_t bytes[6] = {0, 1, 127, 128, 254, 255};
    const void *const all[] = {values, numbers, bytes};
    const size_t shape[] = {1, 2, 3};
    const char *path = path_of(folder, "out.npy");

    (void)state;
    for (int type = LANCET_NPY_FLOAT32; type <= LANCET_NPY_UINT8; type++) {
        const size_t size = type == LANCET_NPY_UINT8 ? 1 : 4;
        lancet_npy array;
        size_t length;
        char *file;

        assert_int_equal(lancet_npy_write(path, (lancet_npy_type)type, shape, 3, all[type], NULL), LANCET_OK);
        assert_int_equal(lancet_npy_read(&array, path, NULL), LANCET_OK);
        assert_int_equal(array.type, type);
        assert_int_equal(array.rank, 3);
        assert_int_equal(array.count, 6);
        assert_memory_equal(array.shape, shape, sizeof shape);
        assert_memory_equal(array.values, all[type], 6 * size);
        lancet_npy_close(&array);
        assert_null(array.values);
        lancet_npy_close(&array);
        /* The elements begin at a multiple of 64, as numpy lays them. */
        file = file_read(path, &length);
        assert_int_equal((length - 6 * size) % 64, 0);
        assert_int_equal(file[length - 6 * size - 1], '\n');
        free(file);
    }
}

/* Byte for byte what numpy.save writes. */
static void test_written_bytes(void **state)
{
    static const char expected[] =
        "\x93NUMPY\x01\x00\x76\x00{'descr': '<i4', 'fortran_order': False, 'shape': (2,), }"
        "                                                            \n"
        "\x01\x00\x00\x00\xfe\xff\xff\xff";
    const char *path = path_of(folder, "out.npy");
    size_t length;
    char *bytes;

    (void)state;
    assert_int_equal(
        lancet_npy_write(path, LANCET_NPY_INT32, (const size_t[]){2}, 1, (const int32_t[]){1, -2}, NULL),
        LANCET_OK);
    bytes = file_read(path, &length);
    assert_int_equal(length, sizeof expected - 1);
    assert_memory_equal(bytes, expected, length);
    free(bytes);
}

static void test_shapes(void **state)
{
    const float one = 7;
    lancet_npy array;
    const char *path = path_of(folder, "out.npy");

    (void)state;
    array = read_made("{'descr': '<f4', 'fortran_order': False, 'shape': (), }\n", &one, 4);
    assert_int_equal(array.rank, 0);
    assert_int_equal(array.count, 1);
    assert_true(*(float *)array.values == 7);
    lancet_npy_close(&array);
    array = read_made("{'shape': (0, 5), \"fortran_order\": False, 'descr': '<f4'}", NULL, 0);
    assert_int_equal(array.rank, 2);
    assert_int_equal(array.count, 0);
    lancet_npy_close(&array);
    array = read_made("{'shape': (1L, 1L,), 'fortran_order': True, 'descr': '<f4'}  \n", &one, 4);
    assert_int_equal(array.count, 1);
    lancet_npy_close(&array);
    assert_int_equal(lancet_npy_write(path, LANCET_NPY_FLOAT32, NULL, 0, &one, NULL), LANCET_OK);
    assert_int_equal(lancet_npy_read(&array, path, NULL), LANCET_OK);
    assert_int_equal(array.rank, 0);
    lancet_npy_close(&array);
}

static void test_fortran(void **state)
{
    /* arange(24).reshape(2, 3, 4) as numpy stores it in Fortran order. */
    const uint8_t stored[24] = {0, 12, 4, 16, 8,  20, 1, 13, 5, 17, 9,  21,
                                2, 14, 6, 18, 10, 22, 3, 15, 7, 19, 11, 23};
    lancet_npy array = read_made("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3, 4), }", stored, 24);

    (void)state;
    for (size_t i = 0; i < 24; i++)
        assert_int_equal(((uint8_t *)array.values)[i], i);
    lancet_npy_close(&array);
}

/* One element of every type, in both byte orders. */
static void test_types(void **state)
{
    static const struct {
        const char *type;
        char bytes[9];
        size_t size;
        lancet_npy_type becomes;
        double value;
    } cases[] = {
        {"<f4", "\x00\x00\xc0\x3f", 4, LANCET_NPY_FLOAT32, 1.5},
        {">f4", "\x3f\xc0\x00\x00", 4, LANCET_NPY_FLOAT32, 1.5},
        {"<f2", "\x00\x3e", 2, LANCET_NPY_FLOAT32, 1.5},
        {">f2", "\xbe\x00", 2, LANCET_NPY_FLOAT32, -1.5},
        {"<f2", "\x01\x00", 2, LANCET_NPY_FLOAT32, 5.9604644775390625e-8},
        {"<f2", "\xff\x7b", 2, LANCET_NPY_FLOAT32, 65504},
        {"<f2", "\x00\xfc", 2, LANCET_NPY_FLOAT32, -INFINITY},
        {"<f8", "\x00\x00\x00\x00\x00\x00\xf8\x3f", 8, LANCET_NPY_FLOAT32, 1.5},
        {">f8", "\x3f\xf8\x00\x00\x00\x00\x00\x00", 8, LANCET_NPY_FLOAT32, 1.5},
        {"<f8", "\xff\xff\xff\xff\xff\xff\xef\x7f", 8, LANCET_NPY_FLOAT32, INFINITY},
        {"|i1", "\xff", 1, LANCET_NPY_INT32, -1},
        {"<i2", "\xfe\xff", 2, LANCET_NPY_INT32, -2},
        {">i2", "\xff\xfe", 2, LANCET_NPY_INT32, -2},
        {"<i4", "\x00\x00\x00\x80", 4, LANCET_NPY_INT32, INT32_MIN},
        {"<i8", "\xff\xff\xff\xff\xff\xff\xff\xff", 8, LANCET_NPY_INT32, -1},
        {">i8", "\x00\x00\x00\x00\x7f\xff\xff\xff", 8, LANCET_NPY_INT32, INT32_MAX},
        {"<u2", "\xff\xff", 2, LANCET_NPY_INT32, 65535},
        {"<u4", "\xff\xff\xff\x7f", 4, LANCET_NPY_INT32, INT32_MAX},
        {"<u8", "\x05\x00\x00\x00\x00\x00\x00\x00", 8, LANCET_NPY_INT32, 5},
        {"|u1", "\xff", 1, LANCET_NPY_UINT8, 255},
        {"|b1", "\x01", 1, LANCET_NPY_UINT8, 1},
        {"=u1", "\x09", 1, LANCET_NPY_UINT8, 9},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char header[100];
        lancet_npy array;
        double value;

        snprintf(header, sizeof header, "{'descr': '%s', 'fortran_order': False, 'shape': (1,), }",
                 cases[i].type);
        array = read_made(header, cases[i].bytes, cases[i].size);
        assert_int_equal(array.type, cases[i].becomes);
        value = array.type == LANCET_NPY_FLOAT32 ? (double)*(float *)array.values
                : array.type == LANCET_NPY_INT32 ? *(int32_t *)array.values
                                                 : *(uint8_t *)array.values;
        if (value != cases[i].value)
            fail_msg("%s: expected %g, found %g", cases[i].type, cases[i].value, value);
        lancet_npy_close(&array);
    }
}

static void test_versions(void **state)
{
    static const char header[] = "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }";
    const char *path = path_of(folder, "version.npy");
    char bytes[200] = "\x93NUMPY";
    lancet_npy array;

    (void)state;
    for (char version = 0; version < 5; version++) {
        lancet_error error;
        const bool good = version == 2 || version == 3;

        bytes[6] = version;
        bytes[8] = (char)(sizeof header - 1);
        memcpy(bytes + 12, header, sizeof header);
        file_write(path, bytes, 12 + sizeof header - 1 + 4);
        if (version != 1)
            assert_int_equal(lancet_npy_read(&array, path, &error),
                             good ? LANCET_OK : LANCET_ERROR_UNSUPPORTED);
        if (good)
            lancet_npy_close(&array);
    }
}

/* Headers that must be refused, with a part of the sentence that says why. 8 bytes of elements follow. */
static void test_refused(void **state)
{
    static const struct {
        const char *header;
        lancet_status status;
        const char *says;
    } cases[] = {
        {"", LANCET_ERROR_INPUT, "expected '{', found its end"},
        {"{", LANCET_ERROR_INPUT, "'descr'"},
        {"{}", LANCET_ERROR_INPUT, "'descr' is missing"},
        {"[]", LANCET_ERROR_INPUT, "expected '{'"},
        {"{'descr': '<f4', 'fortran_order': False}", LANCET_ERROR_INPUT, "'shape' is missing"},
        {"{'descr': '<f4', 'shape': (2,)}", LANCET_ERROR_INPUT, "'fortran_order' is missing"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,)", LANCET_ERROR_INPUT, "found its end"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,)} x", LANCET_ERROR_INPUT, "nothing after"},
        {"{'descr': '<f4' 'fortran_order': False, 'shape': (2,)}", LANCET_ERROR_INPUT, "each with its value"},
        {"{'descr' '<f4', 'fortran_order': False, 'shape': (2,)}", LANCET_ERROR_INPUT, "each with its value"},
        {"{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", LANCET_ERROR_INPUT,
         "twice"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'extra': 1}", LANCET_ERROR_INPUT,
         "'extra'"},
        {"{'descr': '<f4', 'fortran_order': false, 'shape': (2,)}", LANCET_ERROR_INPUT, "True or False"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': 2}", LANCET_ERROR_INPUT, "a shape"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2 1)}", LANCET_ERROR_INPUT, "',' or ')'"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (-2,)}", LANCET_ERROR_INPUT, "whole number"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (,)}", LANCET_ERROR_INPUT, "whole number"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2", LANCET_ERROR_INPUT, "found its end"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (3,)}", LANCET_ERROR_INPUT, "12 bytes"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", LANCET_ERROR_INPUT, "4 bytes"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (2,)}", LANCET_ERROR_INPUT, "16 bytes"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}", LANCET_ERROR_INPUT,
         "memory"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296)}", LANCET_ERROR_INPUT,
         "memory"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904,)}", LANCET_ERROR_INPUT,
         "memory"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 1, 1, 1, 1, 1, 1, 2)}",
         LANCET_ERROR_UNSUPPORTED, "more than 8"},
        {"{'descr': '<c8', 'fortran_order': False, 'shape': (1,)}", LANCET_ERROR_UNSUPPORTED, "'<c8'"},
        {"{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", LANCET_ERROR_UNSUPPORTED, "'|O'"},
        {"{'descr': '<U2', 'fortran_order': False, 'shape': (1,)}", LANCET_ERROR_UNSUPPORTED, "'<U2'"},
        {"{'descr': '<f16', 'fortran_order': False, 'shape': (1,)}", LANCET_ERROR_UNSUPPORTED, "'<f16'"},
        {"{'descr': '', 'fortran_order': False, 'shape': (1,)}", LANCET_ERROR_UNSUPPORTED, "''"},
        {"{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (2,)}", LANCET_ERROR_UNSUPPORTED,
         "records"},
        {"{'descr': <f4, 'fortran_order': False, 'shape': (2,)}", LANCET_ERROR_INPUT, "a data type"},
        {"{'descr': '<f4, 'fortran_order': False, 'shape': (2,)}", LANCET_ERROR_UNSUPPORTED, "type"},
        {"{'descr': '<f4\\x27', 'fortran_order': False, 'shape': (2,)}", LANCET_ERROR_INPUT, "a data type"},
        {"{'descr': '<i8', 'fortran_order': False, 'shape': (1,)}", LANCET_ERROR_INPUT, "32 bits"},
        {"{'descr': '<u4', 'fortran_order': False, 'shape': (2,)}", LANCET_ERROR_INPUT, "element 0"},
        {"{'descr': '<u8', 'fortran_order': False, 'shape': (1,)}", LANCET_ERROR_INPUT, "element 0"},
        {"{'descr': __import__('os').system('id'), 'fortran_order': False, 'shape': (2,)}",
         LANCET_ERROR_INPUT, "a data type"},
    };
    const char elements[8] = "\xff\xff\xff\xff\xff\xff\xff\x7f";

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        lancet_npy array = {.rank = 5};
        lancet_error error = {0};
        const lancet_status status = lancet_npy_read(&array, make(cases[i].header, elements, 8), &error);

        if (status != cases[i].status || !strstr(error.message, cases[i].says))
            fail_msg("%s\n  expected %d with \"%s\", found %d: %s", cases[i].header, cases[i].status,
                     cases[i].says, status, error.message);
        assert_non_null(strstr(error.message, "made.npy"));
        assert_null(array.values);
        assert_int_equal(array.rank, 0);
    }
}

/* Every cut of a good file is refused, and so is any flipped byte of its header or the read is harmless. */
static void test_cut_and_flipped(void **state)
{
    const char *path = path_of(folder, "whole.npy"), *broken = path_of(folder, "broken.npy");
    const float values[4] = {1, 2, 3, 4};
    size_t length;
    char *bytes;

    (void)state;
    assert_int_equal(lancet_npy_write(path, LANCET_NPY_FLOAT32, (const size_t[]){2, 2}, 2, values, NULL),
                     LANCET_OK);
    bytes = file_read(path, &length);
    for (size_t cut = 0; cut < length; cut++) {
        lancet_npy array;

        file_write(broken, bytes, cut);
        assert_int_equal(lancet_npy_read(&array, broken, NULL), LANCET_ERROR_INPUT);
    }
    for (size_t i = 0; i < 128; i++)
        for (int bit = 0; bit < 8; bit++) {
            lancet_npy array;

            bytes[i] = (char)(bytes[i] ^ 1 << bit);
            file_write(broken, bytes, length);
            if (lancet_npy_read(&array, broken, NULL) == LANCET_OK)
                assert_true(array.count * (array.type == LANCET_NPY_UINT8 ? 1 : 4) <= 32);
            lancet_npy_close(&array);
            bytes[i] = (char)(bytes[i] ^ 1 << bit);
        }
    free(bytes);
}

static void test_header_length(void **state)
{
    const char *path = path_of(folder, "long.npy");
    const char bytes[16] = "\x93NUMPY\x02\x00\xff\xff\xff\xff{}";
    lancet_npy array;
    lancet_error error;

    (void)state;
    file_write(path, bytes, sizeof bytes);
    assert_int_equal(lancet_npy_read(&array, path, &error), LANCET_ERROR_INPUT);
    assert_non_null(strstr(error.message, "4294967295"));
}

static void test_arguments(void **state)
{
    const float values[1] = {0};
    const size_t shape[9] = {1, 1, 1, 1, 1, 1, 1, 1, 1}, huge[2] = {SIZE_MAX, 3};
    lancet_npy array;
    lancet_error error;

    (void)state;
    assert_int_equal(lancet_npy_read(NULL, "x", &error), LANCET_ERROR_ARGUMENT);
    assert_int_equal(lancet_npy_read(&array, NULL, &error), LANCET_ERROR_ARGUMENT);
    assert_int_equal(lancet_npy_read(&array, path_of(folder, "none.npy"), &error), LANCET_ERROR_IO);
    assert_int_equal(lancet_npy_read(&array, folder, &error), LANCET_ERROR_INPUT);
    assert_int_equal(lancet_npy_write(NULL, LANCET_NPY_FLOAT32, shape, 1, values, &error),
                     LANCET_ERROR_ARGUMENT);
    assert_int_equal(lancet_npy_write("x", LANCET_NPY_FLOAT32, NULL, 1, values, &error),
                     LANCET_ERROR_ARGUMENT);
    assert_int_equal(lancet_npy_write("x", LANCET_NPY_FLOAT32, shape, 1, NULL, &error),
                     LANCET_ERROR_ARGUMENT);
    assert_int_equal(lancet_npy_write("x", LANCET_NPY_FLOAT32, shape, 9, values, &error),
                     LANCET_ERROR_ARGUMENT);
    assert_int_equal(lancet_npy_write("x", (lancet_npy_type)7, shape, 1, values, &error),
                     LANCET_ERROR_ARGUMENT);
    assert_int_equal(lancet_npy_write("x", LANCET_NPY_FLOAT32, huge, 2, values, &error),
                     LANCET_ERROR_ARGUMENT);
    assert_int_equal(
        lancet_npy_write(path_of(folder, "no/folder.npy"), LANCET_NPY_FLOAT32, shape, 1, values, &error),
        LANCET_ERROR_IO);
    lancet_npy_close(NULL);
}

/* Every allocation made to fail once gives MEMORY and nothing else. */
static void test_memory(void **state)
{
    const char *path = path_of(folder, "memory.npy");
    const float values[6] = {1, 2, 3, 4, 5, 6};
    const size_t shape[2] = {2, 3};
    lancet_status status = LANCET_ERROR_MEMORY;

    (void)state;
    for (uint64_t n = 1; status != LANCET_OK; n++) {
        assert_true(n < 20);
        lancet_memory_fail_at(n);
        status = lancet_npy_write(path, LANCET_NPY_FLOAT32, shape, 2, values, NULL);
        lancet_memory_fail_at(0);
        assert_true(status == LANCET_OK || status == LANCET_ERROR_MEMORY);
        assert_int_equal(path_exists(path), status == LANCET_OK);
    }
    status = LANCET_ERROR_MEMORY;
    for (uint64_t n = 1; status != LANCET_OK; n++) {
        lancet_npy array;

        assert_true(n < 20);
        lancet_memory_fail_at(n);
        status = lancet_npy_read(&array, path, NULL);
        lancet_memory_fail_at(0);
        assert_true(status == LANCET_OK || status == LANCET_ERROR_MEMORY);
        lancet_npy_close(&array);
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
        cmocka_unit_test(test_round_trip),    cmocka_unit_test(test_written_bytes),
        cmocka_unit_test(test_shapes),        cmocka_unit_test(test_fortran),
        cmocka_unit_test(test_types),         cmocka_unit_test(test_versions),
        cmocka_unit_test(test_refused),       cmocka_unit_test(test_cut_and_flipped),
        cmocka_unit_test(test_header_length), cmocka_unit_test(test_arguments),
        cmocka_unit_test(test_memory),
    };

    return cmocka_run_group_tests_name("npy", tests, set_up, tear_down);
}
