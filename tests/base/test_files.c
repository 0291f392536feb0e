/* Mapped files and atomic writes. SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"
#include "base/memory.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/lancet-test-XXXXXX";

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder); /* fails if a test left anything behind */
}

static void test_write_and_map(void **state)
{
    char *path = lancet_path_join(folder, "data.bin");
    char bytes[100000];
    lancet_mapping mapping;
    lancet_error error;

    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * 7);
    assert_int_equal(lancet_file_write(path, "old", 3, &error), LANCET_OK);
    assert_int_equal(lancet_file_write(path, bytes, sizeof bytes, &error), LANCET_OK);
    assert_true(lancet_file_exists(path));
    assert_int_equal(lancet_mapping_open(&mapping, path, &error), LANCET_OK);
    assert_int_equal(mapping.length, sizeof bytes);
    assert_memory_equal(mapping.bytes, bytes, sizeof bytes);
    lancet_mapping_drop(&mapping, mapping.bytes + 5, 90000);
    assert_memory_equal(mapping.bytes, bytes, sizeof bytes);
    lancet_mapping_drop(&mapping, bytes, 10); /* not in the mapping: nothing happens */
    lancet_mapping_close(&mapping);
    assert_null(mapping.bytes);
    assert_int_equal(unlink(path), 0);
    lancet_free(path);
}

static void test_an_empty_file_is_a_file(void **state)
{
    char *path = lancet_path_join(folder, "empty");
    lancet_mapping mapping;
    lancet_error error;

    (void)state;
    assert_int_equal(lancet_file_write(path, NULL, 0, &error), LANCET_OK);
    assert_int_equal(lancet_mapping_open(&mapping, path, &error), LANCET_OK);
    assert_int_equal(mapping.length, 0);
    assert_non_null(mapping.bytes);
    lancet_mapping_close(&mapping);
    assert_int_equal(unlink(path), 0);
    lancet_free(path);
}

static void test_what_is_no_file_is_said(void **state)
{
    char *path = lancet_path_join(folder, "missing");
    lancet_mapping mapping;
    lancet_error error;

    (void)state;
    assert_int_equal(lancet_mapping_open(&mapping, path, &error), LANCET_ERROR_IO);
    assert_non_null(strstr(error.message, "missing: No such file"));
    assert_int_equal(lancet_mapping_open(&mapping, folder, &error), LANCET_ERROR_INPUT);
    assert_non_null(strstr(error.message, "expected a file, found a folder"));
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(lancet_mapping_open(&mapping, path, &error), LANCET_ERROR_INPUT); /* and does not hang */
    assert_int_equal(unlink(path), 0);
    lancet_free(path);
}

static void test_a_failed_write_leaves_nothing(void **state)
{
    char *path = lancet_path_join(folder, "no-such-folder/file");
    struct dirent *entry;
    lancet_error error;
    int entries = 0;
    DIR *open;

    (void)state;
    assert_int_equal(lancet_file_write(path, "x", 1, &error), LANCET_ERROR_IO);
    lancet_free(path);
    path = lancet_path_join(folder, "folder");
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(lancet_file_write(path, "x", 1, &error),
                     LANCET_ERROR_IO); /* a folder cannot be replaced */
    assert_int_equal(rmdir(path), 0);
    lancet_free(path);
    open = opendir(folder);
    assert_non_null(open);
    while ((entry = readdir(open)))
        entries += entry->d_name[0] != '.';
    closedir(open);
    assert_int_equal(entries, 0);
}

/* The old file stays until the new one is whole; one that is given up leaves nothing. */
static void test_a_writer_replaces_at_the_end(void **state)
{
    char *path = lancet_path_join(folder, "file");
    lancet_writer writer = {0};
    lancet_mapping mapping;
    lancet_error error;

    (void)state;
    lancet_writer_discard(&writer);
    assert_int_equal(lancet_file_write(path, "old", 3, &error), LANCET_OK);
    for (int finish = 0; finish < 2; finish++) {
        assert_int_equal(lancet_writer_open(&writer, path, &error), LANCET_OK);
        assert_int_equal(lancet_writer_append(&writer, "ne", 2, &error), LANCET_OK);
        assert_int_equal(lancet_writer_append(&writer, NULL, 0, &error), LANCET_OK);
        assert_int_equal(lancet_writer_append(&writer, "wer", 3, &error), LANCET_OK);
        assert_int_equal(lancet_mapping_open(&mapping, path, &error), LANCET_OK);
        assert_int_equal(mapping.length, 3);
        assert_memory_equal(mapping.bytes, "old", 3);
        lancet_mapping_close(&mapping);
        if (finish)
            assert_int_equal(lancet_writer_finish(&writer, &error), LANCET_OK);
        lancet_writer_discard(&writer);
    }
    assert_int_equal(lancet_mapping_open(&mapping, path, &error), LANCET_OK);
    assert_int_equal(mapping.length, 5);
    assert_memory_equal(mapping.bytes, "newer", 5);
    lancet_mapping_close(&mapping);
    assert_int_equal(unlink(path), 0);
    lancet_free(path);
    assert_int_equal(rmdir(folder), 0); /* nothing else is in it */
    assert_int_equal(mkdir(folder, 0700), 0);
}

static void test_paths(void **state)
{
    static const char *const cases[][3] = {
        {"a/b.safetensors", "vocab.json", "a/vocab.json"}, {"b", "c", "c"}, {"/b", "c", "/c"}};
    char *path;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        path = lancet_path_beside(cases[i][0], cases[i][1]);
        assert_string_equal(path, cases[i][2]);
        lancet_free(path);
    }
    path = lancet_path_join("a/", "b");
    assert_string_equal(path, "a/b");
    lancet_free(path);
    path = lancet_path_join("", "b");
    assert_string_equal(path, "b");
    lancet_free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_write_and_map),
        cmocka_unit_test(test_an_empty_file_is_a_file),
        cmocka_unit_test(test_what_is_no_file_is_said),
        cmocka_unit_test(test_a_failed_write_leaves_nothing),
        cmocka_unit_test(test_a_writer_replaces_at_the_end),
        cmocka_unit_test(test_paths),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
